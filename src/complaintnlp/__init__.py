"""Reads healthcare complaint narratives and says which failings they raise."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from complaintnlp.cases import read_cases
    from complaintnlp.classify import classify_cases
    from complaintnlp.counting import count_themes
    from complaintnlp.evaluation import evaluate
    from complaintnlp.model import Model, load
    from complaintnlp.report import write_report
    from complaintnlp.retraining import retrain
    from complaintnlp.taxonomy import Taxonomy
    from complaintnlp.training import train

__all__ = [
    "Model",
    "Taxonomy",
    "classify_cases",
    "count_themes",
    "evaluate",
    "load",
    "read_cases",
    "retrain",
    "train",
    "write_report",
]

# Imported when first asked for: spaCy and scikit-learn take a second, and `--help` needs neither.
_HOMES = {
    "Model": "model",
    "Taxonomy": "taxonomy",
    "classify_cases": "classify",
    "count_themes": "counting",
    "evaluate": "evaluation",
    "load": "model",
    "read_cases": "cases",
    "retrain": "retraining",
    "train": "training",
    "write_report": "report",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'complaintnlp' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"complaintnlp.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
