"""The labelled corpus that comes with the package, by split."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from complaintnlp.labelled import Labelled, read_labelled
from complaintnlp.model.folder import shipped
from complaintnlp.taxonomy import Taxonomy

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SPLITS = ("train", "validation", "test")


def corpus_files(splits: Iterable[str] = SPLITS) -> list[Path]:
    """The files of these splits; each writing batch is one file and stands in one split.

    Raises:
        KeyError: for a split that there is not.
    """
    return [shipped("data/corpus") / f"{batch}.jsonl" for split in splits for batch in batches()[split]]


def batches() -> dict[str, list[str]]:
    """The writing batches of each split."""
    return tomllib.loads((shipped("data/corpus") / "splits.toml").read_text("utf-8"))


def read_corpus(splits: Iterable[str] = SPLITS) -> Labelled:
    """The labelled cases of these splits."""
    parts = [read_labelled(path, Taxonomy.default()) for path in corpus_files(splits)]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.joined(part)
    return whole
