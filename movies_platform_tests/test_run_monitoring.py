"""A run whose process was killed is known by its lock, failed, and tried again by Dagster."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from movies_platform.definitions import defs
from movies_platform.refresh import refresh
from movies_platform.resources.home import prepare_home
from movies_platform.resources.io_manager import Warehouse
from movies_platform.resources.run_monitoring import alive, fail_killed_runs, lock_file
from movies_platform.resources.spark import Spark
from movies_platform_tests.shell import Shell

ROOT = Path(__file__).parents[1]
HOLD = """\
import sys
from movies_platform.resources.run_monitoring import alive

with alive("run"):
    print("held", flush=True)
    sys.stdin.read()
"""
STARTED, FAILURE = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE


@pytest.fixture
def process(home: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that is the run's."""
    started = subprocess.Popen([sys.executable, "-c", HOLD], stdin=-1, stdout=-1, text=True)
    assert started.stdout
    assert started.stdout.readline() == "held\n"
    yield started
    started.kill()
    started.wait()
    started.stdout.close()


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """A history with an unfinished run `run`, and another that has not come so far as to hold a lock."""
    prepare_home()
    with dg.DagsterInstance.get() as made:
        for run_id in ("run", "starting"):
            made.add_run(dg.DagsterRun("job", run_id, status=STARTED))
        yield made


def kill(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()


def status(instance: dg.DagsterInstance, run_id: str = "run") -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run
    return run.status


def test_dagsters_own_launcher_cannot_check_on_a_run():
    """Why `run_monitoring` exists: when this fails, Dagster has learned it, and the module may go."""
    assert not dg.DefaultRunLauncher().supports_check_run_worker_health


def test_only_a_run_whose_process_was_killed_is_failed(process, instance: dg.DagsterInstance):
    assert lock_file("run").read_text() == f"{process.pid}"
    assert fail_killed_runs(instance) == []
    kill(process)
    assert fail_killed_runs(instance) == ["run"]
    assert (status(instance), status(instance, "starting")) == (FAILURE, STARTED)
    assert not lock_file("run").exists()
    assert fail_killed_runs(instance) == []


def test_a_run_that_ended_was_not_killed(process, instance: dg.DagsterInstance):
    process.stdin.close()
    process.wait()
    assert fail_killed_runs(instance) == []
    assert status(instance) == STARTED
    assert list(lock_file("run").parent.iterdir()) == []


def test_a_killed_run_that_ended_in_the_history_or_is_unknown_only_leaves_its_file(process, instance):
    kill(process)
    instance.report_run_failed(instance.get_run_by_id("run"), "found by the code server")
    lock_file("unknown").touch()
    assert fail_killed_runs(instance) == []
    assert list(lock_file("run").parent.iterdir()) == []


def test_a_killed_run_that_was_being_canceled_is_canceled_and_so_not_tried_again(process, instance):
    instance.report_run_canceling(instance.get_run_by_id("run"))
    kill(process)
    assert fail_killed_runs(instance) == ["run"]
    assert status(instance) == dg.DagsterRunStatus.CANCELED


def test_a_refresh_fails_killed_runs_and_leaves_living_ones_alone(process, instance: dg.DagsterInstance):
    refresh(print)
    assert status(instance) == STARTED
    kill(process)
    refresh(print)
    assert status(instance) == FAILURE


def test_the_sensor_fails_killed_runs(process, instance: dg.DagsterInstance):
    sensor = defs.resolve_sensor_def("run_monitoring")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    kill(process)
    result = sensor.evaluate_tick(dg.build_sensor_context(instance, definitions=defs))
    assert result.skip_message == "Failed, as their process was killed: run"
    assert status(instance) == FAILURE


def test_the_lock_may_be_taken_again_inside(home: Path):
    with alive("run"):
        with alive("run"):
            pass
        assert lock_file("run").exists()
    assert not lock_file("run").exists()


def test_a_run_that_uses_the_warehouse_holds_its_lock_while_it_works(home: Path):
    seen = []

    @dg.asset
    def made(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
        seen.append(lock_file(context.run.run_id).exists())

    result = dg.materialize([made], resources={"warehouse": Warehouse(spark=Spark())})
    assert seen == [True]
    assert not lock_file(result.run_id).exists()


def test_every_asset_of_the_platform_uses_the_warehouse_at_least_through_its_io_manager():
    assets = defs.resolve_asset_graph().assets_defs
    assert {asset.keys for asset in assets if "io_manager" not in asset.required_resource_keys} == set()


def wait(what: str, happened: Callable[[], object], patience: float = 120) -> None:
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline, f"not in {patience} s: {what}"
        time.sleep(0.2)


@pytest.mark.parametrize("killed", ["run", "everything"])
def test_a_killed_run_is_failed_and_tried_again_within_seconds(
    killed: str, shell: Shell, home: Path, months: list[Path], monkeypatch: pytest.MonkeyPatch
):
    for name, value in {"DAGSTER_HOME": str(home / "dagster"), "MOVIES_POLL_SECONDS": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MOVIES_SETTLE_SECONDS", "0")
    shell("deliver", months[0] / "movies_metadata.csv", "--month", months[0].name)
    held = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", held, str(home / "warehouse.duckdb")], stdin=-1, stdout=-1, text=True
    )
    assert holder.stdout.readline() == "held\n"
    daemons = []

    def start() -> None:
        command = [sys.executable, "-m", "dagster._daemon", "run", "-w", "workspace.yaml"]
        with (home / "daemon.log").open("a") as log:
            daemons.append(subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True))

    def runs() -> list[dg.DagsterRun]:
        with dg.DagsterInstance.from_config(str(home / "dagster")) as history:
            return [r for r in reversed(history.get_runs()) if r.job_name == "load_month"]

    try:
        start()
        locks = home / "scratch" / "runs"
        wait("the run waits for the warehouse", lambda: list(locks.glob("*.lock")))
        (lock,) = locks.glob("*.lock")
        if killed == "run":
            os.kill(int(lock.read_text()), signal.SIGKILL)
        else:
            os.killpg(daemons[0].pid, signal.SIGKILL)
            start()
        wait("it is failed", lambda: runs()[0].status == FAILURE, 60)
        holder.stdin.close()
        wait("it is tried again", lambda: len(runs()) == 2 and runs()[1].is_success)
        assert runs()[0].run_id == lock.stem
        assert runs()[1].parent_run_id == lock.stem
    finally:
        for daemon in daemons:
            if daemon.poll() is None:
                os.killpg(daemon.pid, signal.SIGKILL)
            daemon.wait()
        holder.kill()
        holder.wait()
