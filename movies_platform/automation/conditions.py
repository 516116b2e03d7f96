"""When assets are computed by themselves: tables after any month was loaded, and what follows the tables.

`eager` waits for runs of other months that are in progress, so months that arrive together give one refresh. Monthly
assets follow no update, because the run that loads a month makes all of them; but a run that was killed after the
raw table was stored is completed some minutes later. Raw tables have no condition: the sensor `deliveries` starts
their runs, again where one did not archive its delivery; a refused delivery changes nothing and so starts nothing.
"""

from collections.abc import Iterable
from typing import Any

import dagster as dg

AC = dg.AutomationCondition
Condition = dg.AutomationCondition[dg.AssetKey]
_LAST_OF_A_MONTH = dg.AssetKey(["raw", "data_issues"])
_MINUTES, _HOUR = "*/10 * * * *", "0 * * * *"  # when a run that failed is tried again


def _updated() -> Condition:
    """When nothing is on its way: months may be missing, but none may be in the middle of its run, and no table that is
    read may be missing or be computed later than in this tick.

    A tick asks for the state of one asset after the other, so it may see the end of a month's run only for some of the
    tables that follow; those would be computed from others that are old.
    """
    follows_later = AC.any_deps_updated().since_last_handled()
    waits = AC.any_deps_match((AC.missing() | follows_later) & ~AC.will_be_requested())
    is_loading = AC.asset_matches(_LAST_OF_A_MONTH, AC.in_progress())
    updated = AC.eager().without(~AC.any_deps_missing())
    # First, because the right side of an `&` looks at nothing, and would miss an update, where the left side is false.
    quiet = ~waits.ignore(dg.AssetSelection.groups("raw", "parsed")) & ~is_loading
    return (quiet & updated).with_label("something it is computed from was updated")


def _failed(again: str) -> Condition:
    failed = AC.execution_failed() & AC.cron_tick_passed(again) & ~AC.in_progress()
    return failed.with_label("the last run failed some time ago")


def _failed_after_raw() -> Condition:
    """Nothing to do where the run failed for a raw table, whose delivery is refused or will be tried again."""
    waits = AC.any_deps_match(AC.execution_failed() & ~AC.will_be_requested())
    return (_failed(_MINUTES) & ~waits).with_label("the last run failed some time ago, after raw was stored")


def condition_of(key: dg.AssetKey) -> Condition | None:
    """The condition of an asset, by its stage; None for what only the sensor `deliveries` or a person starts."""
    is_blocked = AC.any_deps_match(AC.any_checks_match(AC.check_failed(), blocking_only=True))
    match key.path:
        case ["parsed", *_] | ["raw", "data_issues"]:
            return _failed_after_raw()
        case ["core" | "metrics", *_]:
            return _updated() | _failed(_MINUTES)
        case ["published", *_]:
            # Not with every month that is loaded, though it reads data_issues: the tables follow.
            return ((_updated() | _failed(_HOUR)) & ~is_blocked).ignore(dg.AssetSelection.groups("raw"))
        case ["loaded", *_]:
            return AC.eager() | _failed(_HOUR)
        case ["report", *_]:
            return _updated()
    return None


def automated(assets: Iterable[Any]) -> list[Any]:
    """The assets (definitions or specs), each with its condition."""

    def with_condition(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(automation_condition=condition_of(spec.key))

    return list(dg.map_asset_specs(with_condition, assets))
