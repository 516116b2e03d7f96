"""Snapshots: whole, verified, refused when they look wrong, and never half visible."""

import csv
import dataclasses
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import duckdb
import pytest
from click.testing import CliRunner

import movies_platform
from movies_platform.automation.jobs import PUBLISH_JOB
from movies_platform.cli import cli
from movies_platform.contracts.published import SNAPSHOT, contract_version, present_tables, published_tables
from movies_platform.contracts.tables import order_of, qualified, table_named
from movies_platform.errors import NoSnapshot, SnapshotDamaged, SnapshotRefused
from movies_platform.published import write
from movies_platform.published.read import Snapshot, database_of, latest_snapshot
from movies_platform.published.store import Content, FolderStore, Manifest, Pointer, from_json, open_store, to_json
from movies_platform.published.write import guardrails, missing_months, publish
from movies_platform.refresh import refresh
from movies_platform.resources.home import prepare_home
from movies_platform_tests.published_states import State, proxy_to, run


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


def folders(place: Path) -> set[str]:
    return {f"snapshots/{folder.name}" for folder in (place / "snapshots").iterdir()}


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
        entries = [file for file in manifest.files if file.path.startswith("parquet/")]
        for entry in entries:
            table = table_named(str(entry.table))
            stem = "/".join([str(table.schema), table.name, *([entry.month] if entry.month else [])])
            where = f"WHERE delivery_month = '{entry.month}-01'" if entry.month else ""
            order = ", ".join(order_of(table)) or "ALL"
            query = "SELECT {columns} FROM {relation} {where} ORDER BY {order}"
            columns = ", ".join(column.name for column in table.columns)
            ask = {"columns": columns, "where": where, "order": order}
            rows = warehouse.execute(query.format(relation=qualified(table), **ask)).fetchall()
            assert rows
            stored = files.execute(query.format(relation=f"movies.{qualified(table)}", **ask)).fetchall()
            # as stored: files keep the order of the key
            parquet = files.execute(f"SELECT {columns} FROM '{folder / 'parquet' / stem}.parquet'").fetchall()
            assert (stored, parquet) == (rows, rows)
            text = gzip.decompress((folder / "csv" / f"{stem}.csv.gz").read_bytes()).decode()
            read = list(csv.reader(io.StringIO(text)))
            assert read[0] == columns.split(", ")
            assert len(read) == len(rows) + 1
            assert [r[0] for r in read[1:]] == [str(row[0]) for row in rows]
            assert entry.rows == manifest.file(f"csv/{stem}.csv.gz").rows == len(rows)
            if entry.month is None:
                name = qualified(table)
                assert manifest.tables[name].sha256 == hashlib.sha256(text.encode()).hexdigest()
                assert manifest.tables[name].rows == len(rows)
        assert {entry.table for entry in entries} == {qualified(table) for table in published_tables()}


def test_the_wide_reports_hold_every_answer_of_a_group_and_year(snapshot: Snapshot):
    folder = folder_of(snapshot)
    with duckdb.connect(folder / "movies.duckdb", read_only=True) as connection:
        for report, kind in (("genre_data", "genre"), ("production_data", "company")):
            rows = records(folder / f"{report}.csv")
            keys = [(int(row["year"]), int(row[f"{kind}_id"])) for row in rows]
            assert keys == sorted(set(keys))
            for subject in ("budget", "revenue", "profit", "popularity", "ratings"):
                table = table_named(f"metrics.{kind}_{subject}_by_year")
                names = [column.name for column in table.columns]
                answers = connection.execute(f"SELECT * FROM {qualified(table)} ORDER BY year, {kind}_id").fetchall()
                assert answers
                for row, answer in zip(rows, answers, strict=True):
                    told = [row[name] for name in names]
                    assert [None if t == "" else type(a)(t) for t, a in zip(told, answer, strict=True)] == list(answer)
        genres = records(folder / "genre_data.csv")
        for what in ("most_popular", "best_rated"):
            winners = connection.execute(f"SELECT year, genre_id, measure FROM metrics.{what}_genre_by_year").fetchall()
            marked = {
                (int(r["year"]), int(r["genre_id"]), name.removeprefix(f"is_{what}_by_"))
                for r in genres for name, value in r.items() if name.startswith(f"is_{what}") and value == "true"
            }  # fmt: skip
            assert marked == set(winners) != set()
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
        "import os; from movies_platform.published.write import publish\n"
        "for warehouse in os.environ['TURNS'].split():\n"
        "    os.environ['MOVIES_WAREHOUSE'] = warehouse; publish(force=True)"
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


@pytest.mark.parametrize("step", ["put_and_read_back", "replace_latest"])
def test_a_writer_that_dies_leaves_the_old_snapshot_and_the_next_one_works(
    step: str, place: str, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    before = publish().snapshot
    states[1].use(monkeypatch, home)
    code = (
        "import os, signal\n"
        "from movies_platform.published import write\n"
        f"owner = {'type(write.open_store())' if step == 'replace_latest' else 'write'}\n"
        f"owner.{step} = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write.publish()"
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
    states[0].use(monkeypatch, home)
    monkeypatch.setenv("MOVIES_PUBLISHED", bucket)
    with proxy_to(int(s3_url.rpartition(":")[2])) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        proxy.cut_after(100_000, away_seconds=2.5)  # longer than the client tries by itself
        metadata, problem = run(PUBLISH_JOB)
        assert proxy.cuts == 1
    assert problem is None
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_url)
    found = latest_snapshot()
    assert found.manifest.snapshot == metadata["snapshot"]
    for file in found.manifest.files:
        assert found.store.digest(found.path(file.path)) == (file.bytes, file.sha256)


def test_old_snapshots_stay_for_a_set_number(home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_KEEP_SNAPSHOTS", "2")
    states[0].use(monkeypatch, home)
    made = [publish(force=True).snapshot.pointer.folder for _ in range(4)]
    assert latest_snapshot().pointer.earlier == [made[2]]
    assert folders(home / "published") == set(made[2:])


def test_what_a_dead_writer_left_is_removed_after_a_day(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    for name, age in (("old", 2 * 86_400), ("young", 3600)):
        left = home / "published/snapshots" / name
        left.mkdir(parents=True)
        (left / "movies.duckdb").write_bytes(b"half")
        changed = left.stat().st_mtime - age
        os.utime(left / "movies.duckdb", (changed, changed))
    folder = publish().snapshot.pointer.folder
    assert folders(home / "published") == {"snapshots/young", folder}


def contents(rows: dict[str, int]) -> dict[str, Content]:
    return {name: Content(count, "", "") for name, count in rows.items()}


def manifest(rows: dict[str, int]) -> Manifest:
    return Manifest("id", "now", "", ["2017-11"], contents(rows), [])


@pytest.mark.parametrize(
    ("months", "rows", "before", "reasons"),
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
        (["2017-11"], {"a": 1, "raw.data_issues": 0}, manifest({"a": 1, "raw.data_issues": 9}), []),
        (["2017-11"], {"core.ratings": 0, "core.people": 0}, None, []),
        (["2017-11"], {"core.ratings": 0}, manifest({"core.ratings": 0}), []),
        (["2017-11"], {"core.ratings": 0}, manifest({"core.ratings": 1}), ["core.ratings is empty"]),
        (["2017-11"], {"core.collections": 0}, None, ["core.collections is empty"]),
    ],
    ids=["first", "empty", "a little less", "much less", "a month less", "a table less", "a table more", "no issues",
         "no optional files", "still none", "an optional file's rows are gone", "no collections"],
)  # fmt: skip
def test_what_is_refused(months: list[str], rows: dict[str, int], before: Manifest | None, reasons: list[str]):
    assert guardrails(months, contents(rows), before) == reasons


def test_a_table_without_csv_has_parquet_and_the_same_digest(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    whole = publish().snapshot.manifest
    monkeypatch.setenv("MOVIES_PUBLISH_WITHOUT", "core.ratings, raw.*")
    less = publish()
    assert less.is_new
    assert (less.snapshot.manifest.snapshot, less.snapshot.manifest.tables) == (whole.snapshot, whole.tables)
    paths = {file.path for file in less.snapshot.manifest.files}
    left_out = {"csv/core/ratings.csv.gz", "csv/raw/data_issues/2017-11.csv.gz"}
    assert {file.path for file in whole.files} - paths == left_out
    on_disk = {p.relative_to(folder_of(less.snapshot)).as_posix() for p in folder_of(less.snapshot).rglob("*.*")}
    assert on_disk == paths | {"manifest.json"}
    assert not publish().is_new
    monkeypatch.delenv("MOVIES_PUBLISH_WITHOUT")
    assert left_out < {file.path for file in publish().snapshot.manifest.files}


def test_a_shrunken_table_is_refused_unless_forced(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[1].use(monkeypatch, home)
    before = publish().snapshot.pointer
    states[0].use(monkeypatch, home)
    with pytest.raises(SnapshotRefused, match=r"months 2017-12, 2018-01 .* not there any more.*--force"):
        publish()
    assert latest_snapshot().pointer == before
    assert publish(force=True).snapshot.manifest.months == ["2017-11"]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (
            "DELETE FROM core.companies WHERE company_id = (SELECT max(company_id) FROM core.companies)",
            "core.movie_companies: .*not in core.companies",
        ),
        (
            "DELETE FROM platform.builds WHERE table_name = 'core.movies'",
            "core.movies does not show what was delivered",
        ),
    ],
    ids=["a broken contract", "out of date"],
)
def test_unfit_tables_are_never_published(
    statement: str, reason: str, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    with duckdb.connect(home / "warehouse.duckdb") as connection:
        connection.execute(statement)
    with pytest.raises(SnapshotRefused, match=reason):
        publish(force=True)
    with pytest.raises(NoSnapshot):
        latest_snapshot()


def test_a_parquet_file_that_does_not_read_back_is_found(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    real = write._copy

    def damaged(connection: duckdb.DuckDBPyConnection, query: str, path: Path, options: str) -> int:
        if path.name == "genres.parquet":
            query = f"SELECT genre_id, upper(genre_name) AS genre_name FROM ({query})"
        return real(connection, query, path, options)

    monkeypatch.setattr(write, "_copy", damaged)
    with pytest.raises(SnapshotDamaged, match=r"genres\.parquet"):
        publish()


def test_a_store_that_gives_back_something_else_is_noticed(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    real = FolderStore.put

    def damaged(self: FolderStore, folder: str, source: Path, paths: list[str]) -> None:
        real(self, folder, source, paths)
        if "genre_data.csv" in paths:
            (self.root / folder / "genre_data.csv").write_bytes(b"something else")

    monkeypatch.setattr(FolderStore, "put", damaged)
    with pytest.raises(SnapshotDamaged, match=r"genre_data\.csv does not read back"):
        publish()
    with pytest.raises(NoSnapshot):
        latest_snapshot()


def test_a_damaged_manifest_is_reported_and_written_again_by_force(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    found = publish().snapshot
    (folder_of(found) / "manifest.json").write_text("{}")
    with pytest.raises(SnapshotDamaged):
        publish()
    assert publish(force=True).is_new
    assert latest_snapshot().manifest.snapshot == found.manifest.snapshot


@pytest.mark.parametrize("content", ["junk", "[]", "", '{"snapshot": "a"}', '{"snapshot": "a", "folder": null}'])
def test_a_damaged_pointer_is_reported_with_a_remedy(content: str, tmp_path: Path):
    (tmp_path / "latest.json").write_text(content)
    with pytest.raises(SnapshotDamaged, match=r"latest\.json is not what was published .*publish --force"):
        latest_snapshot(open_store(str(tmp_path)))


def test_a_damaged_pointer_is_written_again_by_force(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    found = publish().snapshot
    (home / "published/latest.json").write_text("junk")
    with pytest.raises(SnapshotDamaged, match=r"latest\.json"):
        publish()
    assert publish(force=True).is_new
    assert latest_snapshot().manifest.snapshot == found.manifest.snapshot


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda fields: fields.pop("months"), "months: Field required"),
        (lambda fields: fields.update(tables=None), "tables: "),
        (lambda fields: fields["tables"]["core.movies"].pop("sha256"), "core.movies.sha256: Field required"),
        (lambda fields: fields["files"].clear(), r"names no movies\.duckdb"),
        (lambda fields: fields["files"][0].update(bytes="many"), "bytes: "),
    ],
    ids=["no months", "null tables", "a table without digest", "no files", "a text as size"],
)
def test_a_manifest_without_fields_is_reported_with_a_remedy(
    damage: Callable[[Any], object], reason: str, tmp_path: Path, states: tuple[State, State]
):
    shutil.copytree(states[0].published, tmp_path / "published")
    store = open_store(str(tmp_path / "published"))
    found = latest_snapshot(store)
    fields = json.loads(to_json(found.manifest))
    damage(fields)
    (folder_of(found) / "manifest.json").write_text(json.dumps(fields))
    digest = hashlib.sha256(json.dumps(fields).encode()).hexdigest()
    pointer = dataclasses.replace(found.pointer, manifest_sha256=digest)
    assert store.replace_latest(to_json(pointer), to_json(found.pointer))
    with pytest.raises(SnapshotDamaged, match=f"{reason}.*publish --force"):
        latest_snapshot(store).manifest.file("movies.duckdb")


OLD_POINTER = b"""{
 "snapshot": "2017-11-32c4d09e4176",
 "folder": "snapshots/20261125T180528-2017-11-32c4d09e4176-ca20",
 "manifest_sha256": "%s",
 "published_at": "2026-11-25T18:05:28+00:00",
 "earlier": [
  "snapshots/20261025T180528-2017-10-32c4d09e4176-ca20"
 ]
}
"""
OLD_MANIFEST = b"""{
 "snapshot": "2017-11-32c4d09e4176",
 "published_at": "2026-11-25T18:05:28+00:00",
 "deliveries": "bf5a5a0b0a6b3b0b6ad4e34cd7ab12f9",
 "months": [
  "2017-11"
 ],
 "tables": {
  "core.genres": {
   "rows": 20,
   "sha256": "00",
   "contract_version": "f00d"
  }
 },
 "files": [
  {
   "path": "csv/core/genres.csv.gz",
   "bytes": 217,
   "sha256": "11",
   "table": "core.genres",
   "month": null,
   "rows": 20,
   "contract_version": "f00d"
  },
  {
   "path": "movies.duckdb",
   "bytes": 13643776,
   "sha256": "22",
   "table": null,
   "month": null,
   "rows": null,
   "contract_version": null
  }
 ]
}
"""


def test_pointer_and_manifest_are_read_and_written_as_the_first_version_did(tmp_path: Path):
    pointer = OLD_POINTER.replace(b"%s", hashlib.sha256(OLD_MANIFEST).hexdigest().encode())
    folder = tmp_path / "snapshots/20261125T180528-2017-11-32c4d09e4176-ca20"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes(OLD_MANIFEST)
    (tmp_path / "latest.json").write_bytes(pointer)
    found = latest_snapshot(open_store(str(tmp_path)))
    assert found.manifest.file("movies.duckdb").bytes == 13643776
    assert (to_json(found.pointer), to_json(found.manifest)) == (pointer, OLD_MANIFEST)


def test_fields_that_a_later_version_adds_are_left_out():
    fields = {"snapshot": "a", "folder": "b", "manifest_sha256": "c", "published_at": "d", "later": [1]}
    assert from_json(Pointer, json.dumps(fields).encode(), "latest.json") == Pointer("a", "b", "c", "d")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["core", 'my "select"'])
def test_a_warehouse_of_any_name_is_filled_and_published(
    name: str, home: Path, months: list[Path], monkeypatch: pytest.MonkeyPatch
):
    (home / "landing/incoming/2017-11").mkdir(parents=True)
    shutil.copy(months[0] / "movies_metadata.csv", home / "landing/incoming/2017-11")
    monkeypatch.setenv("MOVIES_SETTLE_SECONDS", "0")
    monkeypatch.setenv("MOVIES_WAREHOUSE", str(home / f"{name}.duckdb"))
    prepare_home()
    summary = refresh(lambda _: None)
    assert summary.problems == []
    assert run(PUBLISH_JOB) == (ANY, None)
    assert latest_snapshot().manifest.tables["core.movies"].rows == summary.rows["core.movies"] > 0


@pytest.mark.parametrize(
    ("months", "refused", "missing"),
    [
        (["2017-11"], [], []),
        (["2017-11", "2018-02"], [], ["2017-12", "2018-01"]),
        (["2017-11", "2018-02"], ["2018-01"], ["2017-12"]),
        (["2017-11"], ["2018-01"], ["2017-12"]),
        (["2017-11", "2017-12"], ["2017-12"], []),
    ],
    ids=["one month", "a gap", "a gap with a refused month", "the newest is refused", "a refused correction"],
)
def test_missing_months_are_those_that_nobody_delivered(months: list[str], refused: list[str], missing: list[str]):
    assert missing_months(months, refused) == missing


def test_a_refused_month_is_named_and_holds_nothing_up(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[1].use(monkeypatch, home)
    refused = home / "landing/failed/2018-03/0001-0123456789ab"
    refused.mkdir(parents=True)
    file = {"name": "movies_metadata.csv", "size_bytes": 3, "blake2b": "00"}
    (refused / "error.json").write_text(
        json.dumps({"files": [file], "reason": "blocking_check", "problem": "too many bad records"})
    )
    done = publish()
    assert done.is_new
    assert (done.refused, done.missing) == (["2018-03"], ["2018-02"])
    command = CliRunner().invoke(cli, ["publish"])
    assert command.exit_code == 0
    assert command.stdout.splitlines()[1:] == ["refused   2018-03", "missing   2018-02"]


def test_publishing_to_s3_succeeds_when_one_answer_in_ten_is_cut_off(
    bucket: str, s3_url: str, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("MOVIES_PUBLISHED", bucket)
    with proxy_to(int(s3_url.rpartition(":")[2])) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        proxy.cut_answers(0.1)
        for state in states:
            state.use(monkeypatch, home)
            made = publish()
            assert made.is_new
            with movies_platform.open_snapshot() as connection:
                assert connection.execute("SELECT DISTINCT snapshot_id FROM snapshot").fetchall() == [
                    (made.snapshot.manifest.snapshot,)
                ]
        assert proxy.cuts > 10
    assert [path.suffix for path in (home / "cache/movies-platform").iterdir()] == [".duckdb"] * 2


def test_a_reader_that_cannot_download_leaves_no_partial_file(
    bucket: str, s3_url: str, home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("MOVIES_PUBLISHED", bucket)
    states[0].use(monkeypatch, home)
    found = publish().snapshot
    with proxy_to(int(s3_url.rpartition(":")[2])) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        proxy.cut_answers(1.0)
        with pytest.raises(Exception, match=r"(?i)connection|incomplete|read"):
            database_of(dataclasses.replace(found, store=open_store()))
    assert list((home / "cache/movies-platform").iterdir()) == []


def test_a_later_writer_starts_again_with_what_the_warehouse_holds_then(
    home: Path, states: tuple[State, State], monkeypatch: pytest.MonkeyPatch
):
    states[0].use(monkeypatch, home)
    real = write.write_files
    turns = threading.local()

    def overtaken(folder: Path, months: list[str]) -> object:
        found = real(folder, months)
        if not getattr(turns, "done", False):
            turns.done = True
            states[1].use(monkeypatch, home)
            publish()
        return found

    monkeypatch.setattr(write, "write_files", overtaken)
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
    content = to_json(snapshot.manifest)
    assert from_json(Manifest, content, "manifest.json") == snapshot.manifest
    assert json.loads(content)["tables"]["core.movies"]["rows"] > 0
