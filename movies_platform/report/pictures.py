"""The pictures: what each shows, of which tables, and how it is drawn.

Each is a query and a function that draws its rows, so that neither needs the other to be tested.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from movies_platform.report import deliveries, genres, money
from movies_platform.report.style import as_png, as_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rows = Sequence[tuple[Any, ...]]


@dataclass(frozen=True)
class Picture:
    """A picture of the `tables` (`schema.table`); `height` in inches for a width of ten."""

    name: str
    title: str
    meaning: str
    tables: tuple[str, ...]
    query: str
    draw: "Callable[[Figure, Rows], None]"
    height: float = 4.2

    def rows(self, connection: duckdb.DuckDBPyConnection) -> Rows:
        """The rows that are drawn."""
        return connection.execute(self.query).fetchall()

    def png(self, rows: Rows) -> bytes:
        """As a file for the UI, on a light card."""
        return as_png(lambda figure: self.draw(figure, rows), self.height)

    def svg(self, rows: Rows) -> str:
        """As a part of a page, in its colours."""
        return as_svg(lambda figure: self.draw(figure, rows), self.height)


PICTURES = (
    Picture(
        "money_of_top_genres", "Yearly money of the top genres",
        "What the movies of the six genres with the highest revenue cost and earned, each movie split equally among "
        "its genres. Sums of what is known: see how much that is in the picture of coverage.",
        ("metrics.genre_budget_by_year", "metrics.genre_revenue_by_year"), money.TOP_GENRES, money.draw_top_genres,
    ),
    Picture(
        "most_popular_genres", "The most popular genre through the years",
        "The genre that wins each year, asked in four ways: the sum, the mean, the median and the maximum of the "
        "popularity of its movies.",
        ("metrics.most_popular_genre_by_year",), genres.WINNERS, genres.draw_winners, 3.4,
    ),
    Picture(
        "top_companies_of_the_decade", "Top companies of the decade",
        "The ten production companies whose movies earned most in the newest decade, with what these movies cost, "
        "where known. A movie counts in full for each of its companies.",
        ("metrics.company_revenue_by_year", "metrics.company_budget_by_year"),
        money.TOP_COMPANIES, money.draw_top_companies,
    ),
    Picture(
        "coverage_of_money", "How many budgets and revenues are known",
        "Share of the movies of a year whose budget and revenue are known, and how many movies there are. Sums of "
        "money are sums over the known part only.",
        ("core.movies",), money.COVERAGE, money.draw_coverage,
    ),
    Picture(
        "records_and_issues", "Records and issues by month of delivery",
        "Records of each delivery, and what was refused, repaired, blanked or dropped in it, per 1,000 records.",
        ("raw.deliveries", "raw.data_issues"), deliveries.BY_MONTH, deliveries.draw_by_month,
    ),
    Picture(
        "popularity_by_month", "Popularity of the top genres from delivery to delivery",
        "Mean popularity of the movies of the eight largest genres, as it was known in each month.",
        ("metrics.genre_popularity_by_month",), genres.BY_MONTH, genres.draw_by_month,
    ),
)  # fmt: skip
