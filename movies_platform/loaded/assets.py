"""The asset of stage loaded: the databases that hold the latest snapshot."""

from typing import Any

import dagster as dg

from movies_platform.contracts.catalogue import OWNER, asset_key
from movies_platform.contracts.published import SNAPSHOT
from movies_platform.errors import MoviesPlatformError
from movies_platform.loaded.loading import Attempt, load_all
from movies_platform.loaded.source import latest_source
from movies_platform.resources.settings import settings


class LoadConfig(dg.Config):
    """`again`: compare and mend every table, also in databases that say they hold the snapshot already."""

    again: bool = False


@dg.asset(
    key=dg.AssetKey(["loaded", "warehouses"]),
    group_name="loaded",
    deps=[asset_key(SNAPSHOT)],
    description="The latest snapshot in the databases of MOVIES_LOAD_TO (PostgreSQL, MySQL or MariaDB, SQLite), with "
    "keys, references, comments and indexes. Their readers see the old snapshot or the new one, never a mixture. "
    "Does nothing where the setting is empty, or where a database holds the snapshot already.",
    kinds={"postgres", "mysql", "sqlite"},
    owners=[OWNER],
    # A server that goes away has half a minute to come back.
    retry_policy=dg.RetryPolicy(max_retries=4, delay=2, backoff=dg.Backoff.EXPONENTIAL),
)
def warehouses(context: dg.AssetExecutionContext, config: LoadConfig) -> dg.MaterializeResult[None]:
    """Every database brought to the latest snapshot."""
    try:
        attempts = load_all(settings().load_to, latest_source, again=config.again)
    except MoviesPlatformError as problem:
        raise dg.Failure(description=str(problem), allow_retries=False) from problem
    _raise_failures(context, attempts)
    return dg.MaterializeResult(metadata=_metadata(attempts))


def _raise_failures(context: dg.AssetExecutionContext, attempts: list[Attempt]) -> None:
    failed = [attempt for attempt in attempts if attempt.error]
    if not failed:
        return
    lines = [f"{a.name}: {_first_line(a.error)}" for a in failed]
    for line in lines:
        context.log.error(line)
    worth_another = any(attempt.is_worth_another for attempt in failed)
    raise dg.Failure(description="Not loaded: " + "\n".join(lines), allow_retries=worth_another) from failed[0].error


def _first_line(error: Exception | None) -> str:
    return str(getattr(error, "orig", None) or error).strip()


def _metadata(attempts: list[Attempt]) -> dict[str, Any]:
    if not attempts:
        return {"databases": "none: MOVIES_LOAD_TO is empty"}
    done = [(a.name, a.loaded) for a in attempts if a.loaded]
    return {
        "snapshot": done[0][1].snapshot,
        "databases": dg.MetadataValue.md("\n".join(
            f"- {name}: {f'{len(loaded.tables)} tables' if loaded.tables else 'as before'}" for name, loaded in done
        )),
    }  # fmt: skip
