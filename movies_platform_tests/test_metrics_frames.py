"""A present state in a few words, the answers to it, and what they are when there is no movie.

`state` and `answer` are used by the other tests of metrics.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import duckdb
import pandas as pd
import pytest

from movies_platform.contracts import all_tables, qualified, table_named
from movies_platform.contracts.frames import conform, dtype_of
from movies_platform.contracts.relations import Relation
from movies_platform.metrics import money, months, popularity, releases
from movies_platform.resources import warehouse

ANSWERS = {
    asset.key.path[-1]: asset
    for asset in [
        *(v for v in vars(money).values() if isinstance(v, dg.AssetsDefinition)),
        *(v for v in vars(popularity).values() if isinstance(v, dg.AssetsDefinition)),
        *(v for v in vars(releases).values() if isinstance(v, dg.AssetsDefinition)),
        *(v for v in vars(months).values() if isinstance(v, dg.AssetsDefinition)),
    ]
}
Frames = dict[str, pd.DataFrame]


class Movie(NamedTuple):
    """A movie as the questions see it; genres and companies by id."""

    id: int
    year: int | None = 2000
    budget: float | None = None
    revenue: float | None = None
    popularity: float | None = None
    genres: tuple[int, ...] = ()
    companies: tuple[int, ...] = ()


def state(*movies: Movie) -> Frames:
    """The core tables of some movies, as the contracts have them; group 7 is named `genre 7`."""
    rows = [
        {
            "movie_id": m.id, "release_year": m.year, "budget_usd": m.budget, "revenue_usd": m.revenue,
            "popularity": m.popularity, "delivery_month": pd.Timestamp("2017-11-01"),
        }
        for m in movies
    ]  # fmt: skip
    known = [{**row, "valid_from": row["delivery_month"]} for row in rows]
    versions = [{k: v for k, v in row.items() if k in table_named("core.movie_history").columns} for row in known]
    frames = {"movies": frame("core.movies", rows), "movie_history": frame("core.movie_history", versions)}
    for kind, links, catalogue in (
        ("genre", "movie_genres", "genres"), ("company", "movie_companies", "companies")
    ):  # fmt: skip
        pairs = [(m.id, group) for m in movies for group in getattr(m, catalogue)]
        names = [{f"{kind}_id": g, f"{kind}_name": f"{kind} {g}"} for g in {group for _, group in pairs}]
        frames[links] = frame(f"core.{links}", [{"movie_id": m, f"{kind}_id": g} for m, g in pairs])
        frames[catalogue] = frame(f"core.{catalogue}", names)
    return frames


def frame(table: str, rows: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Rows as a frame that conforms to the table's contract; what they leave out is null."""
    contract = table_named(table)
    given = list(rows)
    columns = {
        c.name: pd.Series([row.get(c.name) for row in given], dtype=dtype_of(c) if not given else None)
        for c in contract.columns
    }
    return conform(pd.DataFrame(columns), contract)


def answer(name: str, frames: Frames) -> pd.DataFrame:
    """The answer's frame, its checks passed against a warehouse that holds `frames` as stage core."""
    asset = ANSWERS[name]
    with warehouse.opened() as connection:
        for table, rows in frames.items():
            warehouse.ensure(connection, table_named(f"core.{table}"))
            connection.execute(f"DELETE FROM core.{table}")
            connection.register("given", rows)
            connection.execute(f"INSERT INTO core.{table} BY NAME SELECT * FROM given")
            connection.unregister("given")
        # asset(...) would do, but makes an instance of Dagster, with its databases, for every call.
        function = asset.op.compute_fn.decorated_fn
        *results, output = function(**{name: connection.table(f"core.{name}") for name in asset.op.ins})
        assert [r.check_name for r in results if not r.passed] == []
        contract = table_named(f"metrics.{name}")
        return output.value.df().astype({c.name: dtype_of(c) for c in contract.columns})


def relation(frame: pd.DataFrame) -> Relation:
    """The frame as a relation of DuckDB's own connection, for functions that are called by themselves."""
    return duckdb.from_df(frame)


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_no_movies_give_an_empty_table_with_the_declared_columns(name: str, home: Path) -> None:
    contract = table_named(f"metrics.{name}")
    empty = answer(name, state())
    assert list(empty.columns) == [c.name for c in contract.columns]
    assert [str(t) for t in empty.dtypes] == [dtype_of(c) for c in contract.columns]
    assert len(empty) == 0


@pytest.mark.parametrize("name", [n for n in sorted(ANSWERS) if n.endswith("_by_year")])
def test_a_movie_without_a_year_is_in_no_answer(name: str, home: Path) -> None:
    undated = Movie(1, None, 10.0, 20.0, 3.0, genres=(1,), companies=(1,))
    assert len(answer(name, state(undated))) == 0


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_a_movie_without_groups_is_in_no_answer(name: str, home: Path) -> None:
    assert len(answer(name, state(Movie(1, 2000, 10.0, 20.0, 3.0)))) == 0


def test_the_answers_are_assets_that_can_be_called(home: Path) -> None:
    frames = state(Movie(1, genres=(1,), budget=1.0))
    with warehouse.opened() as connection:
        answer("genre_budget_by_year", frames)  # fills stage core
        inputs = {name: connection.table(f"core.{name}") for name in ("movies", "movie_genres", "genres")}
        *results, output = ANSWERS["genre_budget_by_year"](**inputs)
        assert [r.passed for r in results] == [True] * 4
        assert output.value.project("budget_usd").fetchall() == [(1.0,)]


def test_every_table_of_stage_metrics_has_its_answer() -> None:
    assert {f"metrics.{n}" for n in ANSWERS} == {qualified(t) for t in all_tables() if t.schema == "metrics"}
