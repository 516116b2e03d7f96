"""Relations that fit a contract, and those that do not."""

import duckdb
import pytest

from movies_platform.contracts import table_named
from movies_platform.contracts.relations import conforming
from movies_platform.errors import ContractViolation

TABLE = table_named("metrics.most_popular_genre_by_year")
GOOD = (
    "2000 AS year, 'max' AS measure, 1 AS genre_id, 'A' AS genre_name, 1.5::DOUBLE AS popularity, 2::HUGEINT AS movies"
)


def relation(columns: str) -> duckdb.DuckDBPyRelation:
    return duckdb.sql(f"SELECT {columns}")


def test_columns_come_in_the_order_and_types_of_the_contract():
    found = conforming(relation("3 AS movies, " + GOOD.removesuffix(", 2::HUGEINT AS movies")), TABLE)
    assert found.columns == [c.name for c in TABLE.columns]
    assert [str(kind) for kind in found.types] == ["BIGINT", "VARCHAR", "BIGINT", "VARCHAR", "DOUBLE", "BIGINT"]


def test_rows_come_in_the_order_of_the_key_year_first():
    rows = relation(GOOD).union(relation(GOOD.replace("2000", "1999"))).union(relation(GOOD.replace("max", "total")))
    assert conforming(rows, TABLE).project("year, measure").fetchall() == [
        (1999, "max"), (2000, "max"), (2000, "total")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (GOOD.replace("'A' AS genre_name, ", ""), r"missing: \['genre_name'\]"),
        (GOOD + ", 1 AS more", r"undeclared: \['more'\]"),
        (GOOD.replace("1 AS genre_id", "1.5::DOUBLE AS genre_id"), "genre_id is DOUBLE"),
        (GOOD.replace("'A'", "1"), "genre_name is INTEGER"),
    ],
    ids=["missing", "undeclared", "a_fraction_for_a_whole_number", "a_number_for_a_text"],
)
def test_what_does_not_fit_is_named(columns, said):
    with pytest.raises(ContractViolation, match=said):
        conforming(relation(columns), TABLE)


def test_a_number_that_is_too_large_stops_the_write():
    too_large = conforming(relation(GOOD.replace("2::HUGEINT", "(2::HUGEINT << 64)")), TABLE)
    with pytest.raises(duckdb.ConversionException):
        too_large.fetchall()
