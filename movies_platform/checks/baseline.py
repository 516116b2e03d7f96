"""What a delivered file is compared with: the earlier months that brought it, and what is usual after them.

A file is the whole history again or only what is new and changed; nobody says which. One with at least half as many
records as the whole history before it counts as a whole history, a smaller one as a delta. Every file goes by its own
months: a delivery need not bring all of them.
"""

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import duckdb

from movies_platform.checks.results import Findings, fetch
from movies_platform.contracts.ddl import literal
from movies_platform.contracts.sources import SOURCES, Source

LOWEST_SHARE_OF_WHOLE = 0.5
REMEMBERED = 12  # months from which bounds are learned
WIDEST = 2.0  # factor around a single earlier month
FEWEST = 25  # fewer are never a reason to warn
USUAL_SHARE = 0.01  # of records (movies, dollars), is always usual
WIDEST_SHARE = 3.0  # factor around the shares of before
FIRST = "no earlier month to compare with."
SHOWN = 20
_SPREAD = 3.5 * 1.4826  # times the median absolute deviation: 3.5 standard deviations of a normal distribution


@dataclass(frozen=True)
class Delivered:
    """A month that brought a file: its records, and whether it is a whole history."""

    month: dt.date
    records: int
    whole: bool


def of_file(source: Source) -> str:
    """SQL: whether a row with a source_file is about this file, under whichever of its names it was delivered."""
    return f"split_part(source_file, '.', 1) IN ({', '.join(map(literal, source.names))})"


def months_until(connection: duckdb.DuckDBPyConnection, month: dt.date, source: Source) -> list[Delivered]:
    """The months up to `month` that brought records of the file, oldest first."""
    rows = fetch(
        connection,
        "SELECT delivery_month, sum(records)::BIGINT AS records FROM raw.deliveries "
        f"WHERE delivery_month <= DATE '{month}' AND {of_file(source)} GROUP BY 1 HAVING sum(records) > 0 ORDER BY 1",
    )
    months: list[Delivered] = []
    whole = 0
    for delivered, records in rows:
        is_whole = records >= LOWEST_SHARE_OF_WHOLE * whole
        whole = records if is_whole else whole
        months.append(Delivered(delivered, records, is_whole))
    return months


def whole_history_before(connection: duckdb.DuckDBPyConnection, month: dt.date, source: Source) -> dt.date | None:
    """The newest earlier month that brought the whole history of the file; None for the first month."""
    earlier = [m for m in months_until(connection, month, source) if m.month < month]
    return next((m.month for m in reversed(earlier) if m.whole), None)


def each_file(
    connection: duckdb.DuckDBPyConnection, month: dt.date, judge: Callable[[Source, list[Delivered]], Findings]
) -> Findings:
    """What `judge` finds in each file of the month that has records, given its months until then; as one.

    Files with offenders come first; numbers are named after the file's subject.
    """
    found: list[tuple[Source, Findings]] = []
    for source in SOURCES:
        months = months_until(connection, month, source)
        if months and months[-1].month == month:
            found.append((source, judge(source, months)))
    if not found:
        return Findings(0, "Nothing was delivered.")
    found.sort(key=lambda each: each[1].offenders == 0)
    return Findings(
        sum(of.offenders for _, of in found),
        " ".join(f"{source.name}: {of.message}" for source, of in found),
        {f"{source.subject}_{name}": number for source, of in found for name, number in of.numbers.items()},
        [(source.name, *row) for source, of in found for row in of.worst],
        ("file", *next((of.columns for _, of in found if of.worst), ())),
    )


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


def usual_share(shares: Sequence[float]) -> float:
    """The highest share to expect after `shares` (oldest first); what was higher than expected is not learned from."""
    learned: list[float] = []
    for share in shares:
        if share and share <= highest_usual(learned):
            learned.append(share)
    return highest_usual(learned)


def highest_usual(learned: Sequence[float]) -> float:
    """The highest share to expect after `learned` (above 0, oldest first)."""
    return max(USUAL_SHARE, usual_range(learned, WIDEST_SHARE)[1]) if learned else USUAL_SHARE
