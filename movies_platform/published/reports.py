"""The two wide reports that analysts know: one row for each group and year, with all that is asked of it.

`genre_data.csv` joins the metrics of genres and says by which measures the genre was the year's most popular one;
`production_data.csv` joins those of companies and lists their releases by genre. Columns follow from the contracts.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from movies_platform.contracts import metrics
from movies_platform.contracts.tables import qualified


@dataclass(frozen=True)
class Report:
    """A file and the query for its rows."""

    file: str
    query: str


def _joined(kind: str) -> str:
    """The yearly tables of genres or companies side by side; columns that all have come once, first."""
    tables: list[sa.Table] = [
        getattr(metrics, f"{kind}_{subject}_by_year".upper())
        for subject in ("budget", "revenue", "profit", "popularity")
    ]
    shared = ", ".join(["year", f"{kind}_id", f"{kind}_name", "movies"])
    return qualified(tables[0]) + "".join(f" FULL JOIN {qualified(table)} USING ({shared})" for table in tables[1:])


def _winner(measure: str) -> str:
    return (
        f"EXISTS (FROM {qualified(metrics.MOST_POPULAR_GENRE_BY_YEAR)} m WHERE m.year = g.year "
        f"AND m.genre_id = g.genre_id AND m.measure = '{measure}') AS is_most_popular_by_{measure}"
    )


_WINNERS = ", ".join(map(_winner, metrics.MEASURES))
_RELEASES = (
    "SELECT year, company_id, string_agg(genre_name || '=' || releases, '; ' ORDER BY releases DESC, genre_name) "
    f"AS releases_by_genre FROM {qualified(metrics.COMPANY_RELEASES_BY_GENRE_BY_YEAR)} GROUP BY ALL"
)

REPORTS = (
    Report("genre_data.csv", f"SELECT *, {_WINNERS} FROM (FROM {_joined('genre')}) g ORDER BY year, genre_id"),
    Report(
        "production_data.csv",
        f"FROM (FROM {_joined('company')}) LEFT JOIN ({_RELEASES}) USING (year, company_id) ORDER BY year, company_id",
    ),
)
