"""Stage raw on executors of Spark: its functions, for a piece of a file or for a file of records at a time.

What they are given and what they write lies in the lake, which every machine sees.
"""

import datetime as dt
import os
import tempfile
import uuid
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import duckdb
import narwhals as nw

from movies_platform.contracts.ddl import literal, parquet
from movies_platform.contracts.raw import DATA_ISSUES, raw_table
from movies_platform.contracts.tables import qualified
from movies_platform.engines import lake, places, spark
from movies_platform.engines.executors import private_database
from movies_platform.errors import DeliveryRejected
from movies_platform.raw.judging import doubled_keys, reject_doubled, reject_faulty, typed_key
from movies_platform.raw.parquet import PIECE_BYTES, NumberedFile, Part, Reading, read_piece
from movies_platform.raw.pieces import Cut, PieceTooLong, cut, in_order
from movies_platform.raw.reader import RecordReader
from movies_platform.resources.warehouse import NAME


class _Judged(NamedTuple):
    """Parquet files: rows of the raw table, the typed keys of these, and what was found in them."""

    rows: str
    keys: str
    issues: str


def load(connection: duckdb.DuckDBPyConnection, reader: RecordReader, month: dt.date, scratch: Path) -> Reading:
    """Store every record and what was found in them; `scratch` takes what is in work on this machine."""
    source, table = reader.source, raw_table(reader.source)
    folder = lake.folder_of(connection, NAME)
    with places.work_place(folder) as work:
        reading = Reading.of(reader, month, _read(connection, reader, scratch, work))
        connection.execute(f"INSERT INTO {qualified(DATA_ISSUES)} BY NAME FROM {reading.issues}")
        if reading.record_files:
            place = places.new_place(folder, qualified(table))
            judged = spark.on_executors(partial(_judge, reading, place, work), reading.record_files)
            issues = parquet(file.issues for file in judged)
            connection.execute(f"INSERT INTO {qualified(DATA_ISSUES)} BY NAME FROM {issues} ORDER BY record_number")
            doubled = nw.to_native(doubled_keys(spark.frame([file.keys for file in judged])).collect("pyarrow"))
            if len(doubled):
                connection.register("doubled", doubled)
                rows = parquet(file.rows for file in judged)
                reject_doubled(connection, source, month, rows, "doubled")
                connection.unregister("doubled")
            lake.add_files(connection, NAME, table, [file.rows for file in judged])
    return reading


def _read(connection: duckdb.DuckDBPyConnection, reader: RecordReader, scratch: Path, place: str) -> list[Part]:
    """The pieces of the file; one that is a single piece, as packed ones are, is read on this machine."""
    pieces = cut(reader, PIECE_BYTES)
    if not pieces:
        return [read_piece(connection, reader, 0, folder=scratch, place=place)]
    pieces = replace(pieces, path=places.copied(Path(reader.stream.name), place))
    found = spark.on_executors(partial(_read_piece, pieces, place), range(len(pieces.starts)))

    def part(number: int) -> Part:
        """The piece as it was read; one that has no end there is read on here."""
        result = found[number]
        if isinstance(result, DeliveryRejected):
            raise result
        if result is None:
            again = pieces.reader(partial(os.pread, reader.stream.fileno()), number)
            result = read_piece(connection, again, f"{number}-to-the-end", folder=scratch, place=place)
        return result

    return list(in_order(pieces, part))


def _read_piece(pieces: Cut, place: str, number: int) -> Part | DeliveryRejected | None:
    """None for a piece that goes on beyond the next one: its reader, or the piece, began within a text."""
    until = pieces.starts[number + 2] if number + 2 < len(pieces.starts) else None
    with (
        private_database(place) as connection,
        tempfile.TemporaryDirectory() as folder,
        places.opened(pieces.path) as file,
    ):
        if file.size != pieces.size:
            raise OSError(f"{pieces.path} has {file.size:,} bytes here, and had {pieces.size:,} where it was cut")
        try:
            reader = pieces.reader(file.read, number, until=until)
            name = f"{number}-{uuid.uuid4().hex}"  # another attempt may be writing, too
            return read_piece(connection, reader, name, folder=Path(folder), place=place)
        except PieceTooLong:
            return None
        except DeliveryRejected as problem:  # it is none if the piece is none
            return problem


def _judge(reading: Reading, place: str, work: str, file: NumberedFile) -> _Judged:
    """The file's records with their numbers in the delivered file, and what each of them is rejected for."""
    name, rows = uuid.uuid4().hex, reading.rows_in([file])
    found = _Judged(f"{place}/{name}.parquet", f"{work}/{name}.keys.parquet", f"{work}/{name}.issues.parquet")
    with private_database(place, DATA_ISSUES) as connection:
        reject_faulty(connection, reading.source, reading.month, rows)
        for query, path in zip(
            (f"FROM {rows}", f"SELECT {typed_key(reading.source)} FROM {rows}", f"FROM {qualified(DATA_ISSUES)}"),
            found, strict=True,
        ):  # fmt: skip
            connection.execute(f"COPY ({query}) TO {literal(path)} (FORMAT parquet)")
    return found
