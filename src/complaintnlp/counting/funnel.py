"""Tables of counts -> which organisations stand out, on a funnel plot.

Source: Spiegelhalter (2005), Funnel plots for comparing institutional performance, Statistics in Medicine
24:1185-1202.
"""

from __future__ import annotations

from collections.abc import Hashable
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from complaintnlp.counting.tagged import RESERVED
from complaintnlp.errors import InputError

WINSORISED = 0.1
"""Share of z-scores at each end that are drawn in before dispersion is estimated, so that the very organisations
that a funnel is to find do not widen it."""
_LEVELS = (("", 0.95), ("_998", 0.998))


def funnel(table: pd.DataFrame, measure: str = "share") -> pd.DataFrame:
    """Funnel limits of a measure over the groups of a table.

    Args:
        table: of `count_themes`, by organisation, say.
        measure: one with a count and a denominator: `share`, `upheld_rate`, `finding_upheld`, `rate` ...

    Returns:
        One row a (group, theme) whose figure is shown, with the columns of `by`, `theme`, `count`,
        `denominator`, `value`, `target` (all groups together), `dispersion` (1 where groups differ no more
        than by chance; else limits are widened by its square root), the limits `low`, `high`, `low_998`,
        `high_998` at the group's size, and `signal`: `above 95 %`, `below 99.8 %` and so on, or blank.

    Raises:
        InputError: when the table has no such measure.
    """
    by = [str(name) for name in table.columns if name not in RESERVED]
    part = table[(table["measure"] == measure) & table["value"].notna() & (table["denominator"] > 0)]
    if not by or not (table["measure"] == measure).any() or measure in ("cases", "mentions", "estimated_share"):
        raise InputError(
            f"no funnel of {measure!r}: count by organisation, and choose a measure with a count and a denominator"
        )
    kept = part[[*by, "theme", "count", "denominator", "value"]]
    found = [_theme(members, measure == "rate") for _, members in kept.groupby("theme", sort=False)]
    return pd.concat(found, ignore_index=True) if found else kept.reindex(columns=[*kept.columns, *_ADDED])


def dispersion(z: NDArray[np.float64]) -> float:
    """How much more z-scores vary than by chance: the mean of their squares, winsorised, and at least 1.

    Args:
        z: one a group, shape (groups,).
    """
    # As many as there are of a tenth, at each end, are drawn in to the next one.
    ranked = np.sort(z)
    cut = int(WINSORISED * len(z))
    clipped = np.clip(z, ranked[cut], ranked[len(z) - 1 - cut])
    return max(1.0, float((clipped**2).mean()))


def _theme(members: pd.DataFrame, rate: bool) -> pd.DataFrame:
    count, size = (members[name].to_numpy(float) for name in ("count", "denominator"))
    value = members["value"].to_numpy(float)
    plain = count.sum() / size.sum()
    # A rate is per so much exposure.
    scale = float(value.sum() / (count / size).sum()) if rate and count.sum() else 1.0
    variance = plain if rate else plain * (1 - plain)
    error = scale * np.sqrt(variance / size)
    target = scale * plain
    z = np.divide(value - target, error, out=np.zeros(len(value)), where=error > 0)
    spread = dispersion(z)
    added: dict[Hashable, Any] = {"target": target, "dispersion": spread}
    signal = np.full(len(value), "", dtype=object)
    for name, level in _LEVELS:
        reach = NormalDist().inv_cdf(0.5 + level / 2) * np.sqrt(spread) * error
        added |= {"low" + name: np.maximum(target - reach, 0), "high" + name: target + reach}
        if not rate:
            added["high" + name] = np.minimum(target + reach, 1)
        signal[value > target + reach] = f"above {level:.1%}".replace(".0%", "%").replace("%", " %")
        signal[value < target - reach] = f"below {level:.1%}".replace(".0%", "%").replace("%", " %")
    return members.assign(**{str(k): v for k, v in added.items()}, signal=signal)[[*members.columns, *_ADDED]]


_ADDED = ["target", "dispersion", "low", "high", "low_998", "high_998", "signal"]
