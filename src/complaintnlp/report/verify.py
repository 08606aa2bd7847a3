"""Whether a report follows from the tagged cases that it says it was made from."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from complaintnlp.errors import InputError
from complaintnlp.report import MANIFEST, write_report
from complaintnlp.report.manifest import FORMAT, sha256, written

SAME = "the same to the byte"


@dataclass(frozen=True)
class Verification:
    """What came of making a report again.

    Attributes:
        files: what was found of each file of the report: `SAME`, or how it differs.
        notes: what else differs, and may be why: the input, the model's errors, versions.
    """

    files: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether every file is the same to the byte."""
        return all(found == SAME for found in self.files.values())


def verify_report(folder: str | Path, tagged: Any, *, model: Any = None) -> Verification:
    """Make a report again, as its manifest says, and compare every byte.

    Args:
        folder: what `write_report` wrote.
        tagged: the tagged cases that it was made from.
        model: as it was given to `write_report`, which keeps no path of it.

    Raises:
        InputError: when the folder holds no manifest that can be followed, or as `write_report`.
    """
    folder = Path(folder)
    recorded = _read(folder)
    with TemporaryDirectory(prefix="complaintnlp-verify-") as temporary:
        made = write_report(tagged, temporary, **_options(folder, recorded), model=model)
        manifest = json.loads((made / MANIFEST).read_bytes())
        notes = tuple(_notes(recorded, manifest))
        if _sha256_of_input(manifest) == _sha256_of_input(recorded):
            # The same file by another name is the same input.
            manifest["input"] = recorded["input"]
            (made / MANIFEST).write_bytes(written(manifest))
        hashes = {**recorded["files"], MANIFEST: None}
        return Verification({name: _compared(folder / name, made / name, hashes[name]) for name in hashes}, notes)


def _read(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror}); give the folder of a report") from None
    except ValueError:
        raise InputError(f"{path}: not a manifest of a report") from None
    parts = {"format": int, "input": dict, "options": dict, "files": dict}
    if not isinstance(manifest, dict) or not all(isinstance(manifest.get(n), kind) for n, kind in parts.items()):
        raise InputError(f"{path}: not a manifest of a report")
    if manifest["format"] != FORMAT:
        raise InputError(f"{path}: format {manifest['format']}; this version of complaintnlp verifies format {FORMAT}")
    if any(Path(name).name != name for name in manifest["files"]):
        raise InputError(f"{path}: names files outside its folder")
    return manifest


def _options(folder: Path, recorded: Mapping[str, Any]) -> dict[str, Any]:
    options = dict(recorded["options"])
    unknown = sorted(set(options) - set(inspect.signature(write_report).parameters))
    if unknown:
        raise InputError(f"{folder / MANIFEST}: options that this version does not know: {', '.join(unknown)}")
    return options


def _notes(recorded: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[str]:
    if recorded["input"].get("kind") != manifest["input"]["kind"]:
        yield (
            f"the report was made from {_kind(recorded)} and is made again from {_kind(manifest)}: whether they hold "
            "the same can't be told from the sha256"
        )
    elif _sha256_of_input(recorded) != _sha256_of_input(manifest):
        yield "the tagged cases are others than those that the report was made from: their sha256 differs"
    if recorded.get("errors") != manifest["errors"]:
        yield (
            "shares were corrected for the errors of another model than here; name the model that tagged the "
            "cases, as it was named for the report"
        )
    was = {"complaintnlp": recorded.get("complaintnlp"), **recorded.get("libraries", {})}
    now = {"complaintnlp": manifest["complaintnlp"], **manifest["libraries"]}
    for name, version in now.items():
        if was.get(name) != version:
            yield f"the report was made with {name} {was.get(name, 'of unknown version')}; here is {version}"


def _kind(manifest: Mapping[str, Any]) -> str:
    return "a file" if manifest["input"].get("kind") == "file" else "a table in memory"


def _sha256_of_input(manifest: Mapping[str, Any]) -> Any:
    return manifest["input"].get("sha256")


def _compared(there: Path, made: Path, recorded: str | None) -> str:
    if not there.is_file():
        return "missing"
    if made.is_file() and there.read_bytes() == made.read_bytes():
        return SAME
    if recorded is not None and sha256(there) != recorded:
        return "changed since the report was written"
    return "not what is made now"
