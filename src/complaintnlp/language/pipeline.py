"""The spaCy pipeline, and the reading of texts with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import spacy
import srsly
from spacy.attrs import IS_LOWER, NORM
from spacy.language import Language
from spacy.tokens import Doc

# Importing the components registers them, also where entry points are not read (a zipped install).
from complaintnlp.characters import mend
from complaintnlp.language.identifiers import TEXT_KEY
from complaintnlp.language.scope import CONCEPTS_KEY, SPANS_KEY
from complaintnlp.language.sentences import sentence_starts

LONGEST_TEXT = 100_000
"""Characters of a text that is read; a longer one (some 17,000 words) is no narrative and gets a status instead."""
COMPONENTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("identifiers", "complaintnlp_identifiers_v1", {}),
    ("sentences", "complaintnlp_sentences_v1", {}),
    ("concepts", "span_ruler", {"spans_key": CONCEPTS_KEY, "phrase_matcher_attr": "LOWER"}),
    ("scope", "complaintnlp_scope_v1", {}),
)
_ZONE_TEXTS = 256


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a `Reading`.

    Attributes:
        start, end: character offsets into the text as it was given.
        first, last: the half-open range of its words in `Reading.words`.
        concepts: labels of the concepts tagged in it.
        finding: `upheld` or `not_upheld` where it tells of a decision, else None.
    """

    start: int
    end: int
    first: int
    last: int
    concepts: tuple[str, ...]
    finding: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text comes down to: plain strings and offsets, with no spaCy object kept alive.

    Attributes:
        words: norms in lower case, digits as 0, identifiers as `<label>`, punctuation left out but for ! and ?.
        plain: for each word, whether it was written in lower case: a name hardly ever is.
        negated: indices of words under a negation.
        sentences: in order; together they hold every word once.
    """

    words: list[str]
    plain: list[bool]
    negated: frozenset[int]
    sentences: list[Sentence]


def make_language(components: Iterable[str] | None = None) -> Language:
    """The pipeline of the package: blank English and the components named, by default all of them."""
    nlp = spacy.blank("en")
    wanted = None if components is None else set(components)
    for name, factory, config in COMPONENTS:
        if wanted is None or name in wanted:
            nlp.add_pipe(factory, name=name, config=config)
    if "concepts" in nlp.pipe_names:
        lines = resources.files("complaintnlp.language").joinpath("concepts.jsonl").read_text("utf-8")
        nlp.get_pipe("concepts").add_patterns([srsly.json_loads(line) for line in lines.splitlines() if line])  # type: ignore[attr-defined]
    return nlp


def save_language(nlp: Language, path: Path) -> None:
    """Write the pipeline, in spaCy's own format, without the strings of the texts that it has read."""
    fresh = make_language(nlp.pipe_names)
    if "concepts" in nlp.pipe_names:
        fresh.get_pipe("concepts").from_bytes(nlp.get_pipe("concepts").to_bytes())  # type: ignore[attr-defined]
    fresh.to_disk(path)


def load_language(path: Path) -> Language:
    """Read a pipeline that `save_language` wrote.

    The config is only compared with what this package can make, never resolved: it can't name code to run.

    Raises:
        ValueError: when the folder names a component that is not one of `COMPONENTS`.
    """
    from confection import Config

    config = Config().from_disk(path / "config.cfg", interpolate=False)
    pipeline = config["nlp"]["pipeline"]
    known = {name: factory for name, factory, _ in COMPONENTS}
    for name in pipeline:
        if config["components"][name].get("factory") != known.get(name):
            raise ValueError(f"the language part names a component {name!r} that this version does not have")
    nlp = make_language(pipeline)
    return nlp.from_disk(path, exclude=["vocab", "meta.json"])


def warm_up(nlp: Language, words: Iterable[str]) -> None:
    """Have the tokenizer remember how to split these words.

    Within a memory zone it remembers nothing new, and splitting every word afresh takes ten times as long. These
    words are kept for good, so they must be a vocabulary and never the words of a text.
    """
    for word in words:
        nlp.tokenizer(" ".join((word, word.capitalize(), f"{word}.", f"{word},", f"{word}!", f"{word}?")))


def read_texts(nlp: Language, texts: Iterable[str]) -> Iterator[Reading]:
    """Read texts, each at most `LONGEST_TEXT` characters long.

    Texts run in spaCy's memory zones, so that the words of one shard are forgotten after it.
    """
    words: dict[int, str] = {}
    block: list[str] = []
    for text in texts:
        block.append(mend(text))
        if len(block) == _ZONE_TEXTS:
            yield from _read_block(nlp, block, words)
            block = []
    if block:
        yield from _read_block(nlp, block, words)


def has_words(text: str) -> bool:
    """Whether there is any letter or digit in a text."""
    return _ANY_WORD.search(text) is not None


def _read_block(nlp: Language, texts: list[str], words: dict[int, str]) -> list[Reading]:
    if len(words) > 200_000:
        words.clear()
    with nlp.memory_zone():
        docs = nlp.pipe(_with_text(nlp, text) for text in texts)
        return [_reading(doc, text, words) for text, doc in zip(texts, docs, strict=True)]


def _with_text(nlp: Language, text: str) -> Doc:
    doc = nlp.make_doc(text)
    doc.user_data[TEXT_KEY] = text
    return doc


def _reading(doc: Doc, text: str, cache: dict[int, str]) -> Reading:
    # The text is handed in: spaCy joins `doc.text` anew at each asking.
    strings = doc.vocab.strings
    words: list[str] = []
    plain: list[bool] = []
    place: list[int] = []  # for each token, how many words stand before it
    norms, shapes = doc.to_array([NORM, IS_LOWER]).T.tolist() if len(doc) else ([], [])
    for norm, lower in zip(norms, shapes, strict=True):
        place.append(len(words))
        word = cache.get(norm)
        if word is None:
            word = cache[norm] = _word(strings[norm])
        if word:
            words.append(word)
            plain.append(bool(lower) or not word.isalpha())
    place.append(len(words))
    starts = sentence_starts(doc)
    concepts: dict[int, set[str]] = {}
    for span in doc.spans.get(CONCEPTS_KEY, ()):
        concepts.setdefault(int(np.searchsorted(starts, span.start, side="right")) - 1, set()).add(span.label_)
    negated, findings = set[int](), dict[int, str]()
    for span in doc.spans.get(SPANS_KEY, ()):
        if span.label_ == "negated":
            negated.update(range(place[span.start], place[span.end]))
        else:
            findings[span.start] = span.label_
    sentences: list[Sentence] = []
    ends = [*starts[1:].tolist(), len(doc)]
    for number, (first, last) in enumerate(zip(starts.tolist(), ends, strict=True)):
        if place[first] == place[last]:
            continue  # nothing but space and punctuation
        start, end = _trimmed(text, doc[first].idx, doc[last - 1].idx + len(doc[last - 1]))
        labels = tuple(sorted(concepts.get(number, ())))
        sentences.append(Sentence(start, end, place[first], place[last], labels, findings.get(first)))
    return Reading(words, plain, frozenset(negated), sentences)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The range without the space around it."""
    inside = text[start:end]
    return start + len(inside) - len(inside.lstrip()), start + len(inside.rstrip())


_ANY_WORD = re.compile(r"[^\W_]")
_DIGIT = re.compile(r"\d")


def _word(norm: str) -> str:
    if _ANY_WORD.search(norm):
        return _DIGIT.sub("0", norm.lower().strip()[:40])
    return norm if norm in ("!", "?") else ""
