"""Contracts -> what is wrong with a stored table: columns, missing values, ranges, keys, references.

Columns and keys are enforced when a table is written; a check shows all of it (`checks.contract`), and publishing asks
again.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import sqlalchemy as sa

from movies_platform.contracts.columns import types_of
from movies_platform.contracts.tables import key_of, qualified, quoted, references_of


def violations_of(
    connection: duckdb.DuckDBPyConnection, table: sa.Table, where: str = "true", *, references: bool = True
) -> list[tuple[str, int]]:
    """What breaks the table's contract in the rows `where` (SQL): (a sentence, how many rows)."""
    if wrong := list(_wrong_columns(connection, table)):
        return [(what, 0) for what in wrong]
    rows = f"(SELECT * FROM {qualified(table)} WHERE {where})"
    return [
        *_wrong_values(connection, table, rows),
        *_doubled_keys(connection, table, rows),
        *(_broken_references(connection, table, rows) if references else ()),
    ]


def _wrong_columns(connection: duckdb.DuckDBPyConnection, table: sa.Table) -> Iterator[str]:
    declared = {column.name: types_of(column).duckdb for column in table.columns}
    stored = {d[0]: str(d[1]) for d in connection.execute(f"SELECT * FROM {qualified(table)} LIMIT 0").description}
    for name in sorted({*declared, *stored}):
        if name not in declared:
            yield f"column {name} is not declared"
        elif name not in stored:
            yield f"column {name} does not exist"
        elif declared[name] != stored[name]:
            yield f"column {name} is {stored[name]}, not {declared[name]}"


def _wrong_values(connection: duckdb.DuckDBPyConnection, table: sa.Table, rows: str) -> Iterator[tuple[str, int]]:
    rules = [rule for column in table.columns for rule in _rules(column)]
    counted = ", ".join(f"count(*) FILTER ({condition})" for _, condition in rules)
    counts = connection.execute(f"SELECT {counted or 0} FROM {rows}").fetchall()[0]
    yield from ((what, count) for (what, _), count in zip(rules, counts, strict=False) if count)


def _rules(column: sa.Column[Any]) -> Iterator[tuple[str, str]]:
    """(what is wrong, condition in SQL) for the values a column must not hold."""
    stored = quoted(column.name)
    if not column.nullable:
        yield f"{column.name} is missing", f"{stored} IS NULL"
    if (least := column.info.get("at_least")) is not None:
        yield f"{column.name} is below {least}", f"{stored} < {least}"
    if choices := column.info.get("one_of"):
        known = ", ".join(f"'{choice}'" for choice in choices)
        yield f"{column.name} is none of {', '.join(choices)}", f"{stored} NOT IN ({known})"


def _doubled_keys(connection: duckdb.DuckDBPyConnection, table: sa.Table, rows: str) -> Iterator[tuple[str, int]]:
    if (names := key_of(table)) and not _ascends(connection, names, rows):
        # What is the same in all rows, as the month and the file of millions of ratings, tells none of them apart.
        varied = ", ".join(f"min({name}) IS DISTINCT FROM max({name}) OR count({name}) < count(*)" for name in names)
        differ = connection.execute(f"SELECT {varied} FROM {rows}").fetchall()[0]
        telling = [name for name, differs in zip(names, differ, strict=True) if differs] or names[:1]
        key = ", ".join(names)
        shown = ", ".join(name if name in telling else f"any_value({name}) AS {name}" for name in names)
        doubles = f"SELECT {shown}, count(*) AS times FROM {rows} GROUP BY {', '.join(telling)} HAVING times > 1"
        query = f"SELECT coalesce(sum(times), 0)::BIGINT, any_value(({key})::VARCHAR) FROM ({doubles})"
        found, example = connection.execute(query).fetchall()[0]
        if found:
            yield f"({key}) is not unique, for instance {example}", found


def _ascends(connection: duckdb.DuckDBPyConnection, key: Sequence[str], rows: str) -> bool:
    """Whether each row has a higher key than the one before, in the order in which they are read.

    Then all differ, whatever that order is. Most tables are stored in the order of their key, and are proven so in a
    tenth of the time.
    """
    before = ", ".join(f"lag({name}) OVER () AS before_{name}" for name in key)
    is_higher = "false"
    for name in reversed(key):
        is_higher = f"({name} > before_{name} OR ({name} = before_{name} AND {is_higher}))"
    pairs = f"SELECT {', '.join(key)}, {before} FROM {rows}"
    lower = connection.execute(f"SELECT count(*) FROM ({pairs}) WHERE {is_higher} IS NOT TRUE").fetchall()[0][0]
    return bool(lower <= 1)  # the first row has none before it


def _broken_references(connection: duckdb.DuckDBPyConnection, table: sa.Table, rows: str) -> Iterator[tuple[str, int]]:
    for own, other, theirs in references_of(table):
        condition = " AND ".join(f"a.{a} = b.{b}" for a, b in zip(own, theirs, strict=True))
        known = " AND ".join(f"a.{name} IS NOT NULL" for name in own)
        count = f"SELECT count(*) FROM {rows} a ANTI JOIN {qualified(other)} b ON {condition} WHERE {known}"
        if broken := connection.execute(count).fetchall()[0][0]:
            yield f"{', '.join(own)} is not in {qualified(other)}", broken
