from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from complaintnlp.language import Readings, has_words, load_language, make_language, read_texts, save_language

NLP = make_language()
TEXT = "Dr Lowe said NO to  her 12 pills!\n\nWe did not uphold this. ---"


def words_of(readings: Readings, text: int) -> list[str]:
    first, last = readings.sentences[readings.texts[text : text + 2]]
    return [readings.vocabulary[i] for i in readings.words[first:last]]


def test_a_reading() -> None:
    readings = read_texts(NLP, [TEXT])
    words = words_of(readings, 0)
    assert words == "dr <name> said no to her 00 pills ! we did not uphold this".split()
    assert [TEXT[start:end] for start, end in readings.offsets] == [
        "Dr Lowe said NO to  her 12 pills!",
        "We did not uphold this.",
    ]
    assert readings.decisions.tolist() == [0, -1]
    assert {words[i] for i in np.flatnonzero(readings.negated)} >= {"uphold", "this"}
    assert not readings.plain[words.index("no")]


@given(st.lists(st.text(max_size=200), max_size=4))
@settings(max_examples=50)
def test_sentences_hold_every_word_once_and_offsets_are_of_the_text(texts: list[str]) -> None:
    readings = read_texts(NLP, texts)
    assert len(readings) == len(texts)
    assert len(readings.words) == len(readings.plain) == len(readings.negated) == readings.sentences[-1]
    assert (np.diff(readings.sentences) > 0).all()
    assert len(readings.offsets) == len(readings.decisions) == len(readings.sentences) - 1 == readings.texts[-1]
    for i, text in enumerate(texts):
        for start, end in readings.offsets[readings.texts[i] : readings.texts[i + 1]]:
            assert 0 <= start < end <= len(text)
            piece = text[start:end]
            assert piece == piece.strip()


def test_many_texts_come_back_in_order() -> None:
    texts = [f"number {'x' * (i % 7 + 1)}" for i in range(700)]
    readings = read_texts(NLP, texts)
    assert [words_of(readings, i) for i in range(700)] == [t.split() for t in texts]


@given(st.lists(st.sampled_from([TEXT, "", "--", "Not me.\n\n• Not you", "o no"]), max_size=5))
@settings(max_examples=30)
def test_neighbours_do_not_change_a_reading(texts: list[str]) -> None:
    together = read_texts(NLP, texts)
    for i, text in enumerate(texts):
        alone = read_texts(NLP, [text])
        assert words_of(together, i) == words_of(alone, 0)
        own = slice(*together.texts[i : i + 2])
        assert np.array_equal(together.offsets[own], alone.offsets)
        assert np.array_equal(together.decisions[own], alone.decisions)


def test_texts_leave_nothing_in_the_vocabulary(tmp_path: Path) -> None:
    nlp = make_language()
    read_texts(nlp, ["Zebediah Quillfeather was here"])
    assert "Quillfeather" not in nlp.vocab.strings
    nlp("Zebediah Quillfeather outside of a memory zone")
    save_language(nlp, tmp_path / "language")
    for file in (tmp_path / "language").rglob("*"):
        assert not file.is_file() or b"Quillfeather" not in file.read_bytes()


def test_a_pipeline_is_saved_and_loaded(tmp_path: Path) -> None:
    save_language(NLP, tmp_path / "language")
    again = load_language(tmp_path / "language")
    assert again.pipe_names == NLP.pipe_names
    assert words_of(read_texts(again, [TEXT]), 0) == words_of(read_texts(NLP, [TEXT]), 0)


def test_a_config_that_names_other_components_is_refused(tmp_path: Path) -> None:
    save_language(NLP, tmp_path / "language")
    config = tmp_path / "language" / "config.cfg"
    config.write_text(config.read_text().replace("complaintnlp_scope_v1", "entity_linker"))
    with pytest.raises(ValueError, match="does not have"):
        load_language(tmp_path / "language")


@pytest.mark.parametrize(
    ("text", "expected"), [("a", True), ("7", True), ("--- ?!", False), ("", False), ("\u200b", False)]
)
def test_has_words(text: str, expected: bool) -> None:
    assert has_words(text) is expected
