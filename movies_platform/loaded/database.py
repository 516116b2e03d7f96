"""What all databases have in common: which snapshot they hold, and what has to be done to bring another."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import sqlalchemy as sa

from movies_platform.contracts.published import SNAPSHOT
from movies_platform.contracts.tables import qualified
from movies_platform.errors import LoadFailed
from movies_platform.loaded.source import Source
from movies_platform.loaded.tables import Pair
from movies_platform.snapshots.manifest import Content


@dataclass(frozen=True)
class Loaded:
    """What a load did: the snapshot, and the tables whose rows were replaced or merged (none: it was there)."""

    snapshot: str
    tables: Sequence[str]


class Database(ABC):
    """A database that takes snapshots. `load` is all that others call."""

    def __init__(self, engine: sa.Engine):
        self.engine = engine

    @property
    def name(self) -> str:
        """Its URL without the password, and without options, which may hold one."""
        url = self.engine.url
        return url.set(drivername=url.get_backend_name(), query={}).render_as_string(hide_password=True)

    @abstractmethod
    def load(self, source: Source, *, again: bool = False) -> Loaded:
        """Bring the database to the snapshot; with `again`, also where it says that it is there already.

        Raises LoadFailed for what a person must mend; a lost connection is raised as it is. In both cases readers
        see what they saw before.
        """

    def pending(self, connection: sa.Connection, pairs: Sequence[Pair], source: Source, *, again: bool) -> "Pending":
        """Compare what the database holds with the snapshot."""
        held = self._held(connection, pairs)
        if held is None or any(
            name not in held.tables or held.tables[name].contract_version != table.contract_version
            for name, table in source.tables.items()
        ):
            return Pending(rebuild=True, pairs=list(pairs))
        if held == Held({source.manifest.snapshot}, source.tables) and not again:
            return Pending(rebuild=False, pairs=[])
        return Pending(
            rebuild=False,
            pairs=[
                pair for pair in pairs
                if again or pair.contract is SNAPSHOT or held.tables[pair.name] != source.tables[pair.name]
            ],
        )  # fmt: skip

    def _held(self, connection: sa.Connection, pairs: Sequence[Pair]) -> "Held | None":
        """What the tables hold; None where the database was never loaded, or lost a table."""
        inspector = sa.inspect(connection)
        if not all(inspector.has_table(p.target.name, schema=p.target.schema) for p in pairs):
            return None
        table = next(p.target for p in pairs if p.contract is SNAPSHOT)
        rows = connection.execute(sa.select(table)).all()
        return Held(
            {row.snapshot_id for row in rows},
            {row.table_name: Content(row.row_count, row.sha256, row.contract_version) for row in rows},
        )


@dataclass(frozen=True)
class Held:
    """What a database says that it holds: snapshot ids (one), and the content of each table by its name."""

    snapshots: Set[str]
    tables: Mapping[str, Content]


@dataclass(frozen=True)
class Pending:
    """What is to be done: nothing (no pairs), merge the pairs' rows, or build all tables anew."""

    rebuild: bool
    pairs: Sequence[Pair]


def expect_rows(connection: sa.Connection, table: sa.Table, contract: sa.Table, source: Source) -> None:
    """Compare the number of rows that arrived; raises LoadFailed."""
    found = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    if found != source.rows(contract):
        raise LoadFailed(f"{qualified(contract)}: {found:,} of {source.rows(contract):,} rows arrived in {table.name}.")
