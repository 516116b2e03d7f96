"""For each check that watches the data: what makes it pass, what makes it fail.

A story is told to a connection in which every table exists and is empty; the month that is judged is MONTH,
the whole history before it BEFORE.
"""

import datetime as dt
from collections.abc import Callable

import duckdb

from movies_platform.contracts import table_named
from movies_platform_tests.test_contracts_rows import MONTH, add, valid_row

Connection = duckdb.DuckDBPyConnection
Story = Callable[[Connection], None]
BEFORE = dt.date(2017, 10, 1)
EARLIER = dt.date(2017, 9, 1)
FILE = "movies_metadata.csv"


def many(connection: Connection, table: str, count: int, **given: object) -> None:
    """`count` valid rows; a value given as text is an expression of SQL over `i`, from 1."""
    row = valid_row(table_named(table)) | given
    values = ", ".join(
        f"{value} AS {name}" if name in given and isinstance(value, str) else f"'{value}' AS {name}"
        for name, value in row.items()
    )
    connection.execute(f"INSERT INTO {table} BY NAME SELECT {values} FROM range(1, {count + 1}) r(i)")


def deliver(connection: Connection, month: dt.date, records: int, file: str = FILE) -> None:
    """A file of a delivery, of which nothing is known but the number of its records."""
    add(connection, "raw.deliveries", delivery_month=month, source_file=file, records=records)


def history(connection: Connection, month: dt.date, count: int, **given: object) -> None:
    """A delivery with `count` movies, numbered from 1 as they stand in the file."""
    deliver(connection, month, count)
    many(connection, "raw.raw_movies", count, delivery_month=month, record_number="i", id=given.get("movie_id", "i"))
    many(
        connection,
        "parsed.parsed_movies",
        count,
        delivery_month=month,
        **({"movie_id": "i", "record_number": "i"} | given),
    )


def records(now: int, *before: int, **given: object) -> Story:
    """A month with so many records after one or two whole histories."""

    def tell(connection: Connection) -> None:
        for month, count in zip((BEFORE, EARLIER), before, strict=False):
            history(connection, month, count)
        history(connection, MONTH, now, **given)

    return tell


def nulled(rows: int, before: int, file: str = FILE) -> Story:
    """1,000 records each, of which so many had a value nulled now and before."""

    def tell(connection: Connection) -> None:
        where = {"source_file": f"'{file}'", "record_number": "i"}
        for month, count in ((MONTH, rows), (BEFORE, before)):
            deliver(connection, month, 1_000, file)
            many(connection, "raw.data_issues", count, delivery_month=month, action="'nulled'", **where)
        many(connection, "raw.data_issues", 90, action="'rejected'", **where)

    return tell


def unreadable(rows: int, file: str = FILE, table: str = "raw.raw_movies", column: str = "budget") -> Story:
    """Ten records with a value in the column, of which so many could not be read."""

    def tell(connection: Connection) -> None:
        deliver(connection, MONTH, 10, file)
        many(connection, table, 10, record_number="i", **{column: "'1,000,000'"})
        many(connection, "raw.data_issues", rows, record_number="i", action="'nulled'", column_name=f"'{column}'",
             source_file=f"'{file}'")  # fmt: skip

    return tell


def totals(revenue_now: float) -> Story:
    """A movie of an earlier year whose revenue was 100."""

    def tell(connection: Connection) -> None:
        add(connection, "core.movies", release_year=2000, delivery_month=MONTH)
        for valid_from, valid_to, revenue in ((BEFORE, MONTH, 100.0), (MONTH, None, revenue_now)):
            add(connection, "core.movie_history", valid_from=valid_from, valid_to=valid_to, revenue_usd=revenue,
                budget_usd=None)  # fmt: skip

    return tell


def amounts(budget_now: str) -> Story:
    """4,000 movies with a budget, once more with another expression for it, and a new one without."""

    def tell(connection: Connection) -> None:
        history(connection, BEFORE, 4_000)
        history(connection, MONTH, 4_000, budget_usd=budget_now)
        add(connection, "parsed.parsed_movies", movie_id=4_001, budget_usd=None)

    return tell


def popularity(now: str) -> Story:
    def tell(connection: Connection) -> None:
        history(connection, BEFORE, 9, popularity="i")
        history(connection, MONTH, 9, popularity=now)

    return tell


def items(kind: str, now: dict[int, str], before: dict[int, str]) -> Story:
    """Ids with their names in this month and in the whole history before."""
    table, file = LISTS.get(kind, (f"parsed.parsed_{kind}", "credits.csv"))
    of_whom = kind if kind in LISTS else "person"

    def tell(connection: Connection) -> None:
        for month, names in ((MONTH, now), (BEFORE, before)):
            deliver(connection, month, 10, file)
            for number, name in names.items():
                add(connection, table, delivery_month=month, **{f"{of_whom}_id": number, f"{of_whom}_name": name},
                    **({"movie_id": number} if kind == "collection" else {}))  # fmt: skip

    return tell


def present(**given: object) -> Story:
    return lambda connection: add(connection, "core.movies", **given)


def winners(*measures: str) -> Story:
    """A year that is due its four winners, and who was chosen."""

    def tell(connection: Connection) -> None:
        add(connection, "core.movies", release_year=2000)
        add(connection, "core.movies", movie_id=2, release_year=2001, popularity=None)
        for movie in (1, 2):
            add(connection, "core.movie_genres", movie_id=movie)
        for measure in measures:
            add(connection, "metrics.most_popular_genre_by_year", year=2000, measure=measure)

    return tell


def versions(*rows: tuple[dt.date, dt.date | None, float], now: float = 2.0) -> Story:
    """A movie's versions, each with its popularity, and its popularity now."""

    def tell(connection: Connection) -> None:
        add(connection, "core.movies", popularity=now)
        for valid_from, valid_to, value in rows:
            add(connection, "core.movie_history", valid_from=valid_from, valid_to=valid_to, popularity=value)

    return tell


LISTS = {  # table and file of a kind of items; others are cast and crew
    "genre": ("parsed.parsed_genres", FILE), "company": ("parsed.parsed_companies", FILE),
    "collection": ("parsed.parsed_collections", FILE), "keyword": ("parsed.parsed_keywords", "keywords.csv"),
}  # fmt: skip
KNOWN = {number: f"name {number}" for number in range(1, 5)}
DATA_STORIES: dict[tuple[str, str], tuple[Story, Story]] = {
    ("raw.deliveries", "about_as_many_records_as_before"): (records(110, 100, 120), records(300, 100, 120)),
    ("raw.data_issues", "few_values_are_changed"): (nulled(29, 10), nulled(31, 10)),
    ("raw.data_issues", "every_column_can_be_read"): (unreadable(2), unreadable(3)),
    ("parsed.parsed_movies", "amounts_stay_known"): (
        amounts("CASE WHEN i > 40 THEN 1 END"), amounts("CASE WHEN i > 41 THEN 1 END"),
    ),
    ("parsed.parsed_movies", "popularity_keeps_its_scale"): (popularity("i * 1.9"), popularity("i * 2.1")),
    ("parsed.parsed_genres", "ids_are_known"): (
        items("genre", KNOWN, KNOWN), items("genre", {**KNOWN, 9: "new"}, KNOWN),
    ),
    ("parsed.parsed_companies", "ids_are_known"): (
        items("company", {**KNOWN, 9: "new"}, KNOWN), items("company", {1: "one", 8: "new", 9: "new"}, KNOWN),
    ),
    ("parsed.parsed_genres", "names_stay_with_their_ids"): (
        items("genre", {**KNOWN, 9: "new"}, KNOWN), items("genre", {**KNOWN, 2: "another"}, KNOWN),
    ),
    ("core.movies", "budgets_fit_revenues"): (
        present(budget_usd=1_000.0, revenue_usd=2e6), present(budget_usd=999.0, revenue_usd=2e6),
    ),
    ("core.movies", "release_dates_are_near"): (
        present(release_date=dt.date(2022, 11, 1)), present(release_date=dt.date(2022, 11, 2)),
    ),
    ("core.movie_history", "history_ends_in_the_present"): (
        versions((BEFORE, MONTH, 1.0), (MONTH, None, 2.0)), versions((BEFORE, MONTH, 2.0), (MONTH, None, 1.0)),
    ),
    ("core.movie_history", "totals_of_past_years_stay"): (totals(104.0), totals(106.0)),
    ("metrics.most_popular_genre_by_year", "each_year_has_its_winners"): (
        winners("total", "mean", "median", "max"), winners("total", "mean", "median"),
    ),
}  # fmt: skip
for _kind, _table in (
    ("company", "companies"), ("collection", "collections"), ("keyword", "keywords"), ("cast", "cast"), ("crew", "crew")
):  # fmt: skip
    DATA_STORIES[f"parsed.parsed_{_table}", "names_stay_with_their_ids"] = (
        items(_kind, KNOWN, KNOWN), items(_kind, {**KNOWN, 2: "another"}, KNOWN),
    )  # fmt: skip
