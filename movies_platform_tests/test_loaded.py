"""Databases loaded with snapshots: real PostgreSQL, MariaDB and SQLite, with readers, kills and cut connections."""

import datetime as dt
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import psycopg
import pymysql
import pytest
import sqlalchemy as sa

from movies_platform.automation.jobs import LOAD_JOB
from movies_platform.contracts.published import SNAPSHOT, published_tables
from movies_platform.contracts.tables import key_of, order_of, qualified, references_of
from movies_platform.errors import LoadFailed, SettingsError
from movies_platform.loaded.assets import databases_hold_latest_snapshot
from movies_platform.loaded.databases import Outcome, load_all, open_database
from movies_platform.published.read import Snapshot, database_of, latest_snapshot
from movies_platform.published.store import open_store
from movies_platform_tests.databases import KINDS, SERVERS, new_database, reader
from movies_platform_tests.published_states import State, proxy_to, run


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database of each kind."""
    with new_database(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def snapshots(states: tuple[State, State], home: Path) -> tuple[Snapshot, Snapshot]:
    """The two published states."""
    first, second = (latest_snapshot(open_store(str(state.published))) for state in states)
    return first, second


def load(url: str, snapshot: Snapshot, *, force: bool = False) -> list[str]:
    """Load one database and expect it to work; the tables that were written."""
    (outcome,) = load_all([url], snapshot, force=force)
    if outcome.error:
        raise outcome.error
    return list(outcome.found)


def rows_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables of a database, in the order of the key."""
    with reader(url).connect() as connection:
        return {
            qualified(t): sorted(
                (_plain(row) for row in connection.exec_driver_sql(
                    f"SELECT {', '.join(c.name for c in t.columns)} FROM {t.name}"
                )), key=repr,
            )
            for t in [*published_tables(), SNAPSHOT]
        }  # fmt: skip


def expected(snapshot: Snapshot) -> dict[str, list[tuple[Any, ...]]]:
    """The same of the snapshot."""
    with duckdb.connect(database_of(snapshot), read_only=True) as connection:
        return {
            qualified(t): sorted((_plain(r) for r in connection.execute(f"FROM {qualified(t)}").fetchall()), key=repr)
            for t in [*published_tables(), SNAPSHOT]
        }


def _plain(row: Any) -> tuple[Any, ...]:
    return tuple(str(value) if isinstance(value, dt.date) else value for value in row)


def test_a_database_holds_the_snapshot_row_by_row_after_every_load(url: str, snapshots: tuple[Snapshot, Snapshot]):
    first, second = snapshots
    assert expected(first) != expected(second)
    assert len(load(url, first)) == len(published_tables()) + 1
    assert rows_of(url) == expected(first)
    assert load(url, first) == []
    assert "core.movies" in load(url, second)
    assert rows_of(url) == expected(second)
    load(url, first)
    assert rows_of(url) == expected(first)


def test_what_somebody_changed_by_hand_is_repaired_with_force(url: str, snapshots: tuple[Snapshot, Snapshot]):
    load(url, snapshots[0])
    with reader(url).connect() as connection:
        connection.exec_driver_sql("DELETE FROM movie_genres WHERE genre_id = 18")
        connection.exec_driver_sql("UPDATE movies SET title = NULL, budget_usd = 1")
        connection.exec_driver_sql("INSERT INTO genres VALUES (999999, 'Mine')")
    assert load(url, snapshots[0]) == []
    assert load(url, snapshots[0], force=True)
    assert rows_of(url) == expected(snapshots[0])


def test_a_table_that_was_dropped_comes_back(url: str, snapshots: tuple[Snapshot, Snapshot]):
    load(url, snapshots[0])
    with reader(url).connect() as connection:
        connection.exec_driver_sql("DROP TABLE genre_budget_by_year")
    load(url, snapshots[0])
    assert rows_of(url) == expected(snapshots[0])


def test_keys_references_comments_and_indexes_are_as_the_contracts_declare(
    url: str, snapshots: tuple[Snapshot, Snapshot]
):
    load(url, snapshots[0])
    inspector = sa.inspect(reader(url))
    for table in published_tables():
        schema = table.schema if url.startswith("postgresql") else None
        about = {c["name"]: c for c in inspector.get_columns(table.name, schema=schema)}
        assert list(about) == [c.name for c in table.columns]
        assert {n for n, c in about.items() if not c["nullable"]} == {c.name for c in table.columns if not c.nullable}
        assert inspector.get_pk_constraint(table.name, schema=schema)["constrained_columns"] == key_of(table)
        found = {
            (tuple(fk["constrained_columns"]), fk["referred_table"], tuple(fk["referred_columns"]))
            for fk in inspector.get_foreign_keys(table.name, schema=schema)
        }
        assert found == {(tuple(own), other.name, tuple(theirs)) for own, other, theirs in references_of(table)}
        leading = {tuple(i["column_names"]) for i in inspector.get_indexes(table.name, schema=schema)}
        for own, _, _ in references_of(table):
            assert tuple(own) in leading or key_of(table)[: len(own)] == own
        if not url.startswith("sqlite"):  # which has no comments
            assert inspector.get_table_comment(table.name, schema=schema)["text"] == table.comment
            assert {n: c["comment"] for n, c in about.items()} == {c.name: c.comment for c in table.columns}


def references(url: str) -> set[tuple[str, str]]:
    """Which table refers to which."""
    inspector = sa.inspect(reader(url))
    schemas = ["core", "metrics"] if url.startswith("postgresql") else [None]
    return {
        (name, fk["referred_table"])
        for schema in schemas for name in inspector.get_table_names(schema=schema)
        for fk in inspector.get_foreign_keys(name, schema=schema)
    }  # fmt: skip


def test_tables_that_are_left_out_are_dropped_with_the_references_to_them_and_come_back(
    url: str, snapshots: tuple[Snapshot, Snapshot], states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MOVIES_LOAD_TO", url)
    monkeypatch.setenv("MOVIES_PUBLISHED", str(states[1].published))
    load(url, snapshots[1])
    everything = references(url)
    assert {("ratings", "movie_links"), ("movie_cast", "people"), ("movie_cast", "movies")} < everything
    monkeypatch.setenv("MOVIES_LOAD_WITHOUT", "core.ratings,core.peop*")
    load(url, snapshots[1])
    assert load(url, snapshots[1]) == []
    gone = {"ratings", "people"}
    assert references(url) == {pair for pair in everything if not gone & set(pair)}
    with reader(url).connect() as connection:
        for name in gone:
            with pytest.raises(sa.exc.DBAPIError):
                connection.exec_driver_sql(f"SELECT * FROM {name}")
        names = set(connection.exec_driver_sql("SELECT table_name FROM snapshot").scalars())
        assert names == {qualified(t) for t in published_tables()} - {"core.ratings", "core.people"}
        cast = connection.exec_driver_sql("SELECT count(*) FROM movie_cast").scalar_one()
    assert cast == snapshots[1].manifest.tables["core.movie_cast"].rows > 0
    assert databases_hold_latest_snapshot().passed
    monkeypatch.delenv("MOVIES_LOAD_WITHOUT")
    assert not databases_hold_latest_snapshot().passed
    load(url, snapshots[1])
    assert references(url) == everything
    assert rows_of(url) == expected(snapshots[1])


def test_a_snapshot_of_another_version_is_refused_with_a_remedy(tmp_path: Path, snapshots: tuple[Snapshot, Snapshot]):
    import dataclasses

    tables = {name: content for name, content in snapshots[0].manifest.tables.items() if name != "core.ratings"}
    old = dataclasses.replace(snapshots[0], manifest=dataclasses.replace(snapshots[0].manifest, tables=tables))
    (outcome,) = load_all([f"sqlite:///{tmp_path}/films.db"], old)
    assert "has no core.ratings" in outcome.message
    assert "movies-platform publish" in outcome.message
    assert not outcome.may_pass


LATE = "36812-02-20 00:36:15"  # the last second that a delivery may bring


def test_times_arrive_and_are_null_where_a_database_cannot_hold_them(
    url: str, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    from movies_platform.published.write import publish

    states[0].use(monkeypatch, home)
    times = ["1970-01-01 00:00:00", "2001-09-09 01:46:40", "9999-12-31 23:59:59", "10000-01-01 00:00:00", LATE, None]
    with duckdb.connect(home / "warehouse.duckdb") as connection:
        keys = connection.execute("SELECT user_id, movielens_id FROM core.ratings ORDER BY ALL").fetchall()
        for key, time in zip(keys, times, strict=False):
            connection.execute(
                "UPDATE core.ratings SET rated_at = ? WHERE user_id = ? AND movielens_id = ?", [time, *key]
            )
    load(url, publish().snapshot)
    # as text where Python's driver has no time so late
    value = "rated_at" if url.startswith("mysql") else "CAST(rated_at AS TEXT)"
    with reader(url).connect() as connection:
        found = (
            connection.exec_driver_sql(f"SELECT {value} FROM ratings ORDER BY user_id, movielens_id").scalars().all()
        )
    beyond = [None, None] if url.startswith("mysql") else times[3:5]
    assert [value and str(value) for value in found[: len(times)]] == [*times[:3], *beyond, None]


HOSTILE = [
    'He said "no", twice', "it's; DROP TABLE movies; --", "comma, and\nline\r\nbreaks\rof all kinds",
    "back\\slash \\N \\n",
    "NULL", "null", '"', ",", "東京 🎬 naïve", "%s %(x)s :x ${x} {x}", "tab\there", "\ufeffmark", "x" * 3_000_000,
]  # fmt: skip


def test_text_of_any_kind_arrives_as_it_is(
    url: str, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    from movies_platform.published.write import publish

    states[0].use(monkeypatch, home)
    with duckdb.connect(home / "warehouse.duckdb") as connection:
        ids = [row[0] for row in connection.execute("SELECT movie_id FROM core.movies ORDER BY 1").fetchall()]
        for movie, text in zip(ids, HOSTILE, strict=False):
            connection.execute("UPDATE core.movies SET title = ? WHERE movie_id = ?", [text, movie])
    snapshot = publish().snapshot
    load(url, snapshot)
    assert rows_of(url) == expected(snapshot)
    with reader(url).connect() as connection:
        found = connection.exec_driver_sql("SELECT title FROM movies ORDER BY movie_id").scalars().all()
    assert list(found[: len(HOSTILE)]) == HOSTILE


WHOLE = """
SELECT (SELECT min(snapshot_id) FROM snapshot), (SELECT max(snapshot_id) FROM snapshot),
       (SELECT count(*) FROM movies), (SELECT sum(vote_count) FROM movies), (SELECT count(*) FROM movie_companies),
       (SELECT sum(releases) FROM company_releases_by_genre_by_year), (SELECT count(*) FROM data_issues),
       (SELECT sum(movies) FROM genre_popularity_by_year)
"""


def facts(snapshot: Snapshot) -> tuple[Any, ...]:
    with duckdb.connect(database_of(snapshot), read_only=True) as connection:
        connection.execute("SET search_path = 'core,metrics,raw,published'")
        return tuple(connection.execute(WHOLE).fetchall()[0])


def test_a_reader_in_a_loop_during_ten_loads_sees_whole_snapshots_and_no_error(
    url: str, snapshots: tuple[Snapshot, Snapshot]
):
    load(url, snapshots[0])
    seen, errors, stop = set(), [], threading.Event()

    def read() -> None:
        try:
            with reader(url).connect() as connection:
                while not stop.is_set():
                    row = connection.exec_driver_sql(WHOLE).one()
                    seen.add(tuple(int(v) if not isinstance(v, str) else v for v in row))
                    time.sleep(0.005)  # leaves the processor to the loads; hundreds of reads remain
        except Exception as problem:  # whatever it is, the test must see it
            errors.append(problem)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in readers:
        thread.start()
    try:
        for turn in range(10):
            load(url, snapshots[1 - turn % 2])
    finally:
        stop.set()
        for thread in readers:
            thread.join()
    assert errors == []
    assert seen == {facts(snapshots[0]), facts(snapshots[1])}


KILLED = """
import os, signal, sys
from movies_platform.loaded import databases
from movies_platform.published.read import latest_snapshot
before = databases.expect_rows
def die(connection, table, manifest):
    if table.name == "movie_companies":
        os.kill(os.getpid(), signal.SIGKILL)
    before(connection, table, manifest)
databases.expect_rows = die
databases.load_all(sys.argv[1:], latest_snapshot())
"""


def kill_in_the_middle(url: str, published: Path) -> None:
    """Load in a process that dies when most of the work is done and nothing is committed."""
    own = {**os.environ, "MOVIES_PUBLISHED": str(published)}
    died = subprocess.run([sys.executable, "-c", KILLED, url], env=own, capture_output=True, text=True)
    assert died.returncode == -9, died.stderr


def test_a_load_that_is_killed_leaves_the_old_snapshot_and_the_next_one_works(
    url: str, snapshots: tuple[Snapshot, Snapshot], states: tuple[State, State]
):
    load(url, snapshots[0])
    kill_in_the_middle(url, states[1].published)
    assert rows_of(url) == expected(snapshots[0])
    load(url, snapshots[1])
    assert rows_of(url) == expected(snapshots[1])
    names = set(sa.inspect(reader(url)).get_table_names())
    assert not {name for name in names if "__" in name}  # staging tables are gone


def test_the_first_load_killed_leaves_no_rows_and_the_next_one_works(
    url: str, states: tuple[State, State], snapshots: tuple[Snapshot, Snapshot]
):
    kill_in_the_middle(url, states[0].published)
    with reader(url).connect() as connection:
        if url.startswith("mysql"):  # whose DDL commits at once
            assert connection.exec_driver_sql("SELECT count(*) FROM movies").scalar_one() == 0
        else:
            with pytest.raises(sa.exc.DBAPIError):
                connection.exec_driver_sql("SELECT * FROM movies")
    load(url, snapshots[0])
    assert rows_of(url) == expected(snapshots[0])


def test_a_contract_that_changed_is_loaded_whole(url: str, snapshots: tuple[Snapshot, Snapshot]):
    load(url, snapshots[0])
    with reader(url).connect() as connection:
        connection.exec_driver_sql("UPDATE snapshot SET contract_version = 'of old'")
    assert len(load(url, snapshots[1])) == len(published_tables()) + 1
    assert rows_of(url) == expected(snapshots[1])


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_that_goes_away_and_comes_back_is_loaded_all_the_same(
    kind: str, tmp_path: Path, home: Path, states: tuple[State, State], snapshots: tuple[Snapshot, Snapshot],
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    with new_database(kind, tmp_path) as url, proxy_to(SERVERS[kind][1]) as proxy:
        load(url, snapshots[0])
        behind = sa.make_url(url).set(port=proxy.port).render_as_string(hide_password=False)
        monkeypatch.setenv("MOVIES_LOAD_TO", behind)
        monkeypatch.setenv("MOVIES_PUBLISHED", str(states[1].published))
        proxy.cut_after(30_000, away_seconds=1.5)
        _, problem = run(LOAD_JOB)
        assert problem is None
        assert proxy.cuts == 1
        assert rows_of(url) == expected(snapshots[1])


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_grants_and_views_stay(kind: str, tmp_path: Path, snapshots: tuple[Snapshot, Snapshot]):
    with new_database(kind, tmp_path) as url:
        load(url, snapshots[0])
        user = f"analyst_{sa.make_url(url).database}"[:32]
        everything = reader(url)
        with everything.connect() as connection:
            run = connection.exec_driver_sql
            table = "core.movies" if kind == "postgresql" else "movies"
            run(f"CREATE ROLE {user}" if kind == "postgresql" else f"CREATE USER {user}")
            run(f"GRANT SELECT ON {table} TO {user}")
            schema = "core." if kind == "postgresql" else ""
            run(f"CREATE VIEW {schema}long_movies AS SELECT title FROM {table} WHERE runtime_minutes > 90")
        try:
            load(url, snapshots[1])
            with everything.connect() as connection:
                found = connection.exec_driver_sql("SELECT count(*) FROM long_movies").scalar_one()
                in_table = "SELECT count(*) FROM movies WHERE runtime_minutes > 90"
                assert found == connection.exec_driver_sql(in_table).scalar_one() > 0
                assert granted(connection, kind, user, table)
                # a contract that changed: the tables are built again
                connection.exec_driver_sql("DROP VIEW long_movies")
                connection.exec_driver_sql("UPDATE snapshot SET contract_version = 'of old'")
            assert len(load(url, snapshots[1])) == len(published_tables()) + 1
            with everything.connect() as connection:
                assert granted(connection, kind, user, table)
            assert rows_of(url) == expected(snapshots[1])
        finally:
            with everything.connect() as connection:
                connection.exec_driver_sql(f"DROP OWNED BY {user}" if kind == "postgresql" else "SELECT 1")
                connection.exec_driver_sql(f"DROP {'ROLE' if kind == 'postgresql' else 'USER'} {user}")
            everything.dispose()


def granted(connection: sa.Connection, kind: str, user: str, table: str) -> bool:
    if kind == "postgresql":
        return bool(
            connection.exec_driver_sql(f"SELECT has_table_privilege('{user}', '{table}', 'SELECT')").scalar_one()
        )
    grants = connection.exec_driver_sql(f"SHOW GRANTS FOR {user}").scalars().all()
    return any("SELECT" in grant and "movies" in grant for grant in grants)


def test_a_view_on_a_table_that_must_be_built_again_is_named(tmp_path: Path, snapshots: tuple[Snapshot, Snapshot]):
    with new_database("postgresql", tmp_path) as url:
        load(url, snapshots[0])
        with reader(url).connect() as connection:
            connection.exec_driver_sql("CREATE VIEW core.mine AS SELECT * FROM core.movies")
            connection.exec_driver_sql("UPDATE published.snapshot SET contract_version = 'of old'")
        (failed,) = load_all([url], snapshots[1])
        assert "core.mine depends on" in failed.message
        assert "drop what depends on them" in failed.message
        assert not failed.may_pass
        with reader(url).connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM core.mine").scalar_one() > 0


def test_a_server_that_takes_no_files_gets_inserts(tmp_path: Path, snapshots: tuple[Snapshot, Snapshot]):
    with new_database("mysql", tmp_path) as url:
        load(f"{url}?local_infile=0", snapshots[0])
        assert rows_of(url) == expected(snapshots[0])


def test_rows_that_do_not_arrive_are_noticed(tmp_path: Path, snapshots: tuple[Snapshot, Snapshot]):
    import dataclasses

    first = snapshots[0]
    more = {n: dataclasses.replace(t, rows=t.rows + (n == "core.movies")) for n, t in first.manifest.tables.items()}
    wrong = dataclasses.replace(first, manifest=dataclasses.replace(first.manifest, tables=more))
    with new_database("sqlite", tmp_path) as url, pytest.raises(LoadFailed, match=r"core\.movies: .* rows arrived"):
        load(url, wrong)


def test_one_database_that_fails_keeps_no_other_from_its_rows(tmp_path: Path, snapshots: tuple[Snapshot, Snapshot]):
    with new_database("sqlite", tmp_path) as url:
        failed, worked = load_all(["postgresql://postgres:secret@127.0.0.1:1/nowhere", url], snapshots[0])
        assert rows_of(url) == expected(snapshots[0])
    assert worked.found
    assert "secret" not in f"{failed.name} {failed.message}"


WRONG = {
    "database": {"database": "no_such_database"},
    "user": {"username": "nobody_of_that_name", "password": "secret"},
    "port": {"port": 1},
    "host": {"host": "no-such-host.invalid"},
}


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("what", WRONG)
def test_a_hopeless_error_fails_at_once_and_is_named(
    kind: str, what: str, tmp_path: Path, states: tuple[State, State], home: Path, monkeypatch: pytest.MonkeyPatch
):
    with new_database(kind, tmp_path) as url:
        wrong = sa.make_url(url).set(**WRONG[what]).render_as_string(hide_password=False)
        monkeypatch.setenv("MOVIES_LOAD_TO", wrong)
        monkeypatch.setenv("MOVIES_PUBLISHED", str(states[0].published))
        waits: list[float] = []
        monkeypatch.setattr("time.sleep", waits.append)
        _, problem = run(LOAD_JOB)
    named = {"port": "refused", "user": "nobody_of_that_name"}.get(what, next(iter(WRONG[what].values())))
    assert str(named) in str(problem)
    assert "secret" not in str(problem)
    assert not [wait for wait in waits if wait >= 1]  # none of the retry policy's


@pytest.mark.parametrize(
    ("problem", "may_pass"),
    [
        (psycopg.OperationalError('FATAL:  password authentication failed for user "me"'), False),
        (psycopg.OperationalError("fe_sendauth: no password supplied"), False),
        (psycopg.OperationalError("FATAL:  the database system is starting up"), True),
        (psycopg.OperationalError("FATAL:  sorry, too many clients already"), True),
        (psycopg.OperationalError("server closed the connection unexpectedly"), True),
        (psycopg.errors.ConnectionTimeout("connection timeout expired"), True),
        (psycopg.errors.InsufficientPrivilege("permission denied for schema core"), False),
        (pymysql.err.OperationalError(2013, "Lost connection to MySQL server during query"), True),
        (pymysql.err.OperationalError(1045, "Access denied for user 'me'@'localhost' (using password: YES)"), False),
        (pymysql.err.OperationalError(1130, "Host 'a' is not allowed to connect to this MariaDB server"), False),
        (sqlite3.OperationalError("database is locked"), True),
        (sqlite3.OperationalError("attempt to write a readonly database"), False),
        (LoadFailed("rows"), False),
        (OSError("no space left on device"), True),
    ],
    ids=lambda value: str(value),
)
def test_only_what_may_pass_by_itself_is_tried_again(problem: Exception, may_pass: bool):
    wrapped = sa.exc.DBAPIError("SELECT 1", {}, problem)
    assert Outcome("x", error=problem).may_pass is Outcome("x", error=wrapped).may_pass is may_pass


def test_a_server_that_refuses_after_it_was_reached_is_restarting(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    from movies_platform.loaded import assets

    answers: list[Exception | None] = [
        psycopg.OperationalError("server closed the connection unexpectedly"),
        psycopg.OperationalError("connection failed: Connection refused"),
        None,
    ]
    monkeypatch.setattr(assets, "load_all", lambda *_, **__: [Outcome("x", ("core.movies",), answers.pop(0))])
    monkeypatch.setenv("MOVIES_LOAD_TO", f"sqlite:///{home}/films.db")
    monkeypatch.setenv("MOVIES_PUBLISHED", str(states[0].published))
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert run(LOAD_JOB)[1] is None
    assert answers == []


def test_an_outcome_that_worked_needs_no_other_try():
    assert not Outcome("x").may_pass


@pytest.mark.parametrize(
    "url",
    [
        "oracle://me:secret@host/x", "nonsense", "mysql+secret", "postgresql://me@host:secret/y",
        "postgresql://me:top@secret@host/films", "postgresql://me:top@secret/1@host/films",
        "mysql://me:top@secret?1@host/films", "mysql://me:top@secret:1/x@host/films",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_read_is_refused_without_its_password(url: str):
    with pytest.raises(SettingsError, match="no database to load") as refused:
        open_database(url)
    assert "secret" not in str(refused.value).partition("...")[2]
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("password", ["top%40secret", "top/secret", "top#secret", "top:secret", "top%2Fsecret%23"])
def test_a_password_is_in_no_name_message_and_history(
    password: str, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    url = f"postgresql://me:{password}@127.0.0.1:1/films"
    assert open_database(url).name == "postgresql://me:***@127.0.0.1:1/films"
    monkeypatch.setenv("MOVIES_LOAD_TO", url)
    monkeypatch.setenv("MOVIES_PUBLISHED", str(states[0].published))
    _, problem = run(LOAD_JOB)
    assert "postgresql://me:***@127.0.0.1:1/films" in str(problem)
    assert "secret" not in str(problem)
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert [path for path in kept if b"refused" in path.read_bytes()]
    assert not [path for path in kept if b"secret" in path.read_bytes()]


def test_a_folder_that_does_not_exist_is_named_and_not_made(tmp_path: Path, snapshots: tuple[Snapshot, Snapshot]):
    (failed,) = load_all([f"sqlite:///{tmp_path}/missing/films.db"], snapshots[0])
    assert f"{tmp_path}/missing does not exist" in failed.message
    assert not failed.may_pass
    assert not (tmp_path / "missing").exists()


def test_a_database_in_memory_is_refused():
    with pytest.raises(SettingsError, match="Name a file"):
        open_database("sqlite://")


def test_with_no_database_and_before_the_first_snapshot_the_check_passes(home: Path, monkeypatch: pytest.MonkeyPatch):
    assert databases_hold_latest_snapshot().passed
    monkeypatch.setenv("MOVIES_LOAD_TO", f"sqlite:///{home}/films.db")
    assert databases_hold_latest_snapshot().passed


def test_the_check_fails_for_an_old_snapshot_and_for_rows_that_are_gone(
    url: str, snapshots: tuple[Snapshot, Snapshot], states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MOVIES_LOAD_TO", url)
    monkeypatch.setenv("MOVIES_PUBLISHED", str(states[1].published))

    def verdict() -> tuple[bool | None, str]:
        result = databases_hold_latest_snapshot()
        assert result.severity == dg.AssetCheckSeverity.WARN
        return result.passed, f"{result.description} {result.metadata['databases'].value}"

    passed, text = verdict()
    assert not passed
    assert "never loaded" in text
    load(url, snapshots[0])
    passed, text = verdict()
    assert not passed
    assert snapshots[0].manifest.snapshot in text
    assert "materialize loaded/warehouses" in text
    load(url, snapshots[1])
    assert verdict()[0]
    with reader(url).connect() as connection:
        connection.exec_driver_sql("DELETE FROM movie_genres WHERE genre_id = 18")
    passed, text = verdict()
    assert not passed
    assert "core.movie_genres has" in text
    load(url, snapshots[1], force=True)
    assert verdict()[0]


def test_a_database_that_cannot_be_reached_is_not_judged(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MOVIES_LOAD_TO", "postgresql://me:secret@127.0.0.1:1/films")
    monkeypatch.setenv("MOVIES_PUBLISHED", str(states[0].published))
    result = databases_hold_latest_snapshot()
    assert result.passed
    assert "not compared" in result.metadata["databases"].value
    assert "secret" not in result.metadata["databases"].value


def test_every_table_has_an_order():
    assert [qualified(t) for t in published_tables() if not order_of(t)] == ["raw.data_issues"]


def test_quotes_in_the_path_of_the_home_are_part_of_its_name(
    url: str, tmp_path: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    from movies_platform.published.write import publish

    home = tmp_path / 'it\'s "a" 100% home \\n #1'
    home.mkdir()
    states[0].use(monkeypatch, home)
    snapshot = publish().snapshot
    if url.startswith("sqlite"):
        url = sa.URL.create("sqlite", database=str(home / "it's mine.db")).render_as_string()
    load(url, snapshot)
    assert rows_of(url) == expected(snapshot)


def test_a_password_among_the_options_of_a_url_is_not_shown():
    assert open_database("postgresql://host/films?user=me&password=secret").name == "postgresql://host/films"


def test_a_text_that_postgresql_cannot_store_is_named_and_keeps_no_other_database_from_its_rows(
    tmp_path: Path, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    from movies_platform.published.write import publish

    states[0].use(monkeypatch, home)
    with duckdb.connect(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE core.movies SET title = 'a' || chr(0) || 'b'")
    snapshot = publish().snapshot
    with new_database("postgresql", tmp_path) as url, new_database("sqlite", tmp_path) as other:
        failed, worked = load_all([url, other], snapshot)
    assert not failed.may_pass
    assert "COPY movies" in failed.message
    assert "NUL" in failed.message
    assert worked.found


def test_an_option_that_a_driver_does_not_know_is_named(snapshots: tuple[Snapshot, Snapshot]):
    (outcome,) = load_all(["mysql://root@127.0.0.1/any?foo=1"], snapshots[0])
    assert "foo" in outcome.message
    assert not outcome.may_pass
