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
from movies_platform.contracts.catalogue import asset_key
from movies_platform.contracts.frames import conform, dtype_of
from movies_platform.contracts.relations import Relation
from movies_platform.metrics.assets import METRICS, answers, refresh_metrics
from movies_platform.metrics.metric import Metric
from movies_platform.pipeline import resources
from movies_platform.resources import warehouse
from movies_platform.resources.io_manager import Warehouse

ANSWERS = {table.name: metric for table, metric in METRICS.items()}
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


def fill_core(connection: duckdb.DuckDBPyConnection, frames: Frames) -> dict[str, Relation]:
    """Put frames into the warehouse as stage core; the tables as relations."""
    for table, rows in frames.items():
        warehouse.ensure(connection, table_named(f"core.{table}"))
        connection.execute(f"DELETE FROM core.{table}")
        connection.register("given", rows)
        connection.execute(f"INSERT INTO core.{table} BY NAME SELECT * FROM given")
        connection.unregister("given")
    return {table: connection.table(f"core.{table}") for table in frames}


def answer(name: str, frames: Frames) -> pd.DataFrame:
    """The answer's frame, its checks passed, from a warehouse that holds `frames` as stage core."""
    contract = table_named(f"metrics.{name}")
    with warehouse.opened() as connection:
        # answers(...) would do, but makes an instance of Dagster, with its databases, for every call.
        rows, outcomes = refresh_metrics(Warehouse(), [contract], fill_core(connection, frames))
        assert [str(outcome) for outcome in outcomes if not outcome.passed] == []
        found = connection.table(qualified(contract)).df()
    assert rows == {contract: len(found)}
    return found.astype({c.name: dtype_of(c) for c in contract.columns})


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


def materialize(home: Path, frames: Frames, *names: str, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
    """Materialize some answers, or all, as a run does."""
    with warehouse.opened() as connection:
        fill_core(connection, frames)
    core = [dg.AssetSpec(asset_key(table_named(f"core.{name}"))).with_io_manager_key("io_manager") for name in frames]
    chosen = dg.AssetSelection.assets(*(asset_key(table_named(f"metrics.{name}")) for name in names or ANSWERS))
    return dg.materialize([answers, *core], selection=chosen, resources=resources, raise_on_error=raise_on_error)


def rows_of(name: str) -> list[tuple[Any, ...]]:
    with warehouse.reading() as connection:
        return connection.execute(f"FROM metrics.{name}").fetchall()


def test_one_answer_can_be_computed_without_the_others(home: Path) -> None:
    materialize(home, state(Movie(1, genres=(1,), budget=1.0)))
    result = materialize(home, state(Movie(1, genres=(1,), budget=5.0)), "genre_budget_by_year")
    (event,) = result.get_asset_materialization_events()
    judged = {e.target_materialization_data.run_id for e in result.get_asset_check_evaluations()}
    assert judged == {result.run_id}
    assert event.asset_key == dg.AssetKey(["metrics", "genre_budget_by_year"])
    assert {e.check_name for e in result.get_asset_check_evaluations()} == {
        "columns_hold_what_is_declared", "key_is_unique", "references_exist", "shares_add_up",
    }  # fmt: skip
    assert rows_of("genre_budget_by_year") == [(2000, 1, "genre 1", 1, 1, 5.0, 5.0)]
    assert rows_of("genre_popularity_by_year")[0][:4] == (2000, 1, "genre 1", 1)


def test_a_check_of_an_answer_can_be_run_alone(home: Path) -> None:
    materialize(home, state(Movie(1, genres=(1,), budget=1.0)))
    with warehouse.opened() as connection:
        connection.execute("INSERT INTO metrics.genre_budget_by_year FROM metrics.genre_budget_by_year")
    key = dg.AssetCheckKey(asset_key(table_named("metrics.genre_budget_by_year")), "key_is_unique")
    core = [dg.AssetSpec(asset_key(table_named(f"core.{name}"))).with_io_manager_key("io_manager") for name in state()]
    job = dg.define_asset_job("look", dg.AssetSelection.checks(key))
    looking = dg.Definitions([answers, *core], jobs=[job], resources=resources)
    result = looking.resolve_job_def("look").execute_in_process(raise_on_error=False)
    assert [(e.check_name, e.passed) for e in result.get_asset_check_evaluations()] == [("key_is_unique", False)]
    assert result.get_asset_materialization_events() == []
    assert len(rows_of("genre_budget_by_year")) == 2


def test_an_answer_that_breaks_its_contract_leaves_all_as_they_were(home: Path, monkeypatch) -> None:
    materialize(home, state(Movie(1, genres=(1,), budget=1.0, revenue=1.0)))
    before = {name: rows_of(name) for name in ANSWERS}
    table = table_named("metrics.genre_revenue_by_year")
    good = METRICS[table].compute

    def doubled(movies: Relation, movie_genres: Relation, genres: Relation) -> Relation:
        rows = good(movies, movie_genres, genres)
        return rows.union(rows)

    monkeypatch.setitem(METRICS, table, Metric(table, doubled))
    result = materialize(home, state(Movie(2, genres=(1,), budget=2.0, revenue=2.0)), raise_on_error=False)
    assert not result.success
    failed = {e.check_name for e in result.get_asset_check_evaluations() if not e.passed}
    assert failed == {"key_is_unique", "shares_add_up"}
    assert result.get_asset_materialization_events() == []
    assert {name: rows_of(name) for name in ANSWERS} == before


def test_every_table_of_stage_metrics_has_its_answer() -> None:
    assert {f"metrics.{n}" for n in ANSWERS} == {qualified(t) for t in all_tables() if t.schema == "metrics"}
