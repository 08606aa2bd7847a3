from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from complaintnlp.language import has_words, load_language, make_language, read_texts, save_language

NLP = make_language()
TEXT = "Dr Lowe said NO to  her 12 pills!\n\nWe did not uphold this. ---"


def test_a_reading() -> None:
    (reading,) = read_texts(NLP, [TEXT])
    assert reading.words == "dr <name> said no to her 00 pills ! we did not uphold this".split()
    assert [TEXT[s.start : s.end] for s in reading.sentences] == [
        "Dr Lowe said NO to  her 12 pills!",
        "We did not uphold this.",
    ]
    assert reading.sentences[1].finding == "not_upheld"
    assert {reading.words[i] for i in reading.negated} >= {"uphold", "this"}
    assert reading.plain[reading.words.index("no")] is False


@given(st.lists(st.text(max_size=200), max_size=4))
@settings(max_examples=50, deadline=None)
def test_sentences_hold_every_word_once_and_offsets_are_of_the_text(texts: list[str]) -> None:
    readings = list(read_texts(NLP, texts))
    assert len(readings) == len(texts)
    for text, reading in zip(texts, readings, strict=True):
        assert len(reading.words) == len(reading.plain)
        place = 0
        for sentence in reading.sentences:
            assert sentence.first == place < sentence.last
            place = sentence.last
            assert 0 <= sentence.start < sentence.end <= len(text)
            piece = text[sentence.start : sentence.end]
            assert piece == piece.strip()
        assert place == len(reading.words)


def test_many_texts_come_back_in_order() -> None:
    texts = [f"number {'x' * (i % 7 + 1)}" for i in range(700)]
    assert [reading.words[1] for reading in read_texts(NLP, texts)] == [t.split()[1] for t in texts]


def test_texts_leave_nothing_in_the_vocabulary(tmp_path: Path) -> None:
    nlp = make_language()
    list(read_texts(nlp, ["Zebediah Quillfeather was here"]))
    assert "Quillfeather" not in nlp.vocab.strings
    nlp("Zebediah Quillfeather outside of a memory zone")
    save_language(nlp, tmp_path / "language")
    for file in (tmp_path / "language").rglob("*"):
        assert not file.is_file() or b"Quillfeather" not in file.read_bytes()


def test_a_pipeline_is_saved_and_loaded(tmp_path: Path) -> None:
    save_language(NLP, tmp_path / "language")
    again = load_language(tmp_path / "language")
    assert again.pipe_names == NLP.pipe_names
    assert list(read_texts(again, [TEXT])) == list(read_texts(NLP, [TEXT]))


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
