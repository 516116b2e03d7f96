"""The platform as it runs for real: daemon and webserver processes, S3 behind a proxy, somebody who listens."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from movies_platform_tests.buckets import CREDENTIALS, Store, s3_server
from movies_platform_tests.faults import FaultyProxy, faulty_proxy, listener
from movies_platform_tests.ports import free_port
from movies_platform_tests.shell import Shell

ROOT = Path(__file__).parents[1]
PATIENCE = 240  # seconds until something that was expected counts as not happening


class Unattended:
    """Processes in one home. `store` is the bucket as the provider sees it; the platform sees it through `proxy`."""

    def __init__(self, home: Path, store: Store, proxy: FaultyProxy, heard: list[dict[str, Any]]):
        self.home, self.store, self.proxy, self.heard = home, store, proxy, heard
        self.shell = Shell(home)
        home.mkdir(parents=True, exist_ok=True)
        self.log = (home / "processes.log").open("a")
        self.daemon: subprocess.Popen[bytes] | None = None
        self.webserver: subprocess.Popen[bytes] | None = None

    def start_daemon(self) -> None:
        """The real `dagster-daemon`, with its code server and runs in one process group."""
        self.daemon = self._start("dagster._daemon", "run", "-w", "workspace.yaml")

    def kill_daemon(self, *, runs_too: bool) -> None:
        """At once, without a chance to clean up; with its code server and runs, as in a power cut."""
        assert self.daemon is not None
        if runs_too:
            os.killpg(self.daemon.pid, signal.SIGKILL)
        else:
            self.daemon.kill()
        self.daemon.wait()

    def start_webserver(self) -> str:
        """The real `dagster-webserver`; its address, once it answers."""
        port = free_port()
        self.webserver = self._start("dagster_webserver", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", f"{port}")
        url = f"http://127.0.0.1:{port}"
        self.wait("the webserver answers", lambda: "dagster_webserver_version" in _read(f"{url}/server_info"))
        return url

    def stop(self) -> None:
        """Everything that was started."""
        for process in filter(None, [self.daemon, self.webserver]):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.log.close()

    def wait(self, what: str, happened: Callable[[], Any], patience: float = PATIENCE) -> None:
        """Until it happened; fails when it does not."""
        deadline = time.monotonic() + patience
        while not happened():
            assert time.monotonic() < deadline, f"not in {patience} s: {what}\n{self._tail()}"
            time.sleep(0.5)

    def runs(self) -> list[dg.RunRecord]:
        """All runs, oldest first."""
        with dg.DagsterInstance.from_config(str(self.home / "dagster")) as instance:
            return list(reversed(instance.get_run_records()))

    def of_months(self) -> list[dg.RunRecord]:
        """Runs of months, oldest first."""
        return [r for r in self.runs() if r.dagster_run.job_name == "load_month"]

    def of_tables(self) -> list[dg.RunRecord]:
        """Runs that compute core and what follows, oldest first (a picture of raw may follow a month by itself)."""
        core = dg.AssetKey(["core", "movies"])
        return [r for r in self.runs() if core in (r.dagster_run.asset_selection or ())]

    def tables_done(self) -> list[float]:
        """When the tables were computed (seconds since the epoch)."""
        return [r.end_time for r in self.of_tables() if r.dagster_run.is_success and r.end_time]

    def tables_written(self) -> float:
        """When the last answer was stored; what follows in the same run, such as publishing, comes after."""
        with dg.DagsterInstance.from_config(str(self.home / "dagster")) as instance:
            keys = [key for key in instance.all_asset_keys() if key.path[0] == "metrics"]
            stored = [instance.get_latest_materialization_event(key) for key in keys]
            return max(event.timestamp for event in stored if event)

    def wait_for_tables(self, since: float) -> float:
        """Until the tables are computed from everything put since then, and nothing goes on; when they were stored."""

        def settled() -> bool:
            if self.store.listing("incoming"):
                return False
            runs = self.runs()
            loaded = max((r.end_time or 0 for r in runs if r.dagster_run.job_name == "load_month"), default=0)
            return (
                all(r.dagster_run.is_finished for r in runs)
                and loaded > since
                and max(self.tables_done(), default=0) > loaded
            )

        self.wait("the tables are computed", settled)
        return self.tables_written()

    def titles(self) -> list[str]:
        """Titles of the messages that were sent."""
        return [message["title"].removeprefix("movies_platform: ") for message in self.heard]

    def notes(self, outcome: str) -> list[dict[str, Any]]:
        """The notes in processed/ or failed/."""
        name = "delivery.json" if outcome == "processed" else "error.json"
        return [json.loads(self.store.get(k)) for k in self.store.listing(outcome) if k.endswith(name)]

    def ask(self, url: str, query: str) -> Any:
        """What the webserver answers to a GraphQL query."""
        request = urllib.request.Request(
            f"{url}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    def _start(self, module: str, *arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT, stdout=self.log, stderr=self.log, start_new_session=True,
        )  # fmt: skip

    def _tail(self) -> str:
        self.log.flush()
        return "\n".join((self.home / "processes.log").read_text(errors="replace").splitlines()[-40:])


def _read(url: str) -> str:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read())
    return ""


@contextlib.contextmanager
def unattended(home: Path, set_env: Callable[[str, str], None], **settings: str) -> Iterator[Unattended]:
    """A platform on a bucket of its own; `set_env` sets environment variables for its processes."""
    with s3_server() as s3, faulty_proxy(s3) as (url, proxy), listener() as (hook, heard):
        store = Store(s3, "movies")
        own = {
            "MOVIES_HOME": str(home), "MOVIES_LANDING": store.address, "DAGSTER_HOME": str(home / "dagster"),
            "MOVIES_ALERTS": hook, "AWS_ENDPOINT_URL": url, "MOVIES_POLL_SECONDS": "2", "MOVIES_SETTLE_SECONDS": "1",
        }  # fmt: skip
        for name, value in {**CREDENTIALS, **own, **settings}.items():
            set_env(name, value)
        platform = Unattended(home, store, proxy, heard)
        platform.shell("status")  # makes the home
        try:
            yield platform
        finally:
            platform.stop()
