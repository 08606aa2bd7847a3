"""Whether probabilities can be taken at their word, and how many mistakes a person's second look finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from complaintnlp.counting.intervals import wilson
from complaintnlp.model.calibration import REVIEW_SHARE

BINS = 10
SHARES = tuple(sorted({0.05, 0.10, 0.15, 0.20, 0.30, 0.40, 0.50, REVIEW_SHARE}))
"""Shares of texts read for which the review curve is told."""


@dataclass(frozen=True)
class Bin:
    """Cases of like probability.

    Attributes:
        cases: how many.
        predicted: their mean probability.
        labelled: how many have the label.
    """

    cases: int
    predicted: float
    labelled: int

    @property
    def observed(self) -> float:
        """The share that has the label."""
        return self.labelled / self.cases

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % Wilson interval."""
        return wilson(self.labelled, self.cases)


@dataclass(frozen=True)
class Reliability:
    """One label's probabilities beside what came true.

    Attributes:
        bins: at most `BINS`, of equally many cases give or take one, by probability, the least probable first.
    """

    bins: tuple[Bin, ...]

    @property
    def error(self) -> float:
        """The expected calibration error: how far predicted and observed shares lie apart, mean over all cases.

        Chance alone makes it more than 0. Source: Naeini, Cooper and Hauskrecht (2015), AAAI; with bins of equally many
        cases, as Nguyen and O'Connor (2015), EMNLP.
        """
        cases = sum(one.cases for one in self.bins)
        return sum(one.cases * abs(one.predicted - one.observed) for one in self.bins) / max(cases, 1)

    def __str__(self) -> str:
        """Predicted>observed shares in %, bin by bin."""
        return " ".join(_pairs(self))


@dataclass(frozen=True)
class ReviewPoint:
    """A number of texts read, and how many of those with any theme wrong are among them."""

    read: int
    found: int


@dataclass(frozen=True)
class Review:
    """What is found when people read texts, the most doubtful first.

    Attributes:
        texts: how many there are.
        wrong: how many have any theme wrong.
        points: for each of the shares read.
    """

    texts: int
    wrong: int
    points: tuple[ReviewPoint, ...]

    def told(self, point: ReviewPoint) -> str:
        """The point as part of a sentence: what is found, and how the rest does."""
        left = self.texts - point.read
        right = f"of the others {_percent(left - self.wrong + point.found, left)} are wholly right" if left else ""
        if not self.wrong:
            return "finds nothing, as none is wrong"
        low, high = wilson(point.found, self.wrong)
        found = f"finds {_percent(point.found, self.wrong)} ({100 * low:.0f}-{100 * high:.0f} %) of the wrong ones"
        return f"{found}; {right}" if right else found


def reliability(probability: NDArray[np.float64], labels: NDArray[np.int8], bins: int = BINS) -> Reliability:
    """Compare the probabilities of one label with what came true.

    Args:
        probability: shape (cases,).
        labels: shape (cases,), 0 or 1.
        bins: how many at most.
    """
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return Reliability(tuple(Bin(len(p), float(probability[p].mean()), int(labels[p].sum())) for p in parts))


def review(doubts: NDArray[np.float64], wrong: NDArray[np.bool_], shares: tuple[float, ...] = SHARES) -> Review:
    """What reading the most doubtful texts finds.

    Args:
        doubts: of each text, as `calibration.doubt` gives them, shape (texts,).
        wrong: whether any theme of the text is wrong, shape (texts,).
        shares: of the texts that are read.
    """
    order = np.argsort(-doubts, kind="stable")
    found = np.concatenate([[0], np.cumsum(wrong[order])])
    read = [round(share * len(wrong)) for share in shares]
    return Review(len(wrong), int(wrong.sum()), tuple(ReviewPoint(n, int(found[n])) for n in read))


def as_facts(reliabilities: Mapping[str, Reliability], curve: Review) -> dict[str, Any]:
    """Both as a manifest keeps them: counts and means, no text."""
    return {
        "reliability": {theme: [asdict(one) for one in found.bins] for theme, found in reliabilities.items()},
        "review": {**asdict(curve), "points": [asdict(point) for point in curve.points]},
    }


def from_facts(facts: Mapping[str, Any]) -> tuple[dict[str, Reliability], Review] | None:
    """Both from a model's facts; None where an older model has none."""
    if "reliability" not in facts or "review" not in facts:
        return None
    reliabilities = {t: Reliability(tuple(Bin(**one) for one in bins)) for t, bins in facts["reliability"].items()}
    curve = facts["review"]
    return reliabilities, Review(curve["texts"], curve["wrong"], tuple(ReviewPoint(**p) for p in curve["points"]))


def consequence(curve: Review) -> str:
    """What the status `review` buys, in a sentence."""
    point = review_point(curve)
    return f"Reading the {100 * REVIEW_SHARE:.0f} % most doubtful texts (status `review`) {curve.told(point)}."


def review_point(curve: Review) -> ReviewPoint:
    """The point of a curve over `SHARES` that lies at `REVIEW_SHARE`."""
    return curve.points[SHARES.index(REVIEW_SHARE)]


def as_markdown(facts: Mapping[str, Any]) -> str:
    """The part of a model card that tells of both; empty where the facts have none."""
    known = from_facts(facts)
    if known is None:
        return ""
    reliabilities, curve = known
    width = max((len(found.bins) for found in reliabilities.values()), default=0)
    lines = [
        "**Can the probabilities be taken at their word?** Predicted out of fold, and calibrated on the other folds. "
        f"The cases are sorted by probability into {width} groups of equally many; of each, the mean predicted > the "
        "share labelled, in %. The calibration error is their mean distance, in percentage points.",
        "",
        "| theme | error | " + " | ".join(map(str, range(1, width + 1))) + " |",
        "| --- " * (width + 2) + "|",
        *(
            f"| {t} | {100 * found.error:.1f} | " + " | ".join(_pairs(found)) + " |"
            for t, found in reliabilities.items()
        ),
        "",
        f"**What a second look finds.** Of {curve.texts:,} texts, {curve.wrong:,} have any theme wrong out of fold. "
        + consequence(curve),
        "",
        "| texts read, the most doubtful first | wrong ones found | right among the rest |",
        "| --- | --- | --- |",
    ]
    for point in curve.points:
        left = curve.texts - point.read
        cells = ((point.read, curve.texts), (point.found, curve.wrong), (left - curve.wrong + point.found, left))
        lines.append("| " + " | ".join(_percent(*cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _pairs(found: Reliability) -> list[str]:
    return [f"{100 * one.predicted:.0f}>{100 * one.observed:.0f}" for one in found.bins]


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.0%}".replace("%", " %") if whole else "-"
