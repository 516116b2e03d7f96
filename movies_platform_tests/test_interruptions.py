"""Killed at any moment, started twice at once: the same tables, no partial month, no stuck lock."""

import shutil
import signal
import time
from pathlib import Path

import dagster as dg
import pytest

from movies_platform_tests.shell import TIMEOUT, Shell

MOMENTS = [0.25, 0.45, 0.55, 0.65, 0.72, 0.79, 0.86, 0.93, 0.99]


@pytest.fixture(scope="module")
def undisturbed(months: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Shell, float]:
    """A home with two months delivered, one refreshed from a copy of it, and how many seconds that took."""
    delivered = Shell(tmp_path_factory.mktemp("delivered"))
    for folder in months[:2]:
        delivered("deliver", folder, "--month", folder.name)
    refreshed = Shell(tmp_path_factory.mktemp("refreshed") / "home")
    shutil.copytree(delivered.home, refreshed.home)
    started = time.monotonic()
    refreshed("refresh")
    return delivered.home, refreshed, time.monotonic() - started


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_a_second_refresh_finishes_the_work(
    undisturbed: tuple[Path, Shell, float], tmp_path: Path, moment: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered, refreshed, seconds = undisturbed
    shell = Shell(tmp_path / "home")
    shutil.copytree(delivered, shell.home)
    killed = shell.start("refresh")
    time.sleep(moment * seconds)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=TIMEOUT)
    shell("refresh")
    assert shell.tables() == refreshed.tables()
    assert not list((shell.home / "landing/incoming").glob("*/*"))
    assert len(list((shell.home / "landing/processed").glob("*/*/delivery.json"))) == 2
    monkeypatch.setenv("DAGSTER_HOME", str(shell.home / "dagster"))
    with dg.DagsterInstance.get() as instance:
        assert {run.status for run in instance.get_runs()} <= {
            dg.DagsterRunStatus.SUCCESS,
            dg.DagsterRunStatus.FAILURE,
        }


def test_two_refreshes_at_once_both_end_and_the_tables_are_right(
    undisturbed: tuple[Path, Shell, float], tmp_path: Path
) -> None:
    delivered, refreshed, _ = undisturbed
    shell = Shell(tmp_path / "home")
    shutil.copytree(delivered, shell.home)
    both = [shell.start("refresh"), shell.start("refresh")]
    said = [process.communicate(timeout=TIMEOUT)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert shell.tables() == refreshed.tables()
    assert sum("months    nothing new" in text for text in said) == 1
