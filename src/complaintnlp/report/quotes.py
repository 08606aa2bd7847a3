"""Example passages: the sentences that made the model raise a theme, with what identifies a person masked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from complaintnlp.cases import EVIDENCE_JOIN, split_themes
from complaintnlp.counting.disclosure import POLICIES, Policy
from complaintnlp.counting.tagged import COUNTED, blank
from complaintnlp.errors import InputError
from complaintnlp.language.identifiers import find_identifiers, mask
from complaintnlp.report.words import clean, short

_LONGEST = 400
# Of a pasted e-mail: its lines can't be told apart, and the last may be a name.
_MARKUP = re.compile(r"<\s*[/!a-zA-Z]|&#?\w+;")
_NAME_PART = re.compile(r"[^\W\d_]{2,}")


def check_quotes(number: int, rules: Policy) -> None:
    """Say before anything is counted that passages can't be had.

    Raises:
        InputError: for a number below 0, and when the policy forbids passages.
    """
    if number < 0:
        raise InputError(f"can't quote {number} passages; give 0 for none")
    if not rules.quotes:
        allowed = ", ".join(name for name, one in POLICIES.items() if one.quotes)
        raise InputError(
            f"passages of complaints can't be printed under the disclosure policy {rules.name!r}; leave --quotes out, "
            f"or use a policy that allows them: {allowed}"
        )


def passages(table: pa.Table, themes: Sequence[str], number: int) -> dict[str, tuple[str, ...]]:
    """So many passages of each theme, at most: those of the cases where the model was surest of it.

    Args:
        table: tagged rows, with the columns that `with_roles` adds.
        themes: the theme ids.
        number: passages of each theme.

    Raises:
        InputError: when the rows have no `evidence`.
    """
    if "evidence" not in table.column_names:
        raise InputError("there are no passages to quote: the cases have no 'evidence' column")
    needed = {"case_id", "text", "themes", "status", "evidence", *(f"p_{theme}" for theme in themes)}
    found: dict[str, dict[str, tuple[float, Mapping[str, Any]]]] = {theme: {} for theme in themes}
    for row in table.select([name for name in table.column_names if name in needed]).to_pylist():
        raised, pieces = split_themes(row["themes"]), str(row["evidence"] or "").split(EVIDENCE_JOIN)
        # Fewer passages than themes: one stands for two of them, and nothing says which.
        if row["status"] in COUNTED and len(raised) == len(pieces):
            for theme, piece in zip(raised, pieces, strict=True):
                if theme in found and piece.strip() and not _MARKUP.search(piece):
                    # A follow-up that repeats the first letter says the same again.
                    found[theme].setdefault(piece, (_sureness(row, theme), row))
    chosen = {theme: sorted(some.items(), key=lambda item: -item[1][0])[:number] for theme, some in found.items()}
    return {
        theme: tuple(
            short(clean(masked(piece, row.get("text"), row.get("case_id"))), _LONGEST) for piece, (_, row) in s
        )
        for theme, s in chosen.items()
    }


def masked(passage: str, text: Any = None, case_id: Any = None) -> str:
    """The passage with what identifies a person replaced by what it was.

    Args:
        passage: a part of `text`.
        text: the whole narrative; a name that it gives away ("Mrs Okafor") is masked wherever the passage has it.
        case_id: masked as well.

    >>> masked("Ruth waited outside for Ann", "My mother Ruth was ill. Ring me, Mrs Ann Pike, on 01632 960123")
    '[name] waited outside for [name]'
    """
    text = "" if blank(text) else str(text)
    known = {} if blank(case_id) else {str(case_id).strip(): "reference"}
    for label, start, end in find_identifiers(text):
        parts = _NAME_PART.findall(text[start:end]) if label == "name" else [text[start:end]]
        known |= dict.fromkeys(parts, label)
    passage = mask(passage)
    if known:
        longest_first = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
        passage = re.sub(rf"(?<!\w)(?:{longest_first})(?!\w)", lambda match: f"[{known[match[0]]}]", passage)
    return re.sub(r"\[name\](?:[ '’.-]+\[name\])+", "[name]", passage)


def _sureness(row: Mapping[str, Any], theme: str) -> float:
    try:
        return float(row.get(f"p_{theme}") or 0)
    except ValueError:
        return 0.0
