"""Stages raw and parsed on a database of their own: records in, tables out."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb

from movies_platform.contracts import all_tables
from movies_platform.contracts.raw import MOVIE_COLUMNS
from movies_platform.parsed.lists import read_lists, store_lists
from movies_platform.parsed.movies import choose_records, store_movies
from movies_platform.parsed.typing import prepare_typing, type_records
from movies_platform.raw.load import Reading, load_records
from movies_platform.raw.records import RecordReader
from movies_platform.raw.stretches import Stretch
from movies_platform.resources.staging import staging
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
        self._until_closed = contextlib.ExitStack()
        self._beside = self._until_closed.enter_context(staging(self.connection))

    def close(self) -> None:
        self._until_closed.close()
        self.connection.close()

    def load(self, reader: RecordReader, scratch: Path, month: dt.date = MONTH) -> Reading:
        """Records as delivered, typed beside."""
        prepare_typing(self._beside)
        return load_records(self.connection, reader, month=month, file=FILE, scratch=scratch, beside=self._type)

    def _type(self, stretch: Stretch) -> None:
        for rows in stretch.rows(self._beside):
            type_records(self._beside, rows.relation)

    def add(self, *records: dict[str, str | None], month: dt.date = MONTH) -> None:
        """Raw records with the given columns, numbered from 1; an id where none is given."""
        rows = [
            [month, FILE, number, *(({"id": str(number)} | record).get(name) for name in MOVIE_COLUMNS)]
            for number, record in enumerate(records, start=1)
        ]
        append(self.connection, "raw.raw_movies", rows)
        prepare_typing(self._beside)
        type_records(self._beside, f"(SELECT * FROM raw.raw_movies WHERE delivery_month = DATE '{month}')")

    def parse(self, month: dt.date = MONTH) -> None:
        """What was last loaded or added."""
        choose_records(self._beside)
        read_lists(self._beside)
        store_movies(self.connection, month)
        store_lists(self.connection, month, FILE)

    def rows(self, query: str) -> Rows:
        return self.connection.execute(query).fetchall()

    def issues(self) -> Rows:
        """Issues in the order of the records, without month and file."""
        return self.rows(
            "SELECT record_number, movie_id, column_name, issue, action, value FROM raw.data_issues ORDER BY ALL"
        )

    def items(self, kind: str) -> Rows:
        table = {"genre": "parsed_genres", "company": "parsed_companies"}[kind]
        return self.rows(f"SELECT movie_id, position, {kind}_id, {kind}_name FROM parsed.{table} ORDER BY 1, 2")


def parsed(*records: dict[str, str | None]) -> Stages:
    """Stages that have parsed the records."""
    stages = Stages()
    stages.add(*records)
    stages.parse()
    return stages


def opened(database: Path | str = ":memory:") -> Iterator[Stages]:
    """For fixtures: stages that are closed at the end."""
    stages = Stages(database)
    yield stages
    stages.close()
