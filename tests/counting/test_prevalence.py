from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import quapy
from hypothesis import given
from hypothesis import strategies as st
from quapy.method.aggregative import EMQ

import complaintnlp as cn
from compare_prevalence import draw
from complaintnlp.counting.prevalence import (
    BINS,
    MIN_CASES,
    MIN_KNOWN,
    Errors,
    bins,
    errors_of,
    estimate,
    histograms,
    shipped_errors,
)
from complaintnlp.errors import InputError
from complaintnlp.model import Model

FACTS = {
    "out_of_fold": {
        "a": {"true_positives": 700, "false_negatives": 300, "false_positives": 80, "true_negatives": 920},
    }
}


def tagged(raising: int, others: int) -> pd.DataFrame:
    rows = raising + others
    return pd.DataFrame(
        {
            "themes": ["a"] * raising + [""] * others,
            "p_a": [0.9] * raising + [0.1] * others,
            "status": ["classified"] * rows,
            "model": ["m 1"] * rows,
        }
    )


@given(st.integers(0, 2000), st.integers(55, 95), st.integers(5, 45))
def test_two_bins_are_the_adjusted_count_of_quapy(raised: int, sensitivity: int, false: int) -> None:
    many = 100_000  # so many known cases that the prior is nothing
    positives, negatives = (np.array([100 - x, x]) / 100 * many for x in (sensitivity, false))
    found = estimate(np.array([2000 - raised, raised]), positives, negatives)
    reference = quapy.functional.solve_adjustment_binary(
        np.array([1 - raised / 2000, raised / 2000]), sensitivity / 100, false / 100
    )
    assert found is not None
    assert found.share == pytest.approx(reference[1], abs=0.01)


@pytest.mark.parametrize("prevalence", [0.02, 0.1, 0.5, 0.8])
def test_bins_are_the_em_of_quapy(prevalence: float) -> None:
    """With the distributions known, the likeliest mixture is what EM finds from the posteriors that they make."""
    random = np.random.default_rng(3)
    known, truth = draw(random, 2_000_000, 0.4, 1.8, 1)
    new, _ = draw(random, 1000, prevalence, 1.8, 1)
    positives, negatives = (np.array(held, float) for held in histograms(truth, known).values())
    posterior = (positives / (positives + negatives))[bins(new)]
    reference, _ = EMQ.EM(np.array([1 - truth.mean(), truth.mean()]), np.stack([1 - posterior, posterior], 1), 1e-9)
    found = estimate(np.bincount(bins(new), minlength=BINS), positives, negatives)
    assert found is not None
    assert found.share == pytest.approx(reference[1], abs=0.002)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    # More sizes and shares, and 1,000 simulations each: docs/prevalence.md.
    random = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        known, truth = draw(random, 600, 0.4, 1.8, 1)
        new, _ = draw(random, 200, 0.15, 1.8, 1)
        histogram = histograms(truth, known)
        found = estimate(
            np.bincount(bins(new), minlength=BINS),
            np.array(histogram["positives"], float),
            np.array(histogram["negatives"], float),
        )
        assert found is not None
        held += found.low <= 0.15 <= found.high
    assert 0.92 <= held / 300 <= 0.98


counts = st.lists(st.integers(0, 200), min_size=BINS, max_size=BINS).map(lambda c: np.array(c, float))


@given(counts, counts, counts)
def test_intervals_are_nested_and_kinds_can_be_swapped(new: Any, positives: Any, negatives: Any) -> None:
    found, swapped = estimate(new, positives, negatives), estimate(new, negatives, positives)
    if new.sum() < MIN_CASES or min(positives.sum(), negatives.sum()) < MIN_KNOWN:
        assert found is None
        return
    assert found is not None
    assert swapped is not None
    assert 0 <= found.low_998 <= found.low <= found.share <= found.high <= found.high_998 <= 1
    assert (found.low, found.high) == pytest.approx((1 - swapped.high, 1 - swapped.low), abs=0.02)


def test_more_known_cases_narrow_the_interval() -> None:
    new, positives, negatives = np.array([700, 300]), np.array([60, 140]), np.array([180, 20])
    some, many = (estimate(new, positives * k, negatives * k) for k in (1, 10))
    assert some is not None
    assert many is not None
    assert many.high - many.low < some.high - some.low


def test_what_a_training_keeps_is_enough(toy: Model) -> None:
    for theme, errors in errors_of(toy.facts).items():
        counts = toy.facts["out_of_fold"][theme]
        assert len(errors.positives) == len(errors.negatives) == BINS
        assert sum(errors.positives) == counts["true_positives"] + counts["false_negatives"]
        assert sum(errors.negatives) == counts["false_positives"] + counts["true_negatives"]


def test_an_older_manifest_gives_two_bins_and_none_is_said() -> None:
    assert errors_of(FACTS) == {"a": Errors((300, 700), (920, 80), (700, 80))}
    broken: list[dict[str, Any]] = [{}, {"out_of_fold": {"a": {}}}, {"out_of_fold": None}]
    for facts in broken:
        with pytest.raises(InputError, match="no errors out of fold"):
            errors_of(facts)


def test_a_raw_share_is_corrected() -> None:
    """Domain fact: with sensitivity .70 and false-positive rate .08, a true 5 % reads as 11.1 %."""
    table = cn.count_themes(tagged(111, 889), error=FACTS).set_index(["theme", "measure"])
    assert table.loc[("a", "share"), "value"] == 0.111
    assert table.loc[("a", "estimated_share"), "value"] == pytest.approx(0.05, abs=0.001)
    assert table.loc[("a", "estimated_share"), "denominator"] == 1000
    assert ("all", "estimated_share") not in table.index


def test_a_small_group_has_a_symbol() -> None:
    table = cn.count_themes(tagged(10, MIN_CASES - 11), error=FACTS).set_index(["theme", "measure"])
    row = table.xs(("a", "estimated_share"))
    assert row["symbol"] == "[u]"
    assert np.isnan(row["value"])


@pytest.mark.parametrize("name", ["nhs_hes", "under5", "opensafely"])
def test_under_a_policy_estimates_come_from_what_is_shown(name: str) -> None:
    first, second = tagged(101, 201), tagged(101, 201)
    second["p_a"] = 0.4
    tables = [cn.count_themes(frame, error=FACTS, disclosure=name) for frame in (first, second, tagged(3, 299))]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    hidden = tables[2].set_index(["theme", "measure"])
    assert hidden.loc[("a", "estimated_share"), "symbol"] == "[c]"


def test_the_errors_must_be_those_of_the_model_that_tagged(toy: Model, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tagged by m 1, and the errors given are those of toy 9"):
        cn.count_themes(tagged(1, 1), error=toy)
    with pytest.raises(InputError, match="tagged by m 1"):
        cn.write_report(tagged(1, 1), tmp_path / "r", model=toy)
    assert shipped_errors(["m 1"]) is None


def test_a_report_corrects_for_the_shipped_model_by_itself(shipped: Model, tmp_path: Path) -> None:
    ids = shipped.taxonomy.ids
    frame = pd.DataFrame({"themes": [ids[1]] * 40 + [""] * 40, **{f"p_{i}": [0.2] * 80 for i in ids}})
    frame = frame.assign(evidence="", status="classified", model=f"{shipped.name} {shipped.version}")
    folders = [cn.write_report(frame, tmp_path / str(n), model=model) for n, model in enumerate((None, shipped))]
    texts = [(folder / "counts.csv").read_text("utf-8-sig") for folder in folders]
    assert texts[0] == texts[1]
    assert texts[0].count("overall,") > texts[0].count("estimated_share") == len(ids)
    assert "Estimated shares" in (folders[0] / "report.html").read_text("utf-8")
