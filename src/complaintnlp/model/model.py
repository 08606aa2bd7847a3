"""The model: texts in, themes with evidence out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language

from complaintnlp.errors import InputError
from complaintnlp.language import LONGEST_TEXT, Reading, has_words, read_texts, warm_up
from complaintnlp.model.calibration import Calibration, doubt, probabilities, thresholds
from complaintnlp.model.estimator import Estimator
from complaintnlp.model.features import Features, by_sentence, rows_of, whole
from complaintnlp.taxonomy import Taxonomy

STATUSES = ("classified", "no_theme", "review", "empty", "too_long")
_BLOCK = 256
_WARM_WORDS = 4_000


@dataclass(frozen=True)
class Evidence:
    """A sentence that made the model raise a theme.

    Attributes:
        theme: the theme's id.
        start, end: character offsets into the text as it was given.
        score: the sentence's own score for the theme, in logits: above 0, it raises the theme by itself.
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
        status: `classified`, `no_theme` (none raised), `review` (a person should look: a theme lies near its
            threshold), `empty` (no words) or `too_long`.
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
        features: the columns of the matrix.
        estimator: the fitted scikit-learn part, over the themes and subthemes.
        calibrations: one for each theme and subtheme, by id.
        review: the doubt from which on the status is `review`.
        facts: what else the manifest tells: training data, metrics.
    """

    name: str
    version: str
    taxonomy: Taxonomy
    language: Language
    features: Features
    estimator: Estimator
    calibrations: Mapping[str, Calibration]
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

    def scores(self, readings: Sequence[Reading]) -> tuple[NDArray[np.float64], list[NDArray[np.float32]]]:
        """Raw scores, in logits.

        Returns:
            Shape (texts, labels, 2), labels as `Taxonomy.label_ids`: of the whole text and of its strongest
            sentence; and for each text the scores of its sentences, shape (sentences, labels).
        """
        units = [[whole(reading), *by_sentence(reading)] for reading in readings]
        flat = [(reading, unit) for reading, several in zip(readings, units, strict=True) for unit in several]
        scores = self.estimator.scores(self.features.matrix(flat))
        starts = rows_of(units)
        return whole_and_strongest(scores, starts), [scores[first + 1 : last] for first, last in pairwise(starts)]

    def probabilities(self, readings: Sequence[Reading]) -> NDArray[np.float64]:
        """Calibrated probabilities, shape (texts, labels)."""
        return probabilities(self.scores(readings)[0], self._calibrations)

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
        idf = self.estimator.tfidf.named_transformers_["words"].idf_
        single = (self.features.words[i] for i in np.argsort(idf, kind="stable"))
        return islice((word for word in single if word.isalpha()), _WARM_WORDS)

    @property
    def _calibrations(self) -> list[Calibration]:
        return [self.calibrations[label] for label in self.taxonomy.label_ids]

    def _classify_block(self, texts: Sequence[str | None]) -> list[Tagged]:
        statuses = [_unreadable(text) for text in texts]
        readable = [text or "" for text, status in zip(texts, statuses, strict=True) if status is None]
        readings = list(read_texts(self.language, readable))
        answers = iter(self._classify_readings(readings) if readings else ())
        nothing = dict.fromkeys(self.taxonomy.ids, 0.0)
        return [next(answers) if status is None else Tagged((), nothing, {}, {}, (), status) for status in statuses]

    def _classify_readings(self, readings: Sequence[Reading]) -> Iterator[Tagged]:
        scores, by_sentences = self.scores(readings)
        probability = probabilities(scores, self._calibrations)
        raised = self.raised(probability)
        ids, width = self.taxonomy.label_ids, len(self.taxonomy.ids)
        doubts = doubt(probability[:, :width], thresholds(self._calibrations)[:width])
        for i, reading in enumerate(readings):
            themes = np.flatnonzero(raised[i, :width]).tolist()
            evidence = {ids[t]: _evidence(ids[t], reading, by_sentences[i][:, t]) for t in themes}
            status = "review" if doubts[i] >= self.review else "classified" if len(themes) else "no_theme"
            yield Tagged(
                themes=tuple(evidence),
                probabilities=dict(zip(ids[:width], probability[i].tolist(), strict=False)),
                subthemes={ids[t]: self._subthemes(t, raised[i], probability[i]) for t in themes},
                findings={theme: _finding(reading, by_sentences[i][:, ids.index(theme)]) for theme in evidence},
                evidence=tuple(piece for pieces in evidence.values() for piece in pieces),
                status=status,
            )

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


def whole_and_strongest(scores: NDArray[np.float32], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """The two scores that calibration takes.

    Args:
        scores: shape (units, labels); of each text first the whole, then its sentences.
        starts: where the units of each text start, shape (texts + 1,).

    Returns:
        Shape (texts, labels, 2).
    """
    out = np.empty((len(starts) - 1, scores.shape[1], 2))
    for i, (first, last) in enumerate(pairwise(starts)):
        out[i, :, 0] = scores[first]
        out[i, :, 1] = scores[first + 1 : last].max(axis=0) if last > first + 1 else scores[first]
    return out


def _unreadable(text: str | None) -> str | None:
    if text is None or not has_words(text):
        return "empty"
    return "too_long" if len(text) > LONGEST_TEXT else None


def _evidence(theme: str, reading: Reading, scores: NDArray[np.float32]) -> list[Evidence]:
    """The strongest sentence, and any other that raises the theme by itself."""
    order = np.argsort(-scores, kind="stable")
    chosen = [i for rank, i in enumerate(order) if rank == 0 or scores[i] > 0]
    return [
        Evidence(theme, reading.sentences[i].start, reading.sentences[i].end, round(float(scores[i]), 4))
        for i in chosen
    ]


def _finding(reading: Reading, scores: NDArray[np.float32]) -> str:
    """What the text decides of a theme: the finding of its strongest sentence that tells of a decision."""
    decided = [i for i, sentence in enumerate(reading.sentences) if sentence.finding and scores[i] > 0]
    if not decided:
        return "raised"
    # One point upheld makes the theme upheld, as one issue makes a complaint partly upheld in KO41a.
    findings = {reading.sentences[i].finding for i in decided}
    return "upheld" if "upheld" in findings else "not_upheld"
