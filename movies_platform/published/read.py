"""The latest snapshot: its manifest, and its database opened for reading.

A reader reads `latest.json` once and then only files that never change, so it sees one snapshot, also while the next
one is published.
"""

import hashlib
import logging
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from movies_platform.errors import NoSnapshot, SnapshotDamaged
from movies_platform.published.store import (
    DATABASE,
    LATEST,
    MANIFEST,
    REMEDY,
    FolderStore,
    Manifest,
    Pointer,
    Store,
    from_json,
    open_store,
)  # fmt: skip

if TYPE_CHECKING:
    import duckdb

SEARCH_PATH = "core,metrics,raw,published"
_KEPT_IN_CACHE = 3
_DAY = 24 * 3600
_LARGE = 100_000_000  # bytes
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """A published snapshot and where it is."""

    store: Store
    pointer: Pointer
    manifest: Manifest

    def path(self, file: str) -> str:
        """A file's path in the store."""
        return f"{self.pointer.folder}/{file}"


def latest_snapshot(store: Store | None = None) -> Snapshot:
    """The latest snapshot; raises NoSnapshot before the first, SnapshotDamaged when its files are not as written."""
    store = store or open_store()
    content = store.read(LATEST)
    if content is None:
        raise NoSnapshot(f"Nothing is published at {store.address} yet. Run 'movies-platform publish'.")
    pointer = from_json(Pointer, content, f"{store.address}/{LATEST}")
    path = f"{pointer.folder}/{MANIFEST}"
    manifest = store.read(path)
    if manifest is None or hashlib.sha256(manifest).hexdigest() != pointer.manifest_sha256:
        if store.read(LATEST) != content:  # the next one was published, and this one removed, in between
            return latest_snapshot(store)
        raise SnapshotDamaged(f"{store.address}/{path} is not what was published. {REMEDY}")
    return Snapshot(store, pointer, from_json(Manifest, manifest, f"{store.address}/{path}"))


def kept_snapshots(store: Store | None = None) -> list[Snapshot]:
    """The latest snapshot and those before it that are still there, newest first.

    Raises as `latest_snapshot` does. Of the earlier ones only the folder is known, not the digest of the manifest; one
    whose manifest cannot be read is left out, as one that is not there: the others can be served all the same.
    """
    latest = latest_snapshot(store)
    found = [latest]
    for folder in latest.pointer.earlier:
        path = f"{folder}/{MANIFEST}"
        if (content := latest.store.read(path)) is not None:
            try:
                manifest = from_json(Manifest, content, f"{latest.store.address}/{path}")
            except SnapshotDamaged as problem:
                _log.warning("an earlier snapshot is left out: %s", problem)
                continue
            pointer = Pointer(manifest.snapshot, folder, hashlib.sha256(content).hexdigest(), manifest.published_at)
            found.append(Snapshot(latest.store, pointer, manifest))
    return found


def damaged_files(snapshot: Snapshot) -> list[str]:
    """Where files of the snapshot are not as its manifest says, one sentence each.

    Every file is compared by its size, and by its digest up to 100 MB.
    """
    store, found = snapshot.store, snapshot.store.files(snapshot.pointer.folder)
    problems = []
    for file in snapshot.manifest.files:
        path = snapshot.path(file.path)
        size = found[path][0] if path in found else None
        if size is None:
            problems.append(f"{path} does not exist")
        elif size != file.bytes or (size <= _LARGE and store.digest(path) != (size, file.sha256)):
            problems.append(f"{path} is not what was published")
    return [f"{store.address}/{problem}. {REMEDY}" for problem in problems]


def database_of(snapshot: Snapshot) -> Path:
    """The snapshot's DuckDB file on this machine; one on S3 is downloaded once.

    The copy is compared with its digest whenever it is used. Raises SnapshotDamaged where the file is not as published.
    """
    store, path = snapshot.store, snapshot.path(DATABASE)
    if isinstance(store, FolderStore):
        return store.root / path
    expected = snapshot.manifest.file(DATABASE).sha256
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "movies-platform")
    cache.mkdir(parents=True, exist_ok=True)
    kept, partial = cache / f"{expected}.duckdb", cache / f".{secrets.token_hex(8)}"
    if not kept.exists() or _sha256(kept) != expected:
        try:
            store.fetch(path, partial)
            if _sha256(partial) != expected:
                raise SnapshotDamaged(f"{store.address}/{path} is not what was published. {REMEDY}")
            partial.replace(kept)
        except FileNotFoundError as problem:
            raise SnapshotDamaged(f"{store.address}/{path} does not exist any more. {REMEDY}") from problem
        finally:
            partial.unlink(missing_ok=True)
    kept.touch()
    abandoned = [path for path in cache.glob(".*") if path.stat().st_mtime < time.time() - _DAY]  # by killed readers
    for old in [*abandoned, *sorted(cache.glob("*.duckdb"), key=lambda p: p.stat().st_mtime)[:-_KEPT_IN_CACHE]]:
        old.unlink(missing_ok=True)
    return kept


def open_snapshot(address: str | None = None, *, closed: bool = False) -> "duckdb.DuckDBPyConnection":
    """The latest snapshot's database, read-only, tables of all schemas in the search path.

    `address` is a folder or `s3://bucket/prefix`; without it, the settings say where. With `closed`, queries reach
    nothing but the snapshot: no file, no other database, no variable of the caller, no setting.
    """
    import duckdb

    from movies_platform.resources.warehouse import limit_memory

    # No option when it is opened: a process can open a file only once with the same ones, and a notebook may have.
    file = database_of(latest_snapshot(open_store(address)))
    try:
        connection = duckdb.connect(file, read_only=True)
    except duckdb.IOException as problem:
        raise SnapshotDamaged(f"{file} cannot be opened: {str(problem).splitlines()[0]} {REMEDY}") from problem
    connection.execute(f"SET search_path = '{SEARCH_PATH}'")
    connection.execute("SET autoinstall_known_extensions = false")
    if closed:
        limit_memory(connection)
        connection.execute("SET python_enable_replacements = false")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    return connection


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
