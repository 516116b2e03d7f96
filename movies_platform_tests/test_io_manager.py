"""The I/O manager: whole frames or nothing, by name, in the contract's types."""

from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import narwhals as nw
import pandas as pd
import pytest

from movies_platform.contracts import table_named
from movies_platform.contracts.catalogue import asset_key
from movies_platform.contracts.columns import types_of
from movies_platform.errors import ContractViolation, MonthIncomplete
from movies_platform.resources import warehouse
from movies_platform.resources.build_log import built_from
from movies_platform.resources.io_manager import ContractIOManager, Warehouse
from movies_platform.resources.spark import Spark
from movies_platform_tests.frames import frame
from movies_platform_tests.test_contracts_rows import add

TABLE = table_named("metrics.most_popular_genre_by_year")
GOOD = pd.DataFrame(
    {"year": [2001, 2000], "measure": ["total", "max"], "genre_id": [1, 2], "genre_name": ["A", "B"],
     "popularity": [1.5, 2.5], "movies": [3, 4]}
)  # fmt: skip


def store(frame: pd.DataFrame, contract=TABLE) -> dg.ExecuteInProcessResult:
    """Store the frame as the asset of a table, as a run does."""

    @dg.asset(key=asset_key(contract), io_manager_key="io_manager")
    def stored() -> pd.DataFrame:
        return frame

    manager = ContractIOManager(warehouse=Warehouse(spark=Spark()))
    return dg.materialize([stored], resources={"io_manager": manager})


def loaded(columns: tuple[str, ...] = (), contract=TABLE) -> pd.DataFrame:
    """What an asset downstream gets, that asks for these columns."""
    seen = []

    @dg.asset(ins={"given": dg.AssetIn(asset_key(contract), metadata={"columns": list(columns)})})
    def reader(given: pd.DataFrame) -> None:
        seen.append(given)

    manager = ContractIOManager(warehouse=Warehouse(spark=Spark()))
    stored = dg.AssetSpec(asset_key(contract)).with_io_manager_key("io_manager")
    dg.materialize([reader, stored], resources={"io_manager": manager})
    return seen[0]


def stored_rows() -> list[tuple[object, ...]]:
    with warehouse.reading() as connection:
        return connection.execute(f"FROM {TABLE.schema}.{TABLE.name}").fetchall()


OLD = [(2000, "max", 2, "B", 2.5, 4), (2001, "total", 1, "A", 1.5, 3)]


def test_columns_are_stored_by_name_and_rows_in_key_order(home: Path):
    result = store(GOOD[["movies", "genre_name", "measure", "popularity", "genre_id", "year"]])
    assert stored_rows() == OLD
    (event,) = result.get_asset_materialization_events()
    assert event.materialization.metadata["dagster/row_count"].value == 2


def test_storing_again_replaces_the_rows(home: Path):
    store(GOOD)
    store(GOOD.head(1))
    assert stored_rows() == OLD[1:]


def test_an_insert_that_fails_keeps_the_old_rows(home: Path):
    store(GOOD)
    with pytest.raises(ContractViolation, match="NOT NULL"):
        store(GOOD.assign(genre_name=["A", None]))
    assert stored_rows() == OLD


def test_a_frame_that_breaks_its_contract_keeps_the_old_rows(home: Path):
    store(GOOD)
    with pytest.raises(ContractViolation, match="movies"):
        store(GOOD.drop(columns="movies"))
    assert stored_rows() == OLD


def test_an_empty_frame_makes_an_empty_table_that_can_be_read(home: Path):
    store(GOOD.head(0))
    assert stored_rows() == []
    found = loaded()
    assert list(found.columns) == [c.name for c in TABLE.columns]
    assert [str(t) for t in found.dtypes] == [types_of(c).pandas for c in TABLE.columns]


def test_an_all_null_text_column_stays_text(home: Path):
    movies = table_named("core.movies")
    store(frame("core.movies", [{"movie_id": 1, "delivery_month": pd.Timestamp("2017-11-01")}]), movies)
    with warehouse.reading() as connection:
        types = connection.execute("SELECT typeof(title), typeof(vote_count), title FROM core.movies").fetchall()
    assert types == [("VARCHAR", "BIGINT", None)]
    store(
        frame("core.movies", [{"movie_id": 1, "title": "T", "delivery_month": pd.Timestamp("2017-11-01")}]),
        movies,
    )
    assert list(loaded(("title",), movies)["title"]) == ["T"]


def test_a_frame_comes_back_in_key_order_with_the_types_of_the_contract(home: Path):
    store(GOOD)
    pd.testing.assert_frame_equal(loaded(), GOOD.sort_values("year", ignore_index=True), check_dtype=False)


def test_nullable_numbers_and_days_come_back_as_they_were(home: Path):
    movies = table_named("core.movies")
    month = pd.Timestamp("2017-11-01")
    rows = [{"movie_id": 2, "release_year": 1999, "release_date": pd.Timestamp("1899-01-02"), "delivery_month": month},
            {"movie_id": 1, "budget_usd": 1.5, "title": "é", "delivery_month": month}]  # fmt: skip
    given = frame("core.movies", rows)
    store(given, movies)
    pd.testing.assert_frame_equal(loaded((), movies), given.sort_values("movie_id", ignore_index=True))


def test_only_the_columns_that_are_asked_for_are_loaded(home: Path):
    store(GOOD)
    assert list(loaded(("genre_id", "year")).columns) == ["genre_id", "year"]


def test_whole_numbers_beyond_the_precision_of_doubles_are_loaded_exactly(home: Path):
    movies, large = table_named("core.movies"), 2**53 + 1
    month = pd.Timestamp("2017-11-01")
    rows = [{"movie_id": 1, "vote_count": large, "delivery_month": month}, {"movie_id": 2, "delivery_month": month}]
    store(frame("core.movies", rows), movies)
    assert loaded(("vote_count",), movies)["vote_count"][0] == large


def test_a_fraction_is_not_stored_as_a_whole_number(home: Path):
    store(GOOD)
    with pytest.raises(ContractViolation, match="movies"):
        store(GOOD.assign(movies=[1.5, 2.0]))
    assert stored_rows() == OLD


def test_two_rows_with_one_key_are_refused_and_the_rows_of_before_stay(home: Path):
    store(GOOD)
    with pytest.raises(ContractViolation, match=r"\(year, measure\) is not unique, for instance"):
        store(pd.concat([GOOD, GOOD.head(1)]))
    assert stored_rows() == OLD


def store_lazily(rows: duckdb.DuckDBPyRelation | str) -> dg.ExecuteInProcessResult:
    """Store a lazy frame over a query in the warehouse."""

    @dg.asset(key=asset_key(TABLE), io_manager_key="io_manager")
    def stored() -> nw.LazyFrame:
        with warehouse.opened() as connection:
            return nw.from_native(connection.sql(rows))

    manager = Warehouse(spark=Spark())
    return dg.materialize(
        [stored], resources={"io_manager": ContractIOManager(warehouse=manager), "warehouse": manager}
    )


ROW = "SELECT 2000 AS year, 'max' AS measure, 2 AS genre_id, 'B' AS genre_name, 2.5::DOUBLE AS popularity, 4 AS movies"


def test_a_lazy_frame_is_computed_where_it_is_stored(home: Path):
    store_lazily(ROW)
    assert stored_rows() == OLD[:1]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (ROW.replace("4 AS movies", "4.5::DOUBLE AS movies"), "movies is Float64"),
        (ROW.replace("'B' AS genre_name, ", ""), "columns missing: ['genre_name']"),
        (f"{ROW} UNION ALL {ROW}", "is not unique"),
        (ROW.replace("'max'", "'luck'"), "measure is none of"),
    ],
    ids=["fraction", "missing column", "same key", "out of range"],
)
def test_a_lazy_frame_that_breaks_its_contract_keeps_the_old_rows(home: Path, rows: str, problem: str):
    store(GOOD)
    with pytest.raises(ContractViolation) as refused:
        store_lazily(rows)
    assert problem in str(refused.value)
    assert stored_rows() == OLD


@pytest.mark.parametrize("kind", [nw.LazyFrame, pd.DataFrame])
def test_parsed_tables_that_are_a_mixture_of_deliveries_are_not_read(home: Path, kind: Any):
    contract = table_named("parsed.parsed_genres")
    with warehouse.opened() as connection:
        add(connection, "raw.deliveries")
        add(connection, "parsed.parsed_genres")

    @dg.asset(ins={"given": dg.AssetIn(asset_key(contract), dagster_type=kind)})
    def reader(given: object) -> None:
        raise AssertionError("not reached")

    manager = Warehouse(spark=Spark())
    resources = {"io_manager": ContractIOManager(warehouse=manager), "warehouse": manager}
    stored = dg.AssetSpec(asset_key(contract)).with_io_manager_key("io_manager")
    with pytest.raises(MonthIncomplete, match="2017-11"):
        dg.materialize([reader, stored], resources=resources)


def test_a_stored_table_notes_from_which_deliveries_it_was_computed(home: Path):
    store(GOOD)
    with warehouse.reading() as connection:
        assert built_from(connection, TABLE) == ""  # nothing was delivered yet
        assert built_from(connection, table_named("core.movies")) is None
