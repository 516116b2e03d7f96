"""The report as assets: a chart each, from frames of the tables, and the page with all of them.

They are computed in a run of their own, so that no refresh waits for them.
"""

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg
import pandas as pd

from movies_platform.contracts.catalogue import OWNER, asset_key
from movies_platform.contracts.published import present_tables
from movies_platform.contracts.raw import ACTIONS, DATA_ISSUES, DELIVERIES
from movies_platform.contracts.tables import table_named
from movies_platform.report import charts, page
from movies_platform.resources import warehouse

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GROUP = "report"
_COLUMNS = {
    "movies": ["movie_id", "title", "release_date", "release_year", "delivery_month", "budget_usd", "revenue_usd"]
}
Result = dg.MaterializeResult[None]
CHART = {"pandas", "matplotlib"}


def report_asset(kinds: set[str], deps: Sequence[Any] = ()) -> Callable[[Callable[..., Result]], dg.AssetsDefinition]:
    """`dg.asset` with what the report's have in common; parameters that are annotated as frames name their tables."""

    def decorate(function: Callable[..., Result]) -> dg.AssetsDefinition:
        frames = [name for name, kind in function.__annotations__.items() if kind is pd.DataFrame]
        ins = {n: dg.AssetIn(asset_key(table_named(n)), metadata={"columns": _COLUMNS.get(n)}) for n in frames}
        make: Callable[..., dg.AssetsDefinition] = dg.asset(
            key_prefix=GROUP, group_name=GROUP, owners=[OWNER], tags={"stage": GROUP}, pool="duckdb", kinds=kinds,
            ins=ins, deps=deps,
        )  # fmt: skip
        return make(function)

    return decorate


def keep(name: str, figure: "Figure") -> Result:
    """Write the chart as PNG and SVG files, and show it in the UI as markdown that needs no file."""
    png = charts.as_png(figure)
    page.write(f"{name}.svg", charts.as_svg(figure).encode())
    picture = f"![{name}](data:image/png;base64,{base64.b64encode(png).decode()})"
    file = page.write(f"{name}.png", png)
    return dg.MaterializeResult(metadata={"picture": dg.MetadataValue.md(picture), "file": dg.MetadataValue.path(file)})


@report_asset(CHART)
def money_of_top_genres(
    genre_budget_by_year: pd.DataFrame, genre_revenue_by_year: pd.DataFrame, genres: pd.DataFrame, movies: pd.DataFrame
) -> Result:
    """Yearly money of the top genres.

    What the movies of the six genres with the highest revenue cost and earned, each movie split equally among its
    genres. Sums of what is known: the chart of coverage shows how much that is.
    """
    figure = charts.money_of_top_genres(genre_budget_by_year, genre_revenue_by_year, genres, movies)
    return keep("money_of_top_genres", figure)


@report_asset(CHART)
def most_popular_genres(most_popular_genre_by_year: pd.DataFrame, genres: pd.DataFrame, movies: pd.DataFrame) -> Result:
    """The most popular genre through the years.

    The genre that wins each year, asked in four ways: the sum, the mean, the median and the maximum of the popularity
    of its movies.
    """
    return keep("most_popular_genres", charts.most_popular_genres(most_popular_genre_by_year, genres, movies))


@report_asset(CHART)
def best_rated_against_most_popular(
    most_popular_genre_by_year: pd.DataFrame, best_rated_genre_by_year: pd.DataFrame, genres: pd.DataFrame,
    movies: pd.DataFrame,
) -> Result:  # fmt: skip
    """The best rated genre against the most popular one.

    The genre that wins each year by the median of popularity, by the weighted rating of votes at TMDB, and by the mean
    of the ratings at MovieLens.
    """
    figure = charts.best_rated_against_most_popular(
        most_popular_genre_by_year, best_rated_genre_by_year, genres, movies
    )
    return keep("best_rated_against_most_popular", figure)


@report_asset(CHART)
def top_of_the_weighted_rating(movie_ratings: pd.DataFrame, movies: pd.DataFrame) -> Result:
    """Top of the weighted rating.

    The 15 movies with the highest weighted rating. It draws the mean of a movie's votes, from 0 to 10, to the mean of
    all movies, and the more so the fewer votes it has.
    """
    return keep("top_of_the_weighted_rating", charts.top_of_the_weighted_rating(movie_ratings, movies))


@report_asset(CHART)
def top_companies_of_the_decade(
    company_budget_by_year: pd.DataFrame, company_revenue_by_year: pd.DataFrame, movies: pd.DataFrame
) -> Result:
    """Top companies of the decade.

    The ten production companies whose movies earned most in the newest decade, with what these movies cost, where
    known. A movie counts in full for each of its companies.
    """
    figure = charts.top_companies_of_the_decade(company_budget_by_year, company_revenue_by_year, movies)
    return keep("top_companies_of_the_decade", figure)


@report_asset(CHART)
def coverage_of_money(movies: pd.DataFrame) -> Result:
    """How many budgets and revenues are known.

    Share of the movies of a year whose budget and revenue are known, and how many movies there are. Sums of money are
    sums over the known part only.
    """
    return keep("coverage_of_money", charts.coverage_of_money(movies))


@report_asset(CHART, [asset_key(DELIVERIES), asset_key(DATA_ISSUES)])
def records_and_issues() -> Result:
    """Records and issues by month of delivery.

    Records of each delivery (hollow where it brought only the changes of a month), and what was rejected, repaired,
    nulled or dropped in it, per 1,000 records.
    """
    # Counted in the database: as frames, all partitions of two raw tables would be read for 36 bars.
    counts = ", ".join(f"coalesce({action}, 0) AS {action}" for action in ACTIONS)
    counted = ", ".join(f"count(*) FILTER (action = '{action}') AS {action}" for action in ACTIONS)
    with warehouse.reading() as connection:
        deliveries = connection.execute(
            f"SELECT delivery_month AS month, records, {counts} FROM (SELECT delivery_month, sum(records)::BIGINT AS "
            "records FROM raw.deliveries GROUP BY 1) LEFT JOIN (SELECT delivery_month, "
            f"{counted} FROM raw.data_issues GROUP BY 1) USING (delivery_month) WHERE records > 0"
        ).df()
    return keep("records_and_issues", charts.records_and_issues(deliveries))


@report_asset(CHART)
def popularity_by_month(genre_popularity_by_month: pd.DataFrame, genres: pd.DataFrame) -> Result:
    """Popularity of the top genres from delivery to delivery.

    Mean popularity of the movies of the eight largest genres, as it was known in each month. Months by which less than
    half of today's movies had been delivered are left out.
    """
    return keep("popularity_by_month", charts.popularity_by_month(genre_popularity_by_month, genres))


CHARTS = [
    money_of_top_genres, most_popular_genres, best_rated_against_most_popular, top_of_the_weighted_rating,
    top_companies_of_the_decade, coverage_of_money, records_and_issues, popularity_by_month,
]  # fmt: skip


@report_asset({"html"}, [*CHARTS, *map(asset_key, present_tables())])
def report_page(context: dg.AssetExecutionContext) -> Result:
    """One page that needs no other file: the answers year by year, the charts, the state of the checks.

    `movies-platform report` writes it, too.
    """
    file = page.write_page([_on_page(chart) for chart in CHARTS], page.check_states(context.instance))
    return dg.MaterializeResult(metadata={"file": dg.MetadataValue.path(file)})


@dg.asset_check(
    asset=report_page,
    description="The page exists and shows the tables as they are now. If not, materialize the report again.",
)
def page_is_current() -> dg.AssetCheckResult:
    """A page of older tables is worth a warning."""
    passed, message = page.is_current()
    return dg.AssetCheckResult(passed=passed, severity=dg.AssetCheckSeverity.WARN, description=message)


def _on_page(chart: dg.AssetsDefinition) -> page.Chart:
    title, _, meaning = chart.descriptions_by_key[chart.key].partition(".")
    tables = sorted(".".join(key.path) for key in chart.dependency_keys)
    return page.Chart(chart.key.path[-1], title, " ".join(meaning.split()), tables)
