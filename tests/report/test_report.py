from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

from complaintnlp.counting import POLICIES, count_themes
from complaintnlp.errors import InputError
from complaintnlp.report import write_report

Tagged = Callable[..., pd.DataFrame]

FILES = ["counts.csv", "manifest.json", "report.html", "report.xlsx"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def counts(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "counts.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig")


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
    return found


def test_the_folder_is_made_and_holds_four_whole_files(cases: pd.DataFrame, tmp_path: Path) -> None:
    folder = write_report(cases, tmp_path / "a" / "b", by="organisation")
    assert folder == tmp_path / "a" / "b"
    assert sorted(path.name for path in folder.iterdir()) == FILES


def test_the_same_input_gives_the_same_bytes(cases: pd.DataFrame, tmp_path: Path) -> None:
    one = write_report(cases, tmp_path / "one", by=["organisation"], disclosure="nhs_hes")
    two = write_report(pa.Table.from_pandas(cases), tmp_path / "two", by=["organisation"], disclosure="nhs_hes")
    again = contents(write_report(cases, two, by=["organisation"], disclosure="nhs_hes"))
    assert contents(one) == again


def test_the_manifest_says_what_the_report_was_made_from(cases: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "tagged.csv"
    cases.to_csv(path, index=False)
    folder = write_report(path, tmp_path / "out", by=["organisation"], title="Ours")
    found = manifest(folder)
    assert found["models"] == ["default 1.0"]
    assert found["input"] == {
        "kind": "file",
        "name": "tagged.csv",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    assert found["options"] == {"by": ["organisation"], "disclosure": "none", "title": "Ours"}
    files = contents(folder)
    del files["manifest.json"]
    assert found["files"] == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def test_chunks_make_no_difference_to_the_input_and_a_value_does(cases: pd.DataFrame, tmp_path: Path) -> None:
    table = pa.Table.from_pandas(cases, preserve_index=False)
    chunked = pa.concat_tables([table.slice(0, 7), table.slice(7)])
    other = cases.assign(evidence="another")
    hashes = [manifest(write_report(t, tmp_path / str(n)))["input"] for n, t in enumerate((table, chunked, other))]
    assert hashes[0] == hashes[1] != hashes[2]


def test_counts_are_those_of_count_themes(cases: pd.DataFrame, tmp_path: Path) -> None:
    found = counts(write_report(cases, tmp_path, by=["organisation", "financial_year"]))
    assert list(found.columns) == [
        "table", "month", "organisation", "financial_year", "outcome",
        "theme", "measure", "count", "denominator", "value", "low", "high", "low_998", "high_998", "symbol", "signal",
    ]  # fmt: skip
    crossed = found[found["table"] == "organisation; financial_year"]
    expected = count_themes(cases, ["organisation", "financial_year"])
    assert list(crossed["count"]) == [str(count) for count in expected["count"]]
    assert list(crossed["theme"]) == list(expected["theme"])


def test_counts_are_neutral_and_carry_symbols(tagged: Tagged, tmp_path: Path) -> None:
    frame = tagged([("care_failure",)] * 3 + [()] * 20, ward=["=1+1"] * 3 + ["\t@x"] * 20)
    frame = frame.rename(columns={"ward": "+ward"})
    folder = write_report(frame, tmp_path, by=["+ward"], disclosure="nhs_hes")
    assert (folder / "counts.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (folder / "counts.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][1] == "'+ward"
    names = {row[1] for row in rows[1:]}
    assert names == {"", "'=1+1", "'@x"}
    assert ["'+ward", "'=1+1", "", "all", "cases", "[c]", "", "[c]", "", "", "", "", "[c]", ""] in rows


@pytest.mark.parametrize("policy", ["nhs_hes", "opensafely"])
def test_a_suppressed_number_changes_nothing_in_the_folder(tagged: Tagged, tmp_path: Path, policy: str) -> None:
    """Two exports that differ in suppressed numbers alone give the same files, but for the input's sha256."""

    def folder(small: int, empty: int, name: str) -> dict[str, bytes]:
        frame = tagged(
            [("care_failure", "communication")] * small + [("communication",)] * (43 - small) + [()] * 40,
            ward=["North"] * 43 + ["South"] * 40,
            Outcome=["Upheld"] * small + ["Open"] * (83 - small),
            received=["01/05/2016"] * small + ["01/05/2017"] * (83 - small),
        )
        frame.loc[frame.index[-1], "status"] = "review"
        left = frame.iloc[-1:].assign(status="empty")
        frame = pd.concat([frame, *[left.assign(Reference=f"E{n}") for n in range(empty)]])
        return contents(write_report(frame, tmp_path / name, by=["ward"], disclosure=policy))

    one, two = folder(3, 2, "one"), folder(4, 3, "two")
    found = [json.loads(files.pop("manifest.json")) for files in (one, two)]
    assert one == two
    assert found[0].pop("input") != found[1].pop("input")
    assert found[0] == found[1]


@pytest.mark.parametrize("policy", ["nhs_hes", "opensafely"])
def test_true_counts_are_nowhere(tagged: Tagged, tmp_path: Path, policy: str) -> None:
    frame = tagged(
        [("care_failure",)] * 1237 + [("communication",)] * 346 + [("investigation_quality",)] * 4,
        ward=["North"] * 1237 + ["South"] * 350,
        Outcome=["Upheld"] * 678 + ["Not upheld"] * 909,
    )
    folder = write_report(frame, tmp_path, by=["ward"], disclosure=policy)
    for name in ("counts.csv", "report.html"):
        text = (folder / name).read_text("utf-8")
        for number in ("1237", "1,237", "346", "1587", "1,587", "678", "909"):
            assert number not in text, (name, number)
    stated = json.dumps({k: v for k, v in manifest(folder).items() if k not in ("input", "files")})
    assert "1587" not in stated
    book = openpyxl.load_workbook(folder / "report.xlsx")
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    numbers = [cell.value for cell in cells if cell.number_format == "#,##0" and cell.data_type == "n"]
    assert numbers
    assert all(number % 5 == 0 for number in numbers)


def test_rows_left_out_do_not_give_away_a_count(tagged: Tagged, tmp_path: Path) -> None:
    frame = tagged([("care_failure",)] * 40 + [("communication",)] * 30)
    frame.loc[:2, "status"] = "empty"
    found = manifest(write_report(frame, tmp_path, disclosure="under5"))["rows"]
    assert found["by_status"]["empty"] == "[c]"
    assert [found["all"], found["repeats"], *found["by_status"].values()].count("[c]") > 1


def test_all_suppressed(tagged: Tagged, tmp_path: Path) -> None:
    folder = write_report(
        tagged([("care_failure",)] * 5, ward=list("ABCDE")), tmp_path, by=["ward"], disclosure="opensafely"
    )
    found = counts(folder)
    assert set(found["symbol"]) == {"[c]"}
    assert set(found["count"]) == {"[c]"}
    assert 'class="bar"' not in (folder / "report.html").read_text("utf-8")
    rows = manifest(folder)["rows"]
    assert rows["all"] == rows["by_status"]["classified"] == "[c]"


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("count", [0, 1, 30])
def test_every_policy_writes_every_size(tagged: Tagged, tmp_path: Path, policy: str, count: int) -> None:
    frame = tagged([("care_failure",)] * count, ward=["A"] * count, Outcome=["Upheld"] * count)
    folder = write_report(frame, tmp_path, by=["ward"], disclosure=policy)
    # One count in all: every figure is it or 0, and one that is exact would tell the zeros.
    shown = None if policy == "under5" else POLICIES[policy].show(count)
    assert manifest(folder)["rows"]["all"] == ("[c]" if shown is None else shown)


def test_a_file_in_the_way_is_refused(cases: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        write_report(cases, path)
    with pytest.raises(InputError, match="can't be made"):
        write_report(cases, path / "below")
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("by", "disclosure", "message"),
    [(["nowhere"], "none", "can't group by 'nowhere'"), ([], "strict", "'strict' is not known")],
)
def test_bad_options_are_refused_before_anything_is_written(
    cases: pd.DataFrame, tmp_path: Path, by: list[str], disclosure: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        write_report(cases, tmp_path / "out", by=by, disclosure=disclosure)
    assert not (tmp_path / "out").exists()


def test_untagged_cases_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tag them first"):
        write_report(pd.DataFrame({"text": ["x"]}), tmp_path / "out")


def test_a_broken_run_leaves_no_half_file(cases: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import complaintnlp.report as report

    def broken(path: Path, _report: object) -> None:
        path.write_text("half")
        raise OSError("disk full")

    monkeypatch.setitem(report._WRITERS, "counts.csv", broken)
    with pytest.raises(OSError, match="disk full"):
        write_report(cases, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.xlsx"]


@pytest.mark.parametrize("disclosure", sorted(POLICIES))
def test_cases_with_subthemes_findings_and_outcomes_are_reported_under_every_policy(
    cases: pd.DataFrame, tmp_path: Path, disclosure: str
) -> None:
    cases.insert(5, "subthemes", ["medication" if "care_failure" in themes else "" for themes in cases["themes"]])
    cases.insert(6, "findings", ["; ".join(f"{t}: raised" for t in row.split("; ") if t) for row in cases["themes"]])
    table = counts(write_report(cases, tmp_path / "report", by="organisation", disclosure=disclosure))
    overall = table[(table["table"] == "overall") & (table["measure"] == "cases")].set_index("theme")["count"]
    assert overall["medication"] == overall["care_failure"] != ""
    assert "medication" not in set(table[table["table"] == "outcome"]["theme"])
