"""Small deliveries in files, for tests that ask the oracle: rows by column, or a file's text as it is."""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from movies_platform_tests.oracle_reading import MOVIE_COLUMNS, SOURCES, Delivery

HEADERS = {name: source.columns for source in SOURCES.values() for name in source.names}
Rows = Iterable[Mapping[str, object]]


def month(number: int) -> dt.date:
    return dt.date(2017, number, 1)


def text_of(header: Iterable[str], rows: Rows) -> str:
    """The rows as CSV, with quotes where they are needed."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(header), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def line(**texts: str) -> str:
    """A line of movies_metadata.csv; texts are put in as they are, so that quoting is up to the test."""
    return ",".join((dict.fromkeys(MOVIE_COLUMNS, "") | texts).values()) + "\n"


def deliver(folder: Path, number: int = 1, **files: Rows | str | bytes) -> Delivery:
    """A delivery for a month of 2017: `movies_metadata` (movie 1, unless given), `credits`, `links_small`, ..."""
    place = folder / f"{len(list(folder.iterdir()))}"
    place.mkdir()
    paths = {}
    for name, given in ({"movies_metadata": [{"id": 1}]} | files).items():
        file = f"{name}.csv"
        text = given if isinstance(given, str | bytes) else text_of(HEADERS[file], given)
        paths[file] = place / file
        paths[file].write_bytes(text if isinstance(text, bytes) else text.encode())
    return Delivery(month(number), paths)
