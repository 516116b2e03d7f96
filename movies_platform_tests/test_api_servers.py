"""Servers as processes of their own: new snapshots under load, kills, slow clients, a store that is away, signals."""

import contextlib
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest

from movies_platform.published.read import latest_snapshot
from movies_platform.published.store import Pointer, open_store, to_json
from movies_platform_tests.api import PATIENCE, ApiServer, TwoSnapshots
from movies_platform_tests.ports import free_port
from movies_platform_tests.published_states import State

SWAPS = 20


@pytest.fixture
def two(tmp_path: Path, states: tuple[State, State]) -> TwoSnapshots:
    return TwoSnapshots(tmp_path / "published", states)


@pytest.fixture
def server(two: TwoSnapshots, tmp_path: Path) -> Iterator[ApiServer]:
    """Two workers on the two snapshots."""
    with ApiServer(tmp_path / "log", two.folder, tmp_path / "cache", workers=2).running() as running:
        yield running


def walk(server: ApiServer, target: str) -> tuple[set[str], list[object]]:
    """The snapshots and the rows of all pages."""
    snapshots, rows = set(), []
    while target:
        got = server.get(target)
        assert got.status == 200, got.body
        snapshots.add(got.json["snapshot"])
        rows += got.rows
        target = got.headers.get("link", "").partition("<")[2].partition(">")[0]
    return snapshots, rows


class Load:
    """Threads that do something over and over until the end of the `with`, and what went wrong."""

    def __init__(self, work: Callable[[], None], threads: int = 4):
        self.failures: list[BaseException] = []
        self.done = 0
        self._work, self._stop = work, threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._work()
                self.done += 1
            except BaseException as problem:
                self.failures.append(problem)

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_snapshots_are_swapped_under_load_and_no_walk_sees_two(server: ApiServer, two: TwoSnapshots):
    target = "/v1/movies?genre=18&limit=9&sort=-popularity"
    expected = {}
    for which in (1, 0):  # both files are built
        name = two.publish(which)
        server.wait_for(lambda name=name: server.get("/readyz").json["snapshot"] == name)
        expected[name] = walk(server, f"{target}&snapshot={name}")[1]
    assert len({json.dumps(rows) for rows in expected.values()}) == 2

    def one_walk() -> None:
        snapshots, rows = walk(server, target)
        assert len(snapshots) == 1
        assert rows == expected[snapshots.pop()]

    with Load(one_walk) as load:
        seen = set()
        for number in range(SWAPS):
            name = two.publish((number + 1) % 2)
            server.wait_for(lambda name=name: server.get("/readyz").json["snapshot"] == name)
            seen.add(name)
    assert load.failures == []
    assert load.done > SWAPS
    assert seen == {*expected}
    assert 'movies_api_request_seconds_count{route="/v1/movies",status="200"}' in server.metrics()


def test_a_killed_worker_is_replaced_while_the_other_serves(server: ApiServer):
    before = server.workers()
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    for _ in range(20):
        with contextlib.suppress(ConnectionError):  # of a connection that the dead one had accepted
            assert server.get("/v1/genres").status == 200
    server.wait_for(lambda: len(server.workers()) == 2 and before[0] not in server.workers())
    assert before[1] in server.workers()


def test_workers_end_with_their_parent(two: TwoSnapshots, tmp_path: Path):
    server = ApiServer(tmp_path / "log", two.folder, tmp_path / "cache", workers=2)
    with server.running():
        workers = server.workers()
        assert len(workers) == 2
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        try:
            deadline = time.monotonic() + PATIENCE
            while any(is_running(worker) for worker in workers):
                assert time.monotonic() < deadline
                time.sleep(0.1)
        finally:
            for worker in filter(is_running, workers):
                os.kill(worker, signal.SIGKILL)
        with pytest.raises(ConnectionRefusedError):
            server.get("/livez")


def is_running(process: int) -> bool:
    """Whether there is such a process which has not ended; nobody may have asked yet for its exit status."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def one_worker(two: TwoSnapshots, tmp_path: Path) -> Iterator[ApiServer]:
    with ApiServer(tmp_path / "log", two.folder, tmp_path / "cache").running() as running:
        yield running


def test_the_last_snapshot_is_served_while_the_store_is_away(one_worker: ApiServer, two: TwoSnapshots):
    server = one_worker

    def ask() -> None:
        assert server.get("/v1/movies?limit=1000&sort=-title").status == 200
        assert server.get("/v1/genres").status == 200

    name = server.get("/readyz").json["snapshot"]
    two.folder.rename(two.folder.with_name("away"))
    with Load(ask) as load:
        server.wait_for(lambda: server.get("/readyz").json["store"]["problem"])
        first = server.get("/readyz").json["store"]["last_seen_seconds_ago"]
        server.wait_for(lambda: server.get("/readyz").json["store"]["last_seen_seconds_ago"] > first)
        ready = server.get("/readyz")
        assert (ready.status, ready.json["snapshot"]) == (200, name)
        assert "cannot be read now" in server.get("/v1/tables/genres.parquet").problem(503)
    assert load.failures == []
    two.folder.with_name("away").rename(two.folder)
    other = two.publish(1)
    server.wait_for(lambda: server.get("/readyz").json["snapshot"] == other)


def test_what_is_too_large_is_refused_however_it_is_sent(one_worker: ApiServer):
    server = one_worker
    assert server.get("/v1/movies/" + "%E2%82%AC" * 900).status == 414
    for headers in ("X: %s\r\n" % ("x" * 9_000) * 5, "x" * 20_000 + ": \r\n"):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(f"GET /v1/genres HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
            assert client.recv(1_000).startswith(b"HTTP/1.1 431 ")


def test_clients_that_trickle_are_dropped_and_others_do_not_wait(server: ApiServer):
    trickling = []
    for _ in range(300):
        client = socket.create_connection(("127.0.0.1", server.port))
        client.sendall(b"GET /v1/genres HTTP/1.1\r\nHost: x\r\nX-")
        trickling.append(client)
    open_ones = [*trickling]
    deadline = time.monotonic() + 60
    while open_ones and time.monotonic() < deadline:
        assert server.get("/v1/genres").status == 200
        for client in [*open_ones]:
            client.setblocking(False)
            try:
                client.send(b"a")
                if client.recv(1_000) == b"":
                    open_ones.remove(client)
            except BlockingIOError:
                pass
            except ConnectionError:
                open_ones.remove(client)
        time.sleep(0.5)
    assert open_ones == []
    for client in trickling:
        client.close()


def test_a_stopped_server_answers_what_it_was_asked(two: TwoSnapshots, tmp_path: Path):
    server = ApiServer(tmp_path / "log", two.folder, tmp_path / "cache")
    with server.running(), ThreadPoolExecutor(4) as clients:
        asked = [clients.submit(server.get, "/v1/movies?limit=1000&sort=-title") for _ in range(4)]
        time.sleep(0.05)
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        for each in asked:
            with contextlib.suppress(ConnectionRefusedError):  # came too late
                assert each.result().status == 200
        server.process.wait(timeout=40)


def test_one_quota_for_two_nodes_with_one_redis(two: TwoSnapshots, tmp_path: Path):
    import redis

    from movies_platform.api.auth import KeyFile

    address = "redis://127.0.0.1:6379/0"
    try:
        store = redis.Redis.from_url(address, socket_connect_timeout=1)
        store.ping()
    except redis.exceptions.RedisError:
        pytest.skip("redis is not reachable on 127.0.0.1:6379")
    key, text = KeyFile(tmp_path / "keys.json").create("both nodes", quota=30)
    chosen = {"MOVIES_API_AUTH": "keys", "MOVIES_API_KEYS": str(tmp_path / "keys.json"), "MOVIES_API_REDIS": address}
    nodes = [ApiServer(tmp_path / f"log{n}", two.folder, tmp_path / "cache", **chosen) for n in (1, 2)]
    with nodes[0].running(), nodes[1].running():
        while time.time() % 60 > 40:  # a minute of its own, so that the quota does not begin again meanwhile
            time.sleep(0.5)
        statuses = [nodes[n % 2].get("/v1/genres", x_api_key=text).status for n in range(40)]
    assert (statuses.count(200), statuses.count(429)) == (30, 10)
    assert statuses == [200] * 30 + [429] * 10
    for left in store.scan_iter(f"movies-api:quota:key:{key.id}:*"):
        store.delete(left)


def test_quotas_are_counted_here_while_redis_is_away(two: TwoSnapshots, tmp_path: Path):
    from movies_platform.api.auth import KeyFile

    address = f"redis://127.0.0.1:{free_port()}/0"
    _, text = KeyFile(tmp_path / "keys.json").create("x")
    chosen = {"MOVIES_API_AUTH": "keys", "MOVIES_API_KEYS": str(tmp_path / "keys.json"), "MOVIES_API_REDIS": address}
    with ApiServer(tmp_path / "log", two.folder, tmp_path / "cache", **chosen).running() as server:
        got = server.get("/v1/genres", x_api_key=text)
        assert (got.status, int(got.headers["ratelimit-remaining"])) == (200, 5_999)


def test_a_snapshot_on_s3_is_served_with_its_files(bucket: str, states: tuple[State, State], tmp_path: Path):
    pointer = latest_snapshot(open_store(str(states[0].published))).pointer
    store, source = open_store(bucket), states[0].published / pointer.folder
    store.put(pointer.folder, source, [p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file()])
    assert store.replace_latest(to_json(Pointer(**{**asdict(pointer), "earlier": []})), None)
    with ApiServer(tmp_path / "log", bucket, tmp_path / "cache", XDG_CACHE_HOME=str(tmp_path)).running() as server:
        assert server.get("/v1/snapshots/latest").json["data"]["snapshot"] == pointer.snapshot
        file = server.get("/v1/tables/genres.parquet")
        assert file.body == (source / "parquet/core/genres.parquet").read_bytes()
        assert server.get("/v1/tables/genres.parquet", range="bytes=3-9").body == file.body[3:10]
