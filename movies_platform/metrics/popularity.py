"""Yearly popularity of genres and companies, and the most popular genre of each year.

TMDB's popularity is a score without a unit, with a long tail: mean, median, maximum and total answer
different questions, so all are given. Movies without popularity do not count.
"""

from movies_platform.contracts import metrics as contracts
from movies_platform.contracts.relations import Relation
from movies_platform.metrics.metric import metric
from movies_platform.metrics.releases import named, releases, total

_MEASURES = {
    "total": total("popularity"),
    "mean": f"{total('popularity')} / count(popularity)",
    "median": "median(popularity)",
    "max": "max(popularity)",
}
# Popularity is delivered with six decimals. What differs later is what adding and dividing left, and decides nothing.
_RANK = "round(popularity, 9)"


def yearly_popularity(movies: Relation, links: Relation, group: str, *measures: str) -> Relation:
    """Popularity of each group's releases, year by year.

    Columns: year, group, movies and, for each measure, `measure`_popularity.
    """
    wanted = ", ".join(f"{_MEASURES[measure]} AS {measure}_popularity" for measure in measures)
    return releases(movies, links).aggregate(f"year, {group}, count(*) AS movies, {wanted}", f"year, {group}")


def most_popular(popularity: Relation) -> Relation:
    """The winner of each year by each measure, from `yearly_popularity` of genres over movies with a popularity.

    Ties: more movies first, then the smaller genre_id. Columns: year, measure, genre_id, popularity, movies.
    """
    rivals = ", ".join(f"{{measure: '{m}', popularity: {m}_popularity}}" for m in contracts.MEASURES)
    return (
        popularity.project(f"year, genre_id, movies, unnest([{rivals}], recursive := true)")
        .aggregate(
            f"year, measure, min({{rank: -{_RANK}, movies: -movies, genre_id: genre_id, popularity: popularity}}) "
            "AS first",
            "year, measure",
        )
        .project("year, measure, first.genre_id, first.popularity, -first.movies AS movies")
    )


@metric(contracts.GENRE_POPULARITY_BY_YEAR)
def genre_popularity_by_year(movies: Relation, movie_genres: Relation, genres: Relation) -> Relation:
    """How popular each genre's releases are."""
    return named(yearly_popularity(movies, movie_genres, "genre_id", *contracts.MEASURES), genres)


@metric(contracts.COMPANY_POPULARITY_BY_YEAR)
def company_popularity_by_year(movies: Relation, movie_companies: Relation, companies: Relation) -> Relation:
    """How popular each company's releases are."""
    return named(yearly_popularity(movies, movie_companies, "company_id", "mean", "median", "max"), companies)


@metric(contracts.MOST_POPULAR_GENRE_BY_YEAR)
def most_popular_genre_by_year(movies: Relation, movie_genres: Relation, genres: Relation) -> Relation:
    """The genre that wins the year, asked in four ways."""
    known = movies.filter("popularity IS NOT NULL")
    return named(most_popular(yearly_popularity(known, movie_genres, "genre_id", *contracts.MEASURES)), genres)
