"""A path and its parameters -> the answer about rows: which rows are meant, and their page as JSON or CSV."""

import csv
import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

import orjson

from movies_platform.api.problems import Problem
from movies_platform.api.questions import identifier, question
from movies_platform.api.rows import Opened, Reader
from movies_platform.api.tables import Related, Table, related, served_tables

JSON, CSV = b"application/json", b"text/csv; charset=utf-8; header=present"
_RANGES = {JSON: (JSON, b"application/*", b"*/*"), CSV: (b"text/csv", b"text/*", b"*/*")}
UNIT = 100  # rows that cost one unit of a quota
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Place:
    """What a path means: the rows of a table, one row (`key`), or what is related to one. `route` names its kind."""

    route: str
    table: Table
    key: str | None = None
    relation: Related | None = None


@dataclass(slots=True)
class Answer:
    """An answer that may be kept: its units, and everything but what differs from caller to caller."""

    headers: Headers
    body: bytes
    cost: int


def place_of(path: str) -> Place | None:
    """The rows that a path means; None where it means none."""
    if not path.startswith("/v1/"):
        return None
    parts = path.split("/")[2:]
    in_metrics = parts[0] == "metrics"
    if in_metrics:
        parts = parts[1:]
    table = served_tables().get(parts[0]) if parts else None
    if table is None or in_metrics != (table.contract.schema == "metrics") or not all(parts):
        return None
    if len(parts) == 1:
        return Place(table.path, table)
    if table.key and len(parts) == 2:
        return Place(f"{table.path}/{{{table.key}}}", table, parts[1])
    if table.key and len(parts) == 3:
        for each in related(table.name):
            if each.path == parts[2]:
                return Place(f"{table.path}/{{{table.key}}}/{each.path}", table, parts[1], each)
    return None


@lru_cache(100)
def media_type(accept: bytes | None) -> bytes:
    """JSON or CSV, by an Accept header; raises Problem where it takes neither.

    Of equal weights the first one that is named is taken. The most specific range says what a form weighs (RFC 9110).
    """
    given: dict[bytes, tuple[float, int]] = {}
    for place, part in enumerate((accept or b"*/*").lower().split(b",")):
        name, *more = (each.strip() for each in part.split(b";"))
        try:
            weight = next((float(each[2:]) for each in more if each.startswith(b"q=")), 1.0)
        except ValueError:
            weight = 1.0
        given.setdefault(name, (weight, -place))
    weights = {kind: next((given[name] for name in ranges if name in given), (0.0, 0))
               for kind, ranges in _RANGES.items()}  # fmt: skip
    best = max(weights, key=lambda kind: weights[kind])
    if not weights[best][0] > 0:
        raise Problem(406, "Rows come as application/json or text/csv. Accept one of them.")
    return best


class Asked:
    """A question as it was understood: what it costs, how many rows it may have, and how it is answered."""

    __slots__ = ("_given", "_key", "_kind", "_opened", "_path", "_place", "_question", "cost", "rows")

    def __init__(self, place: Place, given: dict[str, str], opened: Opened, kind: bytes):
        """Raises Problem for parameters that are wrong, and for a table that is not served."""
        own, fixed = opened.table(place.table), None
        self._place, self._given, self._opened, self._kind, self._path = place, given, opened, kind, own.path
        self._key: Any = None
        if place.key is not None:
            self._key = place.key if own.has_text_key else identifier(place.key)
            if place.relation is None:
                self.rows = self.cost = 1
                self._question = question(own, _only(given, "fields", "snapshot"), opened.resolve)
                return
            own, fixed = opened.table(place.relation.table), (place.relation.by, self._key)
            self._path = f"{self._path}/{place.key}/{place.relation.path}"
        self._question = question(own, given, opened.resolve, fixed)
        self.rows = self._question.limit
        self.cost = -(-self.rows // UNIT)

    def answer(self, reader: Reader) -> Answer:
        """The answer; raises Problem where there is no such row, TooSlow where it takes too long."""
        if self._place.key is None:
            return self._page(reader)
        table = self._place.table
        found = None if self._key is None else self._opened.row(reader, table, self._key)
        if found is None:
            raise Problem(404, f"There is no {table.kind} {self._place.key!r} in snapshot {self._opened.snapshot}.")
        return self._page(reader) if self._place.relation else self._row(found)

    def _row(self, found: bytes) -> Answer:
        fields, names = self._question.fields, self._place.table.names
        if fields or self._kind is CSV:
            row = orjson.loads(found)
            values = {name: row[name] for name in fields or names}
            if self._kind is CSV:
                return Answer([(b"content-type", CSV)], _csv(tuple(values), [tuple(values.values())]), 1)
            found = orjson.dumps(values)
        body = b'{"data":%b,"snapshot":"%b"}' % (found, self._opened.snapshot.encode())
        return Answer([(b"content-type", JSON)], body, 1)

    def _page(self, reader: Reader) -> Answer:
        asked, kind, opened = self._question, self._kind, self._opened
        columns = asked.fields or (asked.table.names if kind is CSV else None)
        page = opened.page(reader, asked, columns)
        cursor = None if page.last is None else asked.cursor(opened.snapshot, page.last)
        headers = [(b"content-type", kind)]
        if cursor:
            link = f'<{quote(self._path)}?{_following(self._given, cursor)}>; rel="next"'
            headers.append((b"link", link.encode()))
        if kind is CSV:
            return Answer(headers, _csv(columns or (), page.values), self.cost)
        rows = page.json if columns is None else _objects(columns, page.values)
        after = b'"%b"' % cursor.encode() if cursor else b"null"
        body = b'{"data":[%b],"page":{"limit":%d,"count":%d,"next_cursor":%b},"snapshot":"%b"}' % (
            rows, asked.limit, page.count, after, opened.snapshot.encode(),
        )  # fmt: skip
        return Answer(headers, body, self.cost)


def _only(given: dict[str, str], *known: str) -> dict[str, str]:
    for name in given:
        if name not in known:
            raise Problem(400, f"There is no parameter {name!r} here. Known: {', '.join(known)}.",
                          parameter=name, known=list(known))  # fmt: skip
    return given


def _following(given: dict[str, str], cursor: str) -> str:
    """The query of the next page. Most values need no quotes, and quoting is slow."""
    parts = (f"{name}={value if value.isalnum() and value.isascii() else quote_plus(value)}"
             for name, value in given.items() if name != "cursor")  # fmt: skip
    return "&".join([*parts, f"cursor={cursor}"])


def _objects(columns: tuple[str, ...], rows: Any) -> bytes:
    return orjson.dumps([dict(zip(columns, row, strict=True)) for row in rows])[1:-1]


def _csv(columns: tuple[str, ...], rows: Any) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()
