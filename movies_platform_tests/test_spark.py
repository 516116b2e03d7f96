"""Spark and Sail compute the tables that DuckDB computes, from files of a lake that survives whoever is killed."""

import contextlib
import os
import shutil
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from movies_platform.contracts import all_tables
from movies_platform_tests import shell as shell_module
from movies_platform_tests.clusters import connect_server, executors, sail_server, standalone_cluster
from movies_platform_tests.compare_warehouses import differences
from movies_platform_tests.shell import TIMEOUT, Shell
from movies_platform_tests.test_interruptions import MONTH_COMMITS, TABLE_COMMITS, killing

MONTHS = ("2017-11", "2017-12")


@pytest.fixture(scope="module")
def sail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with sail_server(tmp_path_factory.mktemp("sail")) as address:
        yield address


@pytest.fixture
def spark(monkeypatch: pytest.MonkeyPatch, sail: str) -> str:
    """From here on, the platform computes on Sail."""
    monkeypatch.setenv("MOVIES_ENGINE", "spark")
    monkeypatch.setenv("MOVIES_SPARK", sail)
    monkeypatch.setenv("MOVIES_NO_PUBLISH", "1")
    return sail


def deliver(shell: Shell, months: list[Path], *names: str) -> None:
    for name in names:
        shell("deliver", months[MONTHS.index(name)], "--month", name)


def same_tables(duckdb: Shell, spark: Shell) -> bool:
    return differences(duckdb.home / "warehouse.duckdb", spark.home / "lake.ducklake") == []


@pytest.fixture(scope="module")
def on_duckdb(home_of_a_month: Path, home_of_two_months: Path) -> dict[int, Shell]:
    """Homes with the first made-up month and with the first two, computed by DuckDB."""
    return {1: Shell(home_of_a_month), 2: Shell(home_of_two_months)}


def computed(home: Path, stage: str) -> set[Path]:
    """What Spark was asked for of a stage: the folders of the files."""
    return {*home.glob(f"lake/*/spark/{stage}.*")}


@contextlib.contextmanager
def killed_executors(home: Path, cluster: Path, *stages: str) -> Iterator[list[int]]:
    """Kill one in each of the stages, as soon as a first table of it is computed; those that were killed."""
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        while len(killed) < len(stages) and not over.wait(0.05):
            if computed(home, stages[len(killed)]) and (running := executors(cluster)):
                killed.append(running[0])
                os.kill(killed[-1], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def test_a_home_moves_to_a_cluster_that_loses_an_executor_and_then_is_gone(
    months: list[Path], on_duckdb: dict[int, Shell], sail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = Shell(tmp_path / "home")
    shutil.copytree(on_duckdb[2].home, shell.home)
    monkeypatch.setenv("MOVIES_ENGINE", "spark")
    monkeypatch.setattr(shell_module, "TIMEOUT", 3 * TIMEOUT)  # a cluster of two small executors, which get killed
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    with standalone_cluster(tmp_path) as cluster:
        monkeypatch.setenv("MOVIES_SPARK", cluster)
        for command in (["refresh"], ["show", "core.movies"], ["status"]):
            assert "'movies-platform rebuild'" in shell(*command, status=1).stderr
        with killed_executors(shell.home, tmp_path, "raw", "core", "metrics") as killed:
            said = shell("rebuild").stderr
        assert len(killed) == 3
        assert said.count("Lost executor") >= 3
        assert same_tables(on_duckdb[2], shell)
        assert not (shell.home / "warehouse.duckdb").exists()
        before = shell.home / "before.ducklake"
        shutil.copy(shell.home / "lake.ducklake", before)
        shell("deliver", months[2], "--month", MONTHS[1])
        with connect_server(tmp_path, cluster) as address:
            monkeypatch.setenv("MOVIES_SPARK", address)
            earlier = computed(shell.home, "core")
            refresh = shell.start("refresh")
            while computed(shell.home, "core") <= earlier:
                assert refresh.poll() is None, refresh.communicate()[0]
                time.sleep(0.05)
    assert f"Spark does not answer any more at {address}: " in refresh.communicate(timeout=TIMEOUT)[0]
    assert refresh.returncode == 1
    core = [t for t in all_tables() if t.schema in ("core", "metrics")]
    found = differences(before, shell.home / "lake.ducklake")
    assert not [text for text in found if text.startswith(tuple(f"{t.schema}.{t.name}:" for t in core))]

    assert [text for text in found if text.startswith("parsed.parsed_movies:")]  # is that of the new delivery

    monkeypatch.setenv("MOVIES_SPARK", sail)
    deliver(shell, months, MONTHS[1])
    shell("refresh")
    assert same_tables(on_duckdb[2], shell)


def test_every_command_works_on_a_lake(months: list[Path], on_duckdb: dict[int, Shell], spark: str, shell: Shell,
                                       tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    deliver(shell, months, MONTHS[0])
    shell("refresh")
    assert same_tables(on_duckdb[1], shell)
    assert "metrics.company_profit_by_year" in shell("status").stdout
    assert shell("show", "core.genres").stdout
    assert "published" in shell("publish").stdout
    assert "Drama" in shell("query", "SELECT genre_name FROM core.genres").stdout
    shell("load", "--to", f"sqlite:///{tmp_path}/loaded.db")
    with sqlite3.connect(tmp_path / "loaded.db") as loaded:
        assert loaded.execute("SELECT count(*) FROM movies").fetchone()[0]
    loaded.close()

    others = shell.home / "lake" / "of-somebody-else"
    others.mkdir()
    shell("rebuild")  # leaves the files of one lake, and what is not the platform's
    (lake,) = {*(shell.home / "lake").iterdir()} - {others}
    assert same_tables(on_duckdb[1], shell)

    monkeypatch.setenv("MOVIES_ENGINE", "duckdb")
    assert "'movies-platform rebuild'" in shell("refresh", status=1).stderr
    shell("rebuild")
    assert differences(on_duckdb[1].home / "warehouse.duckdb", shell.home / "warehouse.duckdb") == []
    assert not lake.exists()
    assert others.exists()
    assert not (shell.home / "lake.ducklake").exists()


def test_a_killed_driver_leaves_whole_tables_and_two_at_once_go_on(
    months: list[Path], on_duckdb: dict[int, Shell], spark: str, shell: Shell
) -> None:
    deliver(shell, months, MONTHS[0])
    for when, number in (
        ("after_commit", 3),  # the delivery is loaded, some of its tables are not
        ("before_commit", MONTH_COMMITS + 1),  # all of the delivery, which is loaded again, and nothing of core
        ("after_commit", 4),  # some of core
        ("before_commit", TABLE_COMMITS - 9),  # some of the metrics
    ):
        assert killing(shell, when, number, "refresh").returncode == -signal.SIGKILL
        rest = differences(on_duckdb[1].home / "warehouse.duckdb", shell.home / "lake.ducklake")
        assert rest
        whole = [text for text in rest if not text.endswith("only in the old warehouse")]
        assert all(text.startswith("raw.data_issues:") for text in whole), whole
    both = [shell.start("refresh"), shell.start("refresh")]
    said = [process.communicate(timeout=TIMEOUT)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert same_tables(on_duckdb[1], shell)
