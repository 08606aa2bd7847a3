from __future__ import annotations

import numpy as np
import pytest
import quapy
from quapy.method.aggregative import EMQ

from compare_prevalence import METHODS, THRESHOLD, draw


@pytest.mark.parametrize("prevalence", [0.02, 0.3, 0.8])
def test_methods_are_quapy_s(prevalence: float) -> None:
    random = np.random.default_rng(5)
    known, truth = draw(random, 3000, 0.4, 1.8, 1)
    new, _ = draw(random, 500, prevalence, 1.8, 1)
    solve = quapy.functional.solve_adjustment_binary
    hit, wrong = (known[truth] >= THRESHOLD).mean(), (known[~truth] >= THRESHOLD).mean()
    said = (new >= THRESHOLD).mean()
    expected = {
        "adjusted count": solve(np.array([1 - said, said]), hit, wrong)[1],
        "PACC": solve(np.array([1 - new.mean(), new.mean()]), known[truth].mean(), known[~truth].mean())[1],
        "EM": EMQ.EM(np.array([1 - truth.mean(), truth.mean()]), np.stack([1 - new, new], 1), 1e-7)[0][1],
    }
    found = {name: METHODS[name](new, known, truth) for name in expected}
    assert found == pytest.approx(expected, abs=0.002)
