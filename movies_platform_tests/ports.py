"""Ports for servers of tests: none is given out twice, and none is one that the system gives to somebody else."""

import itertools
import os
import socket

HERE = "127.0.0.1"
# Below those of outgoing connections (from 32,768 on, in Linux), a thousand for each worker of pytest-xdist.
_FIRST = 20_000 + 1_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PORTS = itertools.cycle(range(_FIRST, _FIRST + 1_000))


def free_port() -> int:
    """A port of this machine that nobody uses."""
    for port in _PORTS:
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((HERE, port))
            except OSError:
                continue
            return port
    raise AssertionError("not reached: the ports never end")
