"""The taxonomy: which themes and subthemes there are, read from data."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Theme:
    """A theme, or a subtheme under one.

    Attributes:
        id: the name used in files and columns, such as `care_failure`.
        label: the name for people.
        definition: what it covers, in a sentence.
        includes, excludes: where the line runs, for themes.
        examples: sentences that raise it, written for the taxonomy.
        subthemes: the finer kinds under it; none under a subtheme.
    """

    id: str
    label: str
    definition: str = ""
    includes: str = ""
    excludes: str = ""
    examples: tuple[str, ...] = ()
    subthemes: tuple[Theme, ...] = ()


@dataclass(frozen=True)
class Taxonomy:
    """An ordered set of themes; the order is that of every tuple and column of themes.

    Attributes:
        name, version: which taxonomy this is.
        themes: the top-level themes, each with its subthemes.
    """

    name: str
    version: str
    themes: tuple[Theme, ...]

    def __post_init__(self) -> None:
        ids = [theme.id for theme in self.themes]
        ids += [subtheme.id for theme in self.themes for subtheme in theme.subthemes]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if not self.themes:
            raise ValueError("taxonomy: there are no themes; give at least one [[theme]] with an id")
        if twice:
            raise ValueError(f"taxonomy: the id {twice[0]!r} stands twice; ids of themes and subthemes are unique")
        for identifier in ids:
            if identifier in ("all", "none"):
                raise ValueError(
                    f"taxonomy: {identifier!r} can't be an id; it stands for all cases, or those without a theme"
                )
            if not identifier or any(mark in identifier for mark in ";,|\n\r\t") or identifier != identifier.strip():
                raise ValueError(f"taxonomy: the id {identifier!r} must have no ; , | tab, line break or outer space")

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the top-level themes, in order."""
        return tuple(theme.id for theme in self.themes)

    @property
    def subtheme_ids(self) -> tuple[str, ...]:
        """The ids of all subthemes, in order."""
        return tuple(subtheme.id for theme in self.themes for subtheme in theme.subthemes)

    @property
    def label_ids(self) -> tuple[str, ...]:
        """The ids of the themes, then those of the subthemes: all that a model predicts."""
        return self.ids + self.subtheme_ids

    @property
    def subtheme_places(self) -> tuple[slice, ...]:
        """For each theme, the places of its subthemes in `subtheme_ids`."""
        ends = list(accumulate((len(theme.subthemes) for theme in self.themes), initial=0))
        return tuple(slice(first, last) for first, last in pairwise(ends))

    def __getitem__(self, identifier: str) -> Theme:
        for theme in self.themes:
            if theme.id == identifier:
                return theme
            for subtheme in theme.subthemes:
                if subtheme.id == identifier:
                    return subtheme
        raise KeyError(identifier)

    @classmethod
    @cache
    def default(cls) -> Taxonomy:
        """The taxonomy of the package: investigation quality, care failure, communication."""
        return cls.from_toml(resources.files("complaintnlp").joinpath("taxonomy.toml").read_text("utf-8"))

    @classmethod
    def read(cls, path: str | Path) -> Taxonomy:
        """Read a taxonomy file; see the package's own `taxonomy.toml` for the shape.

        Raises:
            ValueError: when the file is not TOML or is not a taxonomy; says what is wrong.
        """
        try:
            return cls.from_toml(Path(path).read_text("utf-8"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: not a taxonomy ({error})") from None

    @classmethod
    def from_toml(cls, text: str) -> Taxonomy:
        """The taxonomy that a TOML text describes."""
        data = tomllib.loads(text)
        return cls(str(data["name"]), str(data["version"]), _themes(data["theme"]))

    @classmethod
    def from_ids(cls, ids: Iterable[str], name: str = "custom", version: str = "1") -> Taxonomy:
        """A flat taxonomy of bare ids, for labels that come without definitions."""
        return cls(name, version, tuple(Theme(i, i.replace("_", " ").capitalize()) for i in ids))

    def to_toml(self) -> str:
        """The TOML text that `from_toml` reads back to an equal taxonomy."""
        lines = [f"name = {_quote(self.name)}", f"version = {_quote(self.version)}"]
        for theme in self.themes:
            lines += ["", "[[theme]]", *_fields(theme)]
            for subtheme in theme.subthemes:
                lines += ["", "[[theme.subtheme]]", *_fields(subtheme)]
        return "\n".join(lines) + "\n"


def _themes(rows: Iterable[Mapping[str, Any]]) -> tuple[Theme, ...]:
    return tuple(
        Theme(
            id=str(row["id"]),
            label=str(row.get("label", row["id"])),
            definition=str(row.get("definition", "")),
            includes=str(row.get("includes", "")),
            excludes=str(row.get("excludes", "")),
            examples=tuple(map(str, row.get("examples", ()))),
            subthemes=_themes(row.get("subtheme", ())),
        )
        for row in rows
    )


def _fields(theme: Theme) -> list[str]:
    texts = ("id", "label", "definition", "includes", "excludes")
    lines = [f"{name} = {_quote(getattr(theme, name))}" for name in texts if getattr(theme, name)]
    if theme.examples:
        lines.append(f"examples = [{', '.join(map(_quote, theme.examples))}]")
    return lines


def _quote(text: str) -> str:
    # JSON's string escapes are all valid in a TOML basic string, once DEL is escaped too.
    import json

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
