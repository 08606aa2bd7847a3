"""Characters that no file can hold."""

from __future__ import annotations

import re
from typing import Any

_SURROGATES = re.compile("[\ud800-\udfff]")


def mend(value: Any) -> Any:
    """The value with every half of a broken emoji (a lone surrogate), in it or within it, made U+FFFD.

    One character for one, so that offsets into a text stay right.
    """
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATES.sub("\ufffd", value)
    if isinstance(value, dict):
        return {mend(key): mend(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [mend(inner) for inner in value]
    return value
