"""Word vectors that know every word: a table of word pieces, and a word is the sum of its pieces.

`PieceVectors` stands in for spaCy's own `Vectors`, so that `token.vector`, `span.vector` and `doc.vector` just work,
also for words that are misspelt or were never seen. The table was fitted so that the sum over a sentence points
where a sentence encoder puts it (`scripts/build_vectors.py`): a look-up that keeps most of what the encoder knows. The
shipped table is 2 MB on disk and read in some 15 ms.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import LOWER
from spacy.strings import StringStore
from spacy.util import registry
from spacy.vectors import BaseVectors  # type: ignore[import-not-found] # Cython, without stubs
from spacy.vocab import Vocab

VECTORS = "complaintnlp.PieceVectors.v1"
"""What a spaCy config calls them by."""
LONGEST_WORD = 40
"""Letters of a word that are looked at."""
_GOES_ON = "##"
"""What a piece within a word begins with, as in BERT's vocabularies."""
_PIECES, _TABLE, _SCALES = "pieces.txt", "piece_vectors.npy", "piece_scales.npy"


class PieceVectors(BaseVectors):  # type: ignore[misc]
    """A table of vectors of word pieces, and the vectors of words that follow from it.

    A word is cut greedily into the longest pieces, from its start on (Wu et al. 2016, WordPiece); its vector is the
    sum of theirs, and zero where a character is in no piece. The table holds bytes and one scale for each piece, a
    quarter of the size of floats.

    Args:
        pieces: the pieces, those within a word beginning with `##`.
        table: shape (pieces, dimensions), int8.
        scales: what each row is multiplied by, shape (pieces,).
    """

    attr = LOWER
    name = "complaintnlp_pieces"
    mode = "default"

    def __init__(self, pieces: Sequence[str], table: NDArray[np.int8], scales: NDArray[np.float32]) -> None:
        super().__init__()
        self.strings = StringStore()
        self._set(pieces, table, scales)

    def _set(self, pieces: Sequence[str], table: NDArray[np.int8], scales: NDArray[np.float32]) -> None:
        if table.ndim != 2 or table.dtype != np.int8 or not (len(table),) == (len(pieces),) == scales.shape:
            raise ValueError(f"{len(pieces)} pieces do not go with a table of {table.shape} and {scales.shape} scales")
        if scales.dtype.kind != "f" or not np.isfinite(scales).all():
            raise ValueError("the scales of the pieces must be finite numbers")
        self._pieces, self._table, self._scales = tuple(pieces), table, scales.astype(np.float32)
        self._places = {piece: place for place, piece in enumerate(pieces)}
        self._remembered = dict[str, list[int]]()

    def of_words(self, words: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of words in lower case, shape (words, dimensions)."""
        cut = [self.cut(word) for word in words]
        places = np.array([place for one in cut for place in one], dtype=np.int64)
        sums = np.zeros((len(words), self.vectors_length), dtype=np.float32)
        full = np.flatnonzero([len(one) for one in cut])
        if len(full):
            starts = np.concatenate([[0], np.cumsum([len(cut[i]) for i in full])[:-1]])
            rows = self._table[places] * self._scales[places, None]
            sums[full] = np.add.reduceat(rows, starts, axis=0)
        return sums

    def remember(self, words: Iterable[str]) -> None:
        """Keep how these words are cut. They must be a vocabulary, never the words of a text."""
        self._remembered.update((word, self._cut(word)) for word in words)

    def cut(self, word: str) -> list[int]:
        """The places of the pieces that a word in lower case is made of; none where there is no way to cut it."""
        known = self._remembered.get(word)
        return self._cut(word) if known is None else known

    def _cut(self, word: str) -> list[int]:
        word = _plain(word[:LONGEST_WORD])
        found, start = list[int](), 0
        while start < len(word):
            for end in range(len(word), start, -1):
                # A joint such as a hyphen begins a new word for the encoder's tokenizer.
                joint = start == 0 or not (word[start].isalnum() and word[start - 1].isalnum())
                place = self._places.get(word[start:end] if joint else _GOES_ON + word[start:end])
                if place is not None:
                    found.append(place)
                    start = end
                    break
            else:
                return []
        return found

    # What spaCy asks of vectors.

    @property
    def data(self) -> NDArray[np.float32]:
        """The table as floats, shape (pieces, dimensions)."""
        return np.asarray(self._table * self._scales[:, None])

    @property
    def shape(self) -> tuple[int, int]:
        """(pieces, dimensions)."""
        return self._table.shape[0], self._table.shape[1]

    @property
    def vectors_length(self) -> int:
        """The number of dimensions."""
        return int(self._table.shape[1])

    @property
    def size(self) -> int:
        """The number of values in the table."""
        return int(self._table.size)

    @property
    def n_keys(self) -> int:
        """-1: there is no end to the words."""
        return -1

    def __len__(self) -> int:
        return len(self._pieces)

    def __contains__(self, key: int | str) -> bool:
        return bool(self.cut(self._word(key)))

    def __getitem__(self, key: int | str) -> NDArray[np.float32]:
        return np.asarray(self.of_words([self._word(key)])[0])

    def get_batch(self, keys: Iterable[int | str]) -> NDArray[np.float32]:
        """The vectors of several keys, shape (keys, dimensions)."""
        return self.of_words([self._word(key) for key in keys])

    def is_full(self) -> bool:
        """Whether no word can be added: there is no room for single words."""
        return True

    def _word(self, key: int | str) -> str:
        return key if isinstance(key, str) else str(self.strings[key])

    def to_disk(self, path: str | Path, **_: Any) -> None:
        """Write the pieces and their table."""
        path = Path(path)
        (path / _PIECES).write_text("".join(f"{piece}\n" for piece in self._pieces), encoding="utf-8", newline="\n")
        np.save(path / _TABLE, self._table, allow_pickle=False)
        np.save(path / _SCALES, self._scales, allow_pickle=False)

    def from_disk(self, path: str | Path, **_: Any) -> PieceVectors:
        """Read what `to_disk` wrote; raises ValueError where the parts do not go together."""
        self._set(*_read(Path(path)))
        return self

    def to_bytes(self, **_: Any) -> bytes:
        """What tells this table from another."""
        return self._table.tobytes() + self._scales.tobytes()


def fitted_vectors() -> PieceVectors:
    """The table that the package brings."""
    return PieceVectors(*_shipped())


def quantised(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A table of floats as bytes, and the scale of each row."""
    scales = np.maximum(np.abs(table).max(axis=1), 1e-12) / 127
    return np.round(table / scales[:, None]).astype(np.int8), scales.astype(np.float32)


@registry.vectors(VECTORS)  # type: ignore[untyped-decorator]
def make_vectors() -> Callable[[Vocab], PieceVectors]:
    """What `@vectors = "complaintnlp.PieceVectors.v1"` in a spaCy config makes."""
    return lambda vocab: fitted_vectors()  # noqa: ARG005 - spaCy's signature


@cache
def _shipped() -> tuple[list[str], NDArray[np.int8], NDArray[np.float32]]:
    with resources.as_file(resources.files("complaintnlp.language").joinpath("fitted_vectors")) as folder:
        return _read(folder)


def _read(path: Path) -> tuple[list[str], NDArray[np.int8], NDArray[np.float32]]:
    pieces = (path / _PIECES).read_text(encoding="utf-8").splitlines()
    try:
        return pieces, np.load(path / _TABLE, allow_pickle=False), np.load(path / _SCALES, allow_pickle=False)
    except EOFError:
        raise ValueError(f"{path}: a table of the word pieces is empty") from None


def _plain(word: str) -> str:
    """Without accents, as the encoder's tokenizer has it."""
    if word.isascii():
        return word
    return "".join(c for c in unicodedata.normalize("NFD", word.lower()) if unicodedata.category(c) != "Mn")
