from __future__ import annotations

import numpy as np
import pytest

from complaintnlp.language import Reading, make_language, read_texts
from complaintnlp.model.features import Features, by_sentence, rows_of, whole

TEXTS = [
    "The nurse was never rude. We waited 12 hours!",
    "the nurse was kind but we waited",
    "Zanthippe was rude to the nurse and Zanthippe laughed",
    "ZANTHIPPE waited, zanthippa waited, the nurse was rude",
]


@pytest.fixture(scope="module")
def readings() -> list[Reading]:
    return list(read_texts(make_language(), TEXTS))


def test_counts_are_of_the_words(readings: list[Reading]) -> None:
    features = Features.learn(readings, min_texts=1)
    matrix = features.matrix((r, whole(r)) for r in readings)
    assert matrix.shape == (4, len(features.names))
    column = features.names.index("nurse")
    assert matrix[:, column].toarray().ravel().tolist() == [1, 1, 1, 1]
    assert matrix[0, features.names.index("not:rude")] == 1
    assert matrix[2, features.names.index("not:rude")] == 0
    assert "waited 00" in features.words
    assert "rude we" not in features.words  # no pair across sentences
    assert "~nur" in features.names


def test_sentences_add_up_to_the_whole(readings: list[Reading]) -> None:
    features = Features.learn(readings, min_texts=1)
    for reading in readings:
        one = features.matrix([(reading, whole(reading))]).toarray()
        parts = features.matrix((reading, unit) for unit in by_sentence(reading)).toarray()
        assert np.array_equal(one[0], parts.sum(axis=0))


def test_names_do_not_enter_the_vocabulary(readings: list[Reading]) -> None:
    features = Features.learn(readings, min_texts=2)
    assert not any("zanth" in name for name in features.names)
    assert "nurse" in features.words


def test_learning_does_not_depend_on_order(readings: list[Reading]) -> None:
    assert Features.learn(readings) == Features.learn(readings[::-1])


def test_rows_of() -> None:
    assert rows_of([[], [1, 2], [3]]).tolist() == [0, 0, 2, 3]
