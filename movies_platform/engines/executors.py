"""A database in memory for what an executor does with one file: functions work on it as on the warehouse."""

import contextlib
import tempfile
from collections.abc import Iterator
from typing import Any

import duckdb
import sqlalchemy as sa

from movies_platform.contracts.ddl import create_statements
from movies_platform.engines import places

# An executor has many tasks, each with a file or a piece of one: some 30 to 250 megabytes of text.
_THREADS, _MEMORY = 1, "2GB"


@contextlib.contextmanager
def private_database(place: str, *tables: sa.Table) -> Iterator[duckdb.DuckDBPyConnection]:
    """It holds the tables, empty, and reads and writes files in `place`.

    What does not fit into memory is spilled to the executor's disk.
    """
    with contextlib.ExitStack() as stack:
        spill = stack.enter_context(tempfile.TemporaryDirectory())
        bounds: dict[str, Any] = {"threads": _THREADS, "memory_limit": _MEMORY, "temp_directory": spill}
        connection = stack.enter_context(duckdb.connect(config=bounds))
        connection.execute("SET enable_progress_bar = false")
        places.let_read(connection, place)
        for table in tables:
            connection.execute("; ".join(create_statements(table)))
        yield connection
