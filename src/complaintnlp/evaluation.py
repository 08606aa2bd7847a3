"""How well a model does on labelled cases it has not seen, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from complaintnlp.counting.intervals import wilson
from complaintnlp.errors import InputError
from complaintnlp.labelled import Labelled, read_labelled
from complaintnlp.language import LONGEST_TEXT, has_words, read_texts
from complaintnlp.model import Model, load

RESAMPLES = 1000
WORST = 20
_BLOCK = 256

Interval = tuple[float, float, float]
"""Estimate, lower and upper end of its 95 % interval."""


@dataclass(frozen=True)
class ThemeScore:
    """One theme's or subtheme's figures; each an estimate with its 95 % bootstrap interval (percentiles, over cases).

    Attributes:
        theme: the id, or `macro` (mean over themes) or `micro` (all decisions together).
        cases: cases that raise it.
        precision, recall, f1, average_precision: from 0 to 1; nan where nothing can be measured.
    """

    theme: str
    cases: int
    precision: Interval
    recall: Interval
    f1: Interval
    average_precision: Interval


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` returns; `str()` of it is the table for people.

    Attributes:
        model: name and version.
        cases: how many.
        themes: one row a theme, then `macro` and `micro`.
        subthemes: the same for subthemes, over the cases whose subthemes are labelled; empty where none are.
        kinds: for a challenge file, (kind, cases wholly right, cases) for each kind.
        mistakes: ids of the cases that went most wrong, the worst first.
    """

    model: str
    cases: int
    themes: tuple[ThemeScore, ...]
    subthemes: tuple[ThemeScore, ...]
    kinds: tuple[tuple[str, int, int], ...]
    mistakes: tuple[str, ...]

    def __getitem__(self, theme: str) -> ThemeScore:
        return next(score for score in (*self.themes, *self.subthemes) if score.theme == theme)

    def __str__(self) -> str:
        width = max(len(score.theme) for score in (*self.themes, *self.subthemes)) + 2
        lines = [f"Model {self.model} on {self.cases:,} labelled cases (95 % bootstrap intervals)"]
        for title, scores in (("theme", self.themes), ("subtheme", self.subthemes)):
            if scores:
                lines += [
                    "",
                    f"{title:<{width}}{'cases':>6}   {'precision':<19}{'recall':<19}{'F1':<19}average precision",
                ]
            for score in scores:
                cells = (_cell(v) for v in (score.precision, score.recall, score.f1, score.average_precision))
                lines.append(f"{score.theme:<{width}}{score.cases:>6}   " + "".join(f"{c:<19}" for c in cells).rstrip())
        if self.kinds:
            lines += ["", "kind of challenge: cases wholly right"]
            for kind, right, cases in self.kinds:
                low, high = wilson(right, cases)
                lines.append(f"  {kind:<28}{right:>4} of {cases:<4} {right / cases:.2f} ({low:.2f}-{high:.2f})")
        if self.mistakes:
            lines += ["", "worst mistakes, by id: " + ", ".join(self.mistakes)]
        return "\n".join(lines)


def evaluate(
    labelled: Any, model: Model | None = None, *, text: str | None = None, id: str | None = None
) -> Evaluation:
    """Compare a model's themes with the labels.

    Args:
        labelled: a file or table of labelled cases; see `read_labelled`.
        model: the shipped model where it is left out.
        text, id: the columns to use, where they are not found by themselves.

    Raises:
        InputError: when there are no labels, or they are of other themes than the model's.
    """
    model = load() if model is None else model
    cases = labelled if isinstance(labelled, Labelled) else read_labelled(labelled, model.taxonomy, text=text, id=id)
    if not len(cases):
        raise InputError("there are no labelled cases with a text")
    if cases.taxonomy.ids != model.taxonomy.ids:
        raise InputError(
            f"the labels are of {', '.join(cases.taxonomy.ids)}; the model knows {', '.join(model.taxonomy.ids)}"
        )
    probability, raised = predictions(model, cases.texts)
    width = len(model.taxonomy.ids)
    right = (raised[:, :width] == cases.labels.astype(bool)).all(axis=1)
    labelled_finely = (cases.details >= 0).all(axis=1)
    subthemes: list[ThemeScore] = []
    if (cases.details > 0).any():
        own = np.ix_(labelled_finely, np.arange(width, raised.shape[1]))
        truth = cases.details[labelled_finely]
        subthemes = score_themes(model.taxonomy.subtheme_ids, truth, probability[own], raised[own])
    return Evaluation(
        model=f"{model.name} {model.version}",
        cases=len(cases),
        themes=tuple(score_themes(model.taxonomy.ids, cases.labels, probability[:, :width], raised[:, :width])),
        subthemes=tuple(subthemes),
        kinds=_by_kind(cases.kinds, right),
        mistakes=_worst(cases, probability[:, :width], raised[:, :width]),
    )


def predictions(model: Model, texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Probabilities and decisions, shape (texts, labels) each, labels as `Taxonomy.label_ids`."""
    readable = [i for i, text in enumerate(texts) if has_words(text) and len(text) <= LONGEST_TEXT]
    probability = np.zeros((len(texts), len(model.taxonomy.label_ids)))
    for first in range(0, len(readable), _BLOCK):
        block = readable[first : first + _BLOCK]
        probability[block] = model.probabilities(list(read_texts(model.language, (texts[i] for i in block))))
    raised = np.zeros(probability.shape, dtype=np.bool_)
    raised[readable] = model.raised(probability[readable])
    return probability, raised


def score_themes(
    ids: Sequence[str], labels: NDArray[np.int8], probability: NDArray[np.float64], raised: NDArray[np.bool_]
) -> list[ThemeScore]:
    """Scores of each theme, then macro and micro, with bootstrap intervals over cases."""
    draws = bootstrap_weights(len(labels))
    truth = labels.astype(np.float64)
    said = raised.astype(np.float64)
    weights = np.vstack([np.ones(len(labels)), draws])  # the first row is the sample itself
    hits, claims, actual = weights @ (truth * said), weights @ said, weights @ truth
    ranked = np.stack(
        [_average_precisions(truth[:, i], probability[:, i], weights[:201]) for i in range(len(ids))],
        1,
    )
    each = [
        _theme_score(theme, int(truth[:, i].sum()), hits[:, i], claims[:, i], actual[:, i], ranked[:, i])
        for i, theme in enumerate(ids)
    ]
    total = int(truth.sum())
    micro = _theme_score("micro", total, hits.sum(1), claims.sum(1), actual.sum(1), np.full(2, np.nan))
    present = truth.sum(axis=0) > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = (hits / claims, hits / actual, 2 * hits / (claims + actual), ranked)
    means = [_interval(np.nan_to_num(c[:, present]).mean(axis=1)) for c in columns] if present.any() else [_NOTHING] * 4
    return [*each, ThemeScore("macro", total, *means), micro]


def macro_f1(labels: NDArray[np.int8], raised: NDArray[np.bool_], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Macro-F1 over the themes that occur, for each row of weights over the cases."""
    truth, said = labels.astype(np.float64), raised.astype(np.float64)
    present = truth.sum(axis=0) > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        f1 = 2 * (weights @ (truth * said)) / (weights @ said + weights @ truth)
    return np.asarray(np.nan_to_num(f1[:, present]).mean(axis=1))


def bootstrap_weights(cases: int, resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """How often each case is drawn in each resample, shape (resamples, cases); always the same draws."""
    return np.random.default_rng(0).multinomial(cases, np.full(cases, 1 / cases), size=resamples).astype(np.float64)


_NOTHING: Interval = (float("nan"), float("nan"), float("nan"))


def _theme_score(
    theme: str,
    cases: int,
    hits: NDArray[np.float64],
    claims: NDArray[np.float64],
    actual: NDArray[np.float64],
    ranked: NDArray[np.float64],
) -> ThemeScore:
    with np.errstate(invalid="ignore", divide="ignore"):
        return ThemeScore(
            theme,
            cases,
            _interval(hits / claims),
            _interval(hits / actual),
            _interval(2 * hits / (claims + actual)),
            _interval(ranked),
        )


def _interval(values: NDArray[np.float64]) -> Interval:
    """The first value, with the 2.5th and 97.5th percentile of the others."""
    drawn = values[1:][~np.isnan(values[1:])]
    if np.isnan(values[0]) or not len(drawn):
        return float(values[0]), float("nan"), float("nan")
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(values[0]), float(low), float(high)


def _average_precisions(
    truth: NDArray[np.float64], probability: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.array(
        [
            average_precision_score(truth, probability, sample_weight=w) if (truth * w).any() else float("nan")
            for w in weights
        ]
    )


def _by_kind(kinds: Sequence[str], right: NDArray[np.bool_]) -> tuple[tuple[str, int, int], ...]:
    places = np.array(kinds)
    return tuple(
        (kind, int(right[places == kind].sum()), int((places == kind).sum())) for kind in dict.fromkeys(kinds) if kind
    )


def _worst(cases: Labelled, probability: NDArray[np.float64], raised: NDArray[np.bool_]) -> tuple[str, ...]:
    """Ids of the wrong cases, by how sure the model was of the wrong answer."""
    truth = cases.labels.astype(bool)
    loss = np.where(truth, 1 - probability, probability) * (truth != raised)
    order = np.argsort(-loss.max(axis=1), kind="stable")
    return tuple(cases.ids[i] for i in order[:WORST] if loss[i].any())


def _cell(interval: Interval) -> str:
    estimate, low, high = interval
    if np.isnan(estimate):
        return "-"
    return f"{estimate:.2f} ({low:.2f}-{high:.2f})" if not np.isnan(low) else f"{estimate:.2f}"
