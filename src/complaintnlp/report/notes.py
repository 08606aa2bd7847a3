"""What a report says beside its tables: the summary, what was left out, method and limits, symbols."""

from __future__ import annotations

from collections.abc import Mapping

from complaintnlp.counting.tagged import PERIODS
from complaintnlp.counting.tally import ALL, NONE
from complaintnlp.report.shapes import (
    FUNNEL,
    RECURRENCE,
    SUBTHEMES,
    TREND,
    YEAR,
    Figure,
    Figures,
    Report,
    Table,
    figures,
    group_names,
)
from complaintnlp.report.views import latest_signal, returned
from complaintnlp.report.words import NBSP, between, clean, heading, inside, listed, number, percent, short

SYMBOLS = (
    ("[c]", "Confidential: too few cases to publish, or a figure that would give such a number away."),
    ("[z]", "Not applicable: there are no cases to take a share of, or the figure has no interval."),
    ("[x]", "Not available: what the figure would be made from was not given."),
    ("[u]", "Unreliable: too few cases to estimate from."),
)
QUOTED = (
    "These sentences are quoted from complaints: those that made the model raise the theme where it was surest.",
    "A machine masked names, numbers and addresses in them. It may miss some, and what happened may tell who it was.",
    "A person must read them before this report leaves.",
)
"""What stands above example passages."""
_NAMED = 5
"""Themes that the summary names at most."""
_FAILINGS = 3
"""Subthemes that the summary names at most."""
_REASONS = {
    "empty": "no text",
    "too_long": "longer than the model reads",
    "": "not classified (no status)",
}


def summary(report: Report) -> list[str]:
    """The findings in plain sentences, from the figures of the tables."""
    overall = figures(report.tables[0])[""]
    cases = overall[ALL, "cases"].count
    if cases == 0:
        return ["There were no complaints to count."]
    if cases is None:
        return ["The number of complaints is too small to publish."]
    return [_read(report, cases), *_raised(report, overall), *_upheld(report, overall)]


def points(report: Report) -> list[str]:
    """What the further tables tell, a sentence or two each."""
    tell = {SUBTHEMES: _frequent, TREND: _changing, FUNNEL: _apart, RECURRENCE: _back}
    found = [
        sentence for kind, say in tell.items() if (table := report.of_kind(kind)) for sentence in say(table, report)
    ]
    return [*found, review(report)]


def _frequent(table: Table, _: Report) -> list[str]:
    found = figures(table)[""]
    shares = largest_first({label: found[theme, "share"] for theme, label in table.labels.items()})
    named = [f"{inside(label)} {figure_text(figure)}" for label, figure in shares.items() if figure.value][:_FAILINGS]
    return [f"In more detail, the most frequent failings were: {', '.join(named)}."] if named else []


def _changing(table: Table, report: Report) -> list[str]:
    assert table.derived is not None
    (period,) = table.by
    if table.derived["few"].any():
        return [f"There are too few {period}s with a figure to say whether numbers rise or fall."]
    sides = {theme: latest_signal(table, theme) for theme in (ALL, *report.themes)}
    found = []
    for side, told in (("above the mean", "more"), ("below the mean", "fewer")):
        named = [
            "complaints in all" if theme == ALL else f"those that raise {inside(report.themes[str(theme)])}"
            for theme, own in sides.items()
            if own == side
        ]
        if named:
            found.append(f"By {period}, there have lately been {told} than chance explains of {listed(named)}.")
    return found or [f"No theme is lately raised more or less often, by {period}, than chance explains."]


def _apart(table: Table, report: Report) -> list[str]:
    assert table.derived is not None
    (name,) = table.by
    out = table.derived.assign(group=group_names(table.derived[name]))
    out = out[out["signal"].astype(str).str.contains("99.8", regex=False)]
    total, found = table.derived[name].nunique(), []
    for (theme, measure), part in out.groupby(["theme", "measure"], sort=False):
        what = (
            "the upheld rate"
            if measure == "upheld_rate"
            else f"the share that raises {inside(report.themes[str(theme)])}"
        )
        groups = [
            f"{short(group, 60)} ({signal.partition(' ')[0]})"
            for group, signal in zip(part["group"], part["signal"], strict=True)
        ][:_NAMED]
        more = len(part) - len(groups)
        groups += [f"{more} more"] if more else []
        found.append(f"For {what}, outside the 99.8 % limits of chance: {listed(groups)}, of {number(total)}.")
    return found or [f"By {inside(heading(name))}, none of {number(total)} lies outside the 99.8 % limits of chance."]


def _back(table: Table, report: Report) -> list[str]:
    units = [name for name in table.by if name not in PERIODS]
    if not units:
        return []
    noun = inside(heading(units[0]))
    parts = [
        f"{inside(label)} in {number(again)} of {number(first)}"
        for label, first, again, _, _ in returned(table, report.themes)
        if first
    ]
    if not parts:
        return []
    return [f"Where a theme had been upheld, it was upheld again in a later year ({noun} by {noun}): {listed(parts)}."]


def left_out(report: Report) -> list[str]:
    """What was left out or put together, and why, one sentence each."""
    found = [f"{_rows(report, one.rows)} left out by a filter: {one.reason}." for one in report.removed]
    for status, rows in report.rows.items():
        if rows != 0 and status not in ("classified", "no_theme", "review"):
            reason = _REASONS.get(status, f"status “{short(clean(status), 80)}”, so no themes could be read")
            found.append(f"{_rows(report, rows)} left out: {reason}.")
    if report.repeats != 0:
        found.append(
            f"{_rows(report, report.repeats)} put together with an earlier row of the same case: a case "
            "counts once, under every theme of its rows."
        )
    return found or ["Nothing was left out."]


def review(report: Report) -> str:
    """How many cases the model was unsure of."""
    if report.review == 0:
        return "No complaint was marked for review."
    what = _amount(report, report.review, "complaint")
    return f"{what} marked for review, because the model was unsure of a theme. They are counted like any other."


def method(report: Report) -> list[tuple[str, str]]:
    """Method and limits: a heading and a paragraph each."""
    models = listed(list(report.models)) if report.models else "a model that the input does not name"
    return [
        (
            "Themes come from a model",
            f"A model, not a person, read each complaint and marked every theme that it found: {models}. It "
            "misses some and marks some wrongly, so the counts carry the model’s own error.",
        ),
        ("Cases to look at", review(report)),
        (
            "How cases are counted",
            "A complaint counts once in the total and once under every theme that it raises, as in KO41a, the "
            "return of NHS written complaints. Mentions are complaints added up over themes.",
        ),
        (
            "What a theme means",
            "A theme says what the complaint is about, whoever is right. Whether it was upheld is the "
            "organisation’s own decision.",
        ),
        (
            "Intervals",
            "The figures in brackets after a share are its 95 % interval (Wilson): the range in which chance "
            "alone would leave the share, with this many cases. It does not cover the model’s error.",
        ),
        *_corrected(report),
        (
            "Upheld rate",
            "Complaints upheld or partly upheld, of those resolved (upheld, partly upheld or not upheld); open, "
            "withdrawn and early resolved ones are in neither number.",
        ),
        *([("Example passages", " ".join(QUOTED))] if report.quotes else []),
        ("Small numbers", f"{report.rules.description} (Disclosure policy: {report.rules.name}.)"),
    ]


def _corrected(report: Report) -> list[tuple[str, str]]:
    if not (report.tables[0].data["measure"] == "estimated_share").any():
        return []
    return [
        (
            "Estimated shares",
            "A share corrected for the model’s error (estimated_share in counts.csv) allows for what the model "
            "misses and raises wrongly, as far as its training cases tell, and its interval covers that error too. It "
            "supposes that the model does as well on these complaints as on those.",
        )
    ]


def figure_text(figure: Figure | str | None) -> str:
    """A share with its interval, a count, words, or the symbol that stands for it."""
    if figure is None:
        return "[z]"
    if isinstance(figure, str):
        return figure
    if figure.symbol:
        return figure.symbol
    if figure.value is not None and figure.denominator is not None:
        if figure.low is None or figure.high is None:
            return percent(figure.value)
        return f"{percent(figure.value)} ({between(figure.low, figure.high)})"
    return "[z]" if figure.count is None else number(figure.count)


def rate_text(figure: Figure | str | None) -> str:
    """A rate with its interval, or the symbol that stands for it."""
    if not isinstance(figure, Figure) or figure.value is None or figure.low is None or figure.high is None:
        return figure_text(figure)
    # Three figures that count, for all three alike.
    digits = 0 if figure.value >= 100 else 1 if figure.value >= 10 else 2
    value, low, high = (f"{bound:,.{digits}f}" for bound in (figure.value, figure.low, figure.high))
    return f"{value} ({NBSP.join((low, 'to', high))})"


def largest_first(shares: Mapping[str, Figure]) -> dict[str, Figure]:
    """In the order of the shares as shown; those level, and at the end those not shown, as they were."""
    return dict(sorted(shares.items(), key=lambda pair: (pair[1].value is None, -(pair[1].value or 0))))


def count_text(count: int | None) -> str:
    """A count, or the symbol for one that the policy suppresses."""
    return "[c]" if count is None else number(count)


def _read(report: Report, cases: int) -> str:
    years = report.table(YEAR)
    named = sorted(year for year in figures(years) if year[:1].isdigit()) if years else []
    period = f", received from {named[0]} to {named[-1]}" if len(named) > 1 else ""
    period = f", received in {named[0]}" if len(named) == 1 else period
    return f"{_amount(report, cases, 'complaint')} read{period}."


def _raised(report: Report, overall: Figures) -> list[str]:
    shares = {label: overall[theme, "share"] for theme, label in report.themes.items()}
    shown = [(label, figure) for label, figure in largest_first(shares).items() if figure.value is not None]
    found = []
    if shown:
        label, figure = shown[0]
        parts = [f"{label} was raised in {figure_text(figure)}"]
        parts += [f"{inside(label)} in {figure_text(figure)}" for label, figure in shown[1:_NAMED]]
        found.append(listed(parts) + ".")
    none = overall[NONE, "share"]
    if none.value is not None:
        found.append(f"{figure_text(none)} raised none of these themes.")
    cases, mentions = overall[ALL, "cases"].count, overall[ALL, "mentions"].count
    if cases and mentions:
        found.append(f"On average, a complaint raised {mentions / cases:.1f} themes.")
    return found


def _upheld(report: Report, overall: Figures) -> list[str]:
    rate = overall.get((ALL, "upheld_rate"))
    if rate is None or rate.value is None or rate.denominator is None:
        return []
    about = "about " if report.rules.round_to > 1 else "the "
    return [f"Of {about}{number(rate.denominator)} resolved, {figure_text(rate)} were upheld or partly upheld."]


def _rows(report: Report, rows: int | None) -> str:
    return _amount(report, rows, "row")


def _amount(report: Report, count: int | None, noun: str) -> str:
    """The beginning of a sentence: 412 rows were, About 410 rows were, 1 row was."""
    if count is None:
        return f"A number of {noun}s too small to publish ([c]) was"
    about = "About " if report.rules.round_to > 1 and count else ""
    return f"{number(count)} {noun} was" if count == 1 else f"{about}{number(count)} {noun}s were"
