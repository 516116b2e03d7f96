"""Folders for work in progress, below MOVIES_HOME/scratch, removed with the process that made them.

A killed process removes nothing. So each folder holds a lock of the operating system, which ends with the process: what
can be locked belongs to nobody, and the next process removes it. (A process's number would not do: containers that
share a home number theirs each on its own.)
"""

import atexit
import contextlib
import fcntl
import functools
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from movies_platform.settings import settings

_LONG_AGO = 86_400  # seconds: nobody works on a file without a lock for a day without writing to it
_LOCK = ".lock"
_spills = itertools.count()
_of_process = contextlib.ExitStack()
atexit.register(_of_process.close)


@contextlib.contextmanager
def own_folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """A new folder in scratch/ (or in `parent`, a folder there) until the end of this `with`."""
    parent = parent or settings().scratch
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=prefix, ignore_cleanup_errors=True) as name:
        locking = Path(name, f"{_LOCK}ing")  # under its name only when it is locked
        with locking.open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            locking.replace(Path(name, _LOCK))
            yield Path(name)


def spill_folder() -> Path:
    """A folder for DuckDB to spill into, for one database of this process: two that shared one would read each
    other's rows. It need not exist."""
    return _spills_of(settings().scratch, os.getpid()) / f"{next(_spills)}"


@functools.cache
def _spills_of(scratch: Path, process: int) -> Path:
    try:
        return _of_process.enter_context(own_folder("spill-", scratch))
    except OSError:  # a reader may have no right to write here, and rarely spills
        return scratch / f"spill-{process}"


def purge_scratch() -> None:
    """Remove what killed processes left, and what nobody has written to for a day; but for the locks of runs."""
    for path in settings().scratch.glob("*"):
        if path.name != "runs" and _is_abandoned(path):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _is_abandoned(path: Path) -> bool:
    try:
        with (path / _LOCK).open("r+") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except BlockingIOError:
        return False
    except OSError:  # it has no lock
        return time.time() - _newest(path) > _LONG_AGO


def _newest(path: Path) -> float:
    """When something was last written in a folder, or to a file; now for what is gone."""
    try:
        return max(each.stat().st_mtime for each in (path, *path.rglob("*")))
    except FileNotFoundError:
        return time.time()
