"""The one error that callers are meant to catch."""

from __future__ import annotations


class InputError(ValueError):
    """Something that the caller gave can't be used.

    The message is one line: which file, row or column, what was found, what to do. It never holds a
    narrative's words.
    """
