"""Scripts for warehouses that this platform does not reach by itself: Snowflake and Redshift.

Made from the contracts and the latest snapshot's Parquet files, which must be on S3. They load into a schema apart and
replace the rows of all tables in one transaction, so that readers see whole snapshots and grants stay. They are checked
by a parser of each dialect and were never run against the real service.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from movies_platform.contracts.published import SNAPSHOT
from movies_platform.errors import LoadFailed
from movies_platform.loaded.tables import contract_of, name_of, part_of, target_tables
from movies_platform.published.read import Snapshot, latest_snapshot
from movies_platform.settings import settings

_LOADING = "movies_loading"
_HEADS = {
    "snowflake": """\
-- Needs a storage integration that may read the bucket; put its name where it says MY_INTEGRATION.
CREATE OR REPLACE STAGE movies_snapshot URL = '{place}/' STORAGE_INTEGRATION = MY_INTEGRATION;""",
    "redshift": """\
-- Needs a role that may read the bucket; put its ARN where it says MY_ROLE.""",
}
_STAGES = {
    "snowflake": "CREATE TABLE {staged} LIKE {table}",
    "redshift": "CREATE TABLE {staged} (LIKE {table})",
}
_COPIES = {
    "snowflake": "COPY INTO {staged} FROM @movies_snapshot/{path} "
    "FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE",
    "redshift": "COPY {staged} FROM '{place}/{path}' IAM_ROLE 'MY_ROLE' FORMAT AS PARQUET",
}
KINDS = tuple(_HEADS)


def script_for(kind: str, snapshot: Snapshot | None = None) -> str:
    """The script that loads the latest snapshot into `snowflake` or `redshift`.

    Raises LoadFailed when the snapshot is not on S3.
    """
    found = snapshot or latest_snapshot()
    if not found.store.address.startswith("s3://"):
        raise LoadFailed(f"{kind} reads from S3, but the snapshots are at {found.store.address}. Set MOVIES_PUBLISHED.")
    place = found.store.address.rstrip("/") + "/" + found.pointer.folder
    head = [
        f"-- Snapshot {found.manifest.snapshot} into {kind.title()}, made by movies-platform; run it whole.",
        "-- Checked by a parser, never run against the real service.",
        _HEADS[kind].format(place=place),
    ]
    return "\n".join([*head, "", *(f"{statement};" for statement in _statements(kind, found, place)), ""])


def _statements(kind: str, snapshot: Snapshot, place: str) -> list[str]:
    tables = target_tables(schemas=True, without=settings().load_without)
    manifest = part_of(snapshot.manifest, tables)
    made = [f"CREATE SCHEMA IF NOT EXISTS {schema}" for schema in sorted({f"{table.schema}" for table in tables})]
    made += [statement for table in tables for statement in _create(kind, table)]
    made += [f"DROP SCHEMA IF EXISTS {_LOADING} CASCADE", f"CREATE SCHEMA {_LOADING}"]
    for table in tables:
        staged = f"{_LOADING}.{table.name}"
        made.append(_STAGES[kind].format(staged=staged, table=table))
        made += [
            _COPIES[kind].format(staged=staged, place=place, path=file.path)
            for file in manifest.files
            if file.table == name_of(table) and file.path.startswith("parquet/")
        ]
        if contract_of(table) is SNAPSHOT:
            rows = ", ".join(
                f"('{name}', '{manifest.snapshot}', {content.rows}, '{content.sha256}', '{content.contract_version}')"
                for name, content in manifest.tables.items()
            )
            made.append(f"INSERT INTO {staged} ({_columns(table)}) VALUES {rows}")
    made.append("BEGIN")
    made += [f"DELETE FROM {table}" for table in reversed(tables)]
    made += [
        f"INSERT INTO {table} ({_columns(table)}) SELECT {_columns(table)} FROM {_LOADING}.{table.name}"
        for table in tables
    ]
    return [*made, "COMMIT", f"DROP SCHEMA {_LOADING} CASCADE"]


def _create(kind: str, table: sa.Table) -> list[str]:
    """Statements for the table with keys, references and comments, which both spell as PostgreSQL does."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # (SQLAlchemy's stub)
    dialect.name = kind  # by which a type finds its variant
    statements: list[sa.schema.ExecutableDDLElement] = [
        sa.schema.CreateTable(table, if_not_exists=True),
        sa.schema.SetTableComment(table),
        *(sa.schema.SetColumnComment(column) for column in table.columns),
    ]
    return [str(statement.compile(dialect=dialect)).strip() for statement in statements]


def _columns(table: sa.Table) -> str:
    return ", ".join(column.name for column in table.columns)
