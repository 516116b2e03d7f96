"""Stages raw and parsed on a database of their own: records in, tables out."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb

from movies_platform.contracts import all_tables
from movies_platform.contracts.parsed import items_table
from movies_platform.contracts.raw import raw_table
from movies_platform.contracts.sources import MOVIES_METADATA, SOURCES, NestedList, Source
from movies_platform.contracts.tables import qualified
from movies_platform.parsed.assets import fill_items, fill_records
from movies_platform.raw.judging import reject_records
from movies_platform.raw.parquet import Reading, read_here
from movies_platform.raw.reader import RecordReader
from movies_platform.resources.warehouse import append, ensure

MONTH = dt.date(2017, 11, 1)
FILE = "movies_metadata.csv"

Rows = list[tuple[object, ...]]


class Stages:
    """The tables of raw and parsed, for one month at a time."""

    def __init__(self, database: Path | str = ":memory:"):
        self.connection = duckdb.connect(str(database))
        for table in all_tables():
            if table.schema in ("raw", "parsed"):
                ensure(self.connection, table)

    def close(self) -> None:
        self.connection.close()

    def load(self, reader: RecordReader, scratch: Path, month: dt.date = MONTH, cores: int = 2) -> Reading:
        """Records as delivered."""
        table = qualified(raw_table(reader.source))
        reading = Reading.of(reader, month, read_here(self.connection, reader, scratch, cores))
        self.connection.execute(f"INSERT INTO {table} BY NAME FROM {reading.rows}")
        self.connection.execute(f"INSERT INTO raw.data_issues BY NAME FROM {reading.issues}")
        return reading

    def add(self, *records: dict[str, str | None], month: dt.date = MONTH, source: Source = MOVIES_METADATA) -> None:
        """Raw records with the given columns, numbered from 1; an id where none is given."""
        rows = [
            [month, f"{source.name}.csv", number, *(({"id": str(number)} | record).get(c) for c in source.columns)]
            for number, record in enumerate(records, start=1)
        ]
        append(self.connection, qualified(raw_table(source)), rows)

    def parse(self, month: dt.date = MONTH) -> None:
        """What was loaded or added; a file without records has nothing to parse."""
        for source in SOURCES:
            if not self.rows(f"SELECT 1 FROM {qualified(raw_table(source))} LIMIT 1"):
                continue
            rows = f"(FROM {qualified(raw_table(source))} WHERE delivery_month = DATE '{month}')"
            reject_records(self.connection, source, month, rows)
            fill_records(self.connection, month, source)
            for nested in source.nested:
                fill_items(self.connection, month, source, nested)

    def rows(self, query: str) -> Rows:
        return self.connection.execute(query).fetchall()

    def issues(self) -> Rows:
        """Issues in the order of the records, without month and file."""
        return self.rows(
            "SELECT record_number, movie_id, column_name, issue, action, value FROM raw.data_issues ORDER BY ALL"
        )

    def items(self, nested: NestedList) -> Rows:
        """movie_id, position and the columns of a nested list, the key first."""
        columns = [c.name for c in items_table(nested).columns if c.name != "delivery_month"]
        return self.rows(f"SELECT {', '.join(columns)} FROM {qualified(items_table(nested))} ORDER BY 1, 2")


def parsed(*records: dict[str, str | None], source: Source = MOVIES_METADATA) -> Stages:
    """Stages that have parsed the records of a file."""
    stages = Stages()
    stages.add(*records, source=source)
    stages.parse()
    return stages


def opened(database: Path | str = ":memory:") -> Iterator[Stages]:
    """For fixtures: stages that are closed at the end."""
    stages = Stages(database)
    yield stages
    stages.close()
