from __future__ import annotations

import numpy as np
import pytest

from complaintnlp.language import Readings, make_language, read_texts
from complaintnlp.model.features import Features

TEXTS = [
    "The nurse was never rude. We waited 12 hours!",
    "the nurse was kind but we waited",
    "Zanthippe was rude to the nurse and Zanthippe laughed",
    "ZANTHIPPE waited, zanthippa waited, the nurse was rude",
    "We did not uphold this.",
]


@pytest.fixture(scope="module")
def readings() -> Readings:
    return read_texts(make_language(), TEXTS)


def test_counts_are_of_the_words(readings: Readings) -> None:
    features = Features.learn(readings, min_texts=1)
    counts = features.units(readings).counts.toarray()
    assert counts.shape == (len(TEXTS) + 6, len(features.names))

    def column(name: str, first: int = len(TEXTS)) -> list[float]:
        return [float(count) for count in counts[first:, features.names.index(name)]]

    assert column("nurse") == [1, 0, 1, 1, 1, 0]
    assert column("not:rude") == [1, 0, 0, 0, 0, 0]
    assert column("waited 00") == [0, 1, 0, 0, 0, 0]
    assert column("waited") == [0, 1, 1, 0, 2, 0]
    assert column("decides:not_upheld") == [0, 0, 0, 0, 0, 1]
    assert column("waited", 0)[: len(TEXTS)] == [1, 1, 0, 2, 0]
    assert "rude we" not in features.names  # no pair across sentences


def test_vectors_are_directions(readings: Readings) -> None:
    units = Features.learn(readings, min_texts=1).units(readings)
    assert units.vectors.shape == (len(TEXTS) + 6, make_language().vocab.vectors_length)
    assert np.linalg.norm(units.vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    own = readings.vectors[0] + readings.vectors[1]
    assert units.vectors[0] == pytest.approx(own / np.linalg.norm(own), abs=1e-5)


def test_names_do_not_enter_the_vocabulary(readings: Readings) -> None:
    features = Features.learn(readings, min_texts=2)
    assert not any("zanth" in name for name in features.names)
    assert "nurse" in features.names


def test_learning_does_not_depend_on_order() -> None:
    nlp = make_language()
    assert Features.learn(read_texts(nlp, TEXTS)) == Features.learn(read_texts(nlp, TEXTS[::-1]))
