from __future__ import annotations

import pytest

from complaintnlp.language import make_language


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("Nobody was rude to us.", ["was rude to us"]),
        ("They did not listen, but the nurse was kind.", ["listen"]),
        ("I can't fault the ward", ["fault the ward"]),
        ("All was well.", []),
    ],
)
def test_negation(text: str, negated: list[str]) -> None:
    doc = make_language()(text)
    assert [span.text for span in doc.spans["scope"] if span.label_ == "negated"] == negated


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("We upheld this complaint.", "upheld"),
        ("We did not uphold this complaint.", "not_upheld"),
        ("We found that the Board failed to act on the results.", "upheld"),
        ("We were satisfied that the care was reasonable.", "not_upheld"),
        ("We found no evidence of a failing.", "not_upheld"),
        ("I complained to the trust in May.", None),
    ],
)
def test_findings(text: str, finding: str | None) -> None:
    doc = make_language()(text)
    labels = {span.label_ for span in doc.spans["scope"]} - {"negated"}
    if finding == "not_upheld":
        assert "not_upheld" in labels
    else:
        assert labels == ({finding} if finding else set())
