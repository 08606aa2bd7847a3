"""The corpus keeps its own rules: schema, offsets, no siblings across splits, balance."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
from datasketch import MinHash, MinHashLSH

import corpus_markup
from complaintnlp.corpus import SPLITS, batches, corpus_files
from complaintnlp.taxonomy import Taxonomy
from tests.conftest import ROOT

TAXONOMY = Taxonomy.default()
PARENT = {subtheme.id: theme.id for theme in TAXONOMY.themes for subtheme in theme.subthemes}
ALIKE = 0.5
"""Jaccard similarity of five-character shingles from which two texts are near-duplicates."""


def records() -> list[dict[str, Any]]:
    found = []
    for split in SPLITS:
        for path in corpus_files([split]):
            found += [{**json.loads(line), "split": split} for line in path.read_text("utf-8").splitlines()]
    return found


RECORDS = records()
CHALLENGE = [json.loads(line) for line in (ROOT / "data/challenge.jsonl").read_text("utf-8").splitlines()]


def test_every_batch_is_in_one_split() -> None:
    named = [batch for split in SPLITS for batch in batches()[split]]
    assert len(named) == len(set(named))
    assert {f"{batch}.jsonl" for batch in named} == {p.name for p in (ROOT / "data/corpus").glob("*.jsonl")}


def test_ids_are_unique_and_of_their_batch() -> None:
    ids = [record["case_id"] for record in RECORDS]
    assert len(ids) == len(set(ids))
    assert all(record["case_id"].startswith(record["batch"] + "-") for record in RECORDS)


@pytest.mark.parametrize("batch", sorted({record["batch"] for record in (*RECORDS, *CHALLENGE)}))
def test_schema_and_offsets(batch: str) -> None:
    for record in (record for record in (*RECORDS, *CHALLENGE) if record["batch"] == batch):
        where = record["case_id"]
        assert record["register"] in corpus_markup.REGISTERS, where
        assert record["service"] in corpus_markup.SERVICES, where
        assert record["severity"] in (None, "low", "medium", "high"), where
        assert record["kind"] in ("complaint", "none", "near"), where
        assert (record["kind"] == "complaint") == bool(record["spans"]) == (record["severity"] is not None), where
        for span in record["spans"]:
            assert PARENT[span["subtheme"]] == span["theme"], where
            assert span["finding"] in ("raised", "upheld", "not_upheld"), where
            words = record["text"][span["start"] : span["end"]]
            assert words.strip(), where
            assert words == words.strip(), where
        themes = {span["theme"] for span in record["spans"]}
        assert record["themes"] == [theme for theme in TAXONOMY.ids if theme in themes], where
        assert set(record["subthemes"]) == {span["subtheme"] for span in record["spans"]}, where


def test_markup_goes_there_and_back() -> None:
    for record in RECORDS[::7]:
        (again,) = corpus_markup.encode(corpus_markup.decode(record), record["batch"], TAXONOMY)
        for key in ("text", "spans", "themes", "severity", "outcome", "register", "kind"):
            if key == "spans":
                assert sorted(map(str, again[key])) == sorted(map(str, record[key])), record["case_id"]
            elif key == "text":
                assert again[key] == record[key].strip("\n"), record["case_id"]
            else:
                assert again[key] == record[key], record["case_id"]


def test_no_near_duplicates() -> None:
    index = MinHashLSH(threshold=ALIKE, num_perm=64)
    hashes = {}
    for record in (*RECORDS, *CHALLENGE):
        text = re.sub(r"\W+", " ", record["text"].lower())
        if len(text) < 40:
            continue  # three-word comments may be the same three words
        minhash = MinHash(num_perm=64)
        minhash.update_batch({text[i : i + 5].encode() for i in range(len(text) - 4)})
        hashes[record["case_id"]] = minhash
        index.insert(record["case_id"], minhash)
    pairs = {
        tuple(sorted((one, other)))
        for one, minhash in hashes.items()
        for other in index.query(minhash)
        if one != other and minhash.jaccard(hashes[other]) >= ALIKE
    }
    assert not pairs


def test_balance() -> None:
    for split in SPLITS:
        part = [record for record in RECORDS if record["split"] == split]
        assert len(part) >= 100
        themes = Counter(theme for record in part for theme in record["themes"])
        assert all(themes[theme] >= 0.2 * len(part) for theme in TAXONOMY.ids), (split, themes)
        assert sum(record["kind"] != "complaint" for record in part) >= 0.1 * len(part)
        assert {s for record in part for s in record["subthemes"]} == set(PARENT)
    together = Counter(tuple(record["themes"]) for record in RECORDS)
    assert len(together) == 8
    assert min(together.values()) >= 0.03 * len(RECORDS), together


def test_size_and_shape() -> None:
    """What the data statement promises."""
    registers = Counter(record["register"] for record in RECORDS)
    words = [len(record["text"].split()) for record in RECORDS]
    kinds = Counter(record["kind"] for record in RECORDS)
    assert len(RECORDS) >= 2_000
    assert sum(words) >= 250_000
    assert sum(registers[name] for name in ("letter", "email", "web_form")) >= 700
    assert sum(registers[name] for name in ("call_note", "meeting_note")) >= 200
    assert sum(registers[name] for name in ("advocate_letter", "mp_letter", "solicitor_letter")) >= 150
    assert registers["summary"] >= 300
    assert sum(3 <= count <= 30 for count in words) >= 250
    assert kinds["none"] >= 250
    assert kinds["near"] >= 150
    assert sum(record["service"] == "mental_health" for record in RECORDS) >= 0.33 * len(RECORDS)
    assert sum(count < 40 for count in words) >= 880
    assert sum(count > 200 for count in words) >= 870
    assert min(Counter(s for record in RECORDS for s in record["subthemes"]).values()) >= 60


def test_challenge_has_enough_of_every_kind() -> None:
    kinds = Counter(record["challenge"] for record in CHALLENGE)
    assert len(kinds) == 15
    assert min(kinds.values()) >= 30
    # No kind is passed by always giving one answer.
    for kind in kinds:
        answers = Counter(tuple(record["themes"]) for record in CHALLENGE if record["challenge"] == kind)
        assert max(answers.values()) <= 0.7 * kinds[kind], kind


def test_no_number_or_address_of_anyone_real() -> None:
    for record in (*RECORDS, *CHALLENGE):
        text = record["text"]
        for phone in re.findall(r"(?<!\d)0[1-9]\d{2,4}[ -]?\d{3}[ -]?\d{3,4}(?!\d)", text):
            assert re.match(r"01632 ?960|07700 ?900|0800|0808|0300", phone), record["case_id"]
        for host in re.findall(r"@([\w.-]+\.\w+)", text):
            assert re.search(r"(^|\.)example\.(org|com|net)$|\.example$|nhs\.example", host), (record["case_id"], host)
