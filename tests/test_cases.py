from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import datasets
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import complaintnlp as cn
from complaintnlp.cases import InputWarning, RowProblem, financial_year, find_roles, parse_date, parse_outcome
from complaintnlp.errors import InputError

Write = Callable[[str, "str | bytes"], Path]
ROWS = [
    {"Reference": "0012", "Description": "They never rang.", "Date received": "03/04/2017", "Trust": "A"},
    {"Reference": "0013", "Description": "None", "Date received": "31/03/2017", "Trust": "B"},
]


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet", "xlsx", "frame", "table", "dataset", "rows"])
def test_every_kind_of_source_gives_the_same_cases(tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame(ROWS)
    path = tmp_path / f"export.{ending}"
    source: object = path
    if ending in ("csv", "tsv"):
        frame.to_csv(path, index=False, sep="\t" if ending == "tsv" else ",")
    elif ending == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif ending == "parquet":
        frame.to_parquet(path)
    elif ending == "xlsx":
        frame.to_excel(path, index=False)
    elif ending == "frame":
        source = frame
    elif ending == "table":
        source = pa.Table.from_pylist(ROWS)
    elif ending == "dataset":
        source = datasets.Dataset.from_list(ROWS)
    else:
        source = iter(ROWS)
    cases = cn.read_cases(source)
    assert isinstance(cases, datasets.Dataset)
    assert cases["case_id"][:] == ["0012", "0013"]
    assert cases["text"][:] == ["They never rang.", "None"]
    assert cases["Reference"][:] == ["0012", "0013"]
    assert cases["received"][:] == [datetime.date(2017, 4, 3), datetime.date(2017, 3, 31)]
    assert cases["financial_year"][:] == ["2017-18", "2016-17"]
    assert cases["organisation"][:] == ["A", "B"]


@pytest.mark.parametrize(
    ("encoding", "bom"), [("utf-8", b""), ("utf-8-sig", b""), ("utf-16", b""), ("utf-16-le", b""), ("cp1252", b"")]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters(write: Write, encoding: str, bom: bytes, delimiter: str) -> None:
    text = delimiter.join(["Ref", "Complaint details"]) + "\r\n" + delimiter.join(["007", '"It’s £5,\nhe said ""no"""'])
    cases = cn.read_cases(write("export.csv", bom + text.encode(encoding)))
    assert cases["case_id"][:] == ["007"]
    assert cases["text"][:] == ['It’s £5,\nhe said "no"']


def test_bytes_that_cp1252_leaves_open_cost_no_row(write: Write) -> None:
    cases = cn.read_cases(write("export.csv", b"id,text\n1,caf\xe9 \x9d there\n2,fine\n"))
    assert len(cases) == 2


@pytest.mark.parametrize(
    ("header", "role"),
    [
        ("Event ID", "case_id"),
        ("What happened?", "text"),
        ("Incident/Complaint Number", "case_id"),
        ("First received", "received"),
        ("DESCRIPTION", "text"),
        ("Outcome code", "outcome"),
        ("Location (exact)", "organisation"),
    ],
)
def test_usual_headers_are_found(header: str, role: str) -> None:
    assert find_roles([header], {}, required=())[role] == header


def test_a_missing_column_lists_those_that_are_there(write: Write) -> None:
    path = write("export.csv", "colour,size\nred,4\n")
    with pytest.raises(InputError, match=r"can't tell which column holds the text.*--text.*'colour', 'size'"):
        cn.read_cases(path)
    with pytest.raises(InputError, match=r"no column 'Narrative'.*'colour', 'size'"):
        cn.read_cases(path, text="Narrative")


def test_a_chosen_column_may_not_hide_another_of_the_role_s_name() -> None:
    with pytest.raises(InputError, match="rename"):
        cn.read_cases([{"text": "a", "Story": "b"}], text="Story")


def test_problem_rows_are_told_and_kept(write: Write) -> None:
    path = write(
        "export.csv",
        "Ref,Description,Date received\n1,Fine,01/02/2017\n1,Again,never\n,Blank id,\n4,,45000\n5,a,b,c\n6\n",
    )
    problems: list[RowProblem] = []
    cases = cn.read_cases(path, problems=problems)
    assert len(cases) == 6
    told = {(problem.row, problem.column) for problem in problems}
    assert {
        (3, "Ref"),
        (3, "Date received"),
        (4, "Ref"),
        (5, "Description"),
        (6, ""),
        (7, ""),
        (7, "Description"),
    } <= told
    assert cases["Date received"][4] == "b,c"
    assert all("Again" not in str(problem) for problem in problems)
    with pytest.warns(InputWarning, match="row 3"):
        cn.read_cases(path)


def test_a_column_called_like_a_role_is_left_as_it_is() -> None:
    cases = cn.read_cases([{"text": "a", "outcome": "Partially upheld", "received": "1/4/2016"}])
    assert cases["outcome"][:] == ["Partially upheld"]
    assert cases["received"][:] == ["1/4/2016"]
    assert cases["financial_year"][:] == ["2016-17"]


def test_a_frame_with_mixed_types_loses_nothing() -> None:
    frame = pd.DataFrame({"text": ["a", "b"], "id": ["x1", 12]})
    assert cn.read_cases(frame)["case_id"][:] == ["x1", "12"]


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("03/04/2017", datetime.date(2017, 4, 3)),
        ("3.4.17", datetime.date(2017, 4, 3)),
        ("3rd April 2017", datetime.date(2017, 4, 3)),
        ("2017-04-03 10:31:00", datetime.date(2017, 4, 3)),
        ("2017-04-03T10:31", datetime.date(2017, 4, 3)),
        ("42828", datetime.date(2017, 4, 3)),
        ("42828.5", datetime.date(2017, 4, 3)),
        ("03-Apr-17", datetime.date(2017, 4, 3)),
        (datetime.datetime(2017, 4, 3, 9), datetime.date(2017, 4, 3)),
        ("13/13/2017", None),
        ("soon", None),
        (None, None),
    ],
)
def test_dates(cell: object, day: datetime.date | None) -> None:
    assert parse_date(cell) == day


@given(st.dates(datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)))
def test_a_written_day_is_read_back(day: datetime.date) -> None:
    assert parse_date(day.strftime("%d/%m/%Y")) == day
    assert parse_date(day.isoformat()) == day
    year = financial_year(day)
    assert year is not None
    start = int(year[:4])
    assert datetime.date(start, 4, 1) <= day <= datetime.date(start + 1, 3, 31)
    assert year[5:] == f"{(start + 1) % 100:02d}"


@pytest.mark.parametrize(
    ("cell", "outcome"),
    [
        ("Upheld", "upheld"),
        ("PARTIALLY UPHELD", "partly_upheld"),
        ("Not upheld ", "not_upheld"),
        ("", None),
        (None, None),
        ("Referred to coroner", "Referred to coroner"),
    ],
)
def test_outcomes(cell: str | None, outcome: str | None) -> None:
    assert parse_outcome(cell) == outcome


def test_half_an_emoji_costs_no_row(write: Write) -> None:
    for source in ([{"text": "\ud83d rude"}], pd.DataFrame({"text": ["\ud83d rude"]}, dtype=object)):
        assert cn.read_cases(source)["text"][:] == ["\ufffd rude"]
    assert cn.read_cases(write("x.jsonl", '{"text": "\\ud83d rude"}'))["text"][:] == ["\ufffd rude"]


def test_nothing_table_like_is_refused() -> None:
    with pytest.raises(InputError, match="can't read cases from a int"):
        cn.read_cases(4)
