"""Further tables, made of tables that have passed the disclosure policy already: they can show nothing more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

import pandas as pd

from complaintnlp.counting import control_chart, funnel, g_chart, recurrence
from complaintnlp.counting.prevalence import MIN_CASES
from complaintnlp.counting.tagged import NOT_RECORDED, PERIODS
from complaintnlp.counting.tally import ALL
from complaintnlp.counting.trend import FEW_POINTS
from complaintnlp.report.shapes import (
    ESTIMATES,
    FINDINGS,
    FUNNEL,
    RARE,
    RATES,
    RECURRENCE,
    SEVERITY,
    SUBTHEMES,
    TREND,
    Table,
)
from complaintnlp.report.words import heading, inside, listed, number

FEW_GROUPS = 10
"""Groups under which a funnel says little of how much they differ beyond chance."""
_LEAST_GROUPS = 3
_RARE = 1.0
"""Cases a period under which the time between them tells more than their number."""
_LEAST_EVENTS = 3
UNRELIABLE_NOTE = (
    f"[u]: there are fewer than {MIN_CASES} complaints in the group, or too few like them were known in training, to "
    "correct the share for the model’s error."
)


def details(whole: Table, labels: Mapping[str, str]) -> Iterator[Table]:
    """Of all cases: the subthemes, what was found of the themes, and severity, each where the cases have it."""
    measures = set(whole.data["measure"])
    if labels:
        yield replace(
            whole,
            name=SUBTHEMES,
            kind=SUBTHEMES,
            title="Failings in more detail",
            caption="A complaint counts once under every failing that it raises. The theme of each is in brackets.",
            labels=labels,
            notes=_unreliable(whole.data, [*labels]),
        )
    if "finding_upheld" in measures:
        yield replace(
            whole,
            name=FINDINGS,
            kind=FINDINGS,
            title="What the texts say was found",
            caption="Of the complaints that raise a theme: whether the text says only that it was complained of, or "
            "also that it was looked into and found, or not found.",
            notes=("A letter of complaint seldom says what was found; a decision or a summary does.",),
        )
    if "severity_high" in measures:
        yield replace(
            whole,
            name=SEVERITY,
            kind=SEVERITY,
            title="How severe the complaints are",
            caption="Shares are of the graded complaints that raise each theme.",
            notes=("The grade is the export’s own. People seldom agree on it: take small differences for none.",),
        )


def of_groups(table: Table, themes: Mapping[str, str]) -> Iterator[Table]:
    """Of a table by one column: shares corrected for the model's error, rates, and a funnel, where they can be had."""
    measures, (name,) = set(table.data["measure"]), table.by
    told = inside(heading(name))
    if "estimated_share" in measures and _any_estimate(table.data, [*themes]):
        yield replace(
            table,
            name=f"{name} {ESTIMATES}",
            kind=ESTIMATES,
            title=f"Shares by {told}, corrected for the model’s error",
            caption="What the share would be if the model made no mistakes, with its 95 % interval.",
            notes=_unreliable(table.data, [*themes]),
        )
    if "rate" in measures:
        yield replace(
            table,
            name=f"{name} {RATES}",
            kind=RATES,
            title=f"Rates by {told}",
            caption=f"Complaints that raise each theme {table.unit}, with 95 % intervals (Byar).",
            notes=(),
        )
    groups = table.data.loc[(table.data["theme"] == ALL) & table.data["value"].notna(), name].nunique()
    if name not in PERIODS and groups >= _LEAST_GROUPS:
        yield _funnel(table, [*themes], told)


def _any_estimate(data: pd.DataFrame, themes: Sequence[str]) -> bool:
    rows = data[(data["measure"] == "estimated_share") & data["theme"].isin(themes)]
    return bool(rows["value"].notna().any())


def too_small(data: pd.DataFrame, themes: Sequence[str]) -> tuple[str, ...]:
    """That no group of a table is large enough for corrected shares, where that is so."""
    if not (data["measure"] == "estimated_share").any() or _any_estimate(data, themes):
        return ()
    return (
        f"Shares corrected for the model’s error are not given: each group has fewer than {MIN_CASES} complaints, or "
        "too few to publish.",
    )


def _unreliable(data: pd.DataFrame, themes: Sequence[str]) -> tuple[str, ...]:
    rows = data[(data["measure"] == "estimated_share") & data["theme"].isin(themes)]
    return (UNRELIABLE_NOTE,) if (rows["symbol"] == "[u]").any() else ()


def _funnel(table: Table, themes: Sequence[str], told: str) -> Table:
    """Whether groups differ by more than chance in the share of each theme, and in the upheld rate."""
    (name,) = table.by
    known = table.data[table.data[name] != NOT_RECORDED]
    parts = [funnel(known[known["theme"].isin(themes)], "share").assign(measure="share")]
    if (known["measure"] == "upheld_rate").any():
        parts.append(funnel(known[known["theme"] == ALL], "upheld_rate").assign(measure="upheld_rate"))
    found = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    few = found[name].nunique() < FEW_GROUPS
    notes = (
        "Inside the 95 % limits a difference may be chance; one in twenty lies outside them by chance alone. Outside "
        "the 99.8 % limits it hardly is. The limits are wider where all differ more than by chance (Spiegelhalter "
        "2005).",
        "A difference is a question to ask, not a verdict: services and how complaints are recorded differ too.",
        *(
            [f"There are fewer than {FEW_GROUPS} to compare, too few to say how much they differ beyond chance."]
            if few
            else []
        ),
    )
    return replace(
        table,
        name=f"{name} {FUNNEL}",
        kind=FUNNEL,
        title=f"Which {told}s stand out" if told == "organisation" else f"What stands out by {told}",
        caption="Where a figure lies against the limits for a group of its size; inside means within the 95 % limits.",
        derived=found,
        notes=notes,
    )


def trend(table: Table, themes: Mapping[str, str], exact: bool) -> Table:
    """The same counts with the limits and signals of XmR charts."""
    (period,) = table.by
    kept = table.data[table.data["theme"].isin([ALL, *themes])]
    chart = control_chart(kept, "cases")
    notes = [
        f"Limits are those of an XmR chart (mean ± 2.66 × mean moving range). Signals, as in NHS England’s Making Data "
        f"Count: outside a limit; shift (7 {period}s on one side of the mean); trend (7 that rise or fall); near a "
        "limit (2 of 3 in the outer third).",
        "A signal says that more than chance is at work, not what. The first and the last may not be complete.",
    ]
    if chart["few"].any():
        notes.insert(0, f"There are under {FEW_POINTS} {period}s with a figure: the limits are not to be relied on.")
    if not exact:
        notes.append(
            "Days between complaints of rare themes are left out: they would show the dates of single complaints, "
            "which this disclosure policy does not allow."
        )
    return replace(table, name=TREND, kind=TREND, derived=chart, notes=tuple(notes))


def rare(table: Table, days: Mapping[str, Sequence[date]], labels: Mapping[str, str]) -> Table | None:
    """The days between the complaints of each theme and subtheme that is rarer than one a period.

    Args:
        table: a trend.
        days: when the cases that raise each were received. True dates: only where the policy shows every count.
        labels: of each, in the table's order.
    """
    (period,) = table.by
    periods = max(table.data[period].nunique(), 1)
    parts = [
        g_chart(days[theme]).assign(theme=theme)
        for theme in labels
        if _LEAST_EVENTS <= len(days[theme]) < _RARE * periods
    ]
    if not parts:
        return None
    return Table(
        RARE,
        "Rare failings: days between complaints",
        f"For what is raised less than once a {period}, the time between two complaints tells more than their number.",
        (),
        table.data,
        RARE,
        (
            "Limit of a g chart: a gap above it says that the failing has become rarer. "
            f"Under {FEW_POINTS} gaps the limit is not to be relied on.",
        ),
        pd.concat(parts, ignore_index=True),
        labels,
    )


def returns(data: pd.DataFrame, themes: Mapping[str, str], unit: str | None, left_out: str = "") -> Table:
    """Whether each failing comes back after it was upheld, group by group; `unit` is the column of the groups."""
    (period,) = (name for name in data.columns if name in PERIODS)
    kept = data[data["theme"].isin([*themes])]
    upheld = "the organisation upheld a complaint that raises it" if (kept["measure"] == "upheld_rate").any() else (
        "the text of a complaint says that it was upheld"
    )  # fmt: skip
    whom = "for all complaints together" if unit is None else f"for each {inside(heading(unit))}"
    notes = [
        *([left_out] if left_out else []),
        f"Asked of each theme, {whom}: the first year in which {upheld}, and whether it was upheld, or at least "
        "raised, in a later year. The same theme need not be the same mistake.",
        "Falls, rises: the number of complaints that raise it changed over the years by more than chance (Kendall’s "
        "tau, p under .05). Too few: under four years.",
    ]
    if (kept["measure"] == "upheld_rate").any():
        notes.append("An outcome is of the whole complaint, which may raise other themes too.")
    return Table(
        RECURRENCE,
        "Has the same failing come back?",
        "Whether a theme was upheld, or raised, in a year after the first in which it was upheld.",
        tuple(name for name in data.columns if name in (unit, period)),
        data,
        RECURRENCE,
        tuple(notes),
        recurrence(kept),
    )


def returned(table: Table, themes: Mapping[str, str]) -> Iterator[tuple[str, int, int, int, int]]:
    """For each theme its label, and how many groups it was upheld in, upheld again, raised again, and not known of."""
    assert table.derived is not None
    for theme, label in themes.items():
        rows = table.derived[table.derived["theme"] == theme]
        first = rows[rows["upheld_first"] != ""]
        again = first["upheld_again"] == "yes"
        only_raised = ~again & (first["raised_again"] == "yes")
        unknown = ~again & ~only_raised & ((first["upheld_again"] == "[c]") | (first["raised_again"] == "[c]"))
        yield label, len(first), int(again.sum()), int(only_raised.sum()), int(unknown.sum())


def signals_told(table: Table) -> dict[str, str]:
    """What a trend shows, in words, for each theme with a figure."""
    assert table.derived is not None
    (period,) = table.by
    told = {}
    for theme in dict.fromkeys(table.derived["theme"]):
        chart = table.derived[table.derived["theme"] == theme]
        if chart.empty or chart["centre"].isna().all():
            continue
        centre, lower, upper = (float(chart[name].iloc[0]) for name in ("centre", "lower", "upper"))
        limits = f"Mean {centre:.1f} a {period}, limits {lower:.1f} to {upper:.1f}"
        found = [f"{words} {_spans(places)}" for words, places in _signals(chart, period).items()]
        told[theme] = f"{limits}. {_capital('; '.join(found)) if found else 'No signal'}."
    return told


def latest_signal(table: Table, theme: str) -> str:
    """Whether the latest shown point of a series is part of a signal: `above the mean`, `below the mean` or blank."""
    assert table.derived is not None
    chart = table.derived[(table.derived["theme"] == theme) & table.derived["value"].notna()]
    # The last period may not be complete: a fall in it is no news.
    last = chart.tail(2).head(1)
    if last.empty or last["few"].item() or not last["signal"].item():
        return ""
    return "above the mean" if last["value"].item() > last["centre"].item() else "below the mean"


_WORDS = {"outside": "outside a limit", "shift": "shift", "trend": "trend", "near_limit": "near a limit"}


def signal_words(signal: str) -> str:
    """A signal for people."""
    return ", ".join(_WORDS[name] for name in signal.split("; ")) if signal else ""


def _signals(chart: pd.DataFrame, period: str) -> dict[str, list[tuple[str, str]]]:
    """For each kind of signal the runs of periods, first and last, that are part of it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, words in _WORDS.items():
        inside_run = False
        for when, signal in zip(chart[period], chart["signal"], strict=True):
            if name in signal.split("; "):
                runs = found.setdefault(words, [])
                runs[-1:] = [(runs[-1][0], when)] if inside_run else [*runs[-1:], (when, when)]
                inside_run = True
            else:
                inside_run = False
    return found


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _spans(runs: Sequence[tuple[str, str]]) -> str:
    named = [first if first == last else f"{first} to {last}" for first, last in runs]
    return f"in {listed(named)}" if len(named) <= 3 else f"in {number(len(named))} places, the last {named[-1]}"
