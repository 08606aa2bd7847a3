"""Scores -> probabilities and decisions, fitted on scores that were predicted out of fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

REVIEW_SHARE = 0.15
"""Share of texts that are sent for a second look: those whose decision is nearest to turning."""
POOLED_WEIGHT = 300
"""Positives of a label at which its own threshold and the pooled one weigh the same. Alone, that of a rare label is the
luck of a few texts."""


@dataclass(frozen=True)
class Calibration:
    """How one label's scores become a probability and a decision.

    A text has two scores, in logits: of the whole of it, and of its strongest sentence. The probability is
    a logistic function of both (Platt 1999, with two inputs).

    Attributes:
        whole, strongest: weights of the two scores.
        intercept: in logits.
        threshold: the label is raised from this probability on.
    """

    whole: float
    strongest: float
    intercept: float
    threshold: float


def fit_calibration(scores: NDArray[np.float64], labels: NDArray[np.int8]) -> list[Calibration]:
    """Fit a calibration for each label.

    Args:
        scores: out-of-fold scores, shape (texts, labels, 2): whole text and strongest sentence.
        labels: shape (texts, labels), 0 or 1; -1 where it is not known.
    """
    if not labels.shape[1]:
        return []
    known = labels >= 0
    fitted = [_fit_logistic(scores[known[:, i], i], labels[known[:, i], i]) for i in range(labels.shape[1])]
    probability = probabilities(scores, fitted)
    pooled = even_threshold(probability[known], labels[known])
    return [
        replace(one, threshold=_chosen_threshold(probability[known[:, i], i], labels[known[:, i], i], pooled))
        for i, one in enumerate(fitted)
    ]


def probabilities(scores: NDArray[np.float64], calibrations: Sequence[Calibration]) -> NDArray[np.float64]:
    """Probabilities, shape (texts, labels), of scores of shape (texts, labels, 2)."""
    weights = np.array([(c.whole, c.strongest) for c in calibrations])
    intercepts = np.array([c.intercept for c in calibrations])
    logits = np.einsum("tls,ls->tl", scores, weights) + intercepts
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30))))


def thresholds(calibrations: Sequence[Calibration]) -> NDArray[np.float64]:
    """The thresholds, shape (labels,)."""
    return np.array([c.threshold for c in calibrations])


def doubt(probability: NDArray[np.float64], cuts: NDArray[np.float64]) -> NDArray[np.float64]:
    """How near each text's decision is to turning: 1 on a threshold, 0 at certainty; shape (texts,).

    The distance is measured from the threshold to certainty on the side that the probability lies on.
    """
    above = (probability - cuts) / np.maximum(1 - cuts, 1e-9)
    below = (cuts - probability) / np.maximum(cuts, 1e-9)
    return np.asarray(1 - np.where(probability >= cuts, above, below).min(axis=1))


def fit_review(probability: NDArray[np.float64], cuts: NDArray[np.float64]) -> float:
    """The doubt from which on a text is sent for a second look, so that `REVIEW_SHARE` of the texts are."""
    return float(np.quantile(doubt(probability, cuts), 1 - REVIEW_SHARE))


def even_threshold(probability: NDArray[np.float64], labels: NDArray[np.int8]) -> float:
    """The threshold at which as many are raised as are labelled, so that counts of themes are not tilted.

    The threshold of the highest F1 lies lower wherever a label is common and hard, and counts too many.
    """
    positives = int(labels.sum())
    ranked = np.sort(probability)[::-1]
    following = ranked[positives] if positives < len(ranked) else 0.0
    return float((ranked[positives - 1] + following) / 2) if positives else 1.0


def _fit_logistic(scores: NDArray[np.float64], labels: NDArray[np.int8]) -> Calibration:
    if len(set(labels.tolist())) < 2:
        # Nothing to learn from: follow the constant score of the estimator.
        return Calibration(1.0, 0.0, 0.0, 0.5)
    fitted = LogisticRegression(C=10.0, random_state=0).fit(scores, labels)
    whole, strongest = (float(weight) for weight in fitted.coef_[0])
    return Calibration(whole, strongest, float(fitted.intercept_[0]), 0.5)


def _chosen_threshold(probability: NDArray[np.float64], labels: NDArray[np.int8], pooled: float) -> float:
    """The label's own even threshold, drawn towards that of all labels together where it has few positives."""
    if len(set(labels.tolist())) < 2:
        return 0.5
    own = even_threshold(probability, labels)
    positives = int(labels.sum())
    drawn = (positives * own + POOLED_WEIGHT * pooled) / (positives + POOLED_WEIGHT)
    return float(np.clip(drawn, 0.02, 0.98))
