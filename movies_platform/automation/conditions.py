"""When the unpartitioned tables are computed: after any month was loaded, unless a month must be mended first.

`eager` waits for runs of other months that are in progress, so months that land together give one refresh. A
month that is blocked holds the tables whoever loaded it (docs/decisions/0006), so the landing zone is
asked, not the last state of a check: a shell asks the same.
"""

import datetime as dt
import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import dagster as dg

from movies_platform.landing import open_landing
from movies_platform.landing.deliveries import blocked_months
from movies_platform.resources.settings import settings

_AFTER_MONTHS = ("core", "metrics")
_TRY_AGAIN = "*/10 * * * *"  # a run that failed for reasons of the infrastructure


class NoMonthIsBlocked(dg.AutomationCondition[dg.AssetKey]):
    """No delivery that a blocking check refused still waits to be corrected."""

    @property
    def description(self) -> str:
        """What the UI shows."""
        return "No month is blocked: every delivery that a blocking check refused was corrected"

    def evaluate(self, context: dg.AutomationContext[dg.AssetKey]) -> dg.AutomationResult[dg.AssetKey]:
        """All candidates, or none while a month is blocked; the landing zone is asked only for candidates."""
        held = not context.candidate_subset.is_empty and _is_any_blocked(context.evaluation_time)
        chosen = context.get_empty_subset() if held else context.candidate_subset
        return dg.AutomationResult(context, true_subset=chosen)


@lru_cache(maxsize=1)
def _is_any_blocked(_: dt.datetime) -> bool:
    """One question for all tables of an evaluation."""
    return bool(blocked_months(open_landing().settled()))


def after_months() -> dg.AutomationCondition[dg.AssetKey]:
    """Some months may be missing for ever; late ones count too."""
    condition = dg.AutomationCondition
    updated = condition.eager().without(~condition.any_deps_missing()).with_label("a month or a table was updated")
    failed = (
        condition.execution_failed() & condition.cron_tick_passed(_TRY_AGAIN) & ~condition.in_progress()
    ).with_label("the last run failed some minutes ago")
    return (updated | failed) & NoMonthIsBlocked()


def automated(assets: Iterable[Any]) -> list[Any]:
    """The assets (definitions or specs), with the condition where their stage follows the months."""
    condition = after_months()

    def condition_of(spec: dg.AssetSpec) -> dg.AssetSpec:
        if spec.key.path[0] not in _AFTER_MONTHS or spec.automation_condition:
            return spec
        return spec.replace_attributes(automation_condition=condition)

    return list(dg.map_asset_specs(condition_of, assets))


def automation_sensor() -> dg.AutomationConditionSensorDefinition:
    """Evaluates the conditions; on from the start."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*use_user_code_server.*")
        return dg.AutomationConditionSensorDefinition(
            "automation",
            target=dg.AssetSelection.all(),
            default_status=dg.DefaultSensorStatus.RUNNING,
            minimum_interval_seconds=settings().poll_seconds,
            use_user_code_server=True,  # a condition of our own is evaluated where our code is
            description="Computes the tables after months were loaded, unless a month must be mended first.",
        )
