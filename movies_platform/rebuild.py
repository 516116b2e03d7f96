"""The whole warehouse again from processed/, beside the old one, which it replaces in one step."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from movies_platform.errors import NoDelivery
from movies_platform.landing import open_landing
from movies_platform.refresh import Done, Refresh
from movies_platform.resources import warehouse
from movies_platform.resources.settings import settings


def rebuild_warehouse(tell: Callable[[str], None]) -> Done:
    """Load every processed month into a new warehouse, compute the tables, and put it in place.

    When anything fails, the old warehouse stays. Raises NoDelivery when nothing was ever processed.
    """
    months = sorted({s.month for s in open_landing().settled() if s.outcome == "processed"})
    if not months:
        raise NoDelivery("Nothing was processed yet, so there is nothing to rebuild. Deliver a month first.")
    target = settings().warehouse
    fresh = target.with_name(f"{target.name}.rebuilding")
    with _kept_from_others(), _warehouse_at(str(fresh)):
        _remove(fresh)  # what a killed rebuild left
        try:
            done = Refresh(tell=tell, source="processed").run_months(months)
            if done.succeeded:
                fresh.replace(target)
        finally:
            _remove(fresh)
    return done


def _remove(database: Path) -> None:
    database.unlink(missing_ok=True)
    database.with_name(f"{database.name}.wal").unlink(missing_ok=True)


@contextlib.contextmanager
def _kept_from_others() -> Iterator[None]:
    """Hold the old warehouse, so that nobody writes what the new one would not have."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(warehouse.opened())
        except duckdb.Error:  # damaged: the reason for a rebuild; it is set aside, not lost
            old = settings().warehouse
            old.replace(old.with_name(f"{old.name}.damaged"))
            old.with_name(f"{old.name}.wal").unlink(missing_ok=True)
        yield


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
