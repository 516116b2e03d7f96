"""Publishing: the tables of the warehouse -> files, verified, and made visible by replacing `latest.json`.

The DuckDB file is written first and all others are made from it, so the warehouse is needed for a second only and all
files hold the same. They are written to a scratch folder, put into the store, and read back from there once. A writer
that dies leaves a folder that no pointer names, which is removed after a day; of two writers the later one notices, and
starts again with what the warehouse holds then.

Rows are in the order of the key. A table's content is identified by the SHA-256 of its CSV, a text that no version of a
format changes; `zcat core/movies.csv.gz | sha256sum` gives it again.
"""

import contextlib
import datetime as dt
import gzip
import hashlib
import itertools
import logging
import secrets
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from movies_platform.contracts.ddl import create_statements, literal
from movies_platform.contracts.published import (
    MONTHLY,
    SNAPSHOT,
    contract_version,
    is_chosen,
    may_be_empty,
    published_tables,
    reports,
)  # fmt: skip
from movies_platform.contracts.raw import DELIVERIES
from movies_platform.contracts.tables import order_of, qualified
from movies_platform.contracts.violations import violations_of
from movies_platform.errors import NoSnapshot, SnapshotDamaged, SnapshotRefused, TablesOutdated
from movies_platform.landing import open_landing
from movies_platform.landing.deliveries import refused_months
from movies_platform.published.read import Snapshot, latest_snapshot
from movies_platform.published.store import (
    DATABASE,
    LATEST,
    MANIFEST,
    SNAPSHOTS,
    Content,
    FolderStore,
    Manifest,
    Pointer,
    PublishedFile,
    Store,
    open_store,
    to_json,
)  # fmt: skip
from movies_platform.resources import warehouse
from movies_platform.resources.build_log import deliveries_fingerprint, stale_tables
from movies_platform.resources.months import month_name, months_between, parse_month
from movies_platform.resources.scratch import own_folder
from movies_platform.settings import settings

LEAST_SHARE = 0.8  # of the rows of before; whole histories of the real data differ by 3 %
_DAY = 24 * 3600.0  # Nobody takes a day to publish: an older folder that nothing names belongs to a writer that died.
_ATTEMPTS = 5
_SHOWN = 3  # of the reasons for a refusal
_STORAGE = "v1.0.0"  # any DuckDB since 1.0 opens the file
_LEVEL = 4  # of gzip: 6 takes twice as long for 4 % less
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Published:
    """The snapshot that readers see now, and whether this publishing made it.

    `refused` are the months whose newest delivery was refused, `missing` those between the first and the newest month
    for which nothing was delivered.
    """

    snapshot: Snapshot
    is_new: bool
    refused: list[str]
    missing: list[str]


def publish(*, force: bool = False) -> Published:
    """Publish the tables, unless the latest snapshot holds the same.

    Raises SnapshotRefused when the tables are unfit; with `force`, empty and shrunken ones are published all the same,
    and an unchanged snapshot is written again.
    """
    store = open_store()
    store.check_writable()
    refused = [month_name(archived.month) for archived in refused_months(open_landing().archived())]
    for _ in range(_ATTEMPTS):
        with own_folder("publishing-") as folder:
            done = _publish_once(store, folder, force)
        if done is not None:
            snapshot, is_new = done
            return Published(snapshot, is_new, refused, missing_months(snapshot.manifest.months, refused))
        _log.warning("another snapshot was published meanwhile; starting again with the tables as they are now")
    raise SnapshotRefused(f"{store.address}: others published {_ATTEMPTS} times meanwhile. Try again later.")


def missing_months(months: Sequence[str], refused: Sequence[str]) -> list[str]:
    """The months between the oldest and the newest of those published and refused that are neither."""
    known = {*months, *refused}
    return [name for month in months_between(*map(parse_month, known)) if (name := month_name(month)) not in known]


def guardrails(months: Sequence[str], tables: Mapping[str, Content], before: Manifest | None) -> list[str]:
    """Why the tables look wrong: empty, much smaller than in the snapshot before, or without one of its months.

    What comes from an optional file may be empty until it has had rows.
    """
    # A month may have no issue: tables published month by month may have any number of rows.
    rows = {name: content.rows for name, content in tables.items() if name not in map(qualified, MONTHLY)}
    had_rows = {name for name, content in before.tables.items() if content.rows} if before else set()
    optional = {qualified(table) for table in published_tables() if may_be_empty(table)} - had_rows
    found = [f"{name} is empty" for name, count in rows.items() if not count and name not in optional]
    for name, content in before.tables.items() if before else ():
        if 0 < rows.get(name, 0) < LEAST_SHARE * content.rows:
            found.append(f"{name} has {rows[name]:,} rows, {content.rows:,} in the snapshot before")
        if name not in tables:
            found.append(f"{name} is not there any more")
    gone = sorted({*before.months} - {*months}) if before else []
    return [*found, *([f"the months {', '.join(gone)} of the snapshot before are not there any more"] if gone else [])]


def copy_tables(target: Path) -> tuple[list[str], str]:
    """Copy the published tables, all as they are at one moment, into a new DuckDB file.

    Returns the months in the tables and the fingerprint of their deliveries. Raises SnapshotRefused when tables do not
    show what was delivered, or break their contract.
    """
    with warehouse.reading() as connection:
        connection.execute(f"ATTACH {literal(target)} AS fresh_snapshot (STORAGE_VERSION '{_STORAGE}')")
        connection.begin()
        try:
            months = _fit_months(connection)
            deliveries = deliveries_fingerprint(connection) or ""
            connection.execute("USE fresh_snapshot")
            for table in [*published_tables(), SNAPSHOT]:
                connection.execute("; ".join(create_statements(table)))
            for table in published_tables():
                columns = ", ".join(column.name for column in table.columns)
                order = ", ".join(order_of(table)) or "ALL"
                connection.execute(
                    f"INSERT INTO {qualified(table)} SELECT {columns} FROM {warehouse.NAME}.{qualified(table)} "
                    f"ORDER BY {order}"
                )
            connection.commit()
        except BaseException:
            with contextlib.suppress(duckdb.Error):  # the first error is the one to be seen
                connection.rollback()
            raise
        finally:
            connection.execute(f"USE {warehouse.NAME}")
            connection.execute("DETACH fresh_snapshot")
    return months, deliveries


def write_files(folder: Path, months: Sequence[str]) -> tuple[dict[str, Content], list[PublishedFile]]:
    """Write every table (and month) as gzipped CSV (UTF-8, header, nothing for null) and Parquet, and the wide reports.

    Of tables that the setting `publish_without` names, the CSV is only read for its digest. Returns what the tables
    hold, and the files. Raises SnapshotDamaged where Parquet does not read back as the table.
    """
    without = settings().publish_without
    with ThreadPoolExecutor() as packers, duckdb.connect(folder / DATABASE, read_only=True) as connection:
        warehouse.limit_memory(connection)
        written = []
        for table in published_tables():
            for month in months if table in MONTHLY else [None]:
                stem = "/".join(filter(None, [table.schema, table.name, month]))
                csv, parquet = folder / f"csv/{stem}.csv", folder / f"parquet/{stem}.parquet"
                query = f"FROM {qualified(table)}" + (f" WHERE delivery_month = DATE '{month}-01'" if month else "")
                rows = _copy(connection, query, csv, "FORMAT csv, HEADER")
                # while the next is written: zlib works outside of Python's lock
                packed = packers.submit(_pack, csv, keep=not is_chosen(table, without))
                _copy(connection, query, parquet, "FORMAT parquet, COMPRESSION zstd")
                stored = f"FROM read_parquet({literal(parquet)}, hive_partitioning=false)"
                if _fingerprint(connection, stored) != _fingerprint(connection, query):
                    raise SnapshotDamaged(
                        f"parquet/{stem}.parquet does not read back as the table it was written from."
                    )
                written.append((table, month, stem, rows, packed))
        found = {
            file: _copy(connection, query, folder / file, "FORMAT csv, HEADER") for file, query in reports().items()
        }
    tables: dict[str, Content] = {}
    files = [_file(folder, file, rows=rows) for file, rows in found.items()]
    for table, of_table in itertools.groupby(written, lambda entry: entry[0]):
        name, version, total, digests = qualified(table), contract_version(table), 0, []
        for _, month, stem, rows, packed in of_table:
            total += rows
            digests.append(f"{month or ''}{packed.result()}")
            for path in (*([] if is_chosen(table, without) else [f"csv/{stem}.csv.gz"]), f"parquet/{stem}.parquet"):
                files.append(_file(folder, path, table=name, month=month, rows=rows, contract_version=version))
        # of a table published month by month: the digest of its months' digests
        digest = hashlib.sha256("\n".join(digests).encode()).hexdigest() if table in MONTHLY else digests[0]
        tables[name] = Content(total, digest, version)
    return tables, files


def _publish_once(store: Store, folder: Path, force: bool) -> tuple[Snapshot, bool] | None:
    """The latest snapshot and whether it is new; None when another writer was faster."""
    expected, before = store.read(LATEST), None
    try:
        before = latest_snapshot(store)
    except (NoSnapshot, SnapshotDamaged) as problem:
        if isinstance(problem, SnapshotDamaged) and not force:
            raise
    months, deliveries = copy_tables(folder / DATABASE)
    tables, files = write_files(folder, months)
    text = repr([months, sorted((name, c.sha256, c.contract_version) for name, c in tables.items())])
    name = f"{months[-1]}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    if before and before.manifest.snapshot == name and _paths(before.manifest.files) == _paths(files) and not force:
        return before, False
    broken = guardrails(months, tables, before.manifest if before else None)
    if broken and not force:
        why = "; ".join(broken[:_SHOWN]) + (f"; and {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else "")
        raise SnapshotRefused(f"Not published: {why}. If that is right, run 'movies-platform publish --force'.")
    with duckdb.connect(folder / DATABASE) as connection:  # the file itself says which snapshot it is
        rows = [(table, name, c.rows, c.sha256, c.contract_version) for table, c in tables.items()]
        values = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
        connection.execute(f"INSERT INTO {qualified(SNAPSHOT)} VALUES {values}")
    now = dt.datetime.now(dt.UTC)
    files = sorted([*files, _file(folder, DATABASE)], key=lambda file: file.path)
    manifest = Manifest(name, now.isoformat(timespec="seconds"), deliveries, months, tables, files)
    (folder / MANIFEST).write_bytes(to_json(manifest))
    own = _file(folder, MANIFEST)
    place = f"{SNAPSHOTS}/{now:%Y%m%dT%H%M%S}-{name}-{secrets.token_hex(2)}"
    put_and_read_back(store, folder, place, [*files, own])
    known = [before.pointer.folder, *before.pointer.earlier] if before else []
    pointer = Pointer(name, place, own.sha256, manifest.published_at, known[: settings().keep_snapshots - 1])
    if not store.replace_latest(to_json(pointer), expected):
        store.remove(place)
        return None
    _remove_old(store, [place, *pointer.earlier], known, now.timestamp())
    return Snapshot(store, pointer, manifest), True


def put_and_read_back(store: Store, folder: Path, place: str, files: Sequence[PublishedFile]) -> None:
    """Put the files into the store, the last one (the manifest) after all others, and read each of them back once."""
    paths = [file.path for file in files]
    store.put(place, folder, paths[:-1])
    store.put(place, folder, paths[-1:])
    with ThreadPoolExecutor(4) as readers:
        found = readers.map(store.digest, [f"{place}/{path}" for path in paths])
        for file, digest in zip(files, found, strict=True):
            if digest != (file.bytes, file.sha256):
                raise SnapshotDamaged(f"{store.address}/{place}/{file.path} does not read back as it was written.")


def _fit_months(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The months in the warehouse; raises SnapshotRefused where it is not fit to be published."""
    months: list[str] = []
    if warehouse.table_exists(connection, DELIVERIES):
        found = connection.execute(f"SELECT DISTINCT delivery_month FROM {qualified(DELIVERIES)} ORDER BY 1").fetchall()
        months = [month_name(row[0]) for row in found]
    stale = [qualified(table) for table in stale_tables(connection)]
    if stale or not months:
        raise TablesOutdated(
            f"Not published: {', '.join(stale) or 'the warehouse'} does not show what was delivered. "
            "Run 'movies-platform refresh' first."
        )
    broken = [f"{qualified(t)}: {what}" for t in published_tables() for what, _ in violations_of(connection, t)]
    if broken:
        raise SnapshotRefused("Not published: tables break their contract.\n" + "\n".join(broken))
    return months


def _file(folder: Path, path: str, **about: Any) -> PublishedFile:
    size, digest = FolderStore(str(folder)).digest(path)
    return PublishedFile(path, size, digest, **about)


def _paths(files: Sequence[PublishedFile]) -> set[str]:
    """Which files of tables there are: a setting may leave some out."""
    return {file.path for file in files} - {DATABASE}


def _remove_old(store: Store, kept: Collection[str], known: Collection[str], now: float) -> None:
    """Remove snapshots that were `known` and are not `kept`, and what writers left that died."""
    changed: dict[str, float] = {}
    for path, (_, time) in store.files(SNAPSHOTS).items():
        folder = "/".join(path.split("/")[:2])
        changed[folder] = max(time, changed.get(folder, time))
    for folder, time in changed.items():
        if folder not in kept and (folder in known or now - time > _DAY):
            store.remove(folder)


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path, options: str) -> int:
    """Write the rows of a query to a file; how many they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return int(connection.execute(f"COPY ({query}) TO {literal(path)} ({options})").fetchall()[0][0])


def _fingerprint(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, int]:
    """Rows of a query, and the sum of their hashes: the order of rows does not matter, equal rows are counted."""
    return connection.execute(f"SELECT count(*), sum(hash(r)::HUGEINT) FROM ({query}) r").fetchall()[0]


def _pack(path: Path, *, keep: bool) -> str:
    """Replace a file by its gzipped one, or by nothing unless it is to `keep`; the SHA-256 of what it held."""
    if not keep:
        with path.open("rb") as plain:
            found = hashlib.file_digest(plain, "sha256").hexdigest()
        path.unlink()
        return found
    digest = hashlib.sha256()
    with (
        path.open("rb") as plain,
        path.with_name(f"{path.name}.gz").open("wb") as file,
        # no name and no time inside: the same rows give the same bytes
        gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=_LEVEL, mtime=0) as packed,
    ):
        while block := plain.read(1 << 20):
            digest.update(block)
            packed.write(block)
    path.unlink()
    return digest.hexdigest()
