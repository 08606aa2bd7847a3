"""Compare ways to correct a share for a model's error, on simulated shifts of prevalence; see docs/prevalence.md.

`python scripts/compare_prevalence.py` prints the tables of that document.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from complaintnlp.counting.prevalence import BINS, bins, estimate, histograms

PREVALENCES = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8)
TRAINING = 0.4
THRESHOLD = 0.5
Probabilities = NDArray[np.float64]
Method = Callable[[Probabilities, Probabilities, NDArray[np.bool_]], float]
"""Probabilities of the new cases; probabilities and truth of the known ones -> the share among the new."""


def raw(new: Probabilities, known: Probabilities, truth: NDArray[np.bool_]) -> float:  # noqa: ARG001
    """The share raised, as it is."""
    return float((new >= THRESHOLD).mean())


def adjusted_count(new: Probabilities, known: Probabilities, truth: NDArray[np.bool_]) -> float:
    """The share raised, less the false positives, over what the model tells apart (Gart and Buck 1966)."""
    hit, wrong = (known[truth] >= THRESHOLD).mean(), (known[~truth] >= THRESHOLD).mean()
    return float(np.clip((raw(new, known, truth) - wrong) / (hit - wrong), 0, 1))


def pacc(new: Probabilities, known: Probabilities, truth: NDArray[np.bool_]) -> float:
    """Adjusted count of mean probabilities instead of decisions (Bella et al. 2010)."""
    top, bottom = known[truth].mean(), known[~truth].mean()
    return float(np.clip((new.mean() - bottom) / (top - bottom), 0, 1))


def em(new: Probabilities, known: Probabilities, truth: NDArray[np.bool_]) -> float:  # noqa: ARG001
    """Expectation maximisation on calibrated probabilities (Saerens et al. 2002)."""
    before, share = truth.mean(), truth.mean()
    for _ in range(1000):
        up, down = share / before * new, (1 - share) / (1 - before) * (1 - new)
        share, last = (up / np.maximum(up + down, 1e-300)).mean(), share
        if abs(share - last) < 1e-5:
            break
    return float(share)


def likelihood(new: Probabilities, known: Probabilities, truth: NDArray[np.bool_]) -> float:
    """What the package does: maximum likelihood of the mixture of two histograms."""
    found = estimate(np.bincount(bins(new), minlength=BINS), *_known(known, truth))
    assert found is not None
    return found.share


METHODS: dict[str, Method] = {
    "raw": raw,
    "adjusted count": adjusted_count,
    "PACC": pacc,
    "EM": em,
    "mixture": likelihood,
}


def draw(
    random: np.random.Generator, cases: int, prevalence: float, apart: float, squeeze: float
) -> tuple[Probabilities, NDArray[np.bool_]]:
    """Cases of a model whose scores are normal in both kinds, `apart` standard deviations from each other.

    Its probabilities are right at the prevalence in training; `squeeze` below 1 draws them to the middle.
    """
    truth = random.random(cases) < prevalence
    scores = random.normal(size=cases) + np.where(truth, apart / 2, -apart / 2)
    return expit(squeeze * (apart * scores + logit(TRAINING))), truth


def errors(known: int, new: int, apart: float, squeeze: float, repeats: int) -> None:
    """Print the mean absolute error of each method at each prevalence, in percentage points."""
    print(f"\n| prevalence | {' | '.join(METHODS)} |\n|{' --- |' * (len(METHODS) + 1)}")
    totals = np.zeros(len(METHODS))
    for prevalence in PREVALENCES:
        random = np.random.default_rng(1)
        off = np.zeros(len(METHODS))
        for _ in range(repeats):
            told, truth = draw(random, known, TRAINING, apart, squeeze)
            said, _ = draw(random, new, prevalence, apart, squeeze)
            off += [abs(method(said, told, truth) - prevalence) for method in METHODS.values()]
        totals += off
        print(f"| {prevalence:.0%} | {' | '.join(f'{100 * x / repeats:.1f}' for x in off)} |")
    print(f"| mean | {' | '.join(f'{100 * x / repeats / len(PREVALENCES):.1f}' for x in totals)} |")


def coverage(apart: float, repeats: int) -> None:
    """Print how often the 95 % interval holds the prevalence, for sizes of group and of known cases."""
    print(f"\n| known | group | {' | '.join(f'{p:.0%}' for p in PREVALENCES)} | mean |")
    print(f"|{' --- |' * (len(PREVALENCES) + 3)}")
    for known, new in ((400, 50), (400, 500), (1000, 50), (1000, 200), (1000, 2000), (3000, 200)):
        shares: list[float] = []
        for prevalence in PREVALENCES:
            random = np.random.default_rng(2)
            held = 0
            for _ in range(repeats):
                told, truth = draw(random, known, TRAINING, apart, 1)
                said, _ = draw(random, new, prevalence, apart, 1)
                found = estimate(np.bincount(bins(said), minlength=BINS), *_known(told, truth))
                assert found is not None
                held += found.low <= prevalence <= found.high
            shares.append(held / repeats)
        print(
            f"| {known} | {new} | {' | '.join(f'{100 * x:.1f}' for x in (*shares, float(np.mean(shares))))} |",
            flush=True,
        )


def _known(known: Probabilities, truth: NDArray[np.bool_]) -> tuple[Probabilities, Probabilities]:
    held = histograms(truth, known)
    return np.array(held["positives"], float), np.array(held["negatives"], float)


def main() -> int:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=1000, help="simulations of each cell (default: 1000)")
    repeats = parser.parse_args().repeats
    for title, squeeze in (("Calibrated", 1.0), ("Probabilities drawn to the middle", 0.5)):
        print(f"\n{title}: mean absolute error in percentage points, groups of 300, 1,000 known cases")
        errors(1000, 300, 1.8, squeeze, repeats)
    print("\nOf 100 intervals of 95 %, those that hold the truth")
    coverage(1.8, repeats)
    return 0


if __name__ == "__main__":
    sys.exit(main())
