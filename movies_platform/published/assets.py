"""The asset of stage published: the snapshot that others read."""

from typing import Any

import dagster as dg

from movies_platform.contracts.catalogue import OWNER, asset_key, column_schema
from movies_platform.contracts.published import SNAPSHOT, published_tables
from movies_platform.errors import MoviesPlatformError
from movies_platform.published.snapshot import Published, publish


class PublishConfig(dg.Config):
    """`insist`: publish also when a table is empty or has shrunk, and write an unchanged snapshot anew."""

    insist: bool = False


@dg.asset(
    key=asset_key(SNAPSHOT),
    group_name="published",
    deps=[asset_key(table) for table in published_tables()],
    description="All core and metric tables and the issues of each month, as files that others read: Parquet, CSV, "
    "a DuckDB file and two wide reports, with a manifest. A reader sees this snapshot or the one before, never a "
    "mixture. Refused when a table is empty or has shrunk suspiciously.",
    kinds={"duckdb", "parquet", "csv"},
    owners=[OWNER],
    metadata={"dagster/column_schema": column_schema(SNAPSHOT)},
    # The S3 client gives up after a second or two; a server that goes away has half a minute to come back.
    retry_policy=dg.RetryPolicy(max_retries=4, delay=2, backoff=dg.Backoff.EXPONENTIAL),
    pool="duckdb",
)
def snapshot(config: PublishConfig) -> dg.MaterializeResult[None]:
    """The latest snapshot; nothing is written when the tables are as they were."""
    try:
        return dg.MaterializeResult(metadata=_metadata(publish(insist=config.insist)))
    except MoviesPlatformError as problem:  # trying again would not help
        raise dg.Failure(description=str(problem), allow_retries=False) from problem


def _metadata(done: Published) -> dict[str, Any]:
    manifest = done.snapshot.manifest
    lines = ["| table | rows |", "|---|---:|", *(f"| {n} | {t.rows:,} |" for n, t in manifest.tables.items())]
    return {
        "snapshot": manifest.snapshot,
        "is_new": done.is_new,
        "place": f"{done.snapshot.store.address}/{done.snapshot.pointer.folder}",
        "months": ", ".join(manifest.months),
        "tables": dg.MetadataValue.md("\n".join(lines)),
        "bytes": sum(file.bytes for file in manifest.files),
        "dagster/row_count": sum(table.rows for table in manifest.tables.values()),
    }
