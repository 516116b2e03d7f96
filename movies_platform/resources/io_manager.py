"""The I/O manager of dagster-duckdb-pandas, made atomic and bound to the contracts, with lazy frames beside pandas'.

The stock one autocommits a delete and then an insert by position: a failure in between loses the table. This one
writes in one transaction, by column name, into the table that the contract declares; rows that break the contract
raise, and the rows of before stay. A lazy frame (Narwhals over a DuckDB relation) is computed in the database when it
is stored; a pandas frame comes and goes in the contract's types. Rows are in the order of the key.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
import duckdb
import narwhals as nw
import pandas as pd
import sqlalchemy as sa
from dagster._core.storage.db_io_manager import DbIOManager, DbTypeHandler, TableSlice
from dagster_duckdb.io_manager import DuckDbClient
from dagster_duckdb_pandas import DuckDBPandasIOManager, DuckDBPandasTypeHandler
from pydantic import Field

from movies_platform.contracts.columns import types_of
from movies_platform.contracts.frames import conform, typed_frame
from movies_platform.contracts.tables import qualified, table_named
from movies_platform.contracts.violations import violations_of
from movies_platform.engines import lake, places, spark
from movies_platform.errors import ContractViolation
from movies_platform.resources import warehouse
from movies_platform.resources.build_log import expect_complete_months, fingerprint_from, note_build
from movies_platform.resources.metadata import table_metadata
from movies_platform.resources.run_monitoring import alive
from movies_platform.resources.spark import Spark
from movies_platform.settings import settings


class Warehouse(dg.ConfigurableResource["Warehouse"]):
    """Keeps the warehouse open for the length of a run, so that steps do not open it each.

    `spark` computes what is stored in one that is a lake.
    """

    spark: dg.ResourceDependency[Spark]

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Warehouse"]:
        """Hold the lock of the run, and the one connection once a step has used it."""
        with alive(context.run.run_id) if context.run else contextlib.nullcontext(), warehouse.kept_open():
            yield self

    def opened(self) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
        """The run's connection."""
        return warehouse.opened()

    def transaction(self) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
        """One atomic write; see `warehouse.transaction`."""
        return warehouse.transaction()


class TransactionClient(DuckDbClient):
    """Every table is stored in one transaction on the run's connection."""

    @staticmethod
    @contextlib.contextmanager
    def connect(context: Any, table_slice: TableSlice) -> Iterator[duckdb.DuckDBPyConnection]:
        """To store, a transaction: committed at the end, rolled back on any error. To load, the connection.

        Raises UnknownTable where the table to load is not there; no empty warehouse is made for it. Raises
        MonthIncomplete where parsed tables are of two deliveries of one month: nothing is computed from a mixture.
        """
        if not isinstance(context, dg.OutputContext):
            with warehouse.reading() as connection:
                warehouse.expect_table(connection, _contract(table_slice))
                if table_slice.schema == "parsed":
                    expect_complete_months(connection)
        with warehouse.transaction() if isinstance(context, dg.OutputContext) else warehouse.opened() as connection:
            yield connection

    @staticmethod
    def ensure_schema_exists(context: dg.OutputContext, table_slice: TableSlice, connection: Any) -> None:
        """Create the table as its contract declares it."""
        warehouse.ensure(connection, _contract(table_slice))


class LazyFrameHandler(DbTypeHandler[nw.LazyFrame]):
    """Narwhals' lazy frames <-> tables, as their contracts declare them."""

    @property
    def supported_types(self) -> Sequence[type[object]]:
        """Only lazy frames."""
        return [nw.LazyFrame]

    def handle_output(
        self, context: dg.OutputContext, table_slice: TableSlice, obj: nw.LazyFrame, connection: Any
    ) -> dict[str, Any]:
        """Store the rows; those of before are already deleted in the same transaction."""
        contract = _contract(table_slice)
        sources = [table_named(".".join(dep.asset_key.path)) for dep in context.asset_spec.deps]
        rows = store(connection, contract, obj, fingerprint_from(connection, sources))
        return table_metadata(connection, contract, rows) | (spark.metadata() if settings().is_lake else {})

    def load_input(self, context: dg.InputContext, table_slice: TableSlice, connection: Any) -> nw.LazyFrame:
        """The table, or the columns asked for; nothing is read yet."""
        if settings().is_lake:
            table = spark.table_frame(connection, warehouse.NAME, _contract(table_slice))
        else:
            table = table_frame(connection, _contract(table_slice))
        return table.select(*table_slice.columns) if table_slice.columns else table


class FrameHandler(DuckDBPandasTypeHandler):
    """Pandas frames <-> tables, as their contracts declare them."""

    def handle_output(
        self, context: dg.OutputContext, table_slice: TableSlice, obj: pd.DataFrame, connection: Any
    ) -> dict[str, Any]:
        """Store the frame; its rows of before are already deleted in the same transaction."""
        contract = _contract(table_slice)
        frame = typed_frame(obj, contract)
        # The types are declared: DuckDB, which guesses those of objects, takes a column of nulls for whole numbers.
        columns = ", ".join(f"{name}::{types_of(contract.columns[name]).ddl} AS {name}" for name in frame.columns)
        connection.execute("SET pandas_analyze_sample = 0")
        connection.register("given_frame", frame)
        try:
            given: nw.LazyFrame = nw.from_native(connection.sql(f"SELECT {columns} FROM given_frame"))
            return LazyFrameHandler().handle_output(context, table_slice, given, connection)
        finally:
            connection.unregister("given_frame")

    def load_input(self, context: dg.InputContext, table_slice: TableSlice, connection: Any) -> pd.DataFrame:
        """The rows with the columns asked for, in the order of the key, in the contract's types."""
        return typed_frame(super().load_input(context, table_slice, connection), _contract(table_slice))


class ContractIOManager(DuckDBPandasIOManager):
    """`DuckDBPandasIOManager` with atomic, contract-bound writes, and with lazy frames."""

    database: str = Field(default="", description="Not used: the settings name the warehouse.")
    warehouse: dg.ResourceDependency[Warehouse]

    @staticmethod
    def type_handlers() -> Sequence[DbTypeHandler[Any]]:
        """For lazy frames and for pandas."""
        return [LazyFrameHandler(), FrameHandler()]

    def create_io_manager(self, context: dg.InitResourceContext) -> DbIOManager:
        """The stock one, with a client that uses transactions."""
        return DbIOManager(
            db_client=TransactionClient(),
            database="",
            type_handlers=self.type_handlers(),
            default_load_type=nw.LazyFrame,
            io_manager_name="ContractIOManager",
        )


def table_frame(connection: duckdb.DuckDBPyConnection, contract: sa.Table) -> nw.LazyFrame:
    """A stored table as a lazy frame."""
    frame: nw.LazyFrame = nw.from_native(connection.table(qualified(contract)))
    return frame


def store(connection: duckdb.DuckDBPyConnection, contract: sa.Table, rows: nw.LazyFrame, built_from: str) -> int:
    """Insert rows by column name into an empty table and note what they show; how many they are.

    Raises ContractViolation where they do not fit; the caller's transaction is then to be rolled back.
    """
    found = nw.to_native(conform(rows, contract))
    try:
        if isinstance(found, duckdb.DuckDBPyRelation):
            connection.execute(f"INSERT INTO {qualified(contract)} BY NAME {found.sql_query()}")
        else:
            place = places.new_place(lake.folder_of(connection, warehouse.NAME), qualified(contract))
            files = spark.write(found, place)
            lake.add_files(connection, warehouse.NAME, contract, files)
    except duckdb.ConstraintException as problem:
        raise ContractViolation(f"{qualified(contract)}: {problem}") from problem
    if wrong := violations_of(connection, contract, references=False):
        raise ContractViolation(f"{qualified(contract)}: " + "; ".join(f"{what}: {n:,} rows" for what, n in wrong))
    note_build(connection, contract, built_from)
    return warehouse.row_count(connection, contract)


def _contract(table_slice: TableSlice) -> sa.Table:
    return table_named(f"{table_slice.schema}.{table_slice.table}")
