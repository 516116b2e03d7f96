"""The nine questions with a first answer to each: what a page shows of the metrics, for the newest full year."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from movies_platform.report.years import NEWEST_YEAR
from movies_platform.resources.asking import ask

_SHOWN = 8


@dataclass(frozen=True)
class Answer:
    """A question and the rows that answer it for one year; `query` has the year as its parameter."""

    question: str
    table: str
    columns: tuple[str, ...]
    query: str
    unit: str = ""

    def rows(self, connection: duckdb.DuckDBPyConnection, year: int) -> list[tuple[str, ...]]:
        """The rows as people read them: dollars in millions, a missing value as a dash."""
        return [tuple(map(readable, row)) for row in ask(connection, self.query, year).fetchall()]


def readable(value: Any) -> str:
    """A value as a cell of a page."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _money(kind: str, amount: str, plural: str, verb: str) -> Answer:
    table = f"{kind}_{amount}_by_year"
    return Answer(
        f"{verb} {plural}?", table, (kind, "movies", "known", amount, "share"),
        f"SELECT {kind}_name, movies, movies_with_{amount}, {amount}_usd / 1e6, {amount}_share_usd / 1e6 "
        f"FROM metrics.{table} WHERE year = ? ORDER BY {amount}_usd DESC NULLS LAST, {kind}_id LIMIT {_SHOWN}",
        "millions of US dollars",
    )  # fmt: skip


def _popularity(kind: str, plural: str, least: int) -> Answer:
    table = f"{kind}_popularity_by_year"
    few = f" (with at least {least} movies)" if least > 1 else ""
    return Answer(
        f"How popular are the movies of {plural}{few}?", table, (kind, "movies", "mean", "median", "maximum"),
        f"SELECT {kind}_name, movies, mean_popularity, median_popularity, max_popularity FROM metrics.{table} "
        f"WHERE year = ? AND movies >= {least} ORDER BY mean_popularity DESC NULLS LAST, {kind}_id LIMIT {_SHOWN}",
    )  # fmt: skip


ANSWERS: Sequence[Answer] = (
    _money("company", "budget", "production companies", "What is spent by"),
    _money("company", "revenue", "production companies", "What is earned by"),
    _money("company", "profit", "production companies", "What profit is made by"),
    Answer(
        "How many movies does a company release in a genre?", "company_releases_by_genre_by_year",
        ("company", "genre", "releases"),
        "SELECT company_name, genre_name, releases FROM metrics.company_releases_by_genre_by_year WHERE year = ? "
        f"ORDER BY releases DESC, company_id, genre_id LIMIT {_SHOWN}",
    ),
    _popularity("company", "production companies", 5),
    _money("genre", "budget", "genres", "What is spent on"),
    _money("genre", "revenue", "genres", "What is earned with"),
    _money("genre", "profit", "genres", "What profit is made with"),
    _popularity("genre", "genres", 1),
    Answer(
        "Which genre is the most popular of the year?", "most_popular_genre_by_year",
        ("by", "genre", "popularity", "movies"),
        "SELECT measure, genre_name, popularity, movies FROM metrics.most_popular_genre_by_year WHERE year = ? "
        "ORDER BY measure",
    ),
)  # fmt: skip


def newest_year(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The year of the answers; None where there is no dated movie."""
    row = connection.execute(f"SELECT {NEWEST_YEAR}").fetchone()
    return row[0] if row else None
