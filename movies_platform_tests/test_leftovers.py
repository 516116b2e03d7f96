"""What killed processes leave is removed by the next one, other leftovers and old runs by age, and nothing else."""

import os
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from movies_platform.resources.leftovers import purge_runs
from movies_platform.resources.scratch import own_folder, purge_scratch, spill_folder

DAY = 86_400


@pytest.fixture
def scratch(home: Path) -> Path:
    folder = home / "scratch"
    folder.mkdir()
    return folder


def aged(path: Path, seconds: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    for each in (path, path.parent):
        os.utime(each, (time.time() - seconds,) * 2)
    return path


def test_what_nobody_wrote_to_for_a_day_is_removed(scratch: Path):
    old, young = aged(scratch / "raw-old" / "records.csv", DAY + 60), aged(scratch / "raw-young" / "r.csv", DAY - 60)
    file = scratch / "left.tmp"
    file.touch()
    os.utime(file, (time.time() - 2 * DAY,) * 2)
    purge_scratch()
    assert [old.parent.exists(), young.exists(), file.exists()] == [False, True, False]


def test_a_folder_in_which_something_is_still_written_stays(scratch: Path):
    path = aged(scratch / "spill-1-0" / "block", 2 * DAY)
    path.write_text("y")
    purge_scratch()
    assert path.exists()


HOLD = """\
import sys
from movies_platform.resources.scratch import own_folder, spill_folder

spill_folder().mkdir()
with own_folder("raw-"):
    print("made", flush=True)
    sys.stdin.read()
"""


def test_a_folder_of_a_killed_process_is_removed_at_once_and_that_of_a_live_one_never(scratch: Path):
    with subprocess.Popen([sys.executable, "-c", HOLD], stdin=-1, stdout=-1, env=os.environ, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "made\n"
        folders = sorted(scratch.iterdir())
        assert [path.name.partition("-")[0] for path in folders] == ["raw", "spill"]
        for path in (each for folder in folders for each in (*folder.iterdir(), folder)):
            os.utime(path, (0, 0))
        purge_scratch()
        assert sorted(scratch.iterdir()) == folders
        process.kill()
    purge_scratch()
    assert list(scratch.iterdir()) == []


def test_a_process_that_ends_removes_its_folders(scratch: Path):
    subprocess.run([sys.executable, "-c", HOLD], input="", env=os.environ, text=True, check=True)
    assert list(scratch.iterdir()) == []


def test_who_may_not_write_in_the_home_still_reads(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_HOME", "/dev/null/home")
    assert str(spill_folder()).startswith("/dev/null/home/scratch/spill-")
    with pytest.raises(NotADirectoryError), own_folder("raw-"):
        pass


def test_locks_of_runs_stay(scratch: Path):
    lock = aged(scratch / "runs" / "an-id.lock", 2 * DAY)
    purge_scratch()
    assert lock.exists()


def test_old_runs_go_but_for_those_of_months_and_the_last_of_an_asset(home: Path, monkeypatch: pytest.MonkeyPatch):
    months = dg.MonthlyPartitionsDefinition("2017-01", fmt="%Y-%m")

    @dg.asset
    def table() -> None: ...

    @dg.asset(partitions_def=months)
    def month() -> None: ...

    with dg.DagsterInstance.ephemeral() as instance:
        superseded, last = (dg.materialize([table], instance=instance).run_id for _ in range(2))
        of_month = dg.materialize([month], instance=instance, partition_key="2017-03").run_id
        assert purge_runs(instance) == []
        monkeypatch.setattr("movies_platform.resources.leftovers.settings", lambda: Ago())
        assert purge_runs(instance) == [superseded]
        assert {run.run_id for run in instance.get_runs()} == {last, of_month}


class Ago:
    """Settings with which everything is old."""

    keep_runs_days = -1
