from __future__ import annotations

from typing import Any

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import complaintnlp as cn
from complaintnlp.errors import InputError
from complaintnlp.language import LONGEST_TEXT
from complaintnlp.model.model import STATUSES, Model

RUDE = "The receptionist was rude and shouted at me."
LATE = "Eight months later there is still no reply to our complaint."


def test_themes_come_in_taxonomy_order_with_evidence(toy: Model) -> None:
    text = f"Thank you for the tea. {RUDE}\n\n{LATE}"
    (tagged,) = toy.classify(text)
    assert tagged.themes == ("investigation_quality", "communication")
    assert set(tagged.probabilities) == set(toy.taxonomy.ids)
    assert dict(tagged.findings) == {"investigation_quality": "raised", "communication": "raised"}
    best: dict[str, str] = {}
    for piece in tagged.evidence:
        best.setdefault(piece.theme, text[piece.start : piece.end])
    assert best == {"investigation_quality": LATE, "communication": RUDE}


@pytest.mark.parametrize(
    "source",
    [
        [RUDE, None],
        (RUDE, None),
        pd.Series([RUDE, None], index=[7, 3]),
        np.array([RUDE, None], dtype=object),
        pa.array([RUDE, None]),
        pa.chunked_array([[RUDE], [None]], pa.string()),
        pd.DataFrame({"Ref": [1, 2], "Description": [RUDE, None]}),
        pa.table({"text": [RUDE, None]}),
        datasets.Dataset.from_dict({"text": [RUDE, None]}),
        datasets.Dataset.from_dict({"text": [RUDE, None]})["text"],
    ],
    ids=lambda source: type(source).__name__,
)
def test_whatever_a_caller_would_try(toy: Model, source: Any) -> None:
    tagged = toy.classify(source)
    assert [one.themes for one in tagged] == [("communication",), ()]
    assert tagged[1].status == "empty"


@pytest.mark.parametrize("source", [7, b"bytes", [1, 2], {"text": "a"}])
def test_what_is_no_text_is_refused(toy: Model, source: Any) -> None:
    with pytest.raises(InputError):
        toy.classify(source)


@pytest.mark.parametrize(
    ("text", "status"),
    [("", "empty"), ("  \n", "empty"), ("?!", "empty"), (None, "empty"), ("a " * LONGEST_TEXT, "too_long")],
)
def test_texts_that_can_not_be_read_have_a_status(toy: Model, text: str | None, status: str) -> None:
    (tagged,) = toy.classify([text])
    assert (tagged.status, tagged.themes, tagged.evidence) == (status, (), ())


@given(st.lists(st.one_of(st.none(), st.text(max_size=120), st.sampled_from([RUDE, LATE])), max_size=6))
@settings(max_examples=40)
def test_one_answer_for_each_text_and_offsets_into_it(toy: Model, texts: list[str | None]) -> None:
    tagged = toy.classify(texts)
    assert len(tagged) == len(texts)
    for text, one in zip(texts, tagged, strict=True):
        assert one.status in STATUSES
        assert list(one.themes) == [theme for theme in toy.taxonomy.ids if theme in one.themes]
        assert set(one.findings) == set(one.themes) == {piece.theme for piece in one.evidence}
        for piece in one.evidence:
            assert text is not None
            assert 0 <= piece.start < piece.end <= len(text)
        if one.status in ("classified", "no_theme"):
            assert bool(one.themes) == (one.status == "classified")
        for theme, probability in one.probabilities.items():
            raised = probability >= toy.calibrations[theme].threshold
            assert raised == (theme in one.themes) or one.status in ("empty", "too_long")


def test_half_an_emoji_moves_no_offset(toy: Model) -> None:
    (tagged,) = toy.classify("\ud83d hello. " + RUDE)
    assert tagged.evidence[0].start == len("\ud83d hello. ")


def test_neighbours_do_not_change_an_answer(toy: Model) -> None:
    texts = [RUDE, LATE, None, "Lovely staff.", RUDE]
    alone = [toy.classify(text)[0] if text else None for text in texts]
    together = toy.classify(texts)
    assert [a.probabilities if a else None for a in alone] == [
        t.probabilities if text else None for t, text in zip(together, texts, strict=True)
    ]


def test_the_shipped_model_knows_its_job(shipped: Model) -> None:
    texts = [
        "They never told us Dad had been moved, we found an empty bed. Nobody rang.",
        "My mother was left without her insulin for two days and fell twice because no one was watching her.",
        "It is now nine months since I complained and I still have no reply. Your investigation did not speak to "
        "the night staff.",
        "Just wanted to say thank you to everybody on the ward.",
    ]
    tagged = shipped.classify(texts)
    assert "communication" in tagged[0].themes
    assert "care_failure" in tagged[1].themes
    assert "investigation_quality" in tagged[2].themes
    assert tagged[3].themes == ()
    assert isinstance(cn.load(), Model)
