"""The real month: published, loaded into every kind of database, and compared with the snapshot row by row."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from movies_platform.contracts.published import published_tables
from movies_platform.contracts.tables import qualified
from movies_platform.loaded.databases import load_all
from movies_platform.published.read import Snapshot, database_of, latest_snapshot
from movies_platform.published.store import open_store
from movies_platform_tests.databases import KINDS, new_database, reader
from movies_platform_tests.shell import Shell

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def snapshot(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    shell = Shell(tmp_path_factory.mktemp("real"))
    shell("deliver", real_data / "the-movies-dataset" / "movies_metadata.csv.gz", "--month", "2017-11")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MOVIES_NO_PUBLISH", raising=False)
        assert "snapshot  2017-11-" in shell("refresh").stdout
    return latest_snapshot(open_store(str(shell.home / "published")))


def rows(snapshot: Snapshot, table: Any) -> list[tuple[Any, ...]]:
    with duckdb.connect(database_of(snapshot), read_only=True) as connection:
        # every database and driver has its own kind of date; a text says the same in all of them
        columns = ", ".join(f"{c.name}::VARCHAR" if "date" in str(c.type).lower() else c.name for c in table.columns)
        return connection.execute(f"SELECT {columns} FROM {qualified(table)}").fetchall()


def in_database(connection: Any, table: Any) -> Iterator[tuple[Any, ...]]:
    columns = ", ".join(column.name for column in table.columns)
    dates = [place for place, column in enumerate(table.columns) if "date" in str(column.type).lower()]
    for row in connection.exec_driver_sql(f"SELECT {columns} FROM {table.name}"):
        values = list(row)
        for place in dates:
            values[place] = None if values[place] is None else str(values[place])
        yield tuple(values)


@pytest.mark.parametrize("kind", KINDS)
def test_the_real_month_is_the_same_in_every_database(
    kind: str, snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert snapshot.manifest.tables["core.movies"].rows == 45_433
    assert snapshot.manifest.tables["metrics.company_releases_by_genre_by_year"].rows == 130_207
    monkeypatch.setenv("MOVIES_HOME", str(tmp_path))
    with new_database(kind, tmp_path) as url:
        (outcome,) = load_all([url], snapshot)
        assert outcome.found, outcome.error
        engine = reader(url)
        with engine.connect() as connection:
            for table in published_tables():
                assert Counter(in_database(connection, table)) == Counter(rows(snapshot, table)), qualified(table)
        engine.dispose()
