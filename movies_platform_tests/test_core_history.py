"""The history: what a slow reading of its definition gives, whatever the order in which months were loaded."""

import datetime as dt
import random
from collections.abc import Iterator
from itertools import pairwise, permutations
from pathlib import Path

import duckdb
import pytest

from movies_platform.core import history
from movies_platform.core.assets import refresh_core
from movies_platform.resources import warehouse
from movies_platform.resources.builds import forget_in_history, unseen_months
from movies_platform.resources.io_manager import Warehouse
from movies_platform_tests.test_contracts_rows import add

MONTHS = [dt.date(2017, month, 1) for month in (7, 8, 10, 11)]
Version = tuple[int, dt.date, dt.date | None, float | None]
Month = dict[int, float | None]  # popularity of each movie that it delivers


@pytest.fixture
def stored(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse.opened() as connection:
        yield connection


def load(connection: duckdb.DuckDBPyConnection, month: dt.date, movies: Month) -> None:
    """Load a month anew, as `monthly.load` does."""
    forget_in_history(connection, month)
    add(connection, "parsed.parsed_movies", movie_id=404, delivery_month=month)
    connection.execute("DELETE FROM parsed.parsed_movies WHERE delivery_month = ?", [month])
    for movie, popularity in movies.items():
        add(connection, "parsed.parsed_movies", movie_id=movie, delivery_month=month, popularity=popularity,
            vote_average=None, vote_count=None, budget_usd=None, revenue_usd=None)  # fmt: skip


def versions(connection: duckdb.DuckDBPyConnection) -> list[Version]:
    """The history after a refresh whose checks pass."""
    _, outcomes = refresh_core(Warehouse())
    assert [str(o) for o in outcomes if not o.passed] == []
    return connection.execute(
        "SELECT movie_id, valid_from, valid_to, popularity FROM core.movie_history ORDER BY ALL"
    ).fetchall()


def expected(months: dict[dt.date, Month]) -> list[Version]:
    """The definition, movie by movie and month by month."""
    found: list[Version] = []
    for movie in sorted({movie for delivered in months.values() for movie in delivered}):
        said = [(month, months[month][movie]) for month in sorted(months) if movie in months[month]]
        changes = [said[0], *(now for before, now in pairwise(said) if now[1] != before[1])]
        ends = [*(month for month, _ in changes[1:]), None]
        found += [(movie, month, end, value) for (month, value), end in zip(changes, ends, strict=True)]
    return found


def made_up(seed: int) -> dict[dt.date, Month]:
    dice = random.Random(seed)
    return {month: {m: dice.choice([None, 1.0, 2.0]) for m in range(1, 9) if dice.random() < 0.7} for month in MONTHS}


@pytest.mark.parametrize("order", list(permutations(MONTHS))[::5], ids=lambda o: "-".join(f"{m:%b}" for m in o))
def test_the_order_of_loading_changes_nothing(stored, order):
    months = made_up(1)
    for month in order:
        load(stored, month, months[month])
        versions(stored)
    assert versions(stored) == expected(months)


@pytest.mark.parametrize("at_once", [1, 2, 12])
def test_months_loaded_together_give_the_same_as_one_by_one(stored, monkeypatch, at_once):
    monkeypatch.setattr(history, "MONTHS_AT_ONCE", at_once)
    months = made_up(2)
    for month in MONTHS:
        load(stored, month, months[month])
    assert versions(stored) == expected(months)


@pytest.mark.parametrize("replaced", MONTHS, ids=lambda m: f"{m:%b}")
def test_a_month_that_says_something_else_replaces_what_it_said(stored, replaced):
    months = made_up(3)
    for month in MONTHS:
        load(stored, month, months[month])
    versions(stored)
    months[replaced] = {1: 7.0, 2: None, 99: 1.0}
    load(stored, replaced, months[replaced])
    assert versions(stored) == expected(months)


def test_a_refresh_looks_at_new_months_only(stored):
    months = made_up(4)
    for month in MONTHS[:3]:
        load(stored, month, months[month])
    versions(stored)
    assert unseen_months(stored) == []
    load(stored, MONTHS[3], months[MONTHS[3]])
    assert unseen_months(stored) == MONTHS[3:]
    load(stored, MONTHS[1], months[MONTHS[1]])
    assert unseen_months(stored) == MONTHS[1:]


def test_a_movie_of_which_nothing_is_known_has_a_row_and_a_repetition_none(stored):
    for month in MONTHS[:2]:
        load(stored, month, {1: None})
    assert versions(stored) == [(1, MONTHS[0], None, None)]


def test_a_delta_leaves_the_other_movies_as_they_are(stored):
    load(stored, MONTHS[0], {1: 1.0, 2: 2.0})
    load(stored, MONTHS[1], {2: 3.0})
    assert versions(stored) == [(1, MONTHS[0], None, 1.0), (2, MONTHS[0], MONTHS[1], 2.0), (2, MONTHS[1], None, 3.0)]
