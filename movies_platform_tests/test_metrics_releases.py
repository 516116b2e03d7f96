"""Releases: a movie once for each pair of its companies and genres."""

from pathlib import Path

import pandas as pd

from movies_platform.metrics.releases import named, releases, yearly_releases
from movies_platform_tests.test_metrics_frames import Movie, answer, relation, state
from movies_platform_tests.test_metrics_money import rows


def test_a_movie_counts_for_each_pair_of_its_companies_and_genres(home: Path):
    frames = state(Movie(1, 2000, genres=(1, 2), companies=(7, 8)), Movie(2, 2000, genres=(2,), companies=(7,)))
    assert rows(answer("company_releases_by_genre_by_year", frames)) == [
        (2000, 7, "company 7", 1, "genre 1", 1),
        (2000, 7, "company 7", 2, "genre 2", 2),
        (2000, 8, "company 8", 1, "genre 1", 1),
        (2000, 8, "company 8", 2, "genre 2", 1),
    ]


def test_a_movie_with_only_genres_or_only_companies_makes_no_pair(home: Path):
    frames = state(Movie(1, 2000, genres=(1,)), Movie(2, 2000, companies=(7,)))
    assert rows(answer("company_releases_by_genre_by_year", frames)) == []


def test_years_are_kept_apart():
    frames = state(Movie(1, 2000, genres=(1,)), Movie(2, 2001, genres=(1,)), Movie(3, 2001, genres=(1,)))
    found = yearly_releases(relation(frames["movies"]), relation(frames["movie_genres"]), "genre_id")
    assert sorted(found.fetchall()) == [(2000, 1, 1), (2001, 1, 2)]


def test_releases_have_a_year_and_leave_out_movies_without_one():
    frames = state(Movie(1, None, genres=(1,)), Movie(2, 2001, genres=(1, 2)))
    found = releases(relation(frames["movies"]), relation(frames["movie_genres"]))
    assert found.project("movie_id, year").fetchall() == [(2, 2001), (2, 2001)]


def test_names_come_from_the_catalogue_of_each_group():
    genres = relation(pd.DataFrame({"genre_id": [2, 1], "genre_name": ["B", "A"]}))
    found = named(relation(pd.DataFrame({"genre_id": [1, 2, 1]})), genres)
    assert sorted(found.project("genre_id, genre_name").fetchall()) == [(1, "A"), (1, "A"), (2, "B")]
