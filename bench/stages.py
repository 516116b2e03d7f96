"""Print the seconds that the steps of each stage took in all runs of DAGSTER_HOME, as JSON.

The stage of a step is the first part of the keys of the assets that it filled or checked, whichever version of the
platform ran it.
"""

import json
from collections import defaultdict

import dagster as dg

STAGES = ["raw", "parsed", "core", "metrics", "published", "loaded", "report", "other"]
SPEAKS_OF_AN_ASSET = {dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_CHECK_EVALUATION}


def main() -> None:
    """Read the history."""
    seconds: dict[str, float] = defaultdict(float)
    with dg.DagsterInstance.get() as instance:
        for run in instance.get_runs():
            stages = defaultdict(set)
            for entry in instance.all_logs(run.run_id, of_type=SPEAKS_OF_AN_ASSET):
                event = entry.get_dagster_event()
                key = event.asset_key or event.asset_check_evaluation_data.asset_key
                stages[event.step_key].add(key.path[0])
            for step in instance.get_run_step_stats(run.run_id):
                name = " + ".join(sorted(stages[step.step_key], key=STAGES.index)) or "other"
                seconds[name] += (step.end_time or 0) - (step.start_time or 0)
    print(json.dumps(dict(sorted(seconds.items(), key=lambda part: STAGES.index(part[0].split()[0])))))


if __name__ == "__main__":
    main()
