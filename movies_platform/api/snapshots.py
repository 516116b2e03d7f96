"""Which snapshot is served: new ones are found and swapped in, earlier ones are opened when a caller names them.

Each worker looks at the store's pointer every two seconds. The file of a new snapshot is built (by one process of the
machine), opened, and only then takes the place of the one before, which stays open for those who are still paging
through it. While the store is away the last snapshot is served; a start without the store serves the newest file that
is left from before.
"""

import asyncio
import datetime as dt
import logging
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from movies_platform.api.index import files_left, prepared
from movies_platform.api.monitoring import Metrics
from movies_platform.api.problems import Problem
from movies_platform.api.rows import Opened
from movies_platform.errors import MoviesPlatformError
from movies_platform.published.read import Snapshot, kept_snapshots
from movies_platform.published.store import LATEST, Store, open_store
from movies_platform.settings import Settings

POLL_SECONDS = 2.0
_OPEN = 4  # snapshots of which the files stay open
_FORGET_SECONDS = 10.0  # before the store is asked again for a snapshot that it did not have
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
        self._opened: OrderedDict[str, Opened] = OrderedDict()
        self._known: dict[str, Snapshot] = {}
        self._missing: dict[str, float] = {}
        self._threads = ThreadPoolExecutor(2, "store")
        self._opening: dict[str, asyncio.Task[Opened]] = {}
        self.current: Opened | None = None
        self.seen_at: float | None = None  # seconds since 1970
        self.problem: str | None = None

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
            pointer = await self._in_thread(lambda: self.store.read(LATEST))
            if pointer is not None and pointer != self._pointer:
                kept = await self._in_thread(lambda: kept_snapshots(self.store))
                self._known = {each.manifest.snapshot: each for each in reversed(kept)}
                self._missing.clear()
                fresh = await self._open(kept[0])
                if self.current is not None and self.current is not fresh:
                    self._metrics.count("movies_api_snapshot_swaps")
                self.current, self._pointer = fresh, pointer
                self._metrics.set(_PUBLISHED, _seconds(fresh.published_at))
            self.problem = None if pointer is not None else f"nothing is published at {self._address}"
            if pointer is None and self.current is None:  # a disk that is not mounted looks like that
                await self._open_what_is_left()
            self.seen_at = time.time()
            self._metrics.set("movies_api_store_seen_timestamp_seconds", self.seen_at)
        except Exception as problem:  # whatever it is, the snapshot that is served stays
            self._metrics.count("movies_api_store_errors")
            if self.problem is None:
                _log.warning("no look at %s: %s", self._address, problem)
            self.problem = str(problem) if isinstance(problem, MoviesPlatformError) else type(problem).__name__
            if self.current is None:
                await self._open_what_is_left()

    async def named(self, snapshot: str) -> Opened:
        """The snapshot of that id, opened where it is not; raises Problem where it is not kept any more."""
        if (opened := self._opened.get(snapshot)) is not None:
            self._opened.move_to_end(snapshot)
            return opened
        if snapshot not in self._known and time.monotonic() > self._missing.get(snapshot, 0):
            try:  # another worker may have seen the pointer before this one
                kept = await self._in_thread(lambda: kept_snapshots(self.store))
            except Exception as problem:
                raise Problem(503, f"The store of snapshots cannot be read, and {snapshot} is not open here.",
                              {"Retry-After": "5"}) from problem  # fmt: skip
            self._known = {each.manifest.snapshot: each for each in reversed(kept)}
        if snapshot not in self._known:
            self._missing[snapshot] = time.monotonic() + _FORGET_SECONDS
            if len(self._missing) > 1_000:
                self._missing.clear()
            raise Problem(410, f"Snapshot {snapshot} is not kept (any more). Begin again with the latest one.",
                          known=sorted(self._known))  # fmt: skip
        return await self._open(self._known[snapshot])

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

    async def _open(self, snapshot: Snapshot) -> Opened:
        """Open a snapshot, once for all who wait for it."""
        name = snapshot.manifest.snapshot
        if (opened := self._opened.get(name)) is not None:
            return opened
        task = self._opening.get(name)
        if task is None:
            task = self._opening[name] = asyncio.create_task(
                self._in_thread(lambda: Opened(prepared(snapshot, self._cache)))
            )
            task.add_done_callback(lambda _: self._opening.pop(name, None))
        opened = await asyncio.shield(task)
        self._keep(opened)
        return opened

    def _keep(self, opened: Opened) -> None:
        self._opened[opened.snapshot] = opened
        # One that is left out is closed when the last question to it has been answered.
        for name in [name for name in self._opened if self._opened[name] is not self.current][:-_OPEN]:
            del self._opened[name]

    async def _open_what_is_left(self) -> None:
        for file in files_left(self._address, self._cache):
            try:
                opened = await self._in_thread(partial(Opened, file))
            except (sqlite3.Error, OSError) as problem:
                _log.warning("%s cannot be opened: %s", file, problem)
                continue
            self.current = opened
            self._keep(opened)
            self._metrics.set(_PUBLISHED, _seconds(opened.published_at))
            return

    async def _in_thread(self, call: Callable[[], Found]) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


def _seconds(moment: str) -> float:
    return dt.datetime.fromisoformat(moment).timestamp()
