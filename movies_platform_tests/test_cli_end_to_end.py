"""The command line as a user runs it: processes of their own, a real DuckDB file, real and made-up months."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from movies_platform_tests.shell import TIMEOUT, Shell


def test_made_up_months_give_the_issues_that_were_made(shell: Shell) -> None:
    said = shell("sample", "--months", 2, "--movies", 400, "--seed", 3).stdout
    report = shell("refresh").stdout
    assert "2017-11, 2017-12" in report
    assert "checks    all passed" in report
    with duckdb.connect(shell.home / "warehouse.duckdb", read_only=True) as connection:
        found = connection.execute(
            "SELECT strftime(delivery_month, '%Y-%m'), issue, count(*) FROM raw.data_issues GROUP BY ALL"
        ).fetchall()
    assert found
    for month, issue, count in found:
        line = next(line for line in said.splitlines() if line.startswith(month))
        assert f"{count} {issue}" in line


def test_months_in_any_order_and_twice_give_the_same_tables(shell: Shell, months: list[Path]) -> None:
    for folder in months:
        shell("deliver", folder, "--month", folder.name)
    shell("refresh")
    expected = shell.tables()
    shutil.rmtree(shell.home)
    for folder in [months[2], months[0], months[1], months[0]]:
        shell("deliver", folder, "--month", folder.name)
        shell("refresh")
    assert shell.tables() == expected
    shell("refresh", "--month", months[1].name)
    assert shell.tables() == expected
    shell("rebuild")
    assert shell.tables() == expected


def test_another_content_replaces_the_month(shell: Shell, months: list[Path]) -> None:
    first, second, _ = months
    shell("deliver", first, "--month", "2018-01")
    shell("refresh")
    shell("deliver", second, "--month", "2018-01")
    shell("refresh")
    replaced = shell.tables()
    shutil.rmtree(shell.home)
    shell("deliver", second, "--month", "2018-01")
    shell("refresh")
    assert shell.tables() == replaced


def test_a_delivery_without_a_column_is_refused_and_the_others_go_on(
    shell: Shell, tmp_path: Path, months: list[Path]
) -> None:
    first, second, _ = months
    shell("deliver", first, "--month", "2017-11")
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
    shell: Shell, tmp_path: Path, months: list[Path]
) -> None:
    first, second, _ = months
    shell("deliver", first, "--month", "2017-11")
    shell("refresh")
    before = shell.tables()
    lines = (second / "movies_metadata.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    bad = tmp_path / "bad.csv"
    bad.write_text("".join(lines[:100]) + "not,a,movie\n" * 10, encoding="utf-8")
    shell("deliver", bad, "--month", "2017-12")
    done = shell("refresh", status=1)
    assert "few_records_are_rejected" in done.stdout
    assert "of movies_metadata.csv: " in done.stdout
    assert shell.tables() == before
    assert "few_records_are_rejected" in shell("status").stdout
    shell("deliver", second, "--month", "2018-01")
    assert "the newest delivery for 2017-12 was refused" in shell("refresh").stdout
    assert shell.tables()["core.movies"] != before["core.movies"]
    shell("deliver", second, "--month", "2017-12")
    shell("refresh")
    assert len(shell.tables()["core.movies"]) >= len(before["core.movies"])


def test_far_fewer_records_warn_and_go_through(shell: Shell, tmp_path: Path, months: list[Path]) -> None:
    first, second, _ = months
    lines = (second / "movies_metadata.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    delta = tmp_path / "delta.csv"
    delta.write_text("".join(lines[:30]), encoding="utf-8")
    shell("deliver", first, "--month", "2017-11")
    shell("deliver", delta, "--month", "2017-12")
    assert "about_as_many_records_as_before: " in shell("refresh").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["deliver", "nowhere.csv", "--month", "2017-11"], "does not exist"),
        (["deliver", __file__, "--month", "2017-11"], "is no delivery"),
        (["deliver", ".", "--month", "1999-01"], "before the first month"),
        (["deliver", ".", "--month", "2999-01"], "in the future"),
        (["deliver", ".", "--month", "2017-13"], "is not a month"),
        (["show", "nothing"], "There is no table 'nothing'"),
        (["show", "genres"], "There is no warehouse"),
        (["rebuild"], "Nothing was processed yet"),
        (["publish"], "does not show what was delivered"),
        (["load", "--to", "sqlite:///films.db"], "Nothing is published"),
        (["show", "genres", "--limit", "-1"], "See 'movies-platform show --help'"),
        (["deliver", "a.csv"], "Missing option '--month'"),
        (["nothing"], "No such command 'nothing'"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else None,
)
def test_a_mistake_is_one_clear_line_and_status_1(shell: Shell, arguments: list[str], message: str) -> None:
    done = shell(*arguments, status=1)
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_month_that_nobody_delivered_says_so(shell: Shell) -> None:
    done = shell("refresh", "--month", "2017-05", status=1)
    assert "Nothing was delivered for 2017-05" in done.stdout


def test_show_prints_rows_as_table_csv_and_json(shell: Shell) -> None:
    shell("sample", "--months", 1, "--movies", 200, "--seed", 3)
    shell("refresh")
    rows = json.loads(shell("show", "most_popular_genre_by_year", "--limit", 8, "--format", "json").stdout)
    assert len(rows) == 8
    assert rows == sorted(rows, key=lambda row: (row["year"], row["measure"]))
    year = rows[0]["year"]
    as_csv = shell("show", "metrics.most_popular_genre_by_year", "--year", year, "--format", "csv").stdout.splitlines()
    assert as_csv[0].startswith("year,measure,genre_id")
    assert len(as_csv) == 5
    assert str(year) in shell("show", "most_popular_genre_by_year", "--year", year).stdout
    assert "failed checks: none" in shell("status").stdout


def test_a_lost_warehouse_comes_back_with_the_next_refresh(shell: Shell, months: list[Path]) -> None:
    shell("deliver", months[0], "--month", "2017-11")
    shell("refresh")
    before = shell.tables()
    (shell.home / "warehouse.duckdb").unlink()
    shell("refresh")
    assert shell.tables() == before


def test_a_damaged_warehouse_is_told_and_rebuilt(shell: Shell, months: list[Path]) -> None:
    shell("deliver", months[0], "--month", "2017-11")
    shell("refresh")
    before = shell.tables()
    damaged = shell.home / "warehouse.duckdb"
    for kept in ("warehouse.duckdb.damaged", "warehouse.duckdb.damaged1"):
        damaged.write_bytes(b"not a database" * 1_000)
        (shell.home / "warehouse.duckdb.wal").write_bytes(b"log")
        done = shell("refresh", status=1)
        assert f"{damaged} is damaged" in done.stderr
        assert "'movies-platform rebuild'" in done.stderr
        assert "rebuild" in shell("publish", status=1).stderr
        shell("rebuild")
        assert shell.tables() == before
        assert (shell.home / kept).read_bytes() == b"not a database" * 1_000
        assert (shell.home / f"{kept}.wal").read_bytes() == b"log"


def test_a_rebuild_that_fails_leaves_the_warehouse(
    shell: Shell, months: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shell("deliver", months[0], "--month", "2017-11")
    shell("refresh")
    before = shell.tables()
    with monkeypatch.context() as setting:
        setting.setenv("MOVIES_MEMORY", "1KB")
        for command in ("refresh", "rebuild"):
            done = shell(command, status=1)
            assert "Give the database more memory: MOVIES_MEMORY" in done.stderr
            assert "rebuild' makes" not in done.stderr
    with monkeypatch.context() as setting:
        setting.setenv("MOVIES_FIRST_MONTH", "2017-12")
        assert "Set MOVIES_FIRST_MONTH to an earlier month" in shell("rebuild", status=1).stderr
    assert shell.tables() == before


def test_a_reader_that_has_seen_enough_is_no_failure(shell: Shell, months: list[Path]) -> None:
    shell("deliver", months[0], "--month", "2017-11")
    shell("refresh")
    for arguments in (["status"], ["show", "movies", "--limit", 0, "--format", "csv"]):
        process = shell.start(*arguments)
        assert process.stdout
        process.stdout.close()
        assert process.wait(TIMEOUT) == 0


def test_a_damaged_note_of_a_delivery_is_told_and_mended(shell: Shell, months: list[Path], tmp_path: Path) -> None:
    shell("deliver", months[0], "--month", "2017-11")
    shell("refresh")
    before = shell.tables("core", "metrics")
    (note,) = (shell.home / "landing/processed").glob("*/*/delivery.json")
    note.write_text("{]")
    for command in ("status", "refresh"):
        assert f"{note} is damaged" in shell(command, status=1).stderr
    note.parent.rename(tmp_path / "taken_out")
    shell("deliver", tmp_path / "taken_out" / "movies_metadata.csv", "--month", "2017-11")
    shell("refresh")
    assert shell.tables("core", "metrics") == before


def test_a_delivery_that_waits_is_set_aside_when_another_comes(shell: Shell, months: list[Path]) -> None:
    shell("deliver", months[0], "--month", "2017-11")
    assert "set aside in failed/" in shell("deliver", months[1], "--month", "2017-11").stdout
    assert len(list((shell.home / "landing/failed/2017-11").glob("*/movies_metadata.csv"))) == 1
