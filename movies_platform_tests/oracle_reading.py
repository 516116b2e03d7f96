"""Reads deliveries as the specification says, with the standard library only: the first half of the oracle.

Slow and plain on purpose, and independent: nothing of movies_platform is imported or followed. A file is read whole, by
`csv`; `oracle_values` reads the texts.
"""

import csv
import datetime as dt
import gzip
import io
import sys
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from movies_platform_tests.oracle_values import (
    amount,
    as_list,
    as_object,
    coded,
    count,
    credit,
    date,
    imdb,
    named,
    positive,
    seconds,
)

csv.field_size_limit(sys.maxsize)

MOVIE_COLUMNS = (
    "adult", "belongs_to_collection", "budget", "genres", "homepage", "id", "imdb_id", "original_language",
    "original_title", "overview", "popularity", "poster_path", "production_companies", "production_countries",
    "release_date", "revenue", "runtime", "spoken_languages", "status", "tagline", "title", "video", "vote_average",
    "vote_count",
)  # fmt: skip
ZIP = "the-movies-dataset.zip"


class Source(NamedTuple):
    """A file of the data set: its names (the first that is delivered is read), required columns and key."""

    names: tuple[str, ...]
    columns: tuple[str, ...]
    key: tuple[str, ...]
    movie: str | None  # the column that holds TMDB's number of the movie
    breakable: str | None = None  # the column in which a record may be broken


SOURCES = {
    "movies": Source(("movies_metadata.csv",), MOVIE_COLUMNS, ("id",), "id", "overview"),
    "credits": Source(("credits.csv",), ("cast", "crew", "id"), ("id",), "id"),
    "keywords": Source(("keywords.csv",), ("id", "keywords"), ("id",), "id"),
    "links": Source(("links.csv", "links_small.csv"), ("movieId", "imdbId", "tmdbId"), ("movieId",), "tmdbId"),
    "ratings": Source(
        ("ratings.csv", "ratings_small.csv"), ("userId", "movieId", "rating", "timestamp"), ("userId", "movieId"), None
    ),
}


class Delivery(NamedTuple):
    """What was delivered for a month: `movies_metadata.csv` and others (or `.csv.gz`), or the zip, by file name."""

    month: dt.date
    files: Mapping[str, Path]


class Issue(NamedTuple):
    """A row of raw.data_issues. `value` is None also where the specification does not say which text is meant."""

    delivery_month: dt.date
    source_file: str
    record_number: int
    movie_id: int | None
    column_name: str | None
    issue: str
    action: str
    value: str | None


class Account(NamedTuple):
    """records = accepted + rejected + joined, of one file."""

    records: int
    accepted: int
    rejected: int
    joined: int


class RefusedError(Exception):
    """A refused delivery: the file; unreadable, missing, missing_column, no_records or too_many_rejected."""

    def __init__(self, file: str, reason: str):
        super().__init__(file, reason)
        self.file, self.reason = file, reason


@dataclass
class Month:
    """What a delivery says: the accepted records of each file by key, issues, and an account for each file read."""

    movies: dict[int, dict[str, Any]] = field(default_factory=dict)
    credits: dict[int, dict[str, list[tuple]]] = field(default_factory=dict)
    keywords: dict[int, list[tuple]] = field(default_factory=dict)
    links: dict[int, tuple[int | None, str | None]] = field(default_factory=dict)
    ratings: dict[tuple[int, int], tuple[float, int | None]] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)


@dataclass
class Record:
    """A record's texts by column; reads a column, and reports what it cannot read."""

    month: dt.date
    file: str
    number: int
    texts: dict[str, str]
    movie_id: int | None
    issues: list[Issue]

    def report(self, column: str | None, issue: str, action: str, value: str | None = None) -> None:
        shown = value[:500] if value else None
        row = Issue(self.month, self.file, self.number, self.movie_id, column, issue, action, shown)
        self.issues.append(row)

    def read(self, column: str, convert: Callable[[str], Any], issue: str) -> Any:
        """The column's value: None where it is blank, and where `convert` gives None, which is reported."""
        text = self.texts[column].strip()
        if not text:
            return None
        value = convert(text)
        if value is None:
            self.report(column, issue, "nulled", self.texts[column])
        return value

    def text(self, column: str) -> str | None:
        return self.texts[column].strip() or None

    def items(self, column: str, item: Callable[[dict], tuple | None]) -> list[tuple]:
        """The items of a list, the first of those with the same first value."""
        found = self.read(column, as_list, "invalid_list")
        kept: dict[Any, tuple] = {}
        for given in found or ():
            value = item(given) if isinstance(given, dict) else None
            if value is None:
                self.report(column, "invalid_item", "dropped")
            elif value[0] in kept:
                self.report(column, "duplicate_item", "dropped")
            else:
                kept[value[0]] = value
        return list(kept.values())

    def collection(self) -> tuple[int, str] | None:
        column = "belongs_to_collection"
        found = self.read(column, as_object, "invalid_list")
        value = None if found is None else named(found)
        if found is not None and value is None:
            self.report(column, "invalid_item", "nulled", self.texts[column])
        return value


def movie(record: Record) -> dict[str, Any]:
    """The columns of core.movies but delivery_month, and the nested ones by name."""
    released = record.read("release_date", date, "invalid_date")
    numbers = {
        name: record.read(name, count if name == "vote_count" else amount, "invalid_number")
        for name in ("budget", "revenue", "popularity", "vote_average", "vote_count", "runtime")
    }
    collection = record.collection()
    return {
        "movie_id": record.movie_id,
        **{name: record.text(name) for name in ("imdb_id", "title", "original_title", "original_language", "status")},
        "release_date": released,
        "release_year": released and released.year,
        "release_month": released and released.month,
        "budget_usd": numbers["budget"] or None,
        "revenue_usd": numbers["revenue"] or None,
        "popularity": numbers["popularity"],
        "vote_average": numbers["vote_average"],
        "vote_count": numbers["vote_count"],
        "runtime_minutes": numbers["runtime"],
        "collection_id": collection and collection[0],
        "collections": [collection] if collection else [],
        "genres": record.items("genres", named),
        "companies": record.items("production_companies", named),
        "countries": record.items("production_countries", coded("iso_3166_1")),
        "languages": record.items("spoken_languages", coded("iso_639_1")),
    }


CONVERT: dict[str, Callable[[Record], Any]] = {
    "movies": movie,
    "credits": lambda record: {name: record.items(name, credit) for name in ("cast", "crew")},
    "keywords": lambda record: record.items("keywords", named),
    "links": lambda r: (r.read("tmdbId", positive, "invalid_id"), r.read("imdbId", imdb, "invalid_id")),
    "ratings": lambda r: (amount(r.texts["rating"].strip()), r.read("timestamp", seconds, "invalid_number")),
}


def joined_records(rows: list[list[str]], width: int, breakable: int | None) -> Iterator[tuple[int, list[str], int]]:
    """(number, columns, pieces) of every record: a part that ends in the breakable column, lines without a comma, and
    a part with the columns that are missing are one."""
    at = 0
    while at < len(rows):
        columns, end = rows[at], at + 1
        if breakable is not None and len(columns) == breakable + 1 < width:
            while end < len(rows) and len(rows[end]) == 1:
                end += 1
            if end < len(rows) and len(rows[end]) == width - breakable:
                text = "\n".join([columns[-1], *(row[0] for row in rows[at + 1 : end + 1])])
                columns, end = [*columns[:-1], text, *rows[end][1:]], end + 1
            else:
                end = at + 1
        yield at + 1, columns, end - at
        at = end


def fault(record: Record, source: Source) -> tuple[str | None, str] | None:
    """(column, issue) for which a record is rejected, whatever the others are."""
    for column in source.key:
        if positive(record.texts[column]) is None:
            return column, "invalid_id"
    if "rating" in source.columns:
        rating = amount(record.texts["rating"].strip())
        if rating is None or not 0 < rating <= 5:
            return "rating", "invalid_number"
    return None


def read_file(kind: str, month: dt.date, name: str, data: bytes, found: Month) -> None:
    """Put what a file says into `found`.

    Raises:
        RefusedError: the file cannot be read, lacks a column or has too many faulty records.
    """
    source = SOURCES[kind]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RefusedError(name, "unreadable") from error
    header, *rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row] or [[]]
    header = [column.strip() for column in header]
    if set(source.columns) - set(header):
        raise RefusedError(name, "missing_column")
    if not rows and kind == "movies":
        raise RefusedError(name, "no_records")
    breakable = header.index(source.breakable) if source.breakable else None
    good: dict[tuple[int, ...], list[Record]] = {}
    rejected: Counter[str] = Counter()
    joined = 0
    for number, columns, pieces in joined_records(rows, len(header), breakable):
        joined += pieces - 1
        record = Record(month, name, number, {}, None, found.issues)
        if len(columns) != len(header):
            record.report(None, "column_count", "rejected")
            rejected["column_count"] += 1
            continue
        record.texts = dict(zip(header, columns, strict=True))
        record.movie_id = positive(record.texts[source.movie]) if source.movie else None
        if pieces > 1:
            record.report(None, "broken_record", "repaired")
        if (reason := fault(record, source)) is not None:
            column, issue = reason
            record.report(column, issue, "rejected", column and record.texts[column])
            rejected[issue] += 1
        else:
            key = tuple(positive(record.texts[column]) or 0 for column in source.key)
            good.setdefault(key, []).append(record)
    faulty = rejected.total()
    if faulty > 10 and faulty * 20 > len(rows):
        raise RefusedError(name, "too_many_rejected")
    for key, (*earlier, last) in good.items():
        for record in earlier:
            only = source.key[0] if len(source.key) == 1 else None
            record.report(only, "duplicate_id", "rejected", only and record.texts[only])
        getattr(found, kind)[key if len(key) > 1 else key[0]] = CONVERT[kind](last)
    duplicates = sum(len(records) - 1 for records in good.values())
    found.accounts[name] = Account(len(rows), len(good), faulty + duplicates, joined)


def contents(files: Mapping[str, Path]) -> dict[str, bytes]:
    """The bytes of each file, unpacked, by its name; those of the zip by the names in it.

    Raises:
        RefusedError: a file is damaged.
    """
    found: dict[str, bytes] = {}
    for name, path in files.items():
        try:
            if name == ZIP:
                with zipfile.ZipFile(path) as packed:
                    inner = [i for i in packed.infolist() if not i.is_dir()]
                    found |= {Path(member.filename).name: packed.read(member) for member in inner}
            else:
                found[name] = path.read_bytes()
        except (zipfile.BadZipFile, zlib.error) as error:
            raise RefusedError(name, "unreadable") from error
    for name in [name for name in found if name.endswith(".gz")]:
        try:
            found[name] = gzip.decompress(found[name])
        except (OSError, EOFError, zlib.error) as error:
            raise RefusedError(name, "unreadable") from error
    return found


def read_delivery(delivery: Delivery) -> Month:
    """What a delivery says.

    Raises:
        RefusedError: for the first file that refuses it.
    """
    found, files = Month(), contents(delivery.files)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # literal_eval warns of escapes that Python does not know
        for kind, source in SOURCES.items():
            names = [name + end for name in source.names for end in ("", ".gz") if name + end in files]
            if names:
                read_file(kind, delivery.month, names[0], files[names[0]], found)
            elif kind == "movies":
                raise RefusedError(source.names[0], "missing")
    return found
