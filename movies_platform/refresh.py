"""A refresh from a shell: the two runs, in this process, in the history that the UI shows.

One process writes at a time; while this one holds the warehouse, no other refresh runs, so a run of
a shell that still seems to be going belongs to a process that was killed.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from movies_platform.automation.jobs import MONTH_JOB, REFRESH_JOB
from movies_platform.contracts.tables import all_tables, qualified
from movies_platform.landing import open_landing
from movies_platform.landing.deliveries import Landing, blocked_months
from movies_platform.partitions import delivery_months
from movies_platform.pipeline import pipeline
from movies_platform.resources import warehouse
from movies_platform.resources.builds import loaded_deliveries, stale_tables
from movies_platform.resources.failures import first_failure
from movies_platform.resources.history import written_behind
from movies_platform.resources.liveness import is_alive
from movies_platform.resources.months import month_name
from movies_platform.shell_runs import BY_SHELL, run_here

_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dataclass
class Done:
    """What a refresh did. `counts` are records and issues of the months that were loaded."""

    months: list[dt.date] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    failed_checks: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    recomputed: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether every run went through and no blocking check failed."""
        return not self.problems


@dataclass
class Refresh:
    """Runs months and tables; `source` as in `monthly.MonthConfig`."""

    tell: Callable[[str], None]
    source: str = "newest"
    done: Done = field(default_factory=Done)

    def run(self, month: dt.date | None = None) -> Done:
        """Load one month, or all that wait, then compute the tables unless a month holds them back."""
        with warehouse.opened():
            landing = open_landing()
            waiting = [month] if month else [m for m in _outstanding(landing) if self._has_partition(m)]
            self.done.notices += landing.strays()
            return self.run_months(waiting)

    def run_months(self, months: list[dt.date]) -> Done:
        """Load these months, then compute the tables unless a month holds them back."""
        with warehouse.opened() as connection, dg.DagsterInstance.get() as instance, written_behind(instance):
            _end_killed_runs(instance)
            for month in months:
                self.tell(f"{month_name(month)}: reading the delivery")
                ops = {"delivered_month": {"config": {"source": self.source}}}
                if self._execute(instance, MONTH_JOB, ops, partition_key=month_name(month)):
                    self.done.months.append(month)
            held = blocked_months(open_landing().settled())
            names = ", ".join(month_name(s.month) for s in held)
            if held and self.source == "processed":
                self.done.notices.append(f"a delivery for {names} is in failed/: the tables are without it")
            if held and self.source == "newest":
                self.done.problems.append(
                    f"The tables stay as they were until {names} is mended: deliver a corrected file for it."
                )
            elif stale_tables(connection) or self.done.months:
                self.tell("computing the tables")
                self.done.recomputed = self._execute(instance, REFRESH_JOB, {})
            self._count(connection)
        return self.done

    def _execute(
        self, instance: dg.DagsterInstance, job: str, ops: dict[str, Any], partition_key: str | None = None
    ) -> bool:
        result = run_here(pipeline, job, instance, ops, partition_key)
        for evaluation in result.get_asset_check_evaluations():
            if not evaluation.passed:
                table = ".".join(evaluation.asset_key.path)
                of_month = f"{evaluation.partition[:7]}: " if evaluation.partition else ""
                self.done.failed_checks.append(f"{of_month}{table}: {evaluation.check_name}: {evaluation.description}")
        if not result.success:
            failure = first_failure(result.all_events)
            unsaid = f"{failure.step} failed: {failure.reason}" if failure else f"Run {result.run_id} of {job} failed."
            self.done.problems.append((failure and failure.said) or unsaid)
        return result.success

    def _has_partition(self, month: dt.date) -> bool:
        known = delivery_months.has_partition_key(month_name(month))
        if not known:
            self.done.notices.append(
                f"incoming/{month_name(month)}: not between the first month and this one, left alone"
            )
        return known

    def _count(self, connection: Any) -> None:
        months = ", ".join(f"DATE '{month}'" for month in self.done.months)
        if months:
            where = f"WHERE delivery_month IN ({months})"
            records = connection.execute(f"SELECT sum(records)::BIGINT FROM raw.deliveries {where}").fetchone()
            self.done.counts = {"records": records[0] or 0, **dict.fromkeys(_ACTIONS, 0)} | dict(
                connection.execute(f"SELECT action, count(*) FROM raw.data_issues {where} GROUP BY 1").fetchall()
            )
        self.done.rows = {
            qualified(t): warehouse.row_count(connection, t)
            for t in all_tables()
            if t.schema in ("core", "metrics") and warehouse.table_exists(connection, t)
        }


_ACTIONS = ("repaired", "rejected", "nulled", "dropped")


def report(done: Done) -> str:
    """The summary that a person reads at the end."""
    months = ", ".join(map(month_name, done.months)) or ("none" if done.problems else "nothing new")
    months += "; the tables were out of date" if done.recomputed and not done.months else ""
    lines = [f"months    {months}"]
    lines += [f"{name:<9} {done.counts[name]:,}" for name in ("records", *_ACTIONS) if done.counts]
    lines += [f"table     {name}: {rows:,} rows" for name, rows in done.rows.items()]
    lines += [f"notice    {notice}" for notice in done.notices]
    lines += [f"check     {check}" for check in done.failed_checks]
    has_run = bool(done.months or done.recomputed)
    lines += ["checks    all passed"] if has_run and done.succeeded and not done.failed_checks else []
    lines += [f"problem   {line}" for problem in done.problems for line in problem.splitlines()]
    return "\n".join(lines)


def _outstanding(landing: Landing) -> list[dt.date]:
    """Months that wait, and months whose processed delivery the warehouse does not hold (it was lost, or older)."""
    newest = {s.month: s.delivery_id for s in landing.settled() if s.outcome == "processed"}
    with warehouse.opened() as connection:
        held = loaded_deliveries(connection)
    lacking = [month for month, delivery in newest.items() if held.get(month) != delivery]
    return sorted({*landing.months(), *lacking})


def _end_killed_runs(instance: dg.DagsterInstance) -> None:
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED, tags=BY_SHELL)):
        if not is_alive(run.run_id):  # (another shell may be loading databases right now)
            instance.report_run_failed(run, "The process of this run was killed; a later refresh took over.")
