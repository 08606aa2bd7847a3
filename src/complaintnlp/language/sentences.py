"""Split a text into the sentences that evidence is shown by.

A registered spaCy component, `complaintnlp_sentences_v1`. Complaints are typed, dictated and pasted: a sentence
ends at `.`, `!`, `?`, `…`, also at a line break that no sentence runs across, and at bullets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IS_SPACE, LOWER, ORTH, SENT_START
from spacy.language import Language
from spacy.strings import get_string_id
from spacy.tokens import Doc


def token_ids(*words: str) -> frozenset[int]:
    """What spaCy knows the words by: comparing numbers is many times faster than making a Token for each."""
    return frozenset(get_string_id(word) for word in words)


_STOP = get_string_id(".")
_ENDS = token_ids(".", "!", "?", "…", "...", "..", "!!", "??", "?!", "!?", "!!!", "???")
_CLOSERS = token_ids('"', "'", "”", "’", ")", "]", "''")
_BULLETS = token_ids("•", "*", "·", "●", "▪", "o")
LONGEST = 80
"""Tokens after which a run-on sentence is broken at the next comma, semicolon or `and`: evidence is to be short."""
_BREAKS = token_ids(",", ";", "and", "but", "then", "so")
_ABBREVIATIONS = token_ids("no", "nos", "ref", "tel", "approx", "dept", "hosp", "appt", "st", "re", "ext")


def make_sentences(nlp: Language, name: str) -> Callable[[Doc], Doc]:  # noqa: ARG001 - spaCy's signature
    """The factory behind `nlp.add_pipe("complaintnlp_sentences_v1")`."""
    return mark_sentences


if not Language.has_factory("complaintnlp_sentences_v1"):
    Language.factory("complaintnlp_sentences_v1", assigns=["token.is_sent_start", "doc.sents"], func=make_sentences)


def mark_sentences(doc: Doc) -> Doc:
    """Set where the sentences of one Doc start."""
    if not len(doc):
        return doc
    starts: list[int] = []
    orths, lowers, spaces = doc.to_array([ORTH, LOWER, IS_SPACE]).T.tolist()
    ended, length, before = True, 0, 0
    for i, (orth, lower, space) in enumerate(zip(orths, lowers, spaces, strict=True)):
        if space:
            # A single line break inside running prose (a wrapped e-mail) goes on in lower case.
            breaks = doc[i].text.count("\n")
            ended = ended or breaks > 1 or (breaks == 1 and not (before not in _ENDS and _next(doc, i).islower()))
            continue
        if ended and length and orth in _CLOSERS:
            continue
        if ended or (orth in _BULLETS and spaces[i - 1]):
            starts.append(i)
            ended, length = False, 0
        length += 1
        if orth in _ENDS:
            ended = orth != _STOP or not _abbreviates(before, doc, i)
        elif length > LONGEST and lower in _BREAKS:
            ended = True
        before = lower
    marks: Any = np.full((len(doc), 1), -1, dtype=np.int64).astype(np.uint64)
    marks[starts] = 1
    marks[0] = 1  # leading space belongs to the first sentence
    doc.from_array([SENT_START], marks)
    return doc


def sentence_starts(doc: Doc) -> NDArray[np.int64]:
    """The index of the first token of each sentence; one sentence where none are marked."""
    starts = np.flatnonzero(doc.to_array([SENT_START]).ravel() == 1)
    return starts if len(starts) and starts[0] == 0 else np.concatenate([[0], starts]).astype(np.int64)


def _abbreviates(before: int, doc: Doc, i: int) -> bool:
    following = _next(doc, i)
    return before in _ABBREVIATIONS and (following.isdigit() or following.islower())


def _next(doc: Doc, i: int) -> str:
    """The first character of the next token, or nothing."""
    return str(doc[i + 1].text[:1]) if i + 1 < len(doc) else ""
