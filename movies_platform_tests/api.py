"""What tests of the HTTP API share: the application in this process, and servers as processes of their own."""

import asyncio
import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from movies_platform.published.read import latest_snapshot
from movies_platform.published.store import LATEST, FolderStore, Pointer, open_store, to_json
from movies_platform_tests.ports import free_port
from movies_platform_tests.published_states import State
from movies_platform_tests.shell import COMMAND

PATIENCE = 60  # seconds for a server to do something, on a busy machine


@dataclass(frozen=True)
class Got:
    """An answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> "Got":
        """Repeated headers are one, as a list."""
        named: dict[str, str] = {}
        for name, value in headers:
            known = named.get(name.lower())
            named[name.lower()] = value if known is None else f"{known}, {value}"
        return cls(status, named, body)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of a page."""
        assert self.status == 200, self.body
        return self.json["data"]  # type: ignore[no-any-return]

    def problem(self, status: int) -> str:
        """The detail of a problem, which this answer is."""
        assert (self.status, self.headers["content-type"]) == (status, "application/problem+json"), self.body
        assert self.json["status"] == status
        return str(self.json["detail"])


class InProcess:
    """The application in this process, started on the settings of the environment."""

    def __init__(self) -> None:
        from movies_platform.api.app import application

        self.loop = asyncio.new_event_loop()
        self.api = application()
        self.run(self.api.start())
        self.run(self.api.snapshots.look())

    def run(self, call: Any) -> Any:
        """Run a coroutine to its end."""
        return self.loop.run_until_complete(call)

    def get(self, target: str, method: str = "GET", **headers: str) -> Got:
        """Ask; underscores in header names are dashes."""
        path, _, query = target.partition("?")
        given = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http", "method": method, "path": unquote(path), "raw_path": path.encode(),
            "query_string": query.encode(), "headers": given, "client": ("127.0.0.1", 1), "root_path": "",
            "scheme": "http",
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(3_600)
            return {"type": "http.disconnect"}

        self.run(self.api(scope, receive, send))
        named = [(name.decode(), value.decode("latin-1")) for name, value in sent[0]["headers"]]
        return Got.of(sent[0]["status"], named, b"".join(each.get("body", b"") for each in sent[1:]))

    def wait_for(self, holds: Callable[[], Any]) -> None:
        """Let what runs in the background run until something holds."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline
            self.run(asyncio.sleep(0.01))

    def walk(self, target: str) -> Iterator[dict[str, Any]]:
        """Every row, page after page."""
        while target:
            got = self.get(target)
            yield from got.rows
            target = got.headers.get("link", "").partition("<")[2].partition(">")[0]
            assert bool(target) == bool(got.json["page"]["next_cursor"])

    def close(self) -> None:
        """Stop it."""
        self.run(self.api.stop())
        self.loop.close()


@contextlib.contextmanager
def in_process() -> Iterator[InProcess]:
    """The application, until the end of the `with`."""
    running = InProcess()
    try:
        yield running
    finally:
        running.close()


class ApiServer:
    """`movies-platform serve` as a process of its own."""

    def __init__(self, log: Path, published: Path | str, cache: Path, *, workers: int = 1, **settings: str):
        self.port, self.metrics_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log, self._workers = log, workers
        self._environment = {
            "MOVIES_PUBLISHED": str(published), "MOVIES_API_CACHE": str(cache), "MOVIES_HOME": str(cache.parent),
            "MOVIES_API_METRICS_PORT": str(self.metrics_port), **settings,
        }  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    def get(self, target: str, method: str = "GET", port: int | None = None, **headers: str) -> Got:
        """Ask over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=PATIENCE)
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, headers=given)
            answer = connection.getresponse()
            return Got.of(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def metrics(self) -> str:
        """What Prometheus reads."""
        return self.get("/metrics", port=self.metrics_port).body.decode()

    def workers(self) -> list[int]:
        """The ids of the worker processes."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        lines = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
        return [pid for pid, line in lines.items() if b"resource_tracker" not in line]

    def wait_for(self, holds: Callable[[], Any]) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if holds():
                    return
            assert self.process is None or self.process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.1)

    @contextlib.contextmanager
    def running(self, *, ready: bool = True) -> Iterator["ApiServer"]:
        """The server, until the end of the `with`."""
        command = [*COMMAND, "serve", "--port", str(self.port), "--workers", str(self._workers)]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env={**os.environ, **self._environment}, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        try:
            self.wait_for(lambda: self.get("/readyz" if ready else "/livez").status == 200)
            yield self
        finally:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


class TwoSnapshots:
    """A store with two snapshots, of which either can be made the latest."""

    def __init__(self, folder: Path, states: tuple[State, State]):
        self.folder = folder
        self.pointers: list[Pointer] = []
        self.genres: dict[str, list[dict[str, object]]] = {}
        for state in states:
            pointer = latest_snapshot(open_store(str(state.published))).pointer
            shutil.copytree(state.published / pointer.folder, folder / pointer.folder)
            self.pointers.append(pointer)
        self.publish(0)

    def publish(self, which: int) -> str:
        """Make one of them the latest, as publishing does; its id."""
        other = self.pointers[1 - which].folder
        store = FolderStore(str(self.folder))
        assert store.replace_latest(to_json(replace(self.pointers[which], earlier=[other])), store.read(LATEST))
        return self.pointers[which].snapshot


def serve_from(monkeypatch: pytest.MonkeyPatch, published: Path | str, cache: Path) -> None:
    """Settings for the application in this process."""
    monkeypatch.setenv("MOVIES_PUBLISHED", str(published))
    monkeypatch.setenv("MOVIES_API_CACHE", str(cache))
