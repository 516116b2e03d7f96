"""What a month is compared with: the earlier months, and the newest whole history among them.

A delivery is the whole history again or only what is new and changed; nobody says which. One that brings at least
half as many records as the whole history before it is a whole history, a smaller one a delta. Whole histories are
compared with whole histories and deltas with deltas; values are compared movie by movie, with the newest earlier
whole history, so that a delta is as good as a full month.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from movies_platform.checks.outcomes import Scope

LOWEST_SHARE_OF_WHOLE = 0.5
REMEMBERED = 12  # months from which bounds are learned
_SPREAD = 3.5 * 1.4826  # times the median absolute deviation: 3.5 standard deviations of a normal distribution


@dataclass(frozen=True)
class Earlier:
    """A month of before, or the one that is judged."""

    month: dt.date
    records: int
    whole: bool


def months_until(scope: Scope) -> list[Earlier]:
    """The delivered months up to the one that is judged, which comes last; oldest first."""
    rows = scope.fetch(
        "SELECT delivery_month, sum(records)::BIGINT AS records FROM raw.deliveries WHERE delivery_month <= ? "
        "GROUP BY 1 HAVING records IS NOT NULL ORDER BY 1",
        scope.month,
    )
    months: list[Earlier] = []
    whole = 0
    for month, records in rows:
        is_whole = records >= LOWEST_SHARE_OF_WHOLE * whole
        whole = records if is_whole else whole
        months.append(Earlier(month, records, is_whole))
    return months


def whole_history_before(scope: Scope) -> dt.date | None:
    """The newest earlier month that brought the whole history; None for the first month."""
    return next((m.month for m in reversed(months_until(scope)[:-1]) if m.whole), None)


def usual_range(values: Sequence[float], widest: float) -> tuple[float, float]:
    """Lowest and highest value to expect after `values` (positive, oldest first), by median and deviation.

    The bounds are factors around the median. `widest` is the factor allowed after a single value, and the highest ever;
    the more values there are, the more the bounds are those that the values themselves show.
    """
    known = [math.log(value) for value in values[-REMEMBERED:]]
    middle = median(known)
    deviation = _SPREAD * median(abs(value - middle) for value in known)
    allowed = min(max(deviation, math.log(widest) / math.sqrt(len(known))), math.log(widest))
    return math.exp(middle - allowed), math.exp(middle + allowed)
