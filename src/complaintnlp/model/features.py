"""Readings -> the sparse matrix that the classifier learns from.

Two blocks of counts: words (single words, pairs of neighbours, words under a negation, concepts) and
characters (pieces of two to five letters within a word, which forgive misspellings). Each is weighted by
tf-idf inside the estimator. The feature names are all that a model keeps of its texts, so a word only enters
the vocabulary when enough different texts write it in lower case: a name hardly ever is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from complaintnlp.language import Reading

PIECES = (2, 3, 4, 5)
_CACHE_LIMIT = 200_000


@dataclass(frozen=True)
class Unit:
    """A stretch of a reading to classify: the whole of it, or one sentence.

    Attributes:
        first, last: the half-open range of words.
        sentences: the half-open range of sentences.
    """

    first: int
    last: int
    sentences: tuple[int, int]


def whole(reading: Reading) -> Unit:
    """The unit of a whole text."""
    return Unit(0, len(reading.words), (0, len(reading.sentences)))


def by_sentence(reading: Reading) -> list[Unit]:
    """The units of the single sentences of a text."""
    return [Unit(s.first, s.last, (i, i + 1)) for i, s in enumerate(reading.sentences)]


@dataclass(frozen=True)
class Features:
    """The columns of the matrix, by name.

    Attributes:
        words, pieces: feature names of each block, in column order. A pair is `a b`, a negated word `not:a`,
            a concept `is:a`.
    """

    words: tuple[str, ...]
    pieces: tuple[str, ...]
    _word_ids: dict[str, int] = field(init=False, repr=False, compare=False)
    _piece_ids: dict[str, int] = field(init=False, repr=False, compare=False)
    _pieces_of: dict[str, list[int]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_word_ids", {name: i for i, name in enumerate(self.words)})
        object.__setattr__(self, "_piece_ids", {name: i for i, name in enumerate(self.pieces)})

    @property
    def names(self) -> tuple[str, ...]:
        """All feature names in column order; pieces are written `~abc`."""
        return self.words + tuple("~" + piece for piece in self.pieces)

    @property
    def blocks(self) -> tuple[slice, slice]:
        """The column ranges of the two blocks."""
        return slice(0, len(self.words)), slice(len(self.words), len(self.words) + len(self.pieces))

    @classmethod
    def learn(cls, readings: Sequence[Reading], min_texts: int = 2, most: int = 60_000) -> Features:
        """Choose the vocabulary.

        Args:
            readings: of the training texts.
            min_texts: texts in which a feature must stand.
            most: features kept in each block, the most frequent first.
        """
        allowed = _common_words(readings, min_texts)
        words, pieces = Counter[str](), Counter[str]()
        for reading in readings:
            kept = [word if word in allowed else "" for word in reading.words]
            words.update({name for name in _word_features(reading, whole(reading), kept) if name})
            pieces.update({piece for word in set(kept) if word for piece in _pieces(word)})
        return cls(_most_common(words, min_texts, most), _most_common(pieces, min_texts, most))

    def matrix(self, units: Iterable[tuple[Reading, Unit]]) -> sp.csr_matrix:
        """Counts, shape (number of units, number of features), float32."""
        indices: list[int] = []
        lengths = [0]
        offset = len(self.words)
        for reading, unit in units:
            for name in _word_features(reading, unit, reading.words):
                place = self._word_ids.get(name)
                if place is not None:
                    indices.append(place)
            for word in reading.words[unit.first : unit.last]:
                indices += self._word_pieces(word, offset)
            lengths.append(len(indices))
        shape = (len(lengths) - 1, offset + len(self.pieces))
        ones = np.ones(len(indices), dtype=np.float32)
        counts = sp.csr_matrix((ones, np.array(indices, np.int32), np.array(lengths, np.int64)), shape=shape)
        counts.sum_duplicates()
        return counts

    def _word_pieces(self, word: str, offset: int) -> list[int]:
        known = self._pieces_of.get(word)
        if known is None:
            if len(self._pieces_of) > _CACHE_LIMIT:
                self._pieces_of.clear()
            ids = (self._piece_ids.get(piece) for piece in _pieces(word))
            known = self._pieces_of[word] = [offset + i for i in ids if i is not None]
        return known


def _word_features(reading: Reading, unit: Unit, words: Sequence[str]) -> list[str]:
    names = list(words[unit.first : unit.last])
    for number in range(*unit.sentences):
        sentence = reading.sentences[number]
        for place in range(sentence.first, sentence.last - 1):
            if words[place] and words[place + 1]:
                names.append(f"{words[place]} {words[place + 1]}")
        names += [f"is:{concept}" for concept in sentence.concepts]
    names += [f"not:{words[p]}" for p in reading.negated if unit.first <= p < unit.last and words[p]]
    return names


def _pieces(word: str) -> list[str]:
    if word.startswith("<") or not word[:1].isalpha():
        return []
    bounded = f"<{word}>"
    return [bounded[i : i + n] for n in PIECES for i in range(len(bounded) - n + 1)]


def _common_words(readings: Sequence[Reading], min_texts: int) -> frozenset[str]:
    """Words that at least `min_texts` texts write in lower case."""
    texts = Counter[str]()
    for reading in readings:
        texts.update({word for word, plain in zip(reading.words, reading.plain, strict=True) if plain})
    return frozenset(word for word, count in texts.items() if count >= min_texts)


def _most_common(counts: Counter[str], least: int, most: int) -> tuple[str, ...]:
    kept = [(-count, name) for name, count in counts.items() if count >= least]
    return tuple(sorted(name for _, name in sorted(kept)[:most]))


def rows_of(units: Sequence[Sized]) -> NDArray[np.int64]:
    """Where the units of each text start in a matrix of all of them: shape (texts + 1,)."""
    return np.concatenate([[0], np.cumsum([len(of_text) for of_text in units])]).astype(np.int64)
