"""What a report was made from, so that it can be made again to the byte."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from complaintnlp.counting.disclosure import SUPPRESSED
from complaintnlp.counting.prevalence import Errors
from complaintnlp.report.notes import left_out
from complaintnlp.report.shapes import Report

FORMAT = 1
_BATCH = 10_000
_LIBRARIES = ("Jinja2", "numpy", "pandas", "pyarrow", "scipy", "XlsxWriter")
"""Those whose version can change a byte of a report."""


def write_manifest(
    path: Path,
    report: Report,
    source: Mapping[str, str],
    options: Mapping[str, Any],
    errors: Mapping[str, Errors] | None,
    files: Sequence[Path],
) -> None:
    """Write `manifest.json` to `path`.

    Args:
        path: the file to write.
        report: what was counted.
        source: what `fingerprint` says of the input.
        options: what `write_report` was asked for, by the names of its parameters.
        errors: of the model, for which shares were corrected.
        files: the other files of the report, as they are in the folder.
    """
    manifest = {
        "format": FORMAT,
        "complaintnlp": version("complaintnlp"),
        "libraries": {**{name: version(name) for name in _LIBRARIES}, "zlib": zlib.ZLIB_RUNTIME_VERSION},
        "models": list(report.models),
        "errors": _digest(errors),
        "input": source,
        "options": {**options, "disclosure": report.rules.name, "title": report.title},
        "rows": {
            "all": _shown(report.total),
            "by_status": {status: _shown(rows) for status, rows in report.rows.items()},
            "repeats": _shown(report.repeats),
        },
        "left_out": left_out(report),
        "files": {file.name: sha256(file) for file in files},
    }
    path.write_bytes(written(manifest))


def written(manifest: Mapping[str, Any]) -> bytes:
    """The bytes of `manifest.json`."""
    # No time and no path of this machine: the same input gives the same bytes. ASCII, so that a lone
    # surrogate in a column's name can be written too.
    return json.dumps(manifest, indent=2).encode("ascii") + b"\n"


def fingerprint(tagged: Any, table: pa.Table) -> dict[str, str]:
    """What identifies the input: the file's sha256, or that of the table's Arrow IPC messages."""
    if isinstance(tagged, (str, Path)):
        return {"kind": "file", "name": Path(tagged).name, "sha256": sha256(Path(tagged))}
    # Schema, then batches of a fixed size, so that neither chunks nor pandas' metadata make a difference.
    plain = table.replace_schema_metadata(None).combine_chunks()
    digest = hashlib.sha256(plain.schema.serialize())
    for batch in plain.to_batches(_BATCH):
        digest.update(batch.serialize())
    return {"kind": "arrow", "sha256": digest.hexdigest()}


def _shown(count: int | None) -> int | str:
    return SUPPRESSED if count is None else count


def _digest(errors: Mapping[str, Errors] | None) -> str | None:
    """What tells one model's errors from another's."""
    if errors is None:
        return None
    plain = {theme: asdict(error) for theme, error in errors.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode("ascii")).hexdigest()


def sha256(path: Path) -> str:
    """The file's sha256, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
