"""What tests of snapshots and loads share: two made-up states of the tables, published, and where they are."""

import random
import re
import shutil
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from movies_platform.sample import write_sample
from movies_platform_tests.shell import Shell

MOVIES = 250
_STATES = ("first", "second")


@dataclass(frozen=True)
class State:
    """The tables after some months: their warehouse, and a folder in which they are published."""

    warehouse: Path
    published: Path

    def use(self, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        """Give `home` a copy of the warehouse."""
        target = home / "warehouse.duckdb"
        target.unlink(missing_ok=True)
        shutil.copyfile(self.warehouse, target)
        monkeypatch.setenv("MOVIES_HOME", str(home))


def make_states(folder: Path) -> None:
    """Publish one made-up month, then three: rows change, come and go between the two."""
    months = [made.path.parent for made in write_sample(folder / "made", months=3, movies=MOVIES, seed=11)]
    (folder / "home").mkdir()
    shell = Shell(folder / "home")
    for name, delivered in zip(_STATES, (months[:1], months[1:]), strict=True):
        for month in delivered:
            shell("deliver", month, "--month", month.name)
        shell("refresh")
        target = folder / name
        target.mkdir()
        shutil.copyfile(shell.home / "warehouse.duckdb", target / "warehouse.duckdb")
        shutil.copytree(shell.home / "published", target / "published")


def states_in(folder: Path) -> tuple[State, State]:
    """What was made in the folder."""
    first, second = (State(folder / name / "warehouse.duckdb", folder / name / "published") for name in _STATES)
    return first, second


def run(job: str, ops: Mapping[str, Any] | None = None) -> tuple[Mapping[str, Any], str | None]:
    """Run a job as a shell does: the metadata of what it made, and why it failed."""
    from movies_platform.refresh import run_and_describe
    from movies_platform.resources.home import prepare_home

    prepare_home()
    with dg.DagsterInstance.get() as instance:
        return run_and_describe(instance, job, ops)


class Proxy:
    """A TCP proxy that can go away and come back, by itself after so many bytes from the client."""

    def __init__(self, port: int):
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._away = threading.Event()
        self._limit: int | None = None
        self._passed = 0
        self._share = 0.0
        self._random = random.Random(7)
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, size: int, *, away_seconds: float) -> None:
        """Once `size` more bytes have come from clients, cut all connections and refuse new ones for a while."""
        self._passed, self._limit, self._away_seconds = 0, size, away_seconds

    def cut_answers(self, share: float) -> None:
        """From now on, cut that share of the answers off at a random place and close their connections."""
        self._share = share

    def close(self) -> None:
        """Stop for good."""
        self._listener.close()
        self._cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._away.is_set():
                client.close()
                continue
            server = socket.create_connection(self._target)
            self._open += [client, server]
            threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        left = sys.maxsize  # bytes of an answer that still pass
        try:
            while block := source.recv(1 << 16):
                self._passed += len(block) if counted else 0
                if self._limit is not None and self._passed > self._limit:
                    self._limit = None
                    self.cuts += 1
                    self._away.set()
                    threading.Timer(self._away_seconds, self._away.clear).start()
                    self._cut()
                    return
                if not counted and self._share and block.startswith(b"HTTP/1."):
                    left = self._until_cut(block)
                target.sendall(block[:left])
                left -= len(block)
                if left < 0:
                    self.cuts += 1
                    return
        except OSError:
            pass
        finally:
            for end in (source, target):
                _end(end)

    def _until_cut(self, block: bytes) -> int:
        """How many bytes of the answer that begins with the block pass."""
        # botocore reads for ever what is left of a cut "100 Continue"
        if block.startswith(b"HTTP/1.1 100") or self._random.random() >= self._share:
            return sys.maxsize
        length = re.search(rb"(?i)content-length: (\d+)", block)
        return int(self._random.random() * (block.find(b"\r\n\r\n") + 4 + (int(length[1]) if length else 0)))

    def _cut(self) -> None:
        while self._open:
            _end(self._open.pop())


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # without it, a thread that waits for bytes would keep the connection open
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A proxy to a port of this machine."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
