"""All sensors. They are on from the start, and all that they need to know is in the landing zone and the history."""

from typing import Any

import dagster as dg

from movies_platform.automation import alerts, deliveries
from movies_platform.automation.jobs import load_month
from movies_platform.resources.leftovers import purge_runs
from movies_platform.resources.run_monitoring import fail_killed_runs
from movies_platform.resources.scratch import purge_scratch
from movies_platform.settings import settings


def all_sensors() -> list[dg.SensorDefinition]:
    """The sensors, which look every MOVIES_POLL_SECONDS."""
    always: dict[str, Any] = {
        "minimum_interval_seconds": settings().poll_seconds,
        "default_status": dg.DefaultSensorStatus.RUNNING,
    }
    return [
        dg.SensorDefinition(
            name="deliveries", evaluation_fn=deliveries.tick, job=load_month, **always,
            description="Starts the run of a month when a complete delivery for it has arrived.",
        ),
        dg.AutomationConditionSensorDefinition(
            "automation", target=dg.AssetSelection.all(), **always,
            description="Computes the tables after months were loaded, and what follows them.",
        ),
        dg.SensorDefinition(
            name="alerts", evaluation_fn=alerts.tick, **always,
            description="Reports refused deliveries, failures, warnings and months that are late (MOVIES_ALERTS).",
        ),
        dg.SensorDefinition(
            name="run_monitoring", evaluation_fn=_look_for_killed_runs, **always,
            description="Fails runs whose process was killed, so that Dagster tries them again; removes what is old.",
        ),
    ]  # fmt: skip


def _look_for_killed_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    failed = fail_killed_runs(context.instance)
    purge_scratch()
    purge_runs(context.instance)
    return dg.SkipReason(f"Failed, as their process was killed: {', '.join(failed)}" if failed else "All runs live.")
