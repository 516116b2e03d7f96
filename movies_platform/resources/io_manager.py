"""The I/O manager of dagster-duckdb-pandas, made atomic.

The stock one autocommits a delete and then an insert by position: a failure in between loses the table.
This one writes in one transaction, by column name, into the table that the contract declares, and
loads frames in the contract's types, rows in the order of the key.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
import pandas as pd
from dagster._core.storage.db_io_manager import DbIOManager, DbTypeHandler, TableSlice
from dagster_duckdb.io_manager import DuckDbClient, DuckDBIOManager
from pydantic import Field

from movies_platform.contracts.catalogue import row_count_metadata
from movies_platform.contracts.ddl import column_type
from movies_platform.contracts.frames import conform, dtype_of
from movies_platform.contracts.tables import table_named
from movies_platform.resources import warehouse
from movies_platform.resources.builds import built_from, deliveries_fingerprint, note_build
from movies_platform.resources.liveness import alive

_STAGED = "staged_as"  # attribute of a frame that `stage` has seen

if TYPE_CHECKING:
    import sqlalchemy as sa


class Warehouse(dg.ConfigurableResource["Warehouse"]):
    """Keeps the warehouse open for the length of a run, so that steps do not open it each."""

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Warehouse"]:
        """Hold the one connection while the run's steps use it."""
        with alive(context.run.run_id if context.run else None), warehouse.opened():
            yield self

    def transaction(self) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
        """One atomic write; see `warehouse.transaction`."""
        return warehouse.transaction()


class TransactionClient(DuckDbClient):
    """Every use of the database is one transaction on the run's connection."""

    @staticmethod
    @contextlib.contextmanager
    def connect(context: Any, _: TableSlice) -> Iterator[duckdb.DuckDBPyConnection]:
        """A transaction: committed at the end, rolled back on any error."""
        with warehouse.transaction() as connection:
            yield connection

    @staticmethod
    def ensure_schema_exists(context: dg.OutputContext, table_slice: TableSlice, connection: Any) -> None:
        """Create the table as its contract declares it."""
        warehouse.ensure(connection, _contract(table_slice))


class ContractPandasHandler(DbTypeHandler[pd.DataFrame]):
    """Frames <-> tables, as their contracts declare them."""

    @property
    def supported_types(self) -> Sequence[type[object]]:
        """Only pandas frames."""
        return [pd.DataFrame]

    def handle_output(
        self, context: dg.OutputContext, table_slice: TableSlice, obj: pd.DataFrame, connection: Any
    ) -> None:
        """Store the frame; its rows of before are already deleted in the same transaction."""
        contract = _contract(table_slice)
        store(connection, contract, conform(obj, contract))
        context.add_output_metadata(row_count_metadata(len(obj)))

    def load_input(self, context: dg.InputContext, table_slice: TableSlice, connection: Any) -> pd.DataFrame:
        """The table's rows, with the columns asked for, in the order of its key."""
        contract = _contract(table_slice)
        return load(connection, contract, list(table_slice.columns or []))


class ContractIOManager(DuckDBIOManager):
    """`DuckDBIOManager` with atomic, contract-bound writes."""

    database: str = Field(default="", description="Not used: the settings name the warehouse.")
    warehouse: dg.ResourceDependency[Warehouse]

    @staticmethod
    def type_handlers() -> Sequence[DbTypeHandler[Any]]:
        """The one handler, for pandas."""
        return [ContractPandasHandler()]

    def create_io_manager(self, context: dg.InitResourceContext) -> DbIOManager:
        """Built on dagster-duckdb's own, with our client."""
        return DbIOManager(
            db_client=TransactionClient(),
            database="warehouse",
            schema=None,
            type_handlers=self.type_handlers(),
            default_load_type=pd.DataFrame,
            io_manager_name="ContractIOManager",
        )


def stage(connection: duckdb.DuckDBPyConnection, contract: "sa.Table", frame: pd.DataFrame) -> str:
    """Bring a conforming frame into the database, beside its table; the name of that temporary table.

    What was checked there is what `store` stores, and a frame is converted only once.
    """
    name = f"staged_{contract.name}"
    connection.register("staging_frame", frame)
    try:
        columns = ", ".join(f"{column.name}::{column_type(column)} AS {column.name}" for column in contract.columns)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {columns} FROM staging_frame")
    finally:
        connection.unregister("staging_frame")
    frame.attrs[_STAGED] = name
    return name


def store(connection: duckdb.DuckDBPyConnection, contract: "sa.Table", frame: pd.DataFrame) -> None:
    """Insert a conforming frame by column name and note what it was computed from."""
    staged = frame.attrs.pop(_STAGED, None) or stage(connection, contract, frame)
    connection.execute(f"INSERT INTO {contract.schema}.{contract.name} BY NAME SELECT * FROM {staged}")
    connection.execute(f"DROP TABLE {staged}")
    core = built_from(connection, table_named("core.movies"))
    note_build(connection, contract, core or deliveries_fingerprint(connection))


def load(connection: duckdb.DuckDBPyConnection, contract: "sa.Table", columns: list[str]) -> pd.DataFrame:
    """The table as a frame in the contract's types; shape (rows, columns asked for or all)."""
    chosen = columns or [column.name for column in contract.columns]
    # Rows are stored in the order of the key and DuckDB keeps it: no sorting.
    rows = connection.execute(f"SELECT {', '.join(chosen)} FROM {contract.schema}.{contract.name}").df()
    return rows.astype({name: dtype_of(contract.columns[name]) for name in chosen})


def _contract(table_slice: TableSlice) -> "sa.Table":
    return table_named(f"{table_slice.schema}.{table_slice.table}")
