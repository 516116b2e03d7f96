"""Run a command and wait for all processes that it leaves, so that who measures this one measures them too.

    python bench/whole.py [--sail] COMMAND...

Spark's Java outlives the process that started it by some seconds, and its time would be nobody's. With `--sail`, a Sail
server is started first, and MOVIES_SPARK is its address.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE, PATIENCE = "127.0.0.1", 60
PR_SET_CHILD_SUBREAPER = 36  # of prctl(2): orphans among the descendants become children of this process


def start_sail() -> "subprocess.Popen[bytes]":
    """Start Sail and return when it takes connections."""
    with socket.socket() as free:
        free.bind((HERE, 0))
        port = free.getsockname()[1]
    sail = Path(sys.executable).with_name("sail")
    process = subprocess.Popen([sail, "spark", "server", "--ip", HERE, "--port", str(port)])
    os.environ["MOVIES_SPARK"] = f"sc://{HERE}:{port}"
    for _ in range(PATIENCE * 5):
        with contextlib.suppress(OSError), socket.create_connection((HERE, port)):
            return process
        time.sleep(0.2)
    raise SystemExit("Sail does not answer")


def main() -> None:
    """Run the command on the command line; exit with its status."""
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise SystemExit("prctl failed: processes that are left would not be measured")
    command = sys.argv[1:]
    servers = []
    if command[0] == "--sail":
        command = command[1:]
        servers.append(start_sail())
    status = subprocess.run(command).returncode
    for server in servers:
        server.send_signal(signal.SIGTERM)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    sys.exit(status)


if __name__ == "__main__":
    main()
