"""Subthemes -> the categories of another classification, such as KO41a's subjects; from data."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from complaintnlp.counting.tagged import Counted
from complaintnlp.errors import InputError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Crosswalk:
    """From subthemes to the categories of one classification.

    Attributes:
        name: of the classification.
        categories: the label of each category id, in the order of tables.
        subthemes: the category of each subtheme.
        unassigned: the category of cases that raise a theme and no subtheme that has a category.
    """

    name: str
    categories: Mapping[str, str]
    subthemes: Mapping[str, str]
    unassigned: str

    def __post_init__(self) -> None:
        unknown = sorted({self.unassigned, *self.subthemes.values()} - set(self.categories))
        if unknown:
            raise InputError(f"crosswalk {self.name}: {unknown[0]!r} is not among its categories; add it there")


def read_crosswalk(path: str | Path | None = None) -> dict[str, Crosswalk]:
    """The crosswalks of a file, by name; the package's own `crosswalk.toml` where no path is given.

    Raises:
        InputError: when the file can't be read or is no crosswalk.
    """
    source = resources.files("complaintnlp").joinpath("crosswalk.toml") if path is None else Path(path)
    try:
        data = tomllib.loads(source.read_text("utf-8"))
        return {
            name: Crosswalk(name, dict(one["categories"]), dict(one["subthemes"]), str(one["unassigned"]))
            for name, one in data.items()
        }
    except OSError:
        raise InputError(f"{path}: there is no such crosswalk file that can be read") from None
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path}: not a crosswalk ({type(error).__name__}); it needs, for each, unassigned, categories, subthemes"
        ) from None


def find_crosswalk(crosswalk: str | Crosswalk | Mapping[str, Any]) -> Crosswalk:
    """A crosswalk itself, the one whose fields a mapping holds, or the package's of that name."""
    if isinstance(crosswalk, Crosswalk):
        return crosswalk
    if isinstance(crosswalk, Mapping):
        return Crosswalk(**crosswalk)
    known = read_crosswalk()
    if crosswalk not in known:
        raise InputError(f"crosswalk {crosswalk!r} is not known; choose one of {', '.join(known)}, or read your own")
    return known[crosswalk]


def cross(counted: Counted, crosswalk: Crosswalk) -> Counted:
    """The same cases with categories for themes: a case counts once in each, however many subthemes led there.

    Raises:
        InputError: when the cases have no subthemes.
    """
    if not counted.subthemes:
        raise InputError(
            f"{crosswalk.name} is counted from subthemes, and the cases have none; tag them with a model that writes a "
            "`subthemes` column"
        )
    own = {f"p_{label}" for label in (*counted.themes, *counted.subthemes)}
    flags = {}
    for category in crosswalk.categories:
        led = [f"p_{name}" for name in counted.subthemes if crosswalk.subthemes.get(name) == category]
        flags[category] = counted.cases[led].to_numpy(bool).any(axis=1)
    mapped = np.any([*flags.values()], axis=0)
    themed = counted.cases[["p_" + theme for theme in counted.themes]].to_numpy(bool).any(axis=1)
    flags[crosswalk.unassigned] |= themed & ~mapped
    kept = counted.cases[[name for name in counted.cases.columns if name not in own]]
    columns = pd.DataFrame({f"p_{category}": flag for category, flag in flags.items()}, index=kept.index)
    return Counted(pd.concat([kept, columns], axis=1), tuple(flags))
