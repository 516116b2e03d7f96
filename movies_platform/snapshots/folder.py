"""Snapshots in a folder of this machine (or a mounted one)."""

import contextlib
import datetime as dt
import fcntl
import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from movies_platform.errors import SettingsError
from movies_platform.snapshots.store import LATEST, SNAPSHOTS

_LOCK = ".latest.lock"


class FolderStore:
    """A `Store` in a folder: files are flushed to disk, `latest.json` is replaced by a rename."""

    def __init__(self, address: str):
        self.address = address
        self._root = Path(address)

    def prepare(self) -> None:
        """See `Store.prepare`."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            writable = os.access(self._root, os.W_OK | os.X_OK)
        except OSError:
            writable = False
        if not writable:
            raise SettingsError(f"MOVIES_PUBLISHED: {self.address} is no folder that can be written. Choose another.")

    def read(self, path: str) -> bytes | None:
        """See `Store.read`."""
        try:
            return (self._root / path).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, place: str, source: Path, paths: Sequence[str]) -> None:
        """See `Store.put`."""
        folders = {self._root}
        for path in paths:
            target = self._root / place / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / path, target)
            _flush(target)
            folders |= {folder for folder in target.parents if folder.is_relative_to(self._root)}
        for folder in folders:
            _flush(folder)

    def fetch(self, path: str, target: Path) -> None:
        """See `Store.fetch`."""
        shutil.copyfile(self._root / path, target)

    def digest(self, path: str) -> tuple[int, str]:
        """See `Store.digest`."""
        with (self._root / path).open("rb") as file:
            return os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()

    def local(self, path: str) -> Path | None:
        """See `Store.local`."""
        return self._root / path

    def point(self, content: bytes, expected: bytes | None) -> bool:
        """See `Store.point`. The lock ends with the process that holds it."""
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.read(LATEST) != expected:
                return False
            fresh = self._root / f".{LATEST}.{os.getpid()}"
            fresh.write_bytes(content)
            _flush(fresh)
            fresh.replace(self._root / LATEST)
            _flush(self._root)
        return True

    def folders(self) -> dict[str, dt.datetime]:
        """See `Store.folders`."""
        found: dict[str, dt.datetime] = {}
        with contextlib.suppress(FileNotFoundError):
            for entry in (self._root / SNAPSHOTS).iterdir():
                with contextlib.suppress(FileNotFoundError):  # another writer removed it just now
                    changed = max(path.stat().st_mtime for path in [entry, *entry.rglob("*")])
                    found[f"{SNAPSHOTS}/{entry.name}"] = dt.datetime.fromtimestamp(changed, dt.UTC)
        return found

    def remove(self, folder: str) -> None:
        """See `Store.remove`."""
        shutil.rmtree(self._root / folder, ignore_errors=True)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
