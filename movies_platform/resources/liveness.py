"""Whether the process of a run still lives, whoever started it.

A run holds a lock of the operating system on a file of its own. The lock ends with the process, however that
ends, as the warehouse's does (docs/decisions/0005); a file that can be locked belongs to a run that was killed.
"""

import contextlib
import fcntl
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from movies_platform.resources.settings import settings

_KEPT_SECONDS = 86_400  # of a killed run's file, so that whoever looks finds it
_held: set[str] = set()  # runs of this process


def _file_of(run_id: str) -> Path:
    return settings().scratch / "runs" / f"{run_id}.lock"


@contextlib.contextmanager
def alive(run_id: str) -> Iterator[None]:
    """Let this process be known as that of the run, until the end of the outermost `with`."""
    if run_id in _held:
        yield
        return
    path = _file_of(run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear(path.parent)
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        _held.add(run_id)
        try:
            yield
        finally:
            _held.discard(run_id)
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def new_run() -> Iterator[str]:
    """The id for a run in this process, which is known as the run's until the end of the `with`."""
    run_id = f"{uuid.uuid4()}"
    with alive(run_id):
        yield run_id


def was_killed(run_id: str) -> bool:
    """Whether the run's process ended without saying so. False for a run that never took its lock."""
    return _is_held(run_id) is False


def is_alive(run_id: str) -> bool:
    """Whether a process holds the run's lock."""
    return _is_held(run_id) is True


def _is_held(run_id: str) -> bool | None:
    try:
        with _file_of(run_id).open("r+") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return True
    return False


def _clear(folder: Path) -> None:
    for path in folder.glob("*.lock"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _KEPT_SECONDS and was_killed(path.stem):
                path.unlink()
