"""Databases loaded with snapshots: real PostgreSQL, MariaDB and SQLite, with readers, kills and cut connections."""

import datetime as dt
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa

from movies_platform.contracts.published import SNAPSHOT, published_tables
from movies_platform.contracts.tables import key_of, order_of, qualified, references_of
from movies_platform.errors import LoadFailed, NoSnapshot, SettingsError
from movies_platform.loaded.loading import Attempt, load_all, open_database
from movies_platform.loaded.source import Source, latest_source
from movies_platform.snapshots import open_store
from movies_platform.snapshots.reading import database_of, latest_snapshot
from movies_platform_tests.databases import KINDS, SERVERS, new_database, reader
from movies_platform_tests.published_states import State, proxy_to


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database of each kind."""
    with new_database(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def sources(states: tuple[State, State], home: Path) -> tuple[Source, Source]:
    """The two published states."""
    first, second = (latest_snapshot(open_store(str(state.published))) for state in states)
    return Source(first.manifest, database_of(first)), Source(second.manifest, database_of(second))


def load(url: str, source: Source, *, again: bool = False) -> list[str]:
    """Load one database and expect it to work; the tables that were written."""
    (attempt,) = load_all([url], lambda: source, again=again)
    if attempt.error:
        raise attempt.error
    assert attempt.loaded
    return list(attempt.loaded.tables)


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


def expected(source: Source) -> dict[str, list[tuple[Any, ...]]]:
    """The same of the snapshot."""
    with duckdb.connect(source.database, read_only=True) as connection:
        return {
            qualified(t): sorted((_plain(r) for r in connection.execute(f"FROM {qualified(t)}").fetchall()), key=repr)
            for t in [*published_tables(), SNAPSHOT]
        }


def _plain(row: Any) -> tuple[Any, ...]:
    return tuple(value.isoformat() if isinstance(value, dt.date) else value for value in row)


def test_a_database_holds_the_snapshot_row_by_row_after_every_load(url: str, sources: tuple[Source, Source]):
    first, second = sources
    assert expected(first) != expected(second)
    assert len(load(url, first)) == len(published_tables()) + 1
    assert rows_of(url) == expected(first)
    assert load(url, first) == []
    assert "core.movies" in load(url, second)
    assert rows_of(url) == expected(second)
    load(url, first)
    assert rows_of(url) == expected(first)


def test_what_somebody_changed_by_hand_is_mended_on_demand(url: str, sources: tuple[Source, Source]):
    load(url, sources[0])
    with reader(url).connect() as connection:
        connection.exec_driver_sql("DELETE FROM movie_genres WHERE genre_id = 18")
        connection.exec_driver_sql("UPDATE movies SET title = NULL, budget_usd = 1")
        connection.exec_driver_sql("INSERT INTO genres VALUES (999999, 'Mine')")
    assert load(url, sources[0]) == []
    assert load(url, sources[0], again=True)
    assert rows_of(url) == expected(sources[0])


def test_keys_references_comments_and_indexes_are_as_the_contracts_declare(url: str, sources: tuple[Source, Source]):
    load(url, sources[0])
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


HOSTILE = [
    'He said "no", twice', "it's; DROP TABLE movies; --", "comma, and\nline\r\nbreaks\rof all kinds",
    "back\\slash \\N \\n",
    "NULL", "null", '"', ",", "東京 🎬 naïve", "%s %(x)s :x ${x} {x}", "tab\there", "\ufeffmark", "x" * 3_000_000,
]  # fmt: skip


def test_text_of_any_kind_arrives_as_it_is(
    url: str, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    from movies_platform.published.snapshot import publish

    states[0].use(monkeypatch, home)
    with duckdb.connect(home / "warehouse.duckdb") as connection:
        ids = [row[0] for row in connection.execute("SELECT movie_id FROM core.movies ORDER BY 1").fetchall()]
        for movie, text in zip(ids, HOSTILE, strict=False):
            connection.execute("UPDATE core.movies SET title = ? WHERE movie_id = ?", [text, movie])
    source = Source(publish().snapshot.manifest, database_of(latest_snapshot()))
    load(url, source)
    assert rows_of(url) == expected(source)
    with reader(url).connect() as connection:
        found = connection.exec_driver_sql("SELECT title FROM movies ORDER BY movie_id").scalars().all()
    assert list(found[: len(HOSTILE)]) == HOSTILE


WHOLE = """
SELECT (SELECT min(snapshot_id) FROM snapshot), (SELECT max(snapshot_id) FROM snapshot),
       (SELECT count(*) FROM movies), (SELECT sum(vote_count) FROM movies), (SELECT count(*) FROM movie_companies),
       (SELECT sum(releases) FROM company_releases_by_genre_by_year), (SELECT count(*) FROM data_issues),
       (SELECT sum(movies) FROM genre_popularity_by_year)
"""


def facts(source: Source) -> tuple[Any, ...]:
    with duckdb.connect(source.database, read_only=True) as connection:
        connection.execute("SET search_path = 'core,metrics,raw,published'")
        return tuple(connection.execute(WHOLE).fetchall()[0])


def test_a_reader_in_a_loop_during_ten_loads_sees_whole_snapshots_and_no_error(
    url: str, sources: tuple[Source, Source]
):
    load(url, sources[0])
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
            load(url, sources[1 - turn % 2])
    finally:
        stop.set()
        for thread in readers:
            thread.join()
    assert errors == []
    assert seen == {facts(sources[0]), facts(sources[1])}


KILLED = """
import os, signal, sys
from movies_platform.loaded import {kind} as module
before = module.expect_rows
def die(connection, table, contract, source):
    if table.name == os.environ["DIE_AT"]:
        os.kill(os.getpid(), signal.SIGKILL)
    before(connection, table, contract, source)
module.expect_rows = die
from movies_platform.loaded.loading import load_all
from movies_platform.loaded.source import latest_source
load_all(sys.argv[1:], latest_source)
"""


def kill_in_the_middle(url: str, published: Path, table: str = "movie_companies") -> None:
    """Load in a process that dies when most of the work is done and nothing is committed."""
    kind = {"postgresql": "postgres"}.get(url.partition(":")[0], url.partition(":")[0])
    own = {**os.environ, "MOVIES_PUBLISHED": str(published), "DIE_AT": table}
    died = subprocess.run(
        [sys.executable, "-c", KILLED.format(kind=kind), url], env=own, capture_output=True, text=True
    )
    assert died.returncode == -9, died.stderr


def test_a_load_that_is_killed_leaves_the_old_snapshot_and_the_next_one_works(
    url: str, sources: tuple[Source, Source], states: tuple[State, State]
):
    load(url, sources[0])
    kill_in_the_middle(url, states[1].published)
    assert rows_of(url) == expected(sources[0])
    load(url, sources[1])
    assert rows_of(url) == expected(sources[1])
    names = set(sa.inspect(reader(url)).get_table_names())
    assert not {name for name in names if "__" in name}  # nothing is left beside


def test_the_first_load_killed_leaves_nothing_to_be_read(url: str, states: tuple[State, State], home: Path):
    beside = "movie_companies__loading" if url.startswith("mysql") else "movie_companies"
    kill_in_the_middle(url, states[0].published, beside)
    with reader(url).connect() as connection, pytest.raises(sa.exc.DBAPIError):
        connection.exec_driver_sql("SELECT * FROM movies")


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_that_goes_away_and_comes_back_is_loaded_all_the_same(
    kind: str, tmp_path: Path, home: Path, states: tuple[State, State], sources: tuple[Source, Source],
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    from movies_platform.handing_on import load_in_a_run
    from movies_platform.resources.home import prepare_home

    with new_database(kind, tmp_path) as url, proxy_to(SERVERS[kind][1]) as proxy:
        load(url, sources[0])
        behind = sa.make_url(url).set(port=proxy.port).render_as_string(hide_password=False)
        monkeypatch.setenv("MOVIES_LOAD_TO", behind)
        monkeypatch.setenv("MOVIES_PUBLISHED", str(states[1].published))
        prepare_home()
        proxy.cut_after(30_000, away_seconds=1.5)
        done = load_in_a_run()
        assert done.problem is None
        assert proxy.cuts == 1
        assert rows_of(url) == expected(sources[1])


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_grants_and_views_stay(kind: str, tmp_path: Path, sources: tuple[Source, Source]):
    with new_database(kind, tmp_path) as url:
        load(url, sources[0])
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
            load(url, sources[1])
            with everything.connect() as connection:
                found = connection.exec_driver_sql("SELECT count(*) FROM long_movies").scalar_one()
                in_table = "SELECT count(*) FROM movies WHERE runtime_minutes > 90"
                assert found == connection.exec_driver_sql(in_table).scalar_one() > 0
                assert granted(connection, kind, user, table)
                # a contract that changed: the tables are built anew
                connection.exec_driver_sql("DROP VIEW long_movies")
                connection.exec_driver_sql("UPDATE snapshot SET contract_version = 'of old'")
            assert len(load(url, sources[1])) == len(published_tables()) + 1
            with everything.connect() as connection:
                assert granted(connection, kind, user, table)
            assert rows_of(url) == expected(sources[1])
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


def test_a_view_on_a_table_that_must_be_built_anew_is_told(tmp_path: Path, sources: tuple[Source, Source]):
    with new_database("postgresql", tmp_path) as url:
        load(url, sources[0])
        with reader(url).connect() as connection:
            connection.exec_driver_sql("CREATE VIEW core.mine AS SELECT * FROM core.movies")
            connection.exec_driver_sql("UPDATE published.snapshot SET contract_version = 'of old'")
        with pytest.raises(LoadFailed, match=r"core\.mine depends on"):
            load(url, sources[1])
        with reader(url).connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM core.mine").scalar_one() > 0


def test_a_server_that_takes_no_files_gets_inserts(
    tmp_path: Path, sources: tuple[Source, Source], monkeypatch: pytest.MonkeyPatch
):
    from movies_platform.loaded import mysql

    def refused(*_: object) -> None:
        import pymysql

        raise sa.exc.OperationalError("LOAD DATA", {}, pymysql.err.OperationalError(4166, "not allowed"))

    monkeypatch.setattr(mysql, "_load_data", refused)
    with new_database("mysql", tmp_path) as url:
        load(url, sources[0])
        assert rows_of(url) == expected(sources[0])


def test_rows_that_do_not_arrive_are_noticed(tmp_path: Path, sources: tuple[Source, Source]):
    import dataclasses

    first = sources[0]
    more = {n: dataclasses.replace(t, rows=t.rows + (n == "core.movies")) for n, t in first.manifest.tables.items()}
    wrong = Source(dataclasses.replace(first.manifest, tables=more), first.database)
    with new_database("sqlite", tmp_path) as url, pytest.raises(LoadFailed, match=r"core\.movies: .* rows arrived"):
        load(url, wrong)


def test_one_database_that_fails_keeps_no_other_from_its_rows(tmp_path: Path, sources: tuple[Source, Source]):
    with new_database("sqlite", tmp_path) as url:
        nobody = "postgresql://postgres:secret@127.0.0.1:1/nowhere"
        failed, worked = load_all([nobody, url], lambda: sources[0])
        assert rows_of(url) == expected(sources[0])
    assert worked.loaded
    assert failed.is_worth_another
    assert "secret" not in f"{failed.name} {failed.error}"


@pytest.mark.parametrize("kind", SERVERS)
def test_a_wrong_name_is_not_tried_again(kind: str, tmp_path: Path, sources: tuple[Source, Source]):
    with new_database(kind, tmp_path) as url:
        wrong = sa.make_url(url).set(database="no_such_database").render_as_string(hide_password=False)
        (attempt,) = load_all([wrong], lambda: sources[0])
    assert isinstance(attempt.error, LoadFailed)
    assert not attempt.is_worth_another
    assert "no_such_database" in str(attempt.error)


@pytest.mark.parametrize(
    "url", ["oracle://me:secret@host/x", "nonsense", "mysql+secret", "postgresql://me@host:secret/y"]
)
def test_another_kind_of_url_is_refused_without_its_password(url: str):
    with pytest.raises(SettingsError, match="no database to load") as refused:
        open_database(url)
    assert "secret" not in str(refused.value).partition("...")[2]


def test_without_a_snapshot_there_is_nothing_to_load(home: Path):
    with pytest.raises(NoSnapshot):
        load_all([], latest_source)


def test_an_attempt_that_worked_is_not_worth_another():
    assert not Attempt("x").is_worth_another


def test_every_table_has_an_order():
    assert [qualified(t) for t in published_tables() if not order_of(t)] == ["raw.data_issues"]


def test_quotes_in_the_path_of_the_home_are_part_of_its_name(
    url: str, tmp_path: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    from movies_platform.published.snapshot import publish

    home = tmp_path / 'it\'s "a" 100% home \\n #1'
    home.mkdir()
    states[0].use(monkeypatch, home)
    source = Source(publish().snapshot.manifest, database_of(latest_snapshot()))
    if url.startswith("sqlite"):
        url = sa.URL.create("sqlite", database=str(home / "it's mine.db")).render_as_string()
    load(url, source)
    assert rows_of(url) == expected(source)


def test_a_password_among_the_options_of_a_url_is_not_shown():
    assert open_database("postgresql://host/films?user=me&password=secret").name == "postgresql://host/films"


def test_a_text_that_postgresql_cannot_store_is_told_and_keeps_no_other_database_from_its_rows(
    tmp_path: Path, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    from movies_platform.published.snapshot import publish

    states[0].use(monkeypatch, home)
    with duckdb.connect(home / "warehouse.duckdb") as connection:
        connection.execute("UPDATE core.movies SET title = 'a' || chr(0) || 'b'")
    source = Source(publish().snapshot.manifest, database_of(latest_snapshot()))
    with new_database("postgresql", tmp_path) as url, new_database("sqlite", tmp_path) as other:
        failed, worked = load_all([url, other], lambda: source)
    assert isinstance(failed.error, LoadFailed)
    assert "core.movies" in str(failed.error)
    assert "NUL" in str(failed.error)
    assert worked.loaded


def test_an_option_that_a_driver_does_not_know_is_told(sources: tuple[Source, Source]):
    (attempt,) = load_all(["mysql://root@127.0.0.1/any?foo=1"], lambda: sources[0])
    assert isinstance(attempt.error, SettingsError)
    assert "foo" in str(attempt.error)
    assert not attempt.is_worth_another
