"""Tagged cases -> counts, rates and intervals, under a disclosure policy."""

from complaintnlp.counting.counts import Counted, count_themes, counted_cases, tabulate
from complaintnlp.counting.disclosure import POLICIES, Policy, policy

__all__ = ["POLICIES", "Counted", "Policy", "count_themes", "counted_cases", "policy", "tabulate"]
