"""A URL's parameters -> a question to a table, or a problem that says what is known.

A cursor is `{snapshot}~{number of the last row}~{digest of the question}`: it stays in its snapshot, belongs to one
question, and holds no values that anybody could forge. What the row's values are, the next page looks up.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from movies_platform.api.index import folded
from movies_platform.api.problems import Problem
from movies_platform.api.tables import Filter, Table, served_tables

LIMIT, MOST, MOST_SORTED = 100, 1_000, 3
LONGEST = 200  # characters of a name or a search
SNAPSHOT = re.compile(r"\d{4}-\d{2}-[0-9a-f]{12}")
_CURSOR = re.compile(rf"({SNAPSHOT.pattern})~(\d{{1,12}})~([0-9a-f]{{12}})")
_LARGEST = 2**63 - 1
Sort = tuple[tuple[str, bool], ...]  # column, whether descending


class Chosen(NamedTuple):
    """The values that a parameter accepts: of the column `name`, or of the filter `name` `via` other tables."""

    name: str
    values: tuple[Any, ...]
    via: bool = False


@dataclass(slots=True)
class Question:
    """What is asked of a table: rows that are `chosen`, between two times, whose names have `search` in them."""

    table: Table
    chosen: tuple[Chosen, ...] = ()
    time_from: Any = None
    time_to: Any = None
    search: str | None = None
    sort: Sort = ()
    fields: tuple[str, ...] | None = None
    limit: int = LIMIT
    after: int = 0  # the number of the row before the page; 0: the first page

    def digest(self) -> str:
        """Identifies the question, whatever page and columns of its answer are wanted."""
        chosen = tuple(map(tuple, self.chosen))
        terms = (self.table.name, chosen, self.time_from, self.time_to, self.search, self.sort)
        return hashlib.blake2b(repr(terms).encode(), digest_size=6).hexdigest()

    def cursor(self, snapshot: str, last: int) -> str:
        """Leads to the rows after the row number `last`."""
        return f"{snapshot}~{last}~{self.digest()}"


def parameters(query: bytes) -> dict[str, str]:
    """A query string's parameters; raises Problem for a repeated one, and for what is no text."""
    found: dict[str, str] = {}
    for part in filter(None, query.split(b"&")):
        name, _, value = part.partition(b"=")
        if b"%" in part or b"+" in part:
            name, value = (unquote_to_bytes(each.replace(b"+", b" ")) for each in (name, value))
        try:
            key, text = name.decode(), value.decode()
        except UnicodeDecodeError:
            raise Problem(400, "The query is not UTF-8, percent-encoded.") from None
        if key in found:
            raise Problem(400, f"{key} is given twice. Give it once.", parameter=key)
        found[key] = text
    return found


def snapshot_of(given: dict[str, str]) -> str | None:
    """The snapshot that the parameters name; raises Problem where two are named, or what is none."""
    named, cursor = given.get("snapshot"), given.get("cursor")
    if named is not None and not SNAPSHOT.fullmatch(named):
        raise _wrong("snapshot", named, "the id of a snapshot, as /v1/snapshots lists them")
    if cursor is None:
        return named
    match = _CURSOR.fullmatch(cursor)
    if not match:
        raise _wrong("cursor", cursor, "a cursor; take it from the page before")
    if named not in (None, match[1]):
        raise Problem(400, f"The cursor is of snapshot {match[1]}, not of {named}. Leave snapshot out.")
    return match[1]


Resolve = Callable[[Filter, str], tuple[Any, ...]]


def question(table: Table, given: dict[str, str], resolve: Resolve, fixed: tuple[str, Any] | None = None) -> Question:
    """The question that parameters ask of a table.

    `resolve` gives the ids that a text names; `fixed` is a filter that the path decides, with its value. Raises Problem
    for a parameter that is unknown, wrong, or goes with no other.
    """
    chosen = []
    if fixed is not None:
        chosen.append(_chosen(table.filters[fixed[0]], (fixed[1],)))
    for name, text in given.items():
        if name not in table.parameters or (fixed is not None and name == fixed[0]):
            known = [each for each in table.parameters if fixed is None or each != fixed[0]]
            raise Problem(400, f"There is no parameter {name!r} here. Known: {', '.join(known)}.",
                          parameter=name, known=known)  # fmt: skip
        if not text:
            raise Problem(400, f"{name} is empty. Leave it out, or give it a value.", parameter=name)
        if (each := table.filters.get(name)) is not None:
            chosen.append(_chosen(each, _values(each, text, resolve)))
    if len(chosen) > 1:
        chosen.sort()  # whatever the order in which they are given, it is one question
    time_from, time_to = _times(table, given) if table.times else (None, None)
    get = given.get
    asked = Question(
        table, tuple(chosen), time_from, time_to, _search(get("q")), _sort(table.name, get("sort")),
        _fields(table.name, get("fields")), _limit(get("limit")),
    )  # fmt: skip
    if (cursor := get("cursor")) is not None:
        _, last, digest = cursor.split("~")
        if digest != asked.digest():
            raise Problem(400, "The cursor is of another question. Ask it with the parameters of the page before.",
                          parameter="cursor")  # fmt: skip
        asked.after = int(last)
    return asked


def identifier(text: str) -> int | None:
    """The number that a text writes in full; None where it is none, or too large to be an id."""
    if not (text.isascii() and text.isdigit()):
        return None
    number = int(text.lstrip("0")[:20] or "0")  # twenty digits are too large, whatever comes after them
    return number if number <= _LARGEST else None


def _chosen(each: Filter, values: tuple[Any, ...]) -> Chosen:
    return Chosen(each.name, values, via=True) if each.links else Chosen(each.column.name, values)


def _values(each: Filter, text: str, resolve: Resolve) -> tuple[Any, ...]:
    if each.refers_to:
        if len(text) > LONGEST:
            raise _wrong(each.name, text[:LONGEST], "an id or a name")
        return resolve(each, text)
    if text not in each.choices:
        raise _wrong(each.name, text, f"one of {', '.join(each.choices)}", known=list(each.choices))
    return (text,)


def _times(table: Table, given: dict[str, str]) -> tuple[Any, Any]:
    read: Callable[[str, str], Any] = _year if table.time_name == "year" else _month
    name_at, name_from, name_to = table.times
    at = read(name_at, given[name_at]) if name_at in given else None
    start = read(name_from, given[name_from]) if name_from in given else None
    end = read(name_to, given[name_to]) if name_to in given else None
    if at is not None and (start is not None or end is not None):
        raise Problem(400, f"{name_at} goes with neither {name_from} nor {name_to}.")
    if start is not None and end is not None and start > end:
        raise Problem(400, f"{name_from}={given[name_from]} is after {name_to}={given[name_to]}. Exchange them.",
                      parameter=name_from)  # fmt: skip
    return (start, end) if at is None else (at, at)


@lru_cache(1_000)
def _year(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise _wrong(name, text, "a year, for example 1995")
    return int(text)


@lru_cache(1_000)
def _month(name: str, text: str) -> str:
    try:
        return dt.datetime.strptime(text, "%Y-%m").replace(tzinfo=dt.UTC).date().isoformat()
    except ValueError:
        raise _wrong(name, text, "a month, for example 2017-11") from None


def _search(text: str | None) -> str | None:
    if text is not None and (len(text) > LONGEST or not folded(text)):  # accents alone are nothing
        raise _wrong("q", text[:LONGEST], f"a part of a name, at most {LONGEST} characters")
    return text


@lru_cache(1_000)
def _sort(name: str, text: str | None) -> Sort:
    if text is None:
        return ()
    table = served_tables()[name]
    words = text.split(",")
    columns = _columns(table, "sort", [word.removeprefix("-") for word in words])
    if len(words) > MOST_SORTED:
        raise _wrong("sort", text, f"at most {MOST_SORTED} columns")
    return tuple((column, word.startswith("-")) for column, word in zip(columns, words, strict=True))


@lru_cache(1_000)
def _fields(name: str, text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    table = served_tables()[name]
    return _columns(table, "fields", text.split(","))


def _columns(table: Table, parameter: str, names: Sequence[str]) -> tuple[str, ...]:
    """The columns that are named, each once; the column of the time may be named as its parameter is: `year`."""
    time = {} if table.time is None else {table.time_name: str(table.time.name)}
    columns = tuple(time.get(name, name) for name in names)
    for name in columns:
        if name not in table.names:
            known = ", ".join(table.names)
            raise Problem(400, f"{parameter}: {table.name} has no column {name!r}. Columns: {known}.",
                          parameter=parameter, known=list(table.names))  # fmt: skip
    if len({*columns}) < len(columns):
        raise Problem(400, f"{parameter} names a column twice.", parameter=parameter)
    return columns


@lru_cache(1_000)
def _limit(text: str | None) -> int:
    if text is None:
        return LIMIT
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MOST:
        raise _wrong("limit", text, f"a number from 1 to {MOST}")
    return int(text)


def _wrong(parameter: str, value: str, expected: str, **members: Any) -> Problem:
    return Problem(400, f"{parameter}={value!r} is not {expected}.", parameter=parameter, **members)
