from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaintnlp.cli import main
from complaintnlp.counting import POLICIES
from complaintnlp.errors import InputError
from complaintnlp.report import write_report
from complaintnlp.report.quotes import masked

Tagged = Callable[..., pd.DataFrame]

TEXT = "My mother Ruth Adeyemi was sent home at night. Ruth had no coat. Ring Mr Pike on 01632 960123, ref LK-40112."
HOSTILE = [
    '=HYPERLINK("http://x","y")',
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a\x00b \u202e c",
]


def frame_of(tagged: Tagged, evidence: list[str], **columns: Any) -> pd.DataFrame:
    return tagged([("care_failure",)] * len(evidence), **columns).assign(evidence=evidence)


def page(folder: Path) -> str:
    return (folder / "report.html").read_text("utf-8")


def test_passages_are_printed_only_when_asked_for(tagged: Tagged, tmp_path: Path) -> None:
    frame = frame_of(tagged, ["Nobody came.", "He fell twice.", "Nobody came."])
    assert "Nobody came." not in page(write_report(frame, tmp_path / "without"))
    found = page(write_report(frame, tmp_path / "with", quotes=5))
    assert found.count("Nobody came.") == 1
    assert "He fell twice." in found
    assert "A machine masked names" in found
    assert "must read them before this report leaves" in found


def test_the_workbook_has_them_in_a_table_of_their_own(tagged: Tagged, tmp_path: Path) -> None:
    folder = write_report(frame_of(tagged, ["Nobody came."]), tmp_path, quotes=1)
    sheet = openpyxl.load_workbook(folder / "report.xlsx")["Passages"]
    assert [[cell.value for cell in row] for row in sheet[sheet.tables["passages"].ref]] == [
        ["Theme", "Passage"],
        ["Care failure", "Nobody came."],
    ]


def test_the_surest_come_first_and_no_more_than_asked_for(tagged: Tagged, tmp_path: Path) -> None:
    frame = frame_of(tagged, [f"Passage {n}." for n in range(6)])
    frame["p_care_failure"] = [0.6, "0.9", 0.7, None, "?", 0.8]
    found = page(write_report(frame, tmp_path, quotes=3))
    assert [n for n in range(6) if f"Passage {n}." in found] == [1, 2, 5]
    assert found.index("Passage 1.") < found.index("Passage 5.") < found.index("Passage 2.")


def test_a_passage_goes_to_its_theme_and_to_none_where_that_is_not_plain(tagged: Tagged, tmp_path: Path) -> None:
    frame = tagged([("care_failure", "communication")] * 2)
    frame["evidence"] = ["First of care. | Then of words.", "One for both."]
    found = page(write_report(frame, tmp_path, quotes=9))
    assert "One for both." not in found
    care, words = found.index("<h3>Care failure</h3>"), found.index("<h3>Communication</h3>")
    assert care < found.index("First of care.") < words < found.index("Then of words.")


def test_what_was_left_out_of_the_counts_is_not_quoted(tagged: Tagged, tmp_path: Path) -> None:
    frame = frame_of(tagged, ["Kept.", "Too long.", "Elsewhere."], ward=["N", "N", "S"])
    frame.loc[1, "status"] = "too_long"
    found = page(write_report(frame, tmp_path, quotes=9, only={"ward": "N"}))
    assert "Kept." in found
    assert "Too long." not in found
    assert "Elsewhere." not in found


def test_identifiers_are_masked_in_every_file(tagged: Tagged, tmp_path: Path) -> None:
    evidence = [
        "Ruth had no coat.",
        "Ring Mr Pike on 01632 960123, ref LK-40112.",
        "Case C2 was never read by Pike.",
        "No apology.</div><div>Rhys &amp; Ffion</div>",
    ]
    folder = write_report(frame_of(tagged, evidence, text=[TEXT] * 4), tmp_path, quotes=9)
    book = openpyxl.load_workbook(folder / "report.xlsx")
    written = page(folder) + str([cell.value for sheet in book for row in sheet.iter_rows() for cell in row])
    for secret in ("Ruth", "Pike", "01632", "LK-40112", "C2", "Ffion"):
        assert secret not in written
    assert "[name] had no coat." in written
    assert "Case [reference] was never read by [name]." in written


@given(st.text(max_size=60), st.text(max_size=60), st.one_of(st.none(), st.text(max_size=6)))
def test_whatever_the_text_masking_leaves_nothing_of_the_case_s_id(
    passage: str, text: str, case_id: str | None
) -> None:
    assert isinstance(masked(passage, text, case_id), str)
    assert "Zq81" not in masked(f"{passage} Zq81 {passage}", text, "Zq81").split()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_passages_stay_text(tagged: Tagged, tmp_path: Path, name: str) -> None:
    folder = write_report(frame_of(tagged, [name, "=1+1"]), tmp_path, quotes=3)
    assert "<script" not in page(folder)
    assert "<img" not in page(folder)
    assert not {"\x00", "\u202e"} & set(page(folder))
    sheet = openpyxl.load_workbook(folder / "report.xlsx")["Passages"]
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" and cell.hyperlink is None for cell in cells)
    assert "=1+1" in [cell.value for cell in cells]


@pytest.mark.parametrize("policy", [name for name in POLICIES if name != "none"])
def test_no_policy_for_publication_lets_passages_through(tagged: Tagged, tmp_path: Path, policy: str) -> None:
    assert not POLICIES[policy].quotes
    with pytest.raises(InputError, match=f"can't be printed under the disclosure policy '{policy}'.*allows them: none"):
        write_report(frame_of(tagged, ["Nobody came."]), tmp_path / "out", quotes=1, disclosure=policy)
    assert not (tmp_path / "out").exists()


def test_passages_that_can_t_be_had_are_refused(tagged: Tagged, tmp_path: Path) -> None:
    frame = frame_of(tagged, ["x"])
    with pytest.raises(InputError, match="can't quote -1 passages"):
        write_report(frame, tmp_path, quotes=-1)
    with pytest.raises(InputError, match="no 'evidence' column"):
        write_report(frame.drop(columns="evidence"), tmp_path, quotes=1)


def test_the_command_quotes_and_verifies_what_it_quoted(
    tagged: Tagged, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tagged.csv"
    frame_of(tagged, ["Nobody came."]).to_csv(path, index=False)
    assert main(["report", str(path), "--out", str(tmp_path / "r"), "--quotes", "2"]) == 0
    assert "Nobody came." in page(tmp_path / "r")
    assert main(["report", str(path), "--verify", str(tmp_path / "r")]) == 0
    out, err = capsys.readouterr()
    assert "Nobody came." not in out + err
