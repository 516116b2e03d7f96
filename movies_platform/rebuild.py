"""The whole warehouse again from processed/, beside the old one, which it replaces in one step."""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from movies_platform.errors import NoDelivery, SettingsError, WarehouseDamaged
from movies_platform.landing import open_landing
from movies_platform.partitions import delivery_months
from movies_platform.refresh import Done, Refresh
from movies_platform.resources import warehouse
from movies_platform.resources.months import month_name
from movies_platform.resources.settings import settings


def rebuild_warehouse(tell: Callable[[str], None]) -> Done:
    """Load every processed month into a new warehouse, compute the tables, and put it in place.

    When anything fails, the old warehouse stays. A damaged one is kept beside the new one. Raises NoDelivery when
    nothing was ever processed.
    """
    months = sorted({s.month for s in open_landing().settled() if s.outcome == "processed"})
    if not months:
        raise NoDelivery("Nothing was processed yet, so there is nothing to rebuild. Deliver a month first.")
    if not delivery_months.has_partition_key(month_name(months[0])):
        raise SettingsError(
            f"{month_name(months[0])} was processed, but the first month is {settings().first_month}. "
            "Set MOVIES_FIRST_MONTH to an earlier month."
        )
    target = settings().warehouse
    fresh = target.with_name(f"{target.name}.rebuilding")
    with _kept_from_others() as is_damaged, _warehouse_at(str(fresh)):
        _remove(fresh)  # what a killed rebuild left
        try:
            done = Refresh(tell=tell, source="processed").run_months(months)
            if done.succeeded:
                if is_damaged:
                    _set_aside(target)
                fresh.replace(target)
        finally:
            _remove(fresh)
    return done


def _remove(database: Path) -> None:
    database.unlink(missing_ok=True)
    _wal(database).unlink(missing_ok=True)


def _wal(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")


def _set_aside(database: Path) -> None:
    """Rename a damaged database, the log of its last changes included, to a name that is free."""
    names = (database.with_name(f"{database.name}.damaged{suffix or ''}") for suffix in itertools.count())
    free = next(name for name in names if not name.exists())
    with contextlib.suppress(FileNotFoundError):
        _wal(database).replace(_wal(free))
    database.replace(free)


@contextlib.contextmanager
def _kept_from_others() -> Iterator[bool]:
    """Hold the old warehouse, so that nobody writes what the new one would not have; whether it is damaged."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(warehouse.opened())
        except WarehouseDamaged:  # nobody can write that one; and it is the reason for a rebuild
            yield True
        else:
            yield False


@contextlib.contextmanager
def _warehouse_at(path: str) -> Iterator[None]:
    before = os.environ.get("MOVIES_WAREHOUSE")
    os.environ["MOVIES_WAREHOUSE"] = path
    try:
        yield
    finally:
        if before is None:
            del os.environ["MOVIES_WAREHOUSE"]
        else:
            os.environ["MOVIES_WAREHOUSE"] = before
