from __future__ import annotations

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from complaintnlp.language.identifiers import find_identifiers, mask, nhs_number_valid


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("NHS number 943 476 5919 please", "NHS number [nhs_number] please"),
        ("my number is 9434765919.", "my number is [nhs_number]."),
        ("NHS No: 999 123 4567", "NHS No: [nhs_number]"),
        ("NI AB 12 34 56 C", "NI [ni_number]"),
        ("ring 01632 960123 or 07700 900456", "ring [phone] or [phone]"),
        ("+44 (0)1632 960 123 after six", "[phone] after six"),
        ("write to j.o'k@x or jane.doe-2@mail.example.org", "write to j.o'k@x or [email]"),
        ("I live at ZZ9 9ZZ", "I live at [postcode]"),
        ("14 Bobbin Lane, Rossen", "[address], Rossen"),
        ("DOB 3/4/1931 and born on 3 April 1931", "DOB [birth_date] and born on [birth_date]"),
        ("Our ref: PALS/17/0345.", "Our ref: [reference]."),
        ("complaint number C-20391", "complaint number [reference]"),
        ("hospital no. 12345678", "hospital no. [reference]"),
        ("Mrs O'Neill and Dr Patel-Khan", "Mrs [name] and Dr [name]"),
        ("Mr C complained", "Mr [name] complained"),
        ("DR SINGH said", "DR [name] said"),
        ("my husband Colin was", "my husband [name] was"),
        ("My name is Jane Roe and", "My name is [name] and"),
        ("Kind regards,\nJane Roe", "Kind regards,\n[name]"),
        ("Yours sincerely\n\n\nMrs J. M. Roe\nDaughter", "Yours sincerely\n\n\nMrs [name]\nDaughter"),
        ("account 12345678 at the bank", "account [number] at the bank"),
    ],
)
def test_identifiers_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "We waited 11 hours on Ward 7 in 2016, bed 24.",
        "the doctor The nurse sister and",
        "Nurse said no",
        "Dear Sir or Madam",
        "It cost £1200 and took 18 weeks",
        "Dr Manager was not a name here",
        "On 12 March 2017 at 10.30",
        "the s136 suite",
    ],
)
def test_what_identifies_nobody_stays(text: str) -> None:
    assert find_identifiers(text) == []


def test_check_digit() -> None:
    # The example of the NHS Data Dictionary, and it with one digit off.
    assert nhs_number_valid("4505577104")
    assert not nhs_number_valid("4505577105")


@given(st.text(max_size=300))
def test_spans_are_in_order_and_apart(text: str) -> None:
    last = 0
    for _, start, end in find_identifiers(text):
        assert last <= start < end <= len(text)
        last = end


def test_the_component_works_in_a_pipeline_of_one_s_own() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("complaintnlp_identifiers_v1")
    doc = nlp("Dr Lowe, 01632 960777")
    assert [(span.text, span.label_) for span in doc.spans["identifiers"]] == [
        ("Lowe", "name"),
        ("01632 960777", "phone"),
    ]
    assert doc[1].norm_ == "<name>"
    assert doc.text == "Dr Lowe, 01632 960777"
