"""The command line. Results go to stdout, progress and problems to stderr."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from complaintnlp.errors import InputError

if TYPE_CHECKING:
    from complaintnlp.cases import RowProblem

_FORMATS = "csv, tsv, xlsx, jsonl or parquet, by its ending"
_SHOWN_PROBLEMS = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        0 when done, 2 for bad input, 1 for a defect of ours.
    """
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except InputError as error:
        print(f"complaintnlp: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of stdout has had enough; not worth a word.
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print("complaintnlp: stopped", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"complaintnlp: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return 2
    except Exception as error:  # what reaches here is our defect; a narrative's words may be in its message
        where = _last_frame(error)
        print(
            f"complaintnlp: a defect of ours ({type(error).__name__} at {where}). Please report it with this line; "
            "it holds nothing of your data",
            file=sys.stderr,
        )
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="complaintnlp",
        description="Reads healthcare complaint narratives and says which failings they raise. Works offline.",
        epilog="exit codes: 0 done, 2 bad input, 1 a defect of ours. `complaintnlp COMMAND --help` has examples.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    one = _command(
        commands,
        "classify",
        _classify,
        "tag every case of an export with the failings it raises",
        "complaintnlp classify export.xlsx --out tagged.xlsx --text Description --id Reference",
        "The output has one row for each row of the export, in its order, with its columns and: themes, "
        "p_<theme>, subthemes, findings, evidence, "
        "status, model. In csv and tsv a text that a spreadsheet would run as a formula gets a leading "
        "apostrophe (--raw leaves it). "
        "Rows without words are kept with status 'empty'. Rows too long to be read are kept with status "
        "'too_long', and the exit code is 2.",
    )
    one.add_argument("export", metavar="EXPORT", help=f"the export: {_FORMATS}")
    one.add_argument("--out", required=True, metavar="TAGGED", help=f"the file to write: {_FORMATS}")
    _columns(one)
    one.add_argument("--model", metavar="DIR", help="a model folder (default: the shipped model)")
    one.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="processes to use, -1 for one a core (default: 1)"
    )
    one.add_argument(
        "--raw", action="store_true", help="leave cells as they are that a spreadsheet would run as a formula"
    )

    one = _command(
        commands,
        "report",
        _report,
        "count tagged cases by theme and write a report folder",
        "complaintnlp report tagged.xlsx --out report --by organisation --disclosure nhs_hes",
        "The folder holds report.html, report.xlsx, counts.csv and manifest.json. With --verify nothing is written: "
        "the report is made again as its manifest says, and the exit code is 0 only if every file is the same.",
    )
    one.add_argument("tagged", metavar="TAGGED", help="what `classify` wrote")
    where = one.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", metavar="DIR", help="the folder to write")
    where.add_argument(
        "--verify", metavar="DIR", help="a report made from TAGGED earlier: say whether it follows from it"
    )
    one.set_defaults(default=one.get_default)
    one.add_argument(
        "--by",
        nargs="+",
        default=[],
        metavar="COL",
        help="columns to group by: any of the export, or organisation, outcome, financial_year",
    )
    one.add_argument(
        "--disclosure",
        default="none",
        metavar="POLICY",
        help="rule for small counts: none, nhs_hes, under5 or opensafely (default: none)",
    )
    one.add_argument("--title", help="title of the report")
    one.add_argument(
        "--model",
        metavar="DIR",
        help="the model that tagged the cases, to correct shares for its error (default: the shipped one, if it did)",
    )
    for option, what in (("only", "count only rows with this value"), ("exclude", "leave out rows with this value")):
        one.add_argument(
            f"--{option}",
            nargs="+",
            action="extend",
            default=[],
            metavar="COL=VALUE",
            help=f"{what}; several values of one column are alternatives. The report says how many rows it removed",
        )
    one.add_argument(
        "--quotes",
        type=int,
        default=0,
        metavar="N",
        help="print up to N example passages for each theme, identifiers masked by machine; only without a disclosure "
        "policy (default: 0)",
    )
    one.add_argument(
        "--trend",
        choices=["quarter", "month"],
        help="by what the trend is drawn (default: by quarter from 12 quarters on, else by month)",
    )
    one.add_argument(
        "--exposure",
        metavar="FILE",
        help="what groups are exposed to, for rates: a file with columns of TAGGED, such as organisation and "
        "financial_year, and one of numbers, such as bed_days",
    )
    one.add_argument(
        "--per", type=int, default=1000, metavar="N", help="rates are per N of the exposure (default: 1000)"
    )
    one.add_argument(
        "--crosswalk",
        nargs="+",
        default=[],
        metavar="NAME",
        help="count other classifications too: ko41a, hcat, or all of a crosswalk file of your own (toml)",
    )
    one.add_argument(
        "--note",
        nargs="+",
        action="extend",
        default=[],
        metavar="TABLE=TEXT",
        help="a footnote under a table: overall, subthemes, trend, a column of --by ... (a wrong name lists all)",
    )
    for role, what in (("organisation", "organisations"), ("received", "dates received"), ("outcome", "outcomes")):
        one.add_argument(f"--{role}", metavar="COL", help=f"the column of the {what} (default: by its usual names)")

    one = _command(
        commands,
        "train",
        _train,
        "train a model on labelled cases, with any themes",
        "complaintnlp train labelled.csv --out models/mine",
        "Labels: a column `themes` (ids with ; between), or one column of 0 and 1 (or blank) a theme; or JSON "
        "from Label Studio, "
        "Prodigy or doccano.",
    )
    one.add_argument("labelled", nargs="+", metavar="LABELLED", help="labelled cases")
    one.add_argument("--out", required=True, metavar="DIR", help="the model folder to write")
    one.add_argument("--taxonomy", metavar="FILE", help="a taxonomy file (default: the themes that the labels name)")
    one.add_argument(
        "--themes",
        nargs="+",
        default=[],
        metavar="COL",
        help="the columns that are themes, where that is not plain",
    )
    one.add_argument("--drop", nargs="+", default=[], metavar="THEME", help="themes to leave out")
    one.add_argument(
        "--min-cases", type=int, default=1, metavar="N", help="leave out themes with fewer cases (default: 1)"
    )
    _columns(one)

    one = _command(
        commands,
        "retrain",
        _retrain,
        "teach a model newly labelled cases, and keep it only if it is no worse",
        "complaintnlp retrain corrected.xlsx --out models/mine",
        "The new cases join the corpus; old and new model are compared on frozen test cases and on new cases "
        "kept aside. Learning the corpus anew takes some twenty minutes on two cores.",
    )
    one.add_argument(
        "labelled",
        nargs="+",
        metavar="LABELLED",
        help="newly labelled cases, such as a corrected TAGGED file",
    )
    one.add_argument(
        "--out", required=True, metavar="DIR", help="the model folder to write, if the new model is accepted"
    )
    one.add_argument("--base", metavar="DIR", help="the model to start from (default: the shipped model)")
    _columns(one)

    one = _command(
        commands,
        "evaluate",
        _evaluate,
        "measure a model on labelled cases",
        "complaintnlp evaluate labelled.csv --model models/mine",
        "Prints precision, recall, F1 and average precision of each theme and subtheme with 95 % intervals; the same "
        "of evidence and findings, where they are marked; how far probabilities can be taken at their word; how many "
        "mistakes the status `review` finds; and the ids of the worst.",
    )
    one.add_argument("labelled", metavar="LABELLED", help="labelled cases")
    one.add_argument("--model", metavar="DIR", help="a model folder (default: the shipped model)")
    _columns(one)

    one = _command(
        commands,
        "show",
        _show,
        "say what a model is: themes, training, figures",
        "complaintnlp show models/mine",
        "",
    )
    one.add_argument("model", nargs="?", metavar="DIR", help="a model folder (default: the shipped model)")
    return parser


def _command(commands: Any, name: str, run: Any, help_: str, example: str, more: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help_,
        description=f"{help_[0].upper()}{help_[1:]}. {more}".strip(),
        epilog=f"example: {example}",
    )
    parser.set_defaults(run=run)
    return parser


def _columns(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--text", metavar="COL", help="the column of the narratives (default: found by its usual names)"
    )
    parser.add_argument("--id", metavar="COL", help="the column of the case ids (default: found by its usual names)")


def _classify(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from complaintnlp.classify import classify_file
    from complaintnlp.model import load

    problems: list[RowProblem] = []
    model = load(args.model)
    with tqdm(unit=" cases", disable=not sys.stderr.isatty()) as bar:
        statuses = classify_file(
            args.export,
            args.out,
            model,
            text=args.text,
            id=args.id,
            jobs=args.jobs,
            raw=args.raw,
            problems=problems,
            progress=bar.update,
        )
    _tell(args.export, problems)
    total = sum(statuses.values())
    print(f"{total:,} cases: " + ", ".join(f"{count:,} {status}" for status, count in sorted(statuses.items())))
    print(f"Tagged cases are in {args.out}")
    return 2 if statuses.get("too_long") else 0


def _report(args: argparse.Namespace) -> int:
    from complaintnlp.report import write_report
    from complaintnlp.report.filters import parse_filters

    if args.verify is not None:
        return _verify(args)
    problems: list[RowProblem] = []
    folder = write_report(
        args.tagged,
        args.out,
        args.by,
        disclosure=args.disclosure,
        title=args.title,
        model=args.model,
        only=parse_filters(args.only, "--only"),
        exclude=parse_filters(args.exclude, "--exclude"),
        organisation=args.organisation,
        received=args.received,
        outcome=args.outcome,
        quotes=args.quotes,
        trend=args.trend,
        exposure=args.exposure,
        per=args.per,
        crosswalk=_crosswalks(args.crosswalk),
        notes=parse_filters(args.note, "--note"),
        problems=problems,
    )
    _tell(args.tagged, [problem for problem in problems if "no text" not in problem.reason])
    # What was written, so that nothing is shown here that the files withhold for each other's sake.
    print(_themed_counts(_written(folder, "overall")))
    for column in args.by:
        print(f"\nBy {column}, cases and the share that raises each theme:")
        print(_shares_by(_written(folder, column), column))
    print(f"\nThe report is in {folder}: open {folder / 'report.html'}")
    return 0


def _crosswalks(names: Sequence[str]) -> list[Any]:
    """Names of the package's crosswalks as they are, and what the files hold."""
    from complaintnlp.counting import read_crosswalk

    found: list[Any] = []
    for name in names:
        found += read_crosswalk(name).values() if name.casefold().endswith(".toml") else [name]
    return found


def _verify(args: argparse.Namespace) -> int:
    from complaintnlp.report.verify import verify_report

    given = [name for name, value in vars(args).items() if value != args.default(name)]
    others = sorted({*given} - {"tagged", "verify", "model", "run", "default"})
    if others:
        raise InputError(f"--verify takes the manifest's options; leave --{', --'.join(others)} out")
    found = verify_report(args.verify, args.tagged, model=args.model)
    for name, what in found.files.items():
        print(f"{name}: {what}")
    for note in found.notes:
        print(f"complaintnlp: {note}", file=sys.stderr)
    return 0 if found.same else 2


def _written(folder: Path, name: str) -> Any:
    """One table of a report's counts.csv, its groups in a column called as the table."""
    import pandas as pd

    from complaintnlp.counting.counts import FIGURES
    from complaintnlp.report.tidy import cell

    table = pd.read_csv(folder / "counts.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig")
    table = table[table["table"] == cell(name)].rename(columns={cell(name): name})
    return table.assign(**{figure: pd.to_numeric(table[figure], errors="coerce") for figure in FIGURES[:-1]})


def _themed_counts(table: Any) -> str:
    """The overall counts, one line a theme."""
    rows = {(row.theme, row.measure): row for row in table.itertuples()}
    width = max(len(theme) for theme in table["theme"]) + 2
    lines = [f"{'theme':<{width}}{'cases':>7}   share of cases (95 % interval)"]
    for theme in dict.fromkeys(table["theme"]):
        cases, share = rows[theme, "cases"], rows.get((theme, "share"))
        count = cases.symbol or f"{int(cases.value):,}"
        told = ""
        if share is not None:
            told = share.symbol or f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})"
        lines.append(f"{theme:<{width}}{count:>7}   {told}".rstrip())
        if theme == "none":
            lines.append("")  # the subthemes follow, where the cases have them
    return "\n".join(lines).rstrip()


def _shares_by(table: Any, column: str) -> str:
    """One line a group: cases, then the share of each theme."""
    themes = [theme for theme in dict.fromkeys(table["theme"]) if theme != "all"]
    # Subthemes follow; there are too many for a line.
    themes = themes[: themes.index("none") + 1]
    width = min(48, max(len(str(group)) for group in [column, *table[column]]) + 2)
    lines = ["".join([f"{column:<{width}}{'cases':>7}", *(f"{theme:>{len(theme) + 3}}" for theme in themes)])]
    for group in dict.fromkeys(table[column]):
        rows = {(row.theme, row.measure): row for row in table[table[column] == group].itertuples()}
        cases = rows["all", "cases"]
        cells = [f"{str(group)[: width - 2]:<{width}}{cases.symbol or f'{int(cases.value):,}':>7}"]
        for theme in themes:
            share = rows[theme, "share"]
            cells.append(f"{share.symbol or f'{share.value:.0%}':>{len(theme) + 3}}")
        lines.append("".join(cells))
    return "\n".join(lines)


def _train(args: argparse.Namespace) -> int:
    from complaintnlp.labelled import read_labelled
    from complaintnlp.model import save
    from complaintnlp.taxonomy import Taxonomy
    from complaintnlp.training import card, fit

    _check_parent(args.out)
    taxonomy = _taxonomy(args.taxonomy, Taxonomy)
    problems: list[RowProblem] = []
    cases = None
    for source in args.labelled:
        part = read_labelled(
            source,
            taxonomy if cases is None else cases.taxonomy,
            text=args.text,
            id=args.id,
            themes=args.themes,
            drop=args.drop,
            min_cases=args.min_cases,
            problems=problems,
        )
        cases = part if cases is None else cases.joined(part)
        _tell(source, problems)
        problems.clear()
    assert cases is not None
    model = fit(cases, name=Path(args.out).absolute().name, version="1")
    save(model, args.out, card(model))
    print(_account(model))
    print(f"\nThe model is in {args.out}")
    return 0


def _retrain(args: argparse.Namespace) -> int:
    from complaintnlp.model import load
    from complaintnlp.retraining import retrain

    _check_parent(args.out)
    print(retrain(args.labelled, base=load(args.base), out=args.out, text=args.text, id=args.id))
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from complaintnlp.evaluation import evaluate
    from complaintnlp.model import load

    print(evaluate(args.labelled, load(args.model), text=args.text, id=args.id))
    return 0


def _show(args: argparse.Namespace) -> int:
    from complaintnlp.model import load

    print(_account(load(args.model)))
    return 0


def _account(model: Any) -> str:
    """A model's themes and out-of-fold figures, as `show` prints them."""
    from complaintnlp.reliability import consequence, from_facts

    training = model.facts.get("training", {})
    width = max(len(label) for label in model.taxonomy.label_ids) + 2
    lines = [
        f"Model {model.name} {model.version}, taxonomy {model.taxonomy.name} {model.taxonomy.version}, "
        f"trained on {training.get('cases', 0):,} cases.",
        "Out of fold:",
        f"  {'theme':<{width}}{'cases':>6}{'precision':>11}{'recall':>8}{'F1':>6}{'threshold':>11}",
    ]
    for theme, count in model.facts.get("out_of_fold", {}).items():
        hit, wrong, missed = (count[k] for k in ("true_positives", "false_positives", "false_negatives"))
        lines.append(
            f"  {theme:<{width}}{count['cases']:>6}{hit / max(1, hit + wrong):>11.2f}{hit / max(1, hit + missed):>8.2f}"
            f"{2 * hit / max(1, 2 * hit + wrong + missed):>6.2f}{model.calibrations[theme].threshold:>11.2f}"
        )
    known = from_facts(model.facts)
    return "\n".join(lines if known is None else [*lines, consequence(known[1])])


def _taxonomy(path: str | None, kind: Any) -> Any:
    if path is None:
        return None
    if not Path(path).is_file():
        raise InputError(f"{path}: there is no such taxonomy file")
    try:
        return kind.read(path)
    except ValueError as error:
        raise InputError(str(error)) from None


def _check_parent(out: str) -> None:
    """Say before an hour's training what `save` would say after it."""
    if not Path(out).absolute().parent.is_dir():
        raise InputError(f"{out}: there is no folder {Path(out).parent}; make it first")


def _tell(source: str, problems: Sequence[Any]) -> None:
    for problem in problems[:_SHOWN_PROBLEMS]:
        print(f"complaintnlp: {source}, {problem}", file=sys.stderr)
    if len(problems) > _SHOWN_PROBLEMS:
        print(
            f"complaintnlp: {source}: and {len(problems) - _SHOWN_PROBLEMS:,} more rows like these",
            file=sys.stderr,
        )


def _last_frame(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
