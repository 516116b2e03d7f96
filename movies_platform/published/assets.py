"""The asset of stage published, the snapshot that others read, and its check."""

from typing import Any

import dagster as dg

from movies_platform.contracts.catalogue import OWNER, asset_key, column_schema
from movies_platform.contracts.published import SNAPSHOT, published_tables
from movies_platform.contracts.tables import qualified
from movies_platform.errors import MoviesPlatformError, NoSnapshot, SnapshotDamaged, UnknownTable
from movies_platform.published.read import Snapshot, damaged_files, latest_snapshot
from movies_platform.published.write import Published, publish
from movies_platform.resources import warehouse
from movies_platform.resources.build_log import deliveries_fingerprint, stale_tables

_SHOWN = 10  # of the problems that the check finds


class PublishConfig(dg.Config):
    """`force`: publish also when a table is empty or has shrunk, and write an unchanged snapshot again."""

    force: bool = False


@dg.asset(
    key=asset_key(SNAPSHOT),
    group_name="published",
    deps=[asset_key(table) for table in published_tables()],
    description="All core and metric tables and the issues of each month, as files that others read: Parquet, CSV, "
    "a DuckDB file and two wide reports, with a manifest. A reader sees this snapshot or the one before, never a "
    "mixture. Refused when a table is empty or has shrunk suspiciously; months that were refused or are missing are "
    "named in its metadata.",
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
        return dg.MaterializeResult(metadata=_metadata(publish(force=config.force)))
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
        "refused_months": ", ".join(done.refused) or "none",
        "missing_months": ", ".join(done.missing) or "none",
        "tables": dg.MetadataValue.md("\n".join(lines)),
        "bytes": sum(file.bytes for file in manifest.files),
        "dagster/row_count": sum(table.rows for table in manifest.tables.values()),
    }


@dg.asset_check(
    asset=snapshot,
    description="Every file of the latest snapshot is as its manifest says, and it holds the tables as they are in the "
    "warehouse, computed from the newest deliveries. Otherwise readers get old or damaged data: the message says "
    "which command writes the snapshot again.",
    pool="duckdb",
)
def snapshot_is_complete_and_current() -> dg.AssetCheckResult:
    """Whether the latest snapshot can be read and shows the tables."""
    try:
        found = latest_snapshot()
        problems = [*damaged_files(found), *_differences(found)]
    except (NoSnapshot, SnapshotDamaged, UnknownTable) as problem:
        problems = [str(problem)]
    message = "\n".join(problems[:_SHOWN]) or "The latest snapshot is complete and shows the tables."
    return dg.AssetCheckResult(
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description=message,
        metadata={"problems": len(problems)},
    )


def _differences(found: Snapshot) -> list[str]:
    """Where the tables of the warehouse are not those of the snapshot, one sentence each."""
    manifest = found.manifest
    with warehouse.reading() as connection:
        if stale := [qualified(table) for table in stale_tables(connection)]:
            return [f"{', '.join(stale)} does not show what was delivered. Run 'movies-platform refresh'."]
        rows = {qualified(table): warehouse.row_count(connection, table) for table in published_tables()}
        deliveries = deliveries_fingerprint(connection)
    published = {name: table.rows for name, table in manifest.tables.items()}
    problems = [
        f"{name} has {rows.get(name, 0):,} rows, {published.get(name, 0):,} in the snapshot"
        for name in sorted({*rows, *published}) if rows.get(name) != published.get(name)
    ]  # fmt: skip
    if deliveries != manifest.deliveries:
        problems.append("the snapshot was made from other deliveries than the tables")
    return [f"{problem}. Run 'movies-platform publish'." for problem in problems]
