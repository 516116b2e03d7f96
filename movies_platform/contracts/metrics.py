"""Contracts of the nine answers (ten tables), over movies with a release year.

Money comes twice: `x_usd` credits a movie in full to each of its groups, `x_share_usd` splits it
equally among them, so that shares add up.
"""

import sqlalchemy as sa

from movies_platform.contracts.columns import Day, Real, Text, Whole, column
from movies_platform.contracts.tables import METADATA

# Where columns come from: a group's number from the links, its name from the catalogue, the rest from the movies.
LINKS = {"genre": "core.movie_genres", "company": "core.movie_companies"}
_YEAR, _POPULARITY = "core.movies.release_year", "core.movies.popularity"
_AMOUNTS = {
    "budget": ("core.movies.budget_usd",),
    "revenue": ("core.movies.revenue_usd",),
    "profit": ("core.movies.revenue_usd", "core.movies.budget_usd"),
}
TARGETS = {"genre": "core.genres.genre_id", "company": "core.companies.company_id"}
MEASURES = ("total", "mean", "median", "max")


def _year() -> sa.Column[object]:
    return column("year", Whole, "year of release", key=True, at_least=1, comes_from=_YEAR)


def _group(kind: str, *, key: bool = True) -> list[sa.Column[object]]:
    return [
        column(f"{kind}_id", Whole, f"TMDB's number of the {kind}", key=key, null=False, refers_to=TARGETS[kind],
               comes_from=f"{LINKS[kind]}.{kind}_id"),
        column(f"{kind}_name", Text, f"name of the {kind}", null=False,
               comes_from=TARGETS[kind].replace("_id", "_name")),
    ]  # fmt: skip


def _movies(kind: str) -> sa.Column[object]:
    return column("movies", Whole, "releases", null=False, at_least=1, comes_from=(f"{LINKS[kind]}.movie_id", _YEAR))


def _money(kind: str, amount: str) -> sa.Table:
    floor = None if amount == "profit" else 0
    known, share = _AMOUNTS[amount], (*_AMOUNTS[amount], f"{LINKS[kind]}.movie_id")
    meaning = "revenue minus budget, where both are known" if amount == "profit" else amount
    return sa.Table(
        f"{kind}_{amount}_by_year", METADATA,
        _year(),
        *_group(kind),
        _movies(kind),
        column(f"movies_with_{amount}", Whole, f"releases whose {amount} is known", null=False, at_least=0,
               comes_from=known),
        column(f"{amount}_usd", Real, f"US dollars, {meaning}; each movie in full; null when none is known",
               at_least=floor, comes_from=known),
        column(f"{amount}_share_usd", Real, f"US dollars, {meaning}; each movie split equally among its groups",
               at_least=floor, comes_from=share),
        schema="metrics",
        comment=f"Yearly {amount} of each {kind}.",
    )  # fmt: skip


def _score(measure: str, meaning: str) -> sa.Column[object]:
    return column(f"{measure}_popularity", Real, meaning, at_least=0, comes_from=_POPULARITY)


def _popularity(kind: str, *extra: sa.Column[object]) -> sa.Table:
    return sa.Table(
        f"{kind}_popularity_by_year", METADATA,
        _year(),
        *_group(kind),
        _movies(kind),
        *extra,
        _score("mean", "mean over the movies whose popularity is known"),
        _score("median", "median over the same"),
        _score("max", "maximum over the same"),
        schema="metrics",
        comment=f"Yearly popularity of each {kind}'s releases.",
    )  # fmt: skip


COMPANY_BUDGET_BY_YEAR = _money("company", "budget")
COMPANY_REVENUE_BY_YEAR = _money("company", "revenue")
COMPANY_PROFIT_BY_YEAR = _money("company", "profit")
COMPANY_RELEASES_BY_GENRE_BY_YEAR = sa.Table(
    "company_releases_by_genre_by_year", METADATA,
    _year(),
    *_group("company"),
    *_group("genre"),
    column("releases", Whole, "releases of the company in the genre", null=False, at_least=1,
           comes_from=(f"{LINKS['company']}.movie_id", f"{LINKS['genre']}.movie_id", _YEAR)),
    schema="metrics",
    comment="Yearly releases of each company in each genre.",
)  # fmt: skip
COMPANY_POPULARITY_BY_YEAR = _popularity("company")
GENRE_BUDGET_BY_YEAR = _money("genre", "budget")
GENRE_REVENUE_BY_YEAR = _money("genre", "revenue")
GENRE_PROFIT_BY_YEAR = _money("genre", "profit")
GENRE_POPULARITY_BY_YEAR = _popularity("genre", _score("total", "sum over the movies whose popularity is known"))
MOST_POPULAR_GENRE_BY_YEAR = sa.Table(
    "most_popular_genre_by_year", METADATA,
    _year(),
    column("measure", Text, "how popularity is compared", key=True, one_of=MEASURES),
    *_group("genre", key=False),
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
    column("month", Day, "calendar month, its first day, from the first delivery to the newest", key=True,
           comes_from=("core.movie_history.valid_from", "core.movie_history.valid_to", "core.movies.delivery_month")),
    *_group("genre"),
    column("movies", Whole, "movies delivered by then that have the genre", null=False, at_least=1,
           comes_from=("core.movie_history.movie_id", f"{LINKS['genre']}.movie_id")),
    *(
        column(f"{measure}_popularity", Real, f"{measure} of their popularity as delivered by then", at_least=0,
               comes_from="core.movie_history.popularity")
        for measure in MEASURES
    ),
    schema="metrics",
    comment="How the popularity of each genre developed from delivery to delivery. For each calendar month from the "
    "first delivery to the newest: the movies that were delivered by then, of any release year, with the popularity "
    "they had by then and the genres they have now. A month without a delivery shows what the one before it left.",
)  # fmt: skip
