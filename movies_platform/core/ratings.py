"""Parsed links and ratings of all months -> core.movie_links and core.ratings.

A link is that of the newest month that has its MovieLens number, a rating that of the newest month that has its user
and movie. Kept are those that lead to a present movie.
"""

import narwhals as nw

from movies_platform.contracts import core as contracts
from movies_platform.contracts.catalogue import table_asset
from movies_platform.core.movies import newest_versions


def present_movie_links(links: nw.LazyFrame, movies: nw.LazyFrame) -> nw.LazyFrame:
    """movielens_id, movie_id and imdb_id of the newest links that lead to one of `movies`."""
    newest = newest_versions(links, "movielens_id").select("movielens_id", "movie_id", "imdb_id")
    return newest.join(movies.select("movie_id"), on="movie_id")


def present_ratings(ratings: nw.LazyFrame, movie_links: nw.LazyFrame) -> nw.LazyFrame:
    """user_id, movielens_id, movie_id, rating and rated_at of the newest ratings with one of `movie_links`."""
    newest = newest_versions(ratings.drop("record_number"), "user_id", "movielens_id").drop("delivery_month")
    return newest.join(movie_links.select("movielens_id", "movie_id"), on="movielens_id")


@table_asset(contracts.MOVIE_LINKS)
def movie_links(parsed_links: nw.LazyFrame, movies: nw.LazyFrame) -> nw.LazyFrame:
    """The links to present movies."""
    return present_movie_links(parsed_links, movies)


@table_asset(contracts.RATINGS)
def ratings(parsed_ratings: nw.LazyFrame, movie_links: nw.LazyFrame) -> nw.LazyFrame:
    """The ratings of present movies."""
    return present_ratings(parsed_ratings, movie_links)
