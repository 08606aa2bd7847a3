from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import datasets
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import complaintnlp as cn
from complaintnlp.cases import RowProblem, as_table
from complaintnlp.classify import classify_file, tag_batch
from complaintnlp.errors import InputError
from complaintnlp.model import Model

THEMES = ["themes", "p_investigation_quality", "p_care_failure", "p_communication"]
ADDED = [*THEMES, "subthemes", "findings", "evidence", "status", "model"]
RUDE = "The receptionist was rude and shouted at me."


@given(
    st.lists(
        st.tuples(st.text(max_size=8), st.one_of(st.none(), st.text(max_size=60), st.just(RUDE))),
        min_size=1,
        max_size=8,
    )
)
@settings(deadline=None, max_examples=40)
def test_row_for_row_with_every_column_kept(toy: Model, rows: list[tuple[str, str | None]]) -> None:
    table = pa.table({"ref": [r[0] for r in rows], "Description": pa.array([r[1] for r in rows], pa.string())})
    tagged = cn.classify_cases(table, toy)
    assert isinstance(tagged, datasets.Dataset)
    assert tagged.column_names[:2] == ["ref", "Description"]
    assert tagged.column_names[-len(ADDED) :] == ADDED
    assert tagged["ref"][:] == [r[0] for r in rows]
    assert tagged["Description"][:] == [r[1] for r in rows]


def test_a_batch_is_tagged_purely(toy: Model) -> None:
    batch = pa.record_batch({"text": [RUDE, None, "Thank you, they were wonderful."], "n": [1, 2, 3]})
    tagged = tag_batch(batch, toy, "text")
    assert tagged.equals(tag_batch(batch, toy, "text"))
    rows = tagged.to_pylist()
    assert [row["n"] for row in rows] == [1, 2, 3]
    assert rows[0]["themes"] == "communication"
    assert rows[0]["findings"] == "communication: raised"
    assert rows[0]["evidence"] == RUDE
    assert rows[0]["model"] == "toy 9"
    assert rows[1]["status"] == "empty"
    assert rows[1]["p_communication"] is None
    assert rows[2]["themes"] == ""


def test_cases_of_a_selected_dataset_are_those_selected(toy: Model) -> None:
    cases = datasets.Dataset.from_dict({"text": ["Thank you.", RUDE, "Lovely."]}).select([1])
    assert cn.classify_cases(cases, toy)["themes"][:] == ["communication"]


def test_tagging_twice_is_refused(toy: Model) -> None:
    tagged = cn.classify_cases([{"text": RUDE}], toy)
    with pytest.raises(InputError, match="'themes' already"):
        cn.classify_cases(tagged, toy)


def test_several_processes_give_the_same_in_the_same_order(toy: Model, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"id": [f"{i:05d}" for i in range(1200)], "text": [f"{RUDE} {i}" if i % 3 else "Thanks." for i in range(1200)]}
    )
    frame.to_csv(tmp_path / "in.csv", index=False)
    for jobs in (1, 2):
        statuses = classify_file(tmp_path / "in.csv", tmp_path / f"out{jobs}.csv", toy, jobs=jobs)
        assert sum(statuses.values()) == 1200
    assert (tmp_path / "out1.csv").read_bytes() == (tmp_path / "out2.csv").read_bytes()
    assert as_table(tmp_path / "out1.csv")["id"].to_pylist() == frame["id"].tolist()


def test_problem_rows_are_told_by_number_and_kept(
    toy: Model, write: Callable[[str, str], Path], tmp_path: Path
) -> None:
    path = write("in.csv", "id,text\n1,fine\n2,\n3," + "long " * 30_000 + "\n4,x,y\n")
    problems: list[RowProblem] = []
    statuses = classify_file(path, tmp_path / "out.jsonl", toy, problems=problems)
    assert (statuses["empty"], statuses["too_long"], sum(statuses.values())) == (1, 1, 4)
    assert [(p.row, p.column) for p in problems] == [(5, ""), (3, "text"), (4, "text")]
    assert [row["status"] for row in as_table(tmp_path / "out.jsonl").to_pylist()][1:3] == ["empty", "too_long"]


def test_a_failure_leaves_no_file(toy: Model, write: Callable[[str, str], Path], tmp_path: Path) -> None:
    path = write("in.csv", "id,text,status\n1,fine,open\n")
    with pytest.raises(InputError, match="'status' already"):
        classify_file(path, tmp_path / "out.csv", toy)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv"]
