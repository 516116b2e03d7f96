"""Releases: a movie with a release year, once for each of its groups (genres or companies).

A group is named by its id column, `genre_id` or `company_id`. All functions take and give relations: what they say is
computed in the database, all at once, when the answer is stored.
"""

from movies_platform.contracts.metrics import COMPANY_RELEASES_BY_GENRE_BY_YEAR
from movies_platform.contracts.relations import Relation
from movies_platform.metrics.metric import metric


def releases(movies: Relation, links: Relation) -> Relation:
    """`links` with the `year` and other columns of their movies, movies without a year left out.

    `movies` has movie_id, release_year and more, `links` movie_id and ids of groups; one row for each link.
    """
    return links.join(movies.filter("release_year IS NOT NULL").project("*, release_year AS year"), "movie_id")


def named(rows: Relation, *catalogues: Relation) -> Relation:
    """`rows` with the names of their groups; a catalogue has an id column, then a name column."""
    for catalogue in catalogues:
        rows = rows.join(catalogue, catalogue.columns[0])
    return rows


def total(amount: str) -> str:
    """Sum of an amount, as SQL; null when none is known.

    Summed in order of size: the last digits are then the same each time, whichever thread meets a row first.
    """
    return f"list_sum(list_sort(list({amount}) FILTER ({amount} IS NOT NULL)))"


def yearly_releases(movies: Relation, links: Relation, *groups: str) -> Relation:
    """Count the releases of each combination of groups in each year."""
    keys = ", ".join(["year", *groups])
    return releases(movies, links).aggregate(f"{keys}, count(*) AS releases", keys)


@metric(COMPANY_RELEASES_BY_GENRE_BY_YEAR)
def company_releases_by_genre_by_year(
    movies: Relation, movie_companies: Relation, movie_genres: Relation, companies: Relation, genres: Relation
) -> Relation:
    """A company's releases in each genre: a movie counts once for each pair of its companies and genres."""
    links = movie_companies.join(movie_genres, "movie_id")
    return named(yearly_releases(movies, links, "company_id", "genre_id"), companies, genres)
