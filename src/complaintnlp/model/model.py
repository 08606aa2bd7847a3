"""The model: texts in, themes with evidence out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from spacy.language import Language

from complaintnlp.errors import InputError
from complaintnlp.language import LONGEST_TEXT, Readings, has_words, read_texts, warm_up
from complaintnlp.model.calibration import (
    Calibration,
    doubt,
    over_threshold,
    probabilities,
    sentence_inputs,
    text_inputs,
    thresholds,
)
from complaintnlp.model.estimator import Estimator
from complaintnlp.model.explain import Explanation, explain
from complaintnlp.model.features import Features
from complaintnlp.model.network import Network
from complaintnlp.taxonomy import Taxonomy

FINDINGS = ("upheld", "not_upheld")
"""What a sentence may tell that was decided; the estimator predicts them after the themes and subthemes."""
STATUSES = ("classified", "no_theme", "review", "empty", "too_long")
_BLOCK = 512
_WARM_WORDS = 6_000


@dataclass(frozen=True)
class Evidence:
    """A sentence that made the model raise a theme.

    Attributes:
        theme: the theme's id.
        start, end: character offsets into the text as it was given.
        score: how sure the model is of it, in logits: above 0, it is more likely evidence than not.
    """

    theme: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Tagged:
    """What the model says of one text.

    Attributes:
        themes: ids of the themes raised, in taxonomy order.
        probabilities: of every theme, by id.
        subthemes: for each theme raised, its likely subthemes with their probabilities, the likeliest first; at
            least one, where the taxonomy has any.
        findings: for each theme raised, `raised`, `upheld` or `not_upheld`.
        evidence: for each theme raised, its sentences, the strongest first.
        status: `classified`, `no_theme` (none raised), `review` (a person should look: of all texts, these
            are likeliest to have a theme wrong), `empty` (no words) or `too_long`.
    """

    themes: tuple[str, ...]
    probabilities: Mapping[str, float]
    subthemes: Mapping[str, Mapping[str, float]]
    findings: Mapping[str, str]
    evidence: tuple[Evidence, ...]
    status: str


@dataclass(frozen=True, eq=False)
class Model:
    """A classifier of narratives, made by `train`, `retrain` or `load`.

    Attributes:
        name, version: which model this is, as the `model` column of tagged cases says.
        taxonomy: its themes.
        language: the spaCy pipeline.
        features: the columns of the counts.
        estimator: the fitted scikit-learn part, over the themes, the subthemes and `FINDINGS`.
        network: what reads words in their order, over the same; None where the training texts were too few.
        calibrations: one for each theme and subtheme, by id.
        evidence: which sentences are evidence, one for each theme, by id, and which tell of each of `FINDINGS`.
        review: the doubt from which on the status is `review`.
        facts: what else the manifest tells: training data, metrics.
    """

    name: str
    version: str
    taxonomy: Taxonomy
    language: Language
    features: Features
    estimator: Estimator
    network: Network | None
    calibrations: Mapping[str, Calibration]
    evidence: Mapping[str, Calibration]
    review: float
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        warm_up(self.language, self._common_words())

    def __repr__(self) -> str:
        return f"<complaintnlp model {self.name} {self.version}: {', '.join(self.taxonomy.ids)}>"

    def classify(self, texts: Any) -> list[Tagged]:
        """Say which themes each text raises.

        Args:
            texts: one text, or a list, tuple, pandas Series, numpy array or Arrow column of them, or cases
                (DataFrame, Arrow table, Dataset) with a text column. None counts as an empty text.

        Returns:
            One answer for each text, in order.

        Raises:
            InputError: when `texts` is nothing of the kind, or holds something that is no text; says which.
        """
        return list(self.classify_each(as_texts(texts)))

    def classify_each(self, texts: Iterable[str | None]) -> Iterator[Tagged]:
        """As `classify`, one answer at a time, reading ahead by no more than a block."""
        block: list[str | None] = []
        for text in texts:
            block.append(text)
            if len(block) == _BLOCK:
                yield from self._classify_block(block)
                block = []
        if block:
            yield from self._classify_block(block)

    def explain(self, text: str, label: str, at: int | None = None) -> Explanation:
        """Say what each word of a sentence contributes to the estimator's score for a theme or subtheme.

        Args:
            text: the text.
            label: id of the theme or subtheme.
            at: a character of the text, such as an `Evidence.start`: the sentence in which it stands; the sentence with
                the highest score where it is left out.

        Raises:
            InputError: when the label is unknown, the text can't be read, or no sentence stands at `at`.
        """
        return explain(self, text, label, at)

    def scores(self, readings: Readings) -> list[NDArray[np.float32]]:
        """Raw scores in logits, of all texts and then of all sentences.

        Returns:
            Those of the estimator and, if there is one, of the network; each of shape (texts + sentences, labels),
            labels as `Taxonomy.label_ids` and then `FINDINGS`.
        """
        scores = [self.estimator.scores(self.features.units(readings))]
        return scores if self.network is None else [*scores, self.network.scores(readings)]

    def probabilities(self, readings: Readings) -> NDArray[np.float64]:
        """Calibrated probabilities, shape (texts, labels), labels as `Taxonomy.label_ids`."""
        return self._probabilities(self.scores(readings), readings)

    def raised(self, probability: NDArray[np.float64]) -> NDArray[np.bool_]:
        """What probabilities of shape (texts, labels) come to: themes at or over their thresholds, with subthemes.

        A subtheme is raised only with its theme; a theme that has subthemes with at least one of them, the one
        nearest to its threshold if need be.
        """
        cuts = thresholds(self._calibrations)
        raised = np.asarray(probability >= cuts)
        width = len(self.taxonomy.ids)
        for theme, places in enumerate(self.taxonomy.subtheme_places):
            if places.start == places.stop:
                continue
            own = slice(width + places.start, width + places.stop)
            nearest = np.argmax(probability[:, own] / cuts[own], axis=1)
            bare = ~raised[:, own].any(axis=1)
            raised[np.flatnonzero(bare), own.start + nearest[bare]] = True
            raised[:, own] &= raised[:, [theme]]
        return raised

    def _common_words(self) -> Iterator[str]:
        """The single words of the vocabulary that most texts have."""
        single = (self.features.names[i] for i in np.argsort(self.estimator.tfidf.idf_, kind="stable"))
        return islice((word for word in single if word.isalpha()), _WARM_WORDS)

    @property
    def _calibrations(self) -> list[Calibration]:
        return [self.calibrations[label] for label in self.taxonomy.label_ids]

    def _classify_block(self, texts: Sequence[str | None]) -> list[Tagged]:
        statuses = [_unreadable(text) for text in texts]
        readable = [text or "" for text, status in zip(texts, statuses, strict=True) if status is None]
        answers = iter(self.classify_readings(read_texts(self.language, readable)) if readable else ())
        nothing = dict.fromkeys(self.taxonomy.ids, 0.0)
        return [next(answers) if status is None else Tagged((), nothing, {}, {}, (), status) for status in statuses]

    def _probabilities(self, scores: Sequence[NDArray[np.float32]], readings: Readings) -> NDArray[np.float64]:
        inputs = text_inputs(scores, readings.texts, len(self.taxonomy.ids), len(self.taxonomy.label_ids))
        return probabilities(inputs, self._calibrations)

    def classify_readings(self, readings: Readings) -> Iterator[Tagged]:
        """What the model says of each text of the readings, in order."""
        scores = self.scores(readings)
        probability = self._probabilities(scores, readings)
        raised = self.raised(probability)
        ids, width = self.taxonomy.ids, len(self.taxonomy.ids)
        doubts = doubt(probability[:, :width], thresholds(self._calibrations)[:width])
        stated = self.stated(scores, readings)
        decisions = self._decisions(stated[:, width:], readings.decisions)
        for i in range(len(readings)):
            sentences = slice(readings.texts[i], readings.texts[i + 1])
            of_themes, offsets = stated[sentences, :width], readings.offsets[sentences].tolist()
            themes = np.flatnonzero(raised[i, :width]).tolist()
            evidence = [piece for t in themes for piece in _evidence(ids[t], offsets, of_themes[:, t])]
            status = "review" if doubts[i] >= self.review else "classified" if themes else "no_theme"
            decided = findings(of_themes[:, themes], decisions[sentences])
            yield Tagged(
                themes=tuple(ids[t] for t in themes),
                probabilities=dict(zip(ids, probability[i, :width].tolist(), strict=True)),
                subthemes={ids[t]: self._subthemes(t, raised[i], probability[i]) for t in themes},
                findings=dict(zip((ids[t] for t in themes), decided, strict=True)),
                evidence=tuple(evidence),
                status=status,
            )

    def stated(self, scores: Sequence[NDArray[np.float32]], readings: Readings) -> NDArray[np.float64]:
        """How sure the model is that each sentence is evidence of each theme, and tells of each finding.

        Returns:
            In logits over the threshold, shape (sentences, themes + findings).
        """
        inputs = sentence_inputs(scores, readings.texts, len(self.taxonomy.ids), len(self.taxonomy.label_ids))
        return over_threshold(inputs, [self.evidence[name] for name in (*self.taxonomy.ids, *FINDINGS)])

    def _decisions(self, stated: NDArray[np.float64], cues: NDArray[np.int8]) -> NDArray[np.int8]:
        """1 for a sentence that tells of a point upheld, -1 for one not upheld, else 0; shape (sentences,)."""
        upheld, not_upheld = stated.T
        if all(isinstance(label, DummyClassifier) for label in self.estimator.labels[-2:]):
            return cues  # nobody marked findings in what the model learnt from
        return np.where(np.maximum(upheld, not_upheld) > 0, np.where(upheld > not_upheld, 1, -1), 0).astype(np.int8)

    def _subthemes(self, theme: int, raised: NDArray[np.bool_], probability: NDArray[np.float64]) -> dict[str, float]:
        """The subthemes raised under a theme, the likeliest first."""
        places = self.taxonomy.subtheme_places[theme]
        own = range(len(self.taxonomy.ids) + places.start, len(self.taxonomy.ids) + places.stop)
        likely = sorted((place for place in own if raised[place]), key=lambda place: -probability[place])
        return {self.taxonomy.label_ids[place]: float(probability[place]) for place in likely}


def as_texts(source: Any) -> list[str | None]:
    """The texts in whatever a caller would try; see `Model.classify`."""
    if isinstance(source, str) or source is None:
        return [source]
    if hasattr(source, "column_names") or (hasattr(source, "columns") and hasattr(source, "iloc")):
        from complaintnlp.cases import as_table, with_roles

        return as_texts(with_roles(as_table(source))["text"])
    if hasattr(source, "to_pylist"):
        source = source.to_pylist()
    elif hasattr(source, "tolist"):
        source = source.tolist()
    if isinstance(source, (bytes, Mapping)) or not isinstance(source, Iterable):
        raise InputError(f"can't classify a {type(source).__name__}; give a text, a list of texts or a table of cases")
    texts = [None if value is None or value != value else value for value in source]
    for place, text in enumerate(texts):
        if text is not None and not isinstance(text, str):
            raise InputError(f"text {place} (counted from 0) is a {type(text).__name__}, not a text")
    return texts


def findings(scores: NDArray[np.float64], decisions: NDArray[np.int8]) -> list[str]:
    """What a text decides of each theme: `raised`, `upheld` or `not_upheld`.

    A decision is about the themes that its own sentence states; a bare one ("We upheld this complaint") about those of
    the sentences since the last decision. One point upheld makes the theme upheld, as one issue makes a complaint
    partly upheld in KO41a.

    Args:
        scores: of the sentences of one text, over 0 where they are evidence; shape (sentences, themes).
        decisions: as `Readings.decisions`, shape (sentences,).
    """
    stated = scores > 0
    upheld, not_upheld = np.zeros(stated.shape[1], dtype=bool), np.zeros(stated.shape[1], dtype=bool)
    last = 0
    for place in np.flatnonzero(decisions).tolist():
        own = stated[place]
        about = own if own.any() else stated[last:place].any(axis=0)
        if decisions[place] > 0:
            upheld |= about
        else:
            not_upheld |= about
        last = place
    return ["upheld" if up else "not_upheld" if no else "raised" for up, no in zip(upheld, not_upheld, strict=True)]


def _unreadable(text: str | None) -> str | None:
    if text is None or not has_words(text):
        return "empty"
    return "too_long" if len(text) > LONGEST_TEXT else None


def _evidence(theme: str, offsets: Sequence[Sequence[int]], scores: NDArray[np.float64]) -> list[Evidence]:
    """The surest sentence, and any other that is more likely evidence than not."""
    order = np.argsort(-scores, kind="stable").tolist()
    chosen = [i for rank, i in enumerate(order) if rank == 0 or scores[i] > 0]
    return [Evidence(theme, offsets[i][0], offsets[i][1], round(float(scores[i]), 4)) for i in chosen]
