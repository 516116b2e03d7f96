"""Bytes of a CSV file -> where its records begin and end, by counting quotes.

Where every quote stands where RFC 4180 puts it (opening after a comma or line break, closing before
one, doubled inside), a byte is inside quotes exactly when an odd number of quotes precedes it. That is
counted with numpy, at several hundred megabytes a second. Where a quote stands elsewhere, counting would
guess: the scan says where, and `raw.exact` takes over.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_COMMA, _QUOTE, _LF, _CR = b',"\n\r'
_BESIDE_OPENING = np.frombuffer(b',"\n\r', dtype=np.uint8)

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Scan:
    """Complete records of a buffer: shape (records,) each; offsets in bytes.

    `starts` to `ends` is a record without its line break, `nexts` where the following one starts,
    `columns` how many columns it has (0: an empty line). `irregular` is the offset of the first quote that
    counting cannot judge, None where there is none; records that reach it are not in the scan.
    """

    starts: Positions
    ends: Positions
    nexts: Positions
    columns: Positions
    irregular: int | None

    @property
    def consumed(self) -> int:
        """Bytes up to the start of the first record that is not in the scan."""
        return int(self.nexts[-1]) if len(self.nexts) else 0


def scan(buffer: bytes, *, final: bool) -> Scan:
    """The complete records at the start of `buffer`, which must begin with a record.

    With `final` the end of the buffer ends the last record too.
    """
    data = np.frombuffer(buffer, dtype=np.uint8)
    quotes = np.flatnonzero(data == _QUOTE)
    irregular = _first_irregular(data, quotes, final=final)
    limit = len(data) if irregular is None else irregular
    if irregular is not None:
        quotes = quotes[: np.searchsorted(quotes, irregular)]

    ends, nexts = _line_breaks(buffer, data, quotes, limit, final=final)
    starts = np.concatenate([np.zeros(1, np.intp), nexts])
    tail_is_record = final and irregular is None and starts[-1] < len(data) and len(quotes) % 2 == 0
    if tail_is_record:
        ends, nexts = np.append(ends, len(data)), np.append(nexts, len(data))
    starts = starts[: len(ends)]

    commas = np.flatnonzero(data[: ends[-1] if len(ends) else 0] == _COMMA)
    columns = _between(commas, quotes, starts, ends) + 1
    columns[starts == ends] = 0
    return Scan(starts, ends, nexts, columns, irregular)


def runs(positions: npt.NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    """Stretches of neighbouring positions, as (first, behind the last)."""
    for run in np.split(positions, np.flatnonzero(np.diff(positions) > 1) + 1):
        if len(run):
            yield int(run[0]), int(run[-1]) + 1


def _between(commas: Positions, quotes: Positions, starts: Positions, ends: Positions) -> Positions:
    """How many commas stand outside of quotes in each record; what is in quotes is subtracted, pair by pair."""
    openings, closings = quotes[0::2], quotes[1::2]
    openings = openings[: len(closings)]  # one that is still open belongs to no complete record
    quoted = np.searchsorted(commas, closings) - np.searchsorted(commas, openings)
    before = np.concatenate([np.zeros(1, np.intp), np.cumsum(quoted)])
    quoted_in_record = before[np.searchsorted(openings, ends)] - before[np.searchsorted(openings, starts)]
    counted: Positions = np.searchsorted(commas, ends) - np.searchsorted(commas, starts) - quoted_in_record
    return counted


def _outside(quotes: Positions, positions: Positions) -> npt.NDArray[np.bool_]:
    outside: npt.NDArray[np.bool_] = (np.searchsorted(quotes, positions) & 1) == 0
    return outside


def _line_breaks(
    buffer: bytes, data: npt.NDArray[np.uint8], quotes: Positions, limit: int, *, final: bool
) -> tuple[Positions, Positions]:
    breaks = np.flatnonzero(data[:limit] == _LF)
    if b"\r" in buffer:
        returns = np.flatnonzero(data[:limit] == _CR)
        if not final:
            returns = returns[returns < len(data) - 1]  # the next buffer may begin with its LF
        breaks = np.union1d(breaks, returns)
        breaks = breaks[_outside(quotes, breaks)]
        previous = data[np.maximum(breaks - 1, 0)]
        ends = breaks[~((data[breaks] == _LF) & (previous == _CR) & (breaks > 0))]
        following = data[np.minimum(ends + 1, len(data) - 1)]
        pair = (data[ends] == _CR) & (following == _LF) & (ends + 1 < limit)
        return ends, ends + 1 + pair
    ends = breaks[_outside(quotes, breaks)]
    return ends, ends + 1


def _first_irregular(data: npt.NDArray[np.uint8], quotes: Positions, *, final: bool) -> int | None:
    openings, closings = quotes[0::2], quotes[1::2]
    before = data[np.maximum(openings - 1, 0)]
    after = data[np.minimum(closings + 1, len(data) - 1)]
    opens_badly = openings[~np.isin(before, _BESIDE_OPENING) & (openings > 0)]
    closes_badly = closings[~np.isin(after, _BESIDE_OPENING) & (closings < len(data) - 1)]
    found = [int(bad[0]) for bad in (opens_badly, closes_badly) if len(bad)]
    if final and len(quotes) % 2:
        found.append(int(quotes[-1]))  # never closed
    return min(found, default=None)
