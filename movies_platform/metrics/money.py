"""Yearly budget, revenue and profit of genres and companies.

A movie counts in full for each of its groups (`budget_usd`) and, split equally, once over all of them
(`budget_share_usd`). A sum over no known value is unknown, not 0.
"""

from movies_platform.contracts import metrics as contracts
from movies_platform.contracts.relations import Relation
from movies_platform.metrics.metric import metric
from movies_platform.metrics.releases import named, releases, total


def yearly_money(movies: Relation, links: Relation, group: str, amount: str) -> Relation:
    """Sum an amount (US dollars) of each group's releases, year by year.

    `amount` is `budget`, `revenue` or `profit`, its column in `movies` `budget_usd` and so on. Columns: year,
    group, movies, movies_with_`amount`, `amount`_usd, `amount`_share_usd.
    """
    usd = f"{amount}_usd"
    groups_of_movie = links.aggregate("movie_id, count(*) AS groups", "movie_id").set_alias("groups_of_movie")
    return releases(movies, links).join(groups_of_movie, "movie_id").aggregate(
        f"year, {group}, count(*) AS movies, count({usd}) AS movies_with_{amount}, "
        f"{total(usd)} AS {usd}, {total(f'{usd} / groups')} AS {amount}_share_usd",
        f"year, {group}",
    )  # fmt: skip


def with_profit(movies: Relation) -> Relation:
    """`movies` with `profit_usd`: revenue minus budget, unknown unless both are known."""
    return movies.project("*, revenue_usd - budget_usd AS profit_usd")


@metric(contracts.GENRE_BUDGET_BY_YEAR)
def genre_budget_by_year(movies: Relation, movie_genres: Relation, genres: Relation) -> Relation:
    """What was spent on each genre."""
    return named(yearly_money(movies, movie_genres, "genre_id", "budget"), genres)


@metric(contracts.GENRE_REVENUE_BY_YEAR)
def genre_revenue_by_year(movies: Relation, movie_genres: Relation, genres: Relation) -> Relation:
    """What each genre earned."""
    return named(yearly_money(movies, movie_genres, "genre_id", "revenue"), genres)


@metric(contracts.GENRE_PROFIT_BY_YEAR)
def genre_profit_by_year(movies: Relation, movie_genres: Relation, genres: Relation) -> Relation:
    """What each genre earned beyond what it cost."""
    return named(yearly_money(with_profit(movies), movie_genres, "genre_id", "profit"), genres)


@metric(contracts.COMPANY_BUDGET_BY_YEAR)
def company_budget_by_year(movies: Relation, movie_companies: Relation, companies: Relation) -> Relation:
    """What each company's movies cost."""
    return named(yearly_money(movies, movie_companies, "company_id", "budget"), companies)


@metric(contracts.COMPANY_REVENUE_BY_YEAR)
def company_revenue_by_year(movies: Relation, movie_companies: Relation, companies: Relation) -> Relation:
    """What each company's movies earned."""
    return named(yearly_money(movies, movie_companies, "company_id", "revenue"), companies)


@metric(contracts.COMPANY_PROFIT_BY_YEAR)
def company_profit_by_year(movies: Relation, movie_companies: Relation, companies: Relation) -> Relation:
    """What each company's movies earned beyond what they cost."""
    return named(yearly_money(with_profit(movies), movie_companies, "company_id", "profit"), companies)
