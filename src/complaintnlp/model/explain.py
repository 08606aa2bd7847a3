"""Which words made a sentence's score: exact, because the estimator is linear, and as displaCy shows it.

What the network adds, where a model has one, is not taken apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from complaintnlp.characters import mend
from complaintnlp.errors import InputError
from complaintnlp.language import LONGEST_TEXT, Readings, encoder_of, has_words, read_texts, word_offsets

if TYPE_CHECKING:
    from complaintnlp.model.model import Model

FOR, AGAINST = "#fdc086", "#a6cee3"
"""What speaks for a label and what against it; told apart in greys and by the colour-blind."""


class Contribution(NamedTuple):
    """What one word adds to the score, in logits; start and end are character offsets into the text as it was given."""

    start: int
    end: int
    logits: float


@dataclass(frozen=True)
class Explanation:
    """The score of one sentence for one label, word by word.

    Attributes:
        label: a theme or subtheme.
        start, end: the sentence, in characters of the text as it was given.
        score: the estimator's of the sentence alone, in logits, before calibration; `intercept` and the words' logits
            add up to it.
        intercept: what the score is without any word.
        words: in the order of the text.
    """

    label: str
    start: int
    end: int
    score: float
    intercept: float
    words: tuple[Contribution, ...]


def explain(model: Model, text: str, label: str, at: int | None = None) -> Explanation:
    """What each word of a sentence contributes to its score; see `Model.explain`."""
    if label not in model.taxonomy.label_ids:
        raise InputError(f"the model knows no {label!r}; it knows {', '.join(model.taxonomy.label_ids)}")
    if not has_words(text) or len(text) > LONGEST_TEXT:
        raise InputError(f"a text to explain has words and at most {LONGEST_TEXT:,} characters")
    place = model.taxonomy.label_ids.index(label)
    readings = read_texts(model.language, [text])
    scores = model.estimator.scores(model.features.units(readings))[len(readings) :, place]
    sentence = int(np.argmax(scores)) if at is None else _sentence_at(readings, at)
    words = slice(readings.sentences[sentence], readings.sentences[sentence + 1])
    logits = _by_counts(model, readings, sentence, place)[words] + _by_vectors(model, readings, sentence, place)
    offsets = word_offsets(model.language, text)[words].tolist()
    return Explanation(
        label=label,
        start=int(readings.offsets[sentence, 0]),
        end=int(readings.offsets[sentence, 1]),
        score=float(scores[sentence]),
        intercept=model.estimator.weights(place)[2],
        words=tuple(Contribution(start, end, one) for (start, end), one in zip(offsets, logits.tolist(), strict=True)),
    )


def as_displacy(text: str, explanation: Explanation, least: float = 0.1) -> dict[str, Any]:
    """A sentence with its words marked, for `displacy.render(..., style="ent", manual=True)`, which escapes the text.

    Args:
        text: the text that was explained.
        explanation: of one of its sentences.
        least: words that add less than this, either way, are left bare; in logits.
    """
    ents = [
        {
            "start": word.start - explanation.start,
            "end": word.end - explanation.start,
            "label": f"{word.logits:+.1f}",
            "params": {"bg": FOR if word.logits > 0 else AGAINST},
        }
        for word in explanation.words
        if abs(word.logits) >= least
    ]
    return {"text": mend(text[explanation.start : explanation.end]), "ents": ents, "title": None}


def _sentence_at(readings: Readings, at: int) -> int:
    starts, ends = readings.offsets.T
    found = np.flatnonzero((starts <= at) & (at < ends))
    if not len(found):
        raise InputError(f"no sentence with words stands at character {at}; `Evidence.start` names one that does")
    return int(found[0])


def _by_counts(model: Model, readings: Readings, sentence: int, label: int) -> NDArray[np.float64]:
    """What each word adds through the columns that count it, shape (words of the text,).

    A pair's share goes half and half to its two words; that of the sentence's telling of a decision to all its words
    alike.
    """
    counts = model.features.units(readings).counts[len(readings) + sentence]
    weights = model.estimator.weights(label)[0]
    weighted = model.estimator.tfidf.transform(counts)
    # The share of one occurrence: sublinear weights and the norm are of the whole sentence, so all are worth the same.
    each = np.zeros(len(weights) + 1)  # the last for the column -1, which is none
    each[counts.indices] = np.asarray(weighted[0, counts.indices].todense()).ravel() * weights[counts.indices]
    each[counts.indices] /= counts.data
    single, negated, pairs, decides = model.features.columns(readings)
    by_word = each[single] + each[negated] + each[pairs] / 2
    by_word[1:] += each[pairs[:-1]] / 2
    return np.asarray(by_word + each[decides[sentence]] / np.diff(readings.sentences)[sentence])


def _by_vectors(model: Model, readings: Readings, sentence: int, label: int) -> NDArray[np.float64]:
    """What each word of the sentence adds through its vector, shape (words of the sentence,).

    The sentence's vector is the sum of its words', made of length 1. An encoder's is no such sum: all words alike share
    what it adds.
    """
    words = readings.words[readings.sentences[sentence] : readings.sentences[sentence + 1]]
    weights = model.estimator.weights(label)[1]
    whole = readings.vectors[sentence]
    if not len(weights):
        return np.zeros(len(words))
    if encoder_of(model.language) is None:
        vectors = model.language.vocab.vectors.get_batch([readings.vocabulary[word] for word in words])
    else:
        vectors = np.tile(whole / len(words), (len(words), 1))
    return np.asarray(vectors @ weights / max(float(np.linalg.norm(whole)), 1e-9), dtype=np.float64)
