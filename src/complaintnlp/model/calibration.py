"""Scores -> probabilities and decisions, fitted on scores that were predicted out of fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]
Scores = NDArray[np.float32]
_FAR, _NEIGHBOUR = 20.0, -4.0
"""Logits beyond which nothing changes; what stands for the sentence before the first and after the last."""
REVIEW_SHARE = 0.15
"""Share of texts that are sent for a second look: those whose themes are likeliest to be wrong."""
POOLED_WEIGHT = 300
"""Positives of a label at which its own threshold and the pooled one weigh the same. Alone, that of a rare label is the
luck of a few texts."""

_PER_INPUT = 10
"""Cases with, and without, a label for each input that is used (Peduzzi et al. 1996); with fewer, the first two are."""


@dataclass(frozen=True)
class Calibration:
    """How the scores that bear on one label become its probability, and from where on it is raised.

    The probability is a logistic function of several scores, fitted on scores out of fold: Platt's calibration (1999)
    and stacking (Wolpert 1992) in one.

    Attributes:
        weights: of the inputs, as `text_inputs` or `sentence_inputs` gives them.
        intercept: in logits.
        threshold: the label is raised from this probability on.
    """

    weights: tuple[float, ...]
    intercept: float
    threshold: float


def text_inputs(scores: Sequence[Scores], texts: NDArray[np.int64], themes: int, labels: int) -> Floats:
    """What the probabilities of texts are made of.

    Args:
        scores: of all texts, then of all sentences, in logits; shape (texts + sentences, labels + findings). Of the
            estimator and, where there is one, of the network.
        texts: where the sentences of each text start, shape (texts + 1,).
        themes: how many of the labels, the first ones, are themes.
        labels: how many labels there are, before the findings.

    Returns:
        Shape (texts, labels, inputs). The inputs are, of one set of scores after the other, the label's score for the
        whole text, for its strongest and its second strongest sentence, and the log of the sum of exponentials over its
        sentences; then, the same for every label, the whole and strongest scores of all themes, the strongest of the
        findings, and the log of how many sentences there are.
    """
    lengths = np.log1p(np.diff(texts), dtype=np.float32)[:, None]
    found = []
    for one in scores:
        whole, strongest, second, total = _of_texts(one, texts)
        own = np.stack([whole, strongest, second, total], axis=2)[:, :labels]
        found.append(
            _joined(own, np.hstack([whole[:, :themes], strongest[:, :themes], strongest[:, labels:], lengths]))
        )
    return np.concatenate(found, axis=2)


def sentence_inputs(scores: Sequence[Scores], texts: NDArray[np.int64], themes: int, labels: int) -> Floats:
    """What the evidence of sentences is made of, and what they tell was found.

    Args:
        scores, texts, themes, labels: as for `text_inputs`.

    Returns:
        Shape (sentences, themes + findings, inputs). The inputs are, of one set of scores after the other, the score of
        the theme or finding for the sentence, for the one before and the one after it, for the whole text and its
        strongest sentence; then the sentence's scores for all themes and findings, and the log of how many sentences
        its text has.
    """
    number = len(texts) - 1
    text = np.repeat(np.arange(number), np.diff(texts))
    together = np.flatnonzero(text[1:] == text[:-1])
    used = [*range(themes), *range(labels, scores[0].shape[1])]
    lengths = np.log1p(np.diff(texts), dtype=np.float32)[text, None]
    found = []
    for one in scores:
        whole, strongest = (part[text][:, used] for part in _of_texts(one, texts)[:2])
        sentences = one[number:, used]
        before, after = np.full_like(sentences, _NEIGHBOUR), np.full_like(sentences, _NEIGHBOUR)
        before[together + 1], after[together] = sentences[together], sentences[together + 1]
        own = np.stack([sentences, before, after, whole, strongest], axis=2)
        found.append(_joined(own, np.hstack([sentences, lengths])))
    return np.concatenate(found, axis=2)


def _of_texts(scores: Scores, texts: NDArray[np.int64]) -> tuple[Scores, Scores, Scores, Scores]:
    """Scores of the whole texts, their strongest and second strongest sentences, and of all sentences together.

    A text without sentences is its own.
    """
    whole, sentences = scores[: len(texts) - 1], scores[len(texts) - 1 :]
    strongest, second, total = whole.copy(), whole.copy(), whole.copy()
    lengths = np.diff(texts)
    full = np.flatnonzero(lengths > 0)
    if len(full):
        starts = texts[full]
        best = np.maximum.reduceat(sentences, starts, axis=0)
        is_best = sentences == np.repeat(best, lengths[full], axis=0)
        rest = np.maximum.reduceat(np.where(is_best, -np.inf, sentences), starts, axis=0)
        # Two sentences may be the best, and one alone has no second.
        tied = np.add.reduceat(is_best, starts, axis=0, dtype=np.int64) > 1
        strongest[full] = best
        second[full] = np.where(tied | (lengths[full] == 1)[:, None], best, rest)
        total[full] = np.log(np.add.reduceat(np.exp(np.clip(sentences, -_FAR, _FAR)), starts, axis=0))
    return whole, strongest, second, total


def fit_calibration(inputs: Floats, labels: NDArray[np.int8], sets: int = 1) -> list[Calibration]:
    """Fit a calibration for each label, and choose thresholds that raise as many as are labelled.

    Args:
        inputs: made of scores out of fold, shape (texts, labels, inputs).
        labels: shape (texts, labels), 0 or 1; -1 where it is not known.
        sets: of how many sets of scores they are made, the estimator's and perhaps the network's.
    """
    if not labels.shape[1]:
        return []
    known = labels >= 0
    fitted = [_fit_logistic(inputs[known[:, i], i], labels[known[:, i], i], sets) for i in range(labels.shape[1])]
    probability = probabilities(inputs, fitted)
    pooled = even_threshold(probability[known], labels[known])
    return [
        replace(one, threshold=_chosen_threshold(probability[known[:, i], i], labels[known[:, i], i], pooled))
        for i, one in enumerate(fitted)
    ]


def fit_evidence(inputs: Floats, labels: NDArray[np.int8], sets: int = 1) -> list[Calibration]:
    """Fit which sentences are evidence of each theme, and tell of each finding; thresholds have the highest F1.

    Args:
        inputs: made of scores out of fold, shape (sentences, themes + findings, inputs).
        labels: shape (sentences, themes + findings), 0 or 1; -1 where nobody marked evidence. Where nobody marked any
            at all, a sentence is evidence when its own score is over 0.
        sets: as for `fit_calibration`.
    """
    known = labels >= 0
    fitted = []
    for i in range(labels.shape[1]):
        own, truth = inputs[known[:, i], i], labels[known[:, i], i]
        one = _fit_logistic(own, truth, sets)
        if len(set(truth.tolist())) > 1:
            one = replace(one, threshold=best_threshold(probabilities(own[:, None], [one])[:, 0], truth))
        fitted.append(one)
    return fitted


def probabilities(inputs: Floats, calibrations: Sequence[Calibration]) -> Floats:
    """Probabilities, shape (texts, labels), of inputs of shape (texts, labels, inputs)."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits(inputs, calibrations), -30, 30))))


def logits(inputs: Floats, calibrations: Sequence[Calibration]) -> Floats:
    """The same in logits."""
    weights = np.array([c.weights for c in calibrations])
    intercepts = np.array([c.intercept for c in calibrations])
    return np.asarray(np.einsum("tlk,lk->tl", inputs, weights) + intercepts)


def over_threshold(inputs: Floats, calibrations: Sequence[Calibration]) -> Floats:
    """How far over its threshold each label is, in logits; shape as `probabilities`."""
    cuts = thresholds(calibrations)
    return np.asarray(logits(inputs, calibrations) - np.log(cuts / (1 - cuts)))


def thresholds(calibrations: Sequence[Calibration]) -> Floats:
    """The thresholds, shape (labels,)."""
    return np.array([c.threshold for c in calibrations])


def doubt(probability: Floats, cuts: Floats) -> Floats:
    """The chance that any theme of a text is decided wrongly, taking the probabilities at their word; shape (texts,).

    In this order the first texts hold more mistakes than in that of how near a theme lies to its threshold.

    Args:
        probability: shape (texts, themes).
        cuts: the thresholds, shape (themes,) or (texts, themes).
    """
    wrong = np.where(probability >= cuts, 1 - probability, probability)
    return np.asarray(1 - (1 - wrong).prod(axis=1))


def fit_review(probability: Floats, cuts: Floats) -> float:
    """The doubt from which on a text is sent for a second look, so that `REVIEW_SHARE` of the texts are."""
    return float(np.quantile(doubt(probability, cuts), 1 - REVIEW_SHARE))


def even_threshold(probability: Floats, labels: NDArray[np.int8]) -> float:
    """The threshold at which as many are raised as are labelled, so that counts of themes are not tilted.

    The threshold of the highest F1 lies lower wherever a label is common and hard, and counts too many.
    """
    positives = int(labels.sum())
    ranked = np.sort(probability)[::-1]
    following = ranked[positives] if positives < len(ranked) else 0.0
    return float((ranked[positives - 1] + following) / 2) if positives else 1.0


def best_threshold(probability: Floats, labels: NDArray[np.int8]) -> float:
    """The threshold of the highest F1."""
    order = np.argsort(-probability, kind="stable")
    found = np.cumsum(labels[order])
    f1 = 2 * found / (np.arange(1, len(order) + 1) + labels.sum())
    best = int(np.argmax(f1))
    return float(np.clip(probability[order[best]], 0.02, 0.98))


def _joined(own: Scores, shared: Scores) -> Floats:
    """Inputs of each label's own and inputs that all labels share."""
    repeated = np.broadcast_to(shared[:, None, :], (*own.shape[:2], shared.shape[1]))
    return np.concatenate([own, repeated], axis=2).astype(np.float64)


def _fit_logistic(inputs: Floats, labels: NDArray[np.int8], sets: int) -> Calibration:
    """Fit on each set of scores by itself and take the mean; then once more how sure all are together.

    Fitted together on predictions out of fold, the network would weigh more than the estimator: it also learns how a
    corpus is written, which the folds share and real texts do not.
    """
    width = inputs.shape[1]
    if len(set(labels.tolist())) < 2:
        # Nothing to learn from: follow the first score.
        return Calibration((1.0, *[0.0] * (width - 1)), 0.0, 0.5)
    fitted = [_fit_weights(part, labels) for part in np.split(inputs, sets, axis=1)]
    weights, intercept = np.concatenate([own for own, _ in fitted]) / sets, sum(own for _, own in fitted) / sets
    if sets > 1:
        together = LogisticRegression(C=100.0).fit((inputs @ weights + intercept)[:, None], labels)
        slope = float(together.coef_[0, 0])
        weights, intercept = slope * weights, slope * intercept + float(together.intercept_[0])
    return Calibration(tuple(weights.tolist()), float(intercept), 0.5)


def _fit_weights(inputs: Floats, labels: NDArray[np.int8]) -> tuple[NDArray[np.float64], float]:
    # Of few cases no more can be learnt than how far the label's own two scores are to be trusted.
    used = inputs.shape[1] if min(labels.sum(), len(labels) - labels.sum()) >= _PER_INPUT * inputs.shape[1] else 2
    # The inputs have one unit, logits, but spread differently; regularisation is to bear on all alike.
    mean, spread = inputs[:, :used].mean(axis=0), inputs[:, :used].std(axis=0) + 1e-6
    fitted = LogisticRegression(C=1.0, random_state=0, max_iter=2_000).fit((inputs[:, :used] - mean) / spread, labels)
    weights = np.zeros(inputs.shape[1])
    weights[:used] = fitted.coef_[0] / spread
    return weights, float(fitted.intercept_[0] - weights[:used] @ mean)


def _chosen_threshold(probability: Floats, labels: NDArray[np.int8], pooled: float) -> float:
    """The label's own even threshold, drawn towards that of all labels together where it has few positives."""
    if len(set(labels.tolist())) < 2:
        return 0.5
    own = even_threshold(probability, labels)
    positives = int(labels.sum())
    drawn = (positives * own + POOLED_WEIGHT * pooled) / (positives + POOLED_WEIGHT)
    return float(np.clip(drawn, 0.02, 0.98))
