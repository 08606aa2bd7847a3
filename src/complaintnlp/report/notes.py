"""What a report says beside its tables: the summary, what was left out, method and limits, symbols."""

from __future__ import annotations

from collections.abc import Mapping

from complaintnlp.counting.tally import ALL, NONE
from complaintnlp.report.tables import YEAR, Figure, Figures, Report, figures
from complaintnlp.report.words import between, clean, inside, listed, number, percent, short

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
            "In counts.csv, estimated_share is the share corrected for what the model misses and raises wrongly, as "
            "far as its training cases tell, and its interval covers that error too. It supposes that the model does "
            "as well on these complaints as on those.",
        )
    ]


def figure_text(figure: Figure | None) -> str:
    """A share with its interval, a count, or the symbol that stands for it."""
    if figure is None:
        return "[z]"
    if figure.symbol:
        return figure.symbol
    if figure.value is not None and figure.denominator is not None:
        if figure.low is None or figure.high is None:
            return percent(figure.value)
        return f"{percent(figure.value)} ({between(figure.low, figure.high)})"
    return "[z]" if figure.count is None else number(figure.count)


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
