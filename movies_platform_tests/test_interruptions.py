"""Killed at any moment, started twice at once: the same tables, no partial month, no mixture, no stuck lock.

A month that was loaded before is delivered again with other content, and a second one is new. A refresh of both is
killed at a transaction or in the middle of archiving; one more refresh completes the work.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from movies_platform.automation.jobs import REFRESH_JOB
from movies_platform.cli import main
from movies_platform.contracts.tables import all_tables
from movies_platform.landing.folder import Folder
from movies_platform.parsed import assets as parsed_assets
from movies_platform.raw.reader import RecordReader
from movies_platform.refresh import run_and_describe
from movies_platform.resources import warehouse
from movies_platform.resources.home import prepare_home
from movies_platform_tests.compare_warehouses import differences
from movies_platform_tests.shell import COMMAND, TIMEOUT, Shell, run_forked


def _command_to_be_killed() -> None:
    """A command in a process that gets a signal when something happens for the nth time; the arguments say what."""
    kill, when, number, *command = sys.argv[1:]
    counts: Counter[str] = Counter()
    stock, stock_event = warehouse.transaction_on, dg.DagsterInstance.handle_new_event

    def happens(what: str) -> None:
        counts[what] += 1
        if (what, counts[what]) == (when, int(number)):
            os.kill(os.getpid(), getattr(signal, kill))

    @contextlib.contextmanager
    def transaction_on(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        with stock(connection):
            if when == "in_an_endless_statement":
                threading.Timer(1, happens, [when]).start()
                connection.execute("SELECT count(*) FROM range(1_000_000_000_000_000) AS n(i) WHERE hash(i) = 1")
            yield
            happens("before_commit")
        happens("after_commit")

    def killing_in(name: str) -> Callable[..., object]:
        stock_method = getattr(Folder, name)

        def method(*arguments: object) -> object:
            happens(name)
            return stock_method(*arguments)

        return method

    def endless_batches(reader: RecordReader, new_file: object) -> Iterator[None]:
        happens("in_a_thread_that_reads_for_ever")
        while True:
            time.sleep(1)
        yield

    def event_is_stored(instance: dg.DagsterInstance, event: Any, **more: Any) -> None:
        stock_event(instance, event, **more)
        found = event.dagster_event
        if found and found.is_step_start:
            happens("step_started")
        if found and found.event_type_value == "PIPELINE_SUCCESS":
            happens("run_succeeded")  # where Dagster keeps signals to itself

    with pytest.MonkeyPatch.context() as patch:
        for module in (warehouse, parsed_assets):
            patch.setattr(module, "transaction_on", transaction_on)
        patch.setattr(dg.DagsterInstance, "handle_new_event", event_is_stored)
        if when == "in_a_thread_that_reads_for_ever":
            patch.setattr(RecordReader, "batches", endless_batches)
        for name in ("copy", "write", "delete"):
            patch.setattr(Folder, name, killing_in(name))
        if command == ["tables"]:
            prepare_home()
            with dg.DagsterInstance.get() as instance:
                print(run_and_describe(instance, REFRESH_JOB)[1])
        else:
            sys.argv = ["movies-platform", *command]
            main()


MONTH_COMMITS = 1 + sum(table.schema == "parsed" for table in all_tables())  # raw, and each parsed table
TABLE_COMMITS = sum(table.schema in ("core", "metrics") for table in all_tables())
COMMITS = 2 * MONTH_COMMITS + TABLE_COMMITS
# Each refresh begins where the one before was killed.
MOMENTS = {
    "loading": [
        ("copy", 1), ("write", 1), ("delete", 1),  # of archiving
        ("before_commit", 1),  # archived, but not in the tables
        ("after_commit", 1), ("after_commit", MONTH_COMMITS - 2),
    ],
    "between": [("after_commit", MONTH_COMMITS), ("before_commit", 1), ("after_commit", MONTH_COMMITS)],
    "tables": [("after_commit", COMMITS - 9), ("after_commit", TABLE_COMMITS)],
}  # fmt: skip
Tables = Mapping[str, list[tuple[object, ...]]]


@dataclass(frozen=True)
class Homes:
    """A home that waits for a refresh, with the tables that it has, and one that had it undisturbed."""

    waiting: Path
    before: Tables
    undisturbed: Shell
    after: Tables

    def copied(self, place: Path) -> Shell:
        shutil.copytree(self.waiting, place / "home")
        return Shell(place / "home")


def killing(
    shell: Shell, when: str, number: int, *command: str, kill: str = "SIGKILL"
) -> subprocess.CompletedProcess[str]:
    """Run a command in a process that gets a signal at that moment."""
    return run_forked(_command_to_be_killed, [kill, when, number, *command], shell.environment())


@pytest.fixture(scope="module")
def homes(months: list[Path], home_of_a_month: Path, tmp_path_factory: pytest.TempPathFactory) -> Homes:
    shell = Shell(tmp_path_factory.mktemp("waiting") / "home")
    shutil.copytree(home_of_a_month, shell.home)
    before = shell.tables()
    shell("deliver", months[2], "--month", "2017-11")
    shell("deliver", months[1], "--month", "2017-12")
    undisturbed = Shell(tmp_path_factory.mktemp("undisturbed") / "home")
    shutil.copytree(shell.home, undisturbed.home)
    # COMMITS are all there are: there is no later transaction at which to kill.
    assert killing(undisturbed, "after_commit", COMMITS + 1, "refresh").returncode == 0
    return Homes(shell.home, before, undisturbed, undisturbed.tables())


@pytest.mark.parametrize("moments", MOMENTS.values(), ids=MOMENTS)
def test_killed_at_any_moment_the_next_refresh_goes_on_and_the_last_finishes_the_work(
    homes: Homes, tmp_path: Path, moments: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = homes.copied(tmp_path)
    for moment in moments:
        assert killing(shell, *moment, "refresh").returncode == -signal.SIGKILL, moment
        for table, rows in shell.tables("core", "metrics").items():
            assert rows in (homes.before[table], homes.after[table]), (moment, table)
    shell("refresh")
    assert shell.tables() == homes.after
    assert differences(homes.undisturbed.home / "warehouse.duckdb", shell.home / "warehouse.duckdb") == []
    assert not list((shell.home / "landing/incoming").glob("*/*"))
    assert len(list((shell.home / "landing/processed").glob("*/*/delivery.json"))) == 3
    assert not list((shell.home / "landing/failed").glob("*/*"))
    monkeypatch.setenv("DAGSTER_HOME", str(shell.home / "dagster"))
    with dg.DagsterInstance.get() as instance:
        assert {run.status for run in instance.get_runs()} <= {
            dg.DagsterRunStatus.SUCCESS,
            dg.DagsterRunStatus.FAILURE,
        }


def test_the_tables_are_not_computed_from_a_month_of_two_deliveries(homes: Homes, tmp_path: Path) -> None:
    """As the daemon would do it, or a person in the UI, before the month is completed."""
    shell = homes.copied(tmp_path)
    for number in (1, MONTH_COMMITS - 1):
        assert killing(shell, "after_commit", number, "refresh").returncode == -signal.SIGKILL
        assert shell.tables("raw") != {name: rows for name, rows in homes.before.items() if name.startswith("raw.")}
        done = killing(shell, "never", 1, "tables")
        assert "The parsed tables of 2017-11 do not show the delivery that raw holds" in done.stdout, done.stderr
        found = shell.tables("core", "metrics")
        assert found == {name: homes.before[name] for name in found}
    shell("refresh")
    assert shell.tables() == homes.after


def test_a_killed_rebuild_leaves_the_warehouse_and_the_next_one_no_trace_of_it(homes: Homes, tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home")
    shutil.copytree(homes.undisturbed.home, shell.home)
    for when, number in (("after_commit", 6), ("after_commit", 2 * MONTH_COMMITS), ("before_commit", COMMITS - 5)):
        assert killing(shell, when, number, "rebuild").returncode == -signal.SIGKILL
        assert shell.tables() == homes.after
    shell("rebuild")
    assert shell.tables() == homes.after
    names = {path.name for path in shell.home.glob("*warehouse.duckdb*")}
    assert names == {"warehouse.duckdb", ".warehouse.duckdb.lock"}


def test_two_refreshes_at_once_both_end_and_the_tables_are_right(homes: Homes, tmp_path: Path) -> None:
    shell = homes.copied(tmp_path)
    both = [shell.start("refresh"), shell.start("refresh")]
    said = [process.communicate(timeout=TIMEOUT)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert shell.tables() == homes.after
    assert sum("months    nothing new" in text for text in said) == 1


def test_a_signal_ends_a_refresh_and_nothing_else_is_begun(homes: Homes, tmp_path: Path):
    shell = homes.copied(tmp_path)
    for kill, status, when, number in (
        ("SIGTERM", 143, "before_commit", 2),
        ("SIGINT", 130, "before_commit", 2),
        ("SIGTERM", 143, "in_an_endless_statement", 1),
        ("SIGINT", 130, "in_a_thread_that_reads_for_ever", 1),
        ("SIGTERM", 143, "run_succeeded", 1),
    ):
        ended = killing(shell, when, number, "refresh", kill=kill)
        assert ended.returncode == status, ended.stdout + ended.stderr
        assert ended.stderr.count("The same command goes on") == 1
        assert "Traceback" not in ended.stderr
        assert "2017-12" not in ended.stdout + ended.stderr  # no other month was begun
        assert all(rows == homes.before[table] for table, rows in shell.tables("core", "metrics").items())
    shell("refresh")
    assert shell.tables() == homes.after


@pytest.mark.parametrize("command", ["rebuild", "publish", "load"])
def test_a_signal_ends_every_command_that_works(homes: Homes, tmp_path: Path, command: str):
    shell = Shell(tmp_path / "home")
    shutil.copytree(homes.undisturbed.home, shell.home)
    options = {"publish": ["--force"], "load": ["--to", f"sqlite:///{tmp_path}/loaded.db"]}.get(command, [])
    ended = killing(shell, "step_started", 1, command, *options, kill="SIGTERM")
    assert ended.returncode == 143, ended.stdout + ended.stderr
    assert "The same command goes on" in ended.stderr
    assert shell.tables() == homes.after
    shell(command, *options)


def _as_behind_an_ampersand() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # whatever this process ignores


def test_a_command_that_was_started_to_ignore_one_signal_ends_with_the_other(homes: Homes, tmp_path: Path):
    """A shell starts a command so behind `&`; Dagster would have it ignore both."""
    shell = homes.copied(tmp_path)
    waiting = shell.home / "landing/incoming/2018-01/movies_metadata.csv"
    waiting.parent.mkdir()
    shutil.copy(next(shell.home.glob("landing/incoming/2017-12/*.csv")), waiting)
    process = subprocess.Popen(
        [*COMMAND, "refresh"], env=shell.environment() | {"MOVIES_SETTLE_SECONDS": "3600"}, text=True,
        stderr=subprocess.PIPE, preexec_fn=_as_behind_an_ampersand,
    )  # fmt: skip
    assert process.stderr
    assert "2018-01: is still being written" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    assert "The same command goes on" in process.communicate(timeout=TIMEOUT)[1]
    assert process.returncode == 143


def test_a_rebuild_after_a_killed_refresh_leaves_a_warehouse_that_opens(homes: Homes, tmp_path: Path):
    shell = homes.copied(tmp_path)
    assert killing(shell, "after_commit", 2, "refresh").returncode == -signal.SIGKILL
    assert (shell.home / "warehouse.duckdb.wal").exists()
    shell("rebuild")
    shell("refresh")
    assert shell.tables() == homes.after
