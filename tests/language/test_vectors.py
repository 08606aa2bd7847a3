from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
import spacy
from hypothesis import example, given
from hypothesis import strategies as st

from complaintnlp.language import make_language, save_language
from complaintnlp.language.vectors import LONGEST_WORD, PieceVectors, fitted_vectors, quantised

PIECES = ["a", "ab", "b", "##a", "##b", "##bab", "##ba", "-", "e", "##e", "abba", "##0", "0"]
TABLE, SCALES = quantised(np.random.default_rng(0).normal(size=(len(PIECES), 3)).astype(np.float32))
SMALL = PieceVectors(PIECES, TABLE, SCALES)
FLOATS = TABLE * SCALES[:, None]
SHIPPED = fitted_vectors()


def cut_slowly(word: str) -> list[str]:
    """The longest piece that fits, again and again; nothing where none does."""
    letters = word[:LONGEST_WORD]
    if not letters.isascii():
        apart = unicodedata.normalize("NFD", letters.lower())
        letters = "".join(c for c in apart if unicodedata.category(c) != "Mn")
    found: list[str] = []
    place = 0
    while place < len(letters):
        inside = place > 0 and letters[place - 1].isalnum() and letters[place].isalnum()
        mark = "##" if inside else ""
        fits = [p for p in PIECES if p.startswith(mark) and (inside or not p.startswith("##"))]
        fits = [p for p in fits if letters.startswith(p.removeprefix(mark), place)]
        if not fits:
            return []
        found.append(max(fits, key=len))
        place += len(found[-1].removeprefix(mark))
    return found


HOSTILE = st.text(max_size=60) | st.text("ab-é0", max_size=60)


@given(HOSTILE)
@example("")
@example("ab" * 10_000)
@example("e\u0301" * 50)
@example("#" * 30)
@example("\ud83d")
def test_words_are_cut_greedily(word: str) -> None:
    assert [PIECES[place] for place in SMALL.cut(word)] == cut_slowly(word)


@given(st.lists(HOSTILE, max_size=6))
def test_a_word_is_the_sum_of_its_pieces(words: list[str]) -> None:
    vectors = SMALL.of_words(words)
    assert vectors.shape == (len(words), 3)
    assert vectors.dtype == np.float32
    for word, vector in zip(words, vectors, strict=True):
        expected = sum((FLOATS[PIECES.index(piece)] for piece in cut_slowly(word)), np.zeros(3))
        assert vector == pytest.approx(expected, abs=1e-4)
        assert SMALL[word] == pytest.approx(vector)
        assert (word in SMALL) == bool(cut_slowly(word))


def test_what_is_remembered_is_cut_the_same() -> None:
    again = PieceVectors(PIECES, TABLE, SCALES)
    before = again.of_words(["abba", "bab", "nope"])
    again.remember(["abba", "bab", "nope"])
    assert np.array_equal(again.of_words(["abba", "bab", "nope"]), before)


def test_what_spacy_asks() -> None:
    assert SMALL.shape == (len(SMALL), SMALL.vectors_length) == (len(PIECES), 3)
    assert SMALL.size == TABLE.size
    assert SMALL.n_keys == -1
    assert SMALL.is_full()
    assert SMALL.data == pytest.approx(FLOATS)
    assert SMALL.get_batch(["a", "-"]).shape == (2, 3)
    assert SMALL.get_batch([]).shape == (0, 3)
    assert SMALL.to_bytes() != PieceVectors(PIECES, TABLE, 2 * SCALES).to_bytes()


def test_docs_spans_and_tokens_have_vectors() -> None:
    nlp = make_language()
    doc = nlp("The ambulanse never came, zxqv.")
    expected = [SHIPPED[token.lower_] for token in doc]
    assert np.array([token.vector for token in doc]) == pytest.approx(np.array(expected))
    assert doc.vector == pytest.approx(np.mean(expected, axis=0), abs=1e-5)
    assert doc[1:4].vector == pytest.approx(np.mean(expected[1:4], axis=0), abs=1e-5)
    assert doc[1].has_vector
    assert doc.has_vector


@pytest.mark.parametrize(
    ("misspelt", "meant", "other"),
    [("ambulanse", "ambulance", "parking"), ("recieved", "received", "doctor"), ("apologise", "apologize", "biscuit")],
)
def test_misspelt_words_have_vectors(misspelt: str, meant: str, other: str) -> None:
    wrong, right, far = (vector / np.linalg.norm(vector) for vector in SHIPPED.of_words([misspelt, meant, other]))
    assert np.linalg.norm(wrong) == pytest.approx(1)
    assert wrong @ right > wrong @ far


def test_a_saved_pipeline_is_read_by_spacy(tmp_path: Path) -> None:
    nlp = make_language()
    save_language(nlp, tmp_path / "ours")
    nlp.to_disk(tmp_path / "spacys")
    for name in ("ours", "spacys"):
        again = spacy.load(tmp_path / name)
        assert again("Nobody rang us bak.").vector == pytest.approx(nlp("Nobody rang us bak.").vector)


def test_a_table_is_written_and_read(tmp_path: Path) -> None:
    SMALL.to_disk(tmp_path)
    again = fitted_vectors().from_disk(tmp_path)
    assert again.to_bytes() == SMALL.to_bytes()
    assert again.shape == SMALL.shape
    assert np.array_equal(again.of_words(["abba-bab"]), SMALL.of_words(["abba-bab"]))
    first = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    again.to_disk(tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == first


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pieces.txt", b"a\nb\n"),
        ("pieces.txt", b"\xff\xfe"),
        ("piece_vectors.npy", b""),
        ("piece_vectors.npy", b"junk"),
        ("piece_scales.npy", b"\x93NUMPY\x01\x00"),
        ("piece_vectors.npy", TABLE.astype(np.float32)),
        ("piece_vectors.npy", TABLE[:, 0]),
        ("piece_scales.npy", SCALES[:-1]),
        ("piece_scales.npy", SCALES[:, None]),
        ("piece_scales.npy", np.full(len(PIECES), np.nan, dtype=np.float32)),
        ("piece_scales.npy", np.array([None] * len(PIECES), dtype=object)),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, name: str, content: bytes | np.ndarray) -> None:
    SMALL.to_disk(tmp_path)
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    else:
        np.save(tmp_path / name, content, allow_pickle=True)
    with pytest.raises(ValueError):  # noqa: PT011 - numpy's words or ours
        fitted_vectors().from_disk(tmp_path)


def test_what_is_cut_short_is_refused(tmp_path: Path) -> None:
    SMALL.to_disk(tmp_path)
    file = tmp_path / "piece_vectors.npy"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(ValueError):  # noqa: PT011 - numpy's words or ours
        fitted_vectors().from_disk(tmp_path)


@given(st.lists(st.lists(st.floats(-100, 100, width=32), min_size=3, max_size=3), min_size=1, max_size=5))
def test_bytes_hold_a_table_to_half_a_step(rows: list[list[float]]) -> None:
    floats = np.array(rows, dtype=np.float32)
    table, scales = quantised(floats)
    assert table.dtype == np.int8
    assert scales.dtype == np.float32
    error = np.abs(table * scales[:, None] - floats).max(axis=1)
    assert (error <= np.abs(floats).max(axis=1) / 127 * 0.501 + 1e-6).all()


def test_the_shipped_table_is_small() -> None:
    assert len(SHIPPED) > 10_000
    assert SHIPPED.size + 4 * len(SHIPPED) < 10_000_000
