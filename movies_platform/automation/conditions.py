"""When assets are computed by themselves: the tables after any month was loaded, and what follows after the tables.

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

_AC = dg.AutomationCondition
_Condition = dg.AutomationCondition[dg.AssetKey]
_MINUTES, _HOUR = "*/10 * * * *", "0 * * * *"  # when a run that failed is tried again


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


def _updated() -> _Condition:
    """Some months may be missing for ever; late ones count too."""
    return _AC.eager().without(~_AC.any_deps_missing()).with_label("something it is computed from was updated")


def _failed(again: str) -> _Condition:
    failed = _AC.execution_failed() & _AC.cron_tick_passed(again) & ~_AC.in_progress()
    return failed.with_label("the last run failed some time ago")


def conditions() -> dict[str, _Condition]:
    """The condition of each stage that follows the months."""
    tables = (_updated() | _failed(_MINUTES)) & NoMonthIsBlocked()
    is_blocked = _AC.any_deps_match(_AC.any_checks_match(_AC.check_failed(), blocking_only=True))
    return {
        "core": tables,
        "metrics": tables,
        # not with every month that is loaded, though it reads data_issues: the tables follow
        "published": ((_updated() | _failed(_HOUR)) & ~is_blocked).ignore(dg.AssetSelection.groups("raw")),
        "loaded": _AC.eager() | _failed(_HOUR),
        "report": _updated(),
    }


def automated(assets: Iterable[Any]) -> list[Any]:
    """The assets (definitions or specs), with the condition of their stage where it has one."""
    by_stage = conditions()

    def with_condition(spec: dg.AssetSpec) -> dg.AssetSpec:
        condition = by_stage.get(spec.key.path[0])
        return spec.replace_attributes(automation_condition=condition) if condition else spec

    return list(dg.map_asset_specs(with_condition, assets))


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
            description="Computes the tables after months were loaded, and what follows; a blocked month holds them.",
        )
