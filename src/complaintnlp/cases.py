"""An export, whatever its shape -> cases.

`read_cases` keeps every column and every row as it came and adds the columns that the rest of the library
asks for by name: `case_id`, `text` and, where the export has them, `organisation`, `received` (a date),
`financial_year` and `outcome`.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from complaintnlp.characters import mend
from complaintnlp.errors import InputError
from complaintnlp.files import first_row, read_batches

if TYPE_CHECKING:
    import datasets

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROLES = ("case_id", "text", "organisation", "received", "outcome")
EXCEL_CELL = 32_767
"""Characters that an Excel cell holds; longer text was cut when the export was saved as a workbook."""


EVIDENCE_JOIN = " | "
"""Between the sentences in a cell of `evidence`."""


@dataclass(frozen=True)
class RowProblem:
    """Something wrong with one row, which is kept all the same.

    Attributes:
        row: as a spreadsheet numbers it: the header is row 1.
        column: the column's name in the export, or empty where it is the whole row.
        reason: what was found and what was done; never the cell's words.
    """

    row: int
    column: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}" + (f", column {self.column!r}" if self.column else "") + f": {self.reason}"


class InputWarning(UserWarning):
    """Rows of an export that were kept but need a look."""


def read_cases(
    source: Any,
    *,
    text: str | None = None,
    id: str | None = None,
    organisation: str | None = None,
    received: str | None = None,
    outcome: str | None = None,
    problems: list[RowProblem] | None = None,
) -> datasets.Dataset:
    """Read complaint cases from an export.

    Args:
        source: a csv, tsv, xlsx, jsonl or parquet file, a pandas DataFrame, an Arrow table, a
            `datasets.Dataset`, or an iterable of mappings.
        text, id, organisation, received, outcome: the columns to use; where left out they are found by their
            usual names (see `columns.toml`). Only the text is required.
        problems: a list to which every problem row is appended. Without it one `InputWarning` sums them up.

    Returns:
        One row a case, in the source's order. Columns of the source come first, unchanged; those of the
        five that go by another name there are added, and `financial_year` (`2016-17`) with `received`.

    Raises:
        InputError: when the file can't be read or a column can't be found; says what is there.
    """
    import datasets

    found: list[RowProblem] = []
    table = as_table(source, found)
    chosen = {
        "text": text,
        "case_id": id,
        "organisation": organisation,
        "received": received,
        "outcome": outcome,
    }
    table = with_roles(table, chosen, found, name=source_name(source))
    if problems is not None:
        problems += found
    elif found:
        first = "; ".join(map(str, found[:5]))
        more = f"; and {len(found) - 5:,} more" if len(found) > 5 else ""
        warnings.warn(f"{source_name(source)}: {first}{more}", InputWarning, stacklevel=2)
    return datasets.Dataset(table)


def as_table(source: Any, problems: list[RowProblem] | None = None) -> pa.Table:
    """Anything table-like as an Arrow table; files are read as text, cell by cell."""
    if isinstance(source, (str, Path)):
        problems = [] if problems is None else problems
        schema, batches = read_batches(source, lambda *args: problems.append(RowProblem(*args)))
        return pa.Table.from_batches(batches, schema)
    if isinstance(source, pa.Table):
        return source
    if isinstance(source, pa.RecordBatch):
        return pa.Table.from_batches([source])
    kind = type(source).__module__.partition(".")[0]
    if kind == "datasets" and hasattr(source, "with_format"):
        # with_format applies the indices of a selected or filtered Dataset, which `.data` would ignore.
        return source.with_format("arrow")[:]
    if kind == "pandas" and hasattr(source, "columns"):
        return _from_pandas(source)
    if isinstance(source, Iterable) and not isinstance(source, (bytes, Mapping)):
        rows = list(source)
        if all(isinstance(row, Mapping) for row in rows):
            names = dict.fromkeys(key for row in rows for key in row)
            return pa.table({str(name): _column([row.get(name) for row in rows]) for name in names})
    raise InputError(
        f"can't read cases from a {type(source).__name__}; give a file, a DataFrame, an Arrow table, a Dataset or "
        "an iterable of mappings"
    )


def _from_pandas(frame: Any) -> pa.Table:
    return pa.table({str(name): _column(frame[name]) for name in frame.columns})


def _column(values: Any) -> pa.Array:
    try:
        return pa.Array.from_pandas(values) if hasattr(values, "iloc") else pa.array(values)
    except UnicodeEncodeError:
        return pa.array([mend(value) for value in values])
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        # Values of mixed types, as read_excel makes them: as text, so that none is lost.
        return pa.array([None if v is None or v != v else mend(str(v)) for v in values], pa.string())


def with_roles(
    table: pa.Table,
    chosen: Mapping[str, str | None] | None = None,
    problems: list[RowProblem] | None = None,
    *,
    required: Sequence[str] = ("text",),
    name: str = "the cases",
) -> pa.Table:
    """The table with the columns that it lacks of `case_id`, `text`, `organisation`, `received`, `outcome`."""
    problems = [] if problems is None else problems
    sources = find_roles(table.column_names, chosen or {}, required=required, name=name)
    top = first_row(table.schema)
    for role, column in sources.items():
        if role in table.column_names:
            continue
        if role == "received":
            values: Any = _dates(table[column], column, top, problems)
        elif role == "outcome":
            values = pa.array([parse_outcome(cell) for cell in table[column].to_pylist()], pa.string())
        else:
            values = _texts(table[column])
        table = table.append_column(role, values)
    if "received" in sources and "financial_year" not in table.column_names:
        days = (parse_date(cell) for cell in table["received"].to_pylist())
        table = table.append_column("financial_year", pa.array(map(financial_year, days), pa.string()))
    if "text" in sources:
        _check_texts(table["text"], sources["text"], top, problems)
    if "case_id" in sources:
        _check_ids(table["case_id"], sources["case_id"], top, problems)
    problems.sort(key=lambda problem: problem.row)
    return table


def find_roles(
    columns: Sequence[str],
    chosen: Mapping[str, str | None],
    *,
    required: Sequence[str] = ("text",),
    name: str = "the cases",
) -> dict[str, str]:
    """Which column plays which role.

    Raises:
        InputError: when a chosen column is not there, a required one can't be found, or the name of a
            role is taken by another column than the chosen one.
    """
    found: dict[str, str] = {}
    folded: dict[str, str] = {}
    for header in columns:
        folded.setdefault(_fold(header), header)
    column: str | None
    for role in ROLES:
        wanted = chosen.get(role)
        if wanted is not None:
            column = wanted if wanted in columns else folded.get(_fold(wanted))
            if column is None:
                raise InputError(f"{name}: there is no column {wanted!r}; the columns are: {_listed(columns)}")
            if role in columns and column != role:
                raise InputError(
                    f"{name}: the {role} is to come from {column!r}, but there is a column {role!r} as well; "
                    f"rename that one"
                )
        else:
            names = (_fold(usual) for usual in _usual()["roles"][role])
            column = role if role in columns else next((folded[n] for n in names if n in folded), None)
        if column is not None:
            found[role] = column
        elif role in required:
            raise InputError(
                f"{name}: can't tell which column holds the {role}; name it with {role.removeprefix('case_')}= "
                f"(--{role.removeprefix('case_')}). The columns are: {_listed(columns)}"
            )
    return found


def split_themes(cell: Any) -> tuple[str, ...]:
    """The ids in a cell of themes: `a; b`, `a, b`, `a | b` or a list.

    >>> split_themes("care_failure; communication")
    ('care_failure', 'communication')
    """
    if cell is None or isinstance(cell, float):
        return ()
    parts = re.split(r"[;,|]", cell) if isinstance(cell, str) else list(cell)
    return tuple(part for part in (str(part).strip() for part in parts) if part)


def financial_year(day: date | None) -> str | None:
    """The British financial year, 1 April to 31 March, of a day.

    >>> financial_year(date(2017, 3, 31))
    '2016-17'
    """
    if day is None:
        return None
    start = day.year if (day.month, day.day) >= (4, 1) else day.year - 1
    return f"{start}-{(start + 1) % 100:02d}"


def parse_date(cell: Any) -> date | None:
    """A day from what exports hold: a date, `31/03/2017`, `31-Mar-17`, `2017-03-31 10:00`, an Excel serial.

    Days come first, as in Britain. None where nothing can be read.

    >>> parse_date("03/04/2017")
    datetime.date(2017, 4, 3)
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = "" if cell is None else str(cell).strip()
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        # Excel counts days from 1899-12-30 (it believes in 29 February 1900).
        return date(1899, 12, 30) + timedelta(days=int(float(text)))
    text = re.sub(r"(\d)(st|nd|rd|th)\b", r"\1", text.replace(",", " "), flags=re.IGNORECASE)
    # The time of day, if there is one, does not matter.
    text = re.split(r"[T ]+(?=\d{1,2}:\d)", text)[0]
    text = re.sub(r"[\s./-]+", "-", text).strip("-")
    for form in (
        "%Y-%m-%d",
        "%d-%m-%Y",
        "%d-%m-%y",
        "%d-%b-%Y",
        "%d-%b-%y",
        "%d-%B-%Y",
        "%d-%B-%y",
        "%Y%m%d",
    ):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def parse_outcome(cell: Any) -> str | None:
    """The outcome in the library's words; what it does not know is kept as it is, blank is None."""
    text = "" if cell is None else str(cell).strip()
    return _outcome_words().get(_fold(text), text) or None


def _dates(column: pa.ChunkedArray, name: str, top: int, problems: list[RowProblem]) -> pa.Array:
    days = []
    for row, cell in enumerate(column.to_pylist(), top):
        day = parse_date(cell)
        if day is None and cell is not None and str(cell).strip():
            problems.append(RowProblem(row, name, "not a date that can be read; the row counts as undated"))
        days.append(day)
    return pa.array(days, pa.date32())


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_string(column.type):
        return column
    if pa.types.is_large_string(column.type) or pa.types.is_dictionary(column.type):
        return column.cast(pa.large_string() if pa.types.is_large_string(column.type) else pa.string())
    return pa.chunked_array([pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())])


def _check_texts(column: pa.ChunkedArray, name: str, top: int, problems: list[RowProblem]) -> None:
    lengths = pc.utf8_length(pc.utf8_trim_whitespace(_texts(column))).to_pylist()
    for row, length in enumerate(lengths, top):
        if not length:
            problems.append(RowProblem(row, name, "no text; the row is kept with status 'empty'"))
        elif length == EXCEL_CELL:
            problems.append(RowProblem(row, name, f"exactly {EXCEL_CELL:,} characters: Excel has probably cut it"))


def _check_ids(column: pa.ChunkedArray, name: str, top: int, problems: list[RowProblem]) -> None:
    seen: dict[str, int] = {}
    for row, cell in enumerate(column.to_pylist(), top):
        key = "" if cell is None else str(cell).strip()
        if not key:
            problems.append(RowProblem(row, name, "no id; counted as a case of its own"))
        elif key in seen:
            problems.append(RowProblem(row, name, f"the same id as row {seen[key]}; counted as one case"))
        else:
            seen[key] = row


@cache
def _usual() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(resources.files("complaintnlp").joinpath("columns.toml").read_text("utf-8"))


@cache
def _outcome_words() -> dict[str, str]:
    return {_fold(word): outcome for outcome, words in _usual()["outcomes"].items() for word in [outcome, *words]}


def _fold(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _listed(columns: Iterator[str] | Sequence[str]) -> str:
    return ", ".join(repr(column) for column in columns)


def source_name(source: Any) -> str:
    """How messages call a source."""
    return str(source) if isinstance(source, (str, Path)) else "the cases"
