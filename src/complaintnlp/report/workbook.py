"""The report as a workbook.

Made to the Government Analysis Function's guidance on accessible spreadsheets: a cover, a contents sheet with
links, notes, then one marked table a sheet, its title in A1, without merged cells, blank rows or filters, and words in
brackets for what is not shown. docs/architecture.md holds the guidance against what is here, point by point.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import xlsxwriter

from complaintnlp.report.grids import Column, grid
from complaintnlp.report.notes import QUOTED, SYMBOLS, left_out, method, points, summary
from complaintnlp.report.shapes import Figure, Report, Table
from complaintnlp.report.words import NBSP, short, unique

_FIXED = datetime(2000, 1, 1)
"""Stands for the time of writing, so that the same input gives the same bytes."""
_LABEL_WIDTH, _FIGURE_WIDTH, _WORDS_WIDTH, _TEXT_WIDTH = 60, 16, 32, 100
_HEADER = 200
"""Characters in the name of a table's column: Excel allows 255."""
_LINE = 15.75
"""Height of a line of 12 points."""
_COLUMNS_A_PAGE = 11
"""Columns that fit a printed page and can still be read."""
_IN_SIGHT = 8
"""Columns beyond which the names of the rows would leave the screen."""


@dataclass(frozen=True)
class _Styles:
    title: Any
    subject: Any
    text: Any
    plain: Any
    header: Any
    figure_header: Any
    count: Any
    share: Any
    rate: Any
    words: Any
    symbol: Any
    link: Any


def write_workbook(path: Path, report: Report) -> None:
    """Write the workbook to `path`, whatever its ending."""
    book = xlsxwriter.Workbook(str(path))
    made_with = f"complaintnlp {version('complaintnlp')}"
    properties = {"title": report.title, "subject": report.rules.description, "author": made_with}
    book.set_properties({**properties, "created": _FIXED})
    styles = _styles(book)
    tables = {f"Table_{number}": table for number, table in enumerate(report.tables, 1)}
    sheets = {name: table.title for name, table in tables.items()}
    if report.quotes:
        sheets["Passages"] = "Example passages"
    # All sheets first: links name sheets, and their order is that of the tabs.
    cover, contents, notes = (book.add_worksheet(name) for name in ("Cover", "Contents", "Notes"))
    _cover(cover, styles, report)
    _contents(contents, styles, sheets)
    _notes(notes, styles, report)
    for name, table in tables.items():
        _table(book.add_worksheet(name), styles, name, table, report)
    if report.quotes:
        _passages(book.add_worksheet("Passages"), styles, report)
    book.close()


def _cover(sheet: Any, styles: _Styles, report: Report) -> None:
    sheet.set_column(0, 0, _TEXT_WIDTH)
    sheet.write_string(0, 0, short(report.title, 1000), styles.title)
    row = 1
    for subject, sentences in (
        ("Summary", summary(report)),
        ("Main points", points(report)),
        ("Status of these figures", [report.rules.description]),
        ("What was left out", left_out(report)),
    ):
        sheet.set_row(row, 2 * _LINE)
        sheet.write_string(row, 0, subject, styles.subject)
        for place, sentence in enumerate(sentences, row + 1):
            sheet.set_row(place, _height(sentence, _TEXT_WIDTH))
            sheet.write_string(place, 0, sentence, styles.text)
        row += len(sentences) + 1
    sheet.set_row(row, 2 * _LINE)
    sheet.write_string(row, 0, "In this workbook", styles.subject)
    for target, text in (("Contents", "Contents"), ("Notes", "Notes on method and limits")):
        row += 1
        sheet.write_url(row, 0, f"internal:'{target}'!A1", styles.link, text)
    _page(sheet)


def _contents(sheet: Any, styles: _Styles, sheets: Mapping[str, str]) -> None:
    rows = [("Notes", "What was left out, method and limits, symbols"), *sheets.items()]
    top = _front(sheet, styles, "Contents", "One worksheet for the notes and one for each table.")
    _listing(sheet, top, "contents", ("Worksheet", "What it holds"), rows, styles)
    for row, (name, _) in enumerate(rows, top + 1):
        sheet.write_url(row, 0, f"internal:'{name}'!A1", styles.link, name)


def _notes(sheet: Any, styles: _Styles, report: Report) -> None:
    rows = [("Left out", sentence) for sentence in left_out(report)]
    rows += method(report)
    rows += [(f"Table {n}", note) for n, table in enumerate(report.tables, 1) for note in (table.caption, *table.notes)]
    rows += [(f"Symbol {symbol}", meaning) for symbol, meaning in SYMBOLS]
    top = _front(sheet, styles, "Notes", "What the tables count, how, and what they leave out.")
    _listing(sheet, top, "notes", ("Subject", "Note"), rows, styles)


def _passages(sheet: Any, styles: _Styles, report: Report) -> None:
    rows = [(label, text) for theme, label in report.themes.items() for text in report.quotes.get(theme, ())]
    top = _front(sheet, styles, "Example passages", *QUOTED)
    _listing(sheet, top, "passages", ("Theme", "Passage"), rows or [("None", "No passage could be quoted.")], styles)


def _front(sheet: Any, styles: _Styles, title: str, *lines: str) -> int:
    """Write a title and what stands under it; the row after them."""
    sheet.set_row(0, 1.5 * _LINE)
    for row, text in enumerate((title, *lines)):
        sheet.write_string(row, 0, text, styles.plain if row else styles.title)
    return len(lines) + 1


def _listing(
    sheet: Any, top: int, name: str, headers: tuple[str, str], rows: Sequence[tuple[str, str]], styles: _Styles
) -> None:
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, _TEXT_WIDTH)
    for row, cells in enumerate(rows, top + 1):
        sheet.set_row(row, _height(cells[1], _TEXT_WIDTH))
        for place, cell in enumerate(cells):
            sheet.write_string(row, place, cell, styles.text)
    _mark(sheet, (top, top + len(rows)), name, [(header, styles.header) for header in headers])
    sheet.repeat_rows(top)
    _page(sheet)


def _table(sheet: Any, styles: _Styles, name: str, table: Table, report: Report) -> None:
    cells = grid(table, report)
    headers = _headers(cells.first, cells.columns)
    top = _above(sheet, styles, name, table)
    longest = max([len(row.label) for row in cells.rows] + [len(cells.first), 20])
    width = min(longest + 4, _LABEL_WIDTH)
    sheet.set_column(0, 0, width)
    words = [column.words for column in cells.columns for _ in _parts(column)]
    for across, wordy in enumerate(words, 1):
        sheet.set_column(across, across, _WORDS_WIDTH if wordy else _FIGURE_WIDTH)
    sheet.set_row(top, max(_height(header, _FIGURE_WIDTH - 5) for header in headers[1:]))
    for place, row in enumerate(cells.rows, top + 1):
        said = max((figure for figure in row.figures if isinstance(figure, str)), key=len, default="")
        sheet.set_row(place, max(_height(row.label, width), _height(said, _WORDS_WIDTH - 4)))
        sheet.write_string(place, 0, row.label, styles.text)
        spread = (_spread(column, figure) for column, figure in zip(cells.columns, row.figures, strict=True))
        for across, (value, style) in enumerate((cell for part in spread for cell in part), 1):
            if isinstance(value, str):
                sheet.write_string(place, across, value, styles.words if style == "words" else styles.symbol)
            else:
                sheet.write_number(place, across, value, getattr(styles, style))
    if not cells.rows:
        sheet.write_string(top + 1, 0, "There are no complaints to count.", styles.text)
    last = top + max(len(cells.rows), 1)
    looks = [styles.header, *(styles.header if wordy else styles.figure_header for wordy in words)]
    _mark(sheet, (top, last), name, list(zip(headers, looks, strict=True)))
    # No rows: with the lines above them they would fill the screen of whoever magnifies it, and Excel shows a table's
    # headers in place of the letters of its columns.
    if len(headers) > _IN_SIGHT:
        sheet.freeze_panes(0, 1)
    # A financial year or a ward's number is a name here, not a number that was spoilt.
    sheet.ignore_errors({"number_stored_as_text": f"A1:A{last + 1}"})
    sheet.repeat_rows(top)
    _page(sheet, len(headers))
    if len(headers) > _COLUMNS_A_PAGE:
        # On the second page across, the lines above the table would be cut at the first column's edge: the title
        # stands in the page's header, and the Notes have the rest.
        sheet.print_area(top, 0, last, len(headers) - 1)
        sheet.set_header("&L&B" + short(_title(name, table), 200).replace("&", "&&"))


def _above(sheet: Any, styles: _Styles, name: str, table: Table) -> int:
    """Write what stands above a table; the row of its header."""
    symbols = "Words in square brackets, such as [c], stand for figures; the Notes worksheet explains them."
    told = f"This worksheet contains one table. {symbols}"
    row = _front(sheet, styles, _title(name, table), table.caption, *table.notes, told)
    sheet.write_url(row, 0, "internal:'Contents'!A1", styles.link, "Back to the contents")
    return row + 1


def _title(name: str, table: Table) -> str:
    return f"{name.replace('_', ' ')}: {table.title}"


def _headers(first: str, columns: Iterable[Column]) -> list[str]:
    texts = [first, *(text for column in columns for text in _parts(column))]
    # A name that was cut may be the same as another.
    return unique(short(text, _HEADER) for text in texts)


def _parts(column: Column) -> list[str]:
    """The headers of a column of the report over as many of the sheet's."""
    if not column.share:
        return [column.label]
    limits = (f"{column.label}: {end} 95{NBSP}% limit" for end in ("lower", "upper"))
    return [*(text for text in (column.top, column.bottom) if text), column.share, *limits]


def _spread(column: Column, figure: Figure | str | None) -> Iterator[tuple[str | float, str]]:
    """A figure over its cells: each a number, words or a symbol, and which style a number has."""
    if isinstance(figure, str):
        yield figure, "words"
        return
    figure = figure or Figure(None, None, None, None, None, "")
    cells: list[tuple[float | None, str]] = []
    if column.top or not column.share:
        cells.append((figure.count, "count"))
    if column.share:
        cells += [(figure.denominator, "count")] if column.bottom else []
        cells += [(share, "rate" if column.rate else "share") for share in (figure.value, figure.low, figure.high)]
    for value, style in cells:
        yield (figure.symbol or "[z]") if value is None else value, style


def _mark(sheet: Any, rows: tuple[int, int], name: str, columns: Sequence[tuple[str, Any]]) -> None:
    """Mark a range as a table: its headers are written here, its cells were before."""
    sheet.add_table(
        rows[0],
        0,
        rows[1],
        len(columns) - 1,
        {
            "name": name.lower(),
            "autofilter": False,
            "banded_rows": False,
            "style": "Table Style Light 1",
            "columns": [{"header": text, "header_format": look} for text, look in columns],
        },
    )


def _height(text: str, width: int) -> float:
    # Not every program finds the height of wrapped text by itself.
    return _LINE * math.ceil(max(len(text), 1) / (1.2 * width)) + 2


def _page(sheet: Any, columns: int = 1) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(math.ceil(columns / _COLUMNS_A_PAGE), 0)
    sheet.repeat_columns(0)
    sheet.hide_gridlines(2)
    sheet.set_footer("&C&P / &N")


def _styles(book: Any) -> _Styles:
    font = {"font_name": "Arial", "font_size": 12, "valign": "top"}
    header = {**font, "bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}
    figure = {**font, "align": "right", "indent": 1}
    return _Styles(
        title=book.add_format({**font, "bold": True, "font_size": 16}),
        subject=book.add_format({**font, "bold": True, "font_size": 13, "valign": "bottom"}),
        text=book.add_format({**font, "text_wrap": True}),
        plain=book.add_format(font),
        header=book.add_format(header),
        figure_header=book.add_format({**header, "align": "right", "indent": 1}),
        count=book.add_format({**figure, "num_format": "#,##0"}),
        share=book.add_format({**figure, "num_format": "0.0%"}),
        rate=book.add_format({**figure, "num_format": "#,##0.00"}),
        words=book.add_format({**font, "text_wrap": True}),
        symbol=book.add_format(figure),
        link=book.add_format({**font, "font_color": "#0b4a8f", "underline": 1}),
    )
