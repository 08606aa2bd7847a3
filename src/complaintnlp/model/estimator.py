"""The scikit-learn part: tf-idf over the blocks, one logistic regression a label."""

from __future__ import annotations

import warnings

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline

from complaintnlp.model.features import Features

CONSTANT = 12.0
"""The score, in logits, of a label that every training text had, and less this of one that none had."""


def make_estimator(features: Features, c: float) -> Pipeline:
    """An unfitted estimator for the counts of `features`.

    Args:
        features: the columns.
        c: inverse strength of the regularisation.
    """
    words, pieces = features.blocks
    blocks = [
        ("words", TfidfTransformer(sublinear_tf=True), words),
        ("pieces", TfidfTransformer(sublinear_tf=True), pieces),
    ]
    # Balanced weights put the score 0 where a rare label is as likely as not; calibration undoes the bias.
    one = LogisticRegression(C=c, solver="liblinear", class_weight="balanced", random_state=0)
    return Pipeline([("tfidf", ColumnTransformer(blocks, sparse_threshold=1.0)), ("labels", OneVsRestClassifier(one))])


def fit_estimator(estimator: Pipeline, counts: sp.csr_matrix, labels: NDArray[np.int8]) -> Pipeline:
    """Fit each label on its own, in place.

    Args:
        estimator: from `make_estimator`.
        counts: shape (units, features).
        labels: shape (units, labels), 0 or 1; a label that is all 0 or all 1 gets a constant score.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Label .* is present in all training examples")
        warnings.filterwarnings("ignore", message="Label not .* is present in all training examples")
        estimator.fit(counts, labels)
    for one in estimator.named_steps["labels"].estimators_:
        if hasattr(one, "coef_"):
            # Half the bytes on disk; the scores move in the seventh digit.
            one.coef_ = one.coef_.astype(np.float32)
    return estimator


def linear_part(estimator: Pipeline) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights, shape (features, labels), and intercepts, shape (labels,), of a fitted estimator."""
    width = sum(t.n_features_in_ for _, t, _ in estimator.named_steps["tfidf"].transformers_ if hasattr(t, "idf_"))
    ones = estimator.named_steps["labels"].estimators_
    weights = np.zeros((width, len(ones)), dtype=np.float32)
    intercepts = np.empty(len(ones), dtype=np.float32)
    for i, one in enumerate(ones):
        if hasattr(one, "coef_"):
            weights[:, i], intercepts[i] = one.coef_[0], one.intercept_[0]
        else:
            intercepts[i] = CONSTANT if one.predict(np.zeros((1, 1)))[0] else -CONSTANT
    return weights, intercepts
