from __future__ import annotations

import datetime
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from complaintnlp.errors import InputError
from complaintnlp.files import first_row, read, read_batches

Write = Callable[[str, "str | bytes"], Path]
Problems = list[tuple[int, str, str]]


def read_all(path: Path) -> tuple[pa.Table, Problems]:
    problems: Problems = []
    schema, batches = read_batches(path, lambda *problem: problems.append(problem))
    return pa.Table.from_batches(batches, schema), problems


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("export.doc", b"x", "ending '.doc' is not one of"),
        ("export.csv", b"", "empty"),
        ("export.csv", b"\n\n  \n", "no header row"),
        ("export.csv", b"PK\x03\x04rest", "a workbook or another zip file"),
        ("export.csv", b"%PDF-1.7", "a PDF"),
        ("export.csv", b"text\n\x00\x01\x02\x00abc", "zero bytes"),
        ("export.xlsx", b"id,text\n1,a\n", "not an Excel workbook"),
        ("export.parquet", b"id,text\n1,a\n", "not a parquet file"),
        ("export.json", b"{'a'", "not JSON"),
        ("export.jsonl", b"nonsense that a patient wrote\n", None),
    ],
)
def test_what_can_not_be_read_is_said_in_one_line(write: Write, name: str, content: bytes, says: str | None) -> None:
    path = write(name, content)
    if says is None:
        with pytest.raises(InputError) as caught:
            read_all(path)
        assert "nonsense" not in str(caught.value)
        return
    with pytest.raises(InputError, match=says) as caught:
        read_all(path)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_no_file_and_a_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_all(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a directory"):
        read_all(tmp_path)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "UNPACKED_LIMIT", 50_000_000)
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 60_000_000)
    assert path.stat().st_size < 200_000
    with pytest.raises(InputError, match=r"would unpack to 0\.1 GB"):
        read_all(path)


def test_broken_workbook(tmp_path: Path) -> None:
    path = tmp_path / "broken.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(InputError, match="can't be read as a workbook"):
        read_all(path)


def test_workbook_with_titles_above_the_table_and_typed_cells(tmp_path: Path) -> None:
    path = tmp_path / "export.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["Complaints 2016-17"])
    book.active.append([])
    book.active.append(["Ref", "Description", "Received", "Days", "Open"])
    book.active.append(["0012", "=1+1 is what he wrote", datetime.date(2017, 4, 3), 12.0, True])
    book.active.append([13, "b", datetime.datetime(2017, 4, 3, 9, 30), 1.5, None])
    # A cell typed as text that looks like a formula, as exports have them.
    book.active["B4"].data_type = "s"
    book.save(path)
    table, _ = read_all(path)
    assert first_row(table.schema) == 4
    assert table.to_pylist() == [
        {"Ref": "0012", "Description": "=1+1 is what he wrote", "Received": "2017-04-03", "Days": "12", "Open": "TRUE"},
        {"Ref": "13", "Description": "b", "Received": "2017-04-03 09:30:00", "Days": "1.5", "Open": None},
    ]


def test_ragged_rows_blank_lines_and_repeated_headers(write: Write) -> None:
    table, problems = read_all(write("x.csv", "id,text,text,\n1,a,b,c\n\n2,a\n3,a,b,c,d,e\n"))
    assert table.column_names == ["id", "text", "text (2)", "column 4"]
    assert table.to_pylist()[1] == {"id": "2", "text": "a", "text (2)": None, "column 4": None}
    assert table.to_pylist()[2]["column 4"] == "c,d,e"
    assert {row for row, _, _ in problems} == {1, 4, 5}


def test_an_open_quote_is_told(write: Write) -> None:
    _, problems = read_all(write("x.csv", 'id,text\n1,"never closed\n2,b\n'))
    assert "quote" in problems[0][2]


def test_a_million_characters_in_a_cell_are_read(write: Write) -> None:
    table, _ = read_all(write("x.csv", "id,text\n1," + "a " * 500_000 + "\n2,b\n"))
    assert table.num_rows == 2


def test_jsonl_keeps_values_exactly_and_bad_lines_as_blank_rows(write: Write) -> None:
    rows = [
        {"id": "0012", "text": "a", "n": 1, "when": "2017-04-03", "spans": [{"start": 1}]},
        {"id": "NA", "text": None, "n": 2, "new": True},
    ]
    lines = [json.dumps(row) for row in rows]
    table, problems = read_all(write("x.jsonl", "\n".join([lines[0], "{broken", "[1]", lines[1]])))
    assert table.num_rows == 4
    assert table["when"].to_pylist()[0] == "2017-04-03"
    assert table["id"].to_pylist() == ["0012", None, None, "NA"]
    assert table["n"].to_pylist() == [1, None, None, 2]
    assert [row for row, _, _ in problems] == [2, 3]


def test_jsonl_of_mixed_types_becomes_text(write: Write) -> None:
    table, problems = read_all(write("x.jsonl", '{"id": 1, "text": "a"}\n{"id": "x", "text": "b"}\n'))
    assert table["id"].to_pylist() == ["1", "x"]
    assert problems[0][1] == "id"
