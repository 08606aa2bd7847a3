from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from build_vectors import RIDGE, fit_table, glosses, piece_means, principal_axes, sample

WORDNET = """  1 This software and database is being provided to you | the LICENSEE
00001740 03 n 01 entity 0 001 ~ 00001930 n 0000 | that which is perceived; "it was an entity of its own"
00001930 03 n 01 thing 0 000 | single
00002137 03 n 01 ward 0 000 | a block forming a division of a hospital; "a 4-bed ward"  ; that which is perceived
no gloss in this line
"""


def test_the_table_is_the_ridge_solution() -> None:
    random = np.random.default_rng(0)
    rows = sp.random(200, 30, density=0.2, format="csr", random_state=0, dtype=np.float32)
    targets = random.normal(size=(200, 4)).astype(np.float32)
    weights = random.choice([0.5, 1.0, 3.0], size=200).astype(np.float32)
    root = np.sqrt(weights)[:, None]
    dense = np.vstack([root * rows.toarray(), np.sqrt(RIDGE) * np.eye(30)])
    expected = np.linalg.lstsq(dense, np.vstack([root * targets, np.zeros((30, 4))]), rcond=None)[0]
    assert fit_table(rows, targets, weights) == pytest.approx(expected, abs=1e-3)


def test_a_piece_that_no_text_has_gets_no_vector() -> None:
    rows = sp.csr_matrix(np.array([[1, 0], [1, 0]], dtype=np.float32))
    table = fit_table(rows, np.ones((2, 3), dtype=np.float32), np.ones(2, dtype=np.float32))
    assert table[0] == pytest.approx(2 / (2 + RIDGE))
    assert not table[1].any()


def test_glosses_are_definitions_and_examples_once_each(tmp_path: Path) -> None:
    (tmp_path / "data.noun").write_text(WORDNET, encoding="latin-1")
    (tmp_path / "data.adv").write_text("00001 02 r 01 calmly 0 000 | in a calm manner\n", encoding="latin-1")
    (tmp_path / "index.noun").write_text("not read | at all of it\n", encoding="latin-1")
    assert glosses(tmp_path) == [
        "in a calm manner",
        "that which is perceived",
        "it was an entity of its own",
        "a block forming a division of a hospital",
        "a 4-bed ward",
    ]


def test_without_wordnet_it_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="wordnet-base"):
        glosses(tmp_path)


def test_axes_are_ordered_square_to_each_other_and_of_fixed_sign() -> None:
    vectors = (np.random.default_rng(1).normal(size=(500, 5)) * [1, 5, 2, 0.1, 3]).astype(np.float32)
    axes = principal_axes(vectors)
    assert axes.T @ axes == pytest.approx(np.eye(5), abs=1e-5)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    spread = ((unit @ axes) ** 2).sum(axis=0)
    assert spread.tolist() == sorted(spread, reverse=True)
    assert (axes[np.abs(axes).argmax(axis=0), np.arange(5)] > 0).all()
    assert principal_axes(vectors[::-1]) == pytest.approx(axes, abs=1e-3)
    turned = unit @ axes
    assert turned @ turned.T == pytest.approx(unit @ unit.T, abs=1e-4)


def test_means_of_pieces_are_shares_of_a_text() -> None:
    pieces = ["nurse", "##s", "rude", "the"]
    means = piece_means(pieces, ["The nurses, the nurse.", "rude", "zebra"]).toarray()
    # the, nurse + s, the, nurse; a word that can't be cut has no piece.
    assert means == pytest.approx(np.array([[2, 1, 0, 2], [0, 0, 5, 0], [0, 0, 0, 0]]) / 5)


def test_a_sample_is_the_same_each_time() -> None:
    texts = [str(i) for i in range(100)]
    assert sample(texts, 5) == sample(texts, 5)
    assert len(set(sample(texts, 5))) == 5
    assert sorted(sample(texts, 500)) == sorted(texts)
