"""Run a command and wait for all processes that it leaves, so that who measures this one measures them too.

    python bench/whole.py [--sail] COMMAND...

Spark's Java outlives the process that started it by some seconds, and its time would be nobody's. With `--sail`, a Sail
server is started first, and MOVIES_SPARK is its address.
"""

import contextlib
import ctypes
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # of prctl(2): orphans among the descendants become children of this process


def main() -> None:
    """Run the command on the command line; exit with its status."""
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise SystemExit("prctl failed: processes that are left would not be measured")
    command, servers = sys.argv[1:], contextlib.ExitStack()
    with servers:
        if command[0] == "--sail":
            from movies_platform_tests.clusters import sail_server

            folder = servers.enter_context(tempfile.TemporaryDirectory())
            os.environ["MOVIES_SPARK"] = servers.enter_context(sail_server(Path(folder)))
            command = command[1:]
        status = subprocess.run(command).returncode
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    sys.exit(status)


if __name__ == "__main__":
    main()
