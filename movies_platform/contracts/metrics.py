"""Contracts of the nine answers (ten tables), over movies with a release year.

Money comes twice: `x_usd` credits a movie in full to each of its groups, `x_share_usd` splits it
equally among them, so that shares add up.
"""

import sqlalchemy as sa

from movies_platform.contracts.columns import Real, Text, Whole, column
from movies_platform.contracts.tables import METADATA

TARGETS = {"genre": "core.genres.genre_id", "company": "core.companies.company_id"}
MEASURES = ("total", "mean", "median", "max")


def _year() -> sa.Column[object]:
    return column("year", Whole, "year of release", key=True, at_least=1)


def _group(kind: str, *, key: bool = True) -> list[sa.Column[object]]:
    return [
        column(f"{kind}_id", Whole, f"TMDB's number of the {kind}", key=key, null=False, refers_to=TARGETS[kind]),
        column(f"{kind}_name", Text, f"name of the {kind}", null=False),
    ]  # fmt: skip


def _movies() -> sa.Column[object]:
    return column("movies", Whole, "releases", null=False, at_least=1)


def _money(kind: str, amount: str) -> sa.Table:
    floor = None if amount == "profit" else 0
    meaning = "revenue minus budget, where both are known" if amount == "profit" else amount
    return sa.Table(
        f"{kind}_{amount}_by_year", METADATA,
        _year(),
        *_group(kind),
        _movies(),
        column(f"movies_with_{amount}", Whole, f"releases whose {amount} is known", null=False, at_least=0),
        column(f"{amount}_usd", Real, f"US dollars, {meaning}; each movie in full; null when none is known",
               at_least=floor),
        column(f"{amount}_share_usd", Real, f"US dollars, {meaning}; each movie split equally among its groups",
               at_least=floor),
        schema="metrics",
        comment=f"Yearly {amount} of each {kind}.",
    )  # fmt: skip


def _popularity(kind: str, *extra: sa.Column[object]) -> sa.Table:
    return sa.Table(
        f"{kind}_popularity_by_year", METADATA,
        _year(),
        *_group(kind),
        _movies(),
        *extra,
        column("mean_popularity", Real, "mean over the movies whose popularity is known", at_least=0),
        column("median_popularity", Real, "median over the same", at_least=0),
        column("max_popularity", Real, "maximum over the same", at_least=0),
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
    column("releases", Whole, "releases of the company in the genre", null=False, at_least=1),
    schema="metrics",
    comment="Yearly releases of each company in each genre.",
)  # fmt: skip
COMPANY_POPULARITY_BY_YEAR = _popularity("company")
GENRE_BUDGET_BY_YEAR = _money("genre", "budget")
GENRE_REVENUE_BY_YEAR = _money("genre", "revenue")
GENRE_PROFIT_BY_YEAR = _money("genre", "profit")
GENRE_POPULARITY_BY_YEAR = _popularity(
    "genre", column("total_popularity", Real, "sum over the movies whose popularity is known", at_least=0)
)
MOST_POPULAR_GENRE_BY_YEAR = sa.Table(
    "most_popular_genre_by_year", METADATA,
    _year(),
    column("measure", Text, "how popularity is compared", key=True, one_of=MEASURES),
    *_group("genre", key=False),
    column("popularity", Real, "the winner's popularity by that measure", null=False, at_least=0),
    column("movies", Whole, "its releases whose popularity is known", null=False, at_least=1),
    schema="metrics",
    comment="The most popular genre of each year, asked in four ways. Ties: more movies first, then the smaller "
    "genre_id.",
)  # fmt: skip
