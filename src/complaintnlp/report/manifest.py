"""What a report was made from, so that it can be made again to the byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from complaintnlp.counting.disclosure import SUPPRESSED
from complaintnlp.report.notes import left_out
from complaintnlp.report.tables import Report

FORMAT = 1
_BATCH = 10_000


def write_manifest(
    path: Path, report: Report, source: dict[str, str], options: Mapping[str, Any], files: Sequence[Path]
) -> None:
    """Write `manifest.json` to `path`.

    Args:
        path: the file to write.
        report: what was counted.
        source: what `fingerprint` says of the input.
        options: what was asked for: grouping columns, and columns named for a role.
        files: the other files of the report, as they are in the folder.
    """
    manifest = {
        "format": FORMAT,
        "complaintnlp": version("complaintnlp"),
        "models": list(report.models),
        "input": source,
        "options": {**options, "disclosure": report.rules.name, "title": report.title},
        "rows": {
            "all": _shown(report.total),
            "by_status": {status: _shown(rows) for status, rows in report.rows.items()},
            "repeats": _shown(report.repeats),
        },
        "left_out": left_out(report),
        "files": {file.name: _sha256(file) for file in files},
    }
    # No time and no path of this machine: the same input gives the same bytes. ASCII, so that a lone
    # surrogate in a column's name can be written too.
    path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8", newline="\n")


def fingerprint(tagged: Any, table: pa.Table) -> dict[str, str]:
    """What identifies the input: the file's sha256, or that of the table's Arrow IPC messages."""
    if isinstance(tagged, (str, Path)):
        return {"kind": "file", "name": Path(tagged).name, "sha256": _sha256(Path(tagged))}
    # Schema, then batches of a fixed size, so that neither chunks nor pandas' metadata make a difference.
    plain = table.replace_schema_metadata(None).combine_chunks()
    digest = hashlib.sha256(plain.schema.serialize())
    for batch in plain.to_batches(_BATCH):
        digest.update(batch.serialize())
    return {"kind": "arrow", "sha256": digest.hexdigest()}


def _shown(count: int | None) -> int | str:
    return SUPPRESSED if count is None else count


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
