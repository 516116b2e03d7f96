"""The I/O manager: whole frames or nothing, by name, in the contract's types."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import duckdb
import pandas as pd
import pytest

from movies_platform.contracts import table_named
from movies_platform.contracts.catalogue import asset_key
from movies_platform.contracts.frames import dtype_of
from movies_platform.errors import ContractViolation
from movies_platform.resources import warehouse
from movies_platform.resources.builds import built_from
from movies_platform.resources.io_manager import ContractIOManager, Warehouse, load
from movies_platform_tests.test_metrics_frames import frame

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

    manager = ContractIOManager(warehouse=Warehouse())
    return dg.materialize([stored], resources={"io_manager": manager})


def loaded(columns: tuple[str, ...] = (), contract=TABLE) -> pd.DataFrame:
    """What an asset downstream gets, that asks for these columns."""
    seen = []

    @dg.asset(ins={"given": dg.AssetIn(asset_key(contract), metadata={"columns": list(columns)})})
    def reader(given: pd.DataFrame) -> None:
        seen.append(given)

    manager = ContractIOManager(warehouse=Warehouse())
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
    with pytest.raises(duckdb.ConstraintException, match="NOT NULL"):
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
    assert [str(t) for t in found.dtypes] == [dtype_of(c) for c in TABLE.columns]


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
    pd.testing.assert_frame_equal(loaded(), GOOD.sort_values("year", ignore_index=True))


def test_nullable_numbers_and_days_come_back_as_they_were(home: Path):
    movies = table_named("core.movies")
    month = pd.Timestamp("2017-11-01")
    rows = [{"movie_id": 2, "release_year": 1999, "release_date": pd.Timestamp("1899-01-02"), "delivery_month": month},
            {"movie_id": 1, "budget_usd": 1.5, "title": "é", "delivery_month": month}]  # fmt: skip
    given = frame("core.movies", rows)
    store(given, movies)
    pd.testing.assert_frame_equal(loaded((), movies), given)


def test_only_the_columns_that_are_asked_for_are_loaded(home: Path):
    store(GOOD)
    assert list(loaded(("genre_id", "year")).columns) == ["genre_id", "year"]


def test_whole_numbers_beyond_the_precision_of_doubles_are_loaded_exactly():
    movies, large = table_named("core.movies"), 2**53 + 1
    with duckdb.connect() as connection:
        warehouse.ensure(connection, movies)
        for number, votes in ((1, large), (2, None)):
            connection.execute(
                "INSERT INTO core.movies (movie_id, vote_count, delivery_month) VALUES (?, ?, '2017-11-01')",
                [number, votes],
            )
        assert load(connection, movies, ["vote_count"])["vote_count"][0] == large


def test_a_stored_table_notes_from_which_deliveries_it_was_computed(home: Path):
    store(GOOD)
    with warehouse.reading() as connection:
        assert built_from(connection, TABLE) == ""  # nothing was delivered yet
        assert built_from(connection, table_named("core.movies")) is None


LATE = """
import sys
import dagster as dg
from movies_platform.contracts import table_named
from movies_platform.contracts.catalogue import asset_key
from movies_platform.resources.io_manager import ContractIOManager, Warehouse
table = table_named("metrics.most_popular_genre_by_year")

@dg.asset(key=asset_key(table), io_manager_key="io_manager")
def stored():
    assert "pandas" not in sys.modules
    import pandas as pd
    return pd.DataFrame({"year": [2000], "measure": ["max"], "genre_id": [2], "genre_name": ["B"],
                         "popularity": [2.5], "movies": [4]})

dg.materialize([stored], resources={"io_manager": ContractIOManager(warehouse=Warehouse())})
"""


def test_a_frame_is_stored_though_pandas_came_after_the_io_manager(home: Path):
    subprocess.run([sys.executable, "-c", LATE], check=True, capture_output=True, timeout=60)
    assert stored_rows() == OLD[:1]
