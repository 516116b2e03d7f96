"""The four real deliveries, one of all files: known counts, the same tables in any order, as the oracle has them."""

import datetime as dt
import shutil
from pathlib import Path

import duckdb
import pytest

from movies_platform_tests.clusters import sail_server
from movies_platform_tests.compare_warehouses import differences
from movies_platform_tests.oracle import COLUMNS, Expected, expected
from movies_platform_tests.oracle_compare import differences as oracle_differences
from movies_platform_tests.oracle_compare import rows_of
from movies_platform_tests.oracle_reading import Delivery
from movies_platform_tests.shell import Shell

pytestmark = pytest.mark.real

ORDER = ("2017-11", "2017-10", "2017-12", "2018-01")
ALONE = {
    "core.movies": 45_433, "core.genres": 20, "core.movie_genres": 91_015, "core.companies": 23_693,
    "core.movie_companies": 70_476, "core.movie_keywords": 156_598, "core.keywords": 19_955, "core.movie_links": 45_463,
    "core.ratings": 99_810, "core.movie_cast": 1_668, "core.movie_crew": 2_182, "core.people": 3_428,
    "core.collections": 1_695, "core.movie_countries": 49_375, "core.countries": 161, "core.movie_languages": 53_269,
    "core.languages": 133, "metrics.genre_budget_by_year": 2_021, "metrics.company_budget_by_year": 48_883,
    "metrics.company_releases_by_genre_by_year": 130_207, "metrics.most_popular_genre_by_year": 540,
    "metrics.movie_ratings": 42_580, "metrics.best_rated_genre_by_year": 609,
}  # fmt: skip
TOGETHER = {
    "core.movies": 45_748, "core.movie_genres": 88_367, "core.companies": 23_690, "core.movie_companies": 70_784,
    "metrics.genre_budget_by_year": 2_046, "metrics.company_budget_by_year": 48_961,
    "metrics.company_releases_by_genre_by_year": 125_812,
}  # fmt: skip
ISSUES = {  # by month and code
    (11, "duplicate_id"): 60, (11, "invalid_item"): 4, (11, "broken_record"): 3, (12, "invalid_date"): 111,
    (12, "invalid_list"): 5, (12, "invalid_number"): 4, (12, "invalid_item"): 4, (12, "invalid_id"): 3,
    (12, "column_count"): 2, (12, "duplicate_id"): 2, (12, "broken_record"): 1, (12, "duplicate_item"): 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def deliveries(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What is delivered for each month: all files in 2017-11, the movies in the others."""
    files = {path.name[:7]: path for path in (real_data / "deliveries").iterdir()}
    whole = tmp_path_factory.mktemp("the-movies-dataset")
    for path in (real_data / "the-movies-dataset").iterdir():
        shutil.copyfile(path, whole / path.name.replace("credits_sample", "credits"))
    return {**files, "2017-11": whole}


@pytest.fixture(scope="module")
def oracle(deliveries: dict[str, Path]) -> Expected:
    """All four months as the oracle reads the specification."""

    def files(path: Path) -> dict[str, Path]:
        if path.is_dir():
            return {each.name: each for each in path.iterdir()}
        return {f"movies_metadata{''.join(path.suffixes)}": path}

    return expected(Delivery(dt.date.fromisoformat(f"{m}-01"), files(path)) for m, path in deliveries.items())


@pytest.fixture(scope="module")
def alone(deliveries: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, str]:
    """A home that got 2017-11, and what its refresh said."""
    shell = Shell(tmp_path_factory.mktemp("alone") / "home")
    shell("deliver", deliveries[ORDER[0]], "--month", ORDER[0])
    return shell, shell("refresh").stdout


@pytest.fixture(scope="module")
def all_months(
    deliveries: dict[str, Path], alone: tuple[Shell, str], tmp_path_factory: pytest.TempPathFactory
) -> Shell:
    """A home that got the four months one by one."""
    shell = Shell(tmp_path_factory.mktemp("real") / "home")
    shutil.copytree(alone[0].home, shell.home)
    for month in ORDER[1:]:
        shell("deliver", deliveries[month], "--month", month)
        shell("refresh")
    return shell


def test_the_real_month_alone_has_the_known_counts(alone: tuple[Shell, str]) -> None:
    shell, report = alone
    for line in ("records   236,875", "repaired  3", "rejected  60", "nulled    0", "dropped   4"):
        assert line in report.splitlines()
    (odd,) = [line for line in report.splitlines() if line.startswith("warning ")]
    assert "budgets_fit_revenues: 8 movies" in odd
    rows = shell.tables("core", "metrics")
    assert {name: len(rows[name]) for name in ALONE} == ALONE


def test_all_months_together_have_the_known_counts(all_months: Shell) -> None:
    rows = all_months.tables("core", "metrics")
    assert {name: len(rows[name]) for name in TOGETHER} == TOGETHER


def test_every_issue_code_is_where_it_belongs(all_months: Shell) -> None:
    with duckdb.connect(all_months.home / "warehouse.duckdb", read_only=True) as connection:
        found = connection.execute(
            "SELECT month(delivery_month), issue, count(*) FROM raw.data_issues "
            "WHERE month(delivery_month) IN (11, 12) GROUP BY ALL"
        ).fetchall()
    assert {(month, issue): count for month, issue, count in found} == ISSUES


@pytest.mark.parametrize("table", sorted(COLUMNS))
def test_every_table_is_as_the_oracle_has_it(all_months: Shell, oracle: Expected, table: str) -> None:
    assert oracle_differences(table, oracle.tables[table], rows_of(all_months.home / "warehouse.duckdb", table)) == []


def test_the_order_of_delivery_changes_nothing(all_months: Shell, deliveries: dict[str, Path], tmp_path: Path) -> None:
    """In the other order, in which each pair of months is the other way round."""
    shell = Shell(tmp_path)
    for month in reversed(ORDER):
        shell("deliver", deliveries[month], "--month", month)
        shell("refresh")
    assert different(all_months, shell) == []


def test_sail_makes_the_same_tables(
    all_months: Shell, deliveries: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given the last month first, then the others at once."""
    monkeypatch.setenv("MOVIES_ENGINE", "spark")
    shell = Shell(tmp_path / "home")
    with sail_server(tmp_path) as address:
        monkeypatch.setenv("MOVIES_SPARK", address)
        for months in (ORDER[-1:], ORDER[:-1]):
            for month in months:
                shell("deliver", deliveries[month], "--month", month)
            shell("refresh")
    assert differences(all_months.home / "warehouse.duckdb", shell.home / "lake.ducklake") == []


def test_redelivery_and_rebuild_change_nothing(all_months: Shell, deliveries: dict[str, Path], tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home")
    shutil.copytree(all_months.home, shell.home)
    shell("deliver", deliveries["2017-10"], "--month", "2017-10")
    shell("refresh")
    assert different(all_months, shell) == []
    shell("rebuild")
    assert different(all_months, shell) == []


def different(one: Shell, other: Shell) -> list[str]:
    """What differs between their tables, all of them, cell by cell."""
    return differences(one.home / "warehouse.duckdb", other.home / "warehouse.duckdb", optional=())
