"""A database in memory beside the warehouse, where rows are prepared before they are stored.

DuckDB reads what a transaction itself has written with one thread only. What is prepared here is committed at once,
by a connection of its own, so that all threads read it, and work goes on beside the warehouse's transaction. It spills
to disk like the warehouse does, and is gone at the end.
"""

import contextlib
from collections.abc import Iterator

import duckdb

STAGING = "staging"


@contextlib.contextmanager
def staging(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """Another connection of the same database, which may write to schema `staging`.

    A transaction of `connection` that is open meanwhile sees what was there when it first looked. It must have ended
    when this ends.
    """
    with connection.cursor() as beside:
        beside.execute(f"ATTACH ':memory:' AS {STAGING}")
        try:
            yield beside
        finally:
            beside.execute(f"DETACH {STAGING}")
