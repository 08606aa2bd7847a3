"""Shares of themes corrected for the model's own error.

A model that misses some themes and raises some wrongly counts wrongly, and the more so the further the share in the
cases lies from that in its training. What it said of its training cases out of fold tells how: the distribution of its
probabilities among cases that raise a theme, and among those that do not. A group of new cases is a mixture of the
two, and the share is the weight with which they mix. This rests on one assumption: that the model does as well on the
new cases that raise a theme, and on those that do not, as it did out of fold (prior probability shift).

The weight is found by maximum likelihood, with both distributions unknown too but for the cases out of fold. The
interval is that of the profile likelihood (Venzon and Moolgavkar (1988), Applied Statistics 37:87-94), so it holds the
chance in the group and the chance in the model's error rates. How it compares with adjusted count, PACC and EM is
in docs/prevalence.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.stats import chi2

from complaintnlp.errors import InputError

BINS = 10
"""Fine enough to lose nothing of note, and coarse enough to be filled by a few hundred known cases."""
MIN_CASES = 50
"""Cases in a group, below which there is no estimate."""
MIN_KNOWN = 100
"""Cases out of fold that raise the theme, and that do not, below which there is none either."""
_PRIOR = 1.0
"""Cases out of fold that stand for what none there was seen to do, spread over the bins (Perks 1947)."""
_GRID, _STEPS, _FINEST = 41, 400, 1e-4

Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Errors:
    """What a model said of cases whose theme is known, out of fold.

    Attributes:
        positives, negatives: of the cases that raise the theme, and of those that do not, how many have a
            probability in each bin; the bins are as wide as each other and cover 0 to 1.
        raised: how many of each the model raised: true positives, false positives.
    """

    positives: tuple[int, ...]
    negatives: tuple[int, ...]
    raised: tuple[int, int]

    def by_decision(self) -> tuple[Counts, Counts]:
        """Positives and negatives by what was decided: not raised, raised; shape (2,) each."""
        totals = sum(self.positives), sum(self.negatives)
        positives, negatives = ((total - some, some) for total, some in zip(totals, self.raised, strict=True))
        return np.array(positives, float), np.array(negatives, float)


@dataclass(frozen=True)
class Estimate:
    """A share from 0 to 1 with its 95 % and 99.8 % intervals."""

    share: float
    low: float
    high: float
    low_998: float
    high_998: float


def histograms(truth: NDArray[np.bool_], probability: NDArray[np.float64]) -> dict[str, list[int]]:
    """What a manifest keeps of a theme's probabilities out of fold: counts in `BINS` bins, of either kind of case.

    Args:
        truth: whether each case raises the theme, shape (cases,).
        probability: what the model said, same shape.
    """
    places = bins(probability)
    return {
        name: np.bincount(places[kind], minlength=BINS).tolist()
        for name, kind in (("positives", truth), ("negatives", ~truth))
    }


def bins(probability: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bin of each probability, from 0 to `BINS` - 1; shape as given."""
    return np.clip((np.asarray(probability) * BINS).astype(np.int64), 0, BINS - 1)


def errors_of(facts: Mapping[str, Any]) -> dict[str, Errors]:
    """The errors of each theme and subtheme, from the `facts` of a model's manifest.

    A manifest of before the histograms were kept has the decisions alone; they stand in two bins.

    Raises:
        InputError: when the facts hold no counts out of fold.
    """
    try:
        return {theme: _errors(counts) for theme, counts in facts["out_of_fold"].items()}
    except (KeyError, TypeError, AttributeError):
        raise InputError(
            "the model's manifest holds no errors out of fold, so shares can't be corrected for them; train the model "
            "anew, or leave the model out"
        ) from None


def errors_for(source: Any, tagged: Sequence[str]) -> dict[str, Errors]:
    """The errors of a model, its folder, or its manifest's `facts`.

    Args:
        source: one of these.
        tagged: the names of the models that tagged the cases, from `tagged_by`.

    Raises:
        InputError: when another model than `source` tagged cases, or `source` tells no errors.
    """
    if isinstance(source, Mapping):
        return errors_of(source)
    if isinstance(source, (str, Path)):
        from complaintnlp.model.folder import read_manifest

        manifest = read_manifest(Path(source))
        name, facts = f"{manifest['name']} {manifest['version']}", manifest.get("facts", {})
    else:
        name, facts = f"{source.name} {source.version}", source.facts
    others = [other for other in tagged if other != name]
    if others:
        raise InputError(
            f"the cases were tagged by {', '.join(others)}, and the errors given are those of {name}; "
            "give the model that tagged them, or tag them with this one"
        )
    return errors_of(facts)


def shipped_errors(tagged: Sequence[str]) -> dict[str, Errors] | None:
    """The errors of the shipped model where it tagged all cases, else None."""
    from complaintnlp.model.folder import default_folder, read_manifest

    manifest = read_manifest(default_folder())
    return errors_of(manifest["facts"]) if [*tagged] == [f"{manifest['name']} {manifest['version']}"] else None


def tagged_by(table: pa.Table) -> list[str]:
    """The names of the models that tagged the cases, sorted."""
    if "model" not in table.column_names:
        return []
    return sorted({str(name) for name in pc.unique(table["model"]).to_pylist() if name is not None and str(name)})


def estimate(counts: NDArray[Any], positives: Counts, negatives: Counts) -> Estimate | None:
    """The share of positives among new cases.

    Args:
        counts: new cases in each bin, shape (bins,).
        positives, negatives: known cases in each bin, same shape.

    Returns:
        None where there are too few cases to say: fewer than `MIN_CASES` new ones, or fewer than `MIN_KNOWN`
        of one kind known.
    """
    new = np.asarray(counts, float)
    if new.sum() < MIN_CASES or min(positives.sum(), negatives.sum()) < MIN_KNOWN:
        return None
    weights = np.linspace(0, 1, _GRID)
    deviance = _deviance(weights, new, positives, negatives)
    # A second, finer grid where the likelihood is worth a look; 99.8 % ends at 9.5.
    near = np.flatnonzero(deviance - deviance.min() < 15)
    start, stop = weights[max(near[0] - 1, 0)], weights[min(near[-1] + 1, _GRID - 1)]
    weights = np.linspace(start, stop, 2 * _GRID)
    deviance = _deviance(weights, new, positives, negatives)
    share, lowest = _vertex(weights, deviance)
    ends = [end for level in (0.95, 0.998) for end in _crossings(weights, deviance - lowest, float(chi2.ppf(level, 1)))]
    return Estimate(share, *ends)


def _errors(counts: Mapping[str, Any]) -> Errors:
    hit, wrong, missed, right = (
        int(counts[name]) for name in ("true_positives", "false_positives", "false_negatives", "true_negatives")
    )
    positives, negatives = counts.get("positives"), counts.get("negatives")
    if positives is None or negatives is None:
        return Errors((missed, hit), (right, wrong), (hit, wrong))
    return Errors(tuple(map(int, positives)), tuple(map(int, negatives)), (hit, wrong))


def _deviance(weights: Counts, new: Counts, positives: Counts, negatives: Counts) -> Counts:
    """Minus twice the log likelihood at each weight, with the likeliest distributions for it; shape (weights,)."""
    used = (new + positives + negatives) > 0
    new, positives, negatives = new[used], positives[used] + _PRIOR / used.sum(), negatives[used] + _PRIOR / used.sum()
    w = weights[:, None]
    raising = np.tile(positives / positives.sum(), (len(weights), 1))
    others = np.tile(negatives / negatives.sum(), (len(weights), 1))
    for _ in range(_STEPS):
        # EM: how many of each bin's new cases are positives, then what that says of the distributions.
        part = w * raising / np.maximum(w * raising + (1 - w) * others, 1e-300)
        before = raising
        raising = positives + new * part
        raising /= raising.sum(axis=1, keepdims=True)
        others = negatives + new * (1 - part)
        others /= others.sum(axis=1, keepdims=True)
        if np.abs(raising - before).max() < _FINEST / len(new):
            break
    mixed = np.log(np.maximum(w * raising + (1 - w) * others, 1e-300)) @ new
    return np.asarray(-2 * (mixed + np.log(raising) @ positives + np.log(others) @ negatives))


def _vertex(weights: Counts, deviance: Counts) -> tuple[float, float]:
    """The weight of least deviance, by the parabola through the lowest point of the grid and its neighbours."""
    i = int(deviance.argmin())
    if 0 < i < len(weights) - 1:
        left, middle, right = deviance[i - 1 : i + 2]
        bend = left - 2 * middle + right
        if bend > 0:
            shift = (left - right) / (2 * bend)
            return float(weights[i] + shift * (weights[1] - weights[0])), float(middle - (left - right) * shift / 4)
    return float(weights[i]), float(deviance[i])


def _crossings(weights: Counts, above: Counts, level: float) -> tuple[float, float]:
    """Where the deviance passes a level, left and right of its least; the end of the grid where it does not."""
    i = int(above.argmin())
    low = np.interp(level, above[: i + 1][::-1], weights[: i + 1][::-1])
    high = np.interp(level, above[i:], weights[i:])
    return float(low), float(high)
