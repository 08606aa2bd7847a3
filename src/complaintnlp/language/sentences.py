"""Split a text into the sentences that evidence is shown by.

A registered spaCy component, `complaintnlp_sentences_v1`. Complaints are typed, dictated and pasted: a sentence
ends at `.`, `!`, `?`, `…`, also at a line break that no sentence runs across, and at bullets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IS_SPACE, LOWER, ORTH, SENT_START
from spacy.language import Language
from spacy.strings import get_string_id
from spacy.tokens import Doc

Ids = NDArray[np.uint64]
T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of up to `size` items."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def token_table(docs: Sequence[Doc], attributes: Sequence[int]) -> tuple[NDArray[np.int64], Ids]:
    """The tokens of Docs, one Doc after another.

    Args:
        docs: the Docs.
        attributes: of spaCy's, one a column.

    Returns:
        The place of the first token of each Doc and the number of tokens, shape (docs + 1,); and the attributes, shape
        (tokens, attributes).
    """
    width = len(attributes)
    tables: list[Any] = [doc.to_array(list(attributes)).reshape(-1, width) for doc in docs]
    table = np.concatenate(tables) if tables else np.zeros((0, width), dtype=np.uint64)
    return np.cumsum([0, *map(len, docs)]), table


def token_ids(*words: str) -> Ids:
    """What spaCy knows the words by, sorted: numbers can be compared many at a time, Tokens only one by one."""
    return np.sort(np.array([get_string_id(word) for word in words], dtype=np.uint64))


def is_one_of(ids: Ids, wanted: Ids) -> NDArray[np.bool_]:
    """Which of these ids are among those wanted (as `token_ids` gives them)."""
    return np.asarray(wanted[np.searchsorted(wanted[:-1], ids)] == ids)


_STOP = token_ids(".")
_ENDS = token_ids(".", "!", "?", "…", "...", "..", "!!", "??", "?!", "!?", "!!!", "???")
_CLOSERS = token_ids('"', "'", "”", "’", ")", "]", "''")
_BULLETS = token_ids("•", "*", "·", "●", "▪", "o")
LONGEST = 80
"""Words after which a run-on sentence is broken at the next comma, semicolon or `and`: evidence is to be short."""
_BREAKS = token_ids(",", ";", "and", "but", "then", "so")
_ABBREVIATIONS = token_ids("no", "nos", "ref", "tel", "approx", "dept", "hosp", "appt", "st", "re", "ext")


class Sentences:
    """The component; it marks the sentences of many Docs in one go."""

    def __call__(self, doc: Doc) -> Doc:
        """Set where the sentences of one Doc start."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 256) -> Iterator[Doc]:
        """Set where the sentences of each Doc start."""
        for docs in batched(stream, batch_size):
            first, table = token_table(docs, [ORTH, LOWER, IS_SPACE])
            marks: Any = np.where(_starts(docs, first, table), 1, -1).astype(np.int64).view(np.uint64)[:, None]
            for doc, start, end in zip(docs, first[:-1].tolist(), first[1:].tolist(), strict=True):
                if len(doc):
                    doc.from_array([SENT_START], marks[start:end])
            yield from docs


def make_sentences(nlp: Language, name: str) -> Sentences:  # noqa: ARG001 - spaCy's signature
    """The factory behind `nlp.add_pipe("complaintnlp_sentences_v1")`."""
    return Sentences()


if not Language.has_factory("complaintnlp_sentences_v1"):
    Language.factory("complaintnlp_sentences_v1", assigns=["token.is_sent_start", "doc.sents"], func=make_sentences)


def _starts(docs: list[Doc], first: NDArray[np.int64], table: Ids) -> NDArray[np.bool_]:
    """For each token of the Docs, one after another, whether a sentence starts with it.

    Args:
        docs: the Docs.
        first, table: their tokens, as `token_table` gives them.
    """
    starts = np.zeros(first[-1], dtype=bool)
    if not len(starts):
        return starts
    starts[first[:-1][np.diff(first) > 0]] = True
    orths, lowers, spaces = table[:, 0], table[:, 1], table[:, 2] > 0
    ends = is_one_of(orths, _ENDS)
    # What follows the end of a sentence and still belongs to it: the closing quote, a second exclamation mark.
    goes_on = spaces | ends | is_one_of(orths, _CLOSERS)
    word_before = np.maximum.accumulate(np.where(spaces, 0, np.arange(len(spaces))))
    abbreviation = np.concatenate([[False], is_one_of(lowers[word_before[:-1]], _ABBREVIATIONS)])
    unsure = spaces | (abbreviation & is_one_of(orths, _STOP))
    for i in np.flatnonzero(unsure).tolist():
        text = int(np.searchsorted(first, i, side="right")) - 1
        token, following = _token(docs, first, text, i), _token(docs, first, text, i + 1)[:1]
        if spaces[i]:
            # A single line break inside running prose (a wrapped e-mail) goes on in lower case.
            breaks = token.count("\n")
            ends[i] = breaks > 1 or (breaks == 1 and (ends[word_before[i]] or not following.islower()))
        else:
            ends[i] = not (following.isdigit() or following.islower())
    places = np.flatnonzero(ends)
    beginners = np.flatnonzero(~goes_on)
    if len(beginners):
        nexts = beginners[np.minimum(np.searchsorted(beginners, places), len(beginners) - 1)]
        same_text = np.searchsorted(first, nexts, side="right") == np.searchsorted(first, places, side="right")
        starts[nexts[same_text & (nexts > places)]] = True
    starts[1:] |= is_one_of(orths[1:], _BULLETS) & spaces[:-1]
    _break_up(starts, lowers, spaces)
    return starts


def sentence_starts(doc: Doc) -> NDArray[np.int64]:
    """The index of the first token of each sentence; one sentence where none are marked, none in an empty Doc."""
    starts = doc.to_array([SENT_START]).ravel() == 1
    starts[:1] = True
    return np.flatnonzero(starts)


def _break_up(starts: NDArray[np.bool_], lowers: Ids, spaces: NDArray[np.bool_]) -> None:
    """Break sentences that run on for more than LONGEST words."""
    for start, end in pairwise(np.append(np.flatnonzero(starts), len(starts))):
        if end - start <= LONGEST:
            continue
        words = start + np.flatnonzero(~spaces[start:end])
        breaks = is_one_of(lowers[words], _BREAKS)
        length = 0
        for may_break, following in zip(breaks[:-1], words[1:], strict=True):
            length += 1
            if length > LONGEST and may_break:
                starts[following] = True
                length = 0


def _token(docs: list[Doc], first: NDArray[np.int64], text: int, place: int) -> str:
    """The token at a place, or nothing beyond the end of the text."""
    return str(docs[text][place - int(first[text])].text) if place < first[text + 1] else ""
