"""Tagged cases -> counts, rates and intervals, under a disclosure policy."""

from complaintnlp.counting.counts import count_themes, tabulate
from complaintnlp.counting.disclosure import POLICIES, Policy, policy
from complaintnlp.counting.tagged import Counted, counted_cases

__all__ = ["POLICIES", "Counted", "Policy", "count_themes", "counted_cases", "policy", "tabulate"]
