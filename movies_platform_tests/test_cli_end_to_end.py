"""The command line as a user runs it: processes of their own, a real DuckDB file, real and made-up months."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from movies_platform_tests.shell import Shell


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


def test_too_many_rejected_records_hold_the_tables_until_the_month_is_mended(
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
    held = shell("refresh", status=1)
    assert "until 2017-12 is mended" in held.stdout
    assert shell.tables("core", "metrics") == {k: v for k, v in before.items() if k.startswith(("core", "metr"))}
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
    (shell.home / "warehouse.duckdb").write_bytes(b"not a database" * 1_000)
    done = shell("refresh", status=1)
    assert "the warehouse cannot be used" in done.stderr
    assert "rebuild" in done.stderr
    shell("rebuild")
    assert shell.tables() == before


def test_a_delivery_that_waits_is_set_aside_when_another_comes(shell: Shell, months: list[Path]) -> None:
    shell("deliver", months[0], "--month", "2017-11")
    assert "set aside in failed/" in shell("deliver", months[1], "--month", "2017-11").stdout
    assert len(list((shell.home / "landing/failed/2017-11").glob("*/movies_metadata.csv"))) == 1
