"""Which snapshot is served: new ones are found and swapped in, earlier ones are opened when a caller names them.

Each worker looks at the store's pointer twice a second. The file of a new snapshot is built (by one process of the
machine), opened, and only then takes the place of the one before, which stays open for those who are still paging
through it. While the store is away the last snapshot is served; a start without the store serves the newest file that
is left from before.
"""

import asyncio
import datetime as dt
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from movies_platform.api.index import files_left, is_sound, prepared
from movies_platform.api.monitoring import Metrics
from movies_platform.api.problems import Problem
from movies_platform.api.rows import Opened
from movies_platform.errors import MoviesPlatformError, NoSnapshot, SnapshotDamaged
from movies_platform.published.read import Snapshot, kept_snapshots
from movies_platform.published.store import LATEST, Store, open_store
from movies_platform.settings import Settings

POLL_SECONDS = 0.5
_FRESH_SECONDS = 0.5  # for which a list of what is kept is good: no worker serves a new snapshot as soon as that
_OPEN = 4  # snapshots of which the files stay open
_AGAIN_SECONDS = 10.0  # before a snapshot that could not be opened is tried again
_PUBLISHED = "movies_api_snapshot_published_timestamp_seconds"
_log = logging.getLogger(__name__)
Found = TypeVar("Found")


class Snapshots:
    """The snapshots that this worker has open; `current` is the one that is served."""

    def __init__(self, chosen: Settings, metrics: Metrics):
        self._metrics = metrics
        self._address, self._cache = chosen.published, chosen.api_cache
        self._store: Store | None = None
        self._pointer: bytes | None = None
        self._listed_at = 0.0
        self._listing: asyncio.Task[None] | None = None
        self._known: dict[str, Snapshot] = {}
        self._latest: Snapshot
        self._current: Opened | None = None
        self._opened: OrderedDict[str, Opened] = OrderedDict()
        self._failed: dict[str, tuple[float, str]] = {}  # by folder: until when it is not tried again, and why
        self._threads = ThreadPoolExecutor(2, "store")
        self._opening: dict[str, asyncio.Task[Opened]] = {}
        self._problem: str | None = None
        self.seen_at: float | None = None  # seconds since 1970

    @property
    def current(self) -> Opened | None:
        """The snapshot that is served; None also from when its file is found damaged until it is made again."""
        return None if self._current is None or self._current.is_damaged else self._current

    @property
    def problem(self) -> str | None:
        """What keeps the latest snapshot from being served, or the store from being read."""
        if self._current is not None and self._current.is_damaged:
            return "its file was found damaged, and is made again"
        return self._problem

    @property
    def store(self) -> Store:
        """Where snapshots are published."""
        if self._store is None:
            self._store = open_store(self._address)
        return self._store

    async def watch(self) -> None:
        """Look for new snapshots, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(POLL_SECONDS)

    async def look(self) -> None:
        """Serve the latest snapshot, where it can be had; else go on with what is served."""
        try:
            await self._list()
            self.seen_at = time.time()
            self._metrics.set("movies_api_store_seen_timestamp_seconds", self.seen_at)
            fresh = await self._open(self._latest)
            if self.current is not None and self.current is not fresh:
                self._metrics.count("movies_api_snapshot_swaps")
            self._serve(fresh)
            self._problem = None
        except Exception as problem:  # whatever it is, the snapshot that is served stays
            self._metrics.count("movies_api_store_errors")
            if self._problem is None:
                _log.warning("no look at %s: %s", self._address, problem)
            self._problem = str(problem) if isinstance(problem, MoviesPlatformError) else type(problem).__name__
            if self.current is None:
                await self._open_what_is_left()

    async def named(self, snapshot: str) -> Opened:
        """The snapshot of that id, opened where it is not; raises Problem where it cannot be."""
        if (opened := self._usable(snapshot)) is not None:
            self._opened.move_to_end(snapshot)
            return opened
        try:
            if snapshot not in self._known:  # another worker may have seen it before this one
                await self._list(_FRESH_SECONDS)
            if snapshot in self._known:
                try:
                    return await self._open(self._known[snapshot])
                except Exception:
                    await self._list(_FRESH_SECONDS)
                    if snapshot in self._known:  # else it was removed
                        raise
        except Exception as problem:
            raise Problem(503, f"Snapshot {snapshot} is not open here, and cannot be read now. Try again later.",
                          {"Retry-After": "10"}) from problem  # fmt: skip
        raise Problem(410, f"Snapshot {snapshot} is not kept (any more). Begin again with the latest one.",
                      known=sorted(self._known))  # fmt: skip

    async def kept(self) -> list[Snapshot]:
        """The snapshots that can be asked for, newest first."""
        return sorted(self._known.values(), key=lambda each: each.manifest.published_at, reverse=True)

    def snapshot(self, name: str) -> Snapshot:
        """A kept snapshot's manifest and files; raises Problem where it is not known."""
        try:
            return self._known[name]
        except KeyError:
            raise Problem(503, "The store of snapshots has not been read yet.", {"Retry-After": "5"}) from None

    def close(self) -> None:
        """Close all files."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _list(self, age: float = 0) -> None:
        """Read which snapshots are kept, once for all who wait, unless it was read less than `age` seconds ago."""
        if self._pointer is not None and time.monotonic() - self._listed_at < age:
            return
        if self._listing is None:
            self._listing = asyncio.create_task(self._read_list())
            self._listing.add_done_callback(lambda _: setattr(self, "_listing", None))
        await asyncio.shield(self._listing)

    async def _read_list(self) -> None:
        pointer = await self._in_thread(lambda: self.store.read(LATEST))
        if pointer is None:  # a disk that is not mounted looks like that
            raise NoSnapshot(f"nothing is published at {self._address}")
        if pointer != self._pointer:
            kept = await self._in_thread(lambda: kept_snapshots(self.store))
            self._latest, self._known = kept[0], {each.manifest.snapshot: each for each in reversed(kept)}
            self._pointer = pointer
        self._listed_at = time.monotonic()

    def _usable(self, name: str) -> Opened | None:
        """The snapshot, where it is open and was not found damaged."""
        if (opened := self._opened.get(name)) is not None and opened.is_damaged:
            del self._opened[name]
            return None
        return opened

    async def _open(self, snapshot: Snapshot) -> Opened:
        """Open a snapshot, once for all who wait for it; one that could not be opened is not tried again at once."""
        name, folder = snapshot.manifest.snapshot, snapshot.pointer.folder
        if (opened := self._usable(name)) is not None:
            return opened
        until, reason = self._failed.get(folder, (0.0, ""))
        if time.monotonic() < until:
            raise SnapshotDamaged(reason)
        task = self._opening.get(name)
        if task is None:
            task = self._opening[name] = asyncio.create_task(
                self._in_thread(lambda: Opened(prepared(snapshot, self._cache)))
            )
            task.add_done_callback(lambda _: self._opening.pop(name, None))
        try:
            opened = await asyncio.shield(task)
        except Exception as problem:
            self._failed[folder] = time.monotonic() + _AGAIN_SECONDS, str(problem)
            self._pointer = None  # the list is read again: the snapshot may have been removed
            _log.warning("snapshot %s cannot be opened: %s", name, problem)
            raise
        self._keep(opened)
        return opened

    def _serve(self, opened: Opened) -> None:
        self._current = opened
        self._metrics.set(_PUBLISHED, _seconds(opened.published_at))

    def _keep(self, opened: Opened) -> None:
        self._opened[opened.snapshot] = opened
        # One that is left out is closed when the last question to it has been answered.
        for name in [name for name in self._opened if self._opened[name] is not self.current][:-_OPEN]:
            del self._opened[name]

    async def _open_what_is_left(self) -> None:
        for file in files_left(self._address, self._cache):
            try:
                opened = await self._in_thread(partial(_opened_if_sound, file))
            except Exception as problem:
                _log.warning("%s cannot be opened: %s", file, problem)
                continue
            if opened is not None:
                self._serve(opened)
                self._keep(opened)
                return

    async def _in_thread(self, call: Callable[[], Found]) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


def _opened_if_sound(file: Path) -> Opened | None:
    return Opened(file) if is_sound(file) else None


def _seconds(moment: str) -> float:
    return dt.datetime.fromisoformat(moment).timestamp()
