"""Popularity of genres from delivery to delivery."""

import datetime as dt

import pandas as pd
import pytest

from movies_platform_tests.test_metrics_frames import Movie, answer, frame, state

pytestmark = pytest.mark.usefixtures("home")
AUGUST, SEPTEMBER, NOVEMBER = (pd.Timestamp(2017, month, 1) for month in (8, 9, 11))


def by_month(*versions: tuple[int, pd.Timestamp, pd.Timestamp | None, float | None]) -> pd.DataFrame:
    """The answer for movies 1 (genre 7) and 2 (genres 7, 8), delivered last in November."""
    frames = state(Movie(1, year=None, genres=(7,)), Movie(2, genres=(7, 8)))
    rows = [dict(zip(("movie_id", "valid_from", "valid_to", "popularity"), v, strict=True)) for v in versions]
    found = answer("genre_popularity_by_month", {**frames, "movie_history": frame("core.movie_history", rows)})
    return found.set_index(["month", "genre_id"])


def test_each_month_shows_what_was_known_then():
    found = by_month((1, AUGUST, SEPTEMBER, 1.0), (1, SEPTEMBER, None, 5.0), (2, SEPTEMBER, None, 3.0))
    assert found["movies"].to_dict() == {
        (pd.Timestamp(2017, month, 1), genre): count
        for month, genre, count in [(8, 7, 1), (9, 7, 2), (9, 8, 1), (10, 7, 2), (10, 8, 1), (11, 7, 2), (11, 8, 1)]
    }  # fmt: skip
    measures = ["total_popularity", "mean_popularity", "median_popularity", "max_popularity"]
    assert found.loc[(AUGUST, 7), measures].tolist() == [1.0, 1.0, 1.0, 1.0]
    assert found.loc[(NOVEMBER, 7), measures].tolist() == [8.0, 4.0, 4.0, 5.0]
    assert found.loc[(NOVEMBER, 7), "genre_name"] == "genre 7"


def test_a_month_without_a_delivery_shows_what_the_one_before_left():
    found = by_month((1, AUGUST, None, 1.0), (2, AUGUST, None, 2.0))
    assert [month.date() for month in found.index.unique("month")] == [dt.date(2017, m, 1) for m in (8, 9, 10, 11)]
    assert found["total_popularity"].xs(7, level="genre_id").tolist() == [3.0] * 4


def test_unknown_popularity_counts_as_a_movie_and_as_nothing_else():
    found = by_month((1, NOVEMBER, None, None), (2, NOVEMBER, None, 2.0))
    assert found.loc[(NOVEMBER, 7), ["movies", "total_popularity", "mean_popularity"]].tolist() == [2, 2.0, 2.0]
