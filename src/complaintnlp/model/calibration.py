"""Scores -> probabilities and decisions, fitted on scores that were predicted out of fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

REVIEW_SHARE = 0.15
"""Share of texts that are sent for a second look: those whose decision is nearest to turning."""
POOLED_WEIGHT = 100
"""Positives of a label at which its own best threshold and the pooled one weigh the same. Alone, the best of a
rare label is the luck of a few texts."""


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
        labels: shape (texts, labels), 0 or 1.
    """
    fitted = [_fit_logistic(scores[:, i], labels[:, i]) for i in range(labels.shape[1])]
    probability = probabilities(scores, fitted)
    pooled, _ = best_threshold(probability.ravel(), labels.ravel())
    return [
        replace(one, threshold=_chosen_threshold(probability[:, i], labels[:, i], pooled))
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


def best_threshold(probability: NDArray[np.float64], labels: NDArray[np.int8]) -> tuple[float, float]:
    """The threshold of the highest F1, and that F1."""
    order = np.argsort(-probability, kind="stable")
    f1 = 2 * np.cumsum(labels[order]) / (np.arange(1, len(labels) + 1) + max(1, labels.sum()))
    best = int(np.argmax(f1))
    following = probability[order][best + 1] if best + 1 < len(labels) else 0.0
    return float((probability[order][best] + following) / 2), float(f1[best])


def _fit_logistic(scores: NDArray[np.float64], labels: NDArray[np.int8]) -> Calibration:
    if labels.min() == labels.max():
        # Nothing to learn from: follow the constant score of the estimator.
        return Calibration(1.0, 0.0, 0.0, 0.5)
    fitted = LogisticRegression(C=10.0, random_state=0).fit(scores, labels)
    whole, strongest = (float(weight) for weight in fitted.coef_[0])
    return Calibration(whole, strongest, float(fitted.intercept_[0]), 0.5)


def _chosen_threshold(probability: NDArray[np.float64], labels: NDArray[np.int8], pooled: float) -> float:
    """The label's own best threshold, drawn towards that of all labels together where it has few positives."""
    if labels.min() == labels.max():
        return 0.5
    own, _ = best_threshold(probability, labels)
    positives = int(labels.sum())
    drawn = (positives * own + POOLED_WEIGHT * pooled) / (positives + POOLED_WEIGHT)
    return float(np.clip(drawn, 0.02, 0.98))
