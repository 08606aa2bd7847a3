"""Say which words stand under a negation, and which sentences tell of a decision.

A registered spaCy component, `complaintnlp_scope_v1`. It fills `doc.spans["scope"]` with spans labelled

* `negated`: the words after "not", "never", "nobody", ... up to the next break in the clause;
* `upheld`, `not_upheld`: whole sentences that say a point was, or was not, found to have gone wrong.

The cues are the concepts of `concepts.jsonl`, tagged by the `span_ruler` that runs before: those that say it outright
(`finding.upheld`, `finding.not_upheld`), and a `decision` ("we found that") with what was `judged_right` or
`judged_wrong`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IS_SPACE, LOWER, SENT_START
from spacy.language import Language
from spacy.tokens import Doc, Span

from complaintnlp.language.sentences import Ids, batched, is_one_of, token_ids, token_table

SPANS_KEY = "scope"
CONCEPTS_KEY = "concepts"
NEGATED = "negated"
REACH = 6
"""Words that a negation reaches at most."""
_NEGATIONS = token_ids(
    *"""
    not n't no never nobody none nothing neither nor without hardly cannot nowt dont didnt wasnt
    werent isnt couldnt wouldnt hasnt havent hadnt doesnt didn wasn
    """.split()
)
_STOPS = token_ids(*".,;:!?()-–—", "but", "although", "though", "because", "until")


class Scope:
    """The component; it marks the scopes of many Docs in one go."""

    def __call__(self, doc: Doc) -> Doc:
        """Mark the scopes of one Doc."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 256) -> Iterator[Doc]:
        """Mark the scopes of each Doc."""
        for docs in batched(stream, batch_size):
            first, table = token_table(docs, [LOWER, IS_SPACE, SENT_START])
            starts = table[:, 2] == 1
            starts[first[:-1][np.diff(first) > 0]] = True
            negations = negated(table[:, 0], table[:, 1] > 0, starts)
            owners = np.searchsorted(first, negations[:, 0], side="right") - 1
            for doc in docs:
                doc.spans[SPANS_KEY] = []
            for owner, (start, end) in zip(owners.tolist(), negations.tolist(), strict=True):
                offset = int(first[owner])
                docs[owner].spans[SPANS_KEY].append(Span(docs[owner], start - offset, end - offset, label=NEGATED))
            for doc, start, end in zip(docs, first[:-1], first[1:], strict=True):
                if doc.spans.get(CONCEPTS_KEY):
                    doc.spans[SPANS_KEY].extend(_decisions(doc, np.flatnonzero(starts[start:end])))
            yield from docs


def make_scope(nlp: Language, name: str) -> Scope:  # noqa: ARG001 - spaCy's signature
    """The factory behind `nlp.add_pipe("complaintnlp_scope_v1")`."""
    return Scope()


if not Language.has_factory("complaintnlp_scope_v1"):
    Language.factory("complaintnlp_scope_v1", assigns=["doc.spans"], func=make_scope)


def negated(lowers: Ids, spaces: NDArray[np.bool_], starts: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The half-open ranges of tokens under a negation, shape (ranges, 2).

    Args:
        lowers: the ids of the tokens in lower case.
        spaces: whether a token is white space.
        starts: whether a sentence starts with it.
    """
    cues = np.flatnonzero(is_one_of(lowers, _NEGATIONS))
    # A later negation begins a range of its own.
    breaks = np.append(
        np.flatnonzero(is_one_of(lowers, _STOPS) | spaces | starts | is_one_of(lowers, _NEGATIONS)), len(lowers)
    )
    ends = np.minimum(breaks[np.searchsorted(breaks, cues + 1)], cues + 1 + REACH) if len(cues) else cues
    ranges = np.stack([cues + 1, ends], axis=1)
    return np.asarray(ranges[ranges[:, 1] > ranges[:, 0]], dtype=np.int64)


def _decisions(doc: Doc, starts: NDArray[np.int64]) -> list[Span]:
    tagged: dict[int, set[str]] = {}
    for span in doc.spans[CONCEPTS_KEY]:
        tagged.setdefault(int(np.searchsorted(starts, span.start, side="right")) - 1, set()).add(span.label_)
    ends = [*starts[1:].tolist(), len(doc)]
    found = ((number, _finding(concepts)) for number, concepts in sorted(tagged.items()))
    return [Span(doc, int(starts[number]), ends[number], label=finding) for number, finding in found if finding]


def _finding(concepts: set[str]) -> str | None:
    # "We did not uphold" holds "uphold", and "not reasonable" holds "reasonable": the longer cue goes first.
    if "finding.not_upheld" in concepts:
        return "not_upheld"
    if "finding.upheld" in concepts:
        return "upheld"
    if "decision" not in concepts:
        return None
    return "upheld" if "judged_wrong" in concepts else "not_upheld" if "judged_right" in concepts else None
