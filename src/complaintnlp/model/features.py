"""Readings -> the rows that the classifier learns from.

A unit is a whole text or one sentence. Its row has two blocks: counts of words (single words, pairs of neighbours,
words under a negation), which tf-idf weighs inside the estimator, and the direction of its word vectors, which also
says something of words that no training text had. The feature names are all that a model keeps of its texts, so a word
only enters the vocabulary when enough different texts write it in lower case: a name hardly ever is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from complaintnlp.language import Readings, incidence

_NEGATED = "not:"
_DECIDES = ("decides:not_upheld", "decides:upheld")


@dataclass(frozen=True, eq=False)
class Units:
    """The rows of texts and sentences, texts first.

    Attributes:
        counts: shape (texts + sentences, features).
        vectors: of length 1, shape (texts + sentences, dimensions).
    """

    counts: sp.csr_matrix
    vectors: NDArray[np.float32]

    def take(self, rows: NDArray[np.int64]) -> Units:
        """Some of the rows."""
        return Units(self.counts[rows], self.vectors[rows])


@dataclass(frozen=True)
class Features:
    """The columns of the counts, by name.

    Attributes:
        names: in column order. A pair is `a b`, a negated word `not:a`; `decides:upheld` and `decides:not_upheld` are
            sentences that tell of a decision.
    """

    names: tuple[str, ...]
    _single: dict[str, int] = field(init=False, repr=False, compare=False)
    _negated: dict[str, int] = field(init=False, repr=False, compare=False)
    _decides: tuple[int, int] = field(init=False, repr=False, compare=False)
    _pairs: NDArray[np.int64] = field(init=False, repr=False, compare=False)
    _pair_columns: NDArray[np.int64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        single, negated, pairs = dict[str, int](), dict[str, int](), list[tuple[str, str, int]]()
        for column, name in enumerate(self.names):
            before, space, after = name.partition(" ")
            if space:
                pairs.append((before, after, column))
            elif name.startswith(_NEGATED):
                negated[name.removeprefix(_NEGATED)] = column
            elif name not in _DECIDES:
                single[name] = column
        # A pair is looked up by one number made of the columns of its words; both words are columns themselves.
        keys = np.array([single[a] * len(self.names) + single[b] for a, b, _ in pairs], dtype=np.int64)
        order = np.argsort(keys)
        for name, value in (
            ("_single", single),
            ("_negated", negated),
            ("_decides", tuple(self.names.index(name) if name in self.names else -1 for name in _DECIDES)),
            ("_pairs", keys[order]),
            ("_pair_columns", np.array([column for *_, column in pairs], dtype=np.int64)[order]),
        ):
            object.__setattr__(self, name, value)

    @property
    def words(self) -> tuple[str, ...]:
        """The single words, in column order."""
        return tuple(self._single)

    @classmethod
    def learn(cls, readings: Readings, min_texts: int = 2, most: int = 60_000) -> Features:
        """Choose the vocabulary.

        Args:
            readings: of the training texts.
            min_texts: texts in which a feature must stand.
            most: features kept, the most frequent first.
        """
        text = np.repeat(np.arange(len(readings)), np.diff(readings.sentences[readings.texts]))
        vocabulary = np.array(readings.vocabulary, dtype=object)

        def common(items: NDArray[np.int64], texts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
            """The items that enough texts have, and how many have each."""
            found = np.unique(items * len(readings) + texts) // max(len(readings), 1)
            different, counts = np.unique(found, return_counts=True)
            return different[counts >= min_texts], counts[counts >= min_texts]

        allowed = np.zeros(len(vocabulary), dtype=bool)
        allowed[common(readings.words[readings.plain], text[readings.plain])[0]] = True
        kept = allowed[readings.words]
        counts: Counter[str] = Counter()
        for prefix, chosen in (("", kept), (_NEGATED, kept & readings.negated)):
            ids, texts = common(readings.words[chosen], text[chosen])
            counts.update({prefix + vocabulary[i]: n for i, n in zip(ids.tolist(), texts.tolist(), strict=True)})
        first = _firsts_of_pairs(readings)
        first = first[kept[first] & kept[first + 1]]
        keys = readings.words[first] * len(vocabulary) + readings.words[first + 1]
        for key, n in zip(*(part.tolist() for part in common(keys, text[first])), strict=True):
            before, after = divmod(key, len(vocabulary))
            counts[f"{vocabulary[before]} {vocabulary[after]}"] = n
        names = [name for _, name in sorted((-count, name) for name, count in counts.items())[:most]]
        single = {name for name in names if " " not in name}
        names = [name for name in names if " " not in name or single.issuperset(name.split(" "))]
        return cls((*sorted(names), *_DECIDES))

    def units(self, readings: Readings) -> Units:
        """The rows of all texts and sentences."""
        counts, sums = self._counts(readings), readings.vectors
        text = np.repeat(np.arange(len(readings)), np.diff(readings.texts))
        by_text = incidence(np.arange(len(text)), text, (len(readings), len(text)))
        together = np.vstack([by_text @ sums, sums])
        lengths = np.sqrt(np.einsum("ij,ij->i", together, together))
        together /= np.maximum(lengths, np.float32(1e-9))[:, None]
        rows = sp.vstack([by_text @ counts, counts], format="csr")
        # Once, here: scipy would do so whenever it is asked first, also from two threads at a time.
        rows.sum_duplicates()
        return Units(rows, together)

    def _counts(self, readings: Readings) -> sp.csr_matrix:
        """Counts of sentences, shape (sentences, features)."""
        sentence = np.repeat(np.arange(len(readings.offsets)), np.diff(readings.sentences))
        *of_words, decides = self.columns(readings)
        columns = np.concatenate([*of_words, decides])
        rows = np.concatenate([sentence, sentence, sentence, np.arange(len(decides))])
        return incidence(columns[columns >= 0], rows[columns >= 0], (len(readings.offsets), len(self.names)))

    def columns(
        self, readings: Readings
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Which columns count what: -1 for none.

        Returns:
            Of each word its own, that of its being negated, and that of its pair with the next word, shape (words,)
            each; and of each sentence that of its decision, shape (sentences,).
        """
        width = len(self.names)
        single, negated = (
            np.array([table.get(word, -1) for word in readings.vocabulary], dtype=np.int64)[readings.words]
            for table in (self._single, self._negated)
        )
        first = _firsts_of_pairs(readings)
        pairs = np.full(len(single), -1, dtype=np.int64)
        if len(self._pairs):
            keys = single[first] * width + single[first + 1]
            found = np.minimum(np.searchsorted(self._pairs, keys), len(self._pairs) - 1)
            both = (single[first] >= 0) & (single[first + 1] >= 0) & (self._pairs[found] == keys)
            pairs[first[both]] = self._pair_columns[found[both]]
        negated[~readings.negated] = -1
        not_upheld, upheld = self._decides
        decides = np.select([readings.decisions > 0, readings.decisions < 0], [upheld, not_upheld], -1)
        return single, negated, pairs, decides


def _firsts_of_pairs(readings: Readings) -> NDArray[np.int64]:
    """The places of words that have a neighbour after them in their sentence."""
    pairs = np.ones(len(readings.words), dtype=bool)
    pairs[readings.sentences[1:] - 1] = False
    return np.flatnonzero(pairs)
