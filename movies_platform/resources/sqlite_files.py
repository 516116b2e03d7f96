"""Database files of SQLite, as Dagster's history keeps them."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS


def kept_engine(url: str) -> sa.Engine:
    """An engine whose connections are kept."""
    engine = sa.create_engine(url, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})

    # In WAL mode NORMAL survives a killed process; only a power cut may lose the last events.
    @sa.event.listens_for(engine, "connect")
    def _relax(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def is_complete(database: Path) -> bool:
    """Whether the database was created to the end: its version is written last."""
    if not database.exists():
        return False
    with contextlib.closing(sqlite3.connect(database)) as connection, contextlib.suppress(sqlite3.Error):
        return bool(connection.execute("SELECT 1 FROM alembic_version").fetchall())
    return False
