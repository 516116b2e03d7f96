"""Text of a CSV file -> its records, with Python's csv module: slower than `raw.scan`, never in doubt.

Used where quotes stand in odd places. A quote that is never closed would swallow every record after
it; such a record ends at the first line break behind that quote instead, where records follow.
"""

import csv
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Record:
    """A record as written: `text` without its line break, `ending` the line break, `columns` parsed."""

    text: str
    ending: str
    columns: tuple[str, ...]


def split(text: str, *, width: int, final: bool, until: int) -> list[Record]:
    """Records at the start of `text`, which must begin with one, until `until` characters are passed.

    Empty lines are records without columns. Without `final`, the last record is left out: it may go on
    behind the end. `width` is how many columns a good record has.
    """
    found: list[Record] = []
    position = 0
    records = _records(text)
    while record := next(records, None):
        if len(record.columns) not in (0, width) and (line := _swallower(record, text[position:], width)):
            record = line
            records = _records(text[position + len(line.text) + len(line.ending) :])
        found.append(record)
        position += len(record.text) + len(record.ending)
        if position > until and position < len(text):
            return found
    if not final:
        return found[:-1]
    if found and _is_unclosed(found[-1].text) and (mended := _mend(found[-1].text, width)):
        return found[:-1] + mended
    return found


def parse(text: str) -> tuple[str, ...]:
    """Columns of one record; line breaks outside of quotes must have been taken out."""
    return next(iter(_records(text))).columns


def parse_regular(text: str) -> tuple[str, ...]:
    """Columns of one record whose line breaks are all inside quotes that stand in order (spares copies of it)."""
    csv.field_size_limit(2**62)
    return tuple(next(csv.reader([text])))


def _records(text: str) -> Iterator[Record]:
    csv.field_size_limit(2**62)
    taken: list[str] = []

    def lines() -> Iterator[str]:
        # newline="" ends lines at LF, CR and CRLF and leaves them as they are.
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    for columns in csv.reader(lines()):
        whole = "".join(taken)
        taken.clear()
        bare = whole.removesuffix("\n").removesuffix("\r")
        ending = whole[len(bare) :]
        if _ends_inside_quotes(ending, bare, columns):
            bare, ending = whole, ""
        yield Record(bare, ending, tuple(columns))


def _ends_inside_quotes(ending: str, bare: str, columns: list[str]) -> bool:
    return bool(ending and columns and columns[-1].endswith(ending) and _is_unclosed(bare + ending))


def _is_unclosed(text: str) -> bool:
    # Inside quotes one more line is more of the same record, elsewhere it is the next one.
    records = csv.reader(itertools.chain(io.StringIO(text, newline=""), ["next"]))
    next(records)
    return bool(text) and next(records, None) is None


def _swallower(record: Record, text: str, width: int) -> Record | None:
    """The first line of a faulty `record` at the start of `text`, if the line behind it is a good record.

    Then a quote that was not closed in its own record swallowed that line.
    """
    lines = io.StringIO(text, newline="")
    first = next(lines)
    if len(first) >= len(record.text):
        return None
    following = next(_records(next(lines)))
    if len(following.columns) != width or _is_unclosed(following.text):
        return None
    return _as_record(first)


def _as_record(line: str) -> Record:
    bare = line.removesuffix("\n").removesuffix("\r")
    return Record(bare, line[len(bare) :], parse(bare))


def _mend(text: str, width: int) -> list[Record]:
    """The unclosed record up to the line break behind the quote, and what follows; empty if no good record follows."""
    lines = list(io.StringIO(text, newline=""))
    swallowed = len(list(io.StringIO(parse(text)[-1], newline="")))
    first = "".join(lines[: len(lines) - swallowed + 1])
    rest = list(_records(text[len(first) :]))
    if not any(len(record.columns) == width for record in rest):
        return []
    return [_as_record(first), *rest]
