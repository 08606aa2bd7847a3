"""The scikit-learn part: tf-idf of the counts beside the vectors, one logistic regression a label."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from complaintnlp.model.features import Units

CONSTANT = 12.0
"""The score, in logits, of a label that every training text had, and less this of one that none had."""
VECTORS = 2.0
"""What the vectors are multiplied by beside the counts, so that one regularisation suits both; chosen on the validation
split."""


@dataclass(frozen=True, eq=False)
class Estimator:
    """What was fitted: everything in it is scikit-learn's own.

    Attributes:
        tfidf: weighs the counts.
        labels: for each label a logistic regression over the weighted counts and the vectors, or a constant where there
            was nothing to tell apart.
    """

    tfidf: TfidfTransformer
    labels: tuple[LogisticRegression | DummyClassifier, ...]
    _weights: NDArray[np.float32] = field(init=False, repr=False)
    _intercepts: NDArray[np.float32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        fitted = [one for one in self.labels if isinstance(one, LogisticRegression)]
        width = fitted[0].n_features_in_ if fitted else self.tfidf.n_features_in_
        weights = np.zeros((width, len(self.labels)), dtype=np.float32)
        intercepts = np.empty(len(self.labels), dtype=np.float32)
        for i, one in enumerate(self.labels):
            if isinstance(one, DummyClassifier):
                intercepts[i] = CONSTANT if one.constant else -CONSTANT
            else:
                weights[:, i], intercepts[i] = one.coef_[0], one.intercept_[0]
        object.__setattr__(self, "_weights", weights)
        object.__setattr__(self, "_intercepts", intercepts)

    def scores(self, units: Units) -> NDArray[np.float32]:
        """Scores in logits, shape (units, labels)."""
        counted = self.tfidf.n_features_in_
        by_words = self.tfidf.transform(units.counts) @ self._weights[:counted]
        if len(self._weights) == counted:
            return np.asarray(by_words + self._intercepts)
        return np.asarray(by_words + units.vectors @ (self._weights[counted:] * VECTORS) + self._intercepts)

    def weights(self, label: int) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
        """What makes up the score of one label.

        Returns:
            The weights of the weighted counts, shape (features,), and of the vectors, shape (dimensions,) or, where no
            label could be learnt, (0,); and the intercept. In logits.
        """
        counted, own = self.tfidf.n_features_in_, self._weights[:, label]
        return own[:counted], own[counted:] * np.float32(VECTORS), float(self._intercepts[label])


def fit_estimator(units: Units, labels: NDArray[np.int8], c: float) -> Estimator:
    """Fit each label on its own.

    Args:
        units: the rows.
        labels: shape (units, labels), 0 or 1; -1 where it is not known, and nothing is learnt from the unit. A
            label that is all 0 or all 1 gets a constant score.
        c: inverse strength of the regularisation.
    """
    tfidf = TfidfTransformer(sublinear_tf=True)
    weighted = sp.hstack(
        [tfidf.fit_transform(units.counts), sp.csr_matrix(units.vectors * np.float32(VECTORS))], format="csr"
    )
    weighted.sum_duplicates()  # once, here: scipy would do so in every thread, on the same arrays
    # Threads: liblinear works outside Python's lock. The library that adds up its vectors would share each sum out over
    # threads of its own, which wait for each other for longer than the sum takes.
    with threadpool_limits(1):
        fitted = Parallel(n_jobs=-1, prefer="threads")(delayed(_fit_one)(weighted, column, c) for column in labels.T)
    return Estimator(tfidf, tuple(fitted))


def _fit_one(weighted: sp.csr_matrix, column: NDArray[np.int8], c: float) -> LogisticRegression | DummyClassifier:
    known = column >= 0
    if not known.any() or column[known].min() == column[known].max():
        return DummyClassifier(strategy="constant", constant=int(column.max() > 0)).fit([[0]], [int(column.max() > 0)])
    # Balanced weights put the score 0 where a rare label is as likely as not; calibration undoes the bias. The primal
    # problem, because liblinear's solver of the dual draws from one generator for all threads. A finer tolerance takes
    # twice as long and ranks no better.
    one = LogisticRegression(C=c, solver="liblinear", class_weight="balanced", random_state=0, tol=0.1)
    one.fit(weighted if known.all() else weighted[known], column[known])
    # Half the bytes on disk; the scores move in the seventh digit.
    one.coef_ = one.coef_.astype(np.float32)
    return one
