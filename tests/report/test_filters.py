from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaintnlp.cli import main
from complaintnlp.errors import InputError
from complaintnlp.report import write_report
from complaintnlp.report.filters import filtered, parse_filters

Tagged = Callable[..., pd.DataFrame]
rows = st.lists(st.tuples(st.sampled_from(["N", " S", "", None]), st.sampled_from([1, 2, 3])), max_size=30)


@given(rows, st.sets(st.sampled_from(["N", "S", ""]), min_size=1), st.sets(st.sampled_from(["1", "2"]), min_size=1))
def test_filters_are_what_a_loop_would_do_and_their_counts_add_up(
    drawn: list[tuple[str | None, int]], wards: set[str], grades: set[str]
) -> None:
    table = pa.table(
        {"ward": pa.array([w for w, _ in drawn], pa.string()), "grade": pa.array([g for _, g in drawn], pa.int64())}
    )
    kept, removed = filtered(table, {"ward": sorted(wards)}, {"grade": sorted(grades)})
    expected = [(w, g) for w, g in drawn if (w or "").strip() in wards and str(g) not in grades]
    assert [(row["ward"], row["grade"]) for row in kept.to_pylist()] == expected
    assert len(expected) + sum(one.rows or 0 for one in removed) == len(drawn)


def test_what_was_removed_stands_in_every_file(tagged: Tagged, tmp_path: Path) -> None:
    frame = tagged([("care_failure",)] * 60, ward=["N"] * 40 + ["S"] * 20, kind=["test"] * 3 + ["real"] * 57)
    folder = write_report(frame, tmp_path, only={"ward": "N"}, exclude={"kind": ["test", "training"]})
    found = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert found["left_out"] == [
        "20 rows were left out by a filter: Ward is not “N”.",
        "3 rows were left out by a filter: Kind is “test” or “training”.",
    ]
    assert found["options"]["only"] == {"ward": ["N"]}
    assert found["rows"]["all"] == 60
    assert found["rows"]["by_status"]["classified"] == 37
    page = (folder / "report.html").read_text("utf-8")
    assert all(sentence in page for sentence in found["left_out"])
    assert "overall,all,cases,37," in (folder / "counts.csv").read_text("utf-8-sig")


@pytest.mark.parametrize("policy", ["nhs_hes", "under5", "opensafely"])
def test_a_small_number_removed_is_suppressed(tagged: Tagged, tmp_path: Path, policy: str) -> None:
    frame = tagged([("care_failure",)] * 60, ward=["N"] * 57 + ["S"] * 3)
    folder = write_report(frame, tmp_path, exclude={"ward": "S"}, disclosure=policy)
    left_out = json.loads((folder / "manifest.json").read_text("utf-8"))["left_out"]
    assert left_out[0] == "A number of rows too small to publish ([c]) was left out by a filter: Ward is “S”."


def test_the_command_takes_filters(tagged: Tagged, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tagged.csv"
    tagged([("care_failure",)] * 6, Trust=list("NNNSSW")).to_csv(path, index=False)
    command = ["report", str(path), "--out", str(tmp_path / "r")]
    assert main([*command, "--only", "organisation=N", "organisation=S", "--exclude", "Reference=C0"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["all", "4"]
    assert main([*command, "--only", "ward"]) == 2
    assert "--only ward: write it as COLUMN=VALUE" in capsys.readouterr().err
    assert main([*command, "--exclude", "ward=N"]) == 2
    assert "can't filter by 'ward'" in capsys.readouterr().err


def test_an_argument_without_a_column_is_refused() -> None:
    assert parse_filters(["a=b=c"], "--only") == {"a": ["b=c"]}
    with pytest.raises(InputError, match="COLUMN=VALUE"):
        parse_filters(["=N"], "--only")
