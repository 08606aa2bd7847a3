from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score

import complaintnlp as cn
from complaintnlp.errors import InputError
from complaintnlp.evaluation import FOUND, predictions
from complaintnlp.labelled import read_labelled
from complaintnlp.language import read_texts
from complaintnlp.model import Model
from complaintnlp.model.calibration import doubt, thresholds
from complaintnlp.reliability import SHARES
from complaintnlp.taxonomy import Taxonomy
from tests.samples import RAISING

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


def span(text: str, piece: str, theme: str, finding: str = "") -> dict[str, Any]:
    start = text.index(piece)
    return {"start": start, "end": start + len(piece), "theme": theme, "finding": finding}


RUDE, LATE = RAISING["communication"][1], RAISING["investigation_quality"][0]
FELL, WET = RAISING["care_failure"][5], RAISING["care_failure"][4]


def marked() -> list[dict[str, Any]]:
    both = f"Good morning. {RUDE}. {LATE}."
    upheld = f"{RUDE}. We upheld this."
    refused = f"Mr B said {FELL}. We did not uphold this complaint."
    one = f"{FELL}. {WET}. I left my umbrella in the waiting room."
    rows = [
        (both, [span(both, RUDE, "communication"), span(both, LATE, "investigation_quality", "raised")]),
        (upheld, [span(upheld, RUDE, "communication", "raised"), span(upheld, "We upheld", "communication", "upheld")]),
        (refused, [span(refused, FELL, "care_failure", "not_upheld")]),
        (one, [span(one, FELL, "care_failure", "upheld"), span(one, WET, "care_failure", "not_upheld")]),
        ("Thank you, everything was fine.", []),
        (f"{RUDE}.", None),
    ]
    return [
        {"text": text, "themes": sorted({s["theme"] for s in spans or ()}) or "", "spans": spans}
        for text, spans in rows
    ]


def test_evidence_agrees_with_scikit_learn(toy: Model) -> None:
    rows = [row for row in marked() if row["spans"] is not None]
    truth, said = [], []
    for row, tagged in zip(rows, toy.classify([row["text"] for row in rows]), strict=True):
        for start, end in read_texts(toy.language, [row["text"]]).offsets.tolist():
            spans = {s["theme"] for s in row["spans"] if start <= s["start"] < end}
            shown = {piece.theme for piece in tagged.evidence if piece.start == start}
            truth.append([theme in spans for theme in toy.taxonomy.ids])
            said.append([theme in shown for theme in toy.taxonomy.ids])
    result = cn.evaluate(marked(), toy)
    *themes, macro, micro = result.evidence
    for i, score in enumerate(themes):
        own = [row[i] for row in truth], [row[i] for row in said]
        assert (score.theme, score.cases) == (toy.taxonomy.ids[i], sum(own[0]))
        assert score.precision[0] == pytest.approx(precision_score(*own))
        assert score.recall[0] == pytest.approx(recall_score(*own))
        assert score.f1[0] == pytest.approx(f1_score(*own))
    assert macro.f1[0] == pytest.approx(f1_score(truth, said, average="macro"))
    assert micro.f1[0] == pytest.approx(f1_score(truth, said, average="micro"))
    assert 0 < micro.f1[0] < 1
    assert "evidence" in str(result)


def test_findings_are_compared_case_by_case(toy: Model) -> None:
    result = cn.evaluate(marked(), toy)
    answers = toy.classify([row["text"] for row in marked()])
    # The rule, written down: upheld before not upheld before raised. The first case has marked one finding of two.
    labelled = [
        {"communication": "raised", "investigation_quality": "raised"},
        {"communication": "upheld"},
        {"care_failure": "not_upheld"},
        {"care_failure": "upheld"},
        {},
    ]
    *themes, together = result.findings
    for score in themes:
        counts = np.zeros((4, 4), dtype=int)
        for truth, said in zip(labelled, answers, strict=False):
            cell = FOUND.index(truth.get(score.theme, "none")), FOUND.index(said.findings.get(score.theme, "none"))
            counts[cell] += 1
        assert score.counts == tuple(map(tuple, counts.tolist()))
    whole = np.sum([score.counts for score in themes], axis=0)
    assert together.counts == tuple(map(tuple, whole.tolist()))
    assert together.agreed == (np.trace(whole[:3, :3]), whole[:3, :3].sum())
    assert together.upheld[0] == pytest.approx(2 * whole[0, 0] / (whole[0].sum() + whole[:, 0].sum()))
    assert whole[0, 0] >= 1
    assert "F1 of upheld" in str(result)


def test_what_nobody_marked_is_not_measured(toy: Model) -> None:
    result = cn.evaluate(ROWS, toy)
    assert result.evidence == ()
    assert result.findings == ()
    assert "evidence" not in str(result)
    assert "finding" not in str(result)
    spans = [{**row, "spans": [{**one, "finding": None} for one in row["spans"] or ()]} for row in marked()]
    assert cn.evaluate(spans, toy).findings == ()


def test_reliability_and_review_are_of_these_cases(toy: Model) -> None:
    result = cn.evaluate(ROWS, toy)
    probability, raised = predictions(toy, [row["text"] for row in ROWS])
    probability, raised = probability[:, :3], raised[:, :3]
    wrong = (raised != (read_labelled(ROWS, Taxonomy.default()).labels == 1)).any(axis=1)
    doubts = doubt(probability, thresholds([toy.calibrations[theme] for theme in toy.taxonomy.ids]))
    assert (result.review.texts, result.review.wrong) == (len(ROWS), wrong.sum())
    assert len(result.review.points) == len(SHARES)
    sent = doubts >= toy.review
    assert (result.sent.read, result.sent.found) == (sent.sum(), (wrong & sent).sum())
    assert [one.status == "review" for one in toy.classify([row["text"] for row in ROWS])] == sent.tolist()
    for i, theme in enumerate(toy.taxonomy.ids):
        bins = result.reliability[theme].bins
        assert [one.predicted for one in bins] == pytest.approx(sorted(probability[:, i]))
    assert "calibration" in str(result)


def test_on_the_corpus_test_split(shipped: Model) -> None:
    from complaintnlp.corpus import read_corpus

    result = cn.evaluate(read_corpus(["test"]), shipped)
    assert result["macro"].f1[0] > 0.7
    assert result.cases >= 100
