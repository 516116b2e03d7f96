"""Ports for servers of tests: none is given out twice, and none is one that the system gives to somebody else."""

import itertools
import socket

HERE = "127.0.0.1"
_PORTS = itertools.cycle(range(20_000, 32_768))  # from 32,768 on are those of outgoing connections, in Linux
_taken: list[socket.socket] = []


def free_port() -> int:
    """A port of this machine that nobody uses, and that no other process gets here while this one lives."""
    for port in _PORTS:
        taken = socket.socket(socket.AF_UNIX)
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                taken.bind(f"\0movies_platform_tests port {port}")  # a name that goes with the process
                tried.bind((HERE, port))
            except OSError:
                taken.close()
                continue
        _taken.append(taken)
        return port
    raise AssertionError("not reached: the ports never end")
