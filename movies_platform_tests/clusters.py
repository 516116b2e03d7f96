"""Spark as it is run elsewhere: a standalone cluster with a Connect server, and Sail, which needs no Java."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from movies_platform_tests.ports import HERE, free_port

BIN = Path(sys.executable).parent
PATIENCE = 90  # seconds until a server has to answer


@contextlib.contextmanager
def _running(command: Sequence[object], port: int, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A server, from when it takes connections; killed at the end, with what it started."""
    environment = {**os.environ, "SPARK_LOCAL_IP": HERE, "PYSPARK_PYTHON": sys.executable}
    with log.open("ab") as said:
        process = subprocess.Popen(
            [*map(str, command)], env=environment, stdout=said, stderr=said, start_new_session=True
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(port):
            is_late = time.monotonic() > deadline or process.poll() is not None
            assert not is_late, log.read_text(errors="replace")[-3_000:]
            time.sleep(0.2)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HERE, port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def sail_server(folder: Path, port: int | None = None) -> Iterator[str]:
    """Sail; the address for MOVIES_SPARK."""
    port = port or free_port()
    with _running([BIN / "sail", "spark", "server", "--ip", HERE, "--port", port], port, folder / "sail.log"):
        yield f"sc://{HERE}:{port}"


@contextlib.contextmanager
def standalone_cluster(folder: Path) -> Iterator[tuple[str, str]]:
    """A master, two workers with a core each, and a Connect server: its address, and that of the master."""
    master, connect = free_port(), free_port()
    start, log = BIN / "spark-class", folder / "cluster.log"
    with contextlib.ExitStack() as servers:
        servers.enter_context(_running(
            [start, "org.apache.spark.deploy.master.Master", "--host", HERE, "--port", master, "--webui-port", 0],
            master, log,
        ))  # fmt: skip
        for _ in range(2):
            port = free_port()
            servers.enter_context(_running(
                [start, "org.apache.spark.deploy.worker.Worker", "--host", HERE, "--port", port, "--webui-port", 0,
                 "--cores", 1, "--memory", "1g", "--work-dir", folder / "work", f"spark://{HERE}:{master}"],
                port, log,
            ))  # fmt: skip
        servers.enter_context(_running(
            [BIN / "spark-submit", "--master", f"spark://{HERE}:{master}",
             "--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "--conf", "spark.ui.enabled=false",
             "--conf", f"spark.connect.grpc.binding.address={HERE}",
             "--conf", f"spark.connect.grpc.binding.port={connect}", "--conf", "spark.executor.memory=900m",
             "--conf", "spark.sql.shuffle.partitions=2",
             # For tables of some hundred rows, compiling the queries takes longer than anything else.
             "--conf", "spark.sql.codegen.wholeStage=false", "--conf", "spark.sql.codegen.factoryMode=NO_CODEGEN",
             "spark-internal"],
            connect, log,
        ))  # fmt: skip
        yield f"sc://{HERE}:{connect}", f"spark://{HERE}:{master}"


def executors() -> list[int]:
    """Processes of executors on this machine, the oldest first (numbers of processes begin again at some time)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"CoarseGrainedExecutorBackend" in (process / "cmdline").read_bytes():
                started = (process / "stat").read_text().rpartition(")")[2].split()[19]
                found.append((int(started), int(process.name)))
    return [number for _, number in sorted(found)]
