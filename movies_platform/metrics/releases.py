"""Releases: a movie with a release year, once for each of its groups (genres or companies).

A group is named by its id column, `genre_id` or `company_id`.
"""

import pandas as pd

from movies_platform.contracts.metrics import COMPANY_RELEASES_BY_GENRE_BY_YEAR
from movies_platform.metrics.asset import metric


def releases(movies: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """`links` with the `year` and other columns of their movies, movies without a year left out.

    `movies` has movie_id, release_year and more, `links` movie_id and ids of groups; one row for each link.
    """
    dated = movies[movies["release_year"].notna()]
    dated = dated.rename(columns={"release_year": "year"}).astype({"year": "int64"})
    return links.merge(dated, on="movie_id")


def named(frame: pd.DataFrame, *catalogues: pd.DataFrame) -> pd.DataFrame:
    """`frame` with the names of its groups; a catalogue has an id column, then a name column."""
    for catalogue in catalogues:
        group, name = catalogue.columns
        frame = frame.assign(**{name: frame[group].map(catalogue.set_index(group)[name])})
    return frame


def yearly_releases(movies: pd.DataFrame, links: pd.DataFrame, *groups: str) -> pd.DataFrame:
    """Count the releases of each combination of groups in each year."""
    counted = releases(movies, links).groupby(["year", *groups], sort=False).size()
    return counted.rename("releases").reset_index()


@metric(COMPANY_RELEASES_BY_GENRE_BY_YEAR, movies=["movie_id", "release_year"])
def company_releases_by_genre_by_year(
    movies: pd.DataFrame,
    movie_companies: pd.DataFrame,
    movie_genres: pd.DataFrame,
    companies: pd.DataFrame,
    genres: pd.DataFrame,
) -> pd.DataFrame:
    """A company's releases in each genre: a movie counts once for each pair of its companies and genres."""
    links = movie_companies.merge(movie_genres, on="movie_id")
    return named(yearly_releases(movies, links, "company_id", "genre_id"), companies, genres)
