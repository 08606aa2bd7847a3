from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import complaintnlp as cn
from complaintnlp.counting import Crosswalk, read_crosswalk
from complaintnlp.errors import InputError

TAXONOMY = cn.Taxonomy.default()


def tagged(rows: list[tuple[str, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["themes", "subthemes"]).assign(status="classified")
    return frame.assign(**{f"p_{theme}": 0.5 for theme in TAXONOMY.ids})


def counts(rows: list[tuple[str, str]], crosswalk: str | Crosswalk) -> Any:
    return cn.count_themes(tagged(rows), crosswalk=crosswalk).set_index(["theme", "measure"])["count"]


@pytest.mark.parametrize("name", ["ko41a", "hcat"])
def test_every_subtheme_of_the_taxonomy_has_a_category(name: str) -> None:
    crosswalk = read_crosswalk()[name]
    assert set(crosswalk.subthemes) == set(TAXONOMY.subtheme_ids)


def test_the_lists_are_whole() -> None:
    found = {name: len(one.categories) for name, one in read_crosswalk().items()}
    assert found == {"ko41a": 21, "hcat": 7 + 1}


def test_a_case_counts_once_in_each_subject() -> None:
    rows = [
        ("care_failure; communication", "risk_and_safety; nursing_and_personal_care; listening"),
        ("communication", "listening; contacting_the_service"),
        ("care_failure", ""),
        ("", ""),
    ]
    found = counts(rows, "ko41a")
    assert found["patient_care", "cases"] == 1
    assert found["communications", "cases"] == 2
    assert found["other", "cases"] == 1
    assert found["none", "cases"] == 1
    assert found["all", "mentions"] == 4
    assert found["mortuary", "cases"] == 0
    assert counts(rows, "hcat")["unassigned", "cases"] == 1


rows = st.lists(
    st.tuples(st.sampled_from(["", "care_failure"]), st.sets(st.sampled_from(TAXONOMY.subtheme_ids), max_size=4)),
    min_size=1,
    max_size=20,
)


@given(rows, st.sampled_from(["ko41a", "hcat"]))
def test_agrees_with_a_slow_obvious_count(drawn: list[tuple[str, set[str]]], name: str) -> None:
    crosswalk = read_crosswalk()[name]
    found = counts([(themes, "; ".join(sorted(subthemes))) for themes, subthemes in drawn], name)
    for category in crosswalk.categories:
        expected = 0
        for themes, subthemes in drawn:
            led = {crosswalk.subthemes[subtheme] for subtheme in subthemes}
            expected += category in led or (category == crosswalk.unassigned and bool(themes) and not led)
        assert found[category, "cases"] == expected


def test_a_crosswalk_of_one_s_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[board]\nunassigned = "rest"\n[board.categories]\nkey = "Key"\nrest = "Rest"\n'
        '[board.subthemes]\nmedication = "key"\n'
    )
    found = counts([("care_failure", "medication"), ("care_failure", "listening")], read_crosswalk(path)["board"])
    assert (found["key", "cases"], found["rest", "cases"]) == (1, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a", "not a crosswalk"),
        ("[a]\nunassigned = 'x'", "not a crosswalk"),
        ("[a]\nunassigned = 'x'\n[a.categories]\ny = 'Y'\n[a.subthemes]", "'x' is not among its categories"),
    ],
)
def test_a_bad_file_is_told(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_crosswalk(path)


def test_what_can_not_be_crossed_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ko41a, hcat"):
        cn.count_themes(tagged([("", "")]), crosswalk="icd")
    with pytest.raises(InputError, match="cases have none"):
        cn.count_themes(tagged([("", "")]).drop(columns="subthemes"), crosswalk="hcat")
    with pytest.raises(InputError, match="no such crosswalk"):
        read_crosswalk(tmp_path / "none.toml")
    with pytest.raises(InputError, match="leave error or crosswalk out"):
        cn.count_themes(tagged([("", "")]), crosswalk="hcat", error={"out_of_fold": {}})
