"""The latest snapshot: its manifest, and its database opened for reading.

A reader looks at `latest.json` once and then only at files that never change, so it sees one whole snapshot,
also while the next one is published.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from movies_platform.errors import NoSnapshot, SnapshotDamaged
from movies_platform.snapshots import open_store
from movies_platform.snapshots.manifest import DATABASE, Manifest
from movies_platform.snapshots.store import LATEST, Pointer, Store

if TYPE_CHECKING:
    import duckdb

SEARCH_PATH = "core,metrics,raw,published"
_KEPT_IN_CACHE = 3


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
    """The latest snapshot; raises NoSnapshot before the first, SnapshotDamaged when its manifest is not as written."""
    store = store or open_store()
    content = store.read(LATEST)
    if content is None:
        raise NoSnapshot(f"Nothing is published at {store.address} yet. Run 'movies-platform publish'.")
    pointer = Pointer.from_json(content)
    manifest = store.read(f"{pointer.folder}/manifest.json")
    if manifest is None or hashlib.sha256(manifest).hexdigest() != pointer.manifest_sha256:
        newest = store.read(LATEST)
        if newest != content:  # it was published and removed while we were looking
            return latest_snapshot(store)
        raise SnapshotDamaged(
            f"{store.address}/{pointer.folder}/manifest.json is not what was published. Run 'movies-platform publish "
            "--insist' to write the snapshot anew."
        )
    return Snapshot(store, pointer, Manifest.from_json(manifest))


def database_of(snapshot: Snapshot) -> Path:
    """The snapshot's DuckDB file on this machine; one on S3 is downloaded once and checked against its digest."""
    local = snapshot.store.local(snapshot.path(DATABASE))
    if local is not None:
        return local
    expected = snapshot.manifest.file(DATABASE).sha256
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "movies-platform")
    cache.mkdir(parents=True, exist_ok=True)
    kept = cache / f"{expected}.duckdb"
    if not kept.exists() or _sha256(kept) != expected:
        fresh = cache / f".{expected}.{os.getpid()}"
        snapshot.store.fetch(snapshot.path(DATABASE), fresh)
        if _sha256(fresh) != expected:
            fresh.unlink()
            raise SnapshotDamaged(f"{DATABASE} of snapshot {snapshot.manifest.snapshot} is not what was published.")
        fresh.replace(kept)
    kept.touch()
    for old in sorted(cache.glob("*.duckdb"), key=lambda p: p.stat().st_mtime)[:-_KEPT_IN_CACHE]:
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
    connection = duckdb.connect(database_of(latest_snapshot(open_store(address))), read_only=True)
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
