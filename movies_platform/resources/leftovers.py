"""Old runs in Dagster's history, removed by age."""

import datetime as dt

import dagster as dg

from movies_platform.settings import settings

_AT_ONCE = 200  # runs of one call
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def purge_runs(instance: dg.DagsterInstance) -> list[str]:
    """Delete runs that ended more than MOVIES_KEEP_RUNS_DAYS ago, with their events; their ids.

    Runs of a month stay, and so does the last one of each asset: Dagster would take it for never computed.
    """
    oldest = dt.datetime.now(dt.UTC) - dt.timedelta(days=settings().keep_runs_days)
    old = instance.get_runs(dg.RunsFilter(statuses=_ENDED, updated_before=oldest))
    if not old:
        return []
    last = {record.asset_entry.last_run_id for record in instance.get_asset_records()}
    superseded = [run.run_id for run in old if "dagster/partition" not in run.tags and run.run_id not in last]
    purged = superseded[:_AT_ONCE]
    for run_id in purged:
        instance.delete_run(run_id)
    return purged
