from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from complaintnlp.counting.exposure import exposures
from complaintnlp.errors import InputError


def test_every_shape_gives_the_same_groups() -> None:
    frame = pd.DataFrame({"year": ["a", "b"], "days": [10, 20], "site": ["X", "Y"]})
    assert exposures(frame, ["site", "year"]) == {("X", "a"): 10, ("Y", "b"): 20}
    assert exposures({("X", "a"): 10.0, ("Y", "b"): 20}, ["site", "year"]) == {("X", "a"): 10, ("Y", "b"): 20}  # type: ignore[dict-item]
    assert exposures({"X": 10}, ["site"]) == {("X",): 10}
    assert exposures(10, []) == {(): 10}


@pytest.mark.parametrize(
    ("exposure", "message"),
    [
        (10, "a group of 0 values where by names 1"),
        ({("X", "a"): 1}, "a group of 2 values"),
        ({"X": 1, ("X",): 2}, "there twice"),
        ({"X": -1}, "0 or more"),
        ({"X": 1.5}, "whole number"),
        ({"X": None}, "whole number"),
        (pd.DataFrame({"site": ["X"], "days": ["many"]}), "one of numbers"),
        (pd.DataFrame({"site": ["X"], "days": [1], "beds": [1]}), "found 'site', 'days', 'beds'"),
        (pd.DataFrame({"ward": ["X"], "days": [1]}), "found 'ward', 'days'"),
    ],
)
def test_what_does_not_fit_is_said(exposure: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        exposures(exposure, ["site"])
