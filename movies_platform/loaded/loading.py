"""Loading every database that the settings name, each on its own: one that fails keeps no other from its rows."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from movies_platform.errors import LoadFailed, MoviesPlatformError, SettingsError
from movies_platform.loaded.database import Database, Loaded
from movies_platform.loaded.source import Source

_CONNECT_SECONDS = 10
_SILENT_SECONDS = 900  # without a word from the server, it is gone
_DRIVERS = {
    "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg", "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql", "sqlite": "sqlite+pysqlite",
}  # fmt: skip
# Refused by the server for a reason that waiting does not mend; PostgreSQL says so in words only.
_HOPELESS_CODES = {1044, 1045, 1049, 1142, 1227}
_HOPELESS_WORDS = re.compile(r"authentication failed|no pg_hba.conf entry|FATAL: +(role|database) .* does not exist")


@dataclass(frozen=True)
class Attempt:
    """What became of one database: what was loaded, or the error."""

    name: str
    loaded: Loaded | None = None
    error: Exception | None = None

    @property
    def is_worth_another(self) -> bool:
        """Whether it failed for a reason that may pass by itself."""
        return self.error is not None and not isinstance(self.error, MoviesPlatformError)


def open_database(url: str) -> Database:
    """The database of a URL such as `postgresql://user:password@host/database`; nothing is connected yet."""
    try:
        parsed = sa.make_url(url)
        kind = parsed.get_backend_name()
        parsed = parsed.set(drivername=_DRIVERS[kind])
    except (sa.exc.ArgumentError, KeyError, ValueError):
        # the URL may hold a password, also where its port should be, so only its beginning is shown
        raise SettingsError(
            f"MOVIES_LOAD_TO: {url.partition(':')[0]}:... is no database to load. Write "
            "postgresql://user@host/database, mysql://user@host/database, mariadb://user@host/database or "
            "sqlite:////path/file.db."
        ) from None
    if kind in ("postgresql", "postgres"):
        from movies_platform.loaded.postgres import Postgres

        options = {"connect_timeout": _CONNECT_SECONDS, "keepalives_idle": 30, "tcp_user_timeout": 120_000}
        return Postgres(_engine(parsed, options))
    if kind in ("mysql", "mariadb"):
        from movies_platform.loaded.mysql import MySQL

        options = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": _SILENT_SECONDS, "local_infile": True}
        return MySQL(_engine(parsed, options))
    from movies_platform.loaded.sqlite import SQLite

    return SQLite(_engine(parsed, {}))


def load_all(urls: Sequence[str], latest: Callable[[], Source], *, again: bool = False) -> list[Attempt]:
    """Load the latest snapshot into each database."""
    databases = [open_database(url) for url in urls]
    source = latest()
    return [_load(database, source, again=again) for database in databases]


def _load(database: Database, source: Source, *, again: bool) -> Attempt:
    try:
        return Attempt(database.name, database.load(source, again=again))
    except (MoviesPlatformError, OSError) as problem:
        return Attempt(database.name, error=problem)
    except TypeError as problem:  # PyMySQL takes the options of its URL as parameters
        return Attempt(database.name, error=SettingsError(f"MOVIES_LOAD_TO: {problem}. Correct the URL's options."))
    except sa.exc.DBAPIError as problem:
        if isinstance(problem, sa.exc.OperationalError | sa.exc.InterfaceError) and not _is_hopeless(problem):
            return Attempt(database.name, error=problem)
        refused = LoadFailed(str(problem.orig).strip())
        refused.__cause__ = problem
        return Attempt(database.name, error=refused)


def _is_hopeless(problem: sa.exc.DBAPIError) -> bool:
    code = problem.orig.args[0] if problem.orig and problem.orig.args else None
    return code in _HOPELESS_CODES or bool(_HOPELESS_WORDS.search(str(problem.orig)))


def _engine(url: sa.URL, options: Mapping[str, int]) -> sa.Engine:
    # The URL's own options go before ours. No pool: a load is one connection, and its locks go with it.
    chosen = {name: value for name, value in options.items() if name not in url.query}
    return sa.create_engine(url, connect_args=chosen, poolclass=sa.NullPool)
