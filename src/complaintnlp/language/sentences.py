"""Split a text into the sentences that evidence is shown by.

A registered spaCy component, `complaintnlp_sentences_v1`. Complaints are typed, dictated and pasted: a sentence
ends at `.`, `!`, `?`, `…`, also at a line break that no sentence runs across, and at bullets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import SENT_START
from spacy.language import Language
from spacy.tokens import Doc

_ENDS = frozenset([".", "!", "?", "…", "...", "..", "!!", "??", "?!", "!?", "!!!", "???"])
_CLOSERS = frozenset(['"', "'", "”", "’", ")", "]", "''"])
_BULLETS = frozenset(["•", "*", "·", "●", "▪", "o"])
LONGEST = 80
"""Tokens after which a run-on sentence is broken at the next comma, semicolon or `and`: evidence is to be short."""
_BREAKS = frozenset([",", ";", "and", "but", "then", "so"])
_ABBREVIATIONS = frozenset(["no", "nos", "ref", "tel", "approx", "dept", "hosp", "appt", "st", "re", "ext"])


def make_sentences(nlp: Language, name: str) -> Callable[[Doc], Doc]:  # noqa: ARG001 - spaCy's signature
    """The factory behind `nlp.add_pipe("complaintnlp_sentences_v1")`."""
    return mark_sentences


if not Language.has_factory("complaintnlp_sentences_v1"):
    Language.factory("complaintnlp_sentences_v1", assigns=["token.is_sent_start", "doc.sents"], func=make_sentences)


def mark_sentences(doc: Doc) -> Doc:
    """Set where the sentences of one Doc start."""
    starts: list[int] = []
    tokens = [token.text for token in doc]
    ended, length, before = True, 0, ""
    for i, text in enumerate(tokens):
        if text.isspace():
            # A single line break inside running prose (a wrapped e-mail) goes on in lower case.
            ended = ended or text.count("\n") > 1 or ("\n" in text and not _runs_on(tokens, i))
            continue
        if ended and length and text in _CLOSERS:
            continue
        if ended or (text in _BULLETS and tokens[i - 1].isspace()):
            starts.append(i)
            ended, length = False, 0
        length += 1
        if text in _ENDS:
            ended = text != "." or not _abbreviates(before, tokens, i)
        elif length > LONGEST and text.lower() in _BREAKS:
            ended = True
        before = text
    marks: Any = np.full((len(doc), 1), -1, dtype=np.int64).astype(np.uint64)
    marks[starts] = 1
    if len(doc):
        # Leading space belongs to the first sentence.
        marks[0] = 1
        doc.from_array([SENT_START], marks)
    return doc


def sentence_starts(doc: Doc) -> NDArray[np.int64]:
    """The index of the first token of each sentence; one sentence where none are marked."""
    starts = np.flatnonzero(doc.to_array([SENT_START]).ravel() == 1)
    return starts if len(starts) and starts[0] == 0 else np.concatenate([[0], starts]).astype(np.int64)


def _abbreviates(before: str, tokens: list[str], i: int) -> bool:
    following = tokens[i + 1][:1] if i + 1 < len(tokens) else ""
    return before.lower() in _ABBREVIATIONS and (following.isdigit() or following.islower())


def _runs_on(tokens: list[str], i: int) -> bool:
    following = tokens[i + 1][:1] if i + 1 < len(tokens) else ""
    return following.islower() and (i == 0 or tokens[i - 1] not in _ENDS)
