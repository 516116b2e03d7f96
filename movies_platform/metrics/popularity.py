"""Popularity of genres and companies by year and by month of delivery, and the most popular genre of each year.

TMDB's popularity is a score without a unit, with a long tail: mean, median, maximum and total answer
different questions, so all are given. Movies without popularity do not count.
"""

import narwhals as nw

from movies_platform.contracts import metrics as contracts
from movies_platform.contracts.catalogue import table_asset
from movies_platform.metrics.releases import releases, total, winners, with_names


def popularity_of(rows: nw.LazyFrame, *groups: str) -> nw.LazyFrame:
    """Popularity of each group of `rows`, a row being a movie with a `popularity` that may be null.

    Columns: groups, movies, known (movies with a popularity), total_, mean_, median_ and max_popularity.
    """
    score = nw.col("popularity")
    return (
        rows.group_by(*groups)
        .agg(
            nw.len().alias("movies"),
            score.count().alias("known"),
            score.sum().alias("total_popularity"),
            score.median().alias("median_popularity"),
            score.max().alias("max_popularity"),
        )
        .with_columns(total("total_popularity", "known").alias("total_popularity"))
        .with_columns((nw.col("total_popularity") / nw.col("known")).alias("mean_popularity"))
    )


def yearly_popularity(movies: nw.LazyFrame, links: nw.LazyFrame, group: str, *measures: str) -> nw.LazyFrame:
    """Popularity of each group's releases, year by year.

    Columns: year, group, movies and, for each measure, `measure`_popularity.
    """
    rows = releases(movies.select("movie_id", "release_year", "popularity"), links)
    scores = popularity_of(rows, "year", group)
    return scores.select("year", group, "movies", *(f"{measure}_popularity" for measure in measures))


def most_popular(popularity: nw.LazyFrame) -> nw.LazyFrame:
    """The winner of each year by each measure, from `yearly_popularity` of genres over movies with a popularity.

    Ties: more movies first, then the smaller genre_id. Columns: year, measure, genre_id, popularity, movies.
    """
    candidates = popularity.rename({f"{measure}_popularity": measure for measure in contracts.MEASURES})
    return winners(candidates, contracts.MEASURES, "popularity")


def popularity_by_month(movie_history: nw.LazyFrame, movies: nw.LazyFrame, links: nw.LazyFrame) -> nw.LazyFrame:
    """Popularity of each genre's movies as it was known in each month in which something changed.

    Columns: month, genre_id, movies, total_, mean_, median_ and max_popularity.
    """
    changed = movie_history.select(nw.col("valid_from").alias("month"))
    months = nw.concat([changed, movies.select(nw.col("delivery_month").alias("month"))]).unique()
    held = movie_history.select("movie_id", "valid_from", "valid_to", "popularity").join(months, how="cross")
    month, until = nw.col("month"), nw.col("valid_to")
    known_then = held.filter((nw.col("valid_from") <= month) & (until.is_null() | (month < until)))
    return popularity_of(known_then.join(links, on="movie_id"), "month", "genre_id").drop("known")


@table_asset(contracts.GENRE_POPULARITY_BY_YEAR)
def genre_popularity_by_year(movies: nw.LazyFrame, movie_genres: nw.LazyFrame, genres: nw.LazyFrame) -> nw.LazyFrame:
    """How popular each genre's releases are."""
    return with_names(yearly_popularity(movies, movie_genres, "genre_id", *contracts.MEASURES), genres)


@table_asset(contracts.COMPANY_POPULARITY_BY_YEAR)
def company_popularity_by_year(
    movies: nw.LazyFrame, movie_companies: nw.LazyFrame, companies: nw.LazyFrame
) -> nw.LazyFrame:
    """How popular each company's releases are."""
    return with_names(yearly_popularity(movies, movie_companies, "company_id", "mean", "median", "max"), companies)


@table_asset(contracts.MOST_POPULAR_GENRE_BY_YEAR)
def most_popular_genre_by_year(movies: nw.LazyFrame, movie_genres: nw.LazyFrame, genres: nw.LazyFrame) -> nw.LazyFrame:
    """The genre that wins the year, asked in four ways."""
    known = movies.filter(~nw.col("popularity").is_null())
    return with_names(most_popular(yearly_popularity(known, movie_genres, "genre_id", *contracts.MEASURES)), genres)


@table_asset(contracts.GENRE_POPULARITY_BY_MONTH)
def genre_popularity_by_month(
    movie_history: nw.LazyFrame, movies: nw.LazyFrame, movie_genres: nw.LazyFrame, genres: nw.LazyFrame
) -> nw.LazyFrame:
    """The popularity of each genre's movies as it was in each month."""
    return with_names(popularity_by_month(movie_history, movies, movie_genres), genres)
