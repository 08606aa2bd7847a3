from __future__ import annotations

import pytest
from sklearn.metrics import cohen_kappa_score

from measure_agreement import ac1, kappa


def test_published_example() -> None:
    # The paradox that AC1 was made for (Gwet 2002): 118 agreed on yes, none on no, 5 and 2 split.
    one = [True] * 118 + [True] * 5 + [False] * 2
    other = [True] * 118 + [False] * 5 + [True] * 2
    assert kappa(one, other) == pytest.approx(-0.0234, abs=5e-4)
    assert ac1(one, other) == pytest.approx(0.9408, abs=5e-4)


def test_kappa_is_scikit_learn_s() -> None:
    one, other = [True, False, True, True, False, False], [True, False, False, True, True, False]
    assert kappa(one, other) == pytest.approx(cohen_kappa_score(one, other))


def test_full_agreement() -> None:
    assert kappa([True, True], [True, True]) == 1
    assert ac1([True, False], [True, False]) == 1
