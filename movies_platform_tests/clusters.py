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
# For tables of some hundred rows, compiling takes longer than anything else: the queries, and Java's own code.
_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
_DEFAULTS = f"""\
spark.driver.extraJavaOptions    {_JAVA}
spark.executor.extraJavaOptions  {_JAVA}
spark.ui.enabled                 false
spark.executor.memory            900m
spark.sql.shuffle.partitions     2
spark.sql.codegen.wholeStage     false
spark.sql.codegen.factoryMode    NO_CODEGEN
"""


@contextlib.contextmanager
def _running(command: Sequence[object], port: int, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A server, from when it takes connections; killed at the end, with what it started."""
    environment = {
        **os.environ, "SPARK_LOCAL_IP": HERE, "PYSPARK_PYTHON": sys.executable, "SPARK_DAEMON_JAVA_OPTS": _JAVA,
    }  # fmt: skip
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
def standalone_cluster(folder: Path) -> Iterator[str]:
    """A master, and two workers with a core each; the address for MOVIES_SPARK.

    Drivers find their options by SPARK_CONF_DIR, which is `folder`.
    """
    (folder / "spark-defaults.conf").write_text(_DEFAULTS)
    master, log = free_port(), folder / "cluster.log"
    with contextlib.ExitStack() as servers:
        servers.enter_context(_running(
            [BIN / "spark-class", "org.apache.spark.deploy.master.Master",
             "--host", HERE, "--port", master, "--webui-port", 0],
            master, log,
        ))  # fmt: skip
        for _ in range(2):
            port = free_port()
            servers.enter_context(_running(
                [BIN / "spark-class", "org.apache.spark.deploy.worker.Worker",
                 "--host", HERE, "--port", port, "--webui-port", 0,
                 "--cores", 1, "--memory", "1g", "--work-dir", folder / "work", f"spark://{HERE}:{master}"],
                port, log,
            ))  # fmt: skip
        yield f"spark://{HERE}:{master}"


@contextlib.contextmanager
def connect_server(folder: Path, master: str) -> Iterator[str]:
    """A Connect server on a cluster; the address for MOVIES_SPARK."""
    port = free_port()
    command = [
        BIN / "spark-submit", "--master", master, "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
        "--conf", f"spark.connect.grpc.binding.address={HERE}", "--conf", f"spark.connect.grpc.binding.port={port}",
        "spark-internal",
    ]  # fmt: skip
    with _running(command, port, folder / "connect.log"):
        yield f"sc://{HERE}:{port}"


def executors(folder: Path) -> list[int]:
    """Processes of a cluster's executors that are at work, the oldest first (their numbers begin again some time)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            own = (process / "cwd").readlink()
            is_executor = b"CoarseGrainedExecutorBackend" in (process / "cmdline").read_bytes()
            if (
                is_executor
                and own.is_relative_to(folder)
                and _is_at_work((own / "stderr").read_text("utf-8", "replace"))
            ):
                started = (process / "stat").read_text().rpartition(")")[2].split()[19]
                found.append((int(started), int(process.name)))
    return [number for _, number in sorted(found)]


def _is_at_work(log: str) -> bool:
    return log.count("Running task") > log.count("Finished task")
