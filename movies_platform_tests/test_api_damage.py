"""What the API does about damage: of its own files, of the store, of snapshots that a caller names."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from movies_platform.api import index
from movies_platform.api.problems import Problem
from movies_platform.published.read import latest_snapshot
from movies_platform.published.store import MANIFEST, FolderStore, open_store
from movies_platform_tests.api import InProcess, TwoSnapshots, in_process, serve_from
from movies_platform_tests.published_states import State

PAGE = 8192  # bytes of a SQLite file


@pytest.fixture
def two(states: tuple[State, State], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TwoSnapshots:
    """A store with two snapshots, the settings to serve it, and an empty cache."""
    serve_from(monkeypatch, tmp_path / "published", tmp_path / "cache")
    return TwoSnapshots(tmp_path / "published", states)


@pytest.fixture
def serving(two: TwoSnapshots) -> Iterator[InProcess]:
    """The API on the first of the two."""
    with in_process() as running:
        yield running


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The builders that were started."""
    started: list[Any] = []
    real = index.subprocess.run
    monkeypatch.setattr(index.subprocess, "run", lambda *a, **k: started.append(a) or real(*a, **k))
    return started


def write(file: Path, first: int, content: bytes) -> None:
    with file.open("r+b") as opened:
        opened.seek(first)
        opened.write(content)


def built(cache: Path) -> Path:
    (file,) = cache.glob("*.sqlite")
    return file


DAMAGES: dict[str, Callable[[Path], None]] = {
    "truncated": lambda file: os.truncate(file, PAGE * 3),
    "empty": lambda file: file.write_bytes(b"") and None,
    "no header": lambda file: write(file, 0, bytes(100)),
    "a byte in the middle": lambda file: write(file, file.stat().st_size // 2, b"\xa7"),
}


@pytest.mark.parametrize("damage", [*DAMAGES])
def test_a_damaged_file_is_built_again_at_a_start(damage: str, two: TwoSnapshots, tmp_path: Path, builds: list[Any]):
    with in_process() as api:
        expected = list(api.walk("/v1/movies?limit=1000"))
    DAMAGES[damage](built(tmp_path / "cache"))
    with in_process() as api:
        assert list(api.walk("/v1/movies?limit=1000")) == expected
    assert index.is_sound(built(tmp_path / "cache"))
    assert len(builds) == 2


def test_a_file_that_is_damaged_while_it_is_open_is_built_again(serving: InProcess, tmp_path: Path, builds: list[Any]):
    expected = serving.get("/v1/movies?limit=7&sort=title").rows
    name = serving.get("/readyz").json["snapshot"]
    file = built(tmp_path / "cache")
    write(file, PAGE, b"\xff" * (file.stat().st_size - PAGE))
    assert "made again" in serving.get("/v1/movies?limit=7&sort=-title").problem(503)
    assert "made again" in serving.get("/v1/movies?limit=7&sort=title").problem(503)
    assert serving.get("/readyz").status == 503
    serving.run(serving.api.snapshots.look())
    assert serving.get("/v1/movies?limit=7&sort=title").rows == expected
    ready = serving.get("/readyz")
    assert (ready.status, ready.json["snapshot"], ready.json["store"]["problem"]) == (200, name, None)
    assert len(builds) == 1


def test_a_named_snapshot_whose_file_is_damaged_while_it_is_open_is_built_again(
    two: TwoSnapshots, serving: InProcess, tmp_path: Path
):
    before = built(tmp_path / "cache")
    other = two.pointers[1].snapshot
    expected = serving.get(f"/v1/movies?limit=7&snapshot={other}").rows
    (file,) = {*(tmp_path / "cache").glob("*.sqlite")} - {before}
    write(file, PAGE, b"\xff" * (file.stat().st_size - PAGE))
    assert serving.get(f"/v1/movies?limit=8&snapshot={other}").problem(503)
    assert serving.get(f"/v1/movies?limit=9&snapshot={other}").rows[:7] == expected
    assert serving.get("/v1/movies").status == 200


def test_text_that_is_no_text_is_damage(serving: InProcess):
    opened = serving.api.snapshots.current
    assert opened is not None
    with pytest.raises(Problem, match="made again"):
        opened.inline.execute("SELECT CAST(x'ff' AS TEXT)")
    assert opened.is_damaged


def test_what_a_killed_builder_left_is_removed_before_the_next_build(
    two: TwoSnapshots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    snapshot, cache = latest_snapshot(open_store(str(two.folder))), tmp_path / "cache"

    def killed(command: list[str], **_: Any) -> None:
        (cache / index._BUILDING / command[-1]).write_bytes(b"half of it")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(index.subprocess, "run", killed)
        with pytest.raises(KeyboardInterrupt):
            index.prepared(snapshot, cache)
    found: list[list[Path]] = []
    real = index.subprocess.run

    def files() -> list[Path]:
        return [path for path in cache.rglob("*") if path.is_file() and path.name != ".lock"]

    assert files()
    monkeypatch.setattr(index.subprocess, "run", lambda *a, **k: found.append(files()) or real(*a, **k))
    assert index.is_sound(index.prepared(snapshot, cache))
    assert found == [[]]


def test_a_builder_has_the_lock_when_its_worker_is_killed(
    two: TwoSnapshots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    snapshot, cache = latest_snapshot(open_store(str(two.folder))), tmp_path / "cache"
    builders: list[subprocess.Popen[bytes]] = []

    def killed(_: list[str], pass_fds: tuple[int, ...] = (), **__: Any) -> None:
        builders.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=pass_fds))
        raise KeyboardInterrupt

    monkeypatch.setattr(index.subprocess, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        index.prepared(snapshot, cache)
    with (cache / ".lock").open("w") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        builders[0].kill()
        builders[0].communicate()
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_files_make_room_before_a_build(two: TwoSnapshots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cache = tmp_path / "cache"
    cache.mkdir()
    for number in range(6):
        (cache / f"{number}.sqlite").write_bytes(b"")
    counts: list[int] = []
    real = index.subprocess.run
    count = lambda: len([*cache.glob("*.sqlite")])  # noqa: E731
    monkeypatch.setattr(index.subprocess, "run", lambda *a, **k: counts.append(count()) or real(*a, **k))
    index.prepared(latest_snapshot(open_store(str(two.folder))), cache)
    assert (counts, count()) == ([index._KEPT - 1], index._KEPT)


def test_a_damaged_manifest_of_an_earlier_snapshot_does_not_stop_the_latest(two: TwoSnapshots):
    (two.folder / two.pointers[1].folder / MANIFEST).write_text("{")
    with in_process() as api:
        assert api.get("/v1/movies").json["snapshot"] == two.pointers[0].snapshot
        assert [each["snapshot"] for each in api.get("/v1/snapshots").rows] == [two.pointers[0].snapshot]
        assert "not kept" in api.get(f"/v1/movies?snapshot={two.pointers[1].snapshot}").problem(410)


def test_a_named_snapshot_that_was_removed_is_gone(two: TwoSnapshots, serving: InProcess, builds: list[Any]):
    shutil.rmtree(two.folder / two.pointers[1].folder)
    for _ in range(3):
        assert "not kept" in serving.get(f"/v1/movies?snapshot={two.pointers[1].snapshot}").problem(410)
    assert len(builds) <= 1
    assert serving.get("/v1/movies").status == 200


def test_a_named_snapshot_that_is_damaged_is_not_built_for_every_request(
    two: TwoSnapshots, serving: InProcess, builds: list[Any]
):
    database = two.folder / two.pointers[1].folder / "movies.duckdb"
    content = database.read_bytes()
    database.write_bytes(content[:5_000])
    for number in range(1, 5):
        got = serving.get(f"/v1/movies?limit={number}&snapshot={two.pointers[1].snapshot}")
        assert "cannot be read now" in got.problem(503)
        assert got.headers["retry-after"]
    assert len(builds) == 1
    database.write_bytes(content)
    serving.api.snapshots._failed.clear()  # as time does
    assert serving.get(f"/v1/movies?snapshot={two.pointers[1].snapshot}").status == 200


def test_a_named_snapshot_is_not_gone_while_the_store_is_away(two: TwoSnapshots, serving: InProcess):
    two.folder.rename(two.folder.with_name("away"))
    for name in (two.pointers[1].snapshot, "2001-01-000000000000"):
        serving.api.snapshots._listed_at -= 60
        assert "cannot be read now" in serving.get(f"/v1/movies?snapshot={name}").problem(503)
    two.folder.with_name("away").rename(two.folder)
    serving.api.snapshots._failed.clear()
    assert serving.get(f"/v1/movies?snapshot={two.pointers[1].snapshot}").status == 200


def test_ids_that_nobody_knows_hardly_read_the_store(serving: InProcess, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("movies_platform.api.snapshots._FRESH_SECONDS", 60)
    read: list[str] = []
    real = FolderStore.read
    monkeypatch.setattr(FolderStore, "read", lambda store, path: read.append(path) or real(store, path))
    for number in range(20):
        assert serving.get(f"/v1/movies?snapshot=2001-01-{number:012x}").status == 410
    assert len(read) <= 1


def test_a_store_that_vanished_is_not_seen(two: TwoSnapshots, serving: InProcess):
    seen = serving.api.snapshots.seen_at
    assert seen is not None
    two.folder.rename(two.folder.with_name("away"))
    serving.run(serving.api.snapshots.look())
    assert serving.api.snapshots.seen_at == seen
    assert "nothing is published" in serving.get("/readyz").json["store"]["problem"]
    assert serving.get("/v1/movies").status == 200
    two.folder.with_name("away").rename(two.folder)
    serving.run(serving.api.snapshots.look())
    assert serving.api.snapshots.seen_at > seen
    assert serving.get("/readyz").json["store"]["problem"] is None
