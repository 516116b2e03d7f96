"""What keeps the server from starting is one line that says what to change."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from movies_platform.errors import SettingsError
from movies_platform.settings import settings
from movies_platform_tests.api import PATIENCE
from movies_platform_tests.ports import free_port
from movies_platform_tests.shell import COMMAND


@pytest.fixture
def used() -> Iterator[int]:
    """A port that another server listens on, which would share it."""
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as server:
        yield int(server.getsockname()[1])


def refused(tmp_path: Path, port: int, metrics_port: int, *options: str, **more: str) -> str:
    """What a server says that does not start."""
    environment = {**os.environ, "MOVIES_HOME": str(tmp_path), "MOVIES_API_METRICS_PORT": str(metrics_port), **more}
    command = [*COMMAND, "serve", "--port", str(port), *options]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    (line,) = ended.stderr.splitlines()
    return line


def test_ports_that_cannot_be_used_are_named(used: int, tmp_path: Path):
    port = free_port()
    said = refused(tmp_path, used, port)
    assert f"--port {used} cannot be served on (Address already in use)" in said
    assert f"MOVIES_API_METRICS_PORT={used} cannot be used (Address already in use)" in refused(tmp_path, port, used)
    assert f"MOVIES_API_METRICS_PORT={port} is --port too" in refused(tmp_path, port, port)


def test_a_host_that_is_none_of_this_machine_is_named(tmp_path: Path):
    said = refused(tmp_path, free_port(), 0, "--host", "192.0.2.1", MOVIES_API_AUTH="keys")
    assert "--host 192.0.2.1" in said


@pytest.mark.parametrize(
    ("name", "good", "wrong"),
    [
        ("REDIS", ["redis://h", "redis://:a%40b@h:6379/0", "rediss://u:p@[::1]:1/0?x=y", "unix:///run/redis.sock"],
         ["foo", "h:6379", "http://h", "redis://h:secret", "redis://h:99999", "redis://h:0"]),
        ("ORIGINS", ["https://a.example http://127.0.0.1:3000", "http://[::1]:80", "capacitor://localhost"],
         ["foo", "*", "null", "a.example", "https://a.example/", "https://A.example", "https://a.example/x"]),
    ],
)  # fmt: skip
def test_addresses_that_mean_nothing_are_refused(
    name: str, good: list[str], wrong: list[str], monkeypatch: pytest.MonkeyPatch
):
    for value in good:
        monkeypatch.setenv(f"MOVIES_API_{name}", value)
        settings()
    for value in wrong:
        monkeypatch.setenv(f"MOVIES_API_{name}", value)
        with pytest.raises(SettingsError, match=f"MOVIES_API_{name}") as refusal:
            settings()
        assert "secret" not in str(refusal.value)
