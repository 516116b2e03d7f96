"""The home of the platform: made where it is missing, by whichever command comes first."""

import fcntl
import os
import re
from pathlib import Path

from movies_platform.errors import SettingsError
from movies_platform.resources.settings import Settings, settings

# Read by Dagster. Storages: movies_platform.resources.history. Pool limits hold whole runs in the queue
# (granularity run), so that a killed run has no slot that somebody must free by hand. Sensors have threads, so that a
# store that answers slowly holds up only its own.
_SQLITE = """\
run_storage:
  module: movies_platform.resources.history
  class: PooledRunStorage
  config: {home: {env: DAGSTER_HOME}}
event_log_storage:
  module: movies_platform.resources.history
  class: PooledEventLogStorage
  config: {home: {env: DAGSTER_HOME}}
schedule_storage:
  module: movies_platform.resources.history
  class: ReadyScheduleStorage
  config: {home: {env: DAGSTER_HOME}}
"""
_POSTGRES = """\
storage:
  postgres: {postgres_url: {env: MOVIES_HISTORY_URL}}
"""
_REST = """\
run_launcher:
  module: movies_platform.resources.launcher
  class: WatchedRunLauncher
run_coordinator:
  module: dagster._core.run_coordinator
  class: QueuedRunCoordinator
  config: {dequeue_interval_seconds: 1}
concurrency:
  runs: {max_concurrent_runs: 4}
  pools: {default_limit: 1, granularity: run}
sensors: {use_threads: true, num_workers: 4}
run_monitoring:
  enabled: true
  poll_interval_seconds: 5
  start_timeout_seconds: 180
  free_slots_after_run_end_seconds: 60
run_retries:
  enabled: true
  max_retries: 1
  retry_on_asset_or_op_failure: false
retention:
  sensor: {purge_after_days: {skipped: 1, failure: 30, success: 30}}
  schedule: {purge_after_days: {skipped: 1, failure: 30, success: 30}}
"""
_CONFIG = "dagster.yaml"
_BY_US = "# Written by movies_platform; remove this line and the file is yours.\n"


def dagster_yaml(history_url: str) -> str:
    """Dagster's settings, its history in SQLite or (with the extra `postgres`) in PostgreSQL."""
    return (
        f"{_BY_US}telemetry: {{enabled: false}}\nnux: {{enabled: false}}\n"
        + (_POSTGRES if history_url else _SQLITE)
        + _REST
    )


def prepare_home() -> Settings:
    """Create what is missing of the home and point Dagster at it; safe to repeat."""
    chosen = settings()
    if re.search(r"[*?[]|%[0-9A-Fa-f]{2}", f"{chosen.dagster_home}"):
        raise SettingsError(
            f"{chosen.dagster_home} has one of * ? [ or a sign like %20 in its name: Dagster would not find its files."
        )
    chosen.dagster_home.mkdir(parents=True, exist_ok=True)
    chosen.scratch.mkdir(parents=True, exist_ok=True)
    if "://" not in chosen.landing:
        Path(chosen.landing, "incoming").mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(chosen.dagster_home)
    if not _is_ready(chosen):
        with (chosen.dagster_home / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_ready(chosen):
                _make_history(chosen)
    return chosen


def _is_ready(chosen: Settings) -> bool:
    """Whether dagster.yaml is what the settings say, or somebody's own; it is written when all else is there."""
    config = chosen.dagster_home / _CONFIG
    present = config.read_text(encoding="utf-8") if config.exists() else _BY_US
    return present == dagster_yaml(chosen.history_url) or not present.startswith(_BY_US)


def _make_history(chosen: Settings) -> None:
    """Create Dagster's databases, which processes that start together would race to do, and then dagster.yaml."""
    from dagster import DagsterInstance

    partial = chosen.dagster_home / f".{_CONFIG}"
    partial.write_text(dagster_yaml(chosen.history_url), encoding="utf-8")
    with DagsterInstance.from_config(str(chosen.dagster_home), partial.name) as instance:
        instance.get_run_records(limit=1)
    partial.replace(chosen.dagster_home / _CONFIG)
