"""Runs of a shell: in its own process and quiet, in the history that the UI shows, known to live by their lock."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager

from movies_platform.resources.liveness import new_run

BY_SHELL = {"movies_platform/started_by": "shell"}
# The command says itself, in a line, what became of a run; Dagster's own log is in the history.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_here(
    definitions: dg.Definitions, job: str, instance: dg.DagsterInstance, ops: Mapping[str, Any],
    partition_key: str | None = None,
) -> dg.ExecuteInProcessResult:  # fmt: skip
    """Run the job until its end, with the config of its `ops`. A failure is in the result, not raised."""
    # What this process prints is for the shell. Dagster would start four processes that copy it, one after the other.
    instance._compute_log_manager = NoOpComputeLogManager()
    with new_run() as run_id:
        return definitions.resolve_job_def(job).execute_in_process(
            run_config={**_QUIET, "ops": ops}, instance=instance, partition_key=partition_key, tags=BY_SHELL,
            raise_on_error=False, run_id=run_id,
        )  # fmt: skip
