"""What each check found when it ran last, from Dagster's history."""

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from movies_platform.checks.outcomes import Check
from movies_platform.checks.registry import all_checks
from movies_platform.contracts.catalogue import MONTHLY, asset_key
from movies_platform.contracts.tables import qualified


@dataclass(frozen=True)
class Latest:
    """A check with its latest result; `passed` is None where it never ran.

    `failed_months` are the months of delivery whose latest result is a failure, as `2017-11`.
    """

    check: Check
    passed: bool | None = None
    message: str = ""
    failed_months: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        """`schema.table` of the check."""
        return qualified(self.check.table)


def latest_results(instance: dg.DagsterInstance) -> Iterator[Latest]:
    """Every check of every table, with what it found last."""
    keys = {dg.AssetCheckKey(asset_key(check.table), check.name): check for check in all_checks()}
    storage = instance.event_log_storage
    records = storage.get_latest_asset_check_execution_by_key(list(keys))
    monthly = [key for key, check in keys.items() if check.table.schema in MONTHLY]
    failed: dict[dg.AssetCheckKey, list[str]] = {}
    for month in storage.get_asset_check_partition_info(monthly):
        if month.latest_execution_status is AssetCheckExecutionRecordStatus.FAILED and month.partition_key:
            failed.setdefault(month.check_key, []).append(month.partition_key)
    for key, check in keys.items():
        event = records[key].event if key in records else None
        found = event.dagster_event.event_specific_data if event and event.dagster_event else None
        if isinstance(found, dg.AssetCheckEvaluation):
            yield Latest(check, found.passed, found.description or "", tuple(sorted(failed.get(key, []))))
        else:
            yield Latest(check)
