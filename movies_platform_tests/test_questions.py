"""The questions in SQL, from the core tables: one text for every database, equal to the metric tables."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from movies_platform.contracts.published import present_tables
from movies_platform.contracts.tables import order_of, qualified, table_named
from movies_platform.loaded.databases import load_all
from movies_platform.published.read import Snapshot, database_of, latest_snapshot, open_snapshot
from movies_platform.published.store import open_store
from movies_platform_tests.databases import KINDS, new_database, reader
from movies_platform_tests.published_states import State

FOLDER = Path(__file__).parents[1] / "docs" / "questions"
QUESTIONS = sorted(FOLDER.glob("*.sql"))
Ask = Callable[[str], tuple[list[str], list[tuple[Any, ...]]]]


def test_every_metric_of_the_present_state_has_its_question():
    metrics = [t.name for t in present_tables() if t.schema == "metrics" and not t.name.endswith("_by_month")]
    assert [path.stem for path in QUESTIONS] == sorted(metrics)


@pytest.fixture(scope="module")
def snapshot(states: tuple[State, State]) -> Snapshot:
    return latest_snapshot(open_store(str(states[1].published)))


@pytest.fixture(scope="module", params=["snapshot", *KINDS])
def ask(
    request: pytest.FixtureRequest,
    snapshot: Snapshot,
    states: tuple[State, State],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ask]:
    """Asks the snapshot itself, or a database that was loaded with it."""
    if request.param == "snapshot":
        with open_snapshot(str(states[1].published)) as connection:
            yield lambda text: _answer(connection.execute(text))
        return
    with new_database(request.param, tmp_path_factory.mktemp("loaded")) as url:
        (outcome,) = load_all([url], snapshot)
        assert outcome.found, outcome.error
        engine = reader(url)
        with engine.connect() as connection:

            def in_database(text: str) -> tuple[list[str], list[tuple[Any, ...]]]:
                rows = connection.exec_driver_sql(text)
                return list(rows.keys()), [tuple(row) for row in rows]

            yield in_database
        engine.dispose()


def _answer(cursor: duckdb.DuckDBPyConnection) -> tuple[list[str], list[tuple[Any, ...]]]:
    return [column[0] for column in cursor.description or []], cursor.fetchall()


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda p: p.stem)
def test_the_answer_is_the_metric_table(path: Path, ask: Ask, snapshot: Snapshot):
    table = table_named(f"metrics.{path.stem}")
    names = [column.name for column in table.columns]
    with duckdb.connect(database_of(snapshot), read_only=True) as connection:
        rows = connection.execute(f"FROM {qualified(table)} ORDER BY {', '.join(order_of(table))}").fetchall()
    assert rows
    columns, answer = ask(path.read_text(encoding="utf-8"))
    assert sorted(columns) == sorted(names)
    arranged = [tuple(row[columns.index(name)] for name in names) for row in answer]
    for got, wanted in zip(sorted(arranged, key=_key(names, table)), sorted(rows, key=_key(names, table)), strict=True):
        for name, a, b in zip(names, got, wanted, strict=True):
            assert a == b or (isinstance(b, float) and math.isclose(float(a), b, rel_tol=1e-9, abs_tol=1e-6)), (
                f"{name}: {got} instead of {wanted}"
            )


def _key(names: list[str], table: Any) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    places = [names.index(column) for column in order_of(table)]
    return lambda row: tuple(row[place] for place in places)
