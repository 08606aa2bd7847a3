"""Read csv, tsv, xlsx, jsonl and parquet as Arrow record batches, one batch in memory at a time.

csv and xlsx cells all come as strings: an id `0012` stays `0012`, and the words "None" and "NA" stay words.
Every problem with a row is handed to `on_problem(row, column, reason)`, and the row is kept.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa

from complaintnlp.characters import mend
from complaintnlp.errors import InputError

OnProblem = Callable[[int, str, str], None]
Batches = tuple[pa.Schema, Iterator[pa.RecordBatch]]

BATCH_ROWS = 1_000
UNPACKED_LIMIT = 1 << 30
"""Bytes that a workbook may unpack to. Real exports stay far below; a zip bomb does not."""
DELIMITERS = ",;\t|"
_HEADER_ROW = b"complaintnlp.header_row"
SIGNATURES = {
    b"PK\x03\x04": "a workbook or another zip file",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"PAR1": "a parquet file",
    b"\x1f\x8b": "a gzip file",
}


def read_batches(path: str | Path, on_problem: OnProblem) -> Batches:
    """Open a file of rows.

    Args:
        path: its ending says the format: csv, txt, tsv, xlsx, xlsm, jsonl, ndjson, json (an array of
            objects) or parquet.
        on_problem: called with row (the header is row 1), column and reason for each problem row.

    Returns:
        The schema, and an iterator of the batches, to be read once.

    Raises:
        InputError: when there is no such file, it is empty, or it is not what its ending says.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a directory; give one file: csv, tsv, xlsx, jsonl or parquet")
    if not path.exists():
        raise InputError(f"{path}: there is no such file")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path}: the ending {path.suffix!r} is not one of {', '.join(sorted(_READERS))}; save the export as "
            f"one of "
            "these"
        )
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty; export it again")
    return reader(path, on_problem)


# ---- csv


def _read_csv(path: Path, on_problem: OnProblem) -> Batches:
    encoding, open_quote = _examine(path)
    csv.field_size_limit(sys.maxsize)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(path, encoding)
    records = _csv_records(path, encoding, delimiter)
    header = next(((number, record) for number, record in records if any(map(str.strip, record))), None)
    if header is None:
        raise InputError(f"{path}: there is no header row; the first row must name the columns")
    names = _column_names(header[1], on_problem)
    if open_quote:
        on_problem(
            header[0],
            "",
            "the file has an odd number of quote marks: one is not closed, and rows after it may run together",
        )
    rows = _squared(records, names, delimiter, on_problem)
    schema = _string_schema(names, header[0])
    return schema, _string_batches(rows, schema)


def _examine(path: Path) -> tuple[str, bool]:
    """The encoding, and whether a quote is left open; refuses what is no text."""
    with path.open("rb") as file:
        start = file.read(4096)
        for signature, what in SIGNATURES.items():
            if start.startswith(signature):
                raise InputError(f"{path} is {what}, not {path.suffix}; rename it or save it as csv (UTF-8)")
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16", False
        # UTF-16 without its mark: every other byte of Latin text is zero.
        for encoding, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
            if len(zeros) > 1 and zeros.count(0) > 0.6 * len(zeros):
                return encoding, False
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        encoding, quotes = "utf-8-sig", 0
        while chunk := file.read(1 << 20):
            if b"\0" in chunk:
                raise InputError(f"{path} holds zero bytes, so it is no text file; save the export as csv (UTF-8)")
            quotes += chunk.count(b'"')
            if encoding == "utf-8-sig":
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    encoding = "cp1252"
    return encoding, quotes % 2 == 1


def _open_text(path: Path, encoding: str) -> io.TextIOWrapper:
    # Five bytes mean nothing in cp1252; Windows itself reads them as control characters, and so do we.
    codecs.register_error("complaintnlp.latin1", _as_latin1)
    errors = "complaintnlp.latin1" if encoding == "cp1252" else "replace"
    return path.open("r", encoding=encoding, errors=errors, newline="")


def _as_latin1(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


def _delimiter(path: Path, encoding: str) -> str:
    """The mark that splits the header into most columns."""
    with _open_text(path, encoding) as file:
        lines = [line for _, line in zip(range(50), file, strict=False)]
    widths = {}
    for mark in DELIMITERS:
        record = next((r for r in csv.reader(lines, delimiter=mark) if any(map(str.strip, r))), [])
        widths[mark] = len(record)
    return max(DELIMITERS, key=lambda mark: widths[mark])


def _csv_records(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    with _open_text(path, encoding) as file:
        reader = csv.reader(file, delimiter=delimiter)
        try:
            for number, record in enumerate(reader, 1):
                if number == 1 and record:
                    record[0] = record[0].removeprefix("\ufeff")
                yield number, record
        except csv.Error as error:
            raise InputError(f"{path}, line {reader.line_num}: {error}; save the export as csv (UTF-8) again") from None


def _squared(
    records: Iterable[tuple[int, list[str]]], names: Sequence[str], delimiter: str, on_problem: OnProblem
) -> Iterator[list[str | None]]:
    """Records as wide as the header: short ones filled up, the surplus of long ones put into the last column."""
    width = len(names)
    for number, record in records:
        if not record and width > 1:
            continue  # a blank line is no row
        if len(record) > width:
            on_problem(
                number,
                "",
                f"{len(record)} cells under {width} columns; the surplus was put into {names[-1]!r} (is a quote "
                f"missing?)",
            )
            yield [*record[: width - 1], delimiter.join(record[width - 1 :])]
        elif len(record) < width:
            if record:
                on_problem(number, "", f"{len(record)} cells under {width} columns; the missing ones are left blank")
            yield [*record, *[None] * (width - len(record))]
        else:
            yield list(record)


# ---- xlsx


def _read_xlsx(path: Path, on_problem: OnProblem) -> Batches:
    import python_calamine

    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError):
        raise InputError(
            f"{path} is not an Excel workbook (.xlsx); open it in Excel and save it as .xlsx or csv"
        ) from None
    if unpacked > UNPACKED_LIMIT:
        raise InputError(
            f"{path} would unpack to {unpacked / 1e9:.1f} GB; over {UNPACKED_LIMIT / 1e9:.1f} GB is refused. Save "
            f"the export as csv"
        )
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(str(path))
        rows: list[list[Any]] = []
        for sheet in workbook.sheet_names:
            rows = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
            if any(cell != "" for row in rows for cell in row):
                break
    except python_calamine.CalamineError as error:
        raise InputError(f"{path} can't be read as a workbook ({error}); save it as .xlsx or csv again") from None
    filled = [sum(cell != "" for cell in row) for row in rows]
    if not any(filled):
        raise InputError(f"{path}: no sheet has anything in it; export it again")
    # Titles above the table are narrower than the table.
    top = next(i for i, count in enumerate(filled) if count * 2 > max(filled[:200]))
    names = _column_names([_cell_text(cell) or "" for cell in rows[top]], on_problem)
    schema = _string_schema(names, top + 1)
    body = (
        [_cell_text(cell) for cell in row]
        for row, count in zip(rows[top + 1 :], filled[top + 1 :], strict=True)
        if count
    )
    return schema, _string_batches(body, schema)


def _cell_text(cell: Any) -> str | None:
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    return str(cell)


# ---- json


def _read_jsonl(path: Path, on_problem: OnProblem) -> Batches:
    kinds: dict[str, set[type]] = {}
    for _, row in read_json(path, on_problem):
        for key, value in row.items():
            kinds.setdefault(key, set()).add(type(value))
    if not kinds:
        raise InputError(f'{path}: no line is a JSON object; each line must be one, such as {{"text": ...}}')
    mixed = [
        key for key, found in kinds.items() if len(found - {type(None)}) > 1 and found - {type(None)} != {int, float}
    ]
    for key in mixed:
        on_problem(1, key, "values of several types; all are kept as text")
    try:
        table = _json_table(path, frozenset(mixed))
    except pa.ArrowInvalid:
        # Lists within lists of more than one type fit no column.
        nested = [key for key, found in kinds.items() if found & {list, dict}]
        for key in nested:
            on_problem(1, key, "lists of mixed types; all are kept as JSON text")
        table = _json_table(path, frozenset([*mixed, *nested]))
    return table.schema, iter(table.to_batches(max_chunksize=BATCH_ROWS))


def read_json(path: Path, on_problem: OnProblem) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a jsonl file, or of a json file that holds a list of them, each with its number from 1.

    What is no object is reported and comes as an empty one.
    """
    encoding, _ = _examine(path)
    with _open_text(path, encoding) as file:
        if path.suffix.lower() == ".json":
            try:
                rows = json.load(file)
            except ValueError as error:
                raise InputError(f"{path}: not JSON ({_json_place(error)})") from None
            lines: Iterable[Any] = rows if isinstance(rows, list) else [rows]
        else:
            lines = (line for line in file)
        for number, line in enumerate(lines, 1):
            if isinstance(line, str):
                if not line.strip():
                    continue
                try:
                    line = json.loads(line)
                except (ValueError, RecursionError) as error:
                    on_problem(number, "", f"not JSON ({_json_place(error)}); the row is kept, blank")
                    line = {}
            if not isinstance(line, dict):
                on_problem(number, "", f"a JSON {type(line).__name__}, not an object; the row is kept, blank")
                line = {}
            yield number, mend(line)


def _json_place(error: Exception) -> str:
    # The message alone: the error's own text may quote the document.
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.colno}"
    return type(error).__name__


def _json_table(path: Path, mixed: frozenset[str]) -> pa.Table:
    # Each batch has types of its own (a column may be empty in one); joined, they are widened.
    tables = [pa.Table.from_batches([batch]) for batch in _json_batches(path, mixed)]
    return pa.concat_tables(tables, promote_options="permissive")


def _json_batches(path: Path, mixed: frozenset[str]) -> Iterator[pa.RecordBatch]:
    rows: list[dict[str, Any]] = []
    for _, row in read_json(path, lambda *_: None):
        for key in mixed & row.keys():
            value = row[key]
            row[key] = value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        rows.append(row)
        if len(rows) == BATCH_ROWS:
            yield _json_batch(rows)
            rows = []
    if rows:
        yield _json_batch(rows)


def _json_batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    names = list(dict.fromkeys(key for row in rows for key in row))
    return pa.record_batch({name: pa.array([row.get(name) for row in rows]) for name in names})


# ---- parquet


def _read_parquet(path: Path, _on_problem: OnProblem) -> Batches:
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError):
        raise InputError(f"{path} is not a parquet file; export it again, or save it as csv") from None
    return file.schema_arrow, file.iter_batches(batch_size=BATCH_ROWS)


# ---- shared


def _column_names(header: Sequence[str], on_problem: OnProblem) -> list[str]:
    """The header with blanks and repeats made distinct, so that each column has a name of its own."""
    names: list[str] = []
    for place, cell in enumerate(header, 1):
        name = cell.strip()
        if not name:
            name = f"column {place}"
        if name in names:
            number = next(n for n in range(2, len(header) + 2) if f"{name} ({n})" not in names)
            on_problem(1, name, f"the name stands twice; the one in place {place} is read as '{name} ({number})'")
            name = f"{name} ({number})"
        names.append(name)
    return names


def first_row(schema: pa.Schema) -> int:
    """The number that a spreadsheet gives to the first row below the header."""
    return int((schema.metadata or {}).get(_HEADER_ROW, 1)) + 1


def _string_schema(names: Sequence[str], header_row: int) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in names], metadata={_HEADER_ROW: str(header_row)})


def _string_batches(rows: Iterable[Sequence[str | None]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    block: list[Sequence[str | None]] = []
    for row in rows:
        block.append(row)
        if len(block) == BATCH_ROWS:
            yield _string_batch(block, schema)
            block = []
    if block:
        yield _string_batch(block, schema)


def _string_batch(rows: list[Sequence[str | None]], schema: pa.Schema) -> pa.RecordBatch:
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


_READERS: dict[str, Callable[[Path, OnProblem], Batches]] = {
    ".csv": _read_csv,
    ".txt": _read_csv,
    ".tsv": _read_csv,
    ".xlsx": _read_xlsx,
    ".xlsm": _read_xlsx,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".json": _read_jsonl,
    ".parquet": _read_parquet,
}
