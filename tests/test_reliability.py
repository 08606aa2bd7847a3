from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaintnlp.counting.intervals import wilson
from complaintnlp.model import Model
from complaintnlp.model.calibration import REVIEW_SHARE
from complaintnlp.reliability import (
    BINS,
    SHARES,
    Review,
    ReviewPoint,
    as_facts,
    as_markdown,
    consequence,
    from_facts,
    reliability,
    review,
    review_point,
)
from complaintnlp.training import card

ROWS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), max_size=60)


@given(ROWS)
def test_bins_are_of_equally_many_cases_in_order(rows: list[tuple[float, int]]) -> None:
    probability, labels = np.array([r[0] for r in rows]), np.array([r[1] for r in rows], dtype=np.int8)
    found = reliability(probability, labels)
    assert len(found.bins) == min(BINS, len(rows))
    assert sum(one.cases for one in found.bins) == len(rows)
    assert sum(one.labelled for one in found.bins) == labels.sum()
    sizes = [one.cases for one in found.bins] or [0]
    assert max(sizes) - min(sizes) <= 1
    means = [one.predicted for one in found.bins]
    assert means == pytest.approx(sorted(means))
    assert 0 <= found.error <= 1
    for one in found.bins:
        assert one.interval == wilson(one.labelled, one.cases)


def test_the_calibration_error_is_the_mean_distance() -> None:
    found = reliability(np.array([0.1, 0.3, 0.8, 0.8]), np.array([0, 1, 1, 1], dtype=np.int8), bins=2)
    assert [(one.predicted, one.observed) for one in found.bins] == [(pytest.approx(0.2), 0.5), (0.8, 1.0)]
    assert found.error == pytest.approx((0.3 + 0.2) / 2)
    assert str(found) == "20>50 80>100"


def test_what_comes_true_as_often_as_predicted_has_a_small_error() -> None:
    random = np.random.default_rng(0)
    probability = random.random(20_000)
    labels = (random.random(20_000) < probability).astype(np.int8)
    assert reliability(probability, labels).error < 0.01
    assert reliability(probability**3, labels).error > 0.2


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_the_curve_counts_the_wrong_among_the_most_doubtful(rows: list[tuple[float, bool]]) -> None:
    curve = review(np.array([r[0] for r in rows]), np.array([r[1] for r in rows]))
    ranked = sorted(rows, key=lambda row: -row[0])
    assert curve.wrong == sum(wrong for _, wrong in rows)
    for share, point in zip(SHARES, curve.points, strict=True):
        assert point.read == round(share * len(rows))
        assert point.found == sum(wrong for _, wrong in ranked[: point.read])


def test_the_consequence_in_words() -> None:
    curve = review(np.linspace(1, 0, 100), np.arange(100) % 5 == 0)
    assert review_point(curve) == ReviewPoint(round(100 * REVIEW_SHARE), 3)
    assert consequence(curve) == (
        "Reading the 15 % most doubtful texts (status `review`) finds 15 % (5-36 %) of the wrong ones; of the others "
        "80 % are wholly right."
    )
    assert "none is wrong" in Review(9, 0, ()).told(ReviewPoint(2, 0))
    assert Review(9, 3, ()).told(ReviewPoint(9, 3)).endswith("of the wrong ones")


def test_a_manifest_keeps_it_and_a_card_tells_it(toy: Model) -> None:
    known = from_facts(json.loads(json.dumps(toy.facts, allow_nan=False)))
    assert known is not None
    reliabilities, curve = known
    assert tuple(reliabilities) == toy.taxonomy.ids
    assert as_facts(reliabilities, curve) == {key: toy.facts[key] for key in ("reliability", "review")}
    assert curve.texts == toy.facts["training"]["cases"]
    text = card(toy)
    assert consequence(curve) in text
    rows = [line for line in text.splitlines() if line.startswith("| communication |")]
    assert rows[1].count(">") == BINS
    assert as_markdown(toy.facts) in text
    assert as_markdown({}) == ""
