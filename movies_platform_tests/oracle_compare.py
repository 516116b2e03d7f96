"""Compares rows of the platform with those of the oracle; what the specification leaves open is not compared."""

import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from movies_platform_tests.oracle import COLUMNS, Row
from movies_platform_tests.oracle_reading import Issue

_ONE_COLUMN = {"movies", "genres", "companies", "collections", "countries", "languages", "people", "keywords",
               "movie_links", "movie_ratings"}  # fmt: skip


def key_of(table: str) -> tuple[str, ...]:
    """The key columns of a table; the oracle has them first."""
    name = table.partition(".")[2]
    columns = 1 if name in _ONE_COLUMN else 3 if name == "company_releases_by_genre_by_year" else 2
    return COLUMNS[table][:columns]


def rows_of(warehouse: Path, table: str) -> list[Row]:
    """The rows of a table of the platform, in the form of the oracle's."""
    columns = [f"epoch({c})::BIGINT" if c == "rated_at" else c for c in COLUMNS[table]]
    with duckdb.connect(warehouse, read_only=True) as connection:
        return connection.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()


def differences(table: str, expected: Iterable[Row], found: Iterable[Row]) -> list[str]:
    """What differs, a line for each row: [] when all is as expected. Rows have the columns of COLUMNS, in any order.

    Floats agree to nine digits or six decimals; all else exactly. `rated_at` is in seconds since 1970.
    """
    if table == "raw.data_issues":
        return _differing_issues([Issue(*row) for row in expected], [Issue(*row) for row in found])
    width = len(key_of(table))
    wanted = {row[:width]: row for row in expected}
    rows = list(found)
    given = {row[:width]: row for row in rows}
    lines = [f"{table} {key}: missing" for key in wanted.keys() - given.keys()]
    lines += [f"{table} {key}: not expected" for key in given.keys() - wanted.keys()]
    lines += [f"{table}: {len(rows) - len(given)} keys twice"] if len(rows) > len(given) else []
    for key in wanted.keys() & given.keys():
        pairs = zip(COLUMNS[table], wanted[key], given[key], strict=True)
        lines += [f"{table} {key}: {column} is {b!r}, not {a!r}" for column, a, b in pairs if not _same(a, b)]
    return sorted(lines)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)
    return one == other


def _differing_issues(expected: list[Issue], found: list[Issue]) -> list[str]:
    """Open are a file's `.gz`, the movie of a record whose columns do not add up, and a value that the oracle lacks."""

    def counted(issues: list[Issue]) -> Counter[Issue]:
        return Counter(
            issue._replace(
                source_file=issue.source_file.removesuffix(".gz"),
                movie_id=None if issue.issue == "column_count" else issue.movie_id,
                value=None,
            )
            for issue in issues
        )

    def valued(issues: list[Issue]) -> Counter[tuple]:
        return Counter((i.delivery_month, i.record_number, i.column_name, i.issue, i.value) for i in issues if i.value)

    wanted, given = counted(expected), counted(found)
    lines = [f"missing: {issue}" for issue in (wanted - given).elements()]
    lines += [f"not expected: {issue}" for issue in (given - wanted).elements()]
    return lines + [f"no such value: {value}" for value in (valued(expected) - valued(found)).elements()]
