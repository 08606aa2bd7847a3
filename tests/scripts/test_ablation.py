from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score
from tests.samples import RAISING, small_cases

import ablation
from ablation import (
    LETTERS,
    LINEAR,
    VARIANTS,
    WHOLE,
    Lettered,
    Material,
    average_precision,
    draws,
    evidence_f1,
    f1,
    fitted,
    letter_groups,
    mark,
    micro_f1,
    share,
)
from benchmark import AT_RANDOM, Yardstick, splits
from complaintnlp import training
from complaintnlp.errors import InputError
from complaintnlp.labelled import Labelled, Span, read_labelled
from complaintnlp.language import make_language, read_texts
from complaintnlp.model import Model, calibration, estimator, network
from complaintnlp.model.features import Features
from complaintnlp.taxonomy import Taxonomy

TEXTS = ["Mrs Quill was never rude. We did not uphold this.", "They never rang; we found failings."]


def _cases() -> Labelled:
    """Two sentences a case, the first marked; some as upheld."""
    cases = ablation.without_subthemes(read_labelled(small_cases(), Taxonomy.default()))
    spans: list[tuple[Span, ...] | None] = []
    for text, labels in zip(cases.texts, cases.labels, strict=True):
        raised = [theme for theme, flag in zip(cases.taxonomy.ids, labels, strict=True) if flag]
        finding = "upheld" if len(spans) % 2 else ""
        spans.append(tuple(Span(0, text.index("."), theme, finding=finding) for theme in raised[:1]))
    return replace(cases, spans=spans)


CASES = _cases()


@pytest.fixture(scope="module")
def whole() -> Model:
    return fitted(VARIANTS[WHOLE], CASES)


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "encoder"])
def test_every_variant_learns_and_differs(name: str, whole: Model) -> None:
    model = fitted(VARIANTS[name], CASES)
    texts = [text for texts in RAISING.values() for text in texts]
    tagged = model.classify(texts)
    assert sum(bool(one.themes) for one in tagged) > len(texts) / 2
    # Nobody is named and nothing decided in these texts, and they are too few to stack or for a network.
    if name not in (WHOLE, "identifiers", "cues", "findings", "undecided", "stacking", "network"):
        assert [one.probabilities for one in tagged] != [one.probabilities for one in whole.classify(texts)]


def test_without_a_network_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "ENOUGH", 10)
    monkeypatch.setattr(network, "EPOCHS", 1)
    assert fitted(VARIANTS[WHOLE], CASES).network is not None
    assert fitted(VARIANTS["network"], CASES).network is None
    assert fitted(LINEAR["network"], CASES).network is not None
    assert all(fitted(LINEAR[name], CASES).network is None for name in (WHOLE, "pairs"))


def test_what_the_pipelines_leave_out() -> None:
    vocabulary, negated, decisions, vectors = {}, {}, {}, {}
    for name in (WHOLE, "identifiers", "negation", "cues", "scope", "vectors"):
        readings = read_texts(VARIANTS[name].language(), TEXTS)
        vocabulary[name], decisions[name] = readings.vocabulary, readings.decisions.any()
        negated[name], vectors[name] = readings.negated.any(), readings.vectors.any()
    assert [name for name, words in vocabulary.items() if "quill" in words] == ["identifiers"]
    assert [name for name, any_ in negated.items() if not any_] == ["negation", "scope"]
    assert [name for name, any_ in decisions.items() if not any_] == ["cues", "scope"]
    assert [name for name, any_ in vectors.items() if not any_] == ["vectors"]


def test_nothing_is_swapped_for_good() -> None:
    fitted(VARIANTS["letters"], CASES)
    assert vars(training)["Features"] is Features
    assert vars(estimator)["TfidfTransformer"] is not ablation.Blocks


def test_decisions_are_unlearnt() -> None:
    assert all(not span.finding for spans in ablation.undecided(CASES).spans for span in spans or ())
    assert any(span.finding for spans in CASES.spans for span in spans or ())
    assert ablation.undecided(ablation.unmarked(CASES)).spans == [None] * len(CASES)
    model = fitted(VARIANTS["undecided"], CASES)
    assert {said for one in model.classify(TEXTS) for said in one.findings.values()} <= {"raised"}


def test_without_stacking_only_the_two_scores_of_the_theme_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "_PER_INPUT", 0)
    for name, wanted in ((WHOLE, True), ("stacking", False)):
        model = fitted(VARIANTS[name], CASES)
        assert any(any(one.weights[2:]) for one in model.calibrations.values()) is wanted


def test_word_pairs_are_left_out(whole: Model) -> None:
    names = fitted(VARIANTS["pairs"], CASES).features.names
    assert names == tuple(name for name in whole.features.names if " " not in name)
    assert len(names) < len(whole.features.names)


def test_groups_of_letters_stand_behind_the_words() -> None:
    texts = ["never rude never", "never rood", "rude Quillfeather"]
    readings = read_texts(make_language(), texts)
    features, words = Lettered.learn(readings, 2), Features.learn(readings, 2)
    assert features.names[: len(words.names)] == words.names
    assert len(features.names) == len(words.names) + LETTERS
    counts = features.units(readings).counts
    assert (counts[:, : len(words.names)] != words.units(readings).counts).nnz == 0
    assert counts[:3, features.names.index("\0<neve")].toarray().ravel().tolist() == [2, 1, 0]
    # Also in a word that no column stands for; and a name, which is in no column, has taught no group.
    assert counts[1, features.names.index("\0<r")] == 1
    assert not any("quil" in name for name in features.names)
    model = fitted(VARIANTS["letters"], CASES)
    weighed = model.estimator.tfidf.transform(model.features.units(read_texts(model.language, CASES.texts)).counts)
    for block in (weighed[:, :-LETTERS], weighed[:, -LETTERS:]):
        lengths = np.sqrt(block.multiply(block).sum(axis=1))
        assert np.allclose(lengths[lengths > 0], 1, atol=1e-5)


def test_the_letters_of_a_word() -> None:
    assert letter_groups("no") == ["<n", "no", "o>", "<no", "no>", "<no>"]
    assert letter_groups("<name>") == letter_groups("00") == letter_groups("") == []


def test_figures_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(1)
    truth = random.integers(0, 2, (40, 3)).astype(np.int8)
    chances = random.integers(0, 8, (40, 3)) / 8  # many ties
    said = chances > 0.5
    weights = draws(40)
    ours = average_precision(truth, chances, weights)
    for row in (0, 1, 77):
        for i in range(3):
            expected = average_precision_score(truth[:, i], chances[:, i], sample_weight=weights[row])
            assert ours[row, i] == pytest.approx(expected)
            expected = f1_score(truth[:, i], said[:, i], sample_weight=weights[row])
            assert f1(truth, said, weights)[row, i] == pytest.approx(expected)
    assert micro_f1(truth, said, weights)[0] == pytest.approx(f1_score(truth, said, average="micro"))
    assert share(said[:, 0], weights)[0] == pytest.approx(said[:, 0].mean())


def test_a_label_that_no_case_drawn_has_is_left_out_of_the_mean() -> None:
    truth = np.array([[1, 0], [0, 0]], dtype=np.int8)
    weights = np.ones((1, 2))
    assert ablation._mean(f1(truth, truth.astype(bool), weights)) == [1]
    assert ablation._mean(average_precision(truth, truth.astype(float), weights)) == [1]


def test_evidence_is_counted_by_sentence_and_theme(whole: Model) -> None:
    tagged = whole.classify(CASES.texts)
    said = [[Span(piece.start, piece.end, piece.theme) for piece in one.evidence] for one in tagged]
    weights = draws(len(CASES))
    assert evidence_f1(replace(CASES, spans=[tuple(spans) for spans in said]), tagged, weights)[0] == 1
    once = [tuple(spans[:1]) for spans in said]
    hits, claims = sum(map(len, once)), sum(map(len, said))
    expected = 2 * hits / (hits + claims)
    assert evidence_f1(replace(CASES, spans=list(once)), tagged, weights)[0] == pytest.approx(expected)
    nothing = replace(CASES, spans=[None] * len(CASES))
    assert evidence_f1(nothing, tagged, weights)[0] == 0


def test_marks_are_of_the_paired_difference() -> None:
    whole = np.array([0.5, *np.linspace(0.3, 0.7, 500)])
    assert mark(whole - 0.01, whole) == "▼"  # far within the interval of each, and yet always worse
    assert mark(whole + 0.01, whole) == "▲"
    assert mark(whole[::-1], whole) == mark(whole, whole) == ""


def test_intervals_are_centred_on_the_figure() -> None:
    low, high = ablation.interval(np.array([0.5, *np.linspace(0.6, 1.0, 501)]))
    assert (low + high) / 2 == pytest.approx(0.5)
    assert high - low == pytest.approx(0.4 * 0.95)


def test_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    answers = replace(CASES, spans=[None] * len(CASES), groups=["A", "B"] * (len(CASES) // 2))
    tests = [Yardstick(name, CASES, CASES.taxonomy.ids) for name in ("test", "challenge", "stories", "ombudsman")]
    material = Material(CASES, tests, CASES, answers, 7)
    rows: dict[str, ablation.Figures] = {}
    known: dict[object, ablation.Figures] = {}
    for name in (WHOLE, "sentences"):
        rows[name] = ablation.measure(name, VARIANTS[name], material, known)
    assert len(known) == 1  # answers have no spans, so both learn the same of them
    with pytest.raises(InputError) as raised:
        ablation.measure("encoder", VARIANTS["encoder"], material, known)
    text = ablation.page(VARIANTS, rows, {"encoder": str(raised.value)}, material)
    for piece in (
        "figures mean nothing",
        "A → B: micro-F1",
        "whole texts only",
        "pip install 'complaintnlp[contextual]'",
    ):
        assert piece in " ".join(text.split())
    assert all(len(line) <= 120 or line.startswith("|") for line in text.splitlines())
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert len(tables) == 2 * 4
    alone = ablation.page(LINEAR, rows, {}, material._replace(tests=tests[:2], answers=None, most=None))
    assert "COMPLAINTNLP_SHARED_DATA" in alone
    assert "mean nothing" not in alone
    assert "all of it but the network" in alone


def test_splits_of_the_answers() -> None:
    ways = splits(replace(CASES, groups=["A", "B", "B"] * (len(CASES) // 3)))
    assert list(ways) == [AT_RANDOM, "A > B", "B > A"]
    for here, there in ways.values():
        assert sorted([*here.tolist(), *there.tolist()]) == list(range(len(CASES)))
