"""The command line as a user runs it: processes of their own, a real DuckDB file, real and made-up months."""

import datetime as dt
import json
import os
import re
import shutil
import time
from pathlib import Path

import duckdb
import pytest

from movies_platform_tests.shell import TIMEOUT, Shell


def test_made_up_months_give_the_issues_that_were_made(shell: Shell) -> None:
    said = shell("sample", "--months", 2, "--movies", 400, "--seed", 3).stdout
    report = shell("refresh").stdout
    assert "2017-11, 2017-12" in report
    counts = re.search(r"^checks    (\d+ passed, \d+ warned, 0 failed, \d+ did not run)$", report, re.MULTILINE)
    assert counts
    assert f"checks: {counts[1]}" in shell("status").stdout
    with duckdb.connect(shell.home / "warehouse.duckdb", read_only=True) as connection:
        found = connection.execute(
            "SELECT strftime(delivery_month, '%Y-%m'), issue, count(*) FROM raw.data_issues GROUP BY ALL"
        ).fetchall()
    assert found
    for month, issue, count in found:
        line = next(line for line in said.splitlines() if line.startswith(month))
        assert f"{count} {issue}" in line


def test_months_in_any_order_and_twice_give_the_same_tables(
    shell: Shell, months: list[Path], home_of_two_months: Path
) -> None:
    expected = Shell(home_of_two_months).tables()
    for folders in (months[1:2], months[:2]):
        for folder in folders:
            shell("deliver", folder, "--month", folder.name)
        shell("refresh")
    assert shell.tables() == expected
    shell("refresh", "--month", months[1].name)
    assert shell.tables() == expected


def test_another_content_replaces_the_month(month_shell: Shell, months: list[Path], tmp_path: Path) -> None:
    alone = Shell(tmp_path / "alone")
    for shell in (month_shell, alone):
        shell("deliver", months[1], "--month", "2017-11")
        shell("refresh")
    assert month_shell.tables() == alone.tables()


def test_a_delivery_without_a_column_is_refused_and_the_others_go_on(
    shell: Shell, tmp_path: Path, months: list[Path]
) -> None:
    first, second, _ = months
    shell("deliver", first / "movies_metadata.csv", "--month", "2017-11")
    broken = tmp_path / "broken.csv"
    broken.write_text((second / "movies_metadata.csv").read_text(encoding="utf-8").replace(",budget,", ",bugdet,", 1))
    shell("deliver", broken, "--month", "2017-12")
    done = shell("refresh", status=1)
    assert "lacks the required columns budget" in done.stdout
    assert "2017-11" in done.stdout.splitlines()[0]
    error = json.loads(next((shell.home / "landing/failed/2017-12").glob("*/error.json")).read_text())
    assert error["reason"] == "rejected"
    assert "budget" in error["problem"]
    assert shell.tables()["core.movies"]


def test_too_many_rejected_records_refuse_the_month_and_hold_up_no_other(
    month_shell: Shell, tmp_path: Path, months: list[Path]
) -> None:
    shell, second = month_shell, months[1] / "movies_metadata.csv"
    before = shell.tables()
    lines = second.read_text(encoding="utf-8").splitlines(keepends=True)
    bad = tmp_path / "bad.csv"
    bad.write_text("".join(lines[:100]) + "not,a,movie\n" * 12, encoding="utf-8")
    shell("deliver", bad, "--month", "2017-12")
    shell("deliver", second, "--month", "2018-01")
    done = shell("refresh", status=1)
    assert re.search(r"^problem   2017-12: movies_metadata.csv, record \d+: \d+ of ", done.stdout, re.MULTILINE)
    assert done.stdout.splitlines()[0] == "months    2018-01"
    after = shell.tables()
    assert after["core.movies"] != before["core.movies"]
    status = shell("status").stdout
    assert "refused: 2017-12: " in status
    assert "no_month_is_missing: 2017-12 was refused." in status
    assert "notice    2017-12 was refused before: deliver a corrected file for it" in shell("refresh").stdout
    assert shell.tables() == after
    shell("deliver", second, "--month", "2017-12")
    shell("refresh")
    assert "refused" not in shell("status").stdout


def test_far_fewer_records_warn_and_go_through(month_shell: Shell, tmp_path: Path, months: list[Path]) -> None:
    lines = (months[1] / "movies_metadata.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    delta = tmp_path / "delta.csv"
    delta.write_text("".join(lines[:30]), encoding="utf-8")
    month_shell("deliver", delta, "--month", "2017-12")
    assert "about_as_many_records_as_before: " in month_shell("refresh").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["deliver", __file__, "--month", "2017-11"], "is no delivery"),
        (["show", "nothing"], "There is no table 'nothing'"),
        (["show", "genres"], "There is no warehouse"),
        (["rebuild"], "Nothing was processed yet"),
        (["publish"], "There is no warehouse"),
        (["load", "--to", "sqlite:///films.db"], "Nothing is published"),
        (["refresh", "--month", "2017-05"], "Nothing was delivered for 2017-05"),
        (["show", "genre_budget_by_yaer"], "genre_budget_by_year was probably meant."),
        (["query", "SELECT 1"], "Nothing is published"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else None,
)
def test_a_mistake_is_one_clear_line_and_status_1(shell: Shell, arguments: list[str], message: str) -> None:
    done = shell(*arguments, status=1)
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["deliver", ".", "--month", "1999-01"], "before the first month"),
        (["deliver", "nothing.zip", "--month", "2017-11"], "Path 'nothing.zip' does not exist"),
        (["show", "genres", "--limit", "-1"], "See 'movies-platform show --help'"),
        (["show", "genres", "--format", "xml"], "is not one of 'table', 'csv', 'json'"),
        (["deliver", ".", "--month", "2017-13"], "'2017-13' is not a month"),
        (["deliver", "."], "Missing option '--month'"),
        (["nothing"], "No such command 'nothing'"),
        (["refresh", "--moth", "2017-11"], "No such option '--moth'"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else None,
)
def test_wrong_usage_is_one_clear_line_and_status_2(shell: Shell, arguments: list[str], message: str) -> None:
    done = shell(*arguments, status=2)
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["-h"], ["--help"], ["refresh", "-h"]], ids=" ".join)
def test_help_needs_no_home(shell: Shell, arguments: list[str]) -> None:
    assert shell(*arguments).stdout.startswith("Usage: movies-platform")
    assert list(shell.home.iterdir()) == []


@pytest.mark.parametrize("command", ["status", "refresh"])
def test_a_misspelled_setting_names_what_was_meant(shell: Shell, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIES_PUBLISHD", "elsewhere")
    done = shell(command, status=2)
    assert done.stderr == (
        "movies-platform: There is no setting MOVIES_PUBLISHD. MOVIES_PUBLISHED was probably meant.\n"
    )


def test_a_delivery_for_next_month_says_that_it_waits(shell: Shell, months: list[Path]) -> None:
    begins = (dt.datetime.now(dt.UTC).date().replace(day=28) + dt.timedelta(days=7)).replace(day=1)
    month = f"{begins:%Y-%m}"
    done = shell("deliver", months[0], "--month", month)
    assert f"{month}: the month has not begun; the delivery waits for {begins} (UTC)." in done.stdout
    assert f"notice    {month} waits for {begins}" in shell("refresh").stdout
    assert f"waits for {begins}" in shell("status").stdout
    assert f"waits for {begins} (UTC)." in shell("refresh", "--month", month, status=1).stderr


def test_files_that_were_just_dropped_by_hand_are_waited_for(
    shell: Shell, months: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOVIES_SETTLE_SECONDS", "3")
    dropped = shell.home / "landing" / "incoming" / "2017-11"
    dropped.mkdir(parents=True)
    shutil.copy(months[0] / "movies_metadata.csv", dropped)
    soon = time.time() + 60  # a time that is not over says nothing: it counts since when the file was seen
    os.utime(dropped / "movies_metadata.csv", (soon, soon))
    done = shell("refresh")
    assert done.stderr.count("... 2017-11: is still being written") == 1
    assert done.stdout.splitlines()[0] == "months    2017-11"


def test_files_that_grow_meanwhile_are_left_until_they_no_longer_do(
    shell: Shell, months: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOVIES_SETTLE_SECONDS", "60")
    dropped = shell.home / "landing" / "incoming" / "2017-11"
    dropped.mkdir(parents=True)
    content = (months[0] / "movies_metadata.csv").read_bytes()
    (dropped / "movies_metadata.csv").write_bytes(content[:999])
    started = shell.start("refresh")
    assert started.stdout
    while "is still being written" not in started.stdout.readline():
        assert started.poll() is None
    (dropped / "movies_metadata.csv").write_bytes(content)
    said = started.communicate(timeout=TIMEOUT)[0]
    assert started.returncode == 0, said
    assert "notice    2017-11 is still being written: it stays in incoming/" in said
    assert (dropped / "movies_metadata.csv").exists()


def test_show_prints_rows_as_table_csv_and_json(month_shell: Shell) -> None:
    shell = month_shell
    rows = json.loads(shell("show", "most_popular_genre_by_year", "--limit", 8, "--format", "json").stdout)
    assert len(rows) == 8
    assert rows == sorted(rows, key=lambda row: (row["year"], row["measure"]))
    year = rows[0]["year"]
    as_csv = shell("show", "metrics.most_popular_genre_by_year", "--year", year, "--format", "csv").stdout.splitlines()
    assert as_csv[0].startswith("year,measure,genre_id")
    assert len(as_csv) == 5
    assert str(year) in shell("show", "most_popular_genre_by_year", "--year", year).stdout
    assert re.search(
        r"^checks: \d+ passed, \d+ warned, 0 failed, \d+ did not run$", shell("status").stdout, re.MULTILINE
    )


def test_a_lost_warehouse_comes_back_with_the_next_refresh(month_shell: Shell) -> None:
    before = month_shell.tables()
    (month_shell.home / "warehouse.duckdb").unlink()
    month_shell("refresh")
    assert month_shell.tables() == before


def test_a_damaged_warehouse_is_told_and_rebuilt(month_shell: Shell) -> None:
    before = month_shell.tables()
    damaged = month_shell.home / "warehouse.duckdb"
    earlier = month_shell.home / "warehouse.duckdb.damaged"  # of another accident
    earlier.write_bytes(b"kept")
    damaged.write_bytes(b"not a database" * 1_000)
    (month_shell.home / "warehouse.duckdb.wal").write_bytes(b"log")
    done = month_shell("refresh", status=1)
    assert f"{damaged} is damaged" in done.stderr
    assert "'movies-platform rebuild'" in done.stderr
    assert "rebuild" in month_shell("publish", status=1).stderr
    month_shell("rebuild")
    assert month_shell.tables() == before
    kept = month_shell.home / "warehouse.duckdb.damaged1"
    assert kept.read_bytes() == b"not a database" * 1_000
    assert kept.with_name(f"{kept.name}.wal").read_bytes() == b"log"
    assert earlier.read_bytes() == b"kept"


def test_a_home_of_the_first_version_is_made_over_by_a_rebuild(month_shell: Shell) -> None:
    shell = month_shell
    before = shell.tables()
    with duckdb.connect(shell.home / "warehouse.duckdb") as connection:
        connection.execute("DROP TABLE platform.builds")
        connection.execute("CREATE TABLE platform.builds (table_name VARCHAR, fingerprint VARCHAR, built_at TIMESTAMP)")
        connection.execute("DELETE FROM core.movies")
    for command in (["refresh"], ["status"], ["show", "core.movies"], ["publish"]):
        assert (
            "was made by an earlier version. 'movies-platform rebuild' makes it again"
            in shell(*command, status=1).stderr
        )
    assert shell("rebuild").stdout.splitlines()[0] == "months    2017-11"
    assert shell.tables() == before
    assert "months    nothing new" in shell("refresh").stdout


def test_two_rebuilds_at_once_of_a_damaged_warehouse_both_end_well(month_shell: Shell) -> None:
    before = month_shell.tables()
    (month_shell.home / "warehouse.duckdb").write_bytes(b"not a database" * 1_000)
    both = [month_shell.start("rebuild"), month_shell.start("rebuild")]
    said = [process.communicate(timeout=TIMEOUT)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert month_shell.tables() == before
    assert {path.name for path in month_shell.home.glob("*warehouse.duckdb*")} <= {
        "warehouse.duckdb", ".warehouse.duckdb.lock", "warehouse.duckdb.damaged",
    }  # fmt: skip


def test_a_rebuild_that_fails_leaves_the_warehouse(month_shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    before = month_shell.tables()
    with monkeypatch.context() as setting:
        setting.setenv("MOVIES_MEMORY", "10MB")
        done = month_shell("rebuild", status=1)
        said = done.stdout + done.stderr
        assert "Give the database more memory: MOVIES_MEMORY" in said
        assert "rebuild' makes" not in said
    with monkeypatch.context() as setting:
        setting.setenv("MOVIES_FIRST_MONTH", "2017-12")
        assert "Set MOVIES_FIRST_MONTH to an earlier month" in month_shell("rebuild", status=2).stderr
    with monkeypatch.context() as setting:
        setting.setenv("MOVIES_ENGINE", "spark")
        setting.setenv("MOVIES_SPARK", "sc://127.0.0.1:1")
        done = month_shell("rebuild", status=1)
        assert "Spark does not answer at sc://127.0.0.1:1" in done.stdout
        assert "computing" not in done.stdout + done.stderr
    assert month_shell.tables() == before


def test_a_reader_that_has_seen_enough_is_no_failure(month_shell: Shell) -> None:
    for arguments in (["status"], ["show", "movies", "--limit", 0, "--format", "csv"]):
        process = month_shell.start(*arguments)
        assert process.stdout
        process.stdout.close()
        assert process.wait(TIMEOUT) == 0


def test_a_damaged_note_of_a_delivery_is_told_and_mended(
    month_shell: Shell, months: list[Path], tmp_path: Path
) -> None:
    before = month_shell.tables("core", "metrics")
    (note,) = (month_shell.home / "landing/processed").glob("*/*/delivery.json")
    note.write_text("{]")
    for command in ("status", "refresh"):
        assert f"{note} is damaged" in month_shell(command, status=1).stderr
    note.parent.rename(tmp_path / "taken_out")
    month_shell("deliver", months[0], "--month", "2017-11")
    month_shell("refresh")
    assert month_shell.tables("core", "metrics") == before


def test_what_a_folder_has_beside_the_data_set_is_named(shell: Shell, months: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "given"
    shutil.copytree(months[0], folder)
    (folder / "credits.csv").rename(folder / "credit.csv")
    said = shell("deliver", folder, "--month", "2017-11").stdout
    assert "2017-11: left out, as no file of the data set is called so: credit.csv\n" in said
    assert "left out" not in shell("deliver", months[0], "--month", "2017-11").stdout


def test_a_delivery_that_waits_is_set_aside_when_another_comes(shell: Shell, months: list[Path]) -> None:
    shell("deliver", months[0], "--month", "2017-11")
    assert "had not been read yet; it is in failed/ now" in shell("deliver", months[1], "--month", "2017-11").stdout
    assert len(list((shell.home / "landing/failed/2017-11").glob("*/movies_metadata.csv"))) == 1


def test_a_month_that_is_gone_from_processed_is_listed_and_no_rebuild_loses_it(
    shell: Shell, home_of_two_months: Path
) -> None:
    shutil.copytree(home_of_two_months, shell.home, dirs_exist_ok=True)
    before = shell.tables()
    (shell.home / "landing/processed/2017-11").rename(shell.home / "taken_out")
    status = shell("status").stdout
    assert re.search(r"^ *2017-11 +lost ", status, re.MULTILINE)
    assert "lost: 2017-11: the delivery that the tables show is not in processed/ any more" in status
    assert "The warehouse shows 2017-11, but processed/ holds no delivery" in shell("rebuild", status=1).stderr
    assert shell.tables() == before
    (shell.home / "taken_out").rename(shell.home / "landing/processed/2017-11")
    assert "lost" not in shell("status").stdout


def test_a_first_refresh_says_where_it_looked(shell: Shell) -> None:
    said = shell("refresh").stdout
    assert f"nothing was delivered yet: {shell.home}/landing/incoming is empty. Deliver" in said
    (shell.home / "landing/incoming/2017-11/movies_metadata.csv").mkdir(parents=True)
    odd = "notice    incoming/2017-11/movies_metadata.csv/: not a file of the data set"
    assert odd in shell("refresh").stdout
    assert odd.replace("notice    ", "notice: ") in shell("status").stdout
