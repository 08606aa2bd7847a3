"""Labelled cases -> a model."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from complaintnlp.counting.prevalence import histograms
from complaintnlp.errors import InputError
from complaintnlp.labelled import Labelled, read_labelled
from complaintnlp.language import LONGEST_TEXT, Reading, has_words, make_language, read_texts
from complaintnlp.model import Model
from complaintnlp.model.calibration import Calibration, fit_calibration, fit_review, probabilities, thresholds
from complaintnlp.model.estimator import Estimator, fit_estimator
from complaintnlp.model.features import Features, by_sentence, rows_of, whole
from complaintnlp.model.model import whole_and_strongest
from complaintnlp.taxonomy import Taxonomy

FOLDS = 5
C = 4.0
"""Inverse strength of the regularisation; chosen on the validation split of the corpus."""
MIN_TEXTS = 2
SHINGLE = 12
"""Texts that share a run of this many words count as siblings, and stay on one side of every split."""


def train(
    labelled: Any,
    *,
    taxonomy: Taxonomy | None = None,
    text: str | None = None,
    id: str | None = None,
    themes: Sequence[str] = (),
    name: str = "custom",
    version: str = "1",
) -> Model:
    """Train a model.

    Probabilities are calibrated and thresholds chosen on predictions out of fold; the folds keep together the
    cases of one `batch` or `organisation`, and texts that share a passage.

    Args:
        labelled: a file or table of labelled cases; see `read_labelled`.
        taxonomy: the themes; taken from the data where it is left out.
        text, id, themes: the columns to use, where they are not found by themselves.
        name, version: what the model is to be called.

    Raises:
        InputError: when there are no labels, or fewer than ten texts with words.
    """
    cases = labelled
    if not isinstance(labelled, Labelled):
        cases = read_labelled(labelled, taxonomy, text=text, id=id, themes=themes)
    return fit(cases, name=name, version=version)


def fit(cases: Labelled, *, name: str, version: str) -> Model:
    """Train a model on cases already read; see `train`."""
    readable = [i for i, t in enumerate(cases.texts) if has_words(t) and len(t) <= LONGEST_TEXT]
    if len(readable) < 2 * FOLDS:
        raise InputError(f"{len(readable)} labelled texts with words in them; training takes at least {2 * FOLDS}")
    cases = cases.take(readable)
    nlp = make_language()
    readings = list(read_texts(nlp, cases.texts))
    features = Features.learn(readings, MIN_TEXTS)
    table = _UnitTable(features, readings, cases)
    labels = np.concatenate([cases.labels, cases.details], axis=1)
    scores = np.zeros((*labels.shape, 2))
    folds = folds_of(cases)
    for fold in range(FOLDS):
        held_out = np.flatnonzero(folds == fold)
        if len(held_out):
            estimator = table.fit(np.flatnonzero(folds != fold))
            scores[held_out] = table.scores(estimator, held_out)
    of_themes, of_subthemes = slice(len(cases.taxonomy.ids)), slice(len(cases.taxonomy.ids), None)
    calibrations = fit_calibration(scores[:, of_themes], labels[:, of_themes])
    calibrations += fit_calibration(scores[:, of_subthemes], labels[:, of_subthemes])
    probability = probabilities(scores, calibrations)
    return Model(
        name=name,
        version=version,
        taxonomy=cases.taxonomy,
        language=nlp,
        features=features,
        estimator=table.fit(np.arange(len(cases))),
        calibrations=dict(zip(cases.taxonomy.label_ids, calibrations, strict=True)),
        review=fit_review(probability[:, of_themes], thresholds(calibrations[of_themes])),
        facts=_facts(cases, labels, probability, calibrations),
    )


class _UnitTable:
    """The counts of every text and of every sentence, made once and cut into folds."""

    def __init__(self, features: Features, readings: Sequence[Reading], cases: Labelled) -> None:
        units = [[whole(reading), *by_sentence(reading)] for reading in readings]
        flat = [(reading, unit) for reading, several in zip(readings, units, strict=True) for unit in several]
        self.features = features
        self.counts: sp.csr_matrix = features.matrix(flat)
        self.starts = rows_of(units)
        ids = cases.taxonomy.label_ids
        self.labels = np.zeros((self.counts.shape[0], len(ids)), dtype=np.int8)
        self.usable = np.zeros(self.counts.shape[0], dtype=bool)
        place = {label: i for i, label in enumerate(ids)}
        for i, reading in enumerate(readings):
            first = self.starts[i]
            self.labels[first], self.usable[first] = (*cases.labels[i], *cases.details[i]), True
            spans = cases.spans[i]
            if spans is None:
                continue  # nobody marked evidence: only the whole text can teach
            self.usable[first : self.starts[i + 1]] = True
            # A subtheme that nobody named for the text is unknown in its sentences too.
            self.labels[first + 1 : self.starts[i + 1]] = np.minimum(self.labels[first], 0)
            for row, sentence in enumerate(reading.sentences, first + 1):
                for span in spans:
                    if _covers(sentence.start, sentence.end, span.start, span.end):
                        self.labels[row, place[span.theme]] = 1
                        if span.subtheme:
                            self.labels[row, place[span.subtheme]] = 1

    def fit(self, cases: NDArray[np.int64]) -> Estimator:
        """An estimator fitted on these cases: their texts and, where evidence is marked, their sentences."""
        rows = self._rows(cases)
        rows = rows[self.usable[rows]]
        return fit_estimator(self.features, self.counts[rows], self.labels[rows], C)

    def scores(self, estimator: Estimator, cases: NDArray[np.int64]) -> NDArray[np.float64]:
        """Scores of whole texts and strongest sentences, shape (cases, labels, 2)."""
        scores = estimator.scores(self.counts[self._rows(cases)])
        return whole_and_strongest(scores, rows_of([range(self.starts[i], self.starts[i + 1]) for i in cases]))

    def _rows(self, cases: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.concatenate([np.arange(self.starts[i], self.starts[i + 1]) for i in cases])


def folds_of(cases: Labelled) -> NDArray[np.int64]:
    """The fold of each case, from 0 to FOLDS - 1; groups and siblings stay together."""
    groups = np.array(siblings(cases.texts))
    named = [group for group in cases.groups if group]
    if len(set(named)) >= FOLDS:
        groups = _merged(groups, cases.groups)
    if len(set(groups.tolist())) < FOLDS:
        groups = np.arange(len(cases))
    folds = np.empty(len(cases), dtype=np.int64)
    for fold, (_, held_out) in enumerate(GroupKFold(FOLDS).split(groups, groups=groups)):
        folds[held_out] = fold
    return folds


def siblings(texts: Sequence[str]) -> list[int]:
    """A group number for each text: texts that share a run of SHINGLE words, or are the same, have one group.

    Runs that more than five texts share are boilerplate and join nobody.
    """
    runs: dict[int, list[int]] = {}
    for i, text in enumerate(texts):
        words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
        spans = range(max(1, len(words) - SHINGLE + 1))
        for key in {hash(tuple(words[s : s + SHINGLE])) for s in spans}:
            runs.setdefault(key, []).append(i)
    parent = list(range(len(texts)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for members in runs.values():
        if len(members) <= 5:
            for other in members[1:]:
                parent[root(other)] = root(members[0])
    return [root(i) for i in range(len(texts))]


def _merged(groups: NDArray[np.int64], names: Sequence[str]) -> NDArray[np.int64]:
    """Groups joined wherever they share a name."""
    merged = groups.copy()
    first: dict[str, int] = {}
    for i, name in enumerate(names):
        if name:
            target = merged[first.setdefault(name, i)]
            merged[merged == merged[i]] = target
    return merged


def _covers(start: int, end: int, span_start: int, span_end: int) -> bool:
    """Whether a span lies in a sentence with more than a few stray characters."""
    shared = min(end, span_end) - max(start, span_start)
    return shared > 0 and (shared >= 10 or shared >= 0.5 * (span_end - span_start))


def _facts(
    cases: Labelled, labels: NDArray[np.int8], probability: NDArray[np.float64], calibrations: Sequence[Calibration]
) -> dict[str, Any]:
    """What the manifest tells of the training, without a word of it."""
    raised = probability >= thresholds(calibrations)
    out_of_fold = {}
    for i, label in enumerate(cases.taxonomy.label_ids):
        known = labels[:, i] >= 0
        truth, said = labels[known, i] == 1, raised[known, i]
        # What the correction of counts for the model's own error rests on.
        out_of_fold[label] = {
            "cases": int(truth.sum()),
            "true_positives": int((truth & said).sum()),
            "false_positives": int((~truth & said).sum()),
            "false_negatives": int((truth & ~said).sum()),
            "true_negatives": int((~truth & ~said).sum()),
            **histograms(truth, probability[known, i]),
        }
    digests = sorted(
        hashlib.sha256(f"{text}\0{row.tolist()}".encode()).hexdigest()
        for text, row in zip(cases.texts, labels, strict=True)
    )
    return {
        "training": {
            "cases": len(cases),
            "groups": len(Counter(cases.groups)),
            "with_evidence": sum(spans is not None for spans in cases.spans),
            "fingerprint": hashlib.sha256("".join(digests).encode()).hexdigest(),
        },
        "out_of_fold": out_of_fold,
    }


def card(model: Model) -> str:
    """The model card of a model of the user's own."""
    rows = "\n".join(
        f"| {theme} | {c['cases']} | {c['true_positives']} | {c['false_positives']} | {c['false_negatives']} |"
        for theme, c in model.facts["out_of_fold"].items()
    )
    return (
        f"# {model.name} {model.version}\n\n"
        f"A complaintnlp model over the taxonomy {model.taxonomy.name} {model.taxonomy.version}, trained on "
        f"{model.facts['training']['cases']:,} labelled cases. It holds names of words and letter groups that at least "
        f"{MIN_TEXTS} texts use in lower case, and no text.\n\n"
        "Predicted out of fold, so each case by a model that had not seen it or its group:\n\n"
        "| theme | cases | found | raised wrongly | missed |\n| --- | --- | --- | --- | --- |\n" + rows + "\n"
    )
