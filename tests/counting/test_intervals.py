from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaintnlp.counting.intervals import byar, wilson


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    # Newcombe (1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_published_values(successes: int, total: int, low: float, high: float) -> None:
    assert wilson(successes, total) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_share_lies_inside_and_wider_confidence_is_wider(case: tuple[int, int]) -> None:
    low, high = wilson(*case)
    wide_low, wide_high = wilson(*case, confidence=0.998)
    share = case[0] / case[1]
    assert 0 <= wide_low <= low <= share <= high <= wide_high <= 1


def test_nothing_out_of_nothing_and_nonsense() -> None:
    assert all(math.isnan(bound) for bound in wilson(0, 0))
    with pytest.raises(ValueError, match="from 0 to total"):
        wilson(3, 2)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    # Byar's bounds worked by hand, beside the exact Poisson ones: 4.795 to 18.390, 81.364 to 121.627.
    [(10, 4.785, 18.392), (100, 81.36, 121.63), (0, 0.0, 3.65)],
)
def test_byar_is_near_the_exact_poisson_interval(count: int, low: float, high: float) -> None:
    assert byar(count) == pytest.approx((low, high), abs=0.02)


@given(st.integers(0, 2000))
def test_byar_holds_the_count_and_widens(count: int) -> None:
    low, high = byar(count)
    wide_low, wide_high = byar(count, 0.998)
    assert 0 <= wide_low <= low <= count < high < wide_high


def test_no_negative_count() -> None:
    with pytest.raises(ValueError, match="negative"):
        byar(-1)
