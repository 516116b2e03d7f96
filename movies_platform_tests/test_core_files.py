"""The present state of what the other files say: newest wins, file by file; names by all rows of a month."""

import datetime as dt
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movies_platform_tests.frames import compute, frame, tuples

OCTOBER, NOVEMBER = (dt.date(2017, month, 1) for month in (10, 11))
Rows = list[dict[str, Any]]


def rows_of(table: str, **given: Rows) -> list[tuple[Any, ...]]:
    """The rows of a core table, from those of the tables that it is computed from; `month` is the month of delivery."""
    frames = {
        name: frame(name, [{**row, "delivery_month": pd.Timestamp(row.get("month", NOVEMBER))} for row in rows])
        for name, rows in given.items()
    }
    return tuples(compute(table, frames))


def in_month(month: dt.date, *movies: int) -> Rows:
    return [{"month": month, "movie_id": movie, "record_number": movie} for movie in movies]


def keyword(month: dt.date, movie: int, number: int, name: str = "a") -> dict[str, Any]:
    return {"month": month, "movie_id": movie, "position": 1, "keyword_id": number, "keyword_name": name}


def credit(month: dt.date, movie: int, person: int, name: str = "a", gender: str | None = None) -> dict[str, Any]:
    return {
        "month": month, "movie_id": movie, "position": 1, "credit_id": f"c{person}", "person_id": person,
        "person_name": name, "gender": gender, "character_name": "Woody", "cast_order": 0,
    }  # fmt: skip


def present(*movies: int, **more: Any) -> Rows:
    return [{"movie_id": movie, **more} for movie in movies]


def test_keywords_are_those_of_the_newest_list_even_if_it_is_empty():
    assert rows_of(
        "movie_keywords",
        parsed_keyword_lists=[*in_month(OCTOBER, 1, 2, 3), *in_month(NOVEMBER, 1, 2)],
        parsed_keywords=[*(keyword(OCTOBER, movie, 7) for movie in (1, 2, 3)), keyword(NOVEMBER, 1, 8)],
        movies=present(1, 2, 3),
    ) == [(1, 8), (3, 7)]  # fmt: skip


def test_the_cast_of_a_movie_that_is_unknown_stays_in_parsed():
    given = {
        "parsed_credits": in_month(NOVEMBER, 1, 2),
        "parsed_cast": [credit(NOVEMBER, 1, 5), credit(NOVEMBER, 2, 6)],
    }
    assert rows_of("movie_cast", **given, movies=present(2)) == [(2, "c6", 6, "Woody", 0)]


@pytest.mark.parametrize(
    ("cast", "crew", "expected"),
    [
        ([("A", None), ("B", None)], [("B", None)], ("B", None)),
        ([("B", None)], [("A", None)], ("A", None)),
        ([("A", "male"), ("A", "female"), ("A", None)], [("A", None)], ("A", "female")),
        ([("A", "male"), ("A", "female")], [("A", "male")], ("A", "male")),
    ],
    ids=["cast and crew count together", "ties: alphabetically", "ties of gender", "the most frequent gender"],
)
def test_a_person_has_one_name_and_gender(cast, crew, expected):
    found = rows_of(
        "people",
        parsed_cast=[credit(NOVEMBER, movie, 5, *each) for movie, each in enumerate(cast, start=1)],
        parsed_crew=[credit(NOVEMBER, movie, 5, *each) for movie, each in enumerate(crew, start=1)],
        movie_cast=[{"movie_id": 1, "credit_id": "c5", "person_id": 5}],
        movie_crew=[],
    )
    assert found == [(5, *expected)]


def test_a_gender_comes_from_the_newest_month_that_knows_it():
    cast = [credit(OCTOBER, 1, 5, "Old", "male"), credit(NOVEMBER, 1, 5, "New")]
    present_crew = [{"movie_id": 1, "credit_id": "c5", "person_id": 5}]
    found = rows_of("people", parsed_cast=cast, parsed_crew=[], movie_cast=[], movie_crew=present_crew)
    assert found == [(5, "New", "male")]


def test_a_language_that_no_list_names_has_no_name():
    spoken = {"movie_id": 1, "position": 1, "language_code": "en"}
    found = rows_of(
        "languages",
        parsed_languages=[
            {**spoken, "month": OCTOBER, "language_name": "English"}, {**spoken, "language_name": None},
        ],
        movie_languages=[{"movie_id": 1, "language_code": "en"}],
        movies=[{"movie_id": 1, "original_language": "xx"}, {"movie_id": 2, "original_language": None}],
    )  # fmt: skip
    assert found == [("en", "English"), ("xx", None)]


def test_a_collection_is_that_of_the_present_version():
    item = {"movie_id": 1, "collection_id": 7, "collection_name": "Toys"}
    movie = {"movie_id": 1, "record_number": 1, "title": "a"}
    given = {"parsed_movies": [{**movie, "month": OCTOBER}, movie]}
    for collections, expected in (([{**item, "month": OCTOBER}], None), ([item], 7)):
        found = rows_of("movies", **given, parsed_collections=collections)
        assert [row[-2] for row in found] == [expected]
    assert rows_of("collections", parsed_collections=[item], movies=[{"movie_id": 1, "collection_id": 7}]) == [
        (7, "Toys")
    ]


def test_a_link_that_leads_nowhere_now_is_gone():
    def link(month: dt.date, number: int, movie: int | None) -> dict[str, Any]:
        return {"month": month, "movielens_id": number, "record_number": number, "movie_id": movie, "imdb_id": "tt1"}

    links = [link(OCTOBER, 1, 10), link(NOVEMBER, 1, None), link(OCTOBER, 2, 10), link(NOVEMBER, 3, 99)]
    assert rows_of("movie_links", parsed_links=links, movies=present(10)) == [(2, 10, "tt1")]


def test_a_rating_is_the_newest_of_its_user_and_movie():
    at = pd.Timestamp("2009-12-14 02:52:24")

    def rating(month: dt.date, user: int, number: int, stars: float) -> dict[str, Any]:
        record = {"month": month, "user_id": user, "movielens_id": number, "record_number": 1}
        return {**record, "rating": stars, "rated_at": at}

    ratings = [rating(OCTOBER, 1, 2, 1.0), rating(NOVEMBER, 1, 2, 5.0), rating(OCTOBER, 3, 2, 2.5)]
    ratings.append(rating(OCTOBER, 1, 4, 3.0))
    found = rows_of("ratings", parsed_ratings=ratings, movie_links=[{"movielens_id": 2, "movie_id": 10}])
    assert [row[:4] for row in found] == [(1, 2, 10, 5.0), (3, 2, 10, 2.5)]


MONTHS = [dt.date(2017, month, 1) for month in (9, 10, 11)]


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.tuples(st.sampled_from(MONTHS), st.integers(1, 4)), st.integers(1, 5), max_size=12))
def test_every_link_is_that_of_the_newest_month_that_has_it(links):
    delivered = [
        {"month": month, "movielens_id": number, "record_number": 1, "movie_id": movie, "imdb_id": "tt1"}
        for (month, number), movie in links.items()
    ]
    newest = {number: movie for (_, number), movie in sorted(links.items())}
    found = rows_of("movie_links", parsed_links=delivered, movies=present(1, 2, 3, 4, 5))
    assert {number: movie for number, movie, _ in found} == newest
    assert len(found) == len(newest)
