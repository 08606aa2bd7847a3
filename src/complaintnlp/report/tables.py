"""Which tables a report has.

Everything that a report shows is in these tables (or is one of `Report`'s few counts), and every number
in them has passed the disclosure policy. Nothing after this module sees a true count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import combinations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from complaintnlp.cases import parse_date
from complaintnlp.counting import Counted, Crosswalk, Policy, counted_cases
from complaintnlp.counting.counts import More, estimates, publish, rates
from complaintnlp.counting.crosswalk import cross
from complaintnlp.counting.exposure import Exposed
from complaintnlp.counting.prevalence import Errors
from complaintnlp.counting.suppress import Hidden, Terms, protect, shown
from complaintnlp.counting.tagged import COUNTED, NOT_RECORDED, PERIODS, RESERVED, quarter
from complaintnlp.counting.tally import ALL, NONE, ROWS, WHOLES, Group, Tally, tally
from complaintnlp.errors import InputError
from complaintnlp.report.filters import Removed
from complaintnlp.report.shapes import (
    CROSSWALK,
    FINDINGS,
    GROUPS,
    NONE_LABEL,
    OUTCOME,
    OVERALL,
    RECURRENCE,
    SEVERITY,
    SUBTHEMES,
    TOGETHER,
    TREND,
    UNSURE,
    YEAR,
    Report,
    Table,
    figures,
)
from complaintnlp.report.views import details, of_groups, rare, returns, too_small, trend
from complaintnlp.report.words import clean, heading, inside, listed, number, theme_label, unique
from complaintnlp.taxonomy import Taxonomy

OTHER = "any other combination"
OUTCOMES = ("upheld", "partly_upheld", "not_upheld", "resolved_early", "open", "withdrawn")
STATUSES = ("classified", "no_theme", "review", "empty", "too_long")
_AND = "; "
_RESERVED = {"table", "signal", "for_review", *RESERVED}
_ALL_COMBINATIONS_TO = 4
"""Themes up to which every combination is listed, raised or not: 4 themes have 15."""
_COMBINATIONS = 15
_QUARTERS = 12
"""Quarters from which a trend is by quarter: fewer points would be too few for its limits."""
_ORDER = (OVERALL, SUBTHEMES, TOGETHER, RECURRENCE, OUTCOME, FINDINGS, SEVERITY, UNSURE, CROSSWALK)
"""Kinds of tables; those not named, by period and by group, come before recurrence."""
_PROTECTED = 40
"""Groups of several columns crossed up to which a policy with secondary suppression lets them be counted: the search
for what gives a hidden count away takes minutes for hundreds of them, and then most is hidden."""
_NOT_CROSSED = "The columns crossed are not in counts.csv: under this disclosure policy there are too many groups."
_LARGE = "Some [c] here stand for counts that are not small: a small one, or a zero, would follow from them."
_TOTAL, _REPEATS = "rows in all", "repeated rows"
_FOR_REVIEW = "for_review"


@dataclass(frozen=True)
class Wanted:
    """What a report is asked for beyond its grouping columns.

    Attributes:
        errors: of the model, for shares corrected for them.
        exposure: what groups are exposed to, for rates.
        per: rates are per so much exposure.
        crosswalks: classifications to count too.
        trend: `quarter` or `month`; the one that gives enough points where it is None.
        notes: footnotes to add, by the name of the table.
    """

    errors: Mapping[str, Errors] | None = None
    exposure: Exposed | None = None
    per: int = 1000
    crosswalks: tuple[Crosswalk, ...] = ()
    trend: str | None = None
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Draft:
    """True counts, and how what may be shown of them becomes tables.

    Attributes:
        counts: nothing may be shown of them before `protect` has seen those of all drafts.
        finish: makes the tables of what `publish` returns.
        by: the columns of the tables; those that the counts have more are for `protect` alone.
        corrected: whether shares are to be corrected for the model's error.
        exposure: of each group.
        seen: whether the tables are to be read, or are for `counts.csv` alone.
    """

    counts: Tally
    finish: Callable[[pd.DataFrame], Iterable[Table]]
    by: tuple[str, ...] = ()
    corrected: bool = False
    exposure: Mapping[Group, int] | None = None
    seen: bool = True


def build(
    table: pa.Table,
    by: Sequence[str],
    rules: Policy,
    title: str,
    removed: Sequence[Removed] = (),
    wanted: Wanted | None = None,
) -> Report:
    """Count everything that a report shows.

    Args:
        table: tagged rows, with the columns that `with_roles` adds.
        by: grouping columns.
        rules: the disclosure policy.
        title: for people.
        removed: what filters took away before.
        wanted: what else is asked for.

    Raises:
        InputError: when the rows are not tagged, a column of `by` can't be grouped by, or a note is to a table
            that the report does not have.
    """
    wanted = wanted or Wanted()
    _check_groups(table, by)
    year = YEAR in table.column_names and _any(table, YEAR)
    dated = year and "received" in table.column_names
    period = (wanted.trend or _period(table)) if dated else None
    outcome = "outcome" in table.column_names and "outcome" not in by and _any(table, "outcome")
    extra = [name for name, there in ((YEAR, year), ("outcome", outcome)) if there and name not in by]
    dates = [*_needed_periods([*by, *([period] if period else [])]), "received"] if dated else []
    more = [] if wanted.exposure is None else wanted.exposure.by
    counted = counted_cases(table, dict.fromkeys([*by, *extra, *dates, *more]))
    wanted = replace(wanted, exposure=_within(wanted.exposure, counted))
    statuses = _statuses(table)
    labels = dict(zip(counted.themes, unique(map(theme_label, counted.themes)), strict=True))

    unit = next((name for name in by if name not in PERIODS), None)
    drafts = [_overall(counted, wanted), _together(counted, rules)]
    drafts += [_crossed_to(counted, crosswalk) for crosswalk in wanted.crosswalks]
    drafts += [_grouped(counted, (name,), labels, rules, wanted) for name in ([YEAR] if YEAR in extra else [])]
    drafts += [_trend(counted, period, labels, rules)] if period else []
    drafts += [_grouped(counted, (name,), labels, rules, wanted) for name in by]
    drafts += [_returns(counted, unit, labels, rules)] if year else []
    drafts += [_outcomes(counted, rules)] if outcome else []
    # Under a policy always: without it, that none is for review would be known.
    drafts += [_unsure(counted)] if not rules.exact or (counted.cases["status"] == "review").any() else []
    if len(by) > 1 and _few(counted, by, rules):
        drafts.append(_all_crossed(counted, tuple(by), rules, wanted))
    elif len(by) > 1:
        wanted = replace(wanted, notes={**wanted.notes, by[0]: (*wanted.notes.get(by[0], ()), _NOT_CROSSED)})
    rows = {
        **statuses,
        _TOTAL: table.num_rows + sum(one.rows or 0 for one in removed),
        _REPEATS: sum(statuses[status] for status in COUNTED) - len(counted.cases),
        **{f"filter {one.reason}": one.rows or 0 for one in removed},
    }
    counted_rows = Tally((), (), (), {(): {(name, ROWS): amount for name, amount in rows.items()}})
    tallies = [*(draft.counts for draft in drafts), counted_rows]
    # All at once: a count that one table hides may follow from another.
    within = [*_unseen(counted, tallies, wanted.crosswalks)] if rules.secondary else []
    *hidden, hidden_rows = protect(tallies, rules, [*_row_sums(tallies)], within)
    seen: list[Table] = []
    unseen: list[Table] = []
    for draft, some in zip(drafts, hidden, strict=True):
        (seen if draft.seen else unseen).extend(_published(draft, some, counted, rules, wanted))
    told = {
        name: None if ((), (name, ROWS)) in hidden_rows else shown((name, ROWS), n, rules) for name, n in rows.items()
    }
    return Report(
        title=title,
        rules=rules,
        themes=labels,
        models=_models(table),
        tables=tuple(_noted(sorted(seen, key=_place), wanted.notes)),
        unseen=tuple(unseen),
        rows={status: told[status] for status in statuses},
        total=told[_TOTAL],
        repeats=told[_REPEATS],
        review=_reviewed(seen),
        removed=tuple(Removed(one.reason, told[f"filter {one.reason}"]) for one in removed),
    )


def combination_label(key: str, labels: Mapping[str, str]) -> str:
    """The name of a combination of themes, as the table of themes raised together lists them."""
    if key in (NONE, OTHER):
        return {NONE: NONE_LABEL, OTHER: heading(OTHER)}[key]
    parts = [labels[theme] for theme in key.split(_AND)]
    return f"{parts[0]} only" if len(parts) == 1 else listed([parts[0], *map(inside, parts[1:])])


def _check_groups(table: pa.Table, by: Sequence[str]) -> None:
    for name in by:
        if name in _RESERVED:
            raise InputError(f"can't group by {name!r}: the table of counts has a column of that name; rename yours")
        if name in table.column_names and pa.types.is_nested(table.schema.field(name).type):
            raise InputError(f"can't group by {name!r}: its cells are lists or records, not single values")


def _row_sums(tallies: Sequence[Tally]) -> Iterator[Terms]:
    """How the rows of the input, the last of the tables, add up to each other and to cases: sums that are 0."""
    last = len(tallies) - 1
    (rows,) = tallies[last].groups.values()
    kinds = {name: (last, (), (name, ROWS)) for name, _ in rows}
    parts = {figure: 1.0 for name, figure in kinds.items() if name not in (_TOTAL, _REPEATS)}
    yield {**parts, kinds[_TOTAL]: -1.0}
    counted = {kinds[status]: 1.0 for status in COUNTED}
    yield {**counted, kinds[_REPEATS]: -1.0, (0, (), (ALL, "cases")): -1.0}
    place = next((n for n, one in enumerate(tallies) if one.by == (_FOR_REVIEW,)), None)
    if place is not None:
        # So it is unless rows of one case differ in this.
        for status, group, theme in (("review", "yes", ALL), ("no_theme", "no", NONE)):
            cell = (theme, "cases")
            if tallies[place].groups[group,][cell] == rows[status, ROWS]:
                yield {kinds[status]: 1.0, (place, (group,), cell): -1.0}


def _published(draft: _Draft, hidden: Hidden, counted: Counted, rules: Policy, wanted: Wanted) -> Iterator[Table]:
    more: list[More] = []
    if draft.corrected and wanted.errors:
        more.append(estimates(counted, draft.counts.by, rules, wanted.errors))
    if draft.exposure is not None:
        more.append(partial(rates, draft.exposure, wanted.per))
    data = publish(draft.counts, rules, hidden, more)
    large = any(
        rules.show(draft.counts.groups[group][cell]) is not None for group, cell in hidden if cell[1] != "mentions"
    )
    for table in draft.finish(data.drop(columns=[name for name in draft.counts.by if name not in draft.by])):
        yield replace(table, notes=(*table.notes, _LARGE)) if large else table


def _reviewed(tables: Sequence[Table]) -> int | None:
    table = next((table for table in tables if table.kind == UNSURE), None)
    marked = figures(table).get("yes") if table else None
    return 0 if marked is None else marked[ALL, "cases"].count


def _place(table: Table) -> int:
    """Where in the report a table stands: what is asked first comes first, what is for specialists last."""
    return _ORDER.index(table.kind) if table.kind in _ORDER else _ORDER.index(RECURRENCE)


def _noted(tables: Sequence[Table], notes: Mapping[str, Sequence[str]]) -> list[Table]:
    names = [table.name for table in tables]
    for name in notes:
        if name not in names:
            raise InputError(f"a note to {name!r}: the report has no such table; it has {', '.join(map(repr, names))}")
    added = {name: tuple(text for text in map(clean, some) if text) for name, some in notes.items()}
    return [replace(table, notes=(*table.notes, *added.get(table.name, ()))) for table in tables]


def _needed_periods(names: Sequence[str]) -> list[str]:
    """The periods among the names, and all wider ones."""
    ranks = [*PERIODS]
    return ranks[: max((ranks.index(name) + 1 for name in names if name in ranks), default=0)]


def _nested(counted: Counted, by: tuple[str, ...]) -> tuple[str, ...]:
    """The columns, and before them the periods wider than theirs: so `protect` sees that they add up to these."""
    wider = [name for name in _needed_periods(by) if name not in by and name in counted.cases]
    for name in wider:
        for own in (own for own in by if own in PERIODS):
            # A column of the export may be called a quarter and lie across our years.
            if counted.cases.groupby(own)[name].nunique().max() > 1:
                return by
    return (*wider, *by)


def _period(table: pa.Table) -> str | None:
    """By what a trend is drawn."""
    days = [day for day in map(parse_date, table["received"].to_pylist()) if day is not None]
    if not days:
        return None
    first, last = (str(quarter(day)) for day in (min(days), max(days)))
    quarters = (int(last[:4]) - int(first[:4])) * 4 + int(last[-1]) - int(first[-1]) + 1
    return "quarter" if quarters >= _QUARTERS else "month"


def _within(exposure: Exposed | None, counted: Counted) -> Exposed | None:
    """Exposure in the periods of the cases alone: others would thin the rates of what is added up over periods."""
    if exposure is None:
        return None
    names = [name for name in exposure.by if name in PERIODS]
    return exposure.during({name: set(map(str, counted.cases[name])) for name in names})


def _exposed(counted: Counted, by: Sequence[str], wanted: Wanted) -> dict[Group, int] | None:
    """The exposure of each group, where it is known for all of the group's cases."""
    exposure = wanted.exposure
    known = None if exposure is None else exposure.of(by)
    if exposure is None or known is None:
        return None
    cases = counted.cases
    finest = cases[list(exposure.by)].drop_duplicates()
    # A case without a date is in no period, and yet its organisation's.
    dated = ~(finest[[name for name in exposure.by if name in PERIODS]] == NOT_RECORDED).any(axis=1)
    lacking = {
        tuple(row[exposure.by.index(name)] for name in by)
        for row in finest[dated].itertuples(index=False, name=None)
        if tuple(map(clean, row)) not in exposure.numbers
    }
    groups: Iterable[Group] = [()] if not by else cases[list(by)].drop_duplicates().itertuples(index=False, name=None)
    names = {tuple(map(clean, group)): group for group in groups}
    return {names.get(key, key): number for key, number in known.items() if names.get(key, key) not in lacking}


def _overall(counted: Counted, wanted: Wanted) -> _Draft:
    exposure = _exposed(counted, (), wanted)

    def finish(data: pd.DataFrame) -> Iterator[Table]:
        whole = Table(
            OVERALL,
            "Complaints that raise each theme",
            "A complaint counts once under every theme that it raises, so the shares can add to more than 100 %.",
            (),
            data,
            OVERALL,
            unit=_per(wanted),
        )
        yield whole
        yield from details(whole, _subtheme_labels(counted))

    return _Draft(tally(counted, ()), finish, corrected=True, exposure=exposure)


def _per(wanted: Wanted) -> str:
    exposure = wanted.exposure
    return "" if exposure is None else f"per {number(wanted.per)} {inside(heading(exposure.measure))}"


def _subtheme_labels(counted: Counted) -> dict[str, str]:
    """The names of the subthemes, each with that of its theme where the package's taxonomy knows it."""
    above = {sub.id: theme for theme in Taxonomy.default().themes for sub in theme.subthemes}
    names = [
        f"{theme_label(name)} ({inside(above[name].label)})" if name in above else theme_label(name)
        for name in counted.subthemes
    ]
    return dict(zip(counted.subthemes, unique(names), strict=True))


def _unseen(counted: Counted, shown: Sequence[Tally], crosswalks: Iterable[Crosswalk]) -> Iterator[Tally]:
    """Subthemes and categories in the groups of those tables that do not have them."""
    detailed = {one.by for one in shown if one.subthemes}
    left_out = {"outcome", _FOR_REVIEW, *PERIODS} - {YEAR}
    for by in dict.fromkeys(one.by for one in shown if one.by and not left_out & set(one.by)):
        if counted.subthemes and by not in detailed:
            yield tally(counted, by).only("cases")
        for crosswalk in crosswalks:
            yield _categories(counted, crosswalk, by).only("cases")


def _categories(counted: Counted, crosswalk: Crosswalk, by: Sequence[str] = ()) -> Tally:
    """Counts of the categories that something leads to."""
    parts = {
        category: tuple(name for name in counted.subthemes if crosswalk.subthemes.get(name) == category)
        for category in crosswalk.categories
    }
    # The unassigned category holds also what no subtheme tells.
    held = {c: () if c == crosswalk.unassigned else names for c, names in parts.items()}
    held = {c: names for c, names in held.items() if names or c == crosswalk.unassigned}
    mapped = cross(counted, crosswalk)
    counts = tally(replace(mapped, themes=tuple(c for c in mapped.themes if c in held)), by)
    # Mentions of categories, beside those of themes, would tell of single categories.
    kept = counts.only(*{quantity for cells in counts.groups.values() for _, quantity in cells} - {"mentions"})
    return replace(kept, parts=held)


def _crossed_to(counted: Counted, crosswalk: Crosswalk) -> _Draft:
    counts = _categories(counted, crosswalk)
    # That nothing leads to a category says nothing of the complaints.
    empty = [category for category in crosswalk.categories if category not in counts.parts]
    title = {"ko41a": "Subjects of KO41a", "hcat": "Categories of HCAT"}.get(crosswalk.name)
    labels = {category: clean(label) for category, label in crosswalk.categories.items() if category not in empty}
    notes = [
        "Counted from the detailed failings of each complaint, by an editable list of which belongs where; "
        f"“{labels[crosswalk.unassigned]}” takes complaints that raise a theme and no failing that has a place here."
    ]
    if empty:
        named = listed([inside(clean(crosswalk.categories[category])) for category in empty])
        notes.append(f"No failing that the model knows leads to: {named}. They are left out, which does not mean 0.")
    name = clean(crosswalk.name)
    return _Draft(
        counts,
        lambda data: [
            Table(
                name,
                title or f"Categories of {heading(name)}",
                "The same complaints by the categories of another classification; a complaint counts once in each "
                "that it raises.",
                (),
                data,
                CROSSWALK,
                tuple(notes),
                labels=labels,
            )
        ],
    )


def _grouped(counted: Counted, by: tuple[str, ...], themes: Mapping[str, str], rules: Policy, wanted: Wanted) -> _Draft:
    name = listed([inside(heading(column)) for column in by])
    notes: dict[tuple[str, ...], tuple[str, ...]] = {
        (YEAR,): ("A financial year runs from 1 April to 31 March. The first and the last may not be complete.",),
        ("organisation",): (
            "Organisations differ in size, in services and in how they record complaints: a difference is a "
            "question to ask, not a verdict.",
        ),
    }
    exposure = _exposed(counted, by, wanted)

    def finish(data: pd.DataFrame) -> Iterator[Table]:
        table = Table(
            by[0],
            f"Themes by {name}",
            f"Shares are of the complaints in each row ({name}), with 95 % intervals.",
            by,
            _last(data, by[0]),
            GROUPS,
            (*notes.get(by, ()), *too_small(data, [*themes])),
            unit=_per(wanted),
        )
        yield table
        yield from of_groups(table, themes)

    return _by(counted, by, finish, rules, exposure)


def _by(
    counted: Counted,
    by: tuple[str, ...],
    finish: Callable[[pd.DataFrame], Iterable[Table]],
    rules: Policy,
    exposure: dict[Group, int] | None,
) -> _Draft:
    nested = _nested(counted, by)
    if nested == by:
        # Where a 0 may not be shown, what has none is not listed: other tables tell that it has none.
        listed = (exposure or ()) if rules.zero_shown else ()
        return _Draft(tally(counted, by, listed), finish, by, corrected=True, exposure=exposure)
    counts = tally(counted, nested)
    known = exposure or {}
    # The columns that were asked for come last.
    held = {group: known[group[-len(by) :]] for group in counts.groups if group[-len(by) :] in known}
    return _Draft(counts, finish, by, corrected=True, exposure=None if exposure is None else held)


def _all_crossed(counted: Counted, by: tuple[str, ...], rules: Policy, wanted: Wanted) -> _Draft:
    # So many small counts of subthemes hide each other, and most of the rest, where that must not be undone.
    kept = replace(counted, subthemes=()) if rules.secondary else counted
    exposure = _exposed(counted, by, wanted)

    def finish(data: pd.DataFrame) -> Iterator[Table]:
        yield Table(_AND.join(by), "", "", by, data, GROUPS)

    return replace(_by(kept, by, finish, rules, exposure), seen=False)


def _trend(counted: Counted, period: str, themes: Mapping[str, str], rules: Policy) -> _Draft:
    by = (period,)
    counts = tally(replace(counted, subthemes=()), _nested(counted, by)).only("cases")
    days = _days(counted) if rules.exact else {}
    labels = {**themes, **_subtheme_labels(counted)}

    def finish(data: pd.DataFrame) -> Iterator[Table]:
        table = Table(
            TREND,
            "Is it changing?",
            f"How many complaints raise each theme, by {period}, against the limits of chance.",
            by,
            _last(data, period),
            TREND,
        )
        table = trend(table, themes, rules.exact)
        yield table
        seldom = rare(table, days, labels) if days else None
        if seldom is not None:
            yield seldom

    return _Draft(counts, finish, by)


def _days(counted: Counted) -> dict[str, list[date]]:
    """When the cases that raise each theme and subtheme were received."""
    days = [parse_date(cell) for cell in counted.cases["received"]]
    return {
        label: [day for day, raised in zip(days, counted.cases["p_" + label], strict=True) if raised and day]
        for label in (*counted.themes, *counted.subthemes)
    }


def _few(counted: Counted, by: Sequence[str], rules: Policy) -> bool:
    """Whether the groups are few enough for their small counts to be protected from each other."""
    return not rules.secondary or len(counted.cases[[*by]].drop_duplicates()) <= _PROTECTED


def _returns(counted: Counted, unit: str | None, themes: Mapping[str, str], rules: Policy) -> _Draft:
    left_out = ""
    if unit is not None and not _few(counted, (unit, YEAR), rules):
        left_out = (
            f"Not asked of each {inside(heading(unit))}: under this disclosure policy too much would have to be hidden "
            "of so many small counts for anything to be said."
        )
        unit = None
    by = (YEAR,) if unit is None else (unit, YEAR)
    counts = tally(replace(counted, subthemes=()), by)
    rated = any(quantity == "resolved" for cells in counts.groups.values() for _, quantity in cells)
    wanted = ("upheld", "resolved") if rated else ("found", *WHOLES["found"])
    counts = counts.only("cases", *wanted, "graded", *WHOLES["graded"])
    return _Draft(counts, lambda data: [returns(data, themes, unit, left_out)], by)


def _unsure(counted: Counted) -> _Draft:
    cases = counted.cases
    marked = ["yes" if status == "review" else "no" for status in cases["status"]]
    assigned = Counted(cases.assign(**{_FOR_REVIEW: marked}), counted.themes)
    counts = tally(assigned, (_FOR_REVIEW,), [("no",), ("yes",)]).only("cases")
    return _Draft(
        counts,
        lambda data: [
            Table(
                UNSURE,
                "What the model is unsure of",
                "Complaints that it marked for a person to look at, because a theme was near the line between raised "
                "and not raised. They are counted like any other.",
                (_FOR_REVIEW,),
                data,
                UNSURE,
            )
        ],
        (_FOR_REVIEW,),
    )


def _last(data: pd.DataFrame, name: str) -> pd.DataFrame:
    """With what is not recorded at the end, where a reader looks for it, not between N and O."""
    last = data[name].map(lambda value: isinstance(value, str) and value == NOT_RECORDED).astype(bool)
    return pd.concat([data[~last], data[last]], ignore_index=True)


def _together(counted: Counted, rules: Policy) -> _Draft:
    """Cases by the exact combination of themes: each combination is counted as if it were a theme."""
    flags = counted.cases[["p_" + theme for theme in counted.themes]].to_numpy(bool)
    keys = [_AND.join(t for t, raised in zip(counted.themes, row, strict=True) if raised) for row in flags]
    listed_all = len(counted.themes) <= _ALL_COMBINATIONS_TO
    chosen = _combinations(counted.themes) if listed_all else _frequent(keys, counted.themes, rules)
    frame = pd.DataFrame({"outcome": None}, index=counted.cases.index)
    columns = {"p_" + key: [key == found for found in keys] for key in chosen}
    if not listed_all:
        columns["p_" + OTHER] = [bool(found) and found not in chosen for found in keys]
        chosen = (*chosen, OTHER)
    frame = pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)
    counts = tally(Counted(frame, chosen), ()).only("cases", exact=True)
    notes = () if listed_all else (f"At most the {_COMBINATIONS} most frequent combinations are listed.",)
    return _Draft(
        counts,
        lambda data: [
            Table(
                TOGETHER,
                "Themes raised together",
                "Each complaint is in one row only: that of exactly the themes it raises.",
                (),
                data,
                TOGETHER,
                notes,
            )
        ],
    )


def _combinations(themes: Sequence[str]) -> tuple[str, ...]:
    sizes = range(1, len(themes) + 1)
    return tuple(_AND.join(some) for size in sizes for some in combinations(themes, size))


def _frequent(keys: Sequence[str], themes: Sequence[str], rules: Policy) -> tuple[str, ...]:
    # Chosen by the counts that may be shown, so that the choice tells no more than they do. Where one is hidden for
    # another's sake, its place between its neighbours would tell of it: then the order is that of the themes.
    place = {theme: index for index, theme in enumerate(themes)}
    counts = {key: rules.show(cases) for key, cases in Counter(keys).items() if key}

    def plain(key: str) -> tuple[object, ...]:
        return len(key.split(_AND)), [place[theme] for theme in key.split(_AND)], key

    order = sorted((key for key, count in counts.items() if count), key=lambda key: (-(counts[key] or 0), plain(key)))
    most = order[:_COMBINATIONS]
    return tuple(sorted(most, key=plain) if rules.secondary else most)


def _outcomes(counted: Counted, rules: Policy) -> _Draft:
    known = {NOT_RECORDED: "not_recorded", **{outcome: outcome for outcome in OUTCOMES}}
    # What is none of the library's outcomes is free text from the export: one group, not one each.
    outcome = [known.get(str(value), "other") for value in counted.cases["outcome"]]
    order = [*OUTCOMES, "other", "not_recorded"]
    # Under a policy all are listed: one that was not would be known to have no case.
    groups = [] if rules.exact else [(name,) for name in order]
    counts = tally(Counted(counted.cases.assign(outcome=outcome), counted.themes), ("outcome",), groups)
    counts = replace(counts, groups={(name,): counts.groups[name,] for name in order if (name,) in counts.groups})
    note = (
        "Upheld rate: cases upheld or partly upheld, of those resolved (upheld, partly upheld or not upheld). It is of "
        "the whole complaint, which may raise other themes too."
    )
    # The rates per theme are in the overall table.
    return _Draft(
        counts.only("cases", "mentions"),
        lambda data: [
            Table(
                OUTCOME,
                "Outcome by theme",
                "What the organisations decided about the complaints that raise each theme.",
                ("outcome",),
                data,
                OUTCOME,
                (note,),
            )
        ],
        ("outcome",),
    )


def _statuses(table: pa.Table) -> dict[str, int]:
    found = Counter("" if status is None else str(status) for status in table["status"].to_pylist())
    return {status: found[status] for status in (*STATUSES, *sorted(set(found) - set(STATUSES)))}


def _models(table: pa.Table) -> tuple[str, ...]:
    if "model" not in table.column_names:
        return ()
    names = pc.unique(table["model"]).to_pylist()
    return tuple(sorted({clean(name) for name in names if name is not None and clean(name)}))


def _any(table: pa.Table, name: str) -> bool:
    return any(value is not None and str(value).strip() for value in table[name].to_pylist())
