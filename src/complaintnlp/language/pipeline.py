"""The spaCy pipeline: made, saved and loaded."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import spacy
import srsly
from spacy.attrs import IS_STOP, LIKE_NUM, LIKE_URL, SHAPE
from spacy.language import Language

from complaintnlp.errors import InputError

# Importing the components registers them, also where entry points are not read (a zipped install).
from complaintnlp.language import identifiers as _identifiers  # noqa: F401
from complaintnlp.language.encoder import Contextual
from complaintnlp.language.scope import CONCEPTS_KEY
from complaintnlp.language.vectors import VECTORS

CONTEXTUAL = "contextual"
COMPONENTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("identifiers", "complaintnlp_identifiers_v1", {}),
    ("sentences", "complaintnlp_sentences_v1", {}),
    ("concepts", "span_ruler", {"spans_key": CONCEPTS_KEY, "phrase_matcher_attr": "LOWER"}),
    ("scope", "complaintnlp_scope_v1", {}),
    (CONTEXTUAL, "complaintnlp_contextual_v1", {}),
)
"""Those that a pipeline may have, in order. The last is only in pipelines whose vectors come from an encoder."""

_ABBREVIATION = 5
_UNUSED = (IS_STOP, LIKE_NUM, LIKE_URL, SHAPE)


def make_language(components: Iterable[str] | None = None, encoder: str | None = None) -> Language:
    """The pipeline of the package.

    Args:
        components: those of `COMPONENTS` to have, by default all but the last.
        encoder: where sentence vectors are to come from, a folder or an installed package; from the fitted look-up
            table where it is left out.
    """
    nlp = spacy.blank("en", config={"nlp": {"vectors": {"@vectors": VECTORS}}})
    wanted = None if components is None else set(components)
    for name, factory, config in COMPONENTS:
        if name == CONTEXTUAL:
            if encoder is not None:
                nlp.add_pipe(factory, name=name, config={"encoder": encoder})
        elif wanted is None or name in wanted:
            nlp.add_pipe(factory, name=name, config=config)
    if "concepts" in nlp.pipe_names:
        lines = resources.files("complaintnlp.language").joinpath("concepts.jsonl").read_text("utf-8")
        nlp.get_pipe("concepts").add_patterns([srsly.json_loads(line) for line in lines.splitlines() if line])  # type: ignore[attr-defined]
    return nlp


def save_language(nlp: Language, path: Path) -> None:
    """Write the pipeline, in spaCy's own format, without the strings of the texts that it has read.

    Raises:
        InputError: when it has a component that is not one of `COMPONENTS`, which nobody could load.
    """
    if foreign := sorted(set(nlp.pipe_names) - {name for name, *_ in COMPONENTS}):
        raise InputError(f"a model whose pipeline has components of your own can't be saved: {', '.join(foreign)}")
    fresh = make_language(nlp.pipe_names, encoder_of(nlp))
    if "concepts" in nlp.pipe_names:
        fresh.get_pipe("concepts").from_bytes(nlp.get_pipe("concepts").to_bytes())  # type: ignore[attr-defined]
    fresh.to_disk(path)
    # Not handed to the fresh pipeline first: vectors bring along the strings that they have seen.
    nlp.vocab.vectors.to_disk(path / "vocab")


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
    encoder = config["components"][CONTEXTUAL]["encoder"] if CONTEXTUAL in pipeline else None
    nlp = make_language(pipeline, encoder)
    nlp.from_disk(path, exclude=["vocab", "meta.json"])
    nlp.vocab.vectors.from_disk(path / "vocab")
    return nlp


def encoder_of(nlp: Language) -> str | None:
    """The encoder that sentence vectors come from, if any."""
    component = nlp.get_pipe(CONTEXTUAL) if CONTEXTUAL in nlp.pipe_names else None
    return component.encoder if isinstance(component, Contextual) else None


def warm_up(nlp: Language, words: Iterable[str]) -> None:
    """Make a pipeline ready to read much text fast.

    Within a memory zone the tokenizer remembers nothing new, and every word is split and described afresh. So the words
    given are split and described for good: they must be a vocabulary and never the words of a text. And new
    words are no longer described by what nothing in the pipeline asks for (`like_num`, `like_url`, `is_stop`, `shape`),
    which took half of the time.
    """
    for attribute in _UNUSED:
        nlp.vocab.lex_attr_getters.pop(attribute, None)  # type: ignore[attr-defined]
    words = list(words)
    nlp.vocab.vectors.remember(words)
    for word in words:
        title = word.capitalize()
        nlp.tokenizer(f"{word} {word}. {word}, {word}! {word}? {title} {title}, {word}'s")
        if len(word) <= _ABBREVIATION:
            nlp.tokenizer(word.upper())
    nlp.tokenizer(" ".join(f"{number} {number}. {number}," for number in (*range(100), *range(1990, 2040))))
