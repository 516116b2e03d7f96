"""A run whose process was killed is known by its lock, and its pool comes free."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator
from dagster._core.launcher.base import WorkerStatus

from movies_platform.refresh import Refresh
from movies_platform.resources import liveness
from movies_platform.resources.executor import watched_executor
from movies_platform.resources.home import prepare_home
from movies_platform.resources.launcher import WatchedRunLauncher
from movies_platform.resources.liveness import alive, is_alive, was_killed
from movies_platform.shell_runs import BY_SHELL

HOLD = """\
import sys
from movies_platform.resources.liveness import alive

with alive("run"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def process(home: Path):
    """A process that is the run's."""
    started = subprocess.Popen([sys.executable, "-c", HOLD], stdin=-1, stdout=-1, text=True)
    assert started.stdout
    assert started.stdin
    assert started.stdout.readline() == "held\n"
    yield started
    started.kill()
    started.wait()
    started.stdout.close()


def health() -> WorkerStatus:
    return WatchedRunLauncher().check_run_worker_health(dg.DagsterRun("job", "run")).status


def test_a_run_lives_while_its_process_does(process):
    assert is_alive("run")
    assert not was_killed("run")
    assert health() == WorkerStatus.RUNNING
    process.kill()
    process.wait()
    assert was_killed("run")
    assert not is_alive("run")
    assert health() == WorkerStatus.FAILED


def test_a_refresh_ends_killed_runs_of_a_shell_and_leaves_living_ones_alone(process, home: Path):
    prepare_home()
    with dg.DagsterInstance.get() as instance:
        for run_id in ("run", "killed"):
            instance.add_run(dg.DagsterRun("job", run_id, status=dg.DagsterRunStatus.STARTED, tags=BY_SHELL))
        Refresh(tell=print).run()
        status = {run_id: instance.get_run_by_id(run_id).status for run_id in ("run", "killed")}
    assert status == {"run": dg.DagsterRunStatus.STARTED, "killed": dg.DagsterRunStatus.FAILURE}


def test_a_run_that_ended_or_never_took_its_lock_was_not_killed(process, home: Path):
    process.stdin.close()
    process.wait()
    assert not was_killed("run")
    assert not was_killed("another")
    assert not is_alive("another")
    assert list((home / "scratch/runs").iterdir()) == []


def test_the_lock_may_be_taken_again_inside(home: Path):
    with alive("run"):
        with alive("run"):
            pass
        assert (home / "scratch/runs/run.lock").exists()
    assert not (home / "scratch/runs/run.lock").exists()


def test_every_run_holds_its_lock_while_it_works(home: Path):
    seen = []

    @dg.asset
    def made(context: dg.AssetExecutionContext) -> None:
        seen.extend((home / "scratch/runs").glob(f"{context.run_id}.lock"))

    job = dg.define_asset_job("job", selection=[made])
    resolved = dg.Definitions([made], jobs=[job], executor=watched_executor).resolve_job_def("job")
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(resolved)
        events = list(execute_run_iterator(InMemoryJob(resolved), run, instance))
    assert events[-1].event_type == dg.DagsterEventType.RUN_SUCCESS
    assert len(seen) == 1
    assert not seen[0].exists()


def test_files_of_runs_killed_long_ago_are_cleared(process, home: Path, monkeypatch):
    process.kill()
    process.wait()
    monkeypatch.setattr(liveness, "_KEPT_SECONDS", -1)
    with alive("next"):
        assert [p.name for p in (home / "scratch/runs").iterdir()] == ["next.lock"]
