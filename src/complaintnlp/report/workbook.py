"""The report as a workbook.

Made to the Government Analysis Function's guidance on accessible spreadsheets: a cover, a contents sheet with
links, notes, then one marked table a sheet, without merged cells, and words in brackets for what is not shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from complaintnlp.report.grids import Column, grid
from complaintnlp.report.notes import SYMBOLS, left_out, method, summary
from complaintnlp.report.tables import Figure, Report, Table
from complaintnlp.report.words import short, unique

_FIXED = datetime(2000, 1, 1)  # noqa: DTZ001 - the same input must give the same bytes
_LABEL_WIDTH, _FIGURE_WIDTH, _TEXT_WIDTH = 48, 13, 100
_HEADER = 250
"""Characters in the name of a table's column: Excel allows 255."""
_TOP = 4
"""Rows above a table: title, how to read it, symbols, the way back."""


@dataclass(frozen=True)
class _Styles:
    title: Any
    heading: Any
    text: Any
    plain: Any
    header: Any
    figure_header: Any
    count: Any
    share: Any
    symbol: Any
    link: Any


def write_workbook(path: Path, report: Report) -> None:
    """Write the workbook to `path`, whatever its ending."""
    book = xlsxwriter.Workbook(str(path))
    book.set_properties({"title": report.title, "created": _FIXED})
    styles = _styles(book)
    names = [f"Table_{number}" for number, _ in enumerate(report.tables, 1)]
    # All sheets first: links name sheets, and their order is that of the tabs.
    cover, contents, notes = (book.add_worksheet(name) for name in ("Cover", "Contents", "Notes"))
    _cover(cover, styles, report)
    _contents(contents, styles, report, names)
    _notes(notes, styles, report)
    for name, table in zip(names, report.tables, strict=True):
        _table(book.add_worksheet(name), styles, name, table, report)
    book.close()


def _cover(sheet: Any, styles: _Styles, report: Report) -> None:
    sheet.set_column(0, 0, _TEXT_WIDTH)
    sheet.write_string(0, 0, short(report.title, 1000), styles.title)
    row = 1
    for sentence in [*summary(report), report.rules.description, *left_out(report)]:
        sheet.write_string(row, 0, sentence, styles.text)
        row += 1
    for target, text in (("Contents", "Go to the contents"), ("Notes", "Go to the notes on method and limits")):
        sheet.write_url(row, 0, f"internal:'{target}'!A1", styles.link, text)
        row += 1
    _page(sheet)


def _contents(sheet: Any, styles: _Styles, report: Report, names: Sequence[str]) -> None:
    rows = [("Notes", "What was left out, method and limits, symbols")]
    rows += [(name, table.title) for name, table in zip(names, report.tables, strict=True)]
    _front(sheet, styles, "Contents", "One worksheet for the notes and one for each table.")
    _listing(sheet, "contents", ("Worksheet", "What it holds"), rows, styles)
    for row, (name, _) in enumerate(rows, 3):
        sheet.write_url(row, 0, f"internal:'{name}'!A1", styles.link, name)


def _notes(sheet: Any, styles: _Styles, report: Report) -> None:
    rows = [("Left out", sentence) for sentence in left_out(report)]
    rows += method(report)
    rows += [(f"Table {n}", note) for n, table in enumerate(report.tables, 1) for note in table.notes]
    rows += [(f"Symbol {symbol}", meaning) for symbol, meaning in SYMBOLS]
    _front(sheet, styles, "Notes", "What the tables count, how, and what they leave out.")
    _listing(sheet, "notes", ("Subject", "Note"), rows, styles)


def _front(sheet: Any, styles: _Styles, title: str, text: str) -> None:
    sheet.write_string(0, 0, title, styles.title)
    sheet.write_string(1, 0, text, styles.plain)


def _listing(
    sheet: Any, name: str, headers: tuple[str, str], rows: Sequence[tuple[str, str]], styles: _Styles
) -> None:
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, _TEXT_WIDTH)
    for row, cells in enumerate(rows, 3):
        for place, cell in enumerate(cells):
            sheet.write_string(row, place, cell, styles.text)
    _mark(sheet, (2, 2 + len(rows)), name, [(header, styles.header) for header in headers])
    _page(sheet)


def _table(sheet: Any, styles: _Styles, name: str, table: Table, report: Report) -> None:
    cells = grid(table, report)
    headers = list(_headers([cells.first], cells.columns))
    title = f"Table {name.removeprefix('Table_')}: {table.title}"
    for row, text in enumerate((title, table.caption, _read_me(table))):
        sheet.write_string(row, 0, text, styles.plain if row else styles.title)
    sheet.write_url(_TOP - 1, 0, "internal:'Contents'!A1", styles.link, "Back to the contents")
    width = max([len(row.label) for row in cells.rows] + [len(cells.first) + 4, 20])
    sheet.set_column(0, 0, min(width + 2, _LABEL_WIDTH))
    sheet.set_column(1, len(headers) - 1, _FIGURE_WIDTH)
    for place, row in enumerate(cells.rows, _TOP + 1):
        sheet.write_string(place, 0, row.label, styles.text)
        spread = (_spread(column, figure) for column, figure in zip(cells.columns, row.figures, strict=True))
        for across, (value, share) in enumerate((cell for cells in spread for cell in cells), 1):
            if isinstance(value, str):
                sheet.write_string(place, across, value, styles.symbol)
            else:
                sheet.write_number(place, across, value, styles.share if share else styles.count)
    if not cells.rows:
        sheet.write_string(_TOP + 1, 0, "There are no complaints to count.", styles.text)
    last = _TOP + max(len(cells.rows), 1)
    looks = [styles.header] + [styles.figure_header] * (len(headers) - 1)
    sheet.set_row(_TOP, 15 * max(_lines(header) for header in headers[1:]) + 3)
    _mark(sheet, (_TOP, last), name, list(zip(headers, looks, strict=True)))
    sheet.freeze_panes(_TOP + 1, 1)
    # A financial year or a ward's number is a name here, not a number that was spoilt.
    sheet.ignore_errors({"number_stored_as_text": f"A1:A{last + 1}"})
    sheet.repeat_rows(_TOP)
    _page(sheet)


def _headers(first: list[str], columns: Iterable[Column]) -> Iterator[str]:
    texts = list(first)
    for column in columns:
        if column.is_share:
            texts += [f"{column.label}: {what}" for what in (column.top, *([column.bottom] if column.bottom else []))]
            texts += [f"{column.label}: {what}" for what in ("share", "lower 95%", "upper 95%")]
        else:
            texts.append(column.label)
    yield from unique(short(text, _HEADER) for text in texts)
