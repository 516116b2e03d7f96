"""Releases: a movie once for each pair of its companies and genres."""

import narwhals as nw
import pytest

from movies_platform.contracts import all_tables, table_named
from movies_platform.contracts.columns import types_of
from movies_platform.metrics.releases import releases
from movies_platform_tests.frames import FUNCTIONS, METRICS, Movie, compute, state, tuples


def test_a_movie_counts_for_each_pair_of_its_companies_and_genres():
    frames = state(Movie(1, 2000, genres=(1, 2), companies=(7, 8)), Movie(2, 2000, genres=(2,), companies=(7,)))
    assert tuples(compute("company_releases_by_genre_by_year", frames)) == [
        (2000, 7, "company 7", 1, "genre 1", 1),
        (2000, 7, "company 7", 2, "genre 2", 2),
        (2000, 8, "company 8", 1, "genre 1", 1),
        (2000, 8, "company 8", 2, "genre 2", 1),
    ]


def test_a_movie_with_only_genres_or_only_companies_makes_no_pair():
    frames = state(Movie(1, 2000, genres=(1,)), Movie(2, 2000, companies=(7,)))
    assert tuples(compute("company_releases_by_genre_by_year", frames)) == []


def test_years_are_kept_apart():
    frames = state(Movie(1, 2000, genres=(1,), companies=(7,)), Movie(2, 2001, genres=(1,), companies=(7,)),
                   Movie(3, 2001, genres=(1,), companies=(7,)))  # fmt: skip
    found = compute("company_releases_by_genre_by_year", frames)
    assert found[["year", "releases"]].to_numpy().tolist() == [[2000, 1], [2001, 2]]


def test_releases_have_a_year_and_leave_out_movies_without_one():
    frames = state(Movie(1, None, genres=(1,)), Movie(2, 2001, genres=(1, 2)))
    found = releases(*(nw.from_native(frames[name]).lazy() for name in ("movies", "movie_genres"))).collect()
    assert sorted(found.select("movie_id", "year").rows()) == [(2, 2001), (2, 2001)]


@pytest.mark.parametrize("name", [n for n in sorted(METRICS) if n.endswith("_by_year")])
def test_a_movie_without_a_year_is_in_no_answer(name: str):
    undated = Movie(1, None, 10.0, 20.0, 3.0, genres=(1,), companies=(1,))
    assert len(compute(name, state(undated))) == 0


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_movie_without_groups_is_in_no_answer(name: str):
    assert len(compute(name, state(Movie(1, 2000, 10.0, 20.0, 3.0)))) == 0


@pytest.mark.parametrize("name", sorted(METRICS))
def test_no_movies_give_an_empty_table_in_the_declared_types(name: str):
    empty = compute(name, state())
    assert [str(t) for t in empty.dtypes] == [types_of(c).pandas for c in table_named(name).columns]
    assert len(empty) == 0


def test_every_table_of_core_and_metrics_has_its_function():
    assert set(FUNCTIONS) == {t.name for t in all_tables() if t.schema in ("core", "metrics")}
