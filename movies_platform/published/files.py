"""The DuckDB file of a snapshot -> its other files, verified by reading them back.

Rows keep the order of the key. A table's content is told by the SHA-256 of its CSV, which is text that no version
of a format changes; `zcat core/movies.csv.gz | sha256sum` gives it again.
"""

import gzip
import hashlib
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb
import sqlalchemy as sa

from movies_platform.contracts.ddl import literal
from movies_platform.contracts.published import MONTHLY, published_tables
from movies_platform.contracts.tables import qualified
from movies_platform.errors import SnapshotDamaged
from movies_platform.published.reports import REPORTS
from movies_platform.resources.warehouse import limit_memory
from movies_platform.snapshots.manifest import DATABASE

_LINE, _BUFFER = 1 << 20, 1 << 24  # bytes of a line without its texts, of what is read at once
_LEVEL = 6  # of gzip: 9 takes three times as long for 2 % less


@dataclass(frozen=True)
class Part:
    """What one CSV and one Parquet file hold: a table, or a month of a monthly one."""

    table: sa.Table
    month: str | None = None

    @property
    def stem(self) -> str:
        """The file's path without format and ending: `core/movies`, `raw/data_issues/2017-11`."""
        return "/".join([str(self.table.schema), self.table.name, *([self.month] if self.month else [])])

    @property
    def query(self) -> str:
        """Its rows, in the order in which they are stored."""
        where = f" WHERE delivery_month = DATE '{self.month}-01'" if self.month else ""
        return f"SELECT * FROM {qualified(self.table)}{where}"

    @property
    def csv(self) -> Path:
        """Its CSV, before it is packed."""
        return Path("csv", f"{self.stem}.csv")

    @property
    def parquet(self) -> Path:
        """Its Parquet file."""
        return Path("parquet", f"{self.stem}.parquet")


def parts_of(months: Sequence[str]) -> list[Part]:
    """Every part of a snapshot with these months."""
    return [
        part
        for table in published_tables()
        for part in ([Part(table, month) for month in months] if table in MONTHLY else [Part(table)])
    ]


def write_csv(folder: Path, parts: Sequence[Part]) -> dict[Part, str]:
    """Write every part as CSV (UTF-8, header, nothing for null); its SHA-256 for each."""
    digests = {}
    with _opened(folder) as connection:
        for part in parts:
            path = _made(folder / part.csv)
            connection.execute(f"COPY ({part.query}) TO {literal(path)} (FORMAT csv, HEADER)")
            with path.open("rb") as file:
                digests[part] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def write_others(folder: Path, parts: Sequence[Part]) -> None:
    """Write every part as Parquet, pack the CSVs, and write the wide reports."""
    with ThreadPoolExecutor() as packers:  # zlib works outside of Python's lock
        packed = packers.map(_pack, [folder / part.csv for part in parts])
        with _opened(folder) as connection:
            for part in parts:
                path = _made(folder / part.parquet)
                connection.execute(f"COPY ({part.query}) TO {literal(path)} (FORMAT parquet, COMPRESSION zstd)")
            for report in REPORTS:
                connection.execute(f"COPY ({report.query}) TO {literal(folder / report.file)} (FORMAT csv, HEADER)")
        list(packed)


def verify(folder: Path, parts: Sequence[Part]) -> dict[str, int]:
    """Read every file back and compare it with the database, row for row; rows by path.

    Raises SnapshotDamaged for a file that holds anything else.
    """
    rows: dict[str, int] = {}
    with _opened(folder) as connection:
        for path, expected, found in _readings(connection, folder, parts):
            wanted, got = (connection.execute(_fingerprint(query)).fetchone() for query in (expected, found))
            if wanted is None or wanted != got:
                raise SnapshotDamaged(f"{path} was written but does not read back as the table it was written from.")
            rows[str(path)] = int(wanted[0])
    return rows


def _readings(
    connection: duckdb.DuckDBPyConnection, folder: Path, parts: Sequence[Part]
) -> Iterator[tuple[Path, str, str]]:
    """Each file with the query for what it should hold, and the query that reads it."""
    for part in parts:
        yield part.parquet, part.query, f"SELECT * FROM read_parquet({literal(folder / part.parquet)})"
        packed = part.csv.with_name(f"{part.csv.name}.gz")
        yield packed, part.query, _read_csv(connection, folder / packed, part.query)
    for report in REPORTS:
        yield Path(report.file), report.query, _read_csv(connection, folder / report.file, report.query)


def _read_csv(connection: duckdb.DuckDBPyConnection, path: Path, query: str) -> str:
    """The query that reads a CSV of `query`: nothing is guessed, and a text may be of any length."""
    types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {query}").fetchall()}
    texts = " + ".join(f"coalesce(strlen({name}), 0)" for name, kind in types.items() if kind == "VARCHAR") or "0"
    bytes_of_text = connection.execute(f"SELECT max({texts}) FROM ({query})").fetchall()[0][0] or 0
    longest = 2 * bytes_of_text + _LINE  # each quote is written twice
    form = "header=true, delim=',', quote='\"', escape='\"', new_line='\\n', auto_detect=false"
    size = f"max_line_size={longest}, buffer_size={max(_BUFFER, 2 * longest)}"
    return f"SELECT * FROM read_csv({literal(path)}, {form}, {size}, columns={types})"


def _fingerprint(query: str) -> str:
    # The order of rows is not compared, equal rows are counted: a sum of the rows' hashes.
    return f"SELECT count(*), sum(hash(r)::HUGEINT) FROM ({query}) r"


def _opened(folder: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(folder / DATABASE, read_only=True)
    limit_memory(connection)
    return connection


def _pack(path: Path) -> None:
    with (
        path.open("rb") as plain,
        path.with_name(f"{path.name}.gz").open("wb") as file,
        # no name and no time inside: the same rows give the same bytes
        gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=_LEVEL, mtime=0) as packed,
    ):
        shutil.copyfileobj(plain, packed, 1 << 20)
    path.unlink()


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
