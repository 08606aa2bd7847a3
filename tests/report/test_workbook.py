from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from complaintnlp.report import write_report

Tagged = Callable[..., pd.DataFrame]

HOSTILE = [
    '=HYPERLINK("x","y")',
    "+1+1",
    "@SUM(A1)",
    "<script>alert(1)</script>",
    "tab\there",
    "control \x00\x07\x1b characters",
    "n" * 300,
    "Notes",
    "History",
    "[Table]:1*?/\\'",
    "https://example.org/",
]


def sheets(folder: Path) -> dict[str, Any]:
    book = openpyxl.load_workbook(folder / "report.xlsx")
    return {sheet.title: sheet for sheet in book.worksheets}


def cells(found: dict[str, Any]) -> Iterator[Any]:
    for sheet in found.values():
        for row in sheet.iter_rows():
            yield from row


def test_front_sheets_then_one_marked_table_a_sheet(cases: pd.DataFrame, tmp_path: Path) -> None:
    found = sheets(write_report(cases, tmp_path, by=["organisation"]))
    assert list(found) == ["Cover", "Contents", "Notes", *(f"Table_{n}" for n in range(1, 8))]
    for name, sheet in found.items():
        assert not sheet.merged_cells.ranges
        assert len(sheet.tables) == (name != "Cover")
        if name.startswith("Table_"):
            (table,) = sheet.tables.values()
            top = sheet[table.ref][0]
            assert [cell.value for cell in top] == table.column_names
            assert sheet.freeze_panes == f"B{top[0].row + 1}"


def test_contents_link_to_every_sheet(cases: pd.DataFrame, tmp_path: Path) -> None:
    found = sheets(write_report(cases, tmp_path))
    links = [row[0].hyperlink.location for row in found["Contents"].iter_rows(min_row=4)]
    assert links == [f"'{name}'!A1" for name in list(found)[2:]]


def test_shares_are_numbers_shown_as_per_cent(cases: pd.DataFrame, tmp_path: Path) -> None:
    sheet = sheets(write_report(cases, tmp_path))["Table_1"]
    rows = {row[0].value: row for row in sheet.iter_rows(min_row=5)}
    headers = [cell.value for cell in rows["Theme"]]
    assert headers[:3] == ["Theme", "Complaints", "Share of complaints"]
    assert rows["Care failure"][1].value == 72
    assert rows["Care failure"][2].value == pytest.approx(0.6)
    assert rows["Care failure"][2].number_format == "0.0%"


def test_hostile_names_stay_text(tagged: Tagged, tmp_path: Path) -> None:
    frame = tagged([("care_failure",)] * len(HOSTILE), ward=HOSTILE, History=HOSTILE)
    frame = frame.rename(columns={"ward": "=cmd|' /C calc'!A0"})
    found = sheets(write_report(frame, tmp_path, by=["=cmd|' /C calc'!A0", "History"], title="=1+1"))
    assert all(cell.data_type != "f" for cell in cells(found))
    outside = [cell.hyperlink.target for cell in cells(found) if cell.hyperlink and cell.hyperlink.target]
    assert outside == []
    names = {row[0].value for row in found["Table_3"].iter_rows()}
    assert {'=HYPERLINK("x","y")', "tab here", "n" * 300, "control \ufffd\ufffd\ufffd characters"} <= names


def test_themes_whose_names_clash_keep_their_columns(tagged: Tagged, tmp_path: Path) -> None:
    frame = tagged([("a_b",), ("a b",), ("A_b",)], ["a_b", "a b", "A_b"], ward=["x", "y", "z"])
    sheet = sheets(write_report(frame, tmp_path, by=["ward"]))["Table_3"]
    (table,) = sheet.tables.values()
    assert len({name.casefold() for name in table.column_names}) == len(table.column_names)


def test_symbols_are_text_and_no_cell_of_a_table_is_empty(tagged: Tagged, tmp_path: Path) -> None:
    frame = tagged([("care_failure",)] * 3 + [()] * 20, ward=["A"] * 3 + ["B"] * 20)
    found = sheets(write_report(frame, tmp_path, by=["ward"], disclosure="nhs_hes"))
    for name in ("Table_1", "Table_2", "Table_3"):
        (table,) = found[name].tables.values()
        values = [cell.value for row in found[name][table.ref] for cell in row]
        assert None not in values
        assert "[c]" in values


def test_no_cases_leave_a_table_that_says_so(tagged: Tagged, tmp_path: Path) -> None:
    found = sheets(write_report(tagged([], ward=[]), tmp_path, by=["ward"]))
    assert found["Table_3"]["A6"].value == "There are no complaints to count."
