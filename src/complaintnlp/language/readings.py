"""Texts -> readings: what the pipeline found, as arrays, with no spaCy object kept alive."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from spacy.attrs import IDX, IS_LOWER, IS_SPACE, LENGTH, NORM, SENT_START
from spacy.language import Language
from spacy.tokens import Doc

from complaintnlp.characters import mend
from complaintnlp.language.encoder import sentence_vectors
from complaintnlp.language.identifiers import TEXT_KEY
from complaintnlp.language.pipeline import encoder_of
from complaintnlp.language.scope import NEGATED, SPANS_KEY
from complaintnlp.language.sentences import batched, token_table

LONGEST_TEXT = 100_000
"""Characters of a text that is read; a longer one (some 17,000 words) is no narrative and gets a status instead."""
_ZONE_TEXTS = 512
_ATTRIBUTES = [NORM, IS_LOWER, IS_SPACE, SENT_START, IDX, LENGTH]


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What texts come down to: the different words and where they stand, with no spaCy object kept alive.

    All texts follow one another: words in sentences, sentences in texts.

    Attributes:
        vocabulary: the different words: norms in lower case, digits as 0, identifiers as `<label>`, punctuation left
            out but for ! and ?.
        words: the place of each word in `vocabulary`, shape (words,).
        plain: whether it was written in lower case: a name hardly ever is; shape (words,).
        negated: whether it stands under a negation; shape (words,).
        sentences: where the words of each sentence start, and the number of words; shape (sentences + 1,). No sentence
            is empty.
        texts: where the sentences of each text start, and the number of sentences; shape (texts + 1,).
        offsets: start and end of each sentence, in characters of its text as it was given; shape (sentences, 2).
        decisions: 1 for a sentence that tells of a point upheld, -1 for one not upheld, else 0; shape (sentences,).
        vectors: the sum of the word vectors of each sentence, or what an encoder makes of it; shape (sentences,
            dimensions).
        word_vectors: of each word of `vocabulary`, shape (vocabulary, dimensions of the look-up table).
    """

    vocabulary: list[str]
    words: NDArray[np.int64]
    plain: NDArray[np.bool_]
    negated: NDArray[np.bool_]
    sentences: NDArray[np.int64]
    texts: NDArray[np.int64]
    offsets: NDArray[np.int64]
    decisions: NDArray[np.int8]
    vectors: NDArray[np.float32]
    word_vectors: NDArray[np.float32]

    def __len__(self) -> int:
        """The number of texts."""
        return len(self.texts) - 1


def read_texts(nlp: Language, texts: Iterable[str]) -> Readings:
    """Read texts, each at most `LONGEST_TEXT` characters long.

    Texts run in spaCy's memory zones, so that the words of one shard are forgotten after it.
    """
    places: dict[str, int] = {}
    blocks = [_read_block(nlp, list(map(mend, block)), places) for block in batched(texts, _ZONE_TEXTS)]
    if not blocks:
        blocks = [_read_block(nlp, [], places)]
    return Readings(
        list(places),
        np.concatenate([block.words for block in blocks]),
        np.concatenate([block.plain for block in blocks]),
        np.concatenate([block.negated for block in blocks]),
        _joined([block.sentences for block in blocks]),
        _joined([block.texts for block in blocks]),
        np.concatenate([block.offsets for block in blocks]),
        np.concatenate([block.decisions for block in blocks]),
        np.concatenate([block.vectors for block in blocks]),
        np.concatenate([block.word_vectors for block in blocks]),
    )


def word_offsets(nlp: Language, text: str) -> NDArray[np.int64]:
    """Where the words of a text's readings stand in it, in their order: start and end, shape (words, 2).

    Readings keep no place of a word, so the text is read once more; for one text that is to be shown, no loss.
    """
    with nlp.memory_zone():
        (doc,) = nlp.pipe([_with_text(nlp, mend(text))])
        places = [(token.idx, token.idx + len(token)) for token in doc if _word(token.norm_)]
    return np.array(places, dtype=np.int64).reshape(-1, 2)


def has_words(text: str) -> bool:
    """Whether there is any letter or digit in a text."""
    return _ANY_WORD.search(text) is not None


def incidence(columns: NDArray[np.int64], rows: NDArray[np.int64], shape: tuple[int, int]) -> sp.csr_matrix:
    """How often each row has each column."""
    ones = np.ones(len(columns), dtype=np.float32)
    return sp.coo_matrix((ones, (rows, columns)), shape=shape).tocsr()


def _read_block(nlp: Language, texts: list[str], places: dict[str, int]) -> Readings:
    """Read the texts of one memory zone; `places` is the vocabulary, and new words, with their vectors, are added."""
    before = len(places)
    with nlp.memory_zone():
        docs = list(nlp.pipe((_with_text(nlp, text) for text in texts), batch_size=_ZONE_TEXTS))
        first, table = token_table(docs, _ATTRIBUTES)
        norms, which = np.unique(table[:, 0], return_inverse=True)
        strings = [_word(nlp.vocab.strings[norm]) for norm in norms.tolist()]
        negated, decisions = _scopes(docs, first)
        encoder = encoder_of(nlp)
        encoded = None if encoder is None else sentence_vectors(docs, encoder)
    numbers = np.array([places.setdefault(word, len(places)) if word else -1 for word in strings], dtype=np.int64)
    word_vectors = nlp.vocab.vectors.get_batch(strings)
    first_of = np.unique(numbers, return_index=True)[1]
    letters = np.array([word.isalpha() for word in strings], dtype=bool)
    words = numbers[which] if len(which) else np.zeros(0, dtype=np.int64)
    kept = words >= 0
    lower, spaces, starts = table[:, 1] > 0, table[:, 2] > 0, table[:, 3] == 1
    starts[first[:-1][np.diff(first) > 0]] = True
    sentence = np.cumsum(starts) - 1
    # Sentences of nothing but space and punctuation are left out.
    full = np.flatnonzero(np.bincount(sentence[kept]) > 0)
    tokens = np.flatnonzero(~spaces)
    begin = tokens[np.searchsorted(sentence[tokens], full, side="left")]
    end = tokens[np.searchsorted(sentence[tokens], full, side="right") - 1]
    if encoded is not None:
        vectors = encoded[full]
    else:
        counts = incidence(which[kept], np.searchsorted(full, sentence[kept]), (len(full), len(strings)))
        vectors = counts @ word_vectors
    idx, length = table[:, 4].astype(np.int64), table[:, 5].astype(np.int64)
    return Readings(
        [],
        words[kept],
        (lower | ~letters[which])[kept] if len(which) else np.zeros(0, dtype=bool),
        negated[kept],
        np.append(np.searchsorted(sentence[kept], full), kept.sum()),
        np.append(np.searchsorted(np.searchsorted(first, begin, side="right") - 1, np.arange(len(texts))), len(full)),
        np.stack([idx[begin], idx[end] + length[end]], axis=1),
        decisions[np.flatnonzero(starts)[full]],
        vectors,
        word_vectors[first_of[numbers[first_of] >= before]],
    )


def _with_text(nlp: Language, text: str) -> Doc:
    doc = nlp.make_doc(text)
    doc.user_data[TEXT_KEY] = text
    return doc


def _scopes(docs: Sequence[Doc], first: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
    """Of each token, whether it is negated, and of the first of each sentence, what decision it tells of."""
    negated, decisions = np.zeros(first[-1], dtype=bool), np.zeros(first[-1], dtype=np.int8)
    for doc, offset in zip(docs, first[:-1].tolist(), strict=True):
        for span in doc.spans.get(SPANS_KEY, ()):
            if span.label_ == NEGATED:
                negated[offset + span.start : offset + span.end] = True
            else:
                decisions[offset + span.start] = 1 if span.label_ == "upheld" else -1
    return negated, decisions


def _joined(starts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Starts of parts, with their total at the end, block after block."""
    before = np.cumsum([0, *(block[-1] for block in starts)])
    parts = [block[:-1] + offset for block, offset in zip(starts, before[:-1], strict=True)]
    return np.append(np.concatenate(parts), before[-1]).astype(np.int64)


_ANY_WORD = re.compile(r"[^\W_]")
_DIGIT = re.compile(r"\d")


def _word(norm: str) -> str:
    if _ANY_WORD.search(norm):
        return _DIGIT.sub("0", norm.lower().strip()[:40])
    return norm if norm in ("!", "?") else ""
