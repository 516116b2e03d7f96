"""Releases: a movie with a release year, once for each of its groups (genres or companies).

A group is named by its id column, `genre_id` or `company_id`. All functions take and give lazy frames: what they
describe is computed by the engine, at once, when the answer is stored.
"""

from collections.abc import Sequence

import narwhals as nw

from movies_platform.contracts.catalogue import table_asset
from movies_platform.contracts.metrics import COMPANY_RELEASES_BY_GENRE_BY_YEAR

_DECIMALS = 9  # of a value that decide a rank; what differs later is what adding and dividing left


def releases(movies: nw.LazyFrame, links: nw.LazyFrame) -> nw.LazyFrame:
    """`links` with the `year` and other columns of their movies, movies without a year left out.

    `movies` has movie_id, release_year and more, `links` movie_id and ids of groups; one row for each link.
    """
    dated = movies.filter(~nw.col("release_year").is_null()).rename({"release_year": "year"})
    return links.join(dated, on="movie_id")


def with_names(rows: nw.LazyFrame, *catalogues: nw.LazyFrame) -> nw.LazyFrame:
    """`rows` with the names of their groups; a catalogue has an id column, then a name column."""
    for catalogue in catalogues:
        rows = rows.join(catalogue, on=catalogue.collect_schema().names()[0])
    return rows


def total(amount: str, known: str) -> nw.Expr:
    """The sum in column `amount`, of `known` values: null when there is none, because engines make it 0.

    Rounded to six decimals, as popularity is delivered, so that the order of adding decides nothing.
    """
    return nw.when(nw.col(known) > 0).then(nw.col(amount).round(6))


def winners(genres: nw.LazyFrame, measures: Sequence[str], value: str) -> nw.LazyFrame:
    """The genre of each year with the highest value of each measure; `value` names the column for it.

    `genres` has year, genre_id, movies and a column for each measure. Genres whose measure is null do not count. Ties:
    more movies first, then the smaller genre_id. Columns: year, measure, genre_id, `value`, movies.
    """
    candidates = nw.concat(
        [
            genres.select("year", nw.lit(measure).alias("measure"), "genre_id", "movies", nw.col(measure).alias(value))
            for measure in measures
        ]
    ).filter(~nw.col(value).is_null())
    ranked = candidates.with_columns(
        (-nw.col(value).round(_DECIMALS)).alias("by_value"), (-nw.col("movies")).alias("by_movies"),
        nw.lit(1).alias("place"),
    )  # fmt: skip
    order = ["by_value", "by_movies", "genre_id"]
    places = ranked.with_columns(nw.col("place").cum_sum().over("year", "measure", order_by=order))
    return places.filter(nw.col("place") == 1).select("year", "measure", "genre_id", value, "movies")


def yearly_releases(movies: nw.LazyFrame, links: nw.LazyFrame, *groups: str) -> nw.LazyFrame:
    """Count the releases of each combination of groups in each year."""
    return releases(movies, links).group_by("year", *groups).agg(nw.len().alias("releases"))


@table_asset(COMPANY_RELEASES_BY_GENRE_BY_YEAR)
def company_releases_by_genre_by_year(
    movies: nw.LazyFrame, movie_companies: nw.LazyFrame, movie_genres: nw.LazyFrame, companies: nw.LazyFrame,
    genres: nw.LazyFrame,
) -> nw.LazyFrame:  # fmt: skip
    """A company's releases in each genre: a movie counts once for each pair of its companies and genres."""
    links = movie_companies.join(movie_genres, on="movie_id")
    return with_names(yearly_releases(movies.select("movie_id", "release_year"), links, "company_id", "genre_id"),
                      companies, genres)  # fmt: skip
