"""What tests of the command line share: processes of their own, and the rows of all tables.

A command that is run to its end is a fork of a server that has imported the platform already (multiprocessing's
forkserver): hundreds of commands would each import it again, which takes longer than most of them. It is a process
with its own environment, output and exit status all the same. What is started and left to run is a new interpreter.
"""

import atexit
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from multiprocessing import forkserver
from pathlib import Path

import duckdb
import pytest

from movies_platform.contracts.tables import all_tables, qualified

COMMAND = [sys.executable, "-c", "from movies_platform.cli import main; main()"]
TIMEOUT = 300  # seconds after which a hanging command fails its test
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["movies_platform.refresh", "movies_platform.report.assets"])


def run_forked(
    target: Callable[..., None], arguments: Sequence[object], environment: dict[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run a function in a process of its own until it ends; raises TimeoutExpired when it does not.

    The function finds the arguments in sys.argv; what it writes is what the process said.
    """
    command = ["movies-platform", *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder, name) for name in ("stdout", "stderr")]
        _start_server()
        process = _FORKS.Process(target=_in_fork, args=(target, command, environment, str(Path.cwd()), said))
        process.start()
        process.join(TIMEOUT)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, TIMEOUT, *(path.read_bytes() for path in said))
        texts = [path.read_text(encoding="utf-8") for path in said]
        return subprocess.CompletedProcess(command, process.exitcode, *texts)


def _start_server() -> None:
    """Start it where it does not run, without the settings of the test that needs it first."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("MOVIES_") or name == "DAGSTER_HOME"]:
            patch.delenv(name)
        forkserver.ensure_running()


def _in_fork(
    target: Callable[..., None], command: list[str], environment: dict[str, str], folder: str, said: list[Path]
) -> None:
    for number, path in enumerate(said, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = command
    try:
        target()
    finally:
        sys.stdout.flush()
        atexit._run_exitfuncs()  # a fork ends without them


def _command() -> None:
    from movies_platform.cli import main

    main()


class Shell:
    """Runs `movies-platform` commands in one home."""

    def __init__(self, home: Path):
        self.home = home

    def __call__(self, *arguments: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end and expect its exit status."""
        done = run_forked(_command, arguments, self.environment())
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def start(self, *arguments: object) -> "subprocess.Popen[str]":
        """Start a command and let it run."""
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)], env=self.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def tables(self, *schemas: str) -> dict[str, list[tuple[object, ...]]]:
        """All rows of the tables of the schemas (default: all of them)."""
        with duckdb.connect(self.home / "warehouse.duckdb", read_only=True) as connection:
            return {
                qualified(t): connection.execute(f"SELECT * FROM {qualified(t)} ORDER BY ALL").fetchall()
                for t in all_tables()
                if not schemas or t.schema in schemas
            }

    def environment(self) -> dict[str, str]:
        """Of its processes."""
        return {**os.environ, "MOVIES_HOME": str(self.home)}
