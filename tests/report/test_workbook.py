from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

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
            assert sheet.freeze_panes == ("B1" if len(top) > 8 else None)


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


def test_every_sheet_has_its_title_in_a1_and_no_blank_row(cases: pd.DataFrame, tmp_path: Path) -> None:
    folder = write_report(cases, tmp_path, by=["organisation"], quotes=2, title="Ours")
    for name, sheet in sheets(folder).items():
        assert sheet["A1"].font.sz == max(cell.font.sz for row in sheet.iter_rows() for cell in row)
        assert sheet["A1"].value == "Ours" or name.partition("_")[0] in ("Contents", "Notes", "Passages", "Table")
        assert all(row[0].value for row in sheet.iter_rows())
        assert not sheet.auto_filter.ref
        assert not any(table.autoFilter for table in sheet.tables.values())
        assert not any(d.hidden for d in [*sheet.column_dimensions.values(), *sheet.row_dimensions.values()])


def test_the_document_says_what_it_is(cases: pd.DataFrame, tmp_path: Path) -> None:
    properties = openpyxl.load_workbook(write_report(cases, tmp_path, title="Ours") / "report.xlsx").properties
    assert properties.title == "Ours"
    assert properties.creator.startswith("complaintnlp ")
    assert properties.subject == "Counts are exact: for internal use, not for publication."


def test_every_symbol_has_its_meaning_in_the_notes(cases: pd.DataFrame, tmp_path: Path) -> None:
    found = sheets(write_report(cases, tmp_path, by=["organisation"], disclosure="under5"))
    explained = {str(row[0].value).removeprefix("Symbol ") for row in found["Notes"].iter_rows()}
    used = {cell.value for cell in cells(found) if isinstance(cell.value, str) and re.fullmatch(r"\[\w+\]", cell.value)}
    assert "[c]" in used
    assert used <= explained


def test_a_table_too_wide_for_a_page_has_its_title_on_each(cases: pd.DataFrame, tmp_path: Path) -> None:
    found = sheets(write_report(cases.assign(**{"x & y": "A"}), tmp_path, by=["x & y"]))
    assert found["Table_2"].print_area == ""
    name, wide = next(pair for pair in found.items() if str(pair[1]["A1"].value).endswith(": Themes by x & y"))
    assert wide.print_area.startswith(f"'{name}'!$A$5:")
    assert wide.oddHeader.left.text == f"&B{name.replace('_', ' ')}: Themes by x && y"


@pytest.fixture(scope="module")
def soffice() -> str:
    """LibreOffice, which the tests do not bring along."""
    found = os.environ.get("COMPLAINTNLP_SOFFICE") or shutil.which("soffice")
    if found is None:
        pytest.skip("LibreOffice was not found: no `soffice` on the path, and COMPLAINTNLP_SOFFICE is not set")
    return found


def convert(soffice: str, book: Path, kind: str, out: Path) -> Path:
    profile = f"-env:UserInstallation={(out / 'profile').as_uri()}"
    command = [soffice, "--headless", profile, "--convert-to", kind, "--outdir", str(out), str(book)]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    return out / f"{book.stem}.{kind}"


def test_libreoffice_opens_every_sheet_and_finds_no_formula_and_no_error(
    soffice: str, cases: pd.DataFrame, tmp_path: Path
) -> None:
    names = [HOSTILE[n % len(HOSTILE)] for n in range(len(cases))]
    evidence = [name if themes else "" for name, themes in zip(names, cases["themes"], strict=True)]
    frame = cases.assign(**{"=1+1": names}, evidence=evidence)
    folder = write_report(frame, tmp_path / "report", by=["organisation", "=1+1"], title="=cmd|' /C calc'!A0", quotes=3)
    book = folder / "report.xlsx"
    with zipfile.ZipFile(convert(soffice, book, "ods", tmp_path)) as opened:
        content = ElementTree.fromstring(opened.read("content.xml"))
    table = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
    office = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
    spreadsheet = next(content.iter(f"{office}spreadsheet"))
    assert [sheet.get(f"{table}name") for sheet in spreadsheet.findall(f"{table}table")] == [*sheets(folder)]
    found = list(spreadsheet.iter(f"{table}table-cell"))
    assert len(found) > 300
    assert not any(cell.get(f"{table}formula") for cell in found)
    texts = ["".join(cell.itertext()) for cell in found]
    assert not [text for text in texts if re.match(r"#(REF|NAME|VALUE|DIV|N/A|NUM|NULL)|Err:", text)]
    assert '=HYPERLINK("x","y")' in texts
    assert convert(soffice, book, "pdf", tmp_path).read_bytes().startswith(b"%PDF")
