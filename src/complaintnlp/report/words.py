"""How figures and names from an export are written for people."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from itertools import count
from typing import Any

from complaintnlp.taxonomy import Taxonomy

NBSP = "\N{NO-BREAK SPACE}"
# What XML forbids (control characters, surrogates, non-characters) and what turns the reading direction of
# the text after it: neither has business in the name of an organisation.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


def clean(value: Any) -> str:
    r"""A value from the export as one line of printable text.

    >>> clean(" North\tTrust "), clean(3.0), clean(True)
    ('North Trust', '3', 'Yes')
    """
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, float) and value.is_integer():
        # A column of whole numbers with a blank in it comes as floats.
        value = int(value)
    if isinstance(value, datetime) and not (value.hour or value.minute or value.second):
        value = value.date()
    if isinstance(value, date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", " ".join(str(value).split()))


def short(text: str, length: int) -> str:
    """The text, cut to a length with an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def theme_label(theme: str) -> str:
    """A theme's name for people: from the package's taxonomy, else the id made readable.

    >>> theme_label("care_failure"), theme_label("waiting_times")
    ('Care failure', 'Waiting times')
    """
    try:
        return Taxonomy.default()[theme].label
    except KeyError:
        return heading(theme)


def heading(name: str) -> str:
    """A column's name as a heading.

    >>> heading("financial_year"), heading("Trust")
    ('Financial year', 'Trust')
    """
    text = clean(name.replace("_", " ")) or "Unnamed"
    return text[0].upper() + text[1:]


def inside(label: str) -> str:
    """A label inside a sentence.

    >>> inside("Care failure"), inside("NHS number")
    ('care failure', 'NHS number')
    """
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def unique(names: Iterable[str]) -> list[str]:
    """The names, numbered where one has been before.

    >>> unique(["North", "South", "north"])
    ['North', 'South', 'north (2)']
    """
    # Without case, because the headers of a workbook's table are compared so.
    taken: set[str] = set()
    found = []
    for name in names:
        free = (name if n == 1 else f"{name} ({n})" for n in count(1))
        found.append(next(text for text in free if text.casefold() not in taken))
        taken.add(found[-1].casefold())
    return found


def listed(parts: list[str]) -> str:
    """Parts of a sentence, the last two joined by "and".

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def number(amount: int) -> str:
    """A count with commas between thousands."""
    return f"{amount:,}"


def percent(share: float) -> str:
    """A share in whole per cent; never 0 or 100 where it is not exactly that.

    >>> percent(0.607) == f"61{NBSP}%", percent(0.001) == f"<1{NBSP}%"
    (True, True)
    """
    return _whole(share) + NBSP + "%"


def between(low: float, high: float) -> str:
    """An interval of a share.

    >>> between(0.558, 0.664) == f"56{NBSP}to{NBSP}66"
    True
    """
    return NBSP.join((_whole(low), "to", _whole(high)))


def _whole(share: float) -> str:
    if 0 < share < 0.005:
        return "<1"
    if 0.995 <= share < 1:
        return ">99"
    return str(int(share * 100 + 0.5))
