"""A question -> the rows of one page, from the snapshot's SQLite file.

Rows as JSON are put together by SQLite, in one step outside of Python's lock. A page goes on after the row that the
cursor names: one statement for each way to come after it (the same in all columns of the sort but the last, in all
but the last two, ...), each of which begins in an index, the first ones first. Nulls come last, in both directions.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from movies_platform.api.index import UNKNOWN, folded, via
from movies_platform.api.problems import Problem
from movies_platform.api.questions import Question, Sort, identifier
from movies_platform.api.search import INLINE_PLACES, Names, TooSlow
from movies_platform.api.tables import Filter, Table, served_tables

_STEPS = 4_000  # of SQLite between two looks at the clock: about a tenth of a millisecond
_NAMED = 50  # rows of a table whose names a message lists
_BETWEEN = ",\n"  # rows; no JSON text has a line break in it
_CONDITION = "/* after */"
_SHAPES = 2_000  # statements that are kept
_RESOLVED = 10_000  # names that are kept
_NO_TEXT = sqlite3.SQLITE_CORRUPT  # Python's own error, of bytes that are no text, has no code
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR)
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Page:
    """The rows of a page: as JSON, or as values of columns. `last` is the number of the last row, if more follow."""

    count: int
    last: int | None
    json: bytes = b""
    values: Sequence[tuple[Any, ...]] = ()


class Shape(NamedTuple):
    """A statement but for its values: `text` has a place for a condition, `first` has none. `at` is where the columns
    of the order are."""

    text: str
    first: str
    order: Sort
    at: list[str]
    number: str


class Reader:
    """A connection to a snapshot's file; for one thread at a time."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.perf_counter):
        self._clock, self._path = clock, path
        self.is_damaged = False
        self._connection = sqlite3.connect(
            f"file:{path}?mode=ro&immutable=1", uri=True, check_same_thread=False, isolation_level=None,
            cached_statements=512,
        )  # fmt: skip
        self._connection.execute("PRAGMA mmap_size = 4294967296")
        self._connection.execute("PRAGMA query_only = 1")
        stats = self._connection.execute("SELECT idx, stat FROM sqlite_stat1 WHERE idx LIKE 'via@_%' ESCAPE '@'")
        self._rows_of_a_value = {index.removesuffix("_n"): int(stat.split()[1]) for index, stat in stats}
        self.shapes: dict[Any, Shape] = {}
        self._seconds = 0.0
        self._until: float | None = None
        self._connection.set_progress_handler(self._is_over, _STEPS)

    def _is_over(self) -> bool:
        now = self._clock()
        if self._until is None:
            self._until = now + self._seconds
        return now > self._until

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows; raises TooSlow when the time of `within` is over, Problem where the file is found damaged."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as problem:
            code = getattr(problem, "sqlite_errorcode", _NO_TEXT)
            if code == sqlite3.SQLITE_INTERRUPT:
                raise TooSlow from problem
            if code & 0xFF not in _DAMAGED:  # the lowest byte is the kind of error
                raise
            self.is_damaged = True
            _log.warning("%s is damaged: %s", self._path, problem)
            raise Problem(503, "The rows cannot be read; their file is made again.", {"Retry-After": "5"}) from problem

    def rows_of_a_value(self, name: str) -> int:
        """How many rows a value of a `via` table has, on average."""
        return self._rows_of_a_value.get(name, 0)

    def within(self, seconds: float) -> None:
        """Give what is asked from now on so many seconds in all, from the first look at the clock: a system call, which
        may cost more than a small answer."""
        self._seconds, self._until = seconds, None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class Opened:
    """A snapshot's file, open: `inline` answers small questions at once, `pooled` the others, in a thread."""

    def __init__(self, path: Path):
        # What is answered at once is bounded by the time it takes itself, however busy the machine is.
        self.inline, self.pooled = Reader(path, time.thread_time), Reader(path)
        self.inline.within(60)
        meta = orjson.loads(self.inline.execute("SELECT content FROM meta")[0][0])
        self.snapshot: str = meta["snapshot"]
        self.published_at: str = meta["published_at"]
        self.months: list[str] = meta["months"]
        self.rows: dict[str, int] = meta["rows"]
        self.path = path
        found = self.inline.execute("SELECT * FROM search")
        self._names = {table: Names(text, starts, numbers) for table, text, starts, numbers in found}
        self._resolved: dict[tuple[str, str], tuple[Any, ...]] = {}

    @property
    def is_damaged(self) -> bool:
        """Whether the file was found damaged."""
        return self.inline.is_damaged or self.pooled.is_damaged

    def close(self) -> None:
        """Close the file."""
        self.inline.close()
        self.pooled.close()

    def table(self, table: Table) -> Table:
        """The table, if it is served; raises Problem where it is in files only, or not there at all."""
        if table.name in self.rows:
            return table
        raise Problem(
            404, f"Rows of {table.name} are not served one by one in snapshot {self.snapshot}. The file may be: "
            f"/v1/tables/{table.name}.parquet."
        )  # fmt: skip

    def resolve(self, chosen: Filter, text: str) -> tuple[Any, ...]:
        """The ids that a text names: an id as it is, or every row with that name, accents and case folded."""
        other = served_tables()[chosen.refers_to or ""]
        if not other.has_text_key and (number := identifier(text)) is not None:
            return (number,)
        known = self._resolved.get((other.name, text))
        if known is None:
            known = self._named(chosen, other, text)
            if len(self._resolved) >= _RESOLVED:
                self._resolved.clear()
            self._resolved[other.name, text] = known
        return known

    def _named(self, chosen: Filter, other: Table, text: str) -> tuple[Any, ...]:
        self.inline.within(1)
        names, found = self._names.get(other.name), []
        if other.has_text_key:  # a code is an id
            found = self.inline.execute(f"SELECT {other.key} FROM {other.name} WHERE lower({other.key}) = ?",
                                        [text.strip().lower()])  # fmt: skip
        if not found and names:
            numbers = orjson.dumps(names.exactly(folded(text))).decode()
            found = self.inline.execute(
                f"SELECT {other.key} FROM {other.name} WHERE n IN (SELECT value FROM json_each(?))", [numbers]
            )
        if found:
            return tuple(row[0] for row in found)
        members: dict[str, Any] = {}
        remedy = f"Search with {other.path}?q=..."
        if other.label and self.rows.get(other.name, 0) <= _NAMED:
            rows = self.inline.execute(f"SELECT {other.label} FROM {other.name} ORDER BY 1")
            members = {"known": [row[0] for row in rows]}
            remedy = f"Known: {', '.join(str(row[0]) for row in rows)}"
        raise Problem(400, f"{chosen.name}: there is no {other.kind} {text!r}. {remedy}.",
                      parameter=chosen.name, **members)  # fmt: skip

    def row(self, reader: Reader, table: Table, key: Any) -> bytes | None:
        """The row with that key as JSON; None where there is none."""
        found = reader.execute(f"SELECT CAST(json AS BLOB) FROM {table.name} WHERE {table.key} = ?", [key])
        return found[0][0] if found else None

    def page(self, reader: Reader, question: Question, columns: tuple[str, ...] | None) -> Page:
        """The page that is asked for: whole rows as JSON, or the values of columns. May raise TooSlow."""
        found = None
        if question.search is not None:
            most = INLINE_PLACES if reader is self.inline else None
            found = self._names[question.table.name].with_part(folded(question.search), most)
            if not question.sort:
                return self._ranked(reader, question, columns, found)
        if columns is None:
            return _json_page(reader, question, found)
        rows: list[tuple[Any, ...]] = []
        for sql, values in _statements(reader, question, found, columns):
            rows += reader.execute(sql, [*values, question.limit + 1 - len(rows)])
            if len(rows) > question.limit:
                break
        return _cut(rows, question.limit)

    def _ranked(self, reader: Reader, question: Question, columns: tuple[str, ...] | None, found: list[int]) -> Page:
        """The best matches first: the numbers are ordered here, and only the page's rows are read."""
        if question.chosen or question.time_from is not None or question.time_to is not None:
            source, time_of, _ = _source(reader, question)
            sql = f"SELECT t.n FROM {source} WHERE {_where(question, time_of, searched=True)}"
            kept = {row[0] for row in reader.execute(sql, _values(question, found))}
            found = [number for number in found if number in kept]
        start = found.index(question.after) + 1 if question.after in found else 0
        numbers = found[start : start + question.limit + 1]
        wanted = "CAST(json AS BLOB)" if columns is None else ", ".join(columns)
        sql = f"SELECT n, {wanted} FROM {question.table.name} WHERE n IN (SELECT value FROM json_each(?))"
        rows = {row[0]: row for row in reader.execute(sql, [orjson.dumps(numbers).decode()])}
        page = _cut([rows[number] for number in numbers], question.limit)
        if columns is not None:
            return page
        return Page(page.count, page.last, _BETWEEN.encode().join(row[0] for row in page.values))


def _json_page(reader: Reader, question: Question, found: list[int] | None) -> Page:
    parts, last, count, wanted = [], None, 0, question.limit + 1
    for sql, values in _statements(reader, question, found, None):
        body, numbers, read = reader.execute(sql, [*values, wanted - count])[0]
        if not read:
            continue
        count += read
        if count == wanted:  # one more than asked for: more follow
            kept = numbers.split(",")[:-1]
            body = body.rsplit(_BETWEEN.encode(), 1)[0] if kept else b""
            last = int(kept[-1]) if kept else last
        else:
            last = int(numbers.rsplit(",", 1)[-1])
        if body:
            parts.append(body)
        if count == wanted:
            break
    more = count == wanted
    return Page(count - more, last if more else None, parts[0] if len(parts) == 1 else _BETWEEN.encode().join(parts))


def _cut(rows: list[tuple[Any, ...]], limit: int) -> Page:
    """A page of rows that begin with their number; one more than the limit says that more follow."""
    more, kept = len(rows) > limit, rows[:limit]
    return Page(len(kept), kept[-1][0] if more else None, values=[row[1:] for row in kept])


def _statements(
    reader: Reader, question: Question, found: list[int] | None, columns: tuple[str, ...] | None
) -> Iterator[tuple[str, list[Any]]]:
    """The statements that give the page's rows one after the other; each still lacks its limit."""
    shape = _shape(reader, question, found is not None, columns)
    values = _values(question, found)
    if not question.after:
        yield shape.first, values
        return
    before: tuple[Any, ...] = ()
    if shape.order:
        names = ", ".join(name for name, _ in shape.order)
        rows = reader.execute(f"SELECT {names} FROM {question.table.name} WHERE n = ?", [question.after])
        if not rows:
            return
        before = rows[0]
    for condition, more in _after(question.table, shape, before, question.after):
        yield shape.text.replace(_CONDITION, condition), [*values, *more]


def _after(table: Table, shape: Shape, before: Sequence[Any], last: int) -> Iterator[tuple[str, list[Any]]]:
    """The conditions of the rows that come after one, the nearest first."""
    order, at = shape.order, shape.at
    for size in range(len(order), -1, -1):
        same, values = [f"{each} IS ?" for each in at[:size]], [*before[:size]]
        if size == len(order):
            yield " AND ".join([*same, f"{shape.number} > ?"]), [*values, last]
        elif before[size] is not None:
            name, down = order[size]
            yield " AND ".join([*same, f"{at[size]} {'<' if down else '>'} ?"]), [*values, before[size]]
            if next(column for column in table.columns if column.name == name).nullable:
                yield " AND ".join([*same, f"{at[size]} IS NULL"]), values


def _shape(reader: Reader, question: Question, searched: bool, columns: tuple[str, ...] | None) -> Shape:
    """The statement of a question, but for its values: made once for all questions that differ in nothing else."""
    chosen = question.chosen
    key = (
        question.table.name, tuple([(name, len(values), through) for name, values, through in chosen]),
        question.time_from is not None, question.time_to is not None, question.time_from == question.time_to,
        searched, question.sort, columns,
    )  # fmt: skip
    known = reader.shapes.get(key)
    if known is None:
        if len(reader.shapes) >= _SHAPES:
            reader.shapes.clear()
        known = reader.shapes[key] = _new_shape(reader, question, searched, columns)
    return known


def _new_shape(reader: Reader, question: Question, searched: bool, columns: tuple[str, ...] | None) -> Shape:
    table, exact = question.table, _exact_time(question)
    source, time_of, number = _source(reader, question)
    order, time = question.sort, _time_name(table)
    is_range = not exact and (question.time_from is not None or question.time_to is not None)
    if not order and time and (is_range or (table.is_ordered_by_time and not exact)):
        # An index on the time then gives the rows as they are wanted; in a table that is stored so, it is its order.
        order = ((time, False),)
    at = [time_of if name == time else f"t.{name}" for name, _ in order]
    # What cannot be null is not said to come last when it is: an index would not give that order.
    never = {column.name for column in table.columns if not column.nullable} | ({time} if is_range else set())
    ends = [f"{where} DESC" if down else where if name in never else f"{where} NULLS LAST"
            for where, (name, down) in zip(at, order, strict=True)]  # fmt: skip
    ends.append(number)
    wanted = "t.json, t.n" if columns is None else ", ".join(["t.n", *(f"t.{name}" for name in columns)])
    where = _where(question, time_of, searched)
    text = f"SELECT {wanted} FROM {source} WHERE {where} AND {_CONDITION} ORDER BY {', '.join(ends)} LIMIT ?"
    if columns is None:
        text = f"SELECT CAST(group_concat(json, '{_BETWEEN}') AS BLOB), group_concat(n), count(*) FROM ({text})"
    return Shape(text, text.replace(_CONDITION, "1"), order, at, number)


def _time_name(table: Table) -> str | None:
    return None if table.time is None else str(table.time.name)


def _exact_time(question: Question) -> bool:
    return question.time_from is not None and question.time_from == question.time_to


def _source(reader: Reader, question: Question) -> tuple[str, str, str]:
    """The tables that are read, and where the time and the number of a row are.

    Parameters of other tables with one value each come first, the rarest value before all others.
    """
    table, time_of = question.table, f"t.{_time_name(question.table)}"
    tables = [via(table, table.filters[c.name]) for c in question.chosen if c.via and len(c.values) == 1]
    if not tables:
        return f"{table.name} t", time_of, "t.n"
    tables.sort(key=reader.rows_of_a_value)
    first = tables[0]
    joins = [first, *(f"{name} ON {name}.n = {first}.n" for name in tables[1:]), f"{table.name} t ON t.n = {first}.n"]
    has_time = question.time_from is not None or question.time_to is not None
    return " CROSS JOIN ".join(joins), f"{first}.time" if has_time and not question.sort else time_of, f"{first}.n"


def _where(question: Question, time_of: str, searched: bool) -> str:
    """The conditions that the parameters make; `_values` has their values in the same order."""
    conditions = []
    for chosen in question.chosen:
        one = len(chosen.values) == 1
        marks = "= ?" if one else f"IN ({', '.join('?' * len(chosen.values))})"
        if not chosen.via:
            conditions.append(f"t.{chosen.name} {marks}")
        else:
            name = via(question.table, question.table.filters[chosen.name])
            conditions.append(f"{name}.value {marks}" if one else f"t.n IN (SELECT n FROM {name} WHERE value {marks})")
    if _exact_time(question):
        conditions.append(f"{time_of} = ?")
    else:
        conditions += [f"{time_of} >= ?"] if question.time_from is not None else []
        conditions += [f"{time_of} <= ?"] if question.time_to is not None else []
        if question.time_to is not None and question.time_from is None and not time_of.startswith("t."):
            conditions.append(f"{time_of} > {UNKNOWN}")
    if searched:
        conditions.append("t.n IN (SELECT value FROM json_each(?))")
    return " AND ".join(conditions) or "1"


def _values(question: Question, found: list[int] | None) -> list[Any]:
    values = [value for chosen in question.chosen for value in chosen.values]
    if question.time_from is not None:
        values.append(question.time_from)
    if question.time_to is not None and not _exact_time(question):
        values.append(question.time_to)
    if found is not None:
        values.append(orjson.dumps(found).decode())
    return values
