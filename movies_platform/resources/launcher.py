"""Dagster's own run launcher, which also knows when the process of a run was killed.

The stock one cannot tell once the code server that started the run is gone too (a reboot, a killed daemon):
the run then counts as going on for ever and keeps its pool. Here Dagster's run monitoring finds it dead and
fails it, and its retry starts it again.
"""

from dagster import DagsterRun, DefaultRunLauncher
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

from movies_platform.resources.liveness import was_killed


class WatchedRunLauncher(DefaultRunLauncher):
    """Runs as processes of the code server, watched by their locks."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Yes: see `check_run_worker_health`."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Failed when the run's process has let go of its lock without ending the run."""
        if was_killed(run.run_id):
            return CheckRunHealthResult(WorkerStatus.FAILED, "the process of the run was killed")
        return CheckRunHealthResult(WorkerStatus.RUNNING)
