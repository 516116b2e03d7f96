"""The project that a Dagster user writes from the docs for the same job, in one file.

Usage: python dagster_project.py CSV HOME [--month 2017-11]

One asset for each table, pandas frames, the stock `DuckDBPandasIOManager`, monthly partitions for raw and parsed, a
handful of checks, a stock instance with Dagster's default SQLite storages in HOME/dagster. Written as Dagster's
example projects are: nothing is slowed down, nothing is tuned. The computations are the analyst's own functions
(`pandas_script.py`). Runs in this process, which is the fastest that Dagster offers. What it does not have: repaired
records, an account of what was dropped, transactions, contracts, other formats of a delivery.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
from dagster_duckdb_pandas import DuckDBPandasIOManager
from pandas_script import (
    company_releases_by_genre,
    money_by_year,
    most_frequent_names,
    most_popular_genre,
    parse_list,
    popularity_by_year,
)

MONTHLY = dg.MonthlyPartitionsDefinition(start_date="2015-01", end_offset=1, fmt="%Y-%m")


def in_schema(schema: str, **metadata: str) -> dict[str, Any]:
    """Arguments of an asset that is a table of the schema."""
    months = {"partitions_def": MONTHLY} if metadata else {}
    return {"group_name": schema, "metadata": {"schema": schema, **metadata}, **months}


RAW, PARSED = (in_schema(schema, partition_expr="delivery_month") for schema in ("raw", "parsed"))
CORE, METRICS = in_schema("core"), in_schema("metrics")


class MoviesCsv(dg.ConfigurableResource):
    """The delivered movies_metadata.csv."""

    path: str

    def read(self) -> pd.DataFrame:
        """Return every record as text."""
        # three overviews hold a bare CR, on which the parser stops with "Buffer overflow caught"
        return pd.read_csv(self.path, dtype="str", on_bad_lines="skip", lineterminator="\n")


# raw and parsed: a partition for each month of delivery


@dg.asset(**RAW)
def raw_movies(context: dg.AssetExecutionContext, movies_csv: MoviesCsv) -> pd.DataFrame:
    """Every record as delivered, as text."""
    return movies_csv.read().assign(delivery_month=pd.Timestamp(context.partition_key))


def accepted(raw_movies: pd.DataFrame) -> pd.DataFrame:
    """Return the last record of each movie with an id."""
    movies = raw_movies.assign(movie_id=pd.to_numeric(raw_movies["id"], errors="coerce"))
    movies = movies.dropna(subset=["movie_id"]).drop_duplicates(subset="movie_id", keep="last")
    return movies.astype({"movie_id": "int64"})


@dg.asset(**PARSED)
def parsed_movies(raw_movies: pd.DataFrame) -> pd.DataFrame:
    """The movies of the month, typed."""
    movies = accepted(raw_movies)
    numbers = movies[["budget", "revenue", "popularity", "vote_average", "vote_count", "runtime"]]
    numbers = numbers.apply(pd.to_numeric, errors="coerce").rename(columns={"runtime": "runtime_minutes"})
    typed = movies[["movie_id", "imdb_id", "title", "original_title", "original_language", "status", "delivery_month"]]
    return typed.assign(
        release_date=pd.to_datetime(movies["release_date"], errors="coerce"),
        # 0 means unknown in this data set
        budget_usd=numbers["budget"].where(numbers["budget"] > 0),
        revenue_usd=numbers["revenue"].where(numbers["revenue"] > 0),
        vote_count=numbers["vote_count"].astype("Int64"),
        **numbers[["popularity", "vote_average", "runtime_minutes"]],
    )


def parsed_items(raw_movies: pd.DataFrame, column: str, kind: str) -> pd.DataFrame:
    """Return one row for each item of a nested column."""
    movies = accepted(raw_movies)[["movie_id", column, "delivery_month"]]
    movies[column] = movies[column].apply(parse_list)
    items = movies.explode(column).dropna(subset=[column])
    items[f"{kind}_id"] = items[column].apply(lambda item: int(item["id"]))
    items[f"{kind}_name"] = items[column].apply(lambda item: item["name"].strip())
    return items.drop(columns=column).drop_duplicates(subset=["movie_id", f"{kind}_id"])


@dg.asset(**PARSED)
def parsed_genres(raw_movies: pd.DataFrame) -> pd.DataFrame:
    """The genres of the month's movies."""
    return parsed_items(raw_movies, "genres", "genre")


@dg.asset(**PARSED)
def parsed_companies(raw_movies: pd.DataFrame) -> pd.DataFrame:
    """The production companies of the month's movies."""
    return parsed_items(raw_movies, "production_companies", "company")


# core: the newest version of each movie


@dg.asset(**CORE)
def movies(parsed_movies: pd.DataFrame) -> pd.DataFrame:
    """Each movie as the newest month has it."""
    newest = parsed_movies.sort_values("delivery_month").drop_duplicates(subset="movie_id", keep="last")
    released = newest["release_date"].dt
    return newest.assign(release_year=released.year.astype("Int64"), release_month=released.month.astype("Int64"))


def present(items: pd.DataFrame, movies: pd.DataFrame) -> pd.DataFrame:
    """Return the items of the movies' newest versions."""
    return items.merge(movies[["movie_id", "delivery_month"]], on=["movie_id", "delivery_month"])


def catalogue(items: pd.DataFrame, movies: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return the ids that present movies have, with the name most frequent in the newest month that has the id."""
    newest = items.groupby(f"{kind}_id")["delivery_month"].transform("max")
    names = most_frequent_names(items[items["delivery_month"] == newest], kind)
    return names[names[f"{kind}_id"].isin(present(items, movies)[f"{kind}_id"])]


@dg.asset(**CORE)
def genres(parsed_genres: pd.DataFrame, movies: pd.DataFrame) -> pd.DataFrame:
    """The genres of the present movies."""
    return catalogue(parsed_genres, movies, "genre")


@dg.asset(**CORE)
def companies(parsed_companies: pd.DataFrame, movies: pd.DataFrame) -> pd.DataFrame:
    """The companies of the present movies."""
    return catalogue(parsed_companies, movies, "company")


@dg.asset(**CORE)
def movie_genres(parsed_genres: pd.DataFrame, movies: pd.DataFrame) -> pd.DataFrame:
    """Which genres each present movie has."""
    return present(parsed_genres, movies)[["movie_id", "genre_id"]]


@dg.asset(**CORE)
def movie_companies(parsed_companies: pd.DataFrame, movies: pd.DataFrame) -> pd.DataFrame:
    """Which companies each present movie has."""
    return present(parsed_companies, movies)[["movie_id", "company_id"]]


# metrics: one table for each question


def releases(movies: pd.DataFrame, links: pd.DataFrame, names: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each genre (company) of each movie with a release year, with its amounts and their shares."""
    rows = links.merge(movies, on="movie_id").merge(names, on=names.columns[0])
    rows["profit_usd"] = rows["revenue_usd"] - rows["budget_usd"]
    groups = rows.groupby("movie_id")["movie_id"].transform("size")
    for amount in ["budget", "revenue", "profit"]:
        rows[f"{amount}_share_usd"] = rows[f"{amount}_usd"] / groups
    rows = rows.rename(columns={"release_year": "year", "movie_id": "id"}).dropna(subset=["year"])
    return rows.astype({"year": "int64"})


@dg.asset(**METRICS)
def genre_budget_by_year(movies: pd.DataFrame, movie_genres: pd.DataFrame, genres: pd.DataFrame) -> pd.DataFrame:
    """What was spent on each genre."""
    return money_by_year(releases(movies, movie_genres, genres), "genre", "budget")


@dg.asset(**METRICS)
def genre_revenue_by_year(movies: pd.DataFrame, movie_genres: pd.DataFrame, genres: pd.DataFrame) -> pd.DataFrame:
    """What each genre earned."""
    return money_by_year(releases(movies, movie_genres, genres), "genre", "revenue")


@dg.asset(**METRICS)
def genre_profit_by_year(movies: pd.DataFrame, movie_genres: pd.DataFrame, genres: pd.DataFrame) -> pd.DataFrame:
    """What each genre earned beyond its cost."""
    return money_by_year(releases(movies, movie_genres, genres), "genre", "profit")


@dg.asset(**METRICS)
def genre_popularity_by_year(movies: pd.DataFrame, movie_genres: pd.DataFrame, genres: pd.DataFrame) -> pd.DataFrame:
    """How popular each genre's releases are."""
    return popularity_by_year(releases(movies, movie_genres, genres), "genre")


@dg.asset(**METRICS)
def company_budget_by_year(
    movies: pd.DataFrame, movie_companies: pd.DataFrame, companies: pd.DataFrame
) -> pd.DataFrame:
    """What was spent on each company."""
    return money_by_year(releases(movies, movie_companies, companies), "company", "budget")


@dg.asset(**METRICS)
def company_revenue_by_year(
    movies: pd.DataFrame, movie_companies: pd.DataFrame, companies: pd.DataFrame
) -> pd.DataFrame:
    """What each company earned."""
    return money_by_year(releases(movies, movie_companies, companies), "company", "revenue")


@dg.asset(**METRICS)
def company_profit_by_year(
    movies: pd.DataFrame, movie_companies: pd.DataFrame, companies: pd.DataFrame
) -> pd.DataFrame:
    """What each company earned beyond its cost."""
    return money_by_year(releases(movies, movie_companies, companies), "company", "profit")


@dg.asset(**METRICS)
def company_popularity_by_year(
    movies: pd.DataFrame, movie_companies: pd.DataFrame, companies: pd.DataFrame
) -> pd.DataFrame:
    """How popular each company's releases are."""
    return popularity_by_year(releases(movies, movie_companies, companies), "company").drop(columns="total_popularity")


@dg.asset(**METRICS)
def company_releases_by_genre_by_year(
    movies: pd.DataFrame,
    movie_companies: pd.DataFrame,
    companies: pd.DataFrame,
    movie_genres: pd.DataFrame,
    genres: pd.DataFrame,
) -> pd.DataFrame:
    """Each company's releases in each genre."""
    by_company = releases(movies, movie_companies, companies)
    return company_releases_by_genre(by_company, releases(movies, movie_genres, genres))


@dg.asset(**METRICS)
def most_popular_genre_by_year(movies: pd.DataFrame, movie_genres: pd.DataFrame, genres: pd.DataFrame) -> pd.DataFrame:
    """The genre that wins the year, asked in four ways."""
    return most_popular_genre(releases(movies, movie_genres, genres))


# checks


@dg.asset_check(asset=movies, blocking=True)
def movie_id_is_unique(movies: pd.DataFrame) -> dg.AssetCheckResult:
    """Each movie has one row."""
    repeated = int(movies["movie_id"].duplicated().sum())
    return dg.AssetCheckResult(passed=repeated == 0, metadata={"repeated": repeated})


@dg.asset_check(asset=movies)
def most_movies_have_a_release_year(movies: pd.DataFrame) -> dg.AssetCheckResult:
    """Movies without a year are in no metric."""
    unknown = float(movies["release_year"].isna().mean())
    return dg.AssetCheckResult(passed=unknown < 0.05, metadata={"share_without_year": unknown})


@dg.asset_check(asset=movie_genres, additional_ins={"movies": dg.AssetIn("movies")})
def genre_links_lead_to_movies(movie_genres: pd.DataFrame, movies: pd.DataFrame) -> dg.AssetCheckResult:
    """Every link has its movie."""
    lost = int((~movie_genres["movie_id"].isin(movies["movie_id"])).sum())
    return dg.AssetCheckResult(passed=lost == 0, metadata={"lost": lost})


@dg.asset_check(asset=companies)
def company_names_are_not_null(companies: pd.DataFrame) -> dg.AssetCheckResult:
    """Every company has a name."""
    return dg.AssetCheckResult(passed=bool(companies["company_name"].notna().all()))


@dg.asset_check(
    asset=genre_budget_by_year,
    additional_ins={"movies": dg.AssetIn("movies"), "movie_genres": dg.AssetIn("movie_genres")},
)
def genre_budget_shares_add_up(
    genre_budget_by_year: pd.DataFrame, movies: pd.DataFrame, movie_genres: pd.DataFrame
) -> dg.AssetCheckResult:
    """Split among the genres, the budgets are those of the movies that have a genre."""
    counted = movies[movies["movie_id"].isin(movie_genres["movie_id"]) & movies["release_year"].notna()]
    total, shares = counted["budget_usd"].sum(), genre_budget_by_year["budget_share_usd"].sum()
    return dg.AssetCheckResult(
        passed=bool(abs(total - shares) < 1), metadata={"total": float(total), "shares": float(shares)}
    )


def project(csv: Path, home: Path) -> dg.Definitions:
    """Return the project's definitions."""
    module = sys.modules[__name__]
    assets = dg.load_assets_from_modules([module])
    monthly = dg.AssetSelection.groups("raw", "parsed")
    return dg.Definitions(
        assets=assets,
        asset_checks=dg.load_asset_checks_from_modules([module]),
        jobs=[
            dg.define_asset_job("months", selection=monthly),
            dg.define_asset_job("tables", selection=dg.AssetSelection.all() - monthly),
        ],
        resources={
            "io_manager": DuckDBPandasIOManager(database=str(home / "movies.duckdb")),
            "movies_csv": MoviesCsv(path=str(csv)),
        },
    )


def main() -> None:
    """Materialize the month, then the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("csv", type=Path, metavar="CSV")
    parser.add_argument("home", type=Path, metavar="HOME")
    parser.add_argument("--month", default="2017-11", metavar="YYYY-MM")
    arguments = parser.parse_args()
    dagster_home = arguments.home.resolve() / "dagster"
    dagster_home.mkdir(parents=True, exist_ok=True)
    (dagster_home / "dagster.yaml").touch()
    os.environ["DAGSTER_HOME"] = str(dagster_home)
    definitions = project(arguments.csv.resolve(), arguments.home.resolve())
    with dg.DagsterInstance.get() as instance:
        months = definitions.resolve_job_def("months")
        assert months.execute_in_process(instance=instance, partition_key=arguments.month).success
        assert definitions.resolve_job_def("tables").execute_in_process(instance=instance).success


if __name__ == "__main__":
    main()
