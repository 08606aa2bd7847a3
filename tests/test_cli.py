from __future__ import annotations

import importlib
import json
import pkgutil
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import complaintnlp
from complaintnlp.cases import as_table
from complaintnlp.cli import main
from complaintnlp.model import Model, save
from tests.conftest import ROOT
from tests.samples import small_cases

Write = Callable[[str, "str | bytes"], Path]
EXPORT = (
    "Reference;Description;Date received;Trust;Outcome\r\n"
    '0012;"They never told us she was moved;\nnobody rang.";01/04/2016;Aberwen;Upheld\r\n'
    "0013;He waited nine hours in pain.;soon;Aberwen;Not upheld\r\n"
    "0014;;02/04/2016;Brackley;\r\n"
    "0015;=Thank you all.;03/04/2017;Brackley;Ongoing\r\n"
)


@pytest.fixture
def model(toy: Model, tmp_path: Path) -> str:
    return str(save(toy, tmp_path / "toy"))


def test_from_export_to_report(write: Write, tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    export = write("export.csv", EXPORT.encode("cp1252"))
    tagged = tmp_path / "tagged.csv"
    assert main(["classify", str(export), "--out", str(tagged), "--model", model]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("4 cases: ")
    assert "row 4, column 'Description': no words" in err
    rows = as_table(tagged).to_pylist()
    assert [row["Reference"] for row in rows] == ["0012", "0013", "0014", "0015"]
    assert rows[3]["Description"] == "'=Thank you all."
    assert rows[0]["themes"] == "communication"
    report = tmp_path / "report"
    assert main(["report", str(tagged), "--out", str(report), "--by", "organisation"]) == 0
    out, err = capsys.readouterr()
    assert {path.name for path in report.iterdir()} == {"report.html", "report.xlsx", "counts.csv", "manifest.json"}
    assert "communication" in out
    assert "Aberwen" in out
    assert str(report) in out
    assert "row 3, column 'Date received': not a date" in err
    manifest = json.loads((report / "manifest.json").read_text("utf-8"))
    assert "toy 9" in json.dumps(manifest)


def test_report_columns_can_be_named(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tagged = write(
        "t.csv",
        "Story,Body,Came in,Verdict,themes,p_a,evidence,status,model\nx,North,1/4/2016,Upheld,a,0.9,x,classified,m 1\n",
    )
    named = ["--organisation", "Body", "--received", "Came in", "--outcome", "Verdict"]
    assert (
        main(["report", str(tagged), "--out", str(tmp_path / "r"), "--by", "organisation", "financial_year", *named])
        == 0
    )
    out = capsys.readouterr().out
    assert "North" in out
    assert "2016-17" in out
    assert "upheld_rate" in (tmp_path / "r" / "counts.csv").read_text("utf-8-sig")


def test_what_a_report_withholds_is_not_printed(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["=N,a"] * 17 + ["S,a"] * 3 + ["W,a"] * 19 + ["W,"] * 6
    tagged = write("t.csv", "+ward,themes,p_a,evidence,status\n" + "".join(f"{row},0.5,x,classified\n" for row in rows))
    command = ["report", str(tagged), "--out", str(tmp_path / "r"), "--by", "+ward", "--disclosure", "under5"]
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    printed = {line.split()[0]: line.split()[1] for line in lines if line[:2] in ("'=", "S ", "W ", "al")}
    # 3 follow from 45 less 17 and 25, so one of these goes too: the smaller.
    assert printed == {"all": "45", "'=N": "[c]", "S": "[c]", "W": "25"}


@pytest.mark.parametrize("ending", ["xlsx", "jsonl", "parquet", "tsv"])
def test_formats_follow_the_ending(write: Write, tmp_path: Path, model: str, ending: str) -> None:
    export = write("export.csv", EXPORT)
    tagged = tmp_path / f"tagged.{ending}"
    assert main(["classify", str(export), "--out", str(tagged), "--model", model, "--raw"]) == 0
    rows = as_table(tagged).to_pylist()
    assert [row["Reference"] for row in rows] == ["0012", "0013", "0014", "0015"]
    assert rows[3]["Description"] == "=Thank you all."


def test_a_text_too_long_costs_nobody_else_s_row(
    write: Write, tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    export = write("export.csv", "id,text\n1,They were rude.\n2," + "x " * 500_000 + "\n3,Thank you.\n")
    assert main(["classify", str(export), "--out", str(tmp_path / "t.csv"), "--model", model]) == 2
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "row 3, column 'text': over 100,000 characters" in err
    assert len(as_table(tmp_path / "t.csv")) == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["classify", "none.csv", "--out", "t.csv"], "no such file"),
        (["classify", ".", "--out", "t.csv"], "is a directory"),
        (["classify", "export.csv", "--out", "t.doc"], "'.doc'"),
        (["classify", "export.csv", "--out", "none/t.csv"], "no folder"),
        (["classify", "export.csv", "--out", "t.csv", "--text", "Story"], "no column 'Story'"),
        (["classify", "export.csv", "--out", "t.csv", "--id", "Story"], "no column 'Story'"),
        (["classify", "export.csv", "--out", "t.csv", "--model", "none"], "no such model folder"),
        (["classify", "empty.csv", "--out", "t.csv"], "empty"),
        (["classify", "photo.csv", "--out", "t.csv"], "zero bytes"),
        (["report", "export.csv", "--out", "report"], "no 'themes' column"),
        (["report", "tagged.csv", "--out", "report", "--by", "ward"], "can't group by 'ward'"),
        (["report", "tagged.csv", "--out", "report", "--disclosure", "secret"], "choose one of"),
        (["report", "tagged.csv", "--out", "tagged.csv"], "is a file"),
        (["train", "export.csv", "--out", "model"], "training takes at least|no labels"),
        (["train", "tagged.csv", "--out", "none/model"], "no folder"),
        (["train", "tagged.csv", "--out", "model", "--taxonomy", "none.toml"], "no such taxonomy"),
        (["train", "tagged.csv", "--out", "model", "--taxonomy", "empty.csv"], "not a taxonomy"),
        (["retrain", "tagged.csv", "--out", "model"], "at least 10"),
        (["evaluate", "export.csv"], "no labels"),
        (["show", "none"], "no such model folder"),
    ],
)
def test_bad_input_is_one_line_with_a_remedy_and_exit_code_2(
    write: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write("export.csv", "id,text\n1,They were rude to Zebediah.\n")
    write(
        "tagged.csv", "id,text,themes,p_communication,evidence,status,model\n1,a,communication,0.9,a,classified,toy 9\n"
    )
    write("empty.csv", "")
    write("photo.csv", b"\x89PNG\r\n\x00\x00\x00\rIHDR\x00")
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1, err
    assert any(part in err for part in says.split("|")), err
    assert "Zebediah" not in err + out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.csv", "export.csv", "photo.csv", "tagged.csv"]


def test_a_defect_of_ours_tells_no_words(
    write: Write, tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("They were rude to Zebediah")

    monkeypatch.setattr("complaintnlp.classify.classify_file", broken)
    export = write("export.csv", "id,text\n1,They were rude to Zebediah.\n")
    assert main(["classify", str(export), "--out", str(tmp_path / "t.csv"), "--model", model]) == 1
    _, err = capsys.readouterr()
    assert "a defect of ours (KeyError at test_cli.py:" in err
    assert "Zebediah" not in err


def test_train_show_and_evaluate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labelled = tmp_path / "labelled.jsonl"
    labelled.write_text("\n".join(json.dumps(row) for row in small_cases()))
    out = tmp_path / "mine"
    assert main(["train", str(labelled), "--out", str(out)]) == 0
    assert "trained on 48 cases" in capsys.readouterr().out
    assert main(["show", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "Model mine 1" in shown
    assert "Reading the 15 % most doubtful texts (status `review`)" in shown
    assert "What a second look finds" in (out / "README.md").read_text("utf-8")
    assert main(["evaluate", str(labelled), "--model", str(out)]) == 0
    told = capsys.readouterr().out
    assert "communication" in told
    assert "review: reading the" in told


def test_the_37_labels_of_real_feedback_are_trained_on_as_they_come(shared_data: Path, tmp_path: Path) -> None:
    lines = (shared_data / "fft_nhs_v6.csv").read_text("utf-8").splitlines(keepends=True)
    part = tmp_path / "feedback.csv"
    part.write_text("".join(lines[:1500]), "utf-8")
    arguments = ["train", str(part), "--out", str(tmp_path / "m"), "--text", "FFT answer", "--min-cases", "20"]
    assert main([*arguments, "--drop", "Not assigned", "Labelling not possible"]) == 0
    ids = complaintnlp.load(tmp_path / "m").taxonomy.ids
    assert "staff_manner_personal_attributes" in ids
    assert "not_assigned" not in ids
    assert len(ids) > 5


def test_real_feedback_goes_through_with_no_row_lost(shared_data: Path, tmp_path: Path, model: str) -> None:
    source, tagged = shared_data / "fft_nhs_v6.csv", tmp_path / "tagged.parquet"
    assert main(["classify", str(source), "--out", str(tagged), "--model", model]) == 0
    before, after = as_table(source), as_table(tagged)
    assert len(after) == len(before) == 7908
    assert after.select(before.column_names).equals(before)


@pytest.mark.parametrize("script", ["classify_export", "report_themes", "retrain_model"])
def test_scripts_are_the_commands(
    script: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [script, "--help"])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(ROOT / "scripts" / f"{script}.py"), run_name="__main__")
    assert stopped.value.code == 0
    assert "example:" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["classify", "report", "train", "retrain", "evaluate", "show"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert f"example: complaintnlp {command}" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    heavy = {"spacy", "sklearn", "numpy", "pandas", "pyarrow"}
    code = f"import sys, complaintnlp.cli; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_python_m_is_the_command() -> None:
    found = subprocess.run([sys.executable, "-m", "complaintnlp", "--help"], capture_output=True, text=True, check=True)
    assert "classify" in found.stdout


def test_every_module_imports_and_the_face_has_ten_names() -> None:
    for module in pkgutil.walk_packages(complaintnlp.__path__, "complaintnlp."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    assert len(complaintnlp.__all__) == 10
    assert all(getattr(complaintnlp, name) for name in complaintnlp.__all__)
    with pytest.raises(AttributeError):
        complaintnlp.nonsense  # noqa: B018
