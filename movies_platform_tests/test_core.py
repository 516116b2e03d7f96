"""The present state: each movie as the newest month has it, whatever the order of deliveries."""

import datetime as dt
import random
from collections.abc import Mapping
from itertools import pairwise

import pandas as pd
import pytest

from movies_platform_tests.frames import compute, frame, tuples

SEPTEMBER, OCTOBER, NOVEMBER = (dt.date(2017, month, 1) for month in (9, 10, 11))
MONTHS = [dt.date(2017, month, 1) for month in (7, 8, 10, 11)]


class Deliveries:
    """Parsed tables of all months, filled movie by movie."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, object]]] = {
            "parsed_movies": [], "parsed_genres": [], "parsed_companies": [], "parsed_collections": []
        }  # fmt: skip

    def add(
        self, month: dt.date, movie: int, *, genres: Mapping[int, str] | None = None,
        companies: Mapping[int, str] | None = None, **given: object,
    ) -> "Deliveries":  # fmt: skip
        """A movie of a month; genres and companies as {id: name}."""
        record = len(self.rows["parsed_movies"]) + 1
        key = {"delivery_month": pd.Timestamp(month), "movie_id": movie}
        self.rows["parsed_movies"].append({**key, "record_number": record, **given})
        for kind, table, items in (
            ("genre", "parsed_genres", genres or {}), ("company", "parsed_companies", companies or {})
        ):  # fmt: skip
            self.rows[table] += [
                {**key, "position": position, f"{kind}_id": number, f"{kind}_name": name}
                for position, (number, name) in enumerate(items.items(), start=1)
            ]
        return self

    def refreshed(self) -> dict[str, list[tuple[object, ...]]]:
        """All rows of stage core, by table."""
        frames = {name: frame(f"parsed.{name}", rows) for name, rows in self.rows.items()}
        for name in ("movies", "movie_genres", "movie_companies", "genres", "companies", "movie_history"):
            frames[name] = compute(name, frames)
        self.movies = frames["movies"]
        return {name: tuples(found) for name, found in frames.items() if not name.startswith("parsed_")}

    def titles(self) -> list[tuple[object, ...]]:
        self.refreshed()
        return tuples(self.movies[["movie_id", "title", "delivery_month"]])


@pytest.fixture
def delivered() -> Deliveries:
    return Deliveries()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=["in order", "reversed", "late"])
def test_the_newest_month_wins_whatever_the_order_of_delivery(delivered, order):
    for place in order:
        month = (SEPTEMBER, OCTOBER, NOVEMBER)[place]
        delivered.add(month, 1, title=f"{month:%B}")
    assert delivered.titles() == [(1, "November", NOVEMBER)]


def test_a_movie_that_the_newest_month_does_not_bring_stays_as_it_was(delivered):
    delivered.add(OCTOBER, 1, title="one").add(OCTOBER, 2, title="two").add(NOVEMBER, 2, title="two again")
    assert delivered.titles() == [(1, "one", OCTOBER), (2, "two again", NOVEMBER)]


def test_links_come_from_the_same_version_as_the_movie(delivered):
    delivered.add(OCTOBER, 1, genres={1: "A", 2: "B"}, companies={7: "X"})
    delivered.add(NOVEMBER, 1, genres={3: "C", 2: "B"}, companies={8: "Y"})
    found = delivered.refreshed()
    assert found["movie_genres"] == [(1, 2), (1, 3)]
    assert found["movie_companies"] == [(1, 8)]


def test_a_movie_loses_a_genre_that_its_newest_version_does_not_have(delivered):
    delivered.add(OCTOBER, 1, genres={1: "A"}, companies={7: "X"})
    assert delivered.refreshed()["genres"] == [(1, "A")]
    delivered.add(NOVEMBER, 1)
    found = delivered.refreshed()
    assert {name: len(rows) for name, rows in found.items() if name != "movie_history"} == {
        "movies": 1, "movie_genres": 0, "genres": 0, "movie_companies": 0, "companies": 0,
    }  # fmt: skip


def test_an_older_month_that_comes_later_changes_only_what_it_alone_has(delivered):
    delivered.add(NOVEMBER, 1, genres={1: "A"})
    before = delivered.refreshed()
    delivered.add(OCTOBER, 1, genres={2: "B"})
    assert {**delivered.refreshed(), "movie_history": None} == {**before, "movie_history": None}
    delivered.add(OCTOBER, 2, genres={2: "B"})
    assert delivered.refreshed()["genres"] == [(1, "A"), (2, "B")]


def test_genres_and_companies_are_exactly_those_that_the_links_use(delivered):
    delivered.add(OCTOBER, 1, genres={1: "A", 2: "B"}, companies={7: "X"})
    delivered.add(OCTOBER, 2, genres={3: "C"}, companies={8: "Y"}).add(NOVEMBER, 1, genres={2: "B"})
    found = delivered.refreshed()
    assert found["genres"] == [(2, "B"), (3, "C")]
    assert found["companies"] == [(8, "Y")]


@pytest.mark.parametrize(
    ("date", "year", "month"),
    [(pd.Timestamp(1999, 12, 31), 1999, 12), (None, None, None)],
    ids=["dated", "undated"],
)
def test_year_and_month_follow_from_the_release_date(delivered, date, year, month):
    delivered.add(OCTOBER, 1, release_date=date).add(OCTOBER, 2, release_date=pd.Timestamp(2001, 2, 3))
    delivered.refreshed()
    assert tuples(delivered.movies[["release_year", "release_month"]]) == [(year, month), (2001, 2)]


def test_no_delivery_at_all_makes_empty_tables(delivered):
    assert set(map(len, delivered.refreshed().values())) == {0}


@pytest.mark.parametrize(
    ("names", "wins"),
    [(["B", "A", "B"], "B"), (["B", "A"], "A"), (["b", "B"], "B"), (["é", "z"], "z"), (["A"], "A")],
    ids=["most frequent", "tie: alphabetically", "tie: by code point", "tie: accents last", "only one"],
)
def test_of_several_names_in_a_month(delivered, names: list[str], wins: str):
    for movie, name in enumerate(names, start=1):
        delivered.add(OCTOBER, movie, genres={1: name})
    assert delivered.refreshed()["genres"] == [(1, wins)]


def test_the_newest_month_that_has_the_id_decides_not_the_majority(delivered):
    for movie in (1, 2, 3):
        delivered.add(SEPTEMBER, movie, genres={1: "old"})
    delivered.add(OCTOBER, 4, genres={1: "new"}).add(NOVEMBER, 5, genres={2: "another"})
    assert dict(delivered.refreshed()["genres"])[1] == "new"


def test_a_month_counts_even_when_its_movies_are_superseded(delivered):
    delivered.add(SEPTEMBER, 1, genres={1: "old"}).add(OCTOBER, 2, genres={1: "new"}).add(NOVEMBER, 2)
    assert dict(delivered.refreshed()["genres"])[1] == "new"


def test_two_ids_may_share_a_name(delivered):
    assert delivered.add(OCTOBER, 1, companies={7: "X", 8: "X"}).refreshed()["companies"] == [(7, "X"), (8, "X")]


def expected_history(months: Mapping[dt.date, Mapping[int, float | None]]) -> list[tuple[object, ...]]:
    """The definition, movie by movie and month by month: movie_id, valid_from, valid_to, popularity."""
    found: list[tuple[object, ...]] = []
    for movie in sorted({movie for delivered in months.values() for movie in delivered}):
        values = [(month, months[month][movie]) for month in sorted(months) if movie in months[month]]
        changes = [values[0], *(now for before, now in pairwise(values) if now[1] != before[1])]
        ends = [*(month for month, _ in changes[1:]), None]
        found += [(movie, month, end, value) for (month, value), end in zip(changes, ends, strict=True)]
    return found


def history_of(months: Mapping[dt.date, Mapping[int, float | None]]) -> list[tuple[object, ...]]:
    delivered = Deliveries()
    for month, movies in months.items():
        for movie, popularity in movies.items():
            delivered.add(month, movie, popularity=popularity)
    rows = compute("movie_history", {"parsed_movies": frame("parsed.parsed_movies", delivered.rows["parsed_movies"])})
    return tuples(rows[["movie_id", "valid_from", "valid_to", "popularity"]])


@pytest.mark.parametrize("seed", range(5))
def test_the_history_is_what_a_slow_reading_of_its_definition_gives(seed: int):
    dice = random.Random(seed)
    months = {month: {m: dice.choice([None, 1.0, 2.0]) for m in range(1, 9) if dice.random() < 0.7} for month in MONTHS}
    shuffled = dict(sorted(months.items(), key=lambda _: dice.random()))
    assert history_of(shuffled) == expected_history(months)


def test_a_movie_of_which_nothing_is_known_has_a_row_and_a_repetition_none():
    assert history_of({month: {1: None} for month in MONTHS[:2]}) == [(1, MONTHS[0], None, None)]


def test_a_delta_leaves_the_other_movies_as_they_are():
    assert history_of({MONTHS[0]: {1: 1.0, 2: 2.0}, MONTHS[1]: {2: 3.0}}) == [
        (1, MONTHS[0], None, 1.0), (2, MONTHS[0], MONTHS[1], 2.0), (2, MONTHS[1], None, 3.0),
    ]  # fmt: skip


def popularity_by_month(*versions: tuple[int, dt.date, dt.date | None, float | None]) -> dict[object, object]:
    """Movies and total popularity by month and genre, of movies 1 (genre 7) and 2 (genres 7, 8)."""
    history = [
        {
            "movie_id": v[0],
            "valid_from": pd.Timestamp(v[1]),
            "valid_to": v[2] and pd.Timestamp(v[2]),
            "popularity": v[3],
        }
        for v in versions
    ]
    frames = {
        "movie_history": frame("core.movie_history", history),
        "movies": frame("core.movies", [{"movie_id": m, "delivery_month": pd.Timestamp(NOVEMBER)} for m in (1, 2)]),
        "movie_genres": frame(
            "core.movie_genres", [{"movie_id": m, "genre_id": g} for m, g in ((1, 7), (2, 7), (2, 8))]
        ),
        "genres": frame("core.genres", [{"genre_id": g, "genre_name": f"genre {g}"} for g in (7, 8)]),
    }
    found = compute("genre_popularity_by_month", frames)
    chosen = tuples(found[["month", "genre_id", "movies", "total_popularity"]])
    return {(month, genre): (count, total) for month, genre, count, total in chosen}


def test_each_month_shows_what_was_known_then():
    assert popularity_by_month((1, SEPTEMBER, OCTOBER, 1.0), (1, OCTOBER, None, 5.0), (2, OCTOBER, None, 3.0)) == {
        (SEPTEMBER, 7): (1, 1.0), (OCTOBER, 7): (2, 8.0), (OCTOBER, 8): (1, 3.0), (NOVEMBER, 7): (2, 8.0),
        (NOVEMBER, 8): (1, 3.0),
    }  # fmt: skip


def test_unknown_popularity_counts_as_a_movie_and_as_nothing_else():
    assert popularity_by_month((1, NOVEMBER, None, None), (2, NOVEMBER, None, 2.0))[NOVEMBER, 7] == (2, 2.0)
