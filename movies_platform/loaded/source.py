"""The snapshot to load: its manifest, its database on this machine, and its tables as CSV for bulk loading."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import sqlalchemy as sa

from movies_platform.contracts.ddl import literal
from movies_platform.contracts.published import SNAPSHOT
from movies_platform.contracts.tables import qualified
from movies_platform.resources.settings import settings
from movies_platform.snapshots.manifest import Content, Manifest
from movies_platform.snapshots.reading import database_of, latest_snapshot

NULL = "NULL"  # without quotes, as both PostgreSQL and MySQL can read it; the text NULL is in quotes


@dataclass(frozen=True)
class Source:
    """A snapshot's content, ready to be read."""

    manifest: Manifest
    database: Path

    @property
    def tables(self) -> dict[str, Content]:
        """What each table holds, by qualified name."""
        return self.manifest.tables

    def rows(self, table: sa.Table) -> int:
        """Rows of a table."""
        return len(self.tables) if table is SNAPSHOT else self.tables[qualified(table)].rows

    @contextlib.contextmanager
    def csv(self, table: sa.Table) -> Iterator[Path]:
        """The table as a CSV file with a header line, texts in quotes, `NULL` for null; removed afterwards."""
        scratch = settings().scratch
        scratch.mkdir(parents=True, exist_ok=True)
        path = scratch / f"{table.name}-{secrets.token_hex(4)}.csv"
        texts = ", ".join(c.name for c in table.columns if isinstance(c.type, sa.Text))
        quoted = f", FORCE_QUOTE ({texts})" if texts else ""
        try:
            with duckdb.connect(self.database, read_only=True) as connection:
                connection.execute(
                    f"COPY {qualified(table)} TO {literal(path)} (FORMAT csv, HEADER, NULLSTR '{NULL}'{quoted})"
                )
            yield path
        finally:
            path.unlink(missing_ok=True)

    def batches(self, table: sa.Table, size: int) -> Iterator[list[tuple[object, ...]]]:
        """The table's rows, `size` at a time, columns as in the contract."""
        with duckdb.connect(self.database, read_only=True) as connection:
            rows = connection.execute(f"SELECT * FROM {qualified(table)}")
            while batch := rows.fetchmany(size):
                yield batch


def latest_source() -> Source:
    """The latest snapshot; raises NoSnapshot before the first."""
    snapshot = latest_snapshot()
    return Source(snapshot.manifest, database_of(snapshot))
