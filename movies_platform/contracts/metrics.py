"""Contracts of the answers: money, releases, popularity and ratings, over movies with a release year.

Money comes twice: `x_usd` credits a movie in full to each of its groups, `x_share_usd` splits it
equally among them, so that shares add up.
"""

import sqlalchemy as sa

from movies_platform.contracts.columns import Day, Real, Text, Whole, column, movie_id
from movies_platform.contracts.sources import COMPANIES, GENRES, NestedList
from movies_platform.contracts.tables import METADATA

_YEAR, _POPULARITY = "core.movies.release_year", "core.movies.popularity"
_AMOUNTS = {
    "budget": ("core.movies.budget_usd",),
    "revenue": ("core.movies.revenue_usd",),
    "profit": ("core.movies.revenue_usd", "core.movies.budget_usd"),
}
MEASURES = ("total", "mean", "median", "max")


def _year() -> sa.Column[object]:
    return column("year", Whole, "year of release", key=True, at_least=1, comes_from=_YEAR)


def _group(group: NestedList, *, key: bool = True) -> list[sa.Column[object]]:
    kind, catalogue = group.kind, f"core.{group.plural}"
    return [
        column(f"{kind}_id", Whole, f"TMDB's number of the {kind}", key=key, null=False,
               refers_to=f"{catalogue}.{kind}_id", comes_from=f"{_links(group)}.{kind}_id"),
        column(f"{kind}_name", Text, f"name of the {kind}", null=False, comes_from=f"{catalogue}.{kind}_name"),
    ]  # fmt: skip


def _links(group: NestedList) -> str:
    return f"core.movie_{group.plural}"


def _movies(group: NestedList) -> sa.Column[object]:
    return column("movies", Whole, "releases", null=False, at_least=1, comes_from=(f"{_links(group)}.movie_id", _YEAR))


def _money(group: NestedList, amount: str) -> sa.Table:
    floor = None if amount == "profit" else 0
    known, share = _AMOUNTS[amount], (*_AMOUNTS[amount], f"{_links(group)}.movie_id")
    meaning = "revenue minus budget, where both are known" if amount == "profit" else amount
    return sa.Table(
        f"{group.kind}_{amount}_by_year", METADATA,
        _year(),
        *_group(group),
        _movies(group),
        column(f"movies_with_{amount}", Whole, f"releases whose {amount} is known", null=False, at_least=0,
               comes_from=known),
        column(f"{amount}_usd", Real, f"US dollars, {meaning}; each movie in full; null when none is known",
               at_least=floor, comes_from=known),
        column(f"{amount}_share_usd", Real, f"US dollars, {meaning}; each movie split equally among its groups",
               at_least=floor, comes_from=share),
        schema="metrics",
        comment=f"Yearly {amount} of each {group.kind}.",
    )  # fmt: skip


def _score(measure: str, meaning: str) -> sa.Column[object]:
    return column(f"{measure}_popularity", Real, meaning, at_least=0, comes_from=_POPULARITY)


def _popularity(group: NestedList, *extra: sa.Column[object]) -> sa.Table:
    return sa.Table(
        f"{group.kind}_popularity_by_year", METADATA,
        _year(),
        *_group(group),
        _movies(group),
        *extra,
        _score("mean", "mean over the movies whose popularity is known"),
        _score("median", "median over the same"),
        _score("max", "maximum over the same"),
        schema="metrics",
        comment=f"Yearly popularity of each {group.kind}'s releases.",
    )  # fmt: skip


COMPANY_BUDGET_BY_YEAR = _money(COMPANIES, "budget")
COMPANY_REVENUE_BY_YEAR = _money(COMPANIES, "revenue")
COMPANY_PROFIT_BY_YEAR = _money(COMPANIES, "profit")
COMPANY_RELEASES_BY_GENRE_BY_YEAR = sa.Table(
    "company_releases_by_genre_by_year", METADATA,
    _year(),
    *_group(COMPANIES),
    *_group(GENRES),
    column("releases", Whole, "releases of the company in the genre", null=False, at_least=1,
           comes_from=(f"{_links(COMPANIES)}.movie_id", f"{_links(GENRES)}.movie_id", _YEAR)),
    schema="metrics",
    comment="Yearly releases of each company in each genre.",
)  # fmt: skip
COMPANY_POPULARITY_BY_YEAR = _popularity(COMPANIES)
GENRE_BUDGET_BY_YEAR = _money(GENRES, "budget")
GENRE_REVENUE_BY_YEAR = _money(GENRES, "revenue")
GENRE_PROFIT_BY_YEAR = _money(GENRES, "profit")
GENRE_POPULARITY_BY_YEAR = _popularity(GENRES, _score("total", "sum over the movies whose popularity is known"))
MOST_POPULAR_GENRE_BY_YEAR = sa.Table(
    "most_popular_genre_by_year", METADATA,
    _year(),
    column("measure", Text, "how popularity is compared", key=True, one_of=MEASURES),
    *_group(GENRES, key=False),
    column("popularity", Real, "the winner's popularity by that measure", null=False, at_least=0,
           comes_from=_POPULARITY),
    column("movies", Whole, "its releases whose popularity is known", null=False, at_least=1,
           comes_from=_POPULARITY),
    schema="metrics",
    comment="The most popular genre of each year, asked in four ways. Ties: more movies first, then the smaller "
    "genre_id.",
)  # fmt: skip
GENRE_POPULARITY_BY_MONTH = sa.Table(
    "genre_popularity_by_month", METADATA,
    column("month", Day, "month of delivery, its first day", key=True,
           comes_from=("core.movie_history.valid_from", "core.movies.delivery_month")),
    *_group(GENRES),
    column("movies", Whole, "movies delivered by then that have the genre", null=False, at_least=1,
           comes_from=("core.movie_history.movie_id", f"{_links(GENRES)}.movie_id")),
    *(
        column(f"{measure}_popularity", Real, f"{measure} of their popularity as delivered by then", at_least=0,
               comes_from="core.movie_history.popularity")
        for measure in MEASURES
    ),
    schema="metrics",
    comment="How the popularity of each genre developed from delivery to delivery. For each month in which something "
    "changed: the movies that were delivered by then, of any release year, with the popularity they had by then and "
    "the genres they have now.",
)  # fmt: skip

_VOTES = ("core.movies.vote_count", "core.movies.vote_average")
_RATED = ("core.ratings.rating", "core.ratings.movie_id")
RATING_MEASURES = ("votes", "mean_vote", "weighted_rating", "ratings", "mean_rating")


def _rating_columns(*, is_sum: bool) -> list[sa.Column[object]]:
    """Votes at TMDB and ratings at MovieLens, of a movie or of all movies of a group."""
    return [
        column("votes", Whole, "votes at TMDB" + ("; 0 if none" if is_sum else "; null if none"), null=not is_sum,
               at_least=0 if is_sum else 1, comes_from=_VOTES),
        column("mean_vote", Real, "mean of those votes, 0 to 10; null if none", at_least=0, comes_from=_VOTES),
        column("weighted_rating", Real, "IMDb's weighted rating, 0 to 10: mean votes of few are drawn to that of all"
               + ("; mean over the movies voted on" if is_sum else "") + "; null if none", at_least=0,
               comes_from=_VOTES),
        column("ratings", Whole, "ratings at MovieLens; 0 if none", null=False, at_least=0, comes_from=_RATED),
        column("mean_rating", Real, "mean of those ratings, up to 5; null if none", at_least=0, comes_from=_RATED),
    ]  # fmt: skip


def _ratings(group: NestedList) -> sa.Table:
    return sa.Table(
        f"{group.kind}_ratings_by_year", METADATA,
        _year(),
        *_group(group),
        _movies(group),
        *_rating_columns(is_sum=True),
        schema="metrics",
        comment=f"Yearly votes and ratings of each {group.kind}'s releases.",
    )  # fmt: skip


MOVIE_RATINGS = sa.Table(
    "movie_ratings", METADATA,
    movie_id(key=True, refers_to="core.movies.movie_id", comes_from="core.movies.movie_id"),
    *_rating_columns(is_sum=False),
    schema="metrics",
    comment="What people think of each movie that somebody voted on or rated.",
)  # fmt: skip
GENRE_RATINGS_BY_YEAR = _ratings(GENRES)
COMPANY_RATINGS_BY_YEAR = _ratings(COMPANIES)
BEST_RATED_GENRE_BY_YEAR = sa.Table(
    "best_rated_genre_by_year", METADATA,
    _year(),
    column("measure", Text, "how genres are compared", key=True, one_of=RATING_MEASURES),
    *_group(GENRES, key=False),
    column("value", Real, "the winner's value of that measure", null=False, at_least=0, comes_from=(*_VOTES, *_RATED)),
    column("movies", Whole, "its releases", null=False, at_least=1, comes_from=_YEAR),
    schema="metrics",
    comment="The best rated genre of each year, asked in five ways, each where some genre has a value above 0. Ties: "
    "more movies first, then the smaller genre_id.",
)  # fmt: skip
