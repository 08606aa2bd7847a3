from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from complaintnlp.cases import RowProblem
from complaintnlp.errors import InputError
from complaintnlp.labelled import read_labelled
from complaintnlp.taxonomy import Taxonomy

Write = Callable[[str, "str | bytes"], Path]


@pytest.mark.parametrize(
    "themes",
    [
        "care_failure; communication",
        "communication,care_failure",
        "Care failure|Communication",
        ["communication", "care_failure"],
        "medication; staff_attitude",
    ],
)
def test_a_column_of_themes(themes: Any) -> None:
    cases = read_labelled([{"text": "a", "themes": themes}, {"text": "b", "themes": None}], Taxonomy.default())
    assert cases.labels.tolist() == [[0, 1, 1], [0, 0, 0]]


def test_one_column_a_theme_by_id_or_label() -> None:
    rows = [
        {"text": "a", "care_failure": 1, "Communication": "yes"},
        {"text": "b", "care_failure": "0", "Communication": ""},
    ]
    assert read_labelled(rows, Taxonomy.default()).labels.tolist() == [[0, 1, 1], [0, 0, 0]]


def test_themes_of_the_user_s_own_are_found() -> None:
    rows = [
        {"text": "a", "Being kept informed, clarity": "1", "Parking": "", "Rare": "", "Ward": "7"},
        {"text": "b", "Being kept informed, clarity": "", "Parking": "1", "Rare": "1", "Ward": "8"},
        {"text": "c", "Being kept informed, clarity": "1", "Parking": "1", "Rare": "", "Ward": "9"},
    ]
    cases = read_labelled(rows, min_cases=2)
    assert cases.taxonomy.ids == ("being_kept_informed_clarity", "parking")
    assert cases.taxonomy["parking"].label == "Parking"
    assert cases.labels.tolist() == [[1, 0], [0, 1], [1, 1]]
    assert read_labelled(rows, drop=["Parking"]).taxonomy.ids == ("being_kept_informed_clarity", "rare")
    assert read_labelled(rows, themes=["Parking"]).taxonomy.ids == ("parking",)


def test_our_own_themes_are_recognised() -> None:
    assert read_labelled([{"text": "a", "themes": "communication"}]).taxonomy == Taxonomy.default()


def test_tools_json(write: Write) -> None:
    studio = [
        {
            "id": 5,
            "data": {"text": "They were rude."},
            "annotations": [
                {
                    "result": [
                        {"type": "choices", "value": {"choices": ["communication"]}},
                        {"type": "labels", "value": {"start": 0, "end": 14, "labels": ["communication"]}},
                    ]
                }
            ],
        },
        {"id": 6, "data": {"text": "Thanks."}, "annotations": [{"result": []}]},
    ]
    prodigy = [
        {
            "text": "They were rude.",
            "options": [{"id": "communication"}],
            "accept": ["communication"],
            "answer": "accept",
        },
        {"text": "Skipped.", "options": [{"id": "communication"}], "accept": [], "answer": "ignore"},
        {"text": "Thanks.", "options": [{"id": "communication"}], "accept": [], "answer": "accept"},
    ]
    doccano = [
        {"id": 5, "text": "They were rude.", "label": [[0, 14, "communication"]]},
        {"id": 6, "text": "Thanks.", "label": []},
    ]
    exports: dict[str, list[Any]] = {"studio": studio, "prodigy": prodigy, "doccano": doccano}
    for name, rows in exports.items():
        ending = "json" if name == "studio" else "jsonl"
        content = json.dumps(rows) if ending == "json" else "\n".join(json.dumps(row) for row in rows)
        cases = read_labelled(write(f"{name}.{ending}", content), Taxonomy.default())
        assert cases.texts == ["They were rude.", "Thanks."], name
        assert cases.labels.tolist() == [[0, 0, 1], [0, 0, 0]], name
        if name != "prodigy":
            assert cases.spans[0] == ((0, 14, "communication", "", ""),), name


def test_subthemes_are_known_where_they_are_named() -> None:
    taxonomy = Taxonomy.default()
    rows = [
        {"text": "a", "themes": "care_failure", "subthemes": "medication; staff_attitude"},
        {"text": "b", "themes": "communication", "subthemes": ""},
    ]
    cases = read_labelled(rows, taxonomy)
    assert cases.labels.tolist() == [[0, 1, 1], [0, 0, 1]]
    named = dict(zip(taxonomy.subtheme_ids, cases.details.T.tolist(), strict=True))
    assert named["medication"] == [1, 0]
    assert named["record_keeping"] == [0, 0]
    assert named["staff_attitude"] == [1, -1]
    assert named["listening"] == [0, -1]
    flags = [{"text": "a", "Medication": 1, "staff_attitude": 1}, {"text": "b", "Medication": 0, "staff_attitude": 0}]
    assert read_labelled(flags, taxonomy).labels.tolist() == [[0, 1, 1], [0, 0, 0]]


def test_rows_without_text_are_left_out_and_told() -> None:
    problems: list[RowProblem] = []
    cases = read_labelled(
        [{"text": "", "themes": "communication"}, {"text": "b", "themes": ""}], Taxonomy.default(), problems=problems
    )
    assert len(cases) == 1
    assert problems[0].row == 2


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"text": "a"}], "no labels"),
        ([{"text": "a", "themes": "parking"}], "row 2, column 'themes': a theme that is not in the taxonomy"),
        ([{"themes": "communication", "colour": "red"}], "can't tell which column holds the text"),
    ],
)
def test_what_can_not_be_used_is_said(rows: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_labelled(rows, Taxonomy.default())
