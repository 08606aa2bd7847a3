from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import complaintnlp as cn
from complaintnlp.errors import InputError
from complaintnlp.labelled import read_labelled
from complaintnlp.model import Model
from complaintnlp.taxonomy import Taxonomy, Theme
from complaintnlp.training import FOLDS, folds_of, siblings
from tests.samples import RAISING, small_cases


def test_a_toy_learns_its_sentences(toy: Model) -> None:
    for theme, texts in RAISING.items():
        for text in texts:
            assert theme in toy.classify(text)[0].themes


def test_training_twice_gives_the_same(toy: Model) -> None:
    again = cn.train(small_cases(), name="toy", version="9")
    texts = [row["text"] for row in small_cases()]
    assert again.classify(texts) == toy.classify(texts)
    assert again.facts == toy.facts


def test_the_facts_add_up_and_hold_no_text(toy: Model) -> None:
    cases = len(small_cases())
    assert toy.facts["training"]["cases"] == cases
    assert tuple(toy.facts["out_of_fold"]) == toy.taxonomy.label_ids
    for counts in toy.facts["out_of_fold"].values():
        assert counts["true_positives"] + counts["false_negatives"] == counts["cases"]
        parts = ("true_positives", "false_positives", "false_negatives", "true_negatives")
        assert sum(counts[part] for part in parts) <= cases
    known = toy.facts["out_of_fold"]["communication"]
    assert sum(known[part] for part in parts) == cases
    # Nobody named subthemes: where the theme is raised they are not known, elsewhere they are not raised.
    unnamed = toy.facts["out_of_fold"]["listening"]
    assert (unnamed["cases"], unnamed["true_negatives"]) == (0, cases - known["cases"])


def test_subthemes_are_learnt_where_they_are_named() -> None:
    named = {"communication": "staff_attitude", "care_failure": "medication", "investigation_quality": "no_learning"}
    rows = [{**row, "subthemes": [named[t] for t in row["themes"].split("; ") if t]} for row in small_cases()]
    model = cn.train(rows)
    (tagged,) = model.classify(RAISING["care_failure"][1])
    assert list(tagged.subthemes) == list(tagged.themes)
    assert list(tagged.subthemes["care_failure"]) == ["medication"]
    assert model.classify("Thank you")[0].subthemes == {}


def test_any_themes_can_be_learnt() -> None:
    rows = [
        {"text": text, "Food and drink": int(kind == 0), "Staff manner": int(kind == 1), "Never": 0}
        for i in range(8)
        for kind, text in enumerate(
            [f"the soup was cold on day {i}", f"the porter was rude and grumpy {i}", f"a nice view of the garden {i}"]
        )
    ]
    model = cn.train(rows)
    assert model.taxonomy.ids == ("food_and_drink", "staff_manner")
    assert model.classify("the soup was cold")[0].themes == ("food_and_drink",)
    taxonomy = Taxonomy(
        "mine", "2", (Theme("food", "Food and drink"), Theme("never", "Never"), Theme("manner", "Staff manner"))
    )
    model = cn.train(rows, taxonomy=taxonomy)
    assert model.classify("the porter was rude")[0].themes == ("manner",)
    assert model.classify("the porter was rude")[0].probabilities["never"] < 0.01


def test_marked_evidence_teaches_sentences() -> None:
    filler = "The car park was full. It rained. My bus came at ten."
    rows: list[dict[str, Any]] = []
    for i, (bad, theme) in enumerate([(t, k) for k, ts in RAISING.items() for t in ts]):
        text = f"{filler} {bad}. {filler}"
        start = text.index(bad)
        rows.append(
            {
                "case_id": i,
                "text": text,
                "themes": theme,
                "spans": [{"start": start, "end": start + len(bad), "theme": theme}],
            }
        )
        rows.append({"case_id": f"n{i}", "text": filler, "themes": "", "spans": []})
    model = cn.train(rows)
    (tagged,) = model.classify(rows[0]["text"])
    piece = tagged.evidence[0]
    assert rows[0]["text"][piece.start : piece.end] == RAISING["communication"][0] + "."
    assert model.facts["training"]["with_evidence"] == len(rows)


def test_groups_and_siblings_stay_together() -> None:
    long = "one two three four five six seven eight nine ten eleven twelve"
    texts = [f"{long} {i}" for i in range(3)] + [f"text {chr(97 + i) * 3} of its own" for i in range(27)]
    rows = [
        {"text": text, "themes": "communication", "organisation": f"org {i % 10}" if i > 5 else ""}
        for i, text in enumerate(texts)
    ]
    cases = read_labelled(rows, Taxonomy.default())
    folds = folds_of(cases)
    assert set(folds.tolist()) == set(range(FOLDS))
    assert len(set(folds[:3].tolist())) == 1
    for organisation in set(cases.groups) - {""}:
        assert len({folds[i] for i, group in enumerate(cases.groups) if group == organisation}) == 1
    assert len(set(siblings(texts)[:3])) == 1
    assert np.unique(siblings(texts)).size == 28


def test_too_few_texts() -> None:
    with pytest.raises(InputError, match="at least 10"):
        cn.train(small_cases()[:5])
