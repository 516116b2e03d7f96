"""Yearly budget, revenue and profit of genres and companies.

A movie counts in full for each of its groups (`budget_usd`) and, split equally, once over all of them
(`budget_share_usd`). A sum over no known value is unknown, not 0.
"""

import narwhals as nw

from movies_platform.contracts import metrics as contracts
from movies_platform.contracts.catalogue import table_asset
from movies_platform.metrics.releases import releases, total, with_names

_UNITS = 1e9  # of a dollar: what is beyond whole ones is added up in billionths


def yearly_money(movies: nw.LazyFrame, links: nw.LazyFrame, group: str, amount: str) -> nw.LazyFrame:
    """Sum an amount (US dollars) of each group's releases, year by year.

    Whole dollars and billionths of dollars are added up apart, both exact below 2**53, so that the order of adding
    decides nothing: the last of the six decimals of a share of a billion is beyond what a float can tell.

    `amount` is `budget`, `revenue` or `profit`, its column in `movies` `budget_usd` and so on. Columns: year,
    group, movies, movies_with_`amount`, `amount`_usd, `amount`_share_usd.
    """
    usd, share, known = f"{amount}_usd", f"{amount}_share_usd", f"movies_with_{amount}"
    dollars, rest = ({name: f"{name}_{part}" for name in (usd, share)} for part in ("dollars", "rest"))
    groups_of_movie = links.group_by("movie_id").agg(nw.len().alias("groups"))
    credited = (
        releases(movies.select("movie_id", "release_year", usd), links)
        .join(groups_of_movie, on="movie_id")
        .with_columns((nw.col(usd) / nw.col("groups")).alias(share))
        .with_columns(nw.col(name).floor().alias(dollars[name]) for name in (usd, share))
        .with_columns(((nw.col(name) - nw.col(dollars[name])) * _UNITS).round().alias(rest[name]) for name in rest)
    )
    return (
        credited.group_by("year", group)
        .agg(
            nw.len().alias("movies"),
            nw.col(usd).count().alias(known),
            *(nw.col(name).sum() for name in (*dollars.values(), *rest.values())),
        )
        .with_columns((nw.col(dollars[name]) + nw.col(rest[name]) / _UNITS).alias(name) for name in (usd, share))
        .with_columns(total(usd, known).alias(usd), total(share, known).alias(share))
        .drop(*dollars.values(), *rest.values())
    )


def with_profit(movies: nw.LazyFrame) -> nw.LazyFrame:
    """`movies` with `profit_usd`: revenue minus budget, unknown unless both are known."""
    return movies.with_columns((nw.col("revenue_usd") - nw.col("budget_usd")).alias("profit_usd"))


@table_asset(contracts.GENRE_BUDGET_BY_YEAR)
def genre_budget_by_year(movies: nw.LazyFrame, movie_genres: nw.LazyFrame, genres: nw.LazyFrame) -> nw.LazyFrame:
    """What was spent on each genre."""
    return with_names(yearly_money(movies, movie_genres, "genre_id", "budget"), genres)


@table_asset(contracts.GENRE_REVENUE_BY_YEAR)
def genre_revenue_by_year(movies: nw.LazyFrame, movie_genres: nw.LazyFrame, genres: nw.LazyFrame) -> nw.LazyFrame:
    """What each genre earned."""
    return with_names(yearly_money(movies, movie_genres, "genre_id", "revenue"), genres)


@table_asset(contracts.GENRE_PROFIT_BY_YEAR)
def genre_profit_by_year(movies: nw.LazyFrame, movie_genres: nw.LazyFrame, genres: nw.LazyFrame) -> nw.LazyFrame:
    """What each genre earned beyond what it cost."""
    return with_names(yearly_money(with_profit(movies), movie_genres, "genre_id", "profit"), genres)


@table_asset(contracts.COMPANY_BUDGET_BY_YEAR)
def company_budget_by_year(
    movies: nw.LazyFrame, movie_companies: nw.LazyFrame, companies: nw.LazyFrame
) -> nw.LazyFrame:
    """What each company's movies cost."""
    return with_names(yearly_money(movies, movie_companies, "company_id", "budget"), companies)


@table_asset(contracts.COMPANY_REVENUE_BY_YEAR)
def company_revenue_by_year(
    movies: nw.LazyFrame, movie_companies: nw.LazyFrame, companies: nw.LazyFrame
) -> nw.LazyFrame:
    """What each company's movies earned."""
    return with_names(yearly_money(movies, movie_companies, "company_id", "revenue"), companies)


@table_asset(contracts.COMPANY_PROFIT_BY_YEAR)
def company_profit_by_year(
    movies: nw.LazyFrame, movie_companies: nw.LazyFrame, companies: nw.LazyFrame
) -> nw.LazyFrame:
    """What each company's movies earned beyond what they cost."""
    return with_names(yearly_money(with_profit(movies), movie_companies, "company_id", "profit"), companies)
