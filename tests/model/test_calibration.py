from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaintnlp.model.calibration import (
    REVIEW_SHARE,
    doubt,
    even_threshold,
    fit_calibration,
    fit_review,
    probabilities,
    thresholds,
)


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=2, max_size=40, unique_by=lambda row: row[0]
    ).filter(lambda rows: any(label for _, label in rows))
)
def test_as_many_are_raised_as_are_labelled(rows: list[tuple[float, int]]) -> None:
    probability, labels = np.array([r[0] for r in rows]), np.array([r[1] for r in rows], dtype=np.int8)
    raised = int((probability >= even_threshold(probability, labels)).sum())
    # Two neighbouring floats have no midpoint between them, which may raise one more.
    assert 0 <= raised - labels.sum() <= 1


def test_probabilities_are_calibrated_and_thresholds_by_name() -> None:
    random = np.random.default_rng(1)
    labels = (random.random((4000, 2)) < [0.3, 0.05]).astype(np.int8)
    scores = (labels * 2.0 - 1 + random.normal(size=(4000, 2)))[:, :, None].repeat(2, axis=2)
    fitted = fit_calibration(scores, labels)
    probability = probabilities(scores, fitted)
    for i in (0, 1):
        assert probability[:, i].mean() == pytest.approx(labels[:, i].mean(), abs=0.005)
        sure = probability[:, i] > 0.8
        assert labels[sure, i].mean() > 0.75
    assert thresholds(fitted).shape == (2,)
    share = (doubt(probability, thresholds(fitted)) >= fit_review(probability, thresholds(fitted))).mean()
    assert share == pytest.approx(REVIEW_SHARE, abs=0.01)


def test_a_label_without_examples_is_never_raised() -> None:
    labels = np.zeros((20, 1), dtype=np.int8)
    (fitted,) = fit_calibration(np.full((20, 1, 2), -12.0), labels)
    assert probabilities(np.full((1, 1, 2), -12.0), [fitted])[0, 0] < fitted.threshold


def test_doubt_is_the_chance_of_any_mistake() -> None:
    probability = np.array([[0.9, 0.2], [0.3, 0.0], [1.0, 0.0], [0.6, 1.0]])
    expected = [1 - 0.9 * 0.8, 0.7, 0.0, 0.4]
    assert doubt(probability, np.array([0.3, 0.7])) == pytest.approx(expected)
    assert doubt(probability, np.array([[0.3, 0.7]] * 4)) == pytest.approx(expected)
