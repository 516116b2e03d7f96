"""What follows a refresh: publishing the tables and loading databases, each a run in the history that the UI shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from movies_platform.automation.jobs import LOAD_JOB, PUBLISH_JOB, load_warehouses, publish_tables
from movies_platform.errors import NoSnapshot, SnapshotDamaged
from movies_platform.loaded.assets import warehouses
from movies_platform.published.assets import snapshot
from movies_platform.resources import warehouse
from movies_platform.resources.builds import deliveries_fingerprint
from movies_platform.resources.failures import first_failure
from movies_platform.resources.settings import settings
from movies_platform.shell_runs import run_here
from movies_platform.snapshots.reading import latest_snapshot

# Only what is run here: the whole of `definitions` takes half a second longer to start.
_defs = dg.Definitions(
    assets=[snapshot, warehouses], jobs=[publish_tables, load_warehouses], executor=dg.in_process_executor
)


@dataclass(frozen=True)
class HandedOn:
    """A run: what it says of its work (metadata by name), or why it failed."""

    said: Mapping[str, Any]
    problem: str | None


def publish_in_a_run(*, insist: bool = False) -> HandedOn:
    """Publish the tables as a snapshot."""
    return _run(PUBLISH_JOB, {"published__snapshot": {"config": {"insist": insist}}})


def load_in_a_run(*, again: bool = False) -> HandedOn:
    """Load the latest snapshot into the databases that the settings name."""
    return _run(LOAD_JOB, {"loaded__warehouses": {"config": {"again": again}}})


def hand_on(*, anew: bool, tell: Callable[[str], None]) -> tuple[list[str], list[str]]:
    """Publish the tables where they are computed `anew` or not published yet, then load the databases.

    Gives lines that say what was done, and problems.
    """
    lines: list[str] = []
    if anew or not _is_published():
        tell("publishing the tables")
        done = publish_in_a_run()
        if done.problem:
            return [], [done.problem]
        lines.append(f"snapshot  {done.said['snapshot']}{'' if done.said['is_new'] else ' (as before)'}")
    if not settings().load_to or not settings().warehouse.exists():
        return lines, []
    tell("loading the databases")
    loaded = load_in_a_run()
    if loaded.problem:
        return lines, [loaded.problem]
    return [*lines, *(f"loaded    {line.removeprefix('- ')}" for line in loaded.said["databases"].splitlines())], []


def _is_published() -> bool:
    if not settings().warehouse.exists():
        return True  # there is nothing to publish
    with warehouse.reading() as connection:
        deliveries = deliveries_fingerprint(connection)
    try:
        return deliveries is None or latest_snapshot().manifest.deliveries == deliveries
    except (NoSnapshot, SnapshotDamaged):
        return False


def _run(job: str, ops: dict[str, Any]) -> HandedOn:
    with dg.DagsterInstance.get() as instance:
        result = run_here(_defs, job, instance, ops)
    if not result.success:
        failure = first_failure(result.all_events)
        return HandedOn({}, failure.reason if failure else f"Run {result.run_id} failed.")
    metadata = [m.materialization.metadata for m in _materializations(result)]
    return HandedOn({name: value.value for found in metadata for name, value in found.items()}, None)


def _materializations(result: dg.ExecuteInProcessResult) -> list[Any]:
    return [e.step_materialization_data for e in result.all_events if e.is_step_materialization]
