"""Loading PostgreSQL: everything in one transaction, rows by COPY.

Where the tables are as their contracts declare them, new rows are copied into temporary tables and merged. Where they
are not there yet, or a contract has changed, all are built in a schema beside and moved into place; what was granted
on the old ones is granted on the new.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
import sqlalchemy as sa

from movies_platform.contracts.tables import qualified
from movies_platform.errors import LoadFailed
from movies_platform.loaded.database import Database, Loaded, expect_rows
from movies_platform.loaded.merge import Merge, merge_statements
from movies_platform.loaded.source import NULL, Source
from movies_platform.loaded.tables import (
    Pair,
    comment_statements,
    create_statements,
    reference_statements,
    tables_for,
)

_BESIDE = "movies_loading"
_LOCK = 7_206_881_442  # any number, the same for every load: one at a time
_BLOCK = 1 << 18


class Postgres(Database):
    """A PostgreSQL database; tables go to the schemas `core`, `metrics`, `raw` and `published`."""

    def load(self, source: Source, *, again: bool = False) -> Loaded:
        """See `Database.load`."""
        pairs = tables_for(lambda table: table.schema)
        with self.engine.begin() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            pending = self.pending(connection, pairs, source, again=again)
            if pending.rebuild:
                _rebuild(connection, pairs, source)
            elif pending.pairs:
                _merge(connection, pending.pairs, source)
        return Loaded(source.manifest.snapshot, [pair.name for pair in pending.pairs])


def _merge(connection: sa.Connection, pairs: Sequence[Pair], source: Source) -> None:
    new = {pair.name: pair.target for pair in tables_for(lambda _: None, suffix="__new", references=False)}
    for pair in pairs:
        beside = new[pair.name]
        connection.exec_driver_sql(f"CREATE TEMP TABLE {beside.name} (LIKE {pair.name}) ON COMMIT DROP")
        _copy(connection, pair.contract, beside, source)
        connection.exec_driver_sql(f"ANALYZE {beside.name}")
    for statement in merge_statements([Merge(pair.target, new[pair.name]) for pair in pairs]):
        connection.execute(statement)
    for pair in pairs:
        expect_rows(connection, pair.target, pair.contract, source)


def _rebuild(connection: sa.Connection, pairs: Sequence[Pair], source: Source) -> None:
    beside = tables_for(lambda _: _BESIDE)
    connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {_BESIDE} CASCADE")
    connection.exec_driver_sql(f"CREATE SCHEMA {_BESIDE}")
    for pair in beside:
        for statement in [*create_statements(pair), *comment_statements(pair)]:
            connection.execute(statement)
        _copy(connection, pair.contract, pair.target, source)
        expect_rows(connection, pair.target, pair.contract, source)
    for pair in beside:
        for statement in reference_statements(pair):
            connection.execute(statement)
        connection.exec_driver_sql(f"ANALYZE {_BESIDE}.{pair.target.name}")
    grants = _grants(connection, pairs)
    _drop(connection, pairs)
    for pair in pairs:
        schema = pair.target.schema
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        connection.exec_driver_sql(f"ALTER TABLE {_BESIDE}.{pair.target.name} SET SCHEMA {schema}")
    for grant in grants:
        connection.exec_driver_sql(grant)
    connection.exec_driver_sql(f"DROP SCHEMA {_BESIDE}")


def _copy(connection: sa.Connection, contract: sa.Table, target: sa.Table, source: Source) -> None:
    """Stream the rows in; columns by name."""
    columns = ", ".join(column.name for column in contract.columns)
    name = f"{target.schema}.{target.name}" if target.schema else target.name
    driver: Any = connection.connection.driver_connection
    statement = f"COPY {name} ({columns}) FROM STDIN (FORMAT csv, HEADER, NULL '{NULL}')"
    try:
        with (
            source.csv(contract) as path,
            path.open("rb") as file,
            driver.cursor() as cursor,
            cursor.copy(statement) as copy,
        ):
            while block := file.read(_BLOCK):
                copy.write(block)
    except psycopg.errors.CharacterNotInRepertoire as problem:
        raise LoadFailed(
            f"{qualified(contract)} holds a text with the character NUL, which PostgreSQL cannot store ({problem}). "
            "Deliver the month again without it."
        ) from problem
    except psycopg.Error as problem:  # the driver's own, because COPY goes past SQLAlchemy
        raise sa.exc.DBAPIError.instance(statement, None, problem, psycopg.Error) from problem


def _drop(connection: sa.Connection, pairs: Sequence[Pair]) -> None:
    there = [p.target for p in pairs if sa.inspect(connection).has_table(p.target.name, schema=p.target.schema)]
    if not there:
        return
    try:
        connection.exec_driver_sql(f"DROP TABLE {', '.join(f'{t.schema}.{t.name}' for t in there)}")
    except sa.exc.DBAPIError as problem:
        if getattr(problem.orig, "sqlstate", None) != "2BP01":
            raise
        raise LoadFailed(
            "A contract has changed, so the tables must be built anew, but something of yours depends on them: "
            f"{problem.orig}. Drop it, load, and create it again."
        ) from problem


def _grants(connection: sa.Connection, pairs: Sequence[Pair]) -> list[str]:
    """Statements that grant again what was granted on the tables."""
    found = connection.exec_driver_sql(
        "SELECT format('GRANT %%s ON %%I.%%I TO %%s%%s', acl.privilege_type, n.nspname, c.relname, "
        "CASE WHEN acl.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END, "
        "CASE WHEN acl.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), n.nspname || '.' || c.relname "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) acl "
        "WHERE acl.grantee <> c.relowner"
    ).all()
    ours = {pair.name for pair in pairs}
    return [statement for statement, table in found if table in ours]
