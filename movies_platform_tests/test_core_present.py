"""The present state: each movie as the newest month has it, whatever the order of deliveries."""

import datetime as dt
from collections.abc import Iterator, Mapping
from itertools import permutations
from pathlib import Path

import duckdb
import pytest

from movies_platform.core.assets import TABLES, refresh_core
from movies_platform.resources import warehouse
from movies_platform.resources.builds import forget_in_history
from movies_platform.resources.io_manager import Warehouse
from movies_platform_tests.test_contracts_rows import add

SEPTEMBER, OCTOBER, NOVEMBER = (dt.date(2017, month, 1) for month in (9, 10, 11))


@pytest.fixture
def stored(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, open."""
    with warehouse.opened() as connection:
        yield connection


def deliver(
    connection: duckdb.DuckDBPyConnection,
    month: dt.date,
    movie: int,
    *,
    genres: Mapping[int, str] | None = None,
    companies: Mapping[int, str] | None = None,
    **given: object,
) -> None:
    """A movie as parsed of a month; genres and companies as {id: name}."""
    forget_in_history(connection, month)
    add(connection, "parsed.parsed_movies", delivery_month=month, movie_id=movie, **given)
    for kind, items in (("genre", genres or {}), ("company", companies or {})):
        table = {"genre": "parsed.parsed_genres", "company": "parsed.parsed_companies"}[kind]
        for position, (number, name) in enumerate(items.items(), start=1):
            add(connection, table, delivery_month=month, movie_id=movie, position=position,
                **{f"{kind}_id": number, f"{kind}_name": name})  # fmt: skip


def refreshed(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[object, ...]]]:
    """All rows of stage core after a refresh whose checks pass."""
    _, outcomes = refresh_core(Warehouse())
    assert [str(o) for o in outcomes if not o.passed] == []
    return {t.name: connection.execute(f"FROM core.{t.name}").fetchall() for t in TABLES}


def titles(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    refreshed(connection)
    return connection.execute("SELECT movie_id, title, delivery_month FROM core.movies").fetchall()


@pytest.mark.parametrize(
    "order", list(permutations([SEPTEMBER, OCTOBER, NOVEMBER])), ids=lambda o: "-".join(f"{m:%b}" for m in o)
)
def test_the_newest_month_wins_whatever_the_order_of_delivery(stored, order):
    for month in order:
        deliver(stored, month, 1, title=f"{month:%B}")
        refreshed(stored)
    assert titles(stored) == [(1, "November", NOVEMBER)]


def test_a_movie_that_the_newest_month_does_not_bring_stays_as_it_was(stored):
    deliver(stored, OCTOBER, 1, title="one")
    deliver(stored, OCTOBER, 2, title="two")
    deliver(stored, NOVEMBER, 2, title="two again")
    assert titles(stored) == [(1, "one", OCTOBER), (2, "two again", NOVEMBER)]


def test_links_come_from_the_same_version_as_the_movie(stored):
    deliver(stored, OCTOBER, 1, genres={1: "A", 2: "B"}, companies={7: "X"})
    deliver(stored, NOVEMBER, 1, genres={3: "C", 2: "B"}, companies={8: "Y"})
    found = refreshed(stored)
    assert found["movie_genres"] == [(1, 2), (1, 3)]
    assert found["movie_companies"] == [(1, 8)]


def test_a_movie_loses_a_genre_that_its_newest_version_does_not_have(stored):
    deliver(stored, OCTOBER, 1, genres={1: "A"}, companies={7: "X"})
    assert refreshed(stored)["genres"] == [(1, "A")]
    deliver(stored, NOVEMBER, 1)
    found = refreshed(stored)
    assert [len(found[t]) for t in ("movies", "movie_genres", "genres", "movie_companies", "companies")] == [
        1,
        0,
        0,
        0,
        0,
    ]


def test_an_older_month_that_comes_later_changes_only_what_it_alone_has(stored):
    deliver(stored, NOVEMBER, 1, genres={1: "A"})
    before = refreshed(stored)
    deliver(stored, OCTOBER, 1, genres={2: "B"})
    present = refreshed(stored)
    assert {**present, "movie_history": None} == {**before, "movie_history": None}
    deliver(stored, OCTOBER, 2, genres={2: "B"})
    assert refreshed(stored)["genres"] == [(1, "A"), (2, "B")]


def test_a_refresh_that_is_repeated_changes_nothing(stored):
    deliver(stored, OCTOBER, 1, genres={1: "A"}, companies={7: "X"})
    assert refreshed(stored) == refreshed(stored)


def test_genres_and_companies_are_exactly_those_that_the_links_use(stored):
    deliver(stored, OCTOBER, 1, genres={1: "A", 2: "B"}, companies={7: "X"})
    deliver(stored, OCTOBER, 2, genres={3: "C"}, companies={8: "Y"})
    deliver(stored, NOVEMBER, 1, genres={2: "B"})
    found = refreshed(stored)
    assert found["genres"] == [(2, "B"), (3, "C")]
    assert found["companies"] == [(8, "Y")]


@pytest.mark.parametrize(
    ("date", "year", "month"),
    [(dt.date(1999, 12, 31), 1999, 12), (None, None, None)],
    ids=["dated", "undated"],
)
def test_year_and_month_follow_from_the_release_date(stored, date, year, month):
    deliver(stored, OCTOBER, 1, release_date=date)
    refreshed(stored)
    found = stored.execute("SELECT release_date, release_year, release_month FROM core.movies").fetchall()
    assert found == [(date, year, month)]


def test_rows_are_stored_in_key_order(stored):
    for movie in (3, 1, 2):
        deliver(stored, OCTOBER, movie, genres={2: "B", 1: "A"})
    found = refreshed(stored)
    assert [row[0] for row in found["movies"]] == [1, 2, 3]
    assert found["movie_genres"] == sorted(found["movie_genres"])


def test_no_delivery_at_all_makes_empty_tables(stored):
    assert refreshed(stored) == {t.name: [] for t in TABLES}


def test_a_blocking_failure_keeps_the_tables_as_they_were(stored):
    deliver(stored, OCTOBER, 1, title="good")
    before = refreshed(stored)
    deliver(stored, NOVEMBER, 2, popularity=-1.0)
    rows, outcomes = refresh_core(Warehouse())
    assert {o.check.name for o in outcomes if o.blocks} == {"columns_hold_what_is_declared"}
    assert rows["movies"] == 1
    assert stored.execute("FROM core.movies").fetchall() == before["movies"]
