from __future__ import annotations

import numpy as np
import pytest
from tests.samples import small_cases

import peers
from complaintnlp.labelled import Labelled, read_labelled
from complaintnlp.taxonomy import Taxonomy
from peers import BOW, ENSEMBLE, Recipe, at_half, best_thresholds, ours, out_of_fold, plain, pxtextmining, textcat

CASES = read_labelled(small_cases(), Taxonomy.default())
RECIPES: dict[str, Recipe] = {
    "ours": ours,
    "at half": at_half(plain),
    "out of fold": out_of_fold(pxtextmining),
    "pooled": out_of_fold(plain, pooled=True),
    "bow": textcat(BOW, CASES),
    "ensemble": textcat(ENSEMBLE, CASES),
}


@pytest.fixture(autouse=True)
def few_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "EPOCHS", 3)


def _answers(recipe: Recipe, cases: Labelled) -> tuple[np.ndarray, np.ndarray]:
    return recipe(cases)(CASES.texts)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_ranks_what_it_has_seen(name: str) -> None:
    probability, raised = _answers(RECIPES[name], CASES)
    assert probability.shape == raised.shape == CASES.labels.shape
    assert peers.mean_average_precision(CASES.labels, probability) > 0.7


@pytest.mark.parametrize("name", ["ours", "at half", "out of fold", "pooled"])
def test_a_label_without_cases_is_raised_nowhere(name: str) -> None:
    # Trained on one trust, a label that only the other has is a constant.
    none = CASES.take(np.flatnonzero(CASES.labels[:, 0] == 0).tolist())
    _, raised = _answers(RECIPES[name], none)
    assert not raised[:, 0].any()


def test_thresholds_of_the_highest_f1() -> None:
    labels = np.array([[1, 0], [1, 0], [0, 0], [1, 0], [0, 0]], dtype=np.int8)
    probability = np.array([[0.9, 0.9], [0.8, 0.1], [0.7, 0.1], [0.6, 0.1], [0.1, 0.1]])
    assert best_thresholds(labels, probability).tolist() == [0.6, 0.5]


def test_pxtextmining_cleans_as_published() -> None:
    assert peers.bare("Didn't ring\n2 times!") == "Didnt ring times"
