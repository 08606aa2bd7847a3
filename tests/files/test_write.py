from __future__ import annotations

import csv
import json
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaintnlp.errors import InputError
from complaintnlp.files import read_batches, write_batches
from complaintnlp.files.write import neutral

HOSTILE = [
    "=1+1",
    "@SUM(A1)",
    "+44 1632 960123",
    "- no reply",
    "\t=1",
    "  =1",
    "＝1",
    "fine",
    "-12.5",
    "\x01\u200b",
    "a\nb",
]


def table_of(cells: list[str]) -> pa.Table:
    return pa.table({"id": [f"{i:03d}" for i in range(len(cells))], "text": cells, "p": [0.25] * len(cells)})


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_formulas_get_an_apostrophe_unless_raw(tmp_path: Path, ending: str) -> None:
    table = table_of(HOSTILE)
    path = tmp_path / f"out.{ending}"
    write_batches(path, table.schema, table.to_batches())
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [row[1] for row in csv.reader(file, delimiter="\t" if ending == "tsv" else ",")][1:]
    assert cells == ["'" + c if c in HOSTILE[:7] else c for c in HOSTILE]
    write_batches(path, table.schema, table.to_batches(), raw=True)
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert [row[1] for row in csv.reader(file, delimiter="\t" if ending == "tsv" else ",")][1:] == HOSTILE


def test_a_workbook_has_text_and_no_formula(tmp_path: Path) -> None:
    cells = [*HOSTILE, "x" * 40_000, "https://example.org", "007"]
    table = table_of(cells)
    path = tmp_path / "out.xlsx"
    write_batches(path, table.schema, table.to_batches())
    rows = list(openpyxl.load_workbook(path).active.iter_rows())
    assert len(rows) == len(cells) + 1
    assert all(cell.data_type in "sn" for row in rows for cell in row)
    assert [row[0].value for row in rows[1:3]] == ["000", "001"]
    assert rows[1][1].value == "=1+1"
    assert rows[1][1].data_type == "s"
    assert len(rows[12][1].value) == 32_767
    assert rows[1][2].value == 0.25


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_jsonl_and_parquet_keep_every_value(tmp_path: Path, ending: str) -> None:
    table = table_of(HOSTILE)
    path = tmp_path / f"out.{ending}"
    write_batches(path, table.schema, table.to_batches())
    if ending == "parquet":
        assert pq.read_table(path).equals(table)
    else:
        assert [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]] == table.to_pylist()


def test_a_run_that_breaks_off_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    table = table_of(["a"])

    def breaking() -> object:
        yield from table.to_batches()
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        write_batches(path, table.schema, breaking())  # type: ignore[arg-type]
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("name", ["out.doc", "none/out.csv", "."])
def test_where_nothing_can_be_written_is_said_early(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        write_batches(tmp_path / name, pa.schema([]), [])


@given(st.text())
def test_neutral_only_ever_adds_one_apostrophe(cell: str) -> None:
    assert neutral(cell) in (cell, "'" + cell)
    assert not neutral(cell).startswith(("=", "@", "\t", "\r"))


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30),
            st.text("ab,;\"\n'=", max_size=9),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_csv_that_we_write_raw_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("round") / "x.csv"
    table = pa.table({"text": [row[0] for row in rows], "other": [row[1] for row in rows], "n": ["1"] * len(rows)})
    write_batches(path, table.schema, table.to_batches(), raw=True)
    schema, batches = read_batches(path, lambda *_: None)
    assert pa.Table.from_batches(batches, schema).to_pylist() == table.to_pylist()
