from __future__ import annotations

import json

import pytest
from sklearn.metrics import cohen_kappa_score, f1_score

from complaintnlp.corpus import corpus_files
from measure_agreement import ac1, f1, first_reading, kappa


def test_published_example() -> None:
    # The paradox that AC1 was made for (Gwet 2002): 118 agreed on yes, none on no, 5 and 2 split.
    one = [True] * 118 + [True] * 5 + [False] * 2
    other = [True] * 118 + [False] * 5 + [True] * 2
    assert kappa(one, other) == pytest.approx(-0.0234, abs=5e-4)
    assert ac1(one, other) == pytest.approx(0.9408, abs=5e-4)


def test_kappa_is_scikit_learn_s() -> None:
    one, other = [True, False, True, True, False, False], [True, False, False, True, True, False]
    assert kappa(one, other) == pytest.approx(cohen_kappa_score(one, other))


def test_f1_is_scikit_learn_s() -> None:
    one, other = [True, False, True, True, False, False], [True, False, False, True, True, False]
    assert f1(one, other) == pytest.approx(f1_score(one, other))


def test_sentences_have_the_themes_of_the_spans_in_them() -> None:
    record = json.loads(corpus_files(["test"])[0].read_text("utf-8").splitlines()[0])
    span = record["spans"][0]
    inside = (record["case_id"], str(span["start"]), str(span["end"]))
    before = (record["case_id"], "0", "1")
    found = first_reading([inside, before])
    assert span["theme"] in found[inside]
    assert found[before] == set()
    assert found[record["case_id"],] == {*record["themes"], *record["subthemes"]}


def test_full_agreement() -> None:
    assert f1([False], [False]) == 1
    assert kappa([True, True], [True, True]) == 1
    assert ac1([True, False], [True, False]) == 1
