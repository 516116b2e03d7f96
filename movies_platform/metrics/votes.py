"""What people think of movies: votes at TMDB (a mean and a number for each movie) and ratings at MovieLens.

A mean of few votes says little: the weighted rating draws it to the mean of all movies, as IMDb's formula does. A movie
is voted on when its vote_count is above 0 and its vote_average known.

Means are totals (`releases.total`, rounded to six decimals) divided by counts; weighted ratings, which have more
decimals than delivered values, are added up in whole units (exact below 2**53). So the order of adding decides nothing.
"""

import narwhals as nw

from movies_platform.contracts import metrics as contracts
from movies_platform.contracts.catalogue import table_asset
from movies_platform.metrics.releases import releases, total, winners, with_names

_UNITS = 1e10  # of a weighted rating, which are added up
_MANY_VOTES = 0.9  # the quantile of votes from which on a movie's own mean counts more than that of all


def movie_votes(movies: nw.LazyFrame) -> nw.LazyFrame:
    """movie_id, votes, mean_vote and weighted_rating of the movies that are voted on.

    The weighted rating is v/(v+m) R + m/(v+m) C: v votes, R mean_vote, C the mean of mean_vote over these movies, m the
    90th percentile of their votes.
    """
    voted = movies.filter((nw.col("vote_count") > 0) & ~nw.col("vote_average").is_null()).select(
        "movie_id", nw.col("vote_count").alias("votes"), nw.col("vote_average").alias("mean_vote")
    )  # fmt: skip
    usual = voted.select(
        nw.col("votes").cast(nw.Float64).quantile(_MANY_VOTES, interpolation="linear").alias("many"),
        nw.col("mean_vote").sum().alias("mean_of_all"),
        nw.len().alias("voted"),
    ).with_columns((total("mean_of_all", "voted") / nw.col("voted")).alias("mean_of_all"))  # fmt: skip
    votes, many = nw.col("votes"), nw.col("many")
    weighted = (votes * nw.col("mean_vote") + many * nw.col("mean_of_all")) / (votes + many)
    return (
        voted.join(usual, how="cross")
        .with_columns(weighted.alias("weighted_rating"))
        .drop("many", "mean_of_all", "voted")
    )


def rated_movies(movies: nw.LazyFrame, ratings: nw.LazyFrame) -> nw.LazyFrame:
    """Votes and ratings of the movies that have any: movie_id, votes, mean_vote, weighted_rating, ratings, mean_rating.

    `ratings` has a row for each rating. No votes are null, no ratings 0.
    """
    stars = ratings.group_by("movie_id").agg(nw.len().alias("ratings"), nw.col("rating").sum().alias("stars"))
    stars = stars.with_columns((total("stars", "ratings") / nw.col("ratings")).alias("mean_rating")).drop("stars")
    known = movies.select("movie_id").join(movie_votes(movies), on="movie_id", how="left")
    known = known.join(stars, on="movie_id", how="left")
    is_known = ~nw.col("votes").is_null() | ~nw.col("ratings").is_null()
    return known.filter(is_known).with_columns(nw.col("ratings").fill_null(0))


def yearly_ratings(movies: nw.LazyFrame, movie_ratings: nw.LazyFrame, links: nw.LazyFrame, group: str) -> nw.LazyFrame:
    """Votes and ratings of each group's releases, year by year.

    mean_vote is the mean of all votes, weighted_rating that of the movies voted on, mean_rating that of all ratings.
    Columns: year, group, movies, votes, mean_vote, weighted_rating, ratings, mean_rating.
    """
    rows = releases(movies.select("movie_id", "release_year"), links).join(movie_ratings, on="movie_id", how="left")
    sums = rows.with_columns(
        (nw.col("votes") * nw.col("mean_vote")).alias("points"),
        (nw.col("ratings") * nw.col("mean_rating")).alias("stars"),
        (nw.col("weighted_rating") * _UNITS).round().alias("weighted"),
    )
    votes, ratings = nw.col("votes"), nw.col("ratings")
    return (
        sums.group_by("year", group)
        .agg(
            nw.len().alias("movies"),
            votes.sum().alias("votes"),
            nw.col("points").sum().alias("points"),
            nw.col("weighted").sum().alias("weighted"),
            nw.col("weighted").count().alias("voted"),
            ratings.sum().alias("ratings"),
            nw.col("stars").sum().alias("stars"),
        )
        .with_columns(votes.fill_null(0), ratings.fill_null(0))
        .with_columns(
            (total("points", "votes") / votes).alias("mean_vote"),
            (total("weighted", "voted") / _UNITS / nw.col("voted")).alias("weighted_rating"),
            (total("stars", "ratings") / ratings).alias("mean_rating"),
        )
        .drop("points", "weighted", "voted", "stars")
    )


def best_rated(genres: nw.LazyFrame) -> nw.LazyFrame:
    """The winner of each year by each measure that some genre has above 0, from `yearly_ratings` of genres.

    Columns: year, measure, genre_id, value, movies.
    """
    values = [nw.col(measure).cast(nw.Float64) for measure in contracts.RATING_MEASURES]
    return winners(genres.with_columns(values), contracts.RATING_MEASURES, "value").filter(nw.col("value") > 0)


@table_asset(contracts.MOVIE_RATINGS)
def movie_ratings(movies: nw.LazyFrame, ratings: nw.LazyFrame) -> nw.LazyFrame:
    """What people think of each movie."""
    return rated_movies(movies, ratings)


@table_asset(contracts.GENRE_RATINGS_BY_YEAR)
def genre_ratings_by_year(
    movies: nw.LazyFrame, movie_ratings: nw.LazyFrame, movie_genres: nw.LazyFrame, genres: nw.LazyFrame
) -> nw.LazyFrame:
    """What people think of each genre's releases."""
    return with_names(yearly_ratings(movies, movie_ratings, movie_genres, "genre_id"), genres)


@table_asset(contracts.COMPANY_RATINGS_BY_YEAR)
def company_ratings_by_year(
    movies: nw.LazyFrame, movie_ratings: nw.LazyFrame, movie_companies: nw.LazyFrame, companies: nw.LazyFrame
) -> nw.LazyFrame:
    """What people think of each company's releases."""
    return with_names(yearly_ratings(movies, movie_ratings, movie_companies, "company_id"), companies)


@table_asset(contracts.BEST_RATED_GENRE_BY_YEAR)
def best_rated_genre_by_year(genre_ratings_by_year: nw.LazyFrame, genres: nw.LazyFrame) -> nw.LazyFrame:
    """The genre that wins the year, asked in five ways."""
    return with_names(best_rated(genre_ratings_by_year), genres)
