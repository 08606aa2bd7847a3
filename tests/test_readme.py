"""The README's commands, run as they stand (its Python is run as doctest)."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from complaintnlp.cli import _parser, main
from tests.conftest import ROOT

COMMANDS = [
    shlex.split(line)
    for block in re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    for line in block.splitlines()
]


def test_every_make_target_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = [command[1] for command in COMMANDS if command[0] == "make"]
    assert len(targets) == 5
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c[0] == "complaintnlp"], ids=" ".join)
def test_every_command_is_understood(command: list[str]) -> None:
    assert _parser().parse_args(command[1:])


def test_the_commands_on_what_comes_with_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    ours = [c[1:] for c in COMMANDS if c[0] == "complaintnlp" and c[1] in ("classify", "report", "evaluate", "show")]
    assert [main(command) for command in ours] == [0] * 5
    assert (tmp_path / "report" / "report.html").is_file()
