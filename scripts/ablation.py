"""What each part of the pipeline is worth: `python scripts/ablation.py`, which writes `docs/ablation.md`.

Each variant has one part taken away, or put in, and is trained anew on the corpus's training split, and three times on
the answers of NHS patients with 37 labels. The real texts are not part of the project: their folder is taken from
COMPLAINTNLP_SHARED_DATA, and the columns of what is missing are left out. The encoder takes
`pip install 'complaintnlp[contextual]'`; without it its row is left out. Both are said in the file that is written.

    python scripts/ablation.py                                    # everything; the file is written after each variant
    python scripts/ablation.py --variants pairs,vectors           # these beside the whole
    python scripts/ablation.py --linear                           # all rows but one without the network: minutes a row
    python scripts/ablation.py --most 200 --out trial.md          # to see whether it runs; the figures mean nothing
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize
from spacy.language import Language
from spacy.tokens import Doc

from benchmark import ANSWERS, AT_RANDOM, ROOT, Yardstick, corpus_tests, feedback, shared_data, splits
from complaintnlp import training
from complaintnlp.corpus import read_corpus
from complaintnlp.errors import InputError
from complaintnlp.evaluation import bootstrap_weights, predictions
from complaintnlp.labelled import Labelled, read_labelled
from complaintnlp.language import Readings, incidence, make_language, read_texts
from complaintnlp.language.encoder import DEFAULT
from complaintnlp.language.pipeline import COMPONENTS
from complaintnlp.language.scope import NEGATED, SPANS_KEY
from complaintnlp.language.vectors import PieceVectors
from complaintnlp.model import Model, calibration, estimator
from complaintnlp.model.features import Features
from complaintnlp.model.model import Tagged
from complaintnlp.taxonomy import Taxonomy

RESAMPLES = 500
LETTERS, SIZES = 60_000, (2, 3, 4, 5)
"""Columns of letter groups, and how long the groups are: as in the model that this project had before its vectors."""
WHOLE = "all"

Floats = NDArray[np.float64]
Values = Floats
"""A figure, and then the same figure on each resample of the cases; shape (1 + RESAMPLES,)."""
Figures = dict[tuple[str, str], Values]
"""By place and measure: a column of the table each."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", default=",".join(VARIANTS), help=f"of {', '.join(VARIANTS)}")
    parser.add_argument(
        "--labels",
        choices=("themes", "all"),
        default="themes",
        help="`all` trains the 25 subthemes too: it takes six times as long, and no column hangs on them",
    )
    parser.add_argument(
        "--linear",
        action="store_true",
        help="compare with the linear model alone, the network being a row of its own: it takes most of the time",
    )
    parser.add_argument("--most", type=int, help="cases of each file at most, to see whether it runs")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "ablation.md")
    args = parser.parse_args()
    wanted = [WHOLE, *(name for name in args.variants.split(",") if name != WHOLE)]
    if unknown := [name for name in wanted if name not in VARIANTS]:
        parser.error(f"there is no variant {', '.join(unknown)}; there are {', '.join(VARIANTS)}")
    variants = LINEAR if args.linear else VARIANTS
    material = read_material(args.most, subthemes=args.labels == "all")
    rows: dict[str, Figures] = {}
    skipped: dict[str, str] = {}
    answered: dict[Any, Figures] = {}
    for name in wanted:
        try:
            rows[name] = measure(name, variants[name], material, answered)
        except InputError as error:
            skipped[name] = str(error)
            print(f"{name}: skipped, {error}", flush=True)
        args.out.write_text(page(variants, rows, skipped, material), "utf-8")
    print(f"written: {args.out}")
    return 0


# The variants.


class Variant(NamedTuple):
    """One way to make the model.

    Attributes:
        title: what is different, for the table.
        meaning: the same in a sentence.
        language: makes the pipeline.
        cases: what is learnt from.
        swaps: what stands in for a name of a module while the model is fitted.
    """

    title: str
    meaning: str
    language: Callable[[], Language] = make_language
    cases: Callable[[Labelled], Labelled] = lambda cases: cases
    swaps: tuple[tuple[ModuleType, str, Any], ...] = ()


def without(*components: str) -> Callable[[], Language]:
    """Makes the package's pipeline without these components."""
    return partial(make_language, [name for name, *_ in COMPONENTS if name not in components])


def unnegated() -> Language:
    """The pipeline, with the negations that it found forgotten again; its decisions stay."""
    nlp = make_language()
    nlp.add_pipe("ablation_forget_negations")
    return nlp


@Language.component("ablation_forget_negations")
def forget_negations(doc: Doc) -> Doc:
    doc.spans[SPANS_KEY] = [span for span in doc.spans[SPANS_KEY] if span.label_ != NEGATED]
    return doc


def unvectored() -> Language:
    """The pipeline with vectors of zero."""
    nlp = make_language()
    nlp.vocab.vectors = PieceVectors(["-"], np.zeros((1, 1), dtype=np.int8), np.ones(1, dtype=np.float32))
    return nlp


def unmarked(cases: Labelled) -> Labelled:
    """The cases without their spans: nothing is left to train sentences on."""
    return replace(cases, spans=[None] * len(cases))


def undecided(cases: Labelled) -> Labelled:
    """The cases with nothing marked as upheld or not upheld, so that the cues alone decide."""
    bare = [spans and tuple(span._replace(finding="") for span in spans) for spans in cases.spans]
    return replace(cases, spans=bare)


class Unpaired(Features):
    """Columns of single words alone."""

    @classmethod
    def learn(cls, readings: Readings, min_texts: int = 2, most: int = 60_000) -> Features:
        return cls(tuple(name for name in Features.learn(readings, min_texts, most).names if " " not in name))


class Lettered(Features):
    """Columns of words, and behind them `LETTERS` columns of groups of letters within a word."""

    @classmethod
    def learn(cls, readings: Readings, min_texts: int = 2, most: int = 60_000) -> Features:
        words = Features.learn(readings, min_texts, most).names
        known = set(words)
        groups = {group: 0 for word in readings.vocabulary if word in known for group in letter_groups(word)}
        places = {group: place for place, group in enumerate(groups)}
        spelt = _spelling([word if word in known else "" for word in readings.vocabulary], places, len(places))
        text = np.repeat(np.arange(len(readings)), np.diff(readings.sentences[readings.texts]))
        standing = incidence(readings.words, text, (len(readings), len(readings.vocabulary))) @ spelt
        texts = np.bincount(standing.indices, minlength=len(places)).tolist()
        common = sorted((-n, group) for group, n in zip(places, texts, strict=True) if n >= min_texts)[:LETTERS]
        # Always as many columns, so that the weighing knows where they begin; the last ones stay empty.
        names = [group for _, group in common] + [f"{place}" for place in range(LETTERS - len(common))]
        return cls((*words, *(_LETTERED + name for name in names)))

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for word in super().words if not word.startswith(_LETTERED))

    @cached_property
    def _places(self) -> dict[str, int]:
        first = len(self.names) - LETTERS
        return {name.removeprefix(_LETTERED): first + i for i, name in enumerate(self.names[first:])}

    def _counts(self, readings: Readings) -> sp.csr_matrix:
        sentence = np.repeat(np.arange(len(readings.offsets)), np.diff(readings.sentences))
        words = incidence(readings.words, sentence, (len(readings.offsets), len(readings.vocabulary)))
        return super()._counts(readings) + words @ _spelling(readings.vocabulary, self._places, len(self.names))


class Blocks(TfidfTransformer):  # type: ignore[misc]
    """Tf-idf that brings the words and the letters each to length 1 by themselves."""

    def transform(self, counts: sp.csr_matrix, copy: bool = True) -> sp.csr_matrix:
        weighted = sp.csr_matrix(super().transform(counts, copy))
        return sp.hstack([normalize(weighted[:, :-LETTERS]), normalize(weighted[:, -LETTERS:])], format="csr")


_LETTERED = "\0"  # stands in no word


def letter_groups(word: str) -> list[str]:
    """The groups of letters of a word, `<` and `>` standing for its ends; none of what is masked or a number.

    >>> letter_groups("no")
    ['<n', 'no', 'o>', '<no', 'no>', '<no>']
    """
    if not word[:1].isalpha() or " " in word:
        return []
    bounded = f"<{word}>"
    return [bounded[i : i + n] for n in SIZES for i in range(len(bounded) - n + 1)]


def _spelling(vocabulary: Sequence[str], places: Mapping[str, int], width: int) -> sp.csr_matrix:
    """How often each word has each group of letters, shape (words, width)."""
    found = [(row, places.get(group, -1)) for row, word in enumerate(vocabulary) for group in letter_groups(word)]
    pairs = np.array(found, dtype=np.int64).reshape(-1, 2)
    pairs = pairs[pairs[:, 1] >= 0]
    return incidence(pairs[:, 1], pairs[:, 0], (len(vocabulary), width))


_NO_NETWORK = (training, "ENOUGH", sys.maxsize)
cueless = without("concepts")  # one pipeline of two variants, so that their figures on the answers are shared
VARIANTS: dict[str, Variant] = {
    WHOLE: Variant(
        "**all of it**",
        "the model as `train` makes it, its vectors from the fitted look-up table. Every other row differs from it in "
        "one thing.",
    ),
    "identifiers": Variant(
        "identifiers not masked",
        "names, numbers and addresses reach the classifier as they stand. Masking is for privacy; this row says what "
        "it costs or brings besides.",
        without("identifiers"),
    ),
    "negation": Variant(
        "no negated words",
        "words after “not”, “never”, “nobody” have no `not:` column of their own.",
        unnegated,
    ),
    "cues": Variant(
        "no decision cues",
        "the `span_ruler` is off, so no sentence is known to say “we found” or “was reasonable”; which sentences tell "
        "of a decision is learnt from the marked ones alone.",
        cueless,
    ),
    "scope": Variant(
        "neither: no concepts, no scope",
        "the `span_ruler` and the scope component are both off: what negated words and cues are worth together.",
        without("concepts", "scope"),
    ),
    "findings": Variant(
        "decisions by the cues alone",
        "the spans marked as upheld or not upheld are not learnt from; `findings` follow the cues.",
        cases=undecided,
    ),
    "undecided": Variant(
        "no decisions at all",
        "no cues, and nothing learnt of upheld or not upheld: every theme is only raised, and none is ever found.",
        cueless,
        undecided,
    ),
    "pairs": Variant(
        "no word pairs",
        "words stand alone, beside their vectors.",
        swaps=((training, "Features", Unpaired),),
    ),
    "vectors": Variant(
        "no vectors",
        "words that no training text had say nothing.",
        unvectored,
    ),
    "encoder": Variant(
        "vectors from the encoder",
        "the encoder itself (`complaintnlp[contextual]`), which is far slower, instead of the table that was fitted to "
        "it.",
        partial(make_language, encoder=DEFAULT),
    ),
    "letters": Variant(
        "with groups of letters",
        f"the {LETTERS:,} most frequent groups of 2 to 5 letters within a word, as a block with a length of its own, "
        "beside the rest; what the model had before it had vectors.",
        swaps=((training, "Features", Lettered), (estimator, "TfidfTransformer", Blocks)),
    ),
    "sentences": Variant(
        "whole texts only",
        "marked evidence teaches nothing, and so nothing of decisions either. Sentences are still scored, by a model "
        "of whole texts.",
        cases=unmarked,
    ),
    "network": Variant(
        "no network",
        "nothing reads the words in their order, but for pairs of neighbours.",
        swaps=(_NO_NETWORK,),
    ),
    "stacking": Variant(
        "no stacking",
        "a theme's probability follows from two scores of it, of the text and of its strongest sentence (that of a "
        "sentence as evidence from its own and the one before), of the estimator and of the network where there is "
        "one, and from nothing else.",
        swaps=((calibration, "_PER_INPUT", sys.maxsize),),
    ),
}

LINEAR: dict[str, Variant] = {
    **{name: one._replace(swaps=(*one.swaps, _NO_NETWORK)) for name, one in VARIANTS.items()},
    WHOLE: Variant(
        "**all of it but the network**",
        "the model as `train` makes it of fewer than 1,000 texts, its vectors from the look-up table. Every other row "
        "differs from it in one thing.",
        swaps=(_NO_NETWORK,),
    ),
    "network": Variant(
        "with the network",
        "the whole model: a network that reads words in their order and sentences within their text weighs half.",
    ),
}
"""The same with the linear model alone in place of the whole."""


def fitted(variant: Variant, cases: Labelled) -> Model:
    """The variant's model."""
    with ExitStack() as stack:
        for swap in variant.swaps:
            stack.enter_context(patch.object(*swap))
        return training.fit(variant.cases(cases), name="ablation", version="1", language=variant.language())


# What is measured, and on what.


class Material(NamedTuple):
    """What the variants learn from and are measured on; what is missing is None, or not among the tests."""

    train: Labelled
    tests: list[Yardstick]
    found: Labelled | None
    answers: Labelled | None
    most: int | None


def read_material(most: int | None, *, subthemes: bool) -> Material:
    """Read all of it; at most so many cases of each file, where that is said."""
    train = read_corpus(("train",))
    tests = corpus_tests()
    decisions, answers = shared_data() / "ombudsman_cases_dev.jsonl", shared_data() / ANSWERS
    found = None
    if decisions.is_file():
        with decisions.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        told = [{"text": row["text"], "themes": row["found"]} for row in rows if row["found"] is not None]
        found = read_labelled(told, Taxonomy.default())
    return Material(
        _some(train if subthemes else without_subthemes(train), most),
        [test._replace(cases=_some(test.cases, most)) for test in tests],
        _some(found, most) if found is not None else None,
        _some(feedback(answers), most) if answers.is_file() else None,
        most,
    )


def without_subthemes(cases: Labelled) -> Labelled:
    """The cases with their themes alone."""
    themes = tuple(replace(theme, subthemes=()) for theme in cases.taxonomy.themes)
    nothing = np.zeros((len(cases), 0), dtype=np.int8)
    return replace(cases, taxonomy=replace(cases.taxonomy, themes=themes), details=nothing)


def _some(cases: Labelled, most: int | None) -> Labelled:
    if most is None or len(cases) <= most:
        return cases
    return cases.take(np.sort(np.random.default_rng(0).permutation(len(cases))[:most]).tolist())


def measure(name: str, variant: Variant, material: Material, answered: dict[Any, Figures]) -> Figures:
    """Fit one variant, and measure it on everything.

    Args:
        name, variant: which.
        material: what to learn from and to measure on.
        answered: figures on the answers so far. They have no spans, so variants that differ in spans alone share them.
    """
    began = time.perf_counter()
    model = fitted(variant, material.train)
    print(f"{name}: fitted on {len(material.train):,} cases in {time.perf_counter() - began:.0f} s", flush=True)
    figures = on_tests(model, material)
    if material.answers is not None:
        key = (variant.language, variant.swaps)
        if key not in answered:
            answered[key] = on_answers(variant, material.answers)
        figures |= answered[key]
    shown = "  ".join(f"{place} {measured} {values[0]:.3f}" for (place, measured), values in figures.items())
    print(f"{name}: {shown}  ({time.perf_counter() - began:.0f} s)", flush=True)
    return figures


def on_tests(model: Model, material: Material) -> Figures:
    """Figures on whatever has our themes."""
    figures: Figures = {}
    for test in material.tests:
        tagged, weights = model.classify(test.cases.texts), draws(len(test.cases))
        places = [test.cases.taxonomy.ids.index(theme) for theme in test.themes]
        truth, said = test.cases.labels[:, places], _raised(tagged, test.themes)
        if test.name == "challenge":
            figures["challenge", "all right"] = share((said == truth).all(axis=1), weights)
            continue
        chances = np.array([[one.probabilities[theme] for theme in test.themes] for one in tagged])
        place = _PLACES[test.name]
        figures[place, "F1"] = _mean(f1(truth, said, weights))
        figures[place, "mAP"] = _mean(average_precision(truth, chances, weights))
        if test.name == "test":
            figures["evidence", "F1"] = evidence_f1(test.cases, tagged, weights)
    if material.found is not None:
        tagged = model.classify(material.found.texts)
        said = np.array([[one.findings.get(t) == "upheld" for t in material.found.taxonomy.ids] for one in tagged])
        figures["decisions, found", "F1"] = _mean(f1(material.found.labels, said, draws(len(tagged))))
    return figures


def on_answers(variant: Variant, answers: Labelled) -> Figures:
    """Figures on the 37 labels: at random, and from one trust to the other."""
    figures: Figures = {}
    for way, (here, there) in splits(answers).items():
        test = answers.take(there.tolist())
        chances, said = predictions(fitted(variant, answers.take(here.tolist())), test.texts)
        weights = draws(len(test))
        if way == AT_RANDOM:
            figures["37 labels, random", "mAP"] = _mean(average_precision(test.labels, chances, weights))
            figures["37 labels, random", "F1"] = _mean(f1(test.labels, said, weights))
        else:
            figures[way.replace(">", "→"), "micro-F1"] = micro_f1(test.labels, said, weights)
    return figures


def draws(cases: int) -> Floats:
    """How often each case counts: once each, and then as in each resample; shape (1 + RESAMPLES, cases)."""
    return np.vstack([np.ones((1, cases)), bootstrap_weights(cases, RESAMPLES)])


def f1(truth: NDArray[np.int8], said: NDArray[np.bool_], weights: Floats) -> Floats:
    """F1 of each label, shape (draws, labels); nan where no case drawn has the label."""
    hits, claims, actual = (weights @ part.astype(np.float64) for part in (truth * said, said, truth))
    return np.where(actual > 0, 2 * hits / np.maximum(claims + actual, 1), np.nan)


def micro_f1(truth: NDArray[np.int8], said: NDArray[np.bool_], weights: Floats) -> Values:
    """F1 of all decisions together."""
    return _pooled((truth * said).sum(axis=1), said.sum(axis=1), truth.sum(axis=1), weights)


def average_precision(truth: NDArray[np.int8], chances: Floats, weights: Floats) -> Floats:
    """Average precision of each label, shape (draws, labels); nan where no case drawn has the label."""
    ranked = np.full((len(weights), truth.shape[1]), np.nan)
    for i in range(truth.shape[1]):
        order = np.argsort(-chances[:, i], kind="stable")
        scores = -chances[order, i]
        last = np.searchsorted(scores, scores, side="right") - 1  # cases of one score stand or fall together
        drawn, right = weights[:, order], weights[:, order] * truth[order, i]
        found = right.cumsum(axis=1)
        precision = found[:, last] / np.maximum(drawn.cumsum(axis=1)[:, last], 1)
        some = found[:, -1] > 0
        ranked[some, i] = (right * precision).sum(axis=1)[some] / found[some, -1]
    return ranked


def share(right: NDArray[np.bool_], weights: Floats) -> Values:
    """The share of cases that are right."""
    return np.asarray(weights @ right / weights.sum(axis=1))


def evidence_f1(cases: Labelled, tagged: Sequence[Tagged], weights: Floats) -> Values:
    """F1 of the sentences given as evidence, all themes together, against those that hold a marked span."""
    readings = read_texts(make_language(), cases.texts)
    counts = np.zeros((len(cases), 3))
    for i, (spans, one) in enumerate(zip(cases.spans, tagged, strict=True)):
        if spans is None:
            continue
        offsets = readings.offsets[readings.texts[i] : readings.texts[i + 1]].tolist()
        actual = {(s.theme, start) for s in spans for start, end in offsets if training.covers(start, end, *s[:2])}
        said = {(piece.theme, piece.start) for piece in one.evidence}
        counts[i] = len(actual & said), len(said), len(actual)
    return _pooled(counts[:, 0], counts[:, 1], counts[:, 2], weights)


def _pooled(hits: NDArray[Any], claims: NDArray[Any], actual: NDArray[Any], weights: Floats) -> Values:
    return np.asarray(2 * (weights @ hits) / np.maximum(weights @ claims + weights @ actual, 1))


def _mean(of_labels: Floats) -> Values:
    """The mean over the labels that were drawn."""
    there = ~np.isnan(of_labels)
    return np.asarray(np.where(there, of_labels, 0).sum(axis=1) / np.maximum(there.sum(axis=1), 1))


def _raised(tagged: Sequence[Tagged], themes: Sequence[str]) -> NDArray[np.bool_]:
    return np.array([[theme in one.themes for theme in themes] for one in tagged], dtype=np.bool_)


# What is written.

_PLACES = {"test": "test split", "stories": "stories", "ombudsman": "decisions, raised"}
WORSE, BETTER = "▼", "▲"


def interval(values: Values) -> tuple[float, float]:
    """The ends of the 95 % interval, centred: a resample repeats cases, which flatters rare labels."""
    low, high = np.percentile(values[1:] - values[1:].mean(), [2.5, 97.5])
    return float(values[0] + low), float(values[0] + high)


def mark(values: Values, whole: Values) -> str:
    """Whether a figure lies below or above that of the whole model, on the same resamples, by more than chance."""
    low, high = interval(values - whole)
    return WORSE if high < 0 else BETTER if low > 0 else ""


def page(
    variants: Mapping[str, Variant], rows: Mapping[str, Figures], skipped: Mapping[str, str], material: Material
) -> str:
    """The document."""
    whole = rows[WHOLE]
    themed = [column for column in whole if not _of_answers(column)]
    answered = [column for column in whole if _of_answers(column)]
    parts = [
        "# What each part is worth\n\n"
        "Written by `scripts/ablation.py` (`make ablation`); every figure is of that run. One part "
        "at a time is taken away or put in, and the model trained anew."
    ]
    if material.most is not None:
        parts.append(f"**A trial run on at most {material.most:,} cases of each file: the figures mean nothing.**")
    parts += ["## How to read it\n\n" + "\n".join(f"- {line}" for line in _reading(material))]
    trained = f"Trained on {len(material.train):,} narratives of the corpus."
    parts += [f"## Our themes\n\n{trained}\n\n{table(variants, rows, themed)}"]
    if answered and material.answers is not None:
        parts.append(
            f"## Somebody else's 37 labels\n\n{len(material.answers):,} answers of NHS patients, trained on 80 % at "
            "random and tested on the rest, and trained on one trust and tested on the other.\n\n"
            f"{table(variants, rows, answered)}"
        )
    parts.append("## The variants\n\n" + "\n".join(_variants(variants, rows)))
    missing = [f"- The row “{variants[name].title}”: {why}." for name, why in skipped.items()] + _missing(material)
    if missing:
        parts.append("## Left out\n\n" + "\n".join(missing))
    return "\n".join(_wrapped(line) for line in "\n\n".join(parts).splitlines()) + "\n"


def _wrapped(line: str) -> str:
    """A line no longer than those of the other documents; a table's row has to be one line."""
    if line.startswith("|"):
        return line
    indent = "  " if line.startswith("- ") else ""
    return textwrap.fill(line, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def table(variants: Mapping[str, Variant], rows: Mapping[str, Figures], columns: Sequence[tuple[str, str]]) -> str:
    """The figures as Markdown: those of the whole with their intervals, the others with their marks."""
    lines = [
        "| | " + " | ".join(f"{place}: {measured}" for place, measured in columns) + " |",
        "| --- " * (len(columns) + 1) + "|",
    ]
    for name, figures in rows.items():
        cells = []
        for column in columns:
            values = figures[column]
            if name == WHOLE:
                low, high = np.clip(interval(values), 0, 1)
                cells.append(f"**{_figure(values[0])}**<br>{_figure(low)}–{_figure(high)}")
            else:
                cells.append(f"{_figure(values[0])} {mark(values, rows[WHOLE][column])}".strip())
        lines.append(f"| {variants[name].title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _reading(material: Material) -> list[str]:
    sizes = ", ".join(f"{_PLACES.get(test.name, test.name)} {len(test.cases):,}" for test in material.tests)
    found = f", decisions with what was found {len(material.found):,}" if material.found is not None else ""
    return [
        f"The first row is what the others are compared with. It has 95 % intervals from {RESAMPLES} resamples of the "
        "cases. Those of two rows overlap long before their difference is noise, so the others have a mark instead.",
        f"{WORSE} and {BETTER}: worse, or better, than the first row on the same resamples, with a 95 % interval of "
        "the difference that leaves 0 out. No mark: the difference may be chance. Of forty comparisons in which "
        "nothing differs two get a mark all the same, so one mark alone is weak evidence; several in one row are more.",
        f"Cases: {sizes}{found}. A difference that so few real texts can't show may still be there.",
        "The intervals are about the cases. Training once more on other narratives would move the figures too.",
        "F1 and mAP are means over the themes, of stories over care failure and communication, over those that occur "
        "among the cases. `all right` is the share of cases with no theme missed and none raised wrongly; evidence is "
        "F1 over sentences and themes together; across trusts micro-F1 is over all labels together.",
        "A rare label is scored too well where a resample repeats one of its few cases. So resamples give the width "
        "of an interval and not its place: it is centred on the figure, and likewise that of a difference.",
        "Test split and challenge are invented, like what the model learnt from; stories and answers are real texts, "
        "and decisions real ones retold. Where they disagree, believe the real ones.",
        "`stories` are those whose labels are sure. A theme of a decision is found where `findings` says `upheld`.",
    ]


def _variants(variants: Mapping[str, Variant], rows: Mapping[str, Figures]) -> list[str]:
    lines = []
    for name, figures in rows.items():
        line = f"- {variants[name].title} (`{name}`): {variants[name].meaning}"
        if name != WHOLE:
            marks = {column: mark(values, rows[WHOLE][column]) for column, values in figures.items()}
            line += f" {_list('Worse', marks, WORSE)} {_list('Better', marks, BETTER)}"
        lines.append(line)
    return lines


def _list(word: str, marks: Mapping[tuple[str, str], str], wanted: str) -> str:
    columns = [f"{place} {measured}" for (place, measured), given in marks.items() if given == wanted]
    return f"{word}: {'; '.join(columns) or 'nowhere'}."


def _missing(material: Material) -> list[str]:
    there = {test.name for test in material.tests}
    names = [name for name in _PLACES if name not in there]
    lines = [f"- The columns of {_PLACES[name]}: there is no such file." for name in names]
    if material.answers is None:
        lines.append(f"- The 37 labels: there is no {ANSWERS}.")
    return lines and [*lines, "\nSet COMPLAINTNLP_SHARED_DATA to the folder of the real texts."]


def _of_answers(column: tuple[str, str]) -> bool:
    return column[0].startswith("37 labels") or "→" in column[0]


def _figure(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


if __name__ == "__main__":
    sys.exit(main())
