"""The Dagster UI on a home of its own, as a person meets it: webserver, daemon and Debian's Chromium.

Used by the browser test and by the screenshots of the README.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from movies_platform_tests.ports import free_port

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 90  # seconds for a server to answer or a run to end, on a busy machine
# Dagster's daemon looks for backfills every 30 seconds; who waits for it here wants it to look every second.
_DAEMON = (
    "import dagster._daemon.controller as c; c.DEFAULT_DAEMON_INTERVAL_SECONDS = 1\n"
    "from dagster._daemon.cli import cli; cli()"
)
_WEBSERVER = "from dagster_webserver.cli import main; main()"
_SENSORS = """
{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { ... on RepositoryLocation {
  repositories { sensors { id name sensorState { status } } } } } } } } }
"""
_NEWEST_RUN = "{ runsOrError(limit: 1) { ... on Runs { results { status } } } }"
_STOP = "mutation($id: String!) { stopSensor(id: $id) { __typename } }"


_BACKFILLS = '{ instance { daemonHealth { daemonStatus(daemonType: "BACKFILL") { healthy } } } }'


def _quietly(ask: Callable[[], Any]) -> Any:
    """The answer, or None while nobody answers."""
    with contextlib.suppress(OSError):
        return ask()


class Server:
    """A webserver and a daemon on `home`, with every sensor stopped, so that only the browser starts work."""

    def __init__(self, home: Path, log: Path):
        self.home = home
        self._log = log
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of a GraphQL answer."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["data"]

    def stop_sensors(self) -> None:
        """Stop what would start runs by itself."""
        for location in self.ask(_SENSORS)["workspaceOrError"]["locationEntries"]:
            for repository in location["locationOrLoadError"]["repositories"]:
                for sensor in repository["sensors"]:
                    if sensor["sensorState"]["status"] == "RUNNING":
                        self.ask(_STOP, id=sensor["id"])

    def wait_for_the_newest_run(self) -> None:
        """Wait until the run that was launched last has succeeded."""
        self._wait_for(lambda: self.ask(_NEWEST_RUN)["runsOrError"]["results"][0]["status"] == "SUCCESS")

    @contextlib.contextmanager
    def running(self) -> Iterator["Server"]:
        """Both processes, until the end of the `with`."""
        with contextlib.ExitStack() as stack:
            web = stack.enter_context(self._process(_WEBSERVER, "-h", "127.0.0.1", "-p", str(self.port)))
            self._wait_for(lambda: self.ask("{ version }"), web)
            self.stop_sensors()
            daemon = stack.enter_context(self._process(_DAEMON, "run"))
            self._wait_for(lambda: self.ask(_BACKFILLS)["instance"]["daemonHealth"]["daemonStatus"]["healthy"], daemon)
            yield self

    def _wait_for(self, holds: Callable[[], Any], process: "subprocess.Popen[bytes] | None" = None) -> None:
        deadline = time.monotonic() + PATIENCE
        while not _quietly(holds):
            assert process is None or process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.2)

    @contextlib.contextmanager
    def _process(self, code: str, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", code, *arguments, "-w", str(ROOT / "workspace.yaml")],
                env={**os.environ, "MOVIES_HOME": str(self.home), "DAGSTER_HOME": str(self.home / "dagster")},
                cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextlib.contextmanager
def browser_page(server: Server | None, **context: Any) -> Iterator[Any]:
    """A page of a fresh Chromium, on the server if given; `context` as for Playwright's `new_context`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(base_url=server.url if server else None, **context).new_page()
        page.set_default_timeout(PATIENCE * 1_000)
        yield page
        browser.close()
