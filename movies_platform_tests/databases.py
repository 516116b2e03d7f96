"""Real databases for tests: each test gets one of its own, with a random name, and it is dropped afterwards."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

SERVERS = {
    "postgresql": ("postgresql+psycopg://postgres@127.0.0.1:5432/postgres", 5432),
    "mysql": ("mysql+pymysql://root@127.0.0.1:3306/mysql", 3306),
}
KINDS = ("postgresql", "mysql", "sqlite")


@contextmanager
def new_database(kind: str, folder: Path) -> Iterator[str]:
    """A new, empty database; its URL as a user would write it. Skips the test where the server is not reachable."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'movies.db'}"
        return
    url, port = SERVERS[kind]
    name = f"movies_test_{secrets.token_hex(6)}"
    admin = sa.create_engine(
        url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool, connect_args={"connect_timeout": 5}
    )
    try:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    except sa.exc.OperationalError as problem:
        pytest.skip(f"no {kind} on 127.0.0.1:{port}: {problem.orig}")
    try:
        yield sa.make_url(url).set(drivername=kind, database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            force = " WITH (FORCE)" if kind == "postgresql" else ""
            connection.exec_driver_sql(f"DROP DATABASE {name}{force}")


def reader(url: str) -> sa.Engine:
    """Connections as a reader has them: every table is found by its plain name."""
    parsed = sa.make_url(url)
    drivers = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "sqlite": "sqlite"}
    options = {}
    if parsed.drivername == "postgresql":
        options = {"options": "-csearch_path=core,metrics,raw,published"}
    return sa.create_engine(
        parsed.set(drivername=drivers[parsed.drivername]), connect_args=options, isolation_level="AUTOCOMMIT"
    )
