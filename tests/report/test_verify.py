from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from complaintnlp.cli import main
from complaintnlp.errors import InputError
from complaintnlp.report import write_report
from complaintnlp.report.verify import SAME, verify_report

Tagged = Callable[..., pd.DataFrame]
SECRET = "a sentence that must not be printed"


@pytest.fixture
def tagged_file(cases: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "tagged.csv"
    cases.to_csv(path, index=False)
    return path


@pytest.fixture
def made(tagged_file: Path, tmp_path: Path) -> Path:
    return write_report(
        tagged_file,
        tmp_path / "report",
        by=["organisation", "financial_year"],
        disclosure="under5",
        title="Ours",
        exclude={"Trust": "South"},
        received="Received",
    )


def test_a_report_follows_from_its_cases_whatever_their_file_is_called(
    made: Path, tagged_file: Path, tmp_path: Path
) -> None:
    found = verify_report(made, tagged_file)
    assert found.same
    assert found.notes == ()
    assert found.files == dict.fromkeys(["report.html", "report.xlsx", "counts.csv", "manifest.json"], SAME)
    assert verify_report(made, shutil.copy(tagged_file, tmp_path / "another name.csv")).same


def test_a_report_of_a_table_in_memory_is_verified_from_it(cases: pd.DataFrame, made: Path, tmp_path: Path) -> None:
    folder = write_report(cases, tmp_path / "memory", by="organisation")
    assert verify_report(folder, cases).same
    found = verify_report(made, cases)
    assert not found.same
    assert "made from a file and is made again from a table in memory" in found.notes[0]


def test_other_cases_are_told(cases: pd.DataFrame, made: Path, tagged_file: Path) -> None:
    cases.assign(Outcome="Upheld").to_csv(tagged_file, index=False)
    found = verify_report(made, tagged_file)
    assert not found.same
    assert "others than those that the report was made from" in found.notes[0]


def test_a_file_that_was_changed_or_lost_is_told_apart(made: Path, tagged_file: Path) -> None:
    (made / "counts.csv").write_text("mine", "utf-8")
    (made / "report.html").unlink()
    assert verify_report(made, tagged_file).files == {
        "report.html": "missing",
        "report.xlsx": SAME,
        "counts.csv": "changed since the report was written",
        "manifest.json": SAME,
    }


def test_another_version_and_another_model_s_errors_are_told(made: Path, tagged_file: Path) -> None:
    path = made / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest["complaintnlp"], manifest["errors"] = "0.0.1", "f00d"
    del manifest["libraries"]["scipy"]
    path.write_text(json.dumps(manifest), "utf-8")
    found = verify_report(made, tagged_file)
    assert found.files["manifest.json"] == "not what is made now"
    assert "the errors of another model" in found.notes[0]
    assert "made with complaintnlp 0.0.1" in found.notes[1]
    assert "made with scipy of unknown version" in found.notes[2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("not json", "not a manifest of a report"),
        ("[]", "not a manifest of a report"),
        ({"format": 99}, "format 99"),
        ({"options": {"sauce": "mint"}}, "does not know: sauce"),
        ({"files": {"../../etc/passwd": ""}}, "outside its folder"),
    ],
)
def test_a_manifest_that_can_t_be_followed_is_refused(
    made: Path, tagged_file: Path, change: str | dict[str, object], message: str
) -> None:
    path = made / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    path.write_text(change if isinstance(change, str) else json.dumps({**manifest, **change}), "utf-8")
    with pytest.raises(InputError, match=message):
        verify_report(made, tagged_file)


def test_the_command_says_file_by_file_and_leaves_nothing_behind(
    made: Path, tagged_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    assert main(["report", str(tagged_file), "--verify", str(made)]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        f"{name}: {SAME}" for name in ("report.html", "report.xlsx", "counts.csv", "manifest.json")
    ]
    assert err == ""
    tagged_file.write_text(tagged_file.read_text("utf-8").replace("Not upheld", "Upheld"), "utf-8")
    assert main(["report", str(tagged_file), "--verify", str(made)]) == 2
    out, err = capsys.readouterr()
    assert "counts.csv: not what is made now" in out
    assert "their sha256 differs" in err
    tagged_file.write_text(f"themes\n{SECRET}\n", "utf-8")
    assert main(["report", str(tagged_file), "--verify", str(made)]) == 2
    assert main(["report", str(tagged_file), "--verify", str(tmp_path / "nowhere")]) == 2
    err = capsys.readouterr().err
    assert "manifest.json: can't be read" in err
    assert SECRET not in out + err
    assert list(temporary.iterdir()) == []


def test_options_come_from_the_manifest_alone(
    made: Path, tagged_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--by", "Trust", "--disclosure", "none"]
    assert main(["report", str(tagged_file), "--verify", str(made), *options]) == 2
    assert "leave --by out" in capsys.readouterr().err
