"""Yearly popularity of genres and companies, and the most popular genre of each year.

TMDB's popularity is a score without a unit, with a long tail: mean, median, maximum and total answer
different questions, so all are given. Movies without popularity do not count.
"""

import pandas as pd

from movies_platform.contracts import metrics as contracts
from movies_platform.metrics.asset import metric
from movies_platform.metrics.releases import named, releases

COLUMNS = ["movie_id", "release_year", "popularity"]


def yearly_popularity(movies: pd.DataFrame, links: pd.DataFrame, group: str) -> pd.DataFrame:
    """Popularity of each group's releases, year by year.

    Columns: year, group, movies, movies_with_popularity, total_, mean_, median_ and max_popularity.
    """
    grouped = releases(movies, links).groupby(["year", group], sort=False)["popularity"]
    return pd.DataFrame(
        {
            "movies": grouped.size(),
            "movies_with_popularity": grouped.count(),
            "total_popularity": grouped.sum(min_count=1),
            "mean_popularity": grouped.mean(),
            "median_popularity": grouped.median(),
            "max_popularity": grouped.max(),
        }
    ).reset_index()


def most_popular(popularity: pd.DataFrame) -> pd.DataFrame:
    """The winner of each year by each measure, from `yearly_popularity` of genres.

    Ties: more movies first, then the smaller genre_id. Columns: year, measure, genre_id, popularity,
    movies (those whose popularity is known).
    """
    known = popularity.drop(columns="movies").rename(columns={"movies_with_popularity": "movies"})
    measures = {f"{measure}_popularity": measure for measure in contracts.MEASURES}
    candidates = known.rename(columns=measures).melt(
        ["year", "genre_id", "movies"], list(measures.values()), "measure", "popularity"
    )
    ranked = candidates.dropna(subset="popularity").sort_values(
        ["year", "measure", "popularity", "movies", "genre_id"], ascending=[True, True, False, False, True]
    )
    return ranked.drop_duplicates(["year", "measure"])


@metric(contracts.GENRE_POPULARITY_BY_YEAR, movies=COLUMNS)
def genre_popularity_by_year(movies: pd.DataFrame, movie_genres: pd.DataFrame, genres: pd.DataFrame) -> pd.DataFrame:
    """How popular each genre's releases are."""
    popularity = yearly_popularity(movies, movie_genres, "genre_id")
    return named(popularity.drop(columns="movies_with_popularity"), genres)


@metric(contracts.COMPANY_POPULARITY_BY_YEAR, movies=COLUMNS)
def company_popularity_by_year(
    movies: pd.DataFrame, movie_companies: pd.DataFrame, companies: pd.DataFrame
) -> pd.DataFrame:
    """How popular each company's releases are."""
    popularity = yearly_popularity(movies, movie_companies, "company_id")
    return named(popularity.drop(columns=["movies_with_popularity", "total_popularity"]), companies)


@metric(contracts.MOST_POPULAR_GENRE_BY_YEAR, movies=COLUMNS)
def most_popular_genre_by_year(movies: pd.DataFrame, movie_genres: pd.DataFrame, genres: pd.DataFrame) -> pd.DataFrame:
    """The genre that wins the year, asked in four ways."""
    return named(most_popular(yearly_popularity(movies, movie_genres, "genre_id")), genres)
