"""The network: that it reads order, that it is reproducible, and that a broken or hostile file does no harm."""

from __future__ import annotations

import hashlib
import json
import pickle
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.samples import small_cases

import complaintnlp as cn
from complaintnlp import training
from complaintnlp.errors import InputError
from complaintnlp.language import Readings, make_language, read_texts
from complaintnlp.model import Model, load, network, save
from complaintnlp.model.folder import NETWORK
from complaintnlp.model.network import Network, fit_network

OTHERS = ("doctor", "manager", "porter", "midwife", "officer", "clerk", "surgeon", "chaplain")
DID = ("thanked", "blamed", "scolded", "ignored", "praised", "helped")
TEXTS = [
    f"The {first} {did} the {second}. It was on Monday."
    for other, did in product(OTHERS, DID)
    for first, second in (("nurse", other), (other, "nurse"))
]
WORDS = ("the", "nurse", *OTHERS, *DID, "it", "was", "on")


@pytest.fixture(scope="module")
def readings() -> Readings:
    return read_texts(make_language(), TEXTS)


@pytest.fixture(scope="module")
def labels() -> NDArray[np.int8]:
    """Whether the nurse did it: both texts of a pair have the same words."""
    nurses = [text.startswith("The nurse") for text in TEXTS]
    return np.array([[*nurses, *(one for nurse in nurses for one in (nurse, False))]], dtype=np.int8).T


@pytest.fixture(scope="module")
def seen() -> NDArray[np.int64]:
    """Texts to learn from: all but those that name the clerk or the surgeon."""
    return np.flatnonzero(["clerk" not in text and "surgeon" not in text for text in TEXTS])


@pytest.fixture(scope="module")
def fitted(readings: Readings, labels: NDArray[np.int8], seen: NDArray[np.int64]) -> Network:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "EPOCHS", 30)
        return fit_network(readings, WORDS, seen, labels)


def test_it_learns_what_only_the_order_tells(
    fitted: Network, readings: Readings, labels: NDArray[np.int8], seen: NDArray[np.int64]
) -> None:
    right = (fitted.scores(readings) > 0) == labels
    assert right[np.setdiff1d(np.arange(len(TEXTS)), seen)].mean() > 0.9
    assert right[len(TEXTS) :].mean() > 0.9


def test_the_same_data_give_the_same_network_and_nobody_elses_dice_are_thrown(
    readings: Readings, labels: NDArray[np.int8], seen: NDArray[np.int64]
) -> None:
    np.random.seed(7)
    expected = np.random.random()
    np.random.seed(7)
    one, other = (fit_network(readings, WORDS, seen[:40], labels) for _ in range(2))
    assert np.random.random() == expected
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name])


def test_what_a_step_learns_from() -> None:
    """Text and sentences weigh as wholes, however many sentences there are; what is not known teaches nothing."""
    scores = np.array([[0.0, 2.0], [1.0, -1.0], [0.5, 0.0], [3.0, 1.0]], dtype=np.float32)
    wanted = np.array([[1, 0], [0, -1], [-1, -1], [1, 0]], dtype=np.int8)

    def loss(at: NDArray[np.float32]) -> float:
        chance = 1 / (1 + np.exp(-at.astype(float)))
        each = np.where(wanted < 0, 0, -np.log(np.where(wanted == 1, chance, 1 - chance)))
        return float(each[:1].sum() + network._SENTENCES_WEIGH * each[1:].sum() / 3)

    found = network._gradient(scores, wanted, 1)
    for place in np.ndindex(scores.shape):
        step = np.zeros_like(scores)
        step[place] = 1e-2
        assert found[place] == pytest.approx((loss(scores + step) - loss(scores - step)) / 2e-2, abs=1e-4)


def test_the_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradients against finite differences, for every parameter."""
    monkeypatch.setattr(network, "WIDTH", 12)
    monkeypatch.setattr(network, "DROPOUT", 0.0)
    dice = np.random.default_rng(1)
    layers = network._layers(9, 5, 3)
    sentences, texts = np.array([3, 1, 7, 2, 1, 5], dtype=np.int32), np.array([1, 4, 1], dtype=np.int32)
    different, words = np.unique(dice.integers(0, 6, sentences.sum()), return_inverse=True)
    vectors = dice.normal(size=(len(different), 5)).astype(np.float32)
    batch = network._Batch(dice.integers(0, 10, len(different)), vectors, words, sentences, texts)
    parameters = network._parameters(layers)
    for node, name in parameters.values():
        array: Any = node.get_param(name)
        node.set_param(name, array + dice.normal(scale=0.3, size=array.shape).astype(np.float32))
    scores, backprop = layers.begin_update(batch)
    wanted = dice.normal(size=scores.shape).astype(np.float32)
    backprop(wanted)

    def change(node: Any, name: str, place: Any, by: float) -> float:
        kept = node.get_param(name)
        moved = kept.copy()
        moved[place] += by
        node.set_param(name, moved)
        result = float((layers.predict(batch).astype(float) * wanted).sum())
        node.set_param(name, kept)
        return result

    for node, name in parameters.values():
        gradient: Any = node.get_grad(name)
        for place in np.argsort(-np.abs(gradient), axis=None)[:3]:
            at = np.unravel_index(place, gradient.shape)
            slope = (change(node, name, at, 1e-3) - change(node, name, at, -1e-3)) / 2e-3
            assert gradient[at] == pytest.approx(slope, rel=0.05, abs=0.05), (node.name, name)


def test_a_sentence_is_read_within_its_text_and_words_within_their_sentence(fitted: Network) -> None:
    nlp = make_language()
    one, other = (read_texts(nlp, [f"{first} It was on Monday."]) for first in (TEXTS[0][:26], "The clerk left."))
    # The second sentence is the same, and its score is not: it tells of another text.
    assert abs(fitted.scores(one)[-1] - fitted.scores(other)[-1]) > 1e-3
    numbers = np.arange(6)
    batch = network._Batch(numbers, np.zeros((6, 2), dtype=np.float32), numbers, np.array([4, 2]), np.array([2]))
    beside = network._beside(batch).toarray().reshape(6, 6, 2 * network.REACH + 1).any(axis=2)
    assert beside[0].tolist() == [True] * 3 + [False] * 3
    assert beside[3].tolist() == [False, True, True, True, False, False]
    assert beside[4].tolist() == [False] * 4 + [True] * 2


def test_a_text_is_scored_the_same_alone_and_among_others(fitted: Network, readings: Readings) -> None:
    together = fitted.scores(readings)
    for place in (0, 5, len(TEXTS) - 1):
        alone = fitted.scores(read_texts(make_language(), [TEXTS[place]]))
        rows = [place, *range(len(TEXTS) + readings.texts[place], len(TEXTS) + readings.texts[place + 1])]
        np.testing.assert_allclose(alone, together[rows], atol=1e-4)
        np.testing.assert_allclose(fitted.scores(readings, np.array([place]))[rows], together[rows], atol=1e-4)


def test_blocks_make_no_difference(fitted: Network, readings: Readings, monkeypatch: pytest.MonkeyPatch) -> None:
    together = fitted.scores(readings)
    monkeypatch.setattr(network, "_BLOCK", 7)
    np.testing.assert_allclose(fitted.scores(readings), together, atol=1e-4)


def test_texts_without_words_have_a_score_and_disturb_nobody(fitted: Network) -> None:
    nlp = make_language()
    scores = fitted.scores(read_texts(nlp, ["...", TEXTS[0], ""]))
    np.testing.assert_allclose(scores[[1, 3, 4]], fitted.scores(read_texts(nlp, [TEXTS[0]])), atol=1e-4)
    assert (scores[[0, 2]] < -10).all()
    assert fitted.scores(read_texts(nlp, [])).shape == (0, 1)


def test_it_travels_between_processes(fitted: Network, readings: Readings) -> None:
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.scores(readings), fitted.scores(readings))


def test_parameters_of_another_shape_are_refused(fitted: Network) -> None:
    with pytest.raises(ValueError, match="shape"):
        Network(WORDS[1:], fitted.dimensions, fitted.labels, fitted.arrays)
    with pytest.raises(ValueError, match="not those of this network"):
        Network(WORDS, fitted.dimensions, fitted.labels, {})
    name, array = next(iter(fitted.arrays.items()))
    with pytest.raises(ValueError, match="no finite number"):
        Network(WORDS, fitted.dimensions, fitted.labels, {**fitted.arrays, name: np.full_like(array, np.nan)})


@pytest.fixture(scope="module")
def both() -> Model:
    """The toy model, with a network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "ENOUGH", 10)
        patch.setattr(network, "EPOCHS", 1)
        return cn.train(small_cases(), name="both", version="1")


def test_a_model_has_a_network_where_texts_are_enough(toy: Model, both: Model) -> None:
    assert toy.network is None
    assert both.network is not None
    readings = read_texts(both.language, TEXTS[:3])
    estimated, read = both.scores(readings)
    assert estimated.shape == read.shape == (9, len(both.taxonomy.label_ids) + 2)


def test_a_network_is_saved_and_loaded(both: Model, tmp_path: Path) -> None:
    again = load(save(both, tmp_path / "both"))
    assert again.classify(TEXTS[:20]) == both.classify(TEXTS[:20])
    twice = save(again, tmp_path / "again")
    assert (twice / NETWORK).read_bytes() == (tmp_path / "both" / NETWORK).read_bytes()


@pytest.mark.parametrize("type_", [object, np.complex64, np.int8, np.float32])
def test_a_network_that_holds_objects_or_other_numbers_is_refused(both: Model, tmp_path: Path, type_: type) -> None:
    folder = save(both, tmp_path / "both")
    assert both.network is not None
    halves = {name: array.astype(np.float16) for name, array in both.network.arrays.items()}
    name, array = next(iter(halves.items()))
    hostile: dict[str, Any] = {**halves, name: array.astype(type_)}
    np.savez(folder / NETWORK, **hostile)
    _with_its_hash(folder)
    with pytest.raises(InputError, match="can't be read"):
        load(folder)


def _with_its_hash(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["files"][NETWORK] = hashlib.sha256((folder / NETWORK).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
