"""Say which words stand under a negation, and which sentences tell of a decision.

A registered spaCy component, `complaintnlp_scope_v1`. It fills `doc.spans["scope"]` with spans labelled

* `negated`: the words after "not", "never", "nobody", ... up to the next break in the clause;
* `upheld`, `not_upheld`: whole sentences that say a point was, or was not, found to have gone wrong.

The cues are the concepts of `concepts.jsonl`, tagged by the `span_ruler` that runs before: those that say it outright
(`finding.upheld`, `finding.not_upheld`), and a `decision` ("we found that") with what was `judged_right` or
`judged_wrong`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from spacy.attrs import IS_SPACE, LOWER
from spacy.language import Language
from spacy.tokens import Doc, Span

from complaintnlp.language.sentences import sentence_starts, token_ids

SPANS_KEY = "scope"
CONCEPTS_KEY = "concepts"
REACH = 6
"""Words that a negation reaches at most."""
_NEGATIONS = token_ids(
    *"""
    not n't no never nobody none nothing neither nor without hardly cannot nowt dont didnt wasnt
    werent isnt couldnt wouldnt hasnt havent hadnt doesnt didn wasn
    """.split()
)
_STOPS = token_ids(*".,;:!?()-–—", "but", "although", "though", "because", "until")


def make_scope(nlp: Language, name: str) -> Callable[[Doc], Doc]:  # noqa: ARG001 - spaCy's signature
    """The factory behind `nlp.add_pipe("complaintnlp_scope_v1")`."""
    return mark_scope


if not Language.has_factory("complaintnlp_scope_v1"):
    Language.factory("complaintnlp_scope_v1", assigns=["doc.spans"], func=make_scope)


def mark_scope(doc: Doc) -> Doc:
    """Mark the scopes of one Doc; see the module."""
    starts = sentence_starts(doc)
    bounds = set(starts.tolist())
    spans = [Span(doc, start, end, label="negated") for start, end in _negated(doc, bounds)]
    tagged: dict[int, set[str]] = {}
    for span in doc.spans.get(CONCEPTS_KEY, ()):
        tagged.setdefault(int(np.searchsorted(starts, span.start, side="right")) - 1, set()).add(span.label_)
    ends = [*starts[1:].tolist(), len(doc)]
    for number, concepts in tagged.items():
        finding = _finding(concepts)
        if finding:
            spans.append(Span(doc, int(starts[number]), ends[number], label=finding))
    doc.spans[SPANS_KEY] = spans
    return doc


def _finding(concepts: set[str]) -> str | None:
    # "We did not uphold" holds "uphold", and "not reasonable" holds "reasonable": the longer cue goes first.
    if "finding.not_upheld" in concepts:
        return "not_upheld"
    if "finding.upheld" in concepts:
        return "upheld"
    if "decision" not in concepts:
        return None
    return "upheld" if "judged_wrong" in concepts else "not_upheld" if "judged_right" in concepts else None


def _negated(doc: Doc, bounds: set[int]) -> list[tuple[int, int]]:
    if not len(doc):
        return []
    spans, start = [], -1
    for i, (word, space) in enumerate(doc.to_array([LOWER, IS_SPACE]).tolist()):
        if start >= 0 and (word in _STOPS or i in bounds or i - start >= REACH or space):
            if i > start:
                spans.append((start, i))
            start = -1
        if word in _NEGATIONS:
            start = i + 1
    if 0 <= start < len(doc):
        spans.append((start, len(doc)))
    return spans
