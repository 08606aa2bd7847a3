"""The scikit-learn part: tf-idf over the blocks, one logistic regression a label."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression

from complaintnlp.model.features import Features

CONSTANT = 12.0
"""The score, in logits, of a label that every training text had, and less this of one that none had."""


@dataclass(frozen=True, eq=False)
class Estimator:
    """What was fitted: everything in it is scikit-learn's own.

    Attributes:
        tfidf: weighs the counts of each block.
        labels: for each label a logistic regression, or a constant where there was nothing to tell apart.
    """

    tfidf: ColumnTransformer
    labels: tuple[LogisticRegression | DummyClassifier, ...]
    _weights: NDArray[np.float32] = field(init=False, repr=False)
    _intercepts: NDArray[np.float32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        width = sum(part.n_features_in_ for _, part, _ in self.tfidf.transformers_ if hasattr(part, "idf_"))
        weights = np.zeros((width, len(self.labels)), dtype=np.float32)
        intercepts = np.empty(len(self.labels), dtype=np.float32)
        for i, one in enumerate(self.labels):
            if isinstance(one, DummyClassifier):
                intercepts[i] = CONSTANT if one.constant else -CONSTANT
            else:
                weights[:, i], intercepts[i] = one.coef_[0], one.intercept_[0]
        object.__setattr__(self, "_weights", weights)
        object.__setattr__(self, "_intercepts", intercepts)

    def scores(self, counts: sp.csr_matrix) -> NDArray[np.float32]:
        """Scores in logits, shape (units, labels), of counts of shape (units, features)."""
        return np.asarray(self.tfidf.transform(counts) @ self._weights + self._intercepts)


def fit_estimator(features: Features, counts: sp.csr_matrix, labels: NDArray[np.int8], c: float) -> Estimator:
    """Fit each label on its own.

    Args:
        features: the columns.
        counts: shape (units, features).
        labels: shape (units, labels), 0 or 1; -1 where it is not known, and nothing is learnt from the unit. A
            label that is all 0 or all 1 gets a constant score.
        c: inverse strength of the regularisation.
    """
    words, pieces = features.blocks
    blocks = [
        ("words", TfidfTransformer(sublinear_tf=True), words),
        ("pieces", TfidfTransformer(sublinear_tf=True), pieces),
    ]
    tfidf = ColumnTransformer(blocks, sparse_threshold=1.0)
    weighted = sp.csr_matrix(tfidf.fit_transform(counts))
    # Threads: liblinear works outside Python's lock.
    fitted = Parallel(n_jobs=-1, prefer="threads")(delayed(_fit_one)(weighted, column, c) for column in labels.T)
    return Estimator(tfidf, tuple(fitted))


def _fit_one(weighted: sp.csr_matrix, column: NDArray[np.int8], c: float) -> LogisticRegression | DummyClassifier:
    known = column >= 0
    if not known.any() or column[known].min() == column[known].max():
        return DummyClassifier(strategy="constant", constant=int(column.max() > 0)).fit([[0]], [int(column.max() > 0)])
    # Balanced weights put the score 0 where a rare label is as likely as not; calibration undoes the bias.
    one = LogisticRegression(C=c, solver="liblinear", class_weight="balanced", random_state=0)
    one.fit(weighted if known.all() else weighted[known], column[known])
    # Half the bytes on disk; the scores move in the seventh digit.
    one.coef_ = one.coef_.astype(np.float32)
    return one
