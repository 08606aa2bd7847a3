from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from spacy import displacy
from tests.samples import RAISING, small_cases

import complaintnlp as cn
from complaintnlp.errors import InputError
from complaintnlp.language import has_words, make_language, read_texts
from complaintnlp.model import Model
from complaintnlp.model.explain import as_displacy

PIECES = [sentence for sentences in RAISING.values() for sentence in sentences]
TEXT = f"Thank you for the tea. The receptionist was never rude. {PIECES[1]}! We did not uphold this. {PIECES[6]}."


def agrees(model: Model, text: str, label: str, at: int | None = None) -> None:
    found = model.explain(text, label, at)
    assert sum(word.logits for word in found.words) == pytest.approx(found.score - found.intercept, abs=1e-4)
    for word in found.words:
        assert found.start <= word.start < word.end <= found.end


@given(
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=60)), min_size=1, max_size=4)
    .map(". ".join)
    .filter(has_words)
)
@example("\ud83d hello. The receptionist was rude.")
@example("We did not uphold this complaint.")
@example("Dear Sir,\n\nDr A. Lowe of 12 Mill Road rang from 01632 960777. NHS number 943 476 5919.\n\nYours, J Smith")
@settings(max_examples=60)
def test_contributions_add_up_to_the_score(toy: Model, text: str) -> None:
    agrees(toy, text, "communication")
    agrees(toy, text, "medication")  # a label that could not be learnt


def test_each_sentence_is_explained_by_its_own_words(toy: Model) -> None:
    readings = read_texts(toy.language, [TEXT])
    scores = toy.scores(readings)[0][1:, toy.taxonomy.label_ids.index("communication")]
    assert toy.explain(TEXT, "communication").score == pytest.approx(scores.max(), abs=1e-5)
    for sentence, (start, end) in enumerate(readings.offsets.tolist()):
        found = toy.explain(TEXT, "communication", at=end - 1)
        assert (found.start, found.end) == (start, end)
        assert found.score == pytest.approx(scores[sentence], abs=1e-5)
        own = readings.words[readings.sentences[sentence] : readings.sentences[sentence + 1]]
        assert [TEXT[word.start : word.end].lower() for word in found.words] == [readings.vocabulary[i] for i in own]
        agrees(toy, TEXT, "communication", at=start)


def test_without_a_word_the_score_falls_by_its_vector_and_counts(toy: Model) -> None:
    # Against the slow way: the row of the sentence, taken apart by hand.
    text = "the receptionist was never rude"
    found = toy.explain(text, "communication")
    units = toy.features.units(read_texts(toy.language, [text]))
    counts, vectors, _ = toy.estimator.weights(toy.taxonomy.label_ids.index("communication"))
    weighted = toy.estimator.tfidf.transform(units.counts[1:]).toarray()[0]
    by_name = dict(zip(toy.features.names, weighted * counts, strict=True))
    table = toy.language.vocab.vectors
    norm = np.linalg.norm(sum(table[word] for word in text.split()))
    words = text.split()
    for place, word in enumerate(words):
        expected = by_name.get(word, 0) + table[word] @ vectors / norm
        expected += by_name.get("not:" + word, 0) if place == 4 else 0
        expected += sum(
            by_name.get(" ".join(pair), 0) / 2 for i, pair in enumerate(pairwise(words), 1) if place in (i - 1, i)
        )
        assert found.words[place].logits == pytest.approx(expected, abs=1e-4)


def test_a_model_that_learnt_nothing_is_explained_too() -> None:
    model = cn.train([{**row, "themes": "communication"} for row in small_cases()])
    agrees(model, TEXT, "communication")


def test_words_share_alike_what_an_encoder_adds(toy: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def encode(texts: Sequence[str]) -> np.ndarray:
        return np.random.default_rng(0).normal(size=(len(texts), toy.language.vocab.vectors_length)).astype(np.float32)

    monkeypatch.setattr("complaintnlp.language.encoder.load_encoder", lambda name: encode)  # noqa: ARG005
    model = replace(toy, language=make_language(encoder="invented"))
    agrees(model, TEXT, "communication")
    strange = model.explain("Zxqv zxqw zxqx.", "communication")
    assert len({round(word.logits, 6) for word in strange.words}) == 1


@pytest.mark.parametrize(
    ("text", "label", "at", "message"),
    [
        ("Rude.", "parking", None, "knows no 'parking'"),
        ("?!", "communication", None, "has words"),
        ("Rude.", "communication", 7, "character 7"),
    ],
)
def test_what_can_not_be_explained(toy: Model, text: str, label: str, at: int | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        toy.explain(text, label, at)


def test_displacy_shows_the_words_and_escapes_the_text(toy: Model) -> None:
    text = "Hello. <script>alert('x')</script> the receptionist {was} rude & <b>shouted</b> at me \ud83d!"
    found = toy.explain(text, "communication", at=30)
    for least in (0.0, 99.0):
        shown = as_displacy(text, found, least)
        page = displacy.render(shown, style="ent", manual=True, page=True, jupyter=False)
        assert "<script" not in page
        assert "<b>" not in page
        assert page.encode()
    assert "&lt;script" in page
    shown = as_displacy(text, found)
    strongest = max(found.words, key=lambda word: word.logits)
    assert f"{strongest.logits:+.1f}" in {ent["label"] for ent in shown["ents"]}
    assert all(0 <= ent["start"] < ent["end"] <= len(shown["text"]) for ent in shown["ents"])
