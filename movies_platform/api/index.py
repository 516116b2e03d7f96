"""A snapshot -> one SQLite file that answers are read from, made once on each machine.

Each table has its rows in the order of the contract, numbered (`n`), with their columns and with the whole row as
JSON (`json`), so that most answers are a few rows put together by SQLite. Beside them: an index for each parameter,
`via_{table}_{parameter}` for parameters of other tables (value, time, number of the row), and for each table with names
one folded text that searches run over (bytes, which Python searches ten times faster than text with accents).

The file is built by a process of its own (`python -m movies_platform.api.index`), under a lock, checked, and
appears under its name in one step. Its digest is in its name: a damaged file is found before it is opened (in 0.2 s for
270 MB), and built again. It never changes; a file that is in use may be deleted.
"""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import unicodedata
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from movies_platform.api.tables import Filter, Table, served_tables
from movies_platform.contracts.columns import types_of
from movies_platform.contracts.ddl import literal
from movies_platform.contracts.published import contract_version
from movies_platform.contracts.tables import order_of, qualified, references_of
from movies_platform.errors import SnapshotDamaged
from movies_platform.published.read import Snapshot, database_of, kept_snapshots
from movies_platform.published.store import open_store
from movies_platform.settings import settings

_FORMAT = 3  # raise it when the file's form changes
_BUILDING = ".building"  # folder of the one that builds
_KEPT = 4  # files of the snapshots used last
_BATCH = 20_000  # rows
UNKNOWN = -1  # the time in a `via` table of a row that has none; no caller can ask for it
_MEMORY = "1GB"  # of DuckDB while it reads, unless MOVIES_MEMORY says otherwise
_SEPARATE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th"})
_log = logging.getLogger(__name__)


def folded(text: str) -> str:
    """The text as searches compare it: no accents, no capitals, single spaces."""
    if text.isascii():  # nearly every name, in a tenth of the time
        return " ".join(text.lower().split())
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(bare.translate(_SEPARATE).split())


def format_version() -> str:
    """Tells the files that this version of the platform reads, with these settings, from others."""
    terms = [_FORMAT, settings().api_max_rows, *(contract_version(t.contract) for t in served_tables().values())]
    return hashlib.sha256(repr(terms).encode()).hexdigest()[:8]


def files_left(address: str, cache: Path) -> list[Path]:
    """The files of snapshots of that store that this version reads, newest first."""
    return sorted(cache.glob(f"*{_ending(address)}*.sqlite"), reverse=True)  # names begin with the time of publication


def _ending(address: str) -> str:
    return f"-{format_version()}-{hashlib.sha256(address.encode()).hexdigest()[:6]}-"


def is_sound(file: Path) -> bool:
    """Whether the file is there, as it was built."""
    try:
        return file.stem.endswith(f"-{_digest(file)}")
    except OSError:
        return False


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:16]


def prepared(snapshot: Snapshot, cache: Path) -> Path:
    """The SQLite file of a snapshot, built where there is no sound one. Takes seconds: call it in a thread.

    Raises SnapshotDamaged where it cannot be built.
    """
    cache.mkdir(parents=True, exist_ok=True)
    name = f"{snapshot.pointer.folder.rsplit('/', 1)[-1]}{_ending(snapshot.store.address)}"
    file = _found(name, cache)
    if file is None:
        with (cache / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            file = _found(name, cache)
            if file is None:
                _make_room(name, cache)
                command = [sys.executable, "-m", "movies_platform.api.index", snapshot.store.address]
                done = subprocess.run(
                    # The builder has the lock too: where this process is killed, the lock ends with the builder.
                    [*command, snapshot.pointer.folder, str(cache), name], pass_fds=[lock.fileno()],
                    capture_output=True, text=True, check=False,
                )  # fmt: skip
                if done.returncode != 0:
                    raise SnapshotDamaged(
                        f"{snapshot.manifest.snapshot} cannot be served: {(done.stderr.strip() or 'killed')[-500:]}"
                    )
                file = Path(done.stdout.strip())
    with contextlib.suppress(FileNotFoundError):  # found damaged by another worker, which builds it again
        os.utime(file)
    return file


def _found(name: str, cache: Path) -> Path | None:
    return next(filter(is_sound, cache.glob(f"{name}*.sqlite")), None)


def _make_room(name: str, cache: Path) -> None:
    """Before a build: delete what a killed builder left (this process has the lock), damaged files of that name, and
    all but the files that were used last."""
    shutil.rmtree(cache / _BUILDING, ignore_errors=True)
    (cache / _BUILDING).mkdir()
    files = sorted(cache.glob("*.sqlite"), key=_used)
    for old in [*cache.glob(f"{name}*.sqlite"), *files[: 1 - _KEPT]]:
        old.unlink(missing_ok=True)


def _used(path: Path) -> float:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mtime
    return 0


def build(snapshot: Snapshot, cache: Path, name: str) -> Path:
    """Write the SQLite file of a snapshot; under its name, with its digest, when it is complete and was checked."""
    partial = cache / _BUILDING / name
    try:
        with contextlib.closing(sqlite3.connect(partial, isolation_level=None)) as file:
            for setting in ("journal_mode=off", "synchronous=off", "page_size=8192", "cache_size=-200000"):
                file.execute(f"PRAGMA {setting}")
            tables = _write_tables(snapshot, file)
            for table in tables:
                _write_indexes(file, table, tables)
                _write_search(file, table)
            file.execute("ANALYZE")
            meta = {"snapshot": snapshot.manifest.snapshot, "published_at": snapshot.manifest.published_at,
                    "months": snapshot.manifest.months,
                    "rows": {t.name: snapshot.manifest.tables[qualified(t.contract)].rows for t in tables}}  # fmt: skip
            file.execute("CREATE TABLE meta (content TEXT)")
            file.execute("INSERT INTO meta VALUES (?)", [json.dumps(meta)])
            _check(snapshot, file, tables)
        return partial.replace(cache / f"{name}{_digest(partial)}.sqlite")
    finally:
        partial.unlink(missing_ok=True)


def _write_tables(snapshot: Snapshot, file: sqlite3.Connection) -> list[Table]:
    """Copy the rows of every table that is served; which tables those are."""
    import duckdb

    chosen = settings()
    written = []
    with duckdb.connect(database_of(snapshot), read_only=True) as source:
        source.execute(f"SET memory_limit = '{chosen.memory or _MEMORY}'")
        source.execute(f"SET temp_directory = {literal(file_path(file).parent)}")
        for table in served_tables().values():
            content = snapshot.manifest.tables.get(qualified(table.contract))
            if content is None or content.contract_version != contract_version(table.contract):
                _log.warning("%s is not in this snapshot as its contract says, and is not served", table.name)
            elif content.rows <= chosen.api_max_rows:
                file.execute(f"CREATE TABLE {table.name} (n INTEGER PRIMARY KEY, json TEXT, {_columns(table)})")
                places = ", ".join("?" * (len(table.columns) + 1))
                rows = source.execute(_query(table))
                file.execute("BEGIN")
                while batch := rows.fetchmany(_BATCH):
                    file.executemany(f"INSERT INTO {table.name} VALUES (NULL, {places})", batch)
                file.execute("COMMIT")
                written.append(table)
    return written


def file_path(file: sqlite3.Connection) -> Path:
    """Where a database is."""
    return Path(file.execute("PRAGMA database_list").fetchone()[2])


def _columns(table: Table) -> str:
    kinds = {"DOUBLE": "REAL", "BIGINT": "INTEGER"}
    return ", ".join(f"{c.name} {kinds.get(types_of(c).duckdb, 'TEXT')}" for c in table.columns)


def _query(table: Table) -> str:
    """The rows in DuckDB: JSON and columns, names joined, in the order of the contract."""
    contract, joins, source = table.contract, [], {}
    for number, (own, other, theirs) in enumerate(references_of(contract)):
        for column in table.columns:
            if column.table is other and column.name not in contract.columns:
                condition = " AND ".join(f"t.{a} = o{number}.{b}" for a, b in zip(own, theirs, strict=True))
                joins.append(f"LEFT JOIN {qualified(other)} o{number} ON {condition}")
                source[column.name] = f"o{number}.{column.name}"
    values = {c.name: _value(c, source.get(c.name, f"t.{c.name}")) for c in table.columns}
    named = ", ".join(f"'{name}': {value}" for name, value in values.items())
    order = [f"t.{name}" for name in order_of(contract)] or [f"t.{c.name}" for c in contract.columns]
    return (
        f"SELECT to_json({{{named}}})::VARCHAR, {', '.join(values.values())} "
        f"FROM {qualified(contract)} t {' '.join(joins)} ORDER BY {', '.join(order)}"
    )


def _value(column: sa.Column[Any], value: str) -> str:
    if isinstance(column.type, sa.Double):
        return f"CASE WHEN isfinite({value}) THEN {value} END"  # to_json would write NaN, which is no JSON
    if isinstance(column.type, sa.DateTime):
        return f"strftime({value}, '%Y-%m-%dT%H:%M:%SZ')"
    return f"{value}::VARCHAR" if isinstance(column.type, sa.Date) else value


def _write_indexes(file: sqlite3.Connection, table: Table, tables: Sequence[Table]) -> None:
    time = [table.time.name] if table.time is not None else []
    wanted = [[each.column.name, *time] for each in table.filters.values() if not each.links]
    wanted += [time] if time else []
    if table.key:
        wanted.append([table.key])
        is_number = {c.name for c in table.columns if types_of(c).duckdb in ("DOUBLE", "BIGINT")}
        wanted += [[name] for name in table.names if name in is_number - {table.key, *time}]
    for columns in {tuple(columns): None for columns in wanted}:
        file.execute(f"CREATE INDEX {table.name}_{'_'.join(columns)} ON {table.name} ({', '.join(columns)})")
    served = {each.name for each in tables}
    for each in table.filters.values():
        if each.links:
            _write_via(file, table, each, served)


def _write_via(file: sqlite3.Connection, table: Table, chosen: Filter, served: set[str]) -> None:
    """For a parameter of other tables: its value, the time and the number of each row that has it."""
    name, time = via(table, chosen), f"coalesce(t.{table.time.name}, {UNKNOWN})" if table.time is not None else UNKNOWN
    file.execute(f"CREATE TABLE {name} (value, time, n INTEGER, PRIMARY KEY (value, time, n)) WITHOUT ROWID")
    for link in chosen.links:
        if link.table in served:
            file.execute(
                f"INSERT OR IGNORE INTO {name} SELECT l.{link.other}, {time}, t.n FROM {link.table} l "
                f"JOIN {table.name} t ON t.{table.key} = l.{link.own} WHERE l.{link.other} IS NOT NULL ORDER BY 1, 2, 3"
            )
    file.execute(f"CREATE INDEX {name}_n ON {name} (value, n)")


def via(table: Table, chosen: Filter) -> str:
    """The table of the file in which a parameter of other tables is looked up."""
    return f"via_{table.name}_{chosen.name}"


def _write_search(file: sqlite3.Connection, table: Table) -> None:
    """The folded names, one a line; where each line begins, and whose name it is."""
    file.execute("CREATE TABLE IF NOT EXISTS search (table_name TEXT, names BLOB, starts BLOB, numbers BLOB)")
    if not table.searched:
        return
    lines, starts, numbers, length = [b""], array("Q"), array("Q"), 1
    for number, *names in file.execute(f"SELECT n, {', '.join(table.searched)} FROM {table.name} ORDER BY n"):
        for name in {folded(each) for each in {*names} - {None}}:
            lines.append(name.encode())
            starts.append(length)
            numbers.append(number)
            length += len(lines[-1]) + 1
    text = b"\n".join([*lines, b""])
    row = [table.name, text, starts.tobytes(), numbers.tobytes()]
    file.execute("INSERT INTO search VALUES (?, ?, ?, ?)", row)


def _check(snapshot: Snapshot, file: sqlite3.Connection, tables: Sequence[Table]) -> None:
    """Raise SnapshotDamaged unless every table has the rows that the manifest says, and the file is sound."""
    for table in tables:
        found = file.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]
        expected = snapshot.manifest.tables[qualified(table.contract)].rows
        if found != expected:
            raise SnapshotDamaged(f"{table.name} has {found:,} rows, the manifest says {expected:,}")
    if (sound := file.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
        raise SnapshotDamaged(f"the file that was made of it is damaged: {sound}")


def main() -> None:
    """Build the file of one snapshot, print its path: `python -m movies_platform.api.index STORE FOLDER CACHE NAME`."""
    address, folder, cache, name = sys.argv[1:]
    kept = {each.pointer.folder: each for each in kept_snapshots(open_store(address))}
    if folder not in kept:
        raise SnapshotDamaged(f"{address}/{folder} does not exist any more, or its manifest is damaged.")
    print(build(kept[folder], Path(cache), name))


if __name__ == "__main__":
    main()
