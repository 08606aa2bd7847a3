from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score

import complaintnlp as cn
from complaintnlp.errors import InputError
from complaintnlp.evaluation import predictions
from complaintnlp.labelled import read_labelled
from complaintnlp.model import Model
from complaintnlp.taxonomy import Taxonomy

ROWS = [
    {"case_id": "r1", "text": "Nobody told us she had been moved.", "themes": "communication", "challenge": "plain"},
    {"case_id": "r2", "text": "He waited nine hours in pain.", "themes": "care_failure", "challenge": "plain"},
    {"case_id": "r3", "text": "The receptionist was rude.", "themes": "care_failure", "challenge": "wrong label"},
    {"case_id": "r4", "text": "Thank you, wonderful.", "themes": "", "challenge": "praise"},
]


def test_figures_agree_with_scikit_learn(toy: Model) -> None:
    result = cn.evaluate(ROWS, toy)
    cases = read_labelled(ROWS, Taxonomy.default())
    probability, raised = (array[:, : len(toy.taxonomy.ids)] for array in predictions(toy, cases.texts))
    for i, theme in enumerate(toy.taxonomy.ids):
        truth, said = cases.labels[:, i], raised[:, i]
        score = result[theme]
        assert score.cases == truth.sum()
        if not truth.any():
            continue
        assert score.f1[0] == pytest.approx(f1_score(truth, said))
        assert score.recall[0] == pytest.approx(recall_score(truth, said))
        assert score.average_precision[0] == pytest.approx(average_precision_score(truth, probability[:, i]))
        if said.any():
            assert score.precision[0] == pytest.approx(precision_score(truth, said))
        assert score.f1[1] <= score.f1[0] <= score.f1[2]
    assert result["micro"].f1[0] == pytest.approx(f1_score(cases.labels, raised, average="micro"))
    present = cases.labels.any(axis=0)
    assert result["macro"].f1[0] == pytest.approx(
        np.mean([f1_score(cases.labels[:, i], raised[:, i], zero_division=0) for i in np.flatnonzero(present)])
    )


def test_mistakes_are_named_by_id_and_kinds_counted(toy: Model) -> None:
    result = cn.evaluate(ROWS, toy)
    assert result.mistakes[0] == "r3"
    assert {kind: (right, cases) for kind, right, cases in result.kinds}["wrong label"] == (0, 1)
    table = str(result)
    assert "r3" in table
    assert "receptionist" not in table
    assert "wrong label" in table


def test_labels_of_other_themes_are_refused(toy: Model) -> None:
    with pytest.raises(InputError, match="not in the taxonomy"):
        cn.evaluate([{"text": "a", "themes": "parking"}], toy)
    with pytest.raises(InputError, match="no labelled cases"):
        cn.evaluate([{"text": "", "themes": "communication"}], toy)


def test_on_the_corpus_test_split(shipped: Model) -> None:
    from complaintnlp.corpus import read_corpus

    result = cn.evaluate(read_corpus(["test"]), shipped)
    assert result["macro"].f1[0] > 0.7
    assert result.cases >= 100
