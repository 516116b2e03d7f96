"""Core tables in a few words, and what a table's function makes of them on every engine."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import dagster as dg
import duckdb
import narwhals as nw
import pandas as pd

from movies_platform.contracts import order_of, table_named
from movies_platform.contracts.columns import types_of
from movies_platform.contracts.frames import conform, typed_frame
from movies_platform.contracts.tables import expect_columns
from movies_platform.core import history, links, movies, names, people, ratings
from movies_platform.metrics import money, popularity, releases, votes

Frames = Mapping[str, pd.DataFrame]
CORE_MODULES = (movies, links, names, people, ratings, history)
METRICS_MODULES = (money, popularity, releases, votes)


def functions_of(modules: Iterable[ModuleType]) -> dict[str, Callable[..., nw.LazyFrame]]:
    """The functions of the assets in the modules, by the table that they compute."""
    assets = [value for module in modules for value in vars(module).values() if isinstance(value, dg.AssetsDefinition)]
    return {asset.key.path[-1]: asset.op.compute_fn.decorated_fn for asset in assets}


CORE, METRICS = functions_of(CORE_MODULES), functions_of(METRICS_MODULES)
FUNCTIONS = {**CORE, **METRICS}


def on_pandas(name: str, frames: Frames) -> pd.DataFrame:
    """The table as its function computes it from pandas frames; in the contract's types and order."""
    function, contract = FUNCTIONS[name], table_named(name)
    given = {table: nw.from_native(frames[table]).lazy() for table in inspect.signature(function).parameters}
    found = nw.to_native(function(**given).collect())
    expect_columns(contract, found.columns)
    return typed_frame(found[[c.name for c in contract.columns]], contract).sort_values(
        order_of(contract), ignore_index=True
    )


def on_duckdb(name: str, frames: Frames) -> pd.DataFrame:
    """The table as its function computes it from relations of DuckDB."""
    function, contract = FUNCTIONS[name], table_named(name)
    with duckdb.connect() as connection:
        given = {
            table: nw.from_native(as_relation(connection, table, frames[table]))
            for table in inspect.signature(function).parameters
        }
        return typed_frame(nw.to_native(conform(function(**given), contract)).df(), contract)


def as_relation(connection: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame) -> duckdb.DuckDBPyRelation:
    """The frame as a table of the connection, in the contract's types."""
    connection.register(f"given_{table}", frame)
    columns = ", ".join(f"{c.name}::{types_of(c).ddl} AS {c.name}" for c in table_named(table).columns)
    connection.execute(f"CREATE TABLE {table} AS SELECT {columns} FROM given_{table}")
    return connection.table(table)


def compute(name: str, frames: Frames) -> pd.DataFrame:
    """The table, the same on every engine."""
    found = on_pandas(name, frames)
    pd.testing.assert_frame_equal(on_duckdb(name, frames), found, rtol=1e-12, obj=f"{name} on DuckDB")
    return found


def tuples(found: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Rows as tuples, null as None and a day as a date."""
    rows = [[None if pd.isna(v) else v for v in row] for row in found.itertuples(index=False)]
    return [tuple(v.date() if isinstance(v, pd.Timestamp) else v for v in row) for row in rows]


class Movie(NamedTuple):
    """A movie as the questions see it; genres and companies by id."""

    id: int
    year: int | None = 2000
    budget: float | None = None
    revenue: float | None = None
    popularity: float | None = None
    genres: tuple[int, ...] = ()
    companies: tuple[int, ...] = ()


def state(*given: Movie) -> dict[str, pd.DataFrame]:
    """The core tables of some movies, as the contracts have them; group 7 is named `genre 7`."""
    rows = [
        {
            "movie_id": m.id, "release_year": m.year, "budget_usd": m.budget, "revenue_usd": m.revenue,
            "popularity": m.popularity, "delivery_month": pd.Timestamp("2017-11-01"),
        }
        for m in given
    ]  # fmt: skip
    versions = [{**row, "valid_from": row["delivery_month"]} for row in rows]
    frames = {"movies": frame("core.movies", rows), "movie_history": frame("core.movie_history", versions)}
    frames |= {"ratings": frame("core.ratings"), "movie_ratings": frame("metrics.movie_ratings")}
    frames["genre_ratings_by_year"] = frame("metrics.genre_ratings_by_year")
    for kind, catalogue in (("genre", "genres"), ("company", "companies")):
        pairs = [(m.id, group) for m in given for group in getattr(m, catalogue)]
        groups = sorted({group for _, group in pairs})
        frames[f"movie_{catalogue}"] = frame(
            f"core.movie_{catalogue}", [{"movie_id": m, f"{kind}_id": g} for m, g in pairs]
        )
        frames[catalogue] = frame(
            f"core.{catalogue}", [{f"{kind}_id": g, f"{kind}_name": f"{kind} {g}"} for g in groups]
        )
    return frames


def frame(table: str, rows: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Rows as a frame in the contract's types; what they leave out is null."""
    contract = table_named(table)
    given = list(rows)
    columns = {
        c.name: pd.Series([row.get(c.name) for row in given], dtype=types_of(c).pandas) for c in contract.columns
    }
    return pd.DataFrame(columns)
