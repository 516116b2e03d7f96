"""Scripts for warehouses that this platform does not reach by itself: Snowflake and Redshift.

Made from the contracts and the latest snapshot's Parquet files, which must be on S3. They load into a schema beside
and replace the rows of all tables in one transaction, so that readers see whole snapshots and grants stay. They are
checked by a parser of each dialect and were never run against the real service.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from movies_platform.contracts.published import SNAPSHOT
from movies_platform.contracts.tables import qualified
from movies_platform.errors import LoadFailed
from movies_platform.loaded.tables import Pair, comment_statements, create_statements, tables_for
from movies_platform.snapshots.manifest import PublishedFile
from movies_platform.snapshots.reading import Snapshot, latest_snapshot

_BESIDE = "movies_loading"
_REDSHIFT_TEXT = "VARCHAR(65535)"
KINDS = ("snowflake", "redshift")
_HEADS = {
    "snowflake": """\
-- Needs a storage integration that may read the bucket; put its name where it says MY_INTEGRATION.
CREATE OR REPLACE STAGE movies_snapshot URL = '{place}/' STORAGE_INTEGRATION = MY_INTEGRATION;""",
    "redshift": """\
-- Needs a role that may read the bucket; put its ARN where it says MY_ROLE.""",
}
_COPIES = {
    "snowflake": "COPY INTO {table} FROM @movies_snapshot/{path} FILE_FORMAT = (TYPE = PARQUET) "
    "MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE",
    "redshift": "COPY {table} FROM '{place}/{path}' IAM_ROLE 'MY_ROLE' FORMAT AS PARQUET",
}


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
    return "\n".join([*head, "", *(f"{statement};" for statement in statements(kind, found, place)), ""])


def statements(kind: str, snapshot: Snapshot, place: str) -> list[str]:
    """The script's statements, without its head."""
    pairs = tables_for(lambda table: table.schema)
    made = [f"CREATE SCHEMA IF NOT EXISTS {schema}" for schema in sorted({str(p.target.schema) for p in pairs})]
    made += [_ddl(kind, statement, "CREATE TABLE", "CREATE TABLE IF NOT EXISTS") for p in pairs for statement in _of(p)]
    made += [f"DROP SCHEMA IF EXISTS {_BESIDE} CASCADE", f"CREATE SCHEMA {_BESIDE}"]
    for pair in pairs:
        beside = f"{_BESIDE}.{pair.target.name}"
        made.append(f"CREATE TABLE {beside} (LIKE {pair.name})" if kind == "redshift" else
                    f"CREATE TABLE {beside} LIKE {pair.name}")  # fmt: skip
        if pair.contract is SNAPSHOT:
            made.append(_snapshot_rows(snapshot, beside))
        for file in _parquet(snapshot, pair):
            made.append(_COPIES[kind].format(table=beside, place=place, path=file.path))
    made.append("BEGIN")
    made += [f"DELETE FROM {pair.name}" for pair in reversed(pairs)]
    made += [_insert(pair) for pair in pairs]
    return [*made, "COMMIT", f"DROP SCHEMA {_BESIDE} CASCADE"]


def _of(pair: Pair) -> list[sa.schema.ExecutableDDLElement]:
    return [*create_statements(pair, references=True), *comment_statements(pair)]


def _ddl(kind: str, statement: sa.schema.ExecutableDDLElement, plain: str, careful: str) -> str:
    text = str(statement.compile(dialect=postgresql.dialect())).strip()  # type: ignore[no-untyped-call]
    text = text.replace(plain, careful, 1)
    return text.replace(" TEXT", f" {_REDSHIFT_TEXT}") if kind == "redshift" and careful in text else text


def _insert(pair: Pair) -> str:
    columns = ", ".join(column.name for column in pair.target.columns)
    return f"INSERT INTO {pair.name} ({columns}) SELECT {columns} FROM {_BESIDE}.{pair.target.name}"


def _parquet(snapshot: Snapshot, pair: Pair) -> list[PublishedFile]:
    files = snapshot.manifest.files
    return [f for f in files if f.table == qualified(pair.contract) and f.path.startswith("parquet/")]


def _snapshot_rows(snapshot: Snapshot, table: str) -> str:
    rows = ", ".join(
        f"('{name}', '{snapshot.manifest.snapshot}', {c.rows}, '{c.sha256}', '{c.contract_version}')"
        for name, c in snapshot.manifest.tables.items()
    )
    return f"INSERT INTO {table} (table_name, snapshot_id, row_count, sha256, contract_version) VALUES {rows}"
