"""The comparison of two warehouses finds what differs, and nothing else."""

import shutil
import sys
from pathlib import Path

import duckdb
import pytest

from movies_platform_tests.compare_warehouses import differences, main

TABLES = """
CREATE SCHEMA raw; CREATE SCHEMA core; CREATE SCHEMA metrics; CREATE SCHEMA platform;
CREATE TABLE core.genres (genre_id BIGINT, genre_name VARCHAR);
INSERT INTO core.genres VALUES (1, 'Drama'), (2, 'Comedy');
CREATE TABLE metrics.genre_budget_by_year (year BIGINT, genre_id BIGINT, budget_usd DOUBLE, day DATE);
INSERT INTO metrics.genre_budget_by_year VALUES
    (2000, 1, 1e12, '2000-01-02'), (2000, 2, 0.5, NULL), (2001, 1, NULL, NULL);
CREATE TABLE raw.data_issues (record_number BIGINT, issue VARCHAR);
INSERT INTO raw.data_issues VALUES (1, 'invalid_date'), (1, 'invalid_date'), (2, NULL);
CREATE TABLE platform.builds (built_at TIMESTAMP);
"""
MONEY = "metrics.genre_budget_by_year"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(TABLES)
    return path


def changed(old: Path, statements: str) -> Path:
    new = old.with_name("new 'copy.duckdb")
    shutil.copy(old, new)
    with duckdb.connect(new) as connection:
        connection.execute(statements)
    return new


@pytest.mark.parametrize("statements", [
    pytest.param("", id="a copy"),
    pytest.param("CREATE OR REPLACE TABLE core.genres AS FROM core.genres ORDER BY genre_id DESC", id="another order"),
    pytest.param(f"UPDATE {MONEY} SET budget_usd = budget_usd + 900 WHERE budget_usd > 1", id="1e-9 of a large sum"),
    pytest.param(f"UPDATE {MONEY} SET budget_usd = 0.5000009 WHERE budget_usd = 0.5", id="the sixth decimal"),
    pytest.param("ALTER TABLE raw.data_issues ADD COLUMN found_by VARCHAR", id="an optional column is new"),
    pytest.param("DROP TABLE platform.builds", id="notes of the platform"),
])  # fmt: skip
def test_equal(old: Path, statements: str):
    assert differences(old, changed(old, statements)) == []


@pytest.mark.parametrize(("statements", "found"), [
    pytest.param("UPDATE core.genres SET genre_name = 'drama' WHERE genre_id = 1",
                 ["core.genres: 1 values of genre_name differ, e.g. genre_id=1, old_genre_name='Drama', "
                  "new_genre_name='drama'"], id="one cell"),
    pytest.param(f"UPDATE {MONEY} SET budget_usd = 0 WHERE budget_usd IS NULL",
                 [f"{MONEY}: 1 values of budget_usd differ, e.g. year=2001, genre_id=1, old_budget_usd=None, "
                  "new_budget_usd=0.0"], id="null became 0"),
    pytest.param(f"UPDATE {MONEY} SET budget_usd = 'inf' WHERE budget_usd = 0.5",
                 [f"{MONEY}: 1 values of budget_usd differ, e.g. year=2000, genre_id=2, old_budget_usd=0.5, "
                  "new_budget_usd=inf"], id="an infinite float"),
    pytest.param(f"UPDATE {MONEY} SET budget_usd = 0.50001 WHERE budget_usd = 0.5",
                 [f"{MONEY}: 1 values of budget_usd differ, e.g. year=2000, genre_id=2, old_budget_usd=0.5, "
                  "new_budget_usd=0.50001"], id="the fifth decimal"),
    pytest.param(f"UPDATE {MONEY} SET day = '2000-01-03' WHERE day IS NOT NULL",
                 [f"{MONEY}: 1 values of day differ, e.g. year=2000, genre_id=1, old_day=2000-01-02, "
                  "new_day=2000-01-03"], id="a date"),
    pytest.param("DELETE FROM core.genres WHERE genre_id = 2",
                 ["core.genres: 2 rows in the old table, 1 in the new",
                  "core.genres: 1 keys are only in the old table, e.g. genre_id=2"], id="a row is missing"),
    pytest.param("UPDATE core.genres SET genre_id = 3 WHERE genre_id = 2",
                 ["core.genres: 1 keys are only in the old table, e.g. genre_id=2",
                  "core.genres: 1 keys are only in the new table, e.g. genre_id=3"], id="another key"),
    pytest.param("INSERT INTO core.genres VALUES (1, 'Drama')",
                 ["core.genres: 2 rows in the old table, 3 in the new",
                  "core.genres: 1 rows of the new table repeat a key"], id="a repeated row"),
    pytest.param("UPDATE raw.data_issues SET issue = 'x' WHERE rowid = 0",
                 ["raw.data_issues: 1 rows are only in the old table, e.g. record_number=1, issue='invalid_date'",
                  "raw.data_issues: 1 rows are only in the new table, e.g. record_number=1, issue='x'"],
                 id="one of two equal rows without a key"),
    pytest.param(f"ALTER TABLE {MONEY} DROP COLUMN day", [f"{MONEY}: column day is only in the old table"],
                 id="a column is missing"),
    pytest.param(f"ALTER TABLE {MONEY} ADD COLUMN other_day DATE",
                 [f"{MONEY}: column other_day is only in the new table"], id="a column is new"),
    pytest.param(f"ALTER TABLE {MONEY} ALTER budget_usd TYPE VARCHAR",
                 [f"{MONEY}: column budget_usd is DOUBLE in the old table, VARCHAR in the new"], id="another type"),
    pytest.param("DROP TABLE core.genres", ["core.genres: the table is only in the old warehouse"],
                 id="a table is missing"),
    pytest.param("CREATE TABLE core.people (person_id BIGINT)",
                 ["core.people: the table is only in the new warehouse"], id="a table is new"),
])  # fmt: skip
def test_different(old: Path, statements: str, found: list[str]):
    assert differences(old, changed(old, statements)) == found


def test_an_optional_column_is_compared_where_both_have_it(old: Path):
    with_column = changed(old, "ALTER TABLE raw.data_issues ADD COLUMN found_by VARCHAR DEFAULT 'raw_movies'")
    with_column = with_column.rename(old.with_name("with column.duckdb"))
    other = changed(with_column, "UPDATE raw.data_issues SET found_by = 'parsed_movies' WHERE record_number = 2")
    assert differences(with_column, other) == [
        "raw.data_issues: 1 rows are only in the old table, e.g. record_number=2, issue=None, found_by='raw_movies'",
        "raw.data_issues: 1 rows are only in the new table, e.g. record_number=2, issue=None, found_by='parsed_movies'",
    ]


def test_the_exit_status_says_whether_they_differ(
    old: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def status(new: Path) -> object:
        monkeypatch.setattr(sys, "argv", ["compare_warehouses", str(old), str(new)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    assert status(changed(old, "")) == 0
    assert (
        "core.genres                                                 2            2  equal" in capsys.readouterr().out
    )
    assert status(changed(old, "DELETE FROM core.genres")) == 1
    assert "    2 rows in the old table, 0 in the new" in capsys.readouterr().out
    assert status(old.with_name("nowhere.duckdb")) == 2
