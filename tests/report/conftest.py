"""Invented tagged cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pandas as pd
import pytest

THEMES = ("investigation_quality", "care_failure", "communication")
Tagged = Callable[..., pd.DataFrame]


def make_tagged(themes: Iterable[Sequence[str]], ids: Sequence[str] = THEMES, **columns: Sequence[Any]) -> pd.DataFrame:
    raised = [tuple(row) for row in themes]
    frame = pd.DataFrame(
        {
            "Reference": [f"C{n}" for n in range(len(raised))],
            "themes": ["; ".join(row) for row in raised],
            **{f"p_{theme}": [0.9 if theme in row else 0.1 for row in raised] for theme in ids},
            "evidence": ["a sentence that must not be printed"] * len(raised),
            "status": ["classified" if row else "no_theme" for row in raised],
            "model": ["default 1.0"] * len(raised),
        }
    )
    for name, values in columns.items():
        frame[name] = pd.Series(list(values), dtype=object)
    return frame


@pytest.fixture
def tagged() -> Tagged:
    """A maker of tagged cases: one tuple of themes a case, and further columns by name."""
    return make_tagged


@pytest.fixture
def cases() -> pd.DataFrame:
    """120 cases of two organisations over three years, with outcomes."""
    patterns = [("care_failure",), ("care_failure", "communication"), (), ("investigation_quality",), THEMES]
    outcomes = ["Upheld", "Partially upheld", "Not upheld", "Open", "", "Sent to PALS"]
    return make_tagged(
        [patterns[n % 5] for n in range(120)],
        Trust=["North" if n % 3 else "South" for n in range(120)],
        Received=[f"{1 + n % 28:02d}/06/{2016 + n % 3}" for n in range(120)],
        Outcome=[outcomes[n % 6] for n in range(120)],
    )
