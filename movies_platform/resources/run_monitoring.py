"""Runs whose process was killed: found by their lock, failed, and so tried again by Dagster's own retries.

Dagster's code server notices when the process of a run dies; when the server dies too (power, memory, a killed daemon),
the run counts as going on for ever and keeps its pool, because Dagster's default launcher cannot check on a run.
So each run holds a lock of the operating system on a file of its own. The lock ends with the process, however
that ends: a file that can be locked belongs to a run that was killed. Locks need one machine and a local file system
for MOVIES_HOME. So does DuckDB.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import dagster as dg

from movies_platform.settings import settings

_held: set[str] = set()  # runs of this process


def lock_file(run_id: str) -> Path:
    """The file that the run's process has locked; it holds the number of that process."""
    return settings().scratch / "runs" / f"{run_id}.lock"


@contextlib.contextmanager
def alive(run_id: str) -> Iterator[None]:
    """Hold the lock of the run until the end of the outermost `with` of this process."""
    if run_id in _held:
        yield
        return
    path = lock_file(run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    locking = path.with_suffix(f".{os.getpid()}")  # under its name only when it is locked
    with locking.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.write(f"{os.getpid()}")
        stream.flush()
        locking.replace(path)
        _held.add(run_id)
        try:
            yield
        finally:
            _held.discard(run_id)
            path.unlink(missing_ok=True)


def fail_killed_runs(instance: dg.DagsterInstance) -> list[str]:
    """Report as failed (or canceled) every unfinished run whose process was killed; their ids.

    A run without a lock file has not come so far yet, or was started by something else: it is left alone.
    """
    failed = []
    for path in sorted((settings().scratch / "runs").glob("*.lock")):
        with contextlib.suppress(FileNotFoundError, BlockingIOError), path.open("r+") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_at(stream, path):
                continue  # it ended while this one looked
            run = instance.get_run_by_id(path.stem)
            if run and not run.is_finished:
                canceled = run.status == dg.DagsterRunStatus.CANCELING  # somebody does not want it: not tried again
                report = instance.report_run_canceled if canceled else instance.report_run_failed
                report(run, "The process of this run was killed.")
                failed.append(run.run_id)
            path.unlink()
    return failed


def _is_at(stream: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False
