from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

import build_default_model
from build_default_model import CARD, GAP, SIDE, diagram
from complaintnlp.model import Model
from complaintnlp.reliability import Bin, Reliability, as_markdown

SVG = "{http://www.w3.org/2000/svg}"


def test_the_diagram_stands_alone_and_shows_every_bin() -> None:
    found = Reliability((Bin(10, 0.1, 1), Bin(10, 0.9, 10)))
    drawn = diagram({"care & <failure>": found, "communication": found})
    root = ET.fromstring(drawn)
    circles = [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in root.iter(f"{SVG}circle")]
    assert len(circles) == 4
    assert circles[0] == pytest.approx((GAP + 0.1 * SIDE, GAP + 0.9 * SIDE))
    assert circles[1] == pytest.approx((GAP + 0.9 * SIDE, GAP))
    assert any((text.text or "").startswith("care & <failure>, error 0.05") for text in root.iter(f"{SVG}text"))
    assert "href" not in drawn
    assert drawn.count("http") == 1  # the namespace


def test_the_card_has_its_figures(toy: Model) -> None:
    text = CARD.format(name="a", version="1", cases=48, table="the table", reliability=as_markdown(toy.facts))
    assert "status `review`" in text
    assert "the table" in text
    assert build_default_model.ROOT.joinpath("docs").is_dir()
