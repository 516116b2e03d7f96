"""The page of the report: the answers year by year, the charts, the state of the checks, in one HTML file.

It needs no server and no other file: the rows of the newest years are in it as JSON, from which a few lines of
JavaScript show the year that its reader chooses.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from movies_platform.checks.results import CheckState, counted, latest_results
from movies_platform.contracts.metrics import MEASURES, RATING_MEASURES
from movies_platform.contracts.published import present_tables
from movies_platform.contracts.tables import all_tables, qualified
from movies_platform.report.charts import for_page, genre_colours, newest_years
from movies_platform.resources import warehouse
from movies_platform.resources.build_log import built_from
from movies_platform.resources.months import month_name
from movies_platform.settings import settings

PAGE = "index.html"
_TEMPLATE = Path(__file__).with_name("page.html.j2")
_YEARS, _ROWS = 20, 8
_COMPANIES, _PEOPLE = 10, 5


@dataclass(frozen=True)
class Chart:
    """A chart on the page: the name of its file, what it shows, and of which tables (`schema.table`)."""

    name: str
    title: str
    meaning: str
    tables: Sequence[str]


@dataclass(frozen=True)
class Answer:
    """A question, and the best rows of each year that answer it.

    `columns` are headings with their expressions, the first one the name of what is ranked; `order` ranks them;
    numbers have so many `decimals`. `join` adds what the table has not, be it the year.
    """

    question: str
    table: str
    columns: dict[str, str]
    order: str
    where: str = "true"
    join: str = ""
    unit: str = ""
    decimals: int = 0

    @property
    def texts(self) -> list[str]:
        """Headings of columns that hold no numbers."""
        return [heading for heading in self.columns if heading in ("company", "genre", "movie", "by")]

    def by_year(self, connection: duckdb.DuckDBPyConnection, years: Iterable[int]) -> dict[str, list[list[str]]]:
        """The rows of each year as people read them; JSON has texts for keys."""
        found: dict[str, list[list[str]]] = {str(year): [] for year in years}
        rows = connection.execute(
            f"SELECT year, {', '.join(self.columns.values())} FROM metrics.{self.table} {self.join} WHERE {self.where} "
            f"QUALIFY row_number() OVER (PARTITION BY year ORDER BY {self.order}) <= {_ROWS} "
            f"ORDER BY year, {self.order}"
        ).fetchall()
        for year, *cells in rows:
            if str(year) in found:
                found[str(year)].append([readable(cell, self.decimals) for cell in cells])
        return found


def readable(value: Any, decimals: int = 0) -> str:
    """A value as a cell of a page: no rounding to zero, a dash for what is missing."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.1g}" if decimals and 0 < value < 0.1**decimals else f"{value:,.{decimals}f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _money(kind: str, amount: str, question: str) -> Answer:
    known = f"format('{{:,}} of {{:,}}', movies_with_{amount}, movies)"
    columns = {kind: f"{kind}_name", "known": known, amount: f"{amount}_usd", "share": f"{amount}_share_usd"}
    return Answer(question, f"{kind}_{amount}_by_year", columns, f"{amount}_usd DESC NULLS LAST, {kind}_id",
                  unit="US dollars")  # fmt: skip


def _popularity(kind: str, question: str, where: str = "true") -> Answer:
    measures = {name: f"{name}_popularity" for name in ("mean", "median", "max")}
    return Answer(question, f"{kind}_popularity_by_year", {kind: f"{kind}_name", "movies": "movies", **measures},
                  f"mean_popularity DESC NULLS LAST, {kind}_id", where, decimals=2)  # fmt: skip


_RATED = {"votes": "votes", "weighted": "weighted_rating", "ratings": "ratings", "mean": "mean_rating"}


def _ratings(kind: str, question: str, where: str = "true") -> Answer:
    return Answer(question, f"{kind}_ratings_by_year", {kind: f"{kind}_name", **_RATED},
                  f"weighted_rating DESC NULLS LAST, {kind}_id", where, decimals=2)  # fmt: skip


ANSWERS = (
    Answer(
        "Which genre is the most popular of the year?", "most_popular_genre_by_year",
        {"by": "measure", "genre": "genre_name", "popularity": "popularity", "movies": "movies"},
        f"list_position({[*MEASURES]}, measure)", decimals=2,
    ),
    Answer(
        "Which genre is the best rated of the year?", "best_rated_genre_by_year",
        {"by": "replace(measure, '_', ' ')", "genre": "genre_name", "value": "value", "movies": "movies"},
        f"list_position({[*RATING_MEASURES]}, measure)", decimals=2,
    ),
    Answer(
        "Which movies of the year are rated best?", "movie_ratings", {"movie": "title", **_RATED},
        "weighted_rating DESC NULLS LAST, movie_id", decimals=2,
        join="JOIN (SELECT movie_id, title, release_year AS year FROM core.movies) USING (movie_id)",
    ),
    _ratings("genre", "How are the movies of genres rated?"),
    _popularity("genre", "How popular are the movies of genres?"),
    _money("genre", "budget", "What is spent on genres?"),
    _money("genre", "revenue", "What is earned with genres?"),
    _money("genre", "profit", "What profit is made with genres?"),
    _money("company", "budget", "What is spent by production companies?"),
    _money("company", "revenue", "What is earned by production companies?"),
    _money("company", "profit", "What profit is made by production companies?"),
    Answer(
        "How many movies does a company release in a genre?", "company_releases_by_genre_by_year",
        {"company": "company_name", "genre": "genre_name", "releases": "releases"},
        "releases DESC, company_id, genre_id",
    ),
    _popularity("company", "How popular are the movies of companies (with at least 5)?", "movies >= 5"),
    _ratings("company", "How are the movies of companies rated (with at least 5)?", "movies >= 5"),
)  # fmt: skip


def check_states(instance: dg.DagsterInstance) -> list[CheckState]:
    """Every check with what it found last, those that found something first."""
    order = ("failed", "warned", "did not run", "passed")
    return sorted(latest_results(instance), key=lambda one: order.index(one.state))


def write_page(charts: Sequence[Chart], checks: Sequence[CheckState]) -> Path:
    """Write the page with the charts as they were drawn last; its path.

    Raises UnknownTable before the first refresh.
    """
    from jinja2 import Environment

    with warehouse.reading() as connection:
        for table in all_tables():
            warehouse.expect_table(connection, table)
        content = page_content(connection, checks)
    files = [(chart, settings().report / f"{chart.name}.svg") for chart in charts]
    drawn = [(chart, for_page(file.read_text(encoding="utf-8"))) for chart, file in files if file.is_file()]
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return write(PAGE, template.render(content, charts=drawn, checks=checks).encode())


def page_content(connection: duckdb.DuckDBPyConnection, checks: Sequence[CheckState]) -> dict[str, Any]:
    """What the template shows apart from the charts."""
    movies = connection.execute("SELECT release_date, release_year, delivery_month FROM core.movies").df()
    genres = connection.execute("SELECT genre_id, genre_name FROM core.genres").df()
    newest, latest = newest_years(movies)
    years = list(range(latest, newest - _YEARS, -1)) if newest else []
    rows = {qualified(t): warehouse.row_count(connection, t) for t in present_tables()}
    return {
        "newest": newest,
        "months": _months(connection),
        "made_from": tables_version(connection),
        "written": f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC",
        "answers": ANSWERS,
        "found": {"years": years, "answers": [answer.by_year(connection, years) for answer in ANSWERS]},
        "people": people_of_companies(connection),
        "colours": dict(zip(genres["genre_name"], genres["genre_id"].map(genre_colours(genres)), strict=True)),
        "counts": {name: readable(number) for name, number in rows.items()},
        "states": counted(checks),
    }


def people_of_companies(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str, str]]:
    """The companies with most movies whose credits are known: name, these movies, directors and cast of most of them.

    Behind a name is the number of the company's movies. Nothing where no credits were delivered.
    """
    rows = connection.execute(f"""
        WITH credits AS (
            SELECT movie_id, person_id, 'directors' AS role FROM core.movie_crew WHERE job = 'Director'
            UNION SELECT movie_id, person_id, 'cast' FROM core.movie_cast
        ),
        companies AS (
            SELECT company_id, company_name, count(*) AS movies
            FROM core.movie_companies JOIN core.companies USING (company_id)
            WHERE movie_id IN (SELECT movie_id FROM credits)
            GROUP BY ALL ORDER BY movies DESC, company_id LIMIT {_COMPANIES}
        ),
        counted AS (
            SELECT company_id, role, person_id, count(*) AS times
            FROM companies JOIN core.movie_companies USING (company_id) JOIN credits USING (movie_id)
            GROUP BY company_id, role, person_id
            QUALIFY row_number() OVER (PARTITION BY company_id, role ORDER BY times DESC, person_id) <= {_PEOPLE}
        ),
        named AS (
            SELECT company_id, role, string_agg(
                format('{{}} ({{:,}})', person_name, times), ', ' ORDER BY times DESC, person_id) AS names
            FROM counted JOIN core.people USING (person_id) GROUP BY ALL
        )
        SELECT company_name, movies, d.names, c.names
        FROM companies
        LEFT JOIN named d ON d.company_id = companies.company_id AND d.role = 'directors'
        LEFT JOIN named c ON c.company_id = companies.company_id AND c.role = 'cast'
        ORDER BY movies DESC, companies.company_id
        """).fetchall()
    return [(readable(a), readable(b), readable(c), readable(d)) for a, b, c, d in rows]


def tables_version(connection: duckdb.DuckDBPyConnection) -> str:
    """Identifies the deliveries that the tables of core and metrics were computed from."""
    return " ".join(sorted({built_from(connection, table) or "" for table in present_tables()})).strip()


def is_current() -> tuple[bool, str]:
    """Whether the page shows the tables as they are, and that in words."""
    page = settings().report / PAGE
    if not page.is_file():
        return False, f"There is no {page}. Materialize the report again."
    with warehouse.reading() as connection:
        months, version = _months(connection), tables_version(connection)
    if f'<meta name="made-from" content="{version}">' not in page.read_text(encoding="utf-8"):
        return False, f"The page shows older tables than those of {', '.join(months)}. Materialize it again."
    return True, f"The page shows the months {', '.join(months)}."


def write(name: str, content: bytes) -> Path:
    """Write a file of the report in one step; its path."""
    folder = settings().report
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{name}.partial"
    partial.write_bytes(content)
    return partial.replace(folder / name)


def _months(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute("SELECT DISTINCT delivery_month FROM raw.deliveries ORDER BY 1").fetchall()
    return [month_name(month) for (month,) in rows]
