"""A network that reads the words of a sentence in their order, and its sentences within their text.

Who did what is not told by counts of words: the rude nurse and the rude complaints manager have the same ones in
another place, and "they never wrote back" is about whatever the letter is about. The network is made of spaCy's own
layers (thinc) and trained anew with every model: word vectors, each word beside its neighbours, each sentence beside
its neighbours and its whole text, and a score for every label of every text and sentence. It learns mostly from marked
sentences, where there are any. The linear model errs elsewhere, so both together rank texts better than either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from thinc.api import (
    Adam,
    Dropout,
    Embed,
    Linear,
    Maxout,
    Model,
    Ragged,
    chain,
    concatenate,
    expand_window,
    reduce_max,
    reduce_mean,
    residual,
    use_ops,
    warmup_linear,
    with_array,
)
from threadpoolctl import threadpool_limits

from complaintnlp.language import Readings

Ints = Any
"""Whole numbers as thinc takes them: numpy's arrays, for which it has types of its own."""
ENOUGH = 1_000
"""Texts below which there is no network: of 500 it helped on some tests and harmed on others, of 1,000 it helped."""
WIDTH, REACH = 128, 2
"""How wide all layers are, and how many words on each side a word is read beside."""
EPOCHS, TEXTS_A_STEP, LEARN_RATE, WARM_UP = 20, 16, 0.003, 100
DROPOUT, WORDS_UNKNOWN = 0.2, 0.15
"""Shares of what is left out at random in training: of values, and of the words' own vectors, so that the network also
learns to read words by the fitted ones alone."""
_SENTENCES_WEIGH = 10.0
"""What the sentences of a text weigh beside the text itself, where all are marked. Whole texts are soon learnt by
heart; marked sentences say what they are about."""
_NEAR = np.arange(-REACH, REACH + 1)
_SCALE = np.float32(0.7)
"""Makes the fitted word vectors as long as the words' own are at first, so that they are learnt from alike."""
_NOTHING = -12.0
"""The score, in logits, of a text without words."""
_BLOCK = 15_000
"""Words that are scored at a time, or one text: what the layers make of a word takes some 2 kB."""


@dataclass(frozen=True)
class _Batch:
    """Some texts as the layers take them.

    Attributes:
        known: for each different word its own row, 0 if it has none; shape (different words,).
        vectors: their word vectors, shape (different words, dimensions).
        words: the words in their order as places among the different ones, shape (words,).
        sentences, texts: how many words each sentence has, and how many sentences each text.
    """

    known: Ints
    vectors: NDArray[np.float32]
    words: Ints
    sentences: Ints
    texts: Ints


@dataclass(frozen=True, eq=False)
class Network:
    """A network that was fitted.

    Attributes:
        words: the words with a vector of their own.
        dimensions: of the fitted word vectors.
        labels: how many it scores.
        arrays: its parameters by name, float32.
    """

    words: Sequence[str]
    dimensions: int
    labels: int
    arrays: Mapping[str, NDArray[np.float32]]
    _rows: dict[str, int] = field(init=False, repr=False)
    _layers: Model[_Batch, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        layers = _layers(len(self.words), self.dimensions, self.labels)
        own = _parameters(layers)
        if own.keys() != self.arrays.keys():
            raise ValueError("the parameters are not those of this network")
        for name, (node, parameter) in own.items():
            if node.get_param(parameter).shape != self.arrays[name].shape:
                raise ValueError(f"{name} has the shape {self.arrays[name].shape}")
            if not np.isfinite(self.arrays[name]).all():
                raise ValueError(f"{name} holds something that is no finite number")
            values: Any = np.ascontiguousarray(self.arrays[name], dtype=np.float32)
            node.set_param(parameter, values)
        object.__setattr__(self, "_rows", _rows(self.words))
        object.__setattr__(self, "_layers", layers)

    def __reduce__(self) -> tuple[Any, ...]:
        return Network, (self.words, self.dimensions, self.labels, self.arrays)

    def scores(self, readings: Readings, texts: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """Scores in logits.

        Args:
            readings: the texts.
            texts: the places of those to score, by default all; the others' scores are those of a text without words.

        Returns:
            Of all texts and then of all sentences, shape (texts + sentences, labels).
        """
        places = np.arange(len(readings)) if texts is None else texts
        full = places[np.diff(readings.texts)[places] > 0]
        found = np.full((len(readings) + len(readings.offsets), self.labels), _NOTHING, np.float32)
        known = _known(readings, self._rows)
        words = np.cumsum(np.diff(readings.sentences[readings.texts])[full])
        for block in np.split(full, np.flatnonzero(np.diff(words // _BLOCK)) + 1) if len(full) else ():
            rows = np.append(block, len(readings) + _parts(readings.texts, block))
            found[rows] = self._layers.predict(_batch(readings, block, known))
        return found


def fit_network(
    readings: Readings, words: Sequence[str], texts: NDArray[np.int64], labels: NDArray[np.int8]
) -> Network:
    """Fit a network; the same data give the same one.

    Args:
        readings: of all texts; each has words.
        words: those that get a vector of their own.
        texts: places of the texts to learn from.
        labels: of all texts, then of all sentences; shape (texts + sentences, labels), 0 or 1, and -1 where it is not
            known.
    """
    known = _known(readings, _rows(words))
    sizes = readings.word_vectors.shape[1], labels.shape[1]
    # Without threads, so that sums are made in the same order however many cores there are.
    with _dice(), threadpool_limits(1):
        layers = _layers(len(words), *sizes)
        _train(layers, readings, known, texts, labels)
    arrays = {name: np.asarray(node.get_param(parameter)) for name, (node, parameter) in _parameters(layers).items()}
    # Half the bytes on disk; and what is used is what was saved.
    halves = {name: array.astype(np.float16).astype(np.float32) for name, array in arrays.items()}
    return Network(words, *sizes, halves)


@contextmanager
def _dice() -> Iterator[None]:
    """Thinc draws its first weights, and what it leaves out, from numpy's one generator, which is the caller's."""
    state = np.random.get_state()
    np.random.seed(0)
    try:
        yield
    finally:
        np.random.set_state(state)


def _layers(words: int, dimensions: int, labels: int) -> Model[_Batch, Any]:
    def mixed(width: int) -> Model[Any, Any]:
        return Maxout(WIDTH, width, nP=2, normalize=True, dropout=DROPOUT)

    def together() -> Model[Any, Any]:
        return concatenate(reduce_max(), reduce_mean())

    def beside_neighbours() -> Model[Any, Any]:
        return residual(chain(expand_window(1), with_array(mixed(3 * WIDTH))))

    def within_text() -> Model[Any, Any]:
        return Model("within_text", _within_text, layers=[chain(together(), mixed(2 * WIDTH))], init=_initialize)

    # numpy multiplies matrices several times as fast as thinc's own library.
    with _dice(), use_ops("numpy", use_blis=False):
        network: Model[_Batch, Any] = Model(
            "network",
            _forward,
            layers=[
                Embed(WIDTH, words + 1),
                mixed(dimensions + WIDTH),
                Linear(len(_NEAR) * WIDTH, WIDTH),
                Dropout(DROPOUT),
                chain(together(), mixed(2 * WIDTH)),
                chain(beside_neighbours(), within_text(), beside_neighbours(), within_text(), beside_neighbours()),
                Linear(labels, WIDTH),
                chain(together(), Linear(labels, 2 * WIDTH)),
            ],
            init=_initialize,
        )
        return network.initialize()


def _initialize(model: Model[Any, Any], **_: Any) -> None:
    for layer in model.layers:
        layer.initialize()


def _forward(
    model: Model[_Batch, Any], batch: _Batch, is_train: bool
) -> tuple[NDArray[np.float32], Callable[[NDArray[np.float32]], _Batch]]:
    """Scores of texts and then of sentences, and the way back."""
    own, word, by_distance, dropout, sentence, in_text, of_sentence, of_text = model.layers
    known, known_back = own(batch.known, is_train)
    met, met_back = word(np.hstack([batch.vectors, known]), is_train)
    # What a word is worth at each distance is worked out once for each different word, and then only added up.
    worth, worth_back = by_distance(met, is_train)
    beside = _beside(batch)
    found = beside @ worth.reshape(-1, WIDTH)
    np.maximum(found, 0, out=found)
    read, read_back = dropout(found, is_train)
    single, single_back = sentence(Ragged(read, batch.sentences), is_train)
    told, told_back = in_text(Ragged(single, batch.texts), is_train)
    by_sentence, sentence_back = of_sentence(told.dataXd, is_train)
    by_text, text_back = of_text(told, is_train)

    def backprop(gradient: NDArray[np.float32]) -> _Batch:
        d_told = text_back(gradient[: len(by_text)]).dataXd + sentence_back(gradient[len(by_text) :])
        d_read = single_back(told_back(Ragged(d_told, batch.texts)).dataXd).dataXd
        d_worth = beside.T @ (read_back(d_read) * (found > 0))
        d_met = worth_back(d_worth.reshape(worth.shape))
        known_back(met_back(d_met)[:, batch.vectors.shape[1] :])
        return batch

    return np.concatenate([by_text, by_sentence]), backprop


def _within_text(model: Model[Ragged, Ragged], sentences: Ragged, is_train: bool) -> tuple[Ragged, Callable[..., Any]]:
    """Add to each sentence what all sentences of its text come to."""
    whole, whole_back = model.layers[0](sentences, is_train)
    lengths: Ints = sentences.lengths
    owner = np.repeat(np.arange(len(lengths)), lengths)

    def backprop(gradient: Ragged) -> Ragged:
        each: Any = gradient.dataXd
        d_whole = np.add.reduceat(each, np.cumsum(lengths) - lengths)
        return Ragged(each + whole_back(d_whole).dataXd, gradient.lengths)

    return Ragged(sentences.dataXd + whole[owner], sentences.lengths), backprop


def _beside(batch: _Batch) -> sp.csr_matrix:
    """Which word stands at which distance from each, within its sentence.

    Returns:
        Ones, shape (words, different words * distances).
    """
    places = np.arange(len(batch.words))[:, None] + _NEAR
    end = np.repeat(np.cumsum(batch.sentences), batch.sentences)[:, None]
    length = np.repeat(batch.sentences, batch.sentences)[:, None]
    inside = (places >= end - length) & (places < end)
    columns = batch.words[np.where(inside, places, 0)] * len(_NEAR) + np.arange(len(_NEAR))
    starts = np.append(0, np.cumsum(inside.sum(axis=1)))
    ones = np.ones(starts[-1], dtype=np.float32)
    return sp.csr_matrix((ones, columns[inside], starts), shape=(len(places), len(batch.known) * len(_NEAR)))


def _train(
    layers: Model[_Batch, Any],
    readings: Readings,
    known: NDArray[np.int64],
    texts: NDArray[np.int64],
    labels: NDArray[np.int8],
) -> None:
    dice = np.random.default_rng(0)
    steps = EPOCHS * -(-len(texts) // TEXTS_A_STEP)
    rates: Any = warmup_linear(LEARN_RATE, WARM_UP, steps)
    optimizer = Adam(rates, use_averages=False)
    for chosen in _steps(texts, dice):
        batch = _batch(readings, chosen, known)
        batch.known[dice.random(len(batch.known)) < WORDS_UNKNOWN] = 0
        sentences = _parts(readings.texts, chosen)
        scores, backprop = layers.begin_update(batch)
        backprop(_gradient(scores, labels[np.append(chosen, len(readings) + sentences)], len(chosen)))
        layers.finish_update(optimizer)
        optimizer.step_schedules()


def _steps(texts: NDArray[np.int64], dice: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    for _ in range(EPOCHS):
        order = dice.permutation(texts)
        yield from (order[first : first + TEXTS_A_STEP] for first in range(0, len(order), TEXTS_A_STEP))


def _gradient(scores: NDArray[np.float32], wanted: NDArray[np.int8], texts: int) -> NDArray[np.float32]:
    """Of the cross-entropy: its mean over the texts, and over all their sentences `_SENTENCES_WEIGH` times.

    Sentences that nobody marked count in that mean and teach nothing.
    """
    gradient = np.where(wanted < 0, 0, 1 / (1 + np.exp(-scores)) - wanted).astype(np.float32)
    gradient[:texts] /= texts
    gradient[texts:] *= _SENTENCES_WEIGH / (len(wanted) - texts)
    return gradient


def _rows(words: Sequence[str]) -> dict[str, int]:
    return {word: row for row, word in enumerate(words, 1)}


def _known(readings: Readings, rows: Mapping[str, int]) -> NDArray[np.int64]:
    return np.array([rows.get(word, 0) for word in readings.vocabulary], dtype=np.int64)


def _parts(starts: NDArray[np.int64], wholes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of all parts of some wholes, whose parts follow one another from `starts` on."""
    lengths = starts[wholes + 1] - starts[wholes]
    before = np.cumsum(lengths) - lengths
    return np.asarray(np.repeat(starts[wholes] - before, lengths) + np.arange(lengths.sum()))


def _batch(readings: Readings, texts: NDArray[np.int64], known: NDArray[np.int64]) -> _Batch:
    """These texts, of which each has sentences."""
    sentences = _parts(readings.texts, texts)
    different, words = np.unique(readings.words[_parts(readings.sentences, sentences)], return_inverse=True)
    return _Batch(
        known[different],
        readings.word_vectors[different] * _SCALE,
        words,
        np.diff(readings.sentences)[sentences].astype(np.int32),
        np.diff(readings.texts)[texts].astype(np.int32),
    )


def _parameters(layers: Model[_Batch, Any]) -> dict[str, tuple[Model[Any, Any], str]]:
    """Each parameter by its name: the layer that holds it, and what it is called there."""
    return {
        f"{place}.{node.name}.{name}": (node, name)
        for place, node in enumerate(layers.walk())
        for name in node.param_names
    }
