"""Text of a CSV file -> its records, with Python's csv module: slower than `raw.scan`, never in doubt.

Used where quotes stand in odd places. A quote that is never closed would swallow every record after
it; such a record ends at the first line break behind that quote instead, where records follow.
"""

import csv
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_COLUMN = re.compile(rb'"((?:[^"]++|"")*+)"|([^,]*+)')
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@dataclass(frozen=True)
class Record:
    """A record as written: `text` without its line break, `ending` the line break, `columns` parsed.

    `is_unclosed` when its last column begins with a quote that no other one closes.
    """

    text: str
    ending: str
    columns: tuple[str, ...]
    is_unclosed: bool = False


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
    if found and _is_unclosed(found[-1].text):
        last = replace(found[-1], is_unclosed=True)
        return found[:-1] + (_mend(last.text, width) or [last])
    return found


def parse(text: str) -> tuple[str, ...]:
    """Columns of one record; line breaks outside of quotes must have been taken out."""
    return next(iter(_records(text))).columns


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


def _records(text: str) -> Iterator[Record]:
    csv.field_size_limit(2**62)
    taken: list[str] = []

    def noted() -> Iterator[str]:
        for line in _lines(text):
            taken.append(line)
            yield line

    for columns in csv.reader(noted()):
        whole = "".join(taken)
        taken.clear()
        bare = whole.removesuffix("\n").removesuffix("\r")
        ending = whole[len(bare) :]
        if _ends_inside_quotes(ending, bare, columns):
            bare, ending = whole, ""
        yield Record(bare, ending, tuple(columns))


def _lines(text: str) -> Iterator[str]:
    """The lines with their ends, LF, CR or CRLF (a StringIO gives them too, and takes four bytes a character)."""
    return (line[0] for line in _LINE.finditer(text))


def _ends_inside_quotes(ending: str, bare: str, columns: list[str]) -> bool:
    return bool(ending and columns and columns[-1].endswith(ending) and _is_unclosed(bare + ending))


def _is_unclosed(text: str) -> bool:
    # Inside quotes one more line is more of the same record, elsewhere it is the next one.
    records = csv.reader(itertools.chain(_lines(text), ["next"]))
    next(records)
    return bool(text) and next(records, None) is None


def _swallower(record: Record, text: str, width: int) -> Record | None:
    """The first line of a faulty `record` at the start of `text`, if the line behind it is a good record.

    Then a quote that was not closed in its own record swallowed that line.
    """
    lines = _lines(text)
    first = next(lines)
    if len(first) >= len(record.text):
        return None
    following = next(_records(next(lines)))
    if len(following.columns) != width or _is_unclosed(following.text):
        return None
    return _as_record(first)


def _as_record(line: str) -> Record:
    bare = line.removesuffix("\n").removesuffix("\r")
    return Record(bare, line[len(bare) :], parse(bare), _is_unclosed(bare))


def _mend(text: str, width: int) -> list[Record]:
    """The unclosed record up to the line break behind the quote, and what follows; empty if no good record follows."""
    lines = list(_lines(text))
    swallowed = len(list(_lines(parse(text)[-1])))
    first = "".join(lines[: len(lines) - swallowed + 1])
    rest = list(_records(text[len(first) :]))
    if not any(len(record.columns) == width for record in rest):
        return []
    return [_as_record(first), *rest]
