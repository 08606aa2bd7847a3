from __future__ import annotations

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

import complaintnlp.language  # registers the components
from complaintnlp.language.sentences import LONGEST


def sentences(text: str) -> list[str]:
    nlp = spacy.blank("en")
    nlp.add_pipe("complaintnlp_sentences_v1")
    return [sent.text.strip() for sent in nlp(text).sents]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She fell. Nobody came! Why?", ["She fell.", "Nobody came!", "Why?"]),
        ("Mr. Lowe rang Dr. Pye. No answer.", ["Mr. Lowe rang Dr. Pye.", "No answer."]),
        ('He said "No." Then he left.', ['He said "No."', "Then he left."]),
        ("First line\nSecond Line", ["First line", "Second Line"]),
        ("a line that was\nwrapped by the mailer", ["a line that was\nwrapped by the mailer"]),
        ("One\n\ntwo", ["One", "two"]),
        ("- one\n- two", ["- one", "- two"]),
        ("ref no. 12 was lost", ["ref no. 12 was lost"]),
        ("He said no. Then he left.", ["He said no.", "Then he left."]),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_text_without_stops_is_broken_up() -> None:
    found = sentences("they said it was fine and then it was not " * 60)
    assert len(found) > 3
    assert max(len(sentence.split()) for sentence in found) <= LONGEST + 12


@given(st.text(st.sampled_from("ab .!?\n\"'-,A•"), max_size=80))
def test_every_token_is_in_one_sentence(text: str) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("complaintnlp_sentences_v1")
    doc = nlp(text)
    assert sum(len(sent) for sent in doc.sents) == len(doc)


def test_registered() -> None:
    assert complaintnlp.language.make_language(["sentences"]).pipe_names == ["sentences"]
