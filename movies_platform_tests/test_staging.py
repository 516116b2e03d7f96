"""The staging database: seen by the warehouse's transaction, gone at the end."""

import duckdb
import pytest

from movies_platform.resources.staging import staging


@pytest.fixture
def warehouse(tmp_path):
    with duckdb.connect(tmp_path / "warehouse.duckdb") as connection:
        connection.execute("CREATE TABLE stored (n BIGINT)")
        yield connection


def test_a_transaction_stores_what_was_prepared_while_it_went_on(warehouse):
    with staging(warehouse) as beside:
        warehouse.begin()
        warehouse.execute("INSERT INTO stored VALUES (1)")
        beside.execute("CREATE TABLE staging.prepared AS SELECT 2 AS n")
        warehouse.execute("INSERT INTO stored FROM staging.prepared")
        warehouse.commit()
    assert warehouse.execute("FROM stored ORDER BY n").fetchall() == [(1,), (2,)]


def prepare_and_fail(warehouse: duckdb.DuckDBPyConnection) -> None:
    with staging(warehouse) as beside:
        beside.execute("CREATE TABLE staging.prepared AS SELECT 2 AS n")
        raise OSError("no room")


def test_it_is_gone_at_the_end_also_after_a_fault_and_can_be_made_again(warehouse):
    with pytest.raises(OSError, match="no room"):
        prepare_and_fail(warehouse)
    assert ("staging",) not in warehouse.execute("SELECT database_name FROM duckdb_databases()").fetchall()
    with staging(warehouse) as beside, pytest.raises(duckdb.CatalogException):
        beside.execute("FROM staging.prepared")
