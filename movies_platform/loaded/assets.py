"""The asset of stage loaded: the databases that hold the latest snapshot, and the check that they do."""

import dagster as dg

from movies_platform.contracts.catalogue import OWNER, asset_key
from movies_platform.contracts.published import SNAPSHOT
from movies_platform.errors import MoviesPlatformError, NoSnapshot
from movies_platform.loaded.databases import compare_all, load_all
from movies_platform.published.read import latest_snapshot
from movies_platform.settings import settings

KEY = dg.AssetKey(["loaded", "warehouses"])
_NONE = "none: MOVIES_LOAD_TO is empty, or nothing is published yet"
_REMEDY = (
    "If not, materialize loaded/warehouses; where somebody changed rows, with 'force' ('movies-platform load --force')."
)


class LoadConfig(dg.Config):
    """`force`: compare and repair every table, also in databases that say they hold the snapshot already."""

    force: bool = False


@dg.asset(
    key=KEY,
    group_name="loaded",
    deps=[asset_key(SNAPSHOT)],
    description="The latest snapshot in the databases of MOVIES_LOAD_TO (PostgreSQL, MySQL or MariaDB, SQLite), with "
    "keys, references, comments and indexes. Their readers see the old snapshot or the new one, never a mixture. "
    "Does nothing where the setting is empty, or where a database holds the snapshot already.",
    kinds={"postgres", "mysql", "sqlite"},
    owners=[OWNER],
    # A server that goes away has half a minute to come back. What waiting does not change fails at once.
    retry_policy=dg.RetryPolicy(max_retries=4, delay=2, backoff=dg.Backoff.EXPONENTIAL),
)
def warehouses(context: dg.AssetExecutionContext, config: LoadConfig) -> dg.MaterializeResult[None]:
    """Every database brought to the latest snapshot."""
    urls = settings().load_to
    if not urls:
        return dg.MaterializeResult(metadata={"databases": _NONE})
    try:
        snapshot = latest_snapshot()
        outcomes = load_all(urls, snapshot, force=config.force)
    except MoviesPlatformError as problem:
        raise dg.Failure(description=str(problem), allow_retries=False) from problem
    failed = [outcome for outcome in outcomes if outcome.error]
    if failed:
        # A server that refuses connections after it had been reached is restarting.
        worth_another = context.retry_number > 0 or any(outcome.may_pass for outcome in failed)
        raise dg.Failure(
            description="Not loaded:\n" + "\n".join(f"{outcome.name}: {outcome.message}" for outcome in failed),
            allow_retries=worth_another,
        ) from failed[0].error
    lines = [f"- {o.name}: {f'{len(o.found)} tables' if o.found else 'as before'}" for o in outcomes]
    return dg.MaterializeResult(
        metadata={"snapshot": snapshot.manifest.snapshot, "databases": dg.MetadataValue.md("\n".join(lines))}
    )


@dg.asset_check(
    asset=KEY,
    description="Each database of MOVIES_LOAD_TO that can be reached holds the latest snapshot: its id, and as many "
    f"rows in each table as the manifest says. {_REMEDY}",
)
def databases_hold_latest_snapshot() -> dg.AssetCheckResult:
    """Compare the databases with the manifest of the latest snapshot."""
    urls = settings().load_to
    try:
        outcomes = compare_all(urls, latest_snapshot()) if urls else []
    except NoSnapshot:
        outcomes = []  # nothing can be older than it
    different = [f"{outcome.name}: {'; '.join(outcome.found)}." for outcome in outcomes if outcome.found]
    lines = [f"- {o.name}: {'; '.join(o.found) or 'equal'}" for o in outcomes if not o.error]
    lines += [f"- {o.name}: not compared, {o.message}" for o in outcomes if o.error]
    return dg.AssetCheckResult(
        passed=not different,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join([*different, _REMEDY]) if different else None,
        metadata={"databases": dg.MetadataValue.md("\n".join(lines) or _NONE)},
    )
