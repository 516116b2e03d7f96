"""Yearly budget, revenue and profit of genres and companies.

A movie counts in full for each of its groups (`budget_usd`) and, split equally, once over all of them
(`budget_share_usd`). A sum over no known value is unknown, not 0.
"""

import pandas as pd

from movies_platform.contracts import metrics as contracts
from movies_platform.metrics.asset import metric
from movies_platform.metrics.releases import named, releases

BUDGET = ["movie_id", "release_year", "budget_usd"]
REVENUE = ["movie_id", "release_year", "revenue_usd"]
PROFIT = ["movie_id", "release_year", "budget_usd", "revenue_usd"]


def yearly_money(movies: pd.DataFrame, links: pd.DataFrame, group: str, amount: str) -> pd.DataFrame:
    """Sum an amount (US dollars) of each group's releases, year by year.

    `amount` is `budget`, `revenue` or `profit`, its column in `movies` `budget_usd` and so on. Columns: year,
    group, movies, movies_with_`amount`, `amount`_usd, `amount`_share_usd.
    """
    usd = f"{amount}_usd"
    groups_of_movie = links.groupby("movie_id")[group].size()
    made = releases(movies, links)
    made["share"] = made[usd] / made["movie_id"].map(groups_of_movie)
    grouped = made.groupby(["year", group], sort=False)
    sums = grouped[[usd, "share"]].sum(min_count=1)
    return sums.assign(movies=grouped.size(), known=grouped[usd].count()).reset_index().rename(
        columns={"known": f"movies_with_{amount}", "share": f"{amount}_share_usd"}
    )  # fmt: skip


def with_profit(movies: pd.DataFrame) -> pd.DataFrame:
    """`movies` with `profit_usd`: revenue minus budget, unknown unless both are known."""
    return movies.assign(profit_usd=movies["revenue_usd"] - movies["budget_usd"])


@metric(contracts.GENRE_BUDGET_BY_YEAR, movies=BUDGET)
def genre_budget_by_year(movies: pd.DataFrame, movie_genres: pd.DataFrame, genres: pd.DataFrame) -> pd.DataFrame:
    """What was spent on each genre."""
    return named(yearly_money(movies, movie_genres, "genre_id", "budget"), genres)


@metric(contracts.GENRE_REVENUE_BY_YEAR, movies=REVENUE)
def genre_revenue_by_year(movies: pd.DataFrame, movie_genres: pd.DataFrame, genres: pd.DataFrame) -> pd.DataFrame:
    """What each genre earned."""
    return named(yearly_money(movies, movie_genres, "genre_id", "revenue"), genres)


@metric(contracts.GENRE_PROFIT_BY_YEAR, movies=PROFIT)
def genre_profit_by_year(movies: pd.DataFrame, movie_genres: pd.DataFrame, genres: pd.DataFrame) -> pd.DataFrame:
    """What each genre earned beyond what it cost."""
    return named(yearly_money(with_profit(movies), movie_genres, "genre_id", "profit"), genres)


@metric(contracts.COMPANY_BUDGET_BY_YEAR, movies=BUDGET)
def company_budget_by_year(
    movies: pd.DataFrame, movie_companies: pd.DataFrame, companies: pd.DataFrame
) -> pd.DataFrame:
    """What each company's movies cost."""
    return named(yearly_money(movies, movie_companies, "company_id", "budget"), companies)


@metric(contracts.COMPANY_REVENUE_BY_YEAR, movies=REVENUE)
def company_revenue_by_year(
    movies: pd.DataFrame, movie_companies: pd.DataFrame, companies: pd.DataFrame
) -> pd.DataFrame:
    """What each company's movies earned."""
    return named(yearly_money(movies, movie_companies, "company_id", "revenue"), companies)


@metric(contracts.COMPANY_PROFIT_BY_YEAR, movies=PROFIT)
def company_profit_by_year(
    movies: pd.DataFrame, movie_companies: pd.DataFrame, companies: pd.DataFrame
) -> pd.DataFrame:
    """What each company's movies earned beyond what they cost."""
    return named(yearly_money(with_profit(movies), movie_companies, "company_id", "profit"), companies)
