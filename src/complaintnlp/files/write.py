"""Write Arrow record batches as csv, tsv, xlsx, jsonl or parquet, whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from complaintnlp.errors import InputError

EXCEL_CELL = 32_767
"""Characters that a cell of a workbook can hold."""
EXCEL_ROWS = 1_048_576
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?%?")


def write_batches(path: str | Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch], *, raw: bool = False) -> None:
    """Write batches to a file whose ending says the format.

    The file is written beside its final name and renamed when whole, so that a run that breaks off leaves
    nothing half done.

    Args:
        path: ends in csv, tsv, xlsx, jsonl or parquet.
        schema: of every batch.
        batches: read once, in order.
        raw: in csv and tsv, leave cells as they are that a spreadsheet would run as a formula. Otherwise
            they get a leading apostrophe.

    Raises:
        InputError: for another ending, a folder that is not there, or more rows than a workbook holds.
    """
    path = Path(path)
    check_target(path)
    writer = _WRITERS[path.suffix.lower()]
    with whole(path) as part:
        writer(part, schema, batches, raw)


def check_target(path: str | Path) -> None:
    """Say early what `write_batches` would stumble over late.

    Raises:
        InputError: as `write_batches`.
    """
    path = Path(path)
    if path.suffix.lower() not in _WRITERS:
        raise InputError(f"{path}: the ending {path.suffix!r} is not one of {', '.join(sorted(_WRITERS))}")
    if path.is_dir():
        raise InputError(f"{path} is a directory; give the name of a file to write")
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}; make it first")


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to, renamed to `path` at the end and removed on any failure."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def neutral(cell: str) -> str:
    """The cell, with an apostrophe before it if a spreadsheet would run it as a formula.

    >>> neutral("=HYPERLINK(0)"), neutral("- no reply"), neutral("-12.5")
    ("'=HYPERLINK(0)", "'- no reply", '-12.5')
    """
    return "'" + cell if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def _write_csv(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch], raw: bool) -> None:
    tab = ".tsv." in path.name.lower()
    keep: Callable[[str], str] = str if raw else neutral
    # The byte order mark tells Excel that curly quotes and pound signs are UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="", errors="surrogatepass") as file:
        writer = csv.writer(file, delimiter="\t" if tab else ",")
        writer.writerow(keep(name) for name in schema.names)
        for batch in batches:
            columns = [[_csv_cell(value, keep) for value in column.to_pylist()] for column in batch.columns]
            writer.writerows(zip(*columns, strict=True))


def _csv_cell(value: Any, keep: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return keep(value)
    if isinstance(value, (list, dict)):
        return keep(json.dumps(value, ensure_ascii=False, default=str))
    return value


def _write_xlsx(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch], _raw: bool) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as workbook:
        sheet = workbook.add_worksheet("tagged")
        sheet.freeze_panes(1, 0)
        bold = workbook.add_format({"bold": True})
        for place, name in enumerate(schema.names):
            sheet.write_string(0, place, name, bold)
        row = 0
        for batch in batches:
            for record in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                row += 1
                if row >= EXCEL_ROWS:
                    raise InputError(f"a workbook holds {EXCEL_ROWS - 1:,} rows; write csv, jsonl or parquet instead")
                for place, value in enumerate(record):
                    _xlsx_cell(sheet, row, place, value)


def _xlsx_cell(sheet: Any, row: int, place: int, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif isinstance(value, (int, float)) and value == value and abs(value) < 1e15:
        sheet.write_number(row, place, value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        if isinstance(value, date):
            text = value.isoformat()
        sheet.write_string(row, place, text[:EXCEL_CELL])


def _write_jsonl(path: Path, _schema: pa.Schema, batches: Iterable[pa.RecordBatch], _raw: bool) -> None:
    with path.open("w", encoding="utf-8", newline="\n", errors="surrogatepass") as file:
        for batch in batches:
            for record in batch.to_pylist():
                file.write(json.dumps(record, ensure_ascii=False, default=str) + "\n")


def _write_parquet(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch], _raw: bool) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


_WRITERS: dict[str, Callable[[Path, pa.Schema, Iterable[pa.RecordBatch], bool], None]] = {
    ".csv": _write_csv,
    ".tsv": _write_csv,
    ".xlsx": _write_xlsx,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
