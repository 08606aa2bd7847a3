"""Measure the library against its yardsticks: `make bench`, or `python scripts/benchmark.py [--only speed|peers]`.

speed   rows a second of `classify` on one core over those of the bare spaCy tokenizer, same texts, same run.
peers   on 5,243 answers of NHS patients with 37 labels, one random 80/20 split (seed 42): our `train`, the
        published recipe of the nearest peer (pxtextmining: word tf-idf, one RBF SVC a label), and plain tf-idf
        with logistic regression.

The file of answers is not part of the project; its folder is taken from COMPLAINTNLP_SHARED_DATA, and the part
is skipped where it is missing.
"""

from __future__ import annotations

import argparse
import os
import re
import string
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import spacy
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from sklearn.model_selection import train_test_split
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import SVC

import complaintnlp as cn
from complaintnlp.corpus import read_corpus
from complaintnlp.evaluation import predictions
from complaintnlp.labelled import Labelled
from complaintnlp.taxonomy import Taxonomy
from complaintnlp.training import fit

ROOT = Path(__file__).parents[1]
FILE = "fft_nhs_v6.csv"
LEAST_CASES = 20
Answer = tuple[NDArray[np.float64], NDArray[np.bool_]]
Predict = Callable[[list[str]], Answer]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("speed", "peers"))
    only = parser.parse_args().only
    if only in (None, "speed"):
        speed()
    if only in (None, "peers"):
        peers()
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


def peers() -> None:
    """Print the scores of our training and of the peers' on the same split."""
    path = Path(os.environ.get("COMPLAINTNLP_SHARED_DATA", ROOT / ".." / "shared" / "data")) / FILE
    if not path.is_file():
        print(f"peers: skipped, {FILE} is not there (set COMPLAINTNLP_SHARED_DATA to its folder)")
        return
    texts, labels = feedback(path)
    train, test = train_test_split(np.arange(len(texts)), test_size=0.2, random_state=42)
    print(f"peers: {len(texts):,} rows, {labels.shape[1]} labels, {len(train):,} to train on, {len(test):,} to test on")
    print(f"  {'recipe':<42}{'micro-F1':>9}{'macro-F1':>9}{'mAP':>7}{'fit s':>8}{'rows/s':>8}")
    for name, recipe in (("complaintnlp train", ours), ("tf-idf + logistic regression", plain), ("pxtextmining", peer)):
        began = time.perf_counter()
        predict = recipe([texts[i] for i in train], labels[train])
        fitted = time.perf_counter()
        probability, raised = predict([texts[i] for i in test])
        ended = time.perf_counter()
        truth = labels[test]
        there = truth.any(axis=0)
        print(
            f"  {name:<42}{f1_score(truth, raised, average='micro', zero_division=0):>9.3f}"
            f"{f1_score(truth, raised, average='macro', zero_division=0):>9.3f}"
            f"{average_precision_score(truth[:, there], probability[:, there], average='macro'):>7.3f}"
            f"{fitted - began:>8.1f}{len(test) / (ended - fitted):>8.0f}",
            flush=True,
        )


def feedback(path: Path) -> tuple[list[str], NDArray[np.int8]]:
    """Texts and labels: labels with 20 cases or more, rows with one of them and letters, no repeats."""
    frame = pd.read_csv(path, dtype=str)
    columns = list(frame.columns)
    flags = (frame[columns[columns.index("Not assigned") + 1 :]] == "1").astype(np.int8)
    flags = flags.loc[:, flags.sum() >= LEAST_CASES]
    text = frame["FFT answer"]
    keep = text.notna() & flags.any(axis=1)
    keep &= text.fillna("").map(lambda answer: bool(_bare(answer).strip()))
    repeated = pd.concat([text, flags], axis=1)[keep].duplicated()
    rows = repeated.index[~repeated]
    return text.loc[rows].tolist(), flags.loc[rows].to_numpy()


def ours(texts: list[str], labels: NDArray[np.int8]) -> Predict:
    """Our own training, on its defaults."""
    n = len(texts)
    taxonomy = Taxonomy.from_ids(f"label {i}" for i in range(labels.shape[1]))
    none = np.zeros((n, 0), dtype=np.int8)
    cases = Labelled(taxonomy, [str(i) for i in range(n)], texts, labels, none, [None] * n, [""] * n, [""] * n)
    model = fit(cases, name="benchmark", version="1")
    return lambda new: predictions(model, new)


def plain(texts: list[str], labels: NDArray[np.int8]) -> Predict:
    """Word and character tf-idf with one logistic regression a label, cut at .5 of a balanced fit."""
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True),
    )
    one = LogisticRegression(C=5, class_weight="balanced", solver="liblinear", random_state=0)
    return _fitted(make_pipeline(features, OneVsRestClassifier(one)), texts, labels)


def peer(texts: list[str], labels: NDArray[np.int8]) -> Predict:
    """Pxtextmining's recipe: digits and punctuation stripped, word tf-idf, one RBF SVC a label."""
    one = SVC(kernel="rbf", C=15, class_weight="balanced", probability=True, random_state=42)
    recipe = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True), OneVsRestClassifier(one))
    predict = _fitted(recipe, [_bare(text) for text in texts], labels)
    return lambda new: predict([_bare(text) for text in new])


def _fitted(recipe: object, texts: list[str], labels: NDArray[np.int8]) -> Predict:
    with warnings.catch_warnings():
        # scikit-learn is about to move the probabilities of an SVC elsewhere; the recipe is as published.
        warnings.simplefilter("ignore")
        recipe.fit(texts, labels)  # type: ignore[attr-defined]

    def predict(new: list[str]) -> Answer:
        probability = np.asarray(recipe.predict_proba(new))  # type: ignore[attr-defined]
        return probability, probability >= 0.5

    return predict


def _bare(text: str) -> str:
    return re.sub(r"\s+", " ", text.translate(str.maketrans("", "", string.digits + string.punctuation)))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
