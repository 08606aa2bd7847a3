"""Named disclosure-control policies: what may be published of a small count.

A policy turns every count into the count that may be shown, or into a symbol. Everything else (shares,
intervals, charts) is computed from the counts that it lets through, never from the true ones, so that
nothing beside a suppressed count gives it away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from complaintnlp.errors import InputError


@dataclass(frozen=True)
class Policy:
    """How counts are shown.

    Attributes:
        name: what callers ask for.
        description: what a reader of the table is told.
        suppress_to: counts from 1 to this are not shown; 0 suppresses none.
        zero_shown: whether a count of 0 is shown.
        round_to: other counts are rounded to the nearest multiple of this.
        secondary: whether counts are hidden too that would give a suppressed one away (`suppress.protect`).
        quotes: whether passages of single cases may be printed beside the counts.
    """

    name: str
    description: str
    suppress_to: int = 0
    zero_shown: bool = True
    round_to: int = 1
    secondary: bool = False
    quotes: bool = False

    @property
    def exact(self) -> bool:
        """Whether every count is shown as it is."""
        return not self.suppress_to and self.zero_shown and self.round_to == 1

    def show(self, count: int) -> int | None:
        """The count as it may be shown, or None where it is suppressed."""
        if count < 0:
            raise ValueError(f"a count can't be negative, found {count}")
        if count == 0:
            return 0 if self.zero_shown else None
        if count <= self.suppress_to:
            return None
        # Half rounds up, as hand-rounding does; Python's round() would go to the even multiple.
        return (2 * count + self.round_to) // (2 * self.round_to) * self.round_to

    def range(self, shown: int | None) -> tuple[int, float]:
        """The least and the most that a count can be which is shown so; of None, if its size alone suppressed it."""
        if shown is None:
            return int(self.zero_shown), self.suppress_to
        below, above = self.round_to // 2, (self.round_to - 1) // 2
        if shown == 0:
            return 0, 0 if above <= self.suppress_to else above
        return max(shown - below, self.suppress_to + 1), shown + above


SUPPRESSED = "[c]"
"""Confidential, in the symbols of the Government Analysis Function."""

POLICIES: Mapping[str, Policy] = MappingProxyType(
    {
        policy.name: policy
        for policy in (
            Policy("none", "Counts are exact: for internal use, not for publication.", quotes=True),
            Policy(
                "nhs_hes",
                "Counts of 1 to 7 are suppressed and shown as [c], and with them other counts from which they would "
                "follow; all others are rounded to the nearest 5. "
                "Shares, rates and intervals are computed from the rounded counts.",
                suppress_to=7,
                round_to=5,
                secondary=True,
            ),
            Policy(
                "under5",
                "Counts of 0 to 4 are suppressed and shown as [c], and with them other counts from which they would "
                "follow; all others are exact.",
                suppress_to=4,
                zero_shown=False,
                secondary=True,
            ),
            Policy(
                "opensafely",
                "Counts of 0 to 7 are suppressed and shown as [c], and with them other counts from which they would "
                "follow; all others are rounded to the nearest 5. "
                "Shares, rates and intervals are computed from the rounded counts.",
                suppress_to=7,
                zero_shown=False,
                round_to=5,
                secondary=True,
            ),
        )
    }
)


def policy(name: str) -> Policy:
    """The policy of that name.

    Raises:
        InputError: for a name that is not there; lists those that are.
    """
    if name not in POLICIES:
        raise InputError(f"disclosure policy {name!r} is not known; choose one of {', '.join(POLICIES)}")
    return POLICIES[name]
