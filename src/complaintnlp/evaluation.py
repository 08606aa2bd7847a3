"""How well a model does on labelled cases it has not seen, with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from complaintnlp.counting.intervals import wilson
from complaintnlp.errors import InputError
from complaintnlp.labelled import Labelled, read_labelled
from complaintnlp.language import LONGEST_TEXT, Readings, has_words, read_texts
from complaintnlp.model import Model, Tagged, load
from complaintnlp.model.calibration import doubt, thresholds
from complaintnlp.reliability import Reliability, Review, ReviewPoint, reliability, review
from complaintnlp.training import sentence_labels

FOUND = ("upheld", "not_upheld", "raised", "none")
"""What a text may say of a theme, `none` where it does not raise it: the rows and columns of `FindingScore.counts`."""
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
        cases: cases that raise it; for evidence, sentences that are marked with it.
        precision, recall, f1, average_precision: from 0 to 1; nan where nothing can be measured.
    """

    theme: str
    cases: int
    precision: Interval
    recall: Interval
    f1: Interval
    average_precision: Interval


@dataclass(frozen=True)
class FindingScore:
    """How far what the text says of a theme is told right.

    A labelled case says that a theme is upheld if any span of it is, else not upheld if any is, else raised.

    Attributes:
        theme: the id, or `all`.
        counts: of cases, by what is labelled (rows) and what the model says (columns), both as `FOUND`.
        upheld: F1 of `upheld` among all that may be said, with its 95 % bootstrap interval.
    """

    theme: str
    counts: tuple[tuple[int, ...], ...]
    upheld: Interval

    @property
    def agreed(self) -> tuple[int, int]:
        """Of the themes raised in both the labels and the answers: how often they say the same, and how many."""
        raised = range(len(FOUND) - 1)
        return sum(self.counts[i][i] for i in raised), sum(self.counts[i][j] for i in raised for j in raised)


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` returns; `str()` of it is the table for people.

    Attributes:
        model: name and version.
        cases: how many.
        themes: one row a theme, then `macro` and `micro`.
        subthemes: the same for subthemes, over the cases whose subthemes are labelled; empty where none are.
        evidence: the same for the sentences that are shown as evidence, beside those in which a marked span lies, over
            the cases with marked spans; empty where there are none. A theme that is not raised shows no sentence.
        findings: one row a theme, then `all`, over the cases whose spans carry findings; empty where none do.
        reliability: of each theme's probabilities, by id.
        review: what reading the most doubtful texts finds.
        sent: the texts that the model itself sends to `review`, and how many wrong ones are among them.
        kinds: for a challenge file, (kind, cases wholly right, cases) for each kind.
        mistakes: ids of the cases that went most wrong, the worst first.
    """

    model: str
    cases: int
    themes: tuple[ThemeScore, ...]
    subthemes: tuple[ThemeScore, ...]
    evidence: tuple[ThemeScore, ...]
    findings: tuple[FindingScore, ...]
    reliability: Mapping[str, Reliability]
    review: Review
    sent: ReviewPoint
    kinds: tuple[tuple[str, int, int], ...]
    mistakes: tuple[str, ...]

    def __getitem__(self, theme: str) -> ThemeScore:
        return next(score for score in (*self.themes, *self.subthemes) if score.theme == theme)

    def __str__(self) -> str:
        width = max(len(score.theme) for score in (*self.themes, *self.subthemes)) + 2
        lines = [
            f"Model {self.model} on {self.cases:,} labelled cases (95 % bootstrap intervals)",
            *_score_lines("theme", "cases", self.themes, width),
            *_score_lines("subtheme", "cases", self.subthemes, width),
            *_score_lines("evidence", "sentences", self.evidence, width),
            *_finding_lines(self.findings, width),
            *_calibration_lines(self.reliability, width),
            *_review_lines(self.review, self.sent),
        ]
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
    """Compare a model's themes, evidence, findings and probabilities with the labels.

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
    answers = _answers(model, cases)
    probability, raised = answers.probability, answers.raised
    ids, width = model.taxonomy.ids, len(model.taxonomy.ids)
    of_themes = probability[:, :width]
    right = (raised[:, :width] == cases.labels.astype(bool)).all(axis=1)
    doubts = doubt(of_themes, thresholds([model.calibrations[theme] for theme in ids]))
    labelled_finely = (cases.details >= 0).all(axis=1)
    subthemes: list[ThemeScore] = []
    if (cases.details > 0).any():
        own = np.ix_(labelled_finely, np.arange(width, raised.shape[1]))
        truth = cases.details[labelled_finely]
        subthemes = score_themes(model.taxonomy.subtheme_ids, truth, probability[own], raised[own])
    return Evaluation(
        model=f"{model.name} {model.version}",
        cases=len(cases),
        themes=tuple(score_themes(ids, cases.labels, of_themes, raised[:, :width])),
        subthemes=tuple(subthemes),
        evidence=tuple(_score_evidence(cases, answers.sentences)),
        findings=tuple(_score_findings(cases, answers.findings)),
        reliability={theme: reliability(of_themes[:, i], cases.labels[:, i]) for i, theme in enumerate(ids)},
        review=review(doubts, ~right),
        sent=ReviewPoint(int((doubts >= model.review).sum()), int((~right & (doubts >= model.review)).sum())),
        kinds=_by_kind(cases.kinds, right),
        mistakes=_worst(cases, of_themes, raised[:, :width]),
    )


def predictions(model: Model, texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Probabilities and decisions, shape (texts, labels) each, labels as `Taxonomy.label_ids`."""
    probability = np.zeros((len(texts), len(model.taxonomy.label_ids)))
    raised = np.zeros(probability.shape, dtype=np.bool_)
    for places, readings in _blocks(model, texts):
        probability[places] = model.probabilities(readings)
        raised[places] = model.raised(probability[places])
    return probability, raised


@dataclass(frozen=True, eq=False)
class _Answers:
    """What a model says of cases; `findings` as places in `FOUND`, `sentences` as `_sentence_counts` has them."""

    probability: NDArray[np.float64]
    raised: NDArray[np.bool_]
    findings: NDArray[np.int64]
    sentences: NDArray[np.float64]


def _answers(model: Model, cases: Labelled) -> _Answers:
    shape = (len(cases), len(model.taxonomy.ids))
    probability = np.zeros((len(cases), len(model.taxonomy.label_ids)))
    raised = np.zeros(probability.shape, dtype=np.bool_)
    found, sentences = np.full(shape, FOUND.index("none")), np.zeros((3, *shape))
    for places, readings in _blocks(model, cases.texts):
        probability[places] = model.probabilities(readings)
        raised[places] = model.raised(probability[places])
        tagged = list(model.classify_readings(readings))
        sentences[:, places] = _sentence_counts(readings, tagged, cases.take(places))
        for place, one in zip(places, tagged, strict=True):
            for theme, finding in one.findings.items():
                found[place, model.taxonomy.ids.index(theme)] = FOUND.index(finding)
    return _Answers(probability, raised, found, sentences)


def _blocks(model: Model, texts: Sequence[str]) -> Iterator[tuple[list[int], Readings]]:
    """The readings of the texts that can be read, a block at a time, with their places."""
    readable = [i for i, text in enumerate(texts) if has_words(text) and len(text) <= LONGEST_TEXT]
    for first in range(0, len(readable), _BLOCK):
        block = readable[first : first + _BLOCK]
        yield block, read_texts(model.language, (texts[i] for i in block))


def _sentence_counts(readings: Readings, tagged: Sequence[Tagged], cases: Labelled) -> NDArray[np.float64]:
    """Sentences rightly shown, shown, and marked as evidence, of each case and theme; shape (3, cases, themes)."""
    ids = cases.taxonomy.ids
    marked = sentence_labels(readings, cases)[:, : len(ids)] == 1
    shown = np.zeros(marked.shape, dtype=np.bool_)
    case = np.repeat(np.arange(len(cases)), np.diff(readings.texts))
    row = {
        (i, start): n for n, (i, start) in enumerate(zip(case.tolist(), readings.offsets[:, 0].tolist(), strict=True))
    }
    for i, one in enumerate(tagged):
        for piece in one.evidence:
            shown[row[i, piece.start], ids.index(piece.theme)] = True
    counts = np.zeros((3, len(cases), len(ids)))
    for total, sentences in zip(counts, (marked & shown, shown, marked), strict=True):
        np.add.at(total, case, sentences)
    return counts


def _score_evidence(cases: Labelled, sentences: NDArray[np.float64]) -> list[ThemeScore]:
    """Scores of the sentences shown, over the cases with marked spans."""
    with_spans = np.array([spans is not None for spans in cases.spans])
    if not sentences[2, with_spans].any():
        return []
    weights = np.vstack([np.ones(with_spans.sum()), bootstrap_weights(int(with_spans.sum()))])
    hits, claims, actual = (weights @ counts for counts in sentences[:, with_spans])
    return _scores(cases.taxonomy.ids, hits, claims, actual, np.full(hits[:2].shape, np.nan))


def _labelled_findings(cases: Labelled) -> NDArray[np.int64]:
    """What each case says of each theme, as places in `FOUND`; -1 where nobody marked it; shape (cases, themes)."""
    found = np.full(cases.labels.shape, -1)
    for i, spans in enumerate(cases.spans):
        if spans is None or (spans and not any(span.finding for span in spans)):
            continue
        for j, theme in enumerate(cases.taxonomy.ids):
            own = {span.finding for span in spans if span.theme == theme}
            said = next((finding for finding in FOUND[:2] if finding in own), "raised")
            found[i, j] = FOUND.index(said if own or cases.labels[i, j] else "none")
    return found


def _score_findings(cases: Labelled, said: NDArray[np.int64]) -> list[FindingScore]:
    """Scores of what is said of the themes, over the cases whose spans carry findings, or that have none to mark."""
    if not any(span.finding for spans in cases.spans for span in spans or ()):
        return []
    truth = _labelled_findings(cases)
    known = (truth >= 0).all(axis=1)
    truth, said = truth[known], said[known]
    weights = np.vstack([np.ones(len(truth)), bootstrap_weights(len(truth))])
    rows = []
    for theme, places in [*((t, [i]) for i, t in enumerate(cases.taxonomy.ids)), ("all", range(truth.shape[1]))]:
        own, told = truth[:, places], said[:, places]
        counts = np.zeros((len(FOUND), len(FOUND)), dtype=np.int64)
        np.add.at(counts, (own, told), 1)
        hits, claims, actual = (weights @ part.sum(axis=1) for part in ((own == 0) & (told == 0), told == 0, own == 0))
        upheld = _theme_score(theme, 0, hits, claims, actual, np.full(2, np.nan)).f1
        rows.append(FindingScore(theme, tuple(map(tuple, counts.tolist())), upheld))
    return rows


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
    return _scores(ids, hits, claims, actual, ranked)


def _scores(
    ids: Sequence[str],
    hits: NDArray[np.float64],
    claims: NDArray[np.float64],
    actual: NDArray[np.float64],
    ranked: NDArray[np.float64],
) -> list[ThemeScore]:
    """Scores of each theme, then macro and micro, from counts of shape (samples, themes), the sample itself first."""
    each = [
        _theme_score(theme, int(actual[0, i]), hits[:, i], claims[:, i], actual[:, i], ranked[:, i])
        for i, theme in enumerate(ids)
    ]
    total, present = int(actual[0].sum()), actual[0] > 0
    micro = _theme_score("micro", total, hits.sum(1), claims.sum(1), actual.sum(1), np.full(2, np.nan))
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = (hits / claims, hits / actual, 2 * hits / (claims + actual), ranked)
    # Nothing is ranked of evidence; a theme without a claim has no precision, and counts as 0.
    known = present & ~np.isnan(ranked[0])
    macro = [_mean(column[:, known if column is ranked else present]) for column in columns]
    return [*each, ThemeScore("macro", total, macro[0], macro[1], macro[2], macro[3]), micro]


def _mean(columns: NDArray[np.float64]) -> Interval:
    return _interval(np.nan_to_num(columns).mean(axis=1)) if columns.shape[1] else _NOTHING


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


def _score_lines(title: str, counted: str, scores: Sequence[ThemeScore], width: int) -> list[str]:
    if not scores:
        return []
    room = len(counted) + 1
    lines = ["", f"{title:<{width}}{counted:>{room}}   {'precision':<19}{'recall':<19}{'F1':<19}average precision"]
    for score in scores:
        cells = (_cell(v) for v in (score.precision, score.recall, score.f1, score.average_precision))
        lines.append(f"{score.theme:<{width}}{score.cases:>{room}}   " + "".join(f"{c:<19}" for c in cells).rstrip())
    if all(np.isnan(score.average_precision[0]) for score in scores):
        lines = [line.removesuffix("average precision").removesuffix("-").rstrip() for line in lines]
    return lines


def _finding_lines(findings: Sequence[FindingScore], width: int) -> list[str]:
    if not findings:
        return []
    lines = ["", f"{'finding, labelled':<{width}}" + "".join(f"{word:>12}" for word in FOUND) + "   as the model says"]
    for word, counts in zip(FOUND, findings[-1].counts, strict=True):
        lines.append(f"{word:<{width}}" + "".join(f"{count:>12}" for count in counts))
    agreed, both = findings[-1].agreed
    if both:
        lines.append(f"The same is said of {agreed} of {both} themes that both raise ({agreed / both:.0%}).")
    return [*lines, "F1 of upheld: " + ", ".join(f"{one.theme} {_cell(one.upheld)}" for one in findings)]


def _calibration_lines(found: Mapping[str, Reliability], width: int) -> list[str]:
    title = "mean predicted > share labelled, in %, of ten groups of like probability"
    rows = (f"{theme:<{width}}{one.error:>6.3f}   {one}" for theme, one in found.items())
    return ["", f"{'calibration':<{width}} error   {title}", *rows]


def _review_lines(curve: Review, sent: ReviewPoint) -> list[str]:
    lines = ["", f"review: reading the {sent.read:,} texts of this status {curve.told(sent)}"]
    if curve.wrong:
        steps = (f"{p.read / curve.texts:.0%}: {p.found / curve.wrong:.0%}" for p in curve.points)
        lines.append("texts read, the most doubtful first: wrong ones found: " + ", ".join(steps))
    return lines


def _cell(interval: Interval) -> str:
    estimate, low, high = interval
    if np.isnan(estimate):
        return "-"
    return f"{estimate:.2f} ({low:.2f}-{high:.2f})" if not np.isnan(low) else f"{estimate:.2f}"
