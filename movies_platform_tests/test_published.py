"""Snapshots: whole, verified, refused when they look wrong, and never half visible."""

import csv
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

import movies_platform
from movies_platform.contracts.published import SNAPSHOT, contract_version, present_tables, published_tables
from movies_platform.contracts.tables import order_of, qualified, table_named
from movies_platform.errors import NoSnapshot, SnapshotDamaged, SnapshotRefused
from movies_platform.published import snapshot as publishing
from movies_platform.published.files import Part, parts_of, verify
from movies_platform.published.guard import objections
from movies_platform.published.snapshot import publish
from movies_platform.snapshots import open_store
from movies_platform.snapshots.manifest import Content, Manifest
from movies_platform.snapshots.reading import Snapshot, latest_snapshot
from movies_platform_tests.published_states import State, proxy_to


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty place for snapshots, named by the settings."""
    address = request.getfixturevalue("bucket") if request.param == "s3" else str(home / "published")
    monkeypatch.setenv("MOVIES_PUBLISHED", address)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    return address


@pytest.fixture
def snapshot(states: tuple[State, State]) -> Snapshot:
    """The published snapshot of three months."""
    return latest_snapshot(open_store(str(states[1].published)))


def records(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def folder_of(snapshot: Snapshot) -> Path:
    return Path(snapshot.store.address, snapshot.pointer.folder)


def test_every_file_is_in_the_manifest_with_its_size_and_digest(snapshot: Snapshot):
    folder = folder_of(snapshot)
    on_disk = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    assert {file.path for file in snapshot.manifest.files} == set(on_disk) - {"manifest.json"}
    for file in snapshot.manifest.files:
        content = on_disk[file.path].read_bytes()
        assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_every_table_and_month_is_there_in_every_form_with_all_rows(snapshot: Snapshot, states: tuple[State, State]):
    folder, manifest = folder_of(snapshot), snapshot.manifest
    assert manifest.months == ["2017-11", "2017-12", "2018-01"]
    with duckdb.connect(states[1].warehouse, read_only=True) as warehouse, duckdb.connect() as files:
        files.execute(f"ATTACH '{folder / 'movies.duckdb'}' AS movies (READ_ONLY)")
        for part in parts_of(manifest.months):
            where = f"WHERE delivery_month = '{part.month}-01'" if part.month else ""
            order = ", ".join(order_of(part.table)) or "ALL"
            query = "SELECT {columns} FROM {relation} {where} ORDER BY {order}"
            columns = ", ".join(column.name for column in part.table.columns)
            ask = {"columns": columns, "where": where, "order": order}
            rows = warehouse.execute(query.format(relation=qualified(part.table), **ask)).fetchall()
            assert rows
            stored = files.execute(query.format(relation=f"movies.{qualified(part.table)}", **ask)).fetchall()
            # as stored: files keep the order of the key
            parquet = files.execute(f"SELECT {columns} FROM '{folder / 'parquet' / part.stem}.parquet'").fetchall()
            assert (stored, parquet) == (rows, rows)
            text = gzip.decompress((folder / "csv" / f"{part.stem}.csv.gz").read_bytes()).decode()
            read = list(csv.reader(io.StringIO(text)))
            assert read[0] == columns.split(", ")
            assert len(read) == len(rows) + 1
            assert [r[0] for r in read[1:]] == [str(row[0]) for row in rows]
            if part.month is None:
                name = qualified(part.table)
                assert manifest.tables[name].sha256 == hashlib.sha256(text.encode()).hexdigest()
                assert manifest.tables[name].rows == len(rows)


def test_the_wide_reports_hold_every_answer_of_a_group_and_year(snapshot: Snapshot):
    folder = folder_of(snapshot)
    with duckdb.connect(folder / "movies.duckdb", read_only=True) as connection:
        for report, kind in (("genre_data", "genre"), ("production_data", "company")):
            rows = records(folder / f"{report}.csv")
            keys = [(int(row["year"]), int(row[f"{kind}_id"])) for row in rows]
            assert keys == sorted(set(keys))
            for subject in ("budget", "revenue", "profit", "popularity"):
                table = table_named(f"metrics.{kind}_{subject}_by_year")
                names = [column.name for column in table.columns]
                answers = connection.execute(f"SELECT * FROM {qualified(table)} ORDER BY year, {kind}_id").fetchall()
                assert answers
                for row, answer in zip(rows, answers, strict=True):
                    told = [row[name] for name in names]
                    assert [None if t == "" else type(a)(t) for t, a in zip(told, answer, strict=True)] == list(answer)
        winners = connection.execute(
            "SELECT year, genre_id, measure FROM metrics.most_popular_genre_by_year"
        ).fetchall()
        genres = records(folder / "genre_data.csv")
        marked = {
            (int(r["year"]), int(r["genre_id"]), name.removeprefix("is_most_popular_by_"))
            for r in genres for name, value in r.items() if name.startswith("is_most") and value == "true"
        }  # fmt: skip
        assert marked == set(winners)
        companies = records(folder / "production_data.csv")
        released = connection.execute(
            "SELECT year, company_id, genre_name, releases FROM metrics.company_releases_by_genre_by_year"
        ).fetchall()
        told = {
            (int(r["year"]), int(r["company_id"]), part.rsplit("=", 1)[0], int(part.rsplit("=", 1)[1]))
            for r in companies if r["releases_by_genre"] for part in r["releases_by_genre"].split("; ")
        }  # fmt: skip
        assert told == set(released)


def test_the_database_says_which_snapshot_it_is_and_what_columns_mean(snapshot: Snapshot):
    with duckdb.connect(folder_of(snapshot) / "movies.duckdb", read_only=True) as connection:
        rows = connection.execute("FROM published.snapshot").fetchall()
        assert {row[0]: Content(*row[2:]) for row in rows} == dict(snapshot.manifest.tables)
        assert {row[1] for row in rows} == {snapshot.manifest.snapshot}
        for table in [*published_tables(), SNAPSHOT]:
            comments = dict(connection.execute(
                "SELECT column_name, comment FROM duckdb_columns() WHERE schema_name = ? AND table_name = ?",
                [table.schema, table.name],
            ).fetchall())  # fmt: skip
            assert comments == {column.name: column.comment for column in table.columns}


def test_publishing_then_the_same_then_more(
    place: str, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    first = publish()
    again = publish()
    assert (first.is_new, again.is_new) == (True, False)
    assert again.snapshot.pointer == first.snapshot.pointer
    states[1].use(monkeypatch, home)
    second = publish()
    assert second.is_new
    assert second.snapshot.pointer.earlier == [first.snapshot.pointer.folder]
    assert second.snapshot.manifest.months == ["2017-11", "2017-12", "2018-01"]
    # the same tables, published elsewhere, by another process
    assert second.snapshot.manifest.snapshot == latest_snapshot(open_store(str(states[1].published))).manifest.snapshot
    with movies_platform.open_snapshot() as connection:
        months = connection.execute("SELECT DISTINCT delivery_month FROM data_issues ORDER BY 1").fetchall()
    assert [row[0].strftime("%Y-%m") for row in months] == second.snapshot.manifest.months


def test_readers_in_a_loop_see_whole_snapshots_while_two_writers_publish(
    place: str, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    publish()
    allowed = {latest_snapshot(open_store(str(s.published))).manifest.snapshot for s in states}
    code = (
        "import os; from movies_platform.published.snapshot import publish\n"
        "for warehouse in os.environ['TURNS'].split():\n"
        "    os.environ['MOVIES_WAREHOUSE'] = warehouse; publish(insist=True)"
    )
    writers = []
    for turns in (states, states[::-1]):
        own = {**os.environ, "TURNS": " ".join(str(s.warehouse) for s in turns), "MOVIES_HOME": str(home)}
        writers.append(subprocess.Popen([sys.executable, "-c", code], env=own, stderr=subprocess.PIPE, text=True))
    seen: list[str] = []
    while any(writer.poll() is None for writer in writers):
        found = latest_snapshot()
        for file in found.manifest.files[:3]:
            assert found.store.digest(found.path(file.path)) == (file.bytes, file.sha256)
        with movies_platform.open_snapshot() as connection:
            ids = connection.execute("SELECT DISTINCT snapshot_id FROM published.snapshot").fetchall()
        assert len(ids) == 1
        seen.append(ids[0][0])
        time.sleep(0.02)
    errors = [writer.communicate()[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], errors
    assert set(seen) == allowed
    assert latest_snapshot().manifest.snapshot in allowed


@pytest.mark.parametrize("step", ["_store", "point"])
def test_a_writer_that_dies_leaves_the_old_snapshot_and_the_next_one_works(
    step: str, place: str, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    before = publish().snapshot
    states[1].use(monkeypatch, home)
    code = (
        "import os, signal\n"
        "from movies_platform.published import snapshot\n"
        "from movies_platform.snapshots import open_store\n"
        f"owner = {'snapshot' if step == '_store' else 'type(open_store())'}\n"
        f"owner.{step} = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        "snapshot.publish()"
    )
    died = subprocess.run([sys.executable, "-c", code], env={**os.environ}, capture_output=True, text=True)
    assert died.returncode == -9, died.stderr
    assert latest_snapshot().pointer == before.pointer
    after = publish().snapshot
    assert latest_snapshot().pointer == after.pointer
    assert after.pointer.earlier == [before.pointer.folder]


def test_an_s3_server_that_goes_away_and_comes_back(
    bucket: str, s3_url: str, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    from movies_platform.handing_on import publish_in_a_run
    from movies_platform.resources.home import prepare_home

    states[0].use(monkeypatch, home)
    monkeypatch.setenv("MOVIES_PUBLISHED", bucket)
    prepare_home()
    with proxy_to(int(s3_url.rpartition(":")[2])) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        proxy.cut_after(100_000, away_seconds=2.5)  # longer than the client tries by itself
        done = publish_in_a_run()
        assert proxy.cuts == 1
    assert done.problem is None
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_url)
    found = latest_snapshot()
    assert found.manifest.snapshot == done.said["snapshot"]
    for file in found.manifest.files:
        assert found.store.digest(found.path(file.path)) == (file.bytes, file.sha256)


def test_old_snapshots_stay_for_a_set_number(home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_KEEP_SNAPSHOTS", "2")
    states[0].use(monkeypatch, home)
    made = [publish(insist=True).snapshot.pointer.folder for _ in range(4)]
    assert latest_snapshot().pointer.earlier == [made[2]]
    assert set(latest_snapshot().store.folders()) == set(made[2:])


def test_what_a_dead_writer_left_is_removed_after_a_day(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    for name, age in (("old", 2 * 86_400), ("young", 3600)):
        left = home / "published/snapshots" / name
        left.mkdir(parents=True)
        changed = left.stat().st_mtime - age
        os.utime(left, (changed, changed))
    folder = publish().snapshot.pointer.folder
    assert set(latest_snapshot().store.folders()) == {"snapshots/young", folder}


def manifest(rows: dict[str, int], months: tuple[str, ...] = ("2017-11",)) -> Manifest:
    return Manifest("id", "now", "", list(months), {n: Content(r, "", "") for n, r in rows.items()}, [])


@pytest.mark.parametrize(
    ("months", "rows", "before", "said"),
    [
        (["2017-11"], {"core.movies": 100}, None, []),
        (["2017-11"], {"core.movies": 0}, None, ["core.movies is empty"]),
        (["2017-11"], {"core.movies": 80}, manifest({"core.movies": 100}), []),
        (["2017-11"], {"core.movies": 79}, manifest({"core.movies": 100}),
         ["core.movies has 79 rows, 100 in the snapshot before"]),
        (["2017-12"], {"core.movies": 99}, manifest({"core.movies": 9}),
         ["the months 2017-11 of the snapshot before are not there any more"]),
        (["2017-11"], {"a": 1}, manifest({"a": 1, "b": 1}), ["b is not there any more"]),
        (["2017-11"], {"a": 1, "b": 5}, manifest({"a": 1}), []),
        (["2017-11"], {"a": 1, "free": 0}, manifest({"a": 1, "free": 9}), []),
    ],
    ids=["first", "empty", "a little less", "much less", "a month less", "a table less", "a table more", "no issues"],
)  # fmt: skip
def test_what_is_refused(months: list[str], rows: dict[str, int], before: Manifest | None, said: list[str]):
    assert objections(months, rows, before, free=["free"]) == said


def test_a_shrunken_table_is_refused_aloud_unless_one_insists(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[1].use(monkeypatch, home)
    before = publish().snapshot.pointer
    states[0].use(monkeypatch, home)
    with pytest.raises(SnapshotRefused, match=r"months 2017-12, 2018-01 .* not there any more.*--insist"):
        publish()
    assert latest_snapshot().pointer == before
    assert publish(insist=True).snapshot.manifest.months == ["2017-11"]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (
            "DELETE FROM core.companies WHERE company_id = (SELECT max(company_id) FROM core.companies)",
            "blocking checks",
        ),
        (
            "DELETE FROM platform.builds WHERE table_name = 'core.movies'",
            "core.movies does not show what was delivered",
        ),
    ],
    ids=["a failing check", "out of date"],
)
def test_unfit_tables_are_never_published(
    statement: str, reason: str, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    with duckdb.connect(home / "warehouse.duckdb") as connection:
        connection.execute(statement)
    with pytest.raises(SnapshotRefused, match=reason):
        publish(insist=True)
    with pytest.raises(NoSnapshot):
        latest_snapshot()


def test_a_file_that_does_not_read_back_is_found(tmp_path: Path, snapshot: Snapshot):
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(folder_of(snapshot), folder)
    parts = [part for part in parts_of(snapshot.manifest.months) if part.table.name == "genres"]
    assert verify(folder, parts)["parquet/core/genres.parquet"] > 0
    with duckdb.connect() as connection:
        path = folder / parts[0].parquet
        connection.execute(f"CREATE TABLE g AS SELECT genre_id, upper(genre_name) AS genre_name FROM '{path}'")
        connection.execute(f"COPY g TO '{path}' (FORMAT parquet)")
    with pytest.raises(SnapshotDamaged, match=r"genres\.parquet"):
        verify(folder, parts)


def test_a_store_that_gives_back_something_else_is_noticed(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    from movies_platform.snapshots.folder import FolderStore

    states[0].use(monkeypatch, home)
    monkeypatch.setattr(FolderStore, "digest", lambda self, path: (0, "nonsense"))
    with pytest.raises(SnapshotDamaged, match="does not read back"):
        publish()
    with pytest.raises(NoSnapshot):
        latest_snapshot()


def test_a_damaged_manifest_is_told_and_mended_by_insisting(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    found = publish().snapshot
    (folder_of(found) / "manifest.json").write_text("{}")
    with pytest.raises(SnapshotDamaged):
        publish()
    assert publish(insist=True).is_new
    assert latest_snapshot().manifest.snapshot == found.manifest.snapshot


@pytest.mark.parametrize("content", ["junk", "[]", '{"snapshot": "a"}'])
def test_a_damaged_pointer_is_told_and_mended_by_insisting(
    content: str, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    found = publish().snapshot
    (home / "published/latest.json").write_text(content)
    with pytest.raises(SnapshotDamaged, match=r"latest\.json"):
        publish()
    assert publish(insist=True).is_new
    assert latest_snapshot().manifest.snapshot == found.manifest.snapshot


def test_a_later_writer_begins_again_with_what_the_warehouse_holds_then(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    real = publishing.write_others
    turns = threading.local()

    def overtaken(folder: Path, parts: list[Part]) -> None:
        real(folder, parts)
        if not getattr(turns, "done", False):
            turns.done = True
            states[1].use(monkeypatch, home)
            publish()

    monkeypatch.setattr(publishing, "write_others", overtaken)
    made = publish()
    assert not made.is_new  # the other one published what the warehouse held the second time
    assert made.snapshot.manifest.months == ["2017-11", "2017-12", "2018-01"]
    assert made.snapshot.pointer.earlier == []


def test_a_contract_version_follows_what_readers_rely_on():
    import sqlalchemy as sa

    from movies_platform.contracts.columns import Text, Whole, column

    def table(**changes: object) -> sa.Table:
        about = {"null": False, "comment": "x", "type_": Whole, **changes}
        kind, comment = about.pop("type_"), about.pop("comment")
        return sa.Table("t", sa.MetaData(), column("a", kind, comment, **about), schema="core")

    versions = [contract_version(t) for t in (table(), table(null=True), table(type_=Text), table(at_least=1))]
    assert len(set(versions)) == 4
    assert contract_version(table(comment="y")) == versions[0]
    assert len({contract_version(t) for t in present_tables()}) > 5


def test_the_manifest_is_read_as_it_was_written(snapshot: Snapshot):
    content = snapshot.manifest.to_json()
    assert Manifest.from_json(content) == snapshot.manifest
    assert json.loads(content)["tables"]["core.movies"]["rows"] > 0
