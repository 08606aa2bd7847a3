"""An attacker who has every file of a report tries to work out the counts that it suppresses.

Written apart from the package's own protection, and stronger: he fits whole numbers to a cube of all that a case can
be (group x year x outcome x combination of themes), and looks for a suppressed count that is one number in every fit.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from complaintnlp.cases import as_table, with_roles
from complaintnlp.counting import Policy, count_themes, policy
from complaintnlp.report.shapes import FUNNEL, RARE, Report, Table
from complaintnlp.report.tables import build

THEMES = ("a", "b")
COMBINATIONS = ((), ("a",), ("b",), ("a", "b"))
OUTCOMES = ("upheld", "partly_upheld", "not_upheld", "open")
WARDS = ("N", "S", "W")
MONTHS = {"2016-05": "2016-17", "2016-09": "2016-17", "2017-06": "2017-18"}
CUBE = list(itertools.product(WARDS, MONTHS, OUTCOMES, COMBINATIONS))
"""What a case can be: ward, month, outcome, themes."""
QUANTITIES = {
    "cases": set(OUTCOMES),
    "upheld": {"upheld", "partly_upheld"},
    "resolved": {"upheld", "partly_upheld", "not_upheld"},
}
Fact = tuple[NDArray[np.float64], float, float]
"""Which atoms of the cube a figure adds up, and the least and the most that it can be."""


def invented(seed: int) -> pd.DataFrame:
    """Tagged cases in a few lumps, so that small counts, zeros and lone groups are many."""
    dice = random.Random(seed)
    lumps = [(dice.choice(CUBE), dice.choice([1, 2, 3, 6, 9, 25])) for _ in range(dice.randint(3, 14))]
    atoms = [atom for atom, size in lumps for _ in range(size)]
    return pd.DataFrame(
        {
            "ward": [ward for ward, *_ in atoms],
            "received": [f"{month}-01" for _, month, *_ in atoms],
            "outcome": [outcome for _, _, outcome, _ in atoms],
            "themes": ["; ".join(themes) for *_, themes in atoms],
            "p_a": 0.5,
            "p_b": 0.5,
            "status": "classified",
        }
    )


def places(table: Table, row: Mapping[Any, Any], quantity: str) -> NDArray[np.float64]:
    """How often each atom of the cube is in a figure."""
    inside = []
    for ward, month, outcome, themes in CUBE:
        key = {"ward": ward, "month": month, "financial_year": MONTHS[month], "outcome": outcome, "for_review": "no"}
        of_theme = {"all": 1, "none": int(not themes)}.get(row["theme"], int(row["theme"] in themes))
        if table.name == "themes_together" and row["theme"] not in ("all", "none"):
            of_theme = int(row["theme"] == "; ".join(themes))
        if quantity == "mentions":
            of_theme, quantity_holds = len(themes), True
        else:
            quantity_holds = outcome in QUANTITIES[quantity]
        inside.append(of_theme if quantity_holds and all(row[name] == key[name] for name in table.by) else 0)
    return np.array(inside, float)


def facts(table: Table, rules: Policy) -> Iterator[Fact]:
    """Everything that the shown figures of a table say."""
    half = (rules.round_to - 1) // 2 if rules.round_to > 1 else 0

    def near(shown: float) -> tuple[float, float]:
        return (0, 0) if shown == 0 else (max(shown - half, rules.suppress_to + 1), shown + half)

    for row in table.data.to_dict("records"):
        parts = {"share": ("cases", None), "upheld_rate": ("upheld", "resolved")}
        top, bottom = parts.get(str(row["measure"]), (str(row["measure"]), None))
        if row["symbol"] == "[c]":
            # No figure beside the symbol, and no interval either.
            assert all(pd.isna(row[name]) for name in ("count", "denominator", "value", "low", "high", "low_998"))
            if row["measure"] == "cases" and rules.round_to > 1:
                yield places(table, row, top), int(rules.zero_shown), rules.suppress_to
            continue
        low, high = near(row["count"])
        # A part that was rounded over its whole is shown as the whole.
        high = np.inf if row["count"] == row["denominator"] and half else high
        yield places(table, row, top), low, high
        if bottom:
            yield places(table, row, bottom), *near(row["denominator"])


def published(report: Report) -> list[Table]:
    """The tables of a report that have counts of their own."""
    return [table for table in (*report.tables, *report.unseen) if table.kind not in (FUNNEL, RARE)]


def recovered(tables: list[Table], rules: Policy) -> list[tuple[str, str, int]]:
    """The suppressed counts that can be but one number."""
    known = [fact for table in tables for fact in facts(table, rules)]
    if not known:
        return []
    matrix, low, high = (np.array(part) for part in zip(*known, strict=True))
    held = LinearConstraint(matrix, low, high)

    def extreme(target: NDArray[np.float64], sign: int) -> float:
        found = milp(sign * target, constraints=held, integrality=np.ones(len(CUBE)), bounds=Bounds(0, 1000))
        assert found.x is not None, found.message
        return float(round(sign * found.fun))

    broken = []
    for table in tables:
        for row in table.data.query("symbol == '[c]' and measure != 'share'").to_dict("records"):
            measure = str(row["measure"])
            for quantity in ("upheld", "resolved") if measure == "upheld_rate" else (measure,):
                target = places(table, row, quantity)
                least = extreme(target, 1)
                if least == extreme(target, -1):
                    broken.append((table.name, f"{row['theme']} {quantity}", int(least)))
    return broken


@pytest.mark.parametrize(
    ("by", "seed"), [*((["ward"], n) for n in range(15)), *((["ward", "financial_year"], n) for n in range(15, 20))]
)
def test_no_suppressed_count_of_a_report_can_be_worked_out(by: list[str], seed: int) -> None:
    rules = policy("under5")
    report = build(with_roles(as_table(invented(seed)), required=()), by, rules, "Title")
    assert recovered(published(report), rules) == []


@pytest.mark.parametrize("name", ["nhs_hes", "opensafely"])
@pytest.mark.parametrize("seed", range(5))
def test_no_figure_stands_beside_a_symbol(name: str, seed: int) -> None:
    """Rounding promises no more: its rules hide no count for another's sake."""
    report = build(with_roles(as_table(invented(seed)), required=()), ["ward"], policy(name), "Title")
    assert [fact for table in report.tables for fact in facts(table, policy(name))]


def test_the_attacker_is_no_weakling() -> None:
    """Without secondary suppression he finds what follows."""
    rules = Policy("naive", "", suppress_to=4, zero_shown=False)
    frames = [build(with_roles(as_table(invented(seed)), required=()), ["ward"], rules, "") for seed in range(4)]
    assert all(recovered(published(report), rules) for report in frames)


@pytest.mark.parametrize("seed", range(6))
def test_tables_asked_for_one_by_one_keep_each_other_s_secrets(seed: int) -> None:
    frame, rules = invented(seed), policy("under5")
    tables = [
        Table(name, "", "", by, count_themes(frame, by, disclosure="under5"), "groups")
        for name, by in (("overall", ()), ("ward", ("ward",)))
    ]
    assert recovered(tables, rules) == []
