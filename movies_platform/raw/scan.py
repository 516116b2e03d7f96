"""Text of a CSV file -> where its records begin and end, found in two ways.

`scan` counts quotes with numpy, at several hundred megabytes a second. Where every quote stands where RFC 4180 puts it
(opening after a comma or line break, closing before one, doubled inside), a byte is inside quotes exactly when an odd
number of quotes precedes it. Where a quote stands elsewhere, counting would guess: the scan says where, and `split`
reads on with Python's csv module, slowly and exactly.

A quote that is never closed would take every record after it into its own. In `split` such a record ends at the first
line break behind that quote instead, where records follow.
"""

import csv
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

_COMMA, _QUOTE, _LF, _CR = b',"\n\r'
_AROUND_QUOTED = np.frombuffer(b',"\n\r', dtype=np.uint8)  # what may stand before and after a quoted column
_COLUMN = re.compile(rb'"((?:[^"]++|"")*+)"|([^,]*+)')
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_LINE_OR_EMPTY_ONES = re.compile(r"[^\r\n]+(?:\r\n|\r|\n)?|[\r\n]+")

Positions = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scan:
    """Complete records of a buffer: arrays of shape (records,), offsets in bytes.

    `starts` to `ends` is a record without its line break, `nexts` where the following one starts, `columns` how many
    columns it has (0: empty lines, any number in a row). `irregular` is the offset of the first quote that counting
    cannot judge, None where there is none; records that reach it are not in the scan.
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
    quotes = quotes[: np.searchsorted(quotes, limit)]

    ends, nexts = _line_breaks(buffer, data, quotes, limit, final=final)
    starts = np.concatenate([np.zeros(1, np.intp), nexts])
    if final and irregular is None and starts[-1] < len(data):  # the last line has no line break
        ends, nexts = np.append(ends, len(data)), np.append(nexts, len(data))
    starts = starts[: len(ends)]
    is_empty = starts == ends
    is_more = is_empty[1:] & is_empty[:-1]  # of the empty lines before
    is_first, is_last = np.append(True, ~is_more)[: len(ends)], np.append(~is_more, True)[: len(ends)]
    starts, ends, nexts = starts[is_first], ends[is_first], nexts[is_last]

    commas = np.flatnonzero(data[: ends[-1] if len(ends) else 0] == _COMMA)
    commas = commas[_outside(quotes, commas)]
    columns = np.searchsorted(commas, ends) - np.searchsorted(commas, starts) + 1
    columns[starts == ends] = 0
    return Scan(starts, ends, nexts, columns, irregular)


def _outside(quotes: Positions, positions: Positions) -> Mask:
    outside: Mask = (np.searchsorted(quotes, positions) & 1) == 0
    return outside


def _line_breaks(
    buffer: bytes, data: npt.NDArray[np.uint8], quotes: Positions, limit: int, *, final: bool
) -> tuple[Positions, Positions]:
    if b"\r" not in buffer:
        breaks = np.flatnonzero(data[:limit] == _LF)
        ends = breaks[_outside(quotes, breaks)]
        return ends, ends + 1
    breaks = np.flatnonzero((data[:limit] == _LF) | (data[:limit] == _CR))
    if not final and buffer.endswith(b"\r"):  # the next buffer may begin with its LF
        breaks = breaks[breaks < len(data) - 1]
    breaks = breaks[_outside(quotes, breaks)]
    previous = data[np.maximum(breaks - 1, 0)]
    ends = breaks[~((data[breaks] == _LF) & (previous == _CR) & (breaks > 0))]
    following = data[np.minimum(ends + 1, len(data) - 1)]
    is_pair = (data[ends] == _CR) & (following == _LF) & (ends + 1 < limit)
    return ends, ends + 1 + is_pair


def _first_irregular(data: npt.NDArray[np.uint8], quotes: Positions, *, final: bool) -> int | None:
    openings, closings = quotes[0::2], quotes[1::2]
    before = data[np.maximum(openings - 1, 0)]
    after = data[np.minimum(closings + 1, len(data) - 1)]
    opens_badly = openings[~np.isin(before, _AROUND_QUOTED) & (openings > 0)]
    closes_badly = closings[~np.isin(after, _AROUND_QUOTED) & (closings < len(data) - 1)]
    found = [int(bad[0]) for bad in (opens_badly, closes_badly) if len(bad)]
    if final and len(quotes) % 2:
        found.append(int(quotes[-1]))  # never closed
    return min(found, default=None)


@dataclass(frozen=True)
class Record:
    """A record as written: `text` without its line break, `ending` the line break, `columns` parsed.

    One without columns stands for empty lines, any number in a row: `ending` are their line breaks.
    `is_unclosed` when its last column begins with a quote that no other one closes.
    """

    text: str
    ending: str
    columns: tuple[str, ...]
    is_unclosed: bool = False

    @property
    def length(self) -> int:
        """Characters, line break included."""
        return len(self.text) + len(self.ending)


def split(text: str, *, width: int, final: bool, until: int) -> list[Record]:
    """Records at the start of `text`, which must begin with one, until `until` characters are passed.

    Empty lines in a row are a record without columns. Without `final`, the last record is left out: it may go on behind
    the end. `width` is how many columns a good record has.
    """
    found: list[Record] = []
    position = 0
    records = _records(text)
    while record := next(records, None):
        is_whole = final or position + record.length < len(text)  # else it may be a good one, cut off
        is_fault = is_whole and len(record.columns) not in (0, width)
        if is_fault and (line := _line_of_unclosed_quote(record, text, position, width)):
            record = line
            records = _records(text, position + line.length)
        found.append(record)
        position += record.length
        if position > until and position < len(text):
            return found
    if not final:
        return found[:-1]
    if found and _is_unclosed(found[-1].text):
        last = replace(found[-1], is_unclosed=True)
        return found[:-1] + (_split_behind_unclosed_quote(last.text, width) or [last])
    return found


def parse(text: str) -> tuple[str, ...]:
    """Columns of one record; line breaks outside of quotes must have been taken out."""
    return next(_records(text)).columns


def parse_regular(record: bytes) -> tuple[str, ...]:
    """Columns of one record whose quotes stand in order: by slices of it, where csv takes four bytes a character."""
    columns = []
    position = 0
    while position <= len(record):
        found = _COLUMN.match(record, position)
        assert found, "a record whose quotes stand in order matches"
        quoted, bare = found.groups()
        columns.append((bare if quoted is None else quoted.replace(b'""', b'"')).decode("utf-8"))
        position = found.end() + 1
    return tuple(columns)


def _records(text: str, start: int = 0) -> Iterator[Record]:
    csv.field_size_limit(2**62)
    read: list[str] = []

    def lines() -> Iterator[str]:
        for line in _LINE_OR_EMPTY_ONES.finditer(text, start):
            read.append(line[0])
            yield line[0]

    for columns in csv.reader(lines()):
        whole = "".join(read)
        read.clear()
        bare, ending = _without_line_break(whole) if columns else ("", whole)
        if ending and columns and columns[-1].endswith(ending) and _is_unclosed(whole):
            bare, ending = whole, ""
        yield Record(bare, ending, tuple(columns))


def _lines(text: str, start: int = 0) -> Iterator[str]:
    """The lines with their ends, LF, CR or CRLF (a StringIO gives them too, and takes four bytes a character)."""
    return (line[0] for line in _LINE.finditer(text, start))


def _without_line_break(line: str) -> tuple[str, str]:
    bare = line.removesuffix("\n").removesuffix("\r")
    return bare, line[len(bare) :]


def _is_unclosed(text: str) -> bool:
    # Inside quotes one more line is more of the same record, elsewhere it is the next one.
    records = csv.reader(itertools.chain(_lines(text), ["next"]))
    next(records)
    return bool(text) and next(records, None) is None


def _line_of_unclosed_quote(record: Record, text: str, position: int, width: int) -> Record | None:
    """The first line of the faulty `record` at `position` of `text`, if the line behind it is a good record.

    Then a quote that was not closed in its own record took that line into it.
    """
    lines = _lines(text, position)
    first = next(lines)
    if len(first) >= len(record.text):
        return None
    following = next(_records(next(lines)))
    if len(following.columns) != width or _is_unclosed(following.text):
        return None
    return _as_record(first)


def _as_record(line: str) -> Record:
    bare, ending = _without_line_break(line)
    return Record(bare, ending, parse(bare), _is_unclosed(bare))


def _split_behind_unclosed_quote(text: str, width: int) -> list[Record]:
    """The unclosed record up to the line break behind the quote, and what follows; empty if no good record follows."""
    lines = list(_lines(text))
    taken = len(list(_lines(parse(text)[-1])))
    first = "".join(lines[: len(lines) - taken + 1])
    rest = list(_records(text, len(first)))
    if not any(len(record.columns) == width for record in rest):
        return []
    return [_as_record(first), *rest]
