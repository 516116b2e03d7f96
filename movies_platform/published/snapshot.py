"""Publishing: from the warehouse to `latest.json`, whole or not at all.

Written aside under a name of its own, verified, put into the store, read back from there, and then made visible by
the one replacement of `latest.json`. A writer that dies leaves a folder that nobody is told of; of two writers the
later one notices, and begins again with what the warehouse holds then.
"""

import contextlib
import datetime as dt
import hashlib
import logging
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from movies_platform.contracts.published import MONTHLY, contract_version, published_tables
from movies_platform.contracts.tables import qualified
from movies_platform.errors import NoSnapshot, SnapshotDamaged, SnapshotRefused
from movies_platform.published.database import Copied, copy_tables, note_contents
from movies_platform.published.files import Part, parts_of, verify, write_csv, write_others
from movies_platform.published.guard import objections
from movies_platform.published.retention import remove_old
from movies_platform.resources.settings import settings
from movies_platform.snapshots import open_store
from movies_platform.snapshots.manifest import Content, Manifest, PublishedFile
from movies_platform.snapshots.reading import Snapshot, latest_snapshot
from movies_platform.snapshots.store import LATEST, SNAPSHOTS, Pointer, Store

_TRIES = 5
_TOLD = 3  # of the reasons for a refusal
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Published:
    """The snapshot that readers see now, and whether this publishing made it."""

    snapshot: Snapshot
    is_new: bool


def publish(*, insist: bool = False) -> Published:
    """Publish the tables, unless the latest snapshot holds the same.

    Raises SnapshotRefused when the tables are unfit; with `insist`, empty and shrunken ones are published all the
    same, and an unchanged snapshot is written anew.
    """
    store = open_store()
    store.prepare()
    for _ in range(_TRIES):
        expected = store.read(LATEST)
        with _workplace() as folder:
            made = _publish_over(store, expected, _before(store, insist), folder, insist)
        if made is not None:
            return made
        _log.warning("another snapshot was published meanwhile; looking at the tables again")
    raise SnapshotRefused(f"{store.address}: others published {_TRIES} times meanwhile. Try again later.")


def _publish_over(
    store: Store, expected: bytes | None, before: Snapshot | None, folder: Path, insist: bool
) -> Published | None:
    """Publish in place of what `expected` says; None when that has changed."""
    copied = copy_tables(folder / "movies.duckdb")
    parts = parts_of(copied.months)
    digests = write_csv(folder, parts)
    tables = _contents(copied, digests)
    name = _identity(copied.months, tables)
    if before and before.manifest.snapshot == name and not insist:
        return Published(before, is_new=False)
    free = [qualified(table) for table in MONTHLY]  # a month may have no issue
    doubts = objections(copied.months, copied.rows, before.manifest if before else None, free)
    if doubts and not insist:
        more = f"; and {len(doubts) - _TOLD} more" if len(doubts) > _TOLD else ""
        why = "; ".join(doubts[:_TOLD]) + more
        raise SnapshotRefused(f"Not published: {why}. If that is right, run 'movies-platform publish --insist'.")
    note_contents(folder / "movies.duckdb", name, tables)
    write_others(folder, parts)
    rows = verify(folder, parts)
    now = dt.datetime.now(dt.UTC)
    published_at = now.isoformat(timespec="seconds")
    manifest = Manifest(name, published_at, copied.deliveries, copied.months, tables, _files(folder, parts, rows))
    (folder / "manifest.json").write_bytes(manifest.to_json())
    place = f"{SNAPSHOTS}/{now:%Y%m%dT%H%M%S}-{name}-{secrets.token_hex(2)}"
    _store(store, folder, place, manifest)
    known = [before.pointer.folder, *before.pointer.earlier] if before else []
    pointer = Pointer(
        name, place, hashlib.sha256(manifest.to_json()).hexdigest(), manifest.published_at,
        known[: settings().keep_snapshots - 1],
    )  # fmt: skip
    if not store.point(pointer.to_json(), expected):
        store.remove(place)
        return None
    remove_old(store, [place, *pointer.earlier], known, now)
    return Published(Snapshot(store, pointer, manifest), is_new=True)


def _store(store: Store, folder: Path, place: str, manifest: Manifest) -> None:
    """Put the files into the store, the manifest last, and read each of them back."""
    store.put(place, folder, [file.path for file in manifest.files])
    store.put(place, folder, ["manifest.json"])
    content = manifest.to_json()
    digests = {file.path: (file.bytes, file.sha256) for file in manifest.files}
    digests["manifest.json"] = (len(content), hashlib.sha256(content).hexdigest())
    for path, digest in digests.items():
        if store.digest(f"{place}/{path}") != digest:
            raise SnapshotDamaged(f"{store.address}/{place}/{path} does not read back as it was written.")


def _contents(copied: Copied, digests: Mapping[Part, str]) -> dict[str, Content]:
    found = {}
    for table in published_tables():
        own = [f"{part.month or ''}{digest}" for part, digest in digests.items() if part.table is table]
        # of a table published month by month: the digest of its months' digests
        digest = own[0] if table not in MONTHLY else hashlib.sha256("\n".join(own).encode()).hexdigest()
        found[qualified(table)] = Content(copied.rows[qualified(table)], digest, contract_version(table))
    return found


def _identity(months: Sequence[str], tables: Mapping[str, Content]) -> str:
    """The snapshot's id: its newest month and a digest of all that is in it."""
    text = repr([list(months), sorted((name, c.sha256, c.contract_version) for name, c in tables.items())])
    return f"{months[-1]}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _files(folder: Path, parts: Sequence[Part], rows: Mapping[str, int]) -> list[PublishedFile]:
    by_stem = {part.stem: part for part in parts}
    entries = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        relative = path.relative_to(folder).as_posix()
        part = by_stem.get(relative.partition("/")[2].partition(".")[0])
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        entries.append(PublishedFile(
            relative, path.stat().st_size, digest,
            table=qualified(part.table) if part else None, month=part.month if part else None,
            rows=rows.get(relative), contract_version=contract_version(part.table) if part else None,
        ))  # fmt: skip
    return entries


def _before(store: Store, insist: bool) -> Snapshot | None:
    try:
        return latest_snapshot(store)
    except NoSnapshot:
        return None
    except SnapshotDamaged:
        if insist:
            return None
        raise


@contextlib.contextmanager
def _workplace() -> Iterator[Path]:
    """A folder to write in; those of killed writers are removed when they are a day old."""
    scratch = settings().scratch / "publishing"
    scratch.mkdir(parents=True, exist_ok=True)
    yesterday = dt.datetime.now(dt.UTC).timestamp() - 24 * 3600
    for old in scratch.iterdir():
        if old.stat().st_mtime < yesterday:
            shutil.rmtree(old, ignore_errors=True)
    folder = scratch / secrets.token_hex(8)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
