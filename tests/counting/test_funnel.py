from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import complaintnlp as cn
from complaintnlp.counting import funnel
from complaintnlp.counting.funnel import dispersion
from complaintnlp.errors import InputError


def tagged(groups: dict[str, tuple[int, int]]) -> pd.DataFrame:
    rows = [(name, "a" if n < top else "") for name, (top, size) in groups.items() for n in range(size)]
    frame = pd.DataFrame(rows, columns=["organisation", "themes"])
    return frame.assign(p_a=0.5, status="classified")


def of_theme(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["theme"] == "a"].set_index("organisation")


def shares(groups: dict[str, tuple[int, int]]) -> pd.DataFrame:
    return of_theme(funnel(cn.count_themes(tagged(groups), by="organisation")))


def test_limits_worked_by_hand() -> None:
    # Target .2, standard error sqrt(.2 x .8 / 100) = .04, z of -.5, 0 and .5: no more than chance.
    table = of_theme(
        funnel(cn.count_themes(tagged({"X": (18, 100), "Y": (20, 100), "Z": (22, 100)}), by="organisation"))
    )
    assert table["target"].tolist() == pytest.approx([0.2] * 3)
    assert (table["dispersion"] == 1).all()
    assert table[["low", "high"]].to_numpy() == pytest.approx(np.array([[0.1216, 0.2784]] * 3), abs=1e-4)
    assert table[["low_998", "high_998"]].to_numpy() == pytest.approx(np.array([[0.0764, 0.3236]] * 3), abs=1e-4)
    assert (table["signal"] == "").all()


def test_over_dispersion_worked_by_hand() -> None:
    # z of -2.5, 0 and 2.5: dispersion (6.25 + 0 + 6.25) / 3, limits wider by its root.
    table = of_theme(
        funnel(cn.count_themes(tagged({"X": (10, 100), "Y": (20, 100), "Z": (30, 100)}), by="organisation"))
    )
    assert table["dispersion"].tolist() == pytest.approx([12.5 / 3] * 3)
    assert table.loc["Z", "high"] == pytest.approx(0.2 + 1.95996 * (12.5 / 3) ** 0.5 * 0.04)
    assert (table["signal"] == "").all()


def test_the_odd_one_out_is_found_and_does_not_widen_the_funnel() -> None:
    groups = {f"G{n}": (19 + n % 3, 100) for n in range(20)} | {"Odd": (45, 100)}
    table = of_theme(funnel(cn.count_themes(tagged(groups), by="organisation")))
    assert table.loc["Odd", "signal"] == "above 99.8 %"
    assert (table["dispersion"] == 1).all()
    assert set(table["signal"]) == {"", "above 99.8 %"}


def test_winsorising_draws_in_a_tenth_at_each_end() -> None:
    z = np.array([-9.0, -1, -1, 0, 0, 0, 0, 2, 2, 9])
    assert dispersion(z) == pytest.approx((3 * 1 + 3 * 4) / 10)


def test_rates_have_poisson_limits() -> None:
    days = {"X": 1000, "Y": 4000}
    counts = cn.count_themes(tagged({"X": (10, 20), "Y": (40, 60)}), by="organisation", exposure=days)
    table = of_theme(funnel(counts, "rate"))
    assert table["target"].tolist() == pytest.approx([10, 10])
    # 10 per 1,000: the standard error at 1,000 days is sqrt(.01 / 1000) x 1000.
    assert table.loc["X", "high"] == pytest.approx(10 + 1.95996 * 10**0.5)
    assert table.loc["Y", "high"] == pytest.approx(10 + 1.95996 * 2.5**0.5)


def test_suppressed_groups_are_left_out_and_nonsense_is_refused() -> None:
    counts = cn.count_themes(tagged({"X": (3, 100), "Y": (20, 100)}), by="organisation", disclosure="nhs_hes")
    assert of_theme(funnel(counts)).index.tolist() == ["Y"]
    for table, measure in ((counts, "cases"), (counts, "rate"), (cn.count_themes(tagged({"X": (3, 9)})), "share")):
        with pytest.raises(InputError, match="no funnel"):
            funnel(table, measure)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=12))
def test_order_of_groups_does_not_matter_and_limits_hold_the_target(parts: list[tuple[int, int]]) -> None:
    groups = {f"G{n}": (top, top + rest) for n, (top, rest) in enumerate(parts)}
    if not any(size for _, size in groups.values()):
        return
    counts = cn.count_themes(tagged(groups), by="organisation")
    table, turned = funnel(counts), funnel(counts.iloc[::-1])
    keys = ["organisation", "theme"]
    pd.testing.assert_frame_equal(
        table.sort_values(keys, ignore_index=True), turned.sort_values(keys, ignore_index=True)
    )
    assert (table["low_998"] <= table["low"]).all()
    assert (table["low"] <= table["target"]).all()
    assert (table["target"] <= table["high"]).all()
    assert (table["high"] <= table["high_998"]).all()
