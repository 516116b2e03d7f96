"""Building blocks of contracts: a column says its type, meaning and range in one line.

Suffixes are rules: `_id` identifies, `_date` is a day, `_at` a time in UTC, units come last (`budget_usd`,
`runtime_minutes`).
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

Text, Whole, Real, Day, Time = sa.Text, sa.BigInteger, sa.Double, sa.Date, sa.DateTime
Sources = str | tuple[str, ...]


@dataclass(frozen=True)
class EngineTypes:
    """How the engines spell a type: in DDL, in DuckDB's answers, in pandas (a column may be null), in Narwhals, in
    Spark."""

    ddl: str
    duckdb: str
    pandas: str
    narwhals: str
    spark: str


TYPES: dict[type[Any], EngineTypes] = {
    sa.Text: EngineTypes("TEXT", "VARCHAR", "object", "String", "string"),
    sa.BigInteger: EngineTypes("BIGINT", "BIGINT", "Int64", "Int64", "bigint"),
    sa.Double: EngineTypes("DOUBLE PRECISION", "DOUBLE", "float64", "Float64", "double"),
    sa.Date: EngineTypes("DATE", "DATE", "datetime64[us]", "Date", "date"),
    sa.DateTime: EngineTypes("TIMESTAMP", "TIMESTAMP", "datetime64[us]", "Datetime", "timestamp_ntz"),
}


def types_of(column: sa.Column[Any]) -> EngineTypes:
    """The column's type, as each engine spells it."""
    return TYPES[type(column.type)]


def column(
    name: str,
    type_: Any,
    comment: str,
    *,
    key: bool = False,
    null: bool = True,
    at_least: float | None = None,
    one_of: tuple[str, ...] = (),
    refers_to: str | None = None,
    comes_from: Sources = (),
) -> sa.Column[Any]:
    """A column; key columns are never null.

    `refers_to` is a `schema.table.column`; `comes_from` is one or several, from which the values are computed.
    """
    info = {
        "at_least": at_least,
        "one_of": one_of,
        "comes_from": (comes_from,) if isinstance(comes_from, str) else comes_from,
    }
    constraints = [sa.ForeignKey(refers_to)] if refers_to else []
    return sa.Column(
        name, type_(), *constraints, comment=comment, primary_key=key, nullable=null and not key,
        autoincrement=False, info=info,
    )  # fmt: skip


def delivery_month(*, key: bool = False, comes_from: Sources = ()) -> sa.Column[Any]:
    """The partition column of raw and parsed tables."""
    return column("delivery_month", Day, "month of the delivery, its first day", key=key, null=False,
                  comes_from=comes_from)  # fmt: skip


def movie_id(
    *, key: bool = False, refers_to: str | None = None, null: bool = False, comes_from: Sources = ()
) -> sa.Column[Any]:
    """TMDB's number of a movie."""
    return column("movie_id", Whole, "TMDB's number of the movie", key=key, null=null, at_least=1,
                  refers_to=refers_to, comes_from=comes_from)  # fmt: skip


def record_number(*, key: bool = False, null: bool = False, comes_from: Sources = ()) -> sa.Column[Any]:
    """Where a record stands in its file, as an ordinary CSV reader counts."""
    return column(
        "record_number", Whole, "1-based number of the record in its file, header not counted",
        key=key, null=null, at_least=1, comes_from=comes_from,
    )  # fmt: skip
