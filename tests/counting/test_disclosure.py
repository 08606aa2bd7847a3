from __future__ import annotations

import pytest

from complaintnlp.counting.disclosure import POLICIES, policy


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("none", {0: 0, 1: 1, 7: 7, 8: 8}),
        ("nhs_hes", {0: 0, 1: None, 7: None, 8: 10, 12: 10, 13: 15, 1002: 1000}),
        ("under5", {0: None, 1: None, 4: None, 5: 5, 12: 12}),
        ("opensafely", {0: None, 1: None, 7: None, 8: 10, 12: 10, 13: 15}),
    ],
)
def test_policies(name: str, shown: dict[int, int | None]) -> None:
    assert {count: policy(name).show(count) for count in shown} == shown


def test_an_unknown_policy_lists_those_there_are() -> None:
    with pytest.raises(ValueError, match="none, nhs_hes, under5, opensafely"):
        policy("secret")


def test_passages_go_with_no_policy_that_suppresses() -> None:
    assert all(not rules.quotes for rules in POLICIES.values() if rules.suppress_to)
