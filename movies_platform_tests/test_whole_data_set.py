"""Deliveries of all files with dirt of every kind: tables are as an independent reading of the specification has them.

The oracle shares nothing with the platform. Tables must not depend on the order in which months were delivered.
"""

from collections.abc import Iterable
from pathlib import Path

import pytest

from movies_platform.landing import open_landing
from movies_platform.refresh import rebuild, refresh
from movies_platform.resources.home import prepare_home
from movies_platform_tests.compare_warehouses import differences as different_cells
from movies_platform_tests.hostile_deliveries import Made, hostile_deliveries
from movies_platform_tests.oracle import expected
from movies_platform_tests.oracle_compare import differences, rows_of

pytestmark = pytest.mark.slow
SEEDS = (1,)


def silent(_: str) -> None:
    """No progress is shown."""


def use(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in this home."""
    monkeypatch.setenv("MOVIES_HOME", str(home))
    monkeypatch.setenv("DAGSTER_HOME", "")
    prepare_home()


def deliver_one_by_one(made: Iterable[Made]) -> None:
    """Deliver and refresh; each delivery is refused exactly where it must be, and the file is named."""
    for delivery, refused in made:
        open_landing().put(delivery.month, delivery.files)
        summary = refresh(silent)
        assert bool(summary.problems) == bool(refused), (refused, summary.problems)
        if refused:
            assert refused[0] in summary.problems[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_tables_are_as_the_oracle_has_them(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "files").mkdir()
    made = hostile_deliveries(tmp_path / "files", seed)
    homes = [tmp_path / name for name in ("one_by_one", "at_once")]
    use(homes[0], monkeypatch)
    deliver_one_by_one(made)
    wanted = expected([m.delivery for m in made])
    for table, rows in wanted.tables.items():
        assert differences(table, rows, rows_of(homes[0] / "warehouse.duckdb", table)) == [], table
    one = homes[0] / "warehouse.duckdb"

    # The last good delivery of each month, newest month first, all at once; then everything again from processed/.
    last = {m.delivery.month: m for m in made if not m.refused}
    use(homes[1], monkeypatch)
    for month in sorted(last, reverse=True):
        open_landing().put(month, last[month].delivery.files)
    assert not refresh(silent).problems
    other = homes[1] / "warehouse.duckdb"
    assert different_cells(one, other, optional=()) == []
    use(homes[0], monkeypatch)
    assert not rebuild(silent).problems
    assert different_cells(one, other, optional=()) == []
