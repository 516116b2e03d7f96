"""The lake: what its catalogue names is read, what it does not name goes, and nobody else's files do."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from movies_platform.contracts import table_named
from movies_platform.contracts.ddl import create_statements
from movies_platform.engines import lake

GENRES = table_named("core.genres")
NAME = "warehouse"


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    return tmp_path / "lake.ducklake"


@pytest.fixture
def connection(tmp_path: Path, catalogue: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A lake with a table of two rows, which took the place of others."""
    with duckdb.connect() as made:
        lake.attach(made, catalogue, str(tmp_path / "lake"), NAME, read_only=False)
        made.execute(f"USE {NAME}; {'; '.join(create_statements(GENRES, in_lake=True))}")
        for names in (["Drama"], ["Comedy", "Horror"]):
            made.begin()
            made.execute("DELETE FROM core.genres")
            made.execute("INSERT INTO core.genres SELECT row_number() OVER (), name FROM unnest(?) AS n(name)", [names])
            made.commit()
        yield made


def on_disk(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*.parquet")}


def test_what_no_version_names_is_removed_after_a_time(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    neighbour = tmp_path / "lake" / "others.parquet"
    killed = Path(lake.folder_of(connection, NAME), "spark", "core.genres-1", "part-0.parquet")
    killed.parent.mkdir(parents=True)
    for file in (killed, neighbour):
        connection.execute(f"COPY (SELECT 1 AS n) TO '{file}'")
    before = on_disk(tmp_path)
    lake.tidy(connection, NAME)
    assert on_disk(tmp_path) == before  # somebody may read them
    monkeypatch.setattr(lake, "_KEPT", "0 seconds")
    lake.tidy(connection, NAME)
    assert on_disk(tmp_path) == {*lake.files_of(connection, NAME, GENRES), str(neighbour)}
    assert connection.execute("SELECT genre_name FROM core.genres ORDER BY 1").fetchall() == [("Comedy",), ("Horror",)]


def test_a_table_with_deleted_rows_in_its_files_is_not_read_as_files(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DELETE FROM core.genres WHERE genre_name = 'Comedy'")
    with pytest.raises(RuntimeError, match=r"core\.genres has files of which some rows are deleted"):
        lake.files_of(connection, NAME, GENRES)


def test_a_catalogue_says_where_its_files_are_and_other_databases_nothing(
    connection: duckdb.DuckDBPyConnection, catalogue: Path, tmp_path: Path
) -> None:
    folder = lake.folder_of(connection, NAME)
    connection.close()
    assert lake.folder_at(catalogue) == folder
    with duckdb.connect(tmp_path / "warehouse.duckdb") as other:
        other.execute("CREATE TABLE t (i INTEGER)")
    (tmp_path / "no database").write_text("text")
    for name in ("warehouse.duckdb", "no database", "missing"):
        assert lake.folder_at(tmp_path / name) is None
    assert not (tmp_path / "missing").exists()
