"""What tests of the command line share: processes of their own, and the rows of all tables."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb

from movies_platform.contracts.tables import all_tables, qualified

COMMAND = [sys.executable, "-c", "from movies_platform.cli import main; main()"]
TIMEOUT = 300  # seconds after which a hanging command fails its test


class Shell:
    """Runs `movies-platform` commands in one home."""

    def __init__(self, home: Path):
        self.home = home

    def __call__(self, *arguments: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end and expect its exit status."""
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
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
