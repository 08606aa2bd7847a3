"""Tagged cases -> counts, rates and intervals, under a disclosure policy; and what tables of these tell."""

from complaintnlp.counting.counts import count_themes, tabulate
from complaintnlp.counting.crosswalk import Crosswalk, read_crosswalk
from complaintnlp.counting.disclosure import POLICIES, Policy, policy
from complaintnlp.counting.funnel import funnel
from complaintnlp.counting.tagged import Counted, counted_cases
from complaintnlp.counting.trend import control_chart, g_chart, recurrence

__all__ = [
    "POLICIES",
    "Counted",
    "Crosswalk",
    "Policy",
    "control_chart",
    "count_themes",
    "counted_cases",
    "funnel",
    "g_chart",
    "policy",
    "read_crosswalk",
    "recurrence",
    "tabulate",
]
