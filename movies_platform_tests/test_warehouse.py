"""The warehouse: one writer at a time, all or nothing."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from movies_platform.contracts import table_named
from movies_platform.errors import UnknownTable, WarehouseBusy, WarehouseDamaged
from movies_platform.resources import warehouse
from movies_platform_tests.test_contracts_rows import MONTH

HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 1 AS n")
connection.execute("CHECKPOINT")
connection.begin()
connection.execute("DELETE FROM kept")
print("held", flush=True)
sys.stdin.read()
"""
Hold = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def hold(home: Path) -> Iterator[Hold]:
    """Start another process that is in the middle of a write; it ends when its input is closed."""
    started: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(home / "warehouse.duckdb")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def numbers(connection: duckdb.DuckDBPyConnection) -> list[int]:
    return [n for (n,) in connection.execute("SELECT n FROM kept ORDER BY n").fetchall()]


def test_a_writer_gives_up_after_the_time_that_the_settings_allow(hold: Hold, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_WAIT", "0.3")
    hold()
    begun = time.monotonic()
    with pytest.raises(WarehouseBusy, match="MOVIES_WAIT"), warehouse.opened():
        pass
    assert time.monotonic() - begun >= 0.3


def test_a_reader_waits_for_a_writer_too(hold: Hold, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_WAIT", "0")
    hold()
    with pytest.raises(WarehouseBusy), warehouse.reading():
        pass


def test_a_writer_waits_until_the_other_has_ended(hold: Hold, caplog: pytest.LogCaptureFixture):
    other = hold()
    sleep, naps = warehouse.time.sleep, []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            other.communicate()  # closes its input: it ends
        sleep(seconds / 10)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warehouse.time, "sleep", nap)
        with warehouse.opened() as connection:
            assert numbers(connection) == [1]
    assert len(naps) >= 2
    assert [r.getMessage() for r in caplog.records].count(
        "waiting for another process to finish writing warehouse.duckdb"
    ) == 1


def test_a_killed_writer_leaves_no_lock_and_the_old_rows(hold: Hold, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_WAIT", "0")
    other = hold()
    other.kill()
    other.wait()
    with warehouse.opened() as connection:
        assert numbers(connection) == [1]


def test_a_transaction_is_one_write_within_the_open_warehouse(home: Path):
    with warehouse.opened() as outer:
        with warehouse.transaction() as inner:
            assert inner is outer
            inner.execute("CREATE TABLE kept AS SELECT 1 AS n")
        with pytest.raises(ZeroDivisionError), warehouse.transaction() as inner:  # noqa: PT012  (the case)
            inner.execute("INSERT INTO kept VALUES (2)")
            raise ZeroDivisionError
        with warehouse.transaction() as inner:
            inner.execute("INSERT INTO kept VALUES (3)")
        assert numbers(outer) == [1, 3]
    with warehouse.reading() as connection:
        assert numbers(connection) == [1, 3]


def test_an_error_of_the_database_is_the_one_that_is_seen(home: Path):
    with pytest.raises(duckdb.CatalogException, match="nothing"), warehouse.transaction() as connection:
        connection.execute("SELECT * FROM nothing")


def test_reading_within_a_write_uses_the_same_connection(home: Path):
    with warehouse.opened() as outer, warehouse.reading() as inner:
        assert inner is outer


def test_a_file_that_was_cut_off_is_damaged_though_it_opens(home: Path):
    with warehouse.opened() as connection:
        for name, rows in (("small", 200_000), ("large", 1_000_000)):
            connection.execute(f"CREATE TABLE {name} AS SELECT hash(i) AS n FROM range({rows}) AS t(i)")
            connection.execute("CHECKPOINT")
        connection.execute("DROP TABLE small")
        connection.execute("CHECKPOINT")  # what says where the tables are is in the place of the small one now
        connection.execute("CREATE TABLE last (n INTEGER)")
    file = home / "warehouse.duckdb"
    with warehouse.replacing() as is_damaged:
        assert not is_damaged
    os.truncate(file, file.stat().st_size * 2 // 3)
    with warehouse.reading() as connection:
        assert connection.execute("SELECT count(*) FROM last").fetchone() == (0,)
    with warehouse.replacing() as is_damaged:
        assert is_damaged


def test_a_reader_writes_nothing(home: Path):
    with warehouse.opened():
        pass
    with warehouse.reading() as connection, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        connection.execute("CREATE TABLE kept (n INTEGER)")


@pytest.mark.parametrize("memory", ["300MB", ""], ids=["as set", "a quarter"])
def test_another_database_is_bounded_as_the_warehouse_is(home: Path, monkeypatch: pytest.MonkeyPatch, memory: str):
    monkeypatch.setenv("MOVIES_MEMORY", memory)
    bounds = "SELECT current_setting('memory_limit'), current_setting('temp_directory')"
    with warehouse.opened() as connection, duckdb.connect() as other:
        unbounded = other.execute(bounds).fetchone()
        warehouse.limit_memory(other)
        limit, spill = connection.execute(bounds).fetchone()
        other_limit, other_spill = other.execute(bounds).fetchone()
    assert other_limit == limit
    assert other_spill != spill  # two databases that spill into one folder read each other's rows
    assert Path(spill).parent.parent == home / "scratch"
    assert limit == "286.1 MiB" if memory else limit != unbounded[0]


@pytest.mark.parametrize("cores", ["1", "3", ""])
def test_the_database_uses_as_many_cores_as_are_set(home: Path, monkeypatch: pytest.MonkeyPatch, cores: str):
    monkeypatch.setenv("MOVIES_CORES", cores)
    with warehouse.opened() as connection:
        assert warehouse.cores_of(connection) == int(cores or len(os.sched_getaffinity(0)))


def test_a_second_reader_does_not_shrink_the_memory(home: Path):
    with warehouse.opened():
        pass
    limit = "SELECT current_setting('memory_limit')"
    with warehouse.reading() as one, warehouse.reading() as other:
        assert one.execute(limit).fetchone() == other.execute(limit).fetchone()
        with warehouse.reading() as third:
            assert third.execute(limit).fetchone() == one.execute(limit).fetchone()
        quarter = one.execute(limit).fetchone()
    with warehouse.reading() as alone:
        assert alone.execute(limit).fetchone() == quarter


def test_reading_before_there_is_a_warehouse_says_what_to_do(home: Path):
    with pytest.raises(UnknownTable, match="Deliver a month"), warehouse.reading():
        pass
    assert list(home.iterdir()) == []


def test_a_file_that_is_no_database_is_told_at_once(home: Path):
    (home / "warehouse.duckdb").write_text("no database" * 1000)
    with pytest.raises(WarehouseDamaged, match="not a valid DuckDB"), warehouse.opened():
        pass


def test_a_table_that_does_not_exist_has_no_rows():
    with duckdb.connect() as connection:
        assert warehouse.row_count(connection, table_named("core.movies")) == 0
        warehouse.ensure(connection, table_named("core.movies"))
        assert warehouse.table_exists(connection, table_named("core.movies"))


def test_appended_rows_go_to_their_columns_though_the_table_has_another_order():
    issues = table_named("raw.data_issues")
    names = [c.name for c in issues.columns]
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA raw")
        stored = ", ".join(f"{n} VARCHAR" for n in reversed(names))
        connection.execute(f"CREATE TABLE raw.data_issues ({stored})")
        row = [MONTH, "a file", 2, 3, None, "invalid_id", "rejected", "x", "raw_movies"]
        warehouse.append(connection, "raw.data_issues", [row])
        found = connection.execute(f"SELECT {', '.join(names)} FROM raw.data_issues").fetchall()
    assert found == [("2017-11-01", "a file", "2", "3", None, "invalid_id", "rejected", "x", "raw_movies")]


def test_appended_values_are_stored_as_they_are():
    texts = ["a\0b", 'it\'s "so"', "\\N", "", "NULL", "é€\U0001f600", "x" * 16_000_000]
    with duckdb.connect() as connection:
        warehouse.ensure(connection, table_named("raw.data_issues"))
        rows = [
            [MONTH, "f", 2**63 - 1, -(2**63), None, "invalid_id", "rejected", text, "raw_movies"]
            for text in [*texts, None]
        ]
        warehouse.append(connection, "raw.data_issues", rows)
        assert connection.execute("FROM raw.data_issues").fetchall() == [tuple(row) for row in rows]


def test_a_number_beyond_64_bits_is_not_appended_cut_off():
    with duckdb.connect() as connection:
        warehouse.ensure(connection, table_named("raw.data_issues"))
        row = [MONTH, "f", 2**63, None, None, "invalid_id", "rejected", None, "raw_movies"]
        with pytest.raises(duckdb.ConversionException, match="9223372036854775808"):
            warehouse.append(connection, "raw.data_issues", [row])
        assert warehouse.row_count(connection, table_named("raw.data_issues")) == 0


def test_rows_go_by_position_to_a_table_without_a_contract():
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE pairs (text VARCHAR, number BIGINT)")
        warehouse.append(connection, "pairs", [("a", 1), (None, None)])
        assert connection.execute("FROM pairs").fetchall() == [("a", 1), (None, None)]


def test_appending_no_rows_needs_no_table():
    with duckdb.connect() as connection:
        warehouse.append(connection, "raw.data_issues", [])
