from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import complaintnlp as cn
from complaintnlp import retraining
from complaintnlp.errors import InputError
from complaintnlp.labelled import Labelled, read_labelled
from complaintnlp.model import Model
from complaintnlp.taxonomy import Taxonomy
from tests.samples import small_cases

NEW = [
    {"case_id": f"n{i}", "text": text.format(i), "themes": themes}
    for i in range(10)
    for text, themes in [
        ("Kept on hold by the switchboard, call number {}.", "communication"),
        ("The ambulance took {} hours to reach my uncle.", "care_failure"),
        ("The lift was broken on floor {}.", ""),
    ]
]


@pytest.fixture
def small_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy's sentences in the place of the corpus: what is tested is the judging, not the learning."""
    cases = read_labelled(small_cases(), Taxonomy.default())
    test = np.arange(1, len(cases), 4)
    parts: dict[tuple[str, ...], Labelled] = {
        ("train", "validation"): cases.take(i for i in range(len(cases)) if i not in test),
        ("test",): cases.take(test),
    }
    monkeypatch.setattr(retraining, "read_corpus", lambda splits: parts[tuple(splits)])


@pytest.mark.usefixtures("small_corpus")
def test_good_labels_are_learnt_and_accepted(toy: Model, tmp_path: Path) -> None:
    result = cn.retrain(NEW, base=toy, out=tmp_path / "mine")
    assert result.accepted, str(result)
    assert result.out == tmp_path / "mine"
    assert result.added == 30
    model = cn.load(tmp_path / "mine")
    assert model.name == "mine"
    assert "communication" in model.classify("Kept on hold by the switchboard again.")[0].themes
    macro = {row.where: row for row in result.comparison if row.theme == "macro"}
    assert macro["new"].difference[0] > 0
    assert macro["new"].difference[0] == pytest.approx(macro["new"].new[0] - macro["new"].old[0])
    for row in result.comparison:
        assert np.isnan(row.difference[0]) or row.difference[1] <= row.difference[0] <= row.difference[2]
    text = str(result)
    assert text.startswith("Accepted: the new model gains")
    assert "switchboard" not in text
    assert "switchboard" not in (tmp_path / "mine" / "README.md").read_text()


@pytest.mark.usefixtures("small_corpus")
def test_perverse_labels_are_refused_and_nothing_is_written(toy: Model, tmp_path: Path) -> None:
    turned = {
        "communication": "care_failure",
        "care_failure": "investigation_quality",
        "investigation_quality": "communication",
    }
    rows: list[dict[str, Any]] = [
        {**row, "case_id": f"{row['case_id']}-{n}", "text": row["text"] + f" Indeed {n}.",
         "themes": "; ".join(turned[t] for t in row["themes"].split("; ") if t)}
        for n in range(3) for row in small_cases()
    ]  # fmt: skip
    result = cn.retrain(rows, base=toy, out=tmp_path / "mine")
    assert not result.accepted
    assert result.model is toy
    assert "annotation guide" in result.reason
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("small_corpus")
def test_cases_of_the_frozen_split_are_not_learnt_from(toy: Model) -> None:
    with pytest.raises(InputError, match="frozen test split"):
        cn.retrain(small_cases()[1::4], base=toy)


@pytest.mark.usefixtures("small_corpus")
def test_too_few_and_wrong_labels(toy: Model) -> None:
    with pytest.raises(InputError, match="at least 10"):
        cn.retrain(NEW[:3], base=toy)
    with pytest.raises(InputError, match="not in the taxonomy"):
        cn.retrain([{**row, "themes": "parking"} for row in NEW], base=toy)


@pytest.mark.usefixtures("small_corpus")
def test_several_sources(toy: Model) -> None:
    assert cn.retrain([NEW[:15], NEW[15:]], base=toy).added == 30
