"""The inputs of calibration against slow and obvious ones, text by text and sentence by sentence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from complaintnlp.model.calibration import (
    best_threshold,
    fit_calibration,
    fit_evidence,
    over_threshold,
    probabilities,
    sentence_inputs,
    text_inputs,
)

THEMES, LABELS, FINDINGS = 2, 5, 2
NEIGHBOUR = -4.0
LENGTHS = st.lists(st.integers(0, 4), min_size=1, max_size=6)


def random_scores(lengths: list[int], seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    starts = np.concatenate([[0], np.cumsum(lengths)])
    rows = len(lengths) + sum(lengths)
    scores = np.random.default_rng(seed).normal(scale=5, size=(rows, LABELS + FINDINGS))
    return scores.astype(np.float32), starts


@given(LENGTHS, st.integers(1, 2))
def test_inputs_of_texts(lengths: list[int], sets: int) -> None:
    """Of the estimator's scores alone, and of the network's beside them."""
    found = [random_scores(lengths, seed) for seed in range(sets)]
    starts = found[0][1]
    inputs = text_inputs([scores for scores, _ in found], starts, THEMES, LABELS)
    assert inputs.shape == (len(lengths), LABELS, sets * (4 + 2 * THEMES + FINDINGS + 1))
    assert inputs.dtype == np.float64
    for text, length in enumerate(lengths):
        for label in range(LABELS):
            expected = list[float]()
            for scores, _ in found:
                whole = scores[text].tolist()
                sentences = scores[len(lengths) + starts[text] : len(lengths) + starts[text + 1]]
                # A text without sentences is its own sentence.
                strongest = [max(column) for column in sentences.T] if length else whole
                ranked = sorted(sentences[:, label].tolist(), reverse=True)
                second = ranked[1] if length > 1 else ranked[0] if length else whole[label]
                total = np.log(sum(np.exp(min(max(s, -20), 20)) for s in ranked)) if length else whole[label]
                expected += [whole[label], strongest[label], second, total]
                expected += [*whole[:THEMES], *strongest[:THEMES], *strongest[LABELS:], np.log(1 + length)]
            assert inputs[text, label] == pytest.approx(expected, abs=1e-4)


@given(LENGTHS, st.integers(1, 2))
def test_inputs_of_sentences(lengths: list[int], sets: int) -> None:
    found = [random_scores(lengths, seed) for seed in range(sets)]
    starts = found[0][1]
    inputs = sentence_inputs([scores for scores, _ in found], starts, THEMES, LABELS)
    columns = [*range(THEMES), *range(LABELS, LABELS + FINDINGS)]
    assert inputs.shape == (sum(lengths), len(columns), sets * (5 + THEMES + FINDINGS + 1))
    for text, length in enumerate(lengths):
        for i in range(length):
            for place, label in enumerate(columns):
                expected = list[float]()
                for scores, _ in found:
                    sentences = scores[len(lengths) + starts[text] : len(lengths) + starts[text + 1]]
                    column = sentences[:, label]
                    before = column[i - 1] if i > 0 else NEIGHBOUR
                    after = column[i + 1] if i + 1 < length else NEIGHBOUR
                    expected += [column[i], before, after, scores[text, label], max(column)]
                    expected += [*sentences[i, columns], np.log(1 + length)]
                assert inputs[starts[text] + i, place] == pytest.approx(expected, abs=1e-5)


def test_extreme_scores_stay_finite() -> None:
    scores = np.array([[1e4], [-1e4], [1e4], [-1e4], [-1e4]], dtype=np.float32)
    starts = np.array([0, 2, 3])
    for inputs in (text_inputs([scores], starts, 1, 1), sentence_inputs([scores], starts, 1, 1)):
        assert np.isfinite(inputs).all()


@given(st.lists(st.tuples(st.floats(0.02, 0.98), st.integers(0, 1)), min_size=1, max_size=30, unique_by=lambda r: r[0]))
def test_the_best_threshold_has_the_highest_f1(rows: list[tuple[float, int]]) -> None:
    probability, labels = np.array([r[0] for r in rows]), np.array([r[1] for r in rows], dtype=np.int8)
    if not labels.any():
        return
    chosen = f1_score(labels, probability >= best_threshold(probability, labels))
    assert chosen == pytest.approx(max(f1_score(labels, probability >= cut) for cut in probability))


def sentences(number: int) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    random = np.random.default_rng(3)
    labels = (random.random((number, 1)) < 0.3).astype(np.int8)
    first = labels * 3.0 - 1 + random.normal(size=labels.shape)
    return np.stack([first, random.normal(size=labels.shape)], axis=2), labels


def test_evidence_learns_which_score_tells() -> None:
    inputs, labels = sentences(3_000)
    (fitted,) = fit_evidence(inputs, labels)
    assert fitted.weights[0] > 1 > abs(fitted.weights[1])
    assert probabilities(inputs, [fitted]).mean() == pytest.approx(labels.mean(), abs=0.01)
    said = over_threshold(inputs, [fitted])[:, 0] >= -1e-9
    assert f1_score(labels[:, 0], said) >= f1_score(labels[:, 0], inputs[:, 0, 0] > 0) - 0.02


def test_sentences_that_nobody_marked_teach_nothing() -> None:
    inputs, labels = sentences(500)
    junk = np.concatenate([inputs, -inputs])
    (fitted,) = fit_evidence(junk, np.concatenate([labels, np.full_like(labels, -1)]))
    assert [fitted] == fit_evidence(inputs, labels)


def test_without_any_marks_evidence_is_a_score_over_nought() -> None:
    inputs, labels = sentences(50)
    for unmarked in (np.full_like(labels, -1), np.zeros_like(labels)):
        (fitted,) = fit_evidence(inputs, unmarked)
        assert over_threshold(inputs, [fitted])[:, 0] == pytest.approx(inputs[:, 0, 0])


def test_two_sets_of_scores_weigh_the_same() -> None:
    """Each is fitted by itself, and of equal ones the answer is that of one alone."""
    inputs, labels = sentences(3_000)
    (one,) = fit_calibration(inputs, labels)
    (both,) = fit_calibration(np.concatenate([inputs, inputs], axis=2), labels, sets=2)
    assert probabilities(np.concatenate([inputs, inputs], axis=2), [both]) == pytest.approx(
        probabilities(inputs, [one]), abs=0.03
    )
    weights = np.array(both.weights)
    assert weights[2:] / weights[:2] == pytest.approx([1, 1], rel=1e-6)
    # Ten times the scores are as sure of the same, so they weigh a tenth, and no more in all.
    (scaled,) = fit_calibration(np.concatenate([inputs, inputs * 10], axis=2), labels, sets=2)
    weights = np.array(scaled.weights)
    assert weights[2:] / weights[:2] == pytest.approx([0.1, 0.1], rel=1e-3)
    noise = np.random.default_rng(5).normal(size=inputs.shape)
    (doubted,) = fit_calibration(np.concatenate([inputs, noise], axis=2), labels, sets=2)
    assert probabilities(np.concatenate([inputs, noise], axis=2), [doubted]).mean() == pytest.approx(
        labels.mean(), abs=0.01
    )
