"""The I/O manager of dagster-duckdb, made atomic, for relations and for pandas frames.

The stock one autocommits a delete and then an insert by position: a failure in between loses the table.
This one writes in one transaction, by column name, into the table that the contract declares. Whoever asks for a
relation gets the table itself, of which the database reads what is used; whoever asks for a frame gets all of it,
in the contract's types. Rows are in the order of the key.
"""

import contextlib
import sys
from abc import ABC
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
from dagster._core.storage.db_io_manager import DbIOManager, DbTypeHandler, TableSlice
from dagster_duckdb.io_manager import DuckDbClient, DuckDBIOManager
from pydantic import Field

from movies_platform.contracts.relations import Relation, conforming, typed
from movies_platform.contracts.tables import qualified, table_named
from movies_platform.resources import warehouse
from movies_platform.resources.builds import built_from, deliveries_fingerprint, note_build
from movies_platform.resources.facts import table_facts

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa


class Warehouse(dg.ConfigurableResource["Warehouse"]):
    """Keeps the warehouse open for the length of a run, so that steps do not open it each."""

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Warehouse"]:
        """Hold the one connection while the run's steps use it."""
        with warehouse.opened():
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


class RelationHandler(DbTypeHandler[Relation]):
    """Relations of the warehouse <-> tables, as their contracts declare them."""

    @property
    def supported_types(self) -> Sequence[type[object]]:
        """Only relations."""
        return [Relation]

    def handle_output(self, context: dg.OutputContext, table_slice: TableSlice, obj: Relation, connection: Any) -> None:
        """Store the rows; those of before are already deleted in the same transaction."""
        contract = _contract(table_slice)
        context.add_output_metadata(table_facts(contract, store(connection, contract, obj)))

    def load_input(self, context: dg.InputContext, table_slice: TableSlice, connection: Any) -> Relation:
        """The table, or the columns asked for; nothing is read yet."""
        table: Relation = connection.table(qualified(_contract(table_slice)))
        return table.project(", ".join(table_slice.columns)) if table_slice.columns else table


class Frame(ABC):  # noqa: B024  (nothing is made of it: it is only compared with)
    """Stands for pandas.DataFrame and what is derived from it, without importing pandas.

    No asset of the platform takes or gives a frame, and importing pandas takes longer than computing an answer.
    Whoever names the type, or has a frame, has imported it: so it is looked up when Dagster compares types.
    """

    @classmethod
    def __subclasshook__(cls, kind: type) -> bool:
        frame = getattr(sys.modules.get("pandas"), "DataFrame", None)
        return frame is not None and issubclass(kind, frame)


class FrameHandler(DbTypeHandler["pd.DataFrame"]):
    """Frames <-> tables, as their contracts declare them."""

    @property
    def supported_types(self) -> Sequence[type[object]]:
        """Only pandas frames."""
        return [Frame]

    def handle_output(
        self, context: dg.OutputContext, table_slice: TableSlice, obj: "pd.DataFrame", connection: Any
    ) -> None:
        """Store the frame; its rows of before are already deleted in the same transaction."""
        from movies_platform.contracts.frames import conform

        contract = _contract(table_slice)
        with as_relation(connection, contract, conform(obj, contract)) as rows:
            context.add_output_metadata(table_facts(contract, store(connection, contract, rows)))

    def load_input(self, context: dg.InputContext, table_slice: TableSlice, connection: Any) -> "pd.DataFrame":
        """The table's rows, with the columns asked for, in the order of its key."""
        contract = _contract(table_slice)
        return load(connection, contract, list(table_slice.columns or []))


class ContractIOManager(DuckDBIOManager):
    """`DuckDBIOManager` with atomic, contract-bound writes."""

    database: str = Field(default="", description="Not used: the settings name the warehouse.")
    warehouse: dg.ResourceDependency[Warehouse]

    @staticmethod
    def type_handlers() -> Sequence[DbTypeHandler[Any]]:
        """For relations and for pandas."""
        return [RelationHandler(), FrameHandler()]

    def create_io_manager(self, context: dg.InitResourceContext) -> DbIOManager:
        """Built on dagster-duckdb's own, with our client."""
        return DbIOManager(
            db_client=TransactionClient(),
            database="warehouse",
            schema=None,
            type_handlers=self.type_handlers(),
            default_load_type=Relation,
            io_manager_name="ContractIOManager",
        )


def replace(connection: duckdb.DuckDBPyConnection, contract: "sa.Table", rows: Relation) -> int:
    """Put the rows in the place of the table's; how many they are. To be called in a transaction.

    Raises ContractViolation where they do not fit the table.
    """
    connection.execute(f"DELETE FROM {warehouse.ensure(connection, contract)}")
    return store(connection, contract, rows)


def store(connection: duckdb.DuckDBPyConnection, contract: "sa.Table", rows: Relation) -> int:
    """Insert rows by column name and note what they were computed from; how many they are."""
    query = conforming(rows, contract).sql_query()
    inserted = connection.execute(f"INSERT INTO {qualified(contract)} BY NAME {query}").fetchone()
    core = built_from(connection, table_named("core.movies"))
    note_build(connection, contract, core or deliveries_fingerprint(connection))
    return int(inserted[0]) if inserted else 0


@contextlib.contextmanager
def as_relation(
    connection: duckdb.DuckDBPyConnection, contract: "sa.Table", frame: "pd.DataFrame"
) -> Iterator[Relation]:
    """A conforming frame where the database can read it."""
    connection.register("given_frame", frame)
    try:
        yield connection.table("given_frame").project(typed(contract))
    finally:
        connection.unregister("given_frame")


def load(connection: duckdb.DuckDBPyConnection, contract: "sa.Table", columns: list[str]) -> "pd.DataFrame":
    """The table as a frame in the contract's types; shape (rows, columns asked for or all)."""
    from movies_platform.contracts.frames import dtype_of

    chosen = columns or [column.name for column in contract.columns]
    # Rows are stored in the order of the key and DuckDB keeps it: no sorting.
    rows = connection.execute(f"SELECT {', '.join(chosen)} FROM {qualified(contract)}").df()
    return rows.astype({name: dtype_of(contract.columns[name]) for name in chosen})


def _contract(table_slice: TableSlice) -> "sa.Table":
    return table_named(f"{table_slice.schema}.{table_slice.table}")
