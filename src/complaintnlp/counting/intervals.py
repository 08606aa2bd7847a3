"""Intervals for shares, counts and rates."""

from __future__ import annotations

import math
from statistics import NormalDist


def wilson(successes: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """The Wilson score interval of a share.

    Source: Wilson (1927), JASA 22:209-212; the form in Newcombe (1998), Statistics in Medicine 17:857-872.

    Args:
        successes: how many of `total`, 0 or more.
        total: the denominator, 0 or more.
        confidence: coverage, between 0 and 1.

    Returns:
        Lower and upper bound, both from 0 to 1; `(nan, nan)` where `total` is 0.

    >>> low, high = wilson(130, 352)
    >>> print(f"{low:.3f} {high:.3f}")
    0.321 0.421
    """
    if not 0 <= successes <= total:
        raise ValueError(f"wilson: successes must be from 0 to total, found {successes} of {total}")
    if total == 0:
        return math.nan, math.nan
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / total
    centre = share + z * z / (2 * total)
    margin = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    # At 0 and 1 the bound is exact; floating point would leave 1e-17.
    low = 0.0 if successes == 0 else (centre - margin) / scale
    high = 1.0 if successes == total else (centre + margin) / scale
    return low, high


def byar(count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Byar's interval of a count, taken as Poisson.

    Source: Breslow and Day (1987), Statistical Methods in Cancer Research II, p. 69; the form in the NHS
    technical guides to public health statistics.

    Args:
        count: 0 or more.
        confidence: coverage, between 0 and 1.

    Returns:
        Lower and upper bound of the expected count; divide both by the exposure for a rate.

    >>> low, high = byar(65)
    >>> print(f"{low:.2f} {high:.2f}")
    50.16 82.85
    """
    if count < 0:
        raise ValueError(f"byar: a count can't be negative, found {count}")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    more = count + 1
    low = count * (1 - 1 / (9 * count) - z / (3 * math.sqrt(count))) ** 3 if count else 0.0
    high = more * (1 - 1 / (9 * more) + z / (3 * math.sqrt(more))) ** 3
    return max(low, 0.0), high
