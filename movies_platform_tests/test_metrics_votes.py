"""Votes and ratings of movies, genres and years, on small frames."""

import random
from typing import Any

import pytest

from movies_platform_tests.frames import compute, frame, on_duckdb, tuples

Votes = tuple[int | None, float | None]


def state(*votes: Votes, ratings: dict[int, list[float]] | None = None, years: dict[int, int] | None = None) -> Any:
    """Movies 1, 2... with (vote_count, vote_average), all of 1999 and of genre 7 unless `years` says otherwise."""
    movies = [
        {"movie_id": n, "release_year": (years or {}).get(n, 1999), "vote_count": v[0], "vote_average": v[1]}
        for n, v in enumerate(votes, start=1)
    ]
    given = [(movie, stars) for movie, each in (ratings or {}).items() for stars in each]
    return {
        "movies": frame("core.movies", movies),
        "ratings": frame(
            "core.ratings",
            [{"user_id": n, "movielens_id": m, "movie_id": m, "rating": r} for n, (m, r) in enumerate(given, start=1)],
        ),
        "movie_genres": frame("core.movie_genres", [{"movie_id": m["movie_id"], "genre_id": 7} for m in movies]),
        "genres": frame("core.genres", [{"genre_id": n, "genre_name": f"genre {n}"} for n in (7, 8)]),
    }


def test_a_movie_without_votes_and_ratings_is_not_there():
    frames = state((0, 5.0), (3, None), (None, 5.0), (0, 5.0), ratings={4: [5.0, 4.0]})
    assert tuples(compute("movie_ratings", frames)) == [(4, None, None, None, 2, 4.5)]


def test_few_votes_are_drawn_to_the_mean_of_all():
    """Of 100 and 0.5 x 10 votes, m is 91 and C 7: 100/191 x 8 + 91/191 x 7 and 10/101 x 6 + 91/101 x 7."""
    found = tuples(compute("movie_ratings", state((100, 8.0), (10, 6.0))))
    assert [row[3] for row in found] == [pytest.approx((800 + 637) / 191), pytest.approx((60 + 637) / 101)]


def test_the_order_of_rows_changes_no_digit():
    draw = random.Random(3)
    votes = [(draw.randint(1, 900), draw.randint(1, 100) / 10) for _ in range(400)]
    frames = state(*votes, ratings={n: [draw.randint(1, 50) / 10 for _ in range(9)] for n in range(1, 400)})
    found = []
    for seed in (1, 2):
        mixed = {name: rows.sample(frac=1, random_state=seed) for name, rows in frames.items()}
        mixed["movie_ratings"] = on_duckdb("movie_ratings", mixed)
        mixed["genre_ratings_by_year"] = on_duckdb(
            "genre_ratings_by_year", mixed | {"movie_ratings": mixed["movie_ratings"].sample(frac=1, random_state=seed)}
        )
        found.append([tuples(mixed[name]) for name in ("movie_ratings", "genre_ratings_by_year")])
    assert found[0] == found[1]


@pytest.fixture
def yearly() -> list[tuple[Any, ...]]:
    frames = state((100, 8.0), (300, 6.0), (0, 1.0), (50, 9.0), ratings={1: [5.0], 3: [2.0, 3.0]}, years={4: 2001})
    frames["movie_ratings"] = compute("movie_ratings", frames)
    return tuples(compute("genre_ratings_by_year", frames))


def test_a_year_weighs_votes_and_counts_every_rating(yearly):
    of_1999, of_2001 = yearly
    assert of_1999[:6] == (1999, 7, "genre 7", 3, 400, 6.5)
    assert of_1999[7:] == (3, pytest.approx(10 / 3))
    assert of_2001[3:6] == (1, 50, 9.0)
    assert of_2001[7:] == (0, None)


def test_the_weighted_rating_of_a_year_is_the_mean_over_movies_voted_on(yearly):
    weighted = [row[3] for row in tuples(compute("movie_ratings", state((100, 8.0), (300, 6.0), (0, 1.0), (50, 9.0))))]
    assert yearly[0][6] == pytest.approx((weighted[0] + weighted[1]) / 2)


def best(*genres: tuple[Any, ...]) -> dict[str, tuple[Any, ...]]:
    names = ("genre_id", "movies", "votes", "mean_vote", "weighted_rating", "ratings", "mean_rating")
    rows = [{"year": 1999, "genre_name": "", **dict(zip(names, genre, strict=True))} for genre in genres]
    frames = {"genre_ratings_by_year": frame("metrics.genre_ratings_by_year", rows), **state()}
    return {row[1]: (row[2], *row[4:]) for row in tuples(compute("best_rated_genre_by_year", frames))}


def test_each_measure_has_its_winner_and_one_without_a_value_above_0_none():
    found = best((7, 2, 10, 5.0, 5.5, 0, None), (8, 1, 3, 9.0, 5.0, 0, None))
    assert found == {"votes": (7, 10.0, 2), "mean_vote": (8, 9.0, 1), "weighted_rating": (7, 5.5, 2)}


@pytest.mark.parametrize(("movies", "wins"), [((1, 2), 8), ((2, 2), 7)], ids=["more movies", "the smaller genre_id"])
def test_ties_are_seen_to_nine_digits(movies, wins):
    found = best((7, movies[0], 1, 5.0, 5.0, 1, 5.0), (8, movies[1], 1, 5.0 - 1e-12, 5.0, 1, 5.0))
    assert found["mean_vote"][0] == wins
