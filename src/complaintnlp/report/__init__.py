"""Tagged cases -> a folder with a report: page, workbook, tidy counts and manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from complaintnlp.cases import RowProblem, as_table, source_name, with_roles
from complaintnlp.counting import Crosswalk, policy
from complaintnlp.counting.crosswalk import find_crosswalk
from complaintnlp.counting.exposure import read_exposure
from complaintnlp.counting.prevalence import errors_for, shipped_errors, tagged_by
from complaintnlp.errors import InputError
from complaintnlp.files.write import whole
from complaintnlp.report.filters import Filter, filtered
from complaintnlp.report.manifest import fingerprint, write_manifest
from complaintnlp.report.page import write_page
from complaintnlp.report.shapes import Report
from complaintnlp.report.tables import Wanted, build
from complaintnlp.report.tidy import write_counts
from complaintnlp.report.words import clean
from complaintnlp.report.workbook import write_workbook

__all__ = ["write_report"]

TITLE = "What complaints raise"
_WRITERS: dict[str, Callable[[Path, Report], None]] = {
    "report.html": write_page,
    "report.xlsx": write_workbook,
    "counts.csv": write_counts,
}
MANIFEST = "manifest.json"


def write_report(
    tagged: Any,
    out: str | Path,
    by: Iterable[str] = (),
    *,
    disclosure: str = "none",
    title: str | None = None,
    model: Any = None,
    only: Filter | None = None,
    exclude: Filter | None = None,
    organisation: str | None = None,
    received: str | None = None,
    outcome: str | None = None,
    quotes: int = 0,
    trend: str | None = None,
    exposure: Any = None,
    per: int = 1000,
    crosswalk: Any = (),
    notes: Mapping[str, str | Iterable[str]] | None = None,
    problems: list[RowProblem] | None = None,
) -> Path:
    """Write a report on tagged cases as a folder of files.

    * `report.html`: a page to read and print, which needs no other file;
    * `report.xlsx`: the same tables as a workbook, one a sheet;
    * `counts.csv`: the same figures in long form, as `count_themes` returns them; where `by` names several
      columns, also for all of them crossed;
    * `manifest.json`: model, input (sha256), options, what was left out, and the sha256 of the other files.

    There are tables of all cases, of themes raised together, of what the model is unsure of; where the cases have
    them, of subthemes, findings, severity and outcomes; with dates, by financial year, of the trend (XmR charts) and
    of failings that come back; and for each column of `by` its groups, their corrected shares, rates, and which
    stand out (funnel plots). The same input and options give the same bytes.

    Args:
        tagged: tagged cases: what `classify_cases` returns, or a DataFrame, Arrow table or file of it.
        out: the folder; made if it is not there. Files of an earlier report in it are replaced.
        by: grouping columns, as for `count_themes`.
        disclosure: the policy for small counts: `none`, `nhs_hes`, `under5` or `opensafely`. Every number in every
            file has passed it.
        title: of the page and the workbook.
        model: the model that tagged the cases, or its folder, for shares corrected for its error. The shipped
            model where it is left out and tagged all cases.
        only: count only rows that have, in each of these columns, this value or one of these.
        exclude: leave out rows that have one of these values. What each filter removed stands in the report.
        organisation, received, outcome: the columns to use, where their usual names are not found.
        quotes: how many example passages to print for each theme, at most, with identifiers masked; for none of the
            policies but `none`. A machine masks, so a person must read them before they leave.
        trend: `quarter` or `month`; by quarter from 12 quarters on, else by month, where it is left out.
        exposure: a file, DataFrame or records of what groups are exposed to, for rates: columns of the cases, such
            as `organisation` and `financial_year`, and one of whole numbers, such as `bed_days`.
        per: rates are per this much exposure.
        crosswalk: `ko41a`, `hcat`, one read by `counting.read_crosswalk`, or several: classifications to count too.
        notes: from the name of a table (`overall`, `trend`, a column of `by` ...) to a footnote or several.
        problems: a list to which every row is appended that needs a look, such as one with a date that can't be read.

    Returns:
        The folder.

    Raises:
        InputError: when the cases are not tagged, a column of `by` or of a filter is not there, the
            policy is not known or forbids quotes, another model tagged the cases, the exposure does not fit, a
            crosswalk is asked for and there are no subthemes, a note is to a table that is not there, or the folder
            can't be made.
    """
    out = Path(out)
    only, exclude = _listed(only), _listed(exclude)
    groups = [by] if isinstance(by, str) else list(dict.fromkeys(by))
    rules = policy(disclosure)
    if quotes:
        # What masks needs spaCy, which takes a second to import.
        from complaintnlp.report.quotes import check_quotes, passages

        check_quotes(quotes, rules)
    found: list[RowProblem] = []
    table = as_table(tagged, found)
    roles = {"organisation": organisation, "received": received, "outcome": outcome}
    rows = with_roles(table, roles, found, required=(), name=source_name(tagged))
    rows, removed = filtered(rows, only, exclude)
    names = tagged_by(rows)
    errors = shipped_errors(names) if model is None else errors_for(model, names)
    wanted = Wanted(
        errors=errors,
        exposure=None if exposure is None else read_exposure(exposure, rows.column_names),
        per=per,
        crosswalks=tuple(find_crosswalk(one) for one in _several(crosswalk)),
        trend=trend,
        notes={name: _several(texts) for name, texts in (notes or {}).items()},
    )
    report = build(rows, groups, rules, clean(title or "") or TITLE, removed, wanted)
    if quotes:
        report = replace(report, quotes=passages(rows, list(report.themes), quotes))
    _make(out)
    for name, write in _WRITERS.items():
        with whole(out / name) as part:
            write(part, report)
    with whole(out / MANIFEST) as part:
        given: dict[str, Any] = {**roles, "only": only, "exclude": exclude, "trend": trend, "notes": wanted.notes}
        given["quotes"] = quotes
        given["crosswalk"] = [
            one if isinstance(one, str) else asdict(find_crosswalk(one)) for one in _several(crosswalk)
        ]
        # What it held, not where it was.
        given |= {} if wanted.exposure is None else {"exposure": wanted.exposure.records(), "per": per}
        options = {"by": groups, **{name: value for name, value in given.items() if value}}
        source = fingerprint(tagged, table)
        write_manifest(part, report, source, options, errors, [out / name for name in _WRITERS])
    if problems is not None:
        problems += found
    return out


def _several(given: Any) -> list[Any]:
    return [given] if isinstance(given, (str, Crosswalk, Mapping)) else list(given)


def _listed(wanted: Filter | None) -> dict[str, list[str]]:
    return {name: [values] if isinstance(values, str) else [*values] for name, values in (wanted or {}).items()}


def _make(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; give the name of a folder for the report")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: the folder can't be made ({error.strerror})") from None
