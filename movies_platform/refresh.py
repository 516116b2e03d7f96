"""The work of a shell: the jobs that the sensors and the UI start, run here, in the history that the UI shows.

One process writes at a time. `rebuild` computes a whole new warehouse beside the old one, which it replaces in one
step.
"""

import contextlib
import datetime as dt
import itertools
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from movies_platform.automation.deliveries import BEING_WRITTEN, why_incomplete
from movies_platform.automation.jobs import LOAD_JOB, MONTH_JOB, PUBLISH_JOB, REFRESH_JOB
from movies_platform.checks.results import counted, in_words, latest_results
from movies_platform.contracts.ddl import literal
from movies_platform.contracts.published import present_tables
from movies_platform.contracts.raw import ACTIONS
from movies_platform.contracts.tables import qualified
from movies_platform.definitions import defs
from movies_platform.engines import lake, places
from movies_platform.errors import (
    NoDelivery,
    NoSnapshot,
    SettingsError,
    SnapshotDamaged,
    UnknownTable,
    WarehouseDamaged,
    WarehouseOutdated,
)
from movies_platform.landing import open_landing
from movies_platform.landing.deliveries import Arrival, Landing, refused_months
from movies_platform.published.read import latest_snapshot
from movies_platform.resources import warehouse
from movies_platform.resources.build_log import (
    deliveries_fingerprint,
    incomplete_months,
    loaded_deliveries,
    stale_tables,
)
from movies_platform.resources.failures import first_failure
from movies_platform.resources.interruption import raise_if_interrupted
from movies_platform.resources.leftovers import purge_runs
from movies_platform.resources.months import month_name
from movies_platform.resources.run_monitoring import fail_killed_runs
from movies_platform.settings import settings

_TAGS = {"movies_platform/started_by": "shell", ".dagster/repository": "__repository__@movies_platform"}
# The command reports in a line what became of a run; Dagster's own log is in the history.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_POLL_SECONDS = 0.5
Progress = Callable[[str], None]


@dataclass
class Summary:
    """What was done. `counts` are records and issues of the `months` that were loaded, `rows` those of the tables."""

    months: list[dt.date] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    recomputed: bool = False

    def lines(self) -> Iterator[str]:
        """The summary that a person reads at the end."""
        months = ", ".join(map(month_name, self.months)) or ("none" if self.problems else "nothing new")
        months += "; the tables were out of date" if self.recomputed and not self.months else ""
        yield f"months    {months}"
        yield from (f"{name:<9} {count:,}" for name, count in self.counts.items())
        yield from (f"table     {name}: {rows:,} rows" for name, rows in self.rows.items())
        yield from (f"notice    {notice}" for notice in self.notices)
        yield from (f"warning   {warning}" for warning in self.warnings)
        yield from (f"problem   {line}" for problem in self.problems for line in problem.splitlines())


def run_job(
    instance: dg.DagsterInstance, job: str, *, ops: Mapping[str, Any] | None = None, month: dt.date | None = None
) -> dg.ExecuteInProcessResult:
    """Run a job until its end, with the config of its `ops`. A failure is in the result, not raised.

    Raises SystemExit when a signal ended the run, so that no other one is begun.
    """
    result = defs.resolve_job_def(job).execute_in_process(
        run_config={**_QUIET, "ops": dict(ops or {})}, instance=instance, tags=_TAGS, raise_on_error=False,
        partition_key=month_name(month) if month else None,
    )  # fmt: skip
    raise_if_interrupted()
    return result


def refresh(progress: Progress, month: dt.date | None = None) -> Summary:
    """Load one month, or all that wait or are incomplete, and compute the tables that are out of date."""
    summary = Summary()
    with warehouse.opened() as connection, dg.DagsterInstance.get() as instance:
        fail_killed_runs(instance)
        purge_runs(instance)
        landing = open_landing()
        if month is None:
            months = _outstanding(landing, connection, summary, progress)
        elif month > dt.datetime.now(dt.UTC).date():
            raise NoDelivery(f"{month_name(month)} has not begun; what is delivered for it waits for {month} (UTC).")
        elif landing.incoming(month) or landing.processed(month):
            months = [month]
        else:
            raise NoDelivery(
                f"Nothing was delivered for {month_name(month)}. Deliver it with 'movies-platform deliver', or put it "
                f"into incoming/{month_name(month)}/ of the landing zone."
            )
        _load_months(instance, months, summary, progress)
        _compute(instance, connection, summary, progress)
    archived_before = landing.archived()
    if not archived_before and not summary.notices:
        summary.notices.append(
            f"nothing was delivered yet: {landing.storage.address('incoming')} is empty. Deliver the data set with "
            "'movies-platform deliver', or make a delivery up with 'movies-platform sample'."
        )
    for archived in refused_months(archived_before):
        if archived.month not in months:
            summary.notices.append(f"{month_name(archived.month)} was refused before: deliver a corrected file for it")
    return summary


def rebuild(progress: Progress) -> Summary:
    """Load every processed month into a new warehouse, compute the tables, and put it in the place of the old one.

    When anything fails, the old warehouse stays. A damaged one is kept beside the new one. Raises NoDelivery when
    nothing was ever processed.
    """
    months = sorted({a.month for a in open_landing().archived() if a.outcome == "processed"})
    if not months:
        raise NoDelivery("Nothing was processed yet, so there is nothing to rebuild. Deliver a month first.")
    if month_name(months[0]) < settings().first_month:
        raise SettingsError(
            f"{month_name(months[0])} was processed, but the first month is {settings().first_month}. "
            "Set MOVIES_FIRST_MONTH to an earlier month."
        )
    target = settings().warehouse
    fresh = target.with_name(f".{target.name}.rebuilding-{os.getpid()}")
    summary, other = Summary(), settings().other_warehouse
    with warehouse.replacing() as is_damaged:
        _expect_deliveries(months)
        for left in target.parent.glob(f"*.{target.name}.rebuilding-*"):  # by a rebuild that was killed
            _remove(left)
        try:
            with _warehouse_at(fresh), warehouse.opened() as connection, dg.DagsterInstance.get() as instance:
                _load_months(instance, months, summary, progress, source="processed")
                if not summary.problems:  # else it would be thrown away, and its checks would be the last of each table
                    _compute(instance, connection, summary, progress)
            if not summary.problems:
                if is_damaged:
                    _set_aside(target)
                # Of the old file, left by a killed refresh; first, because beside the new one nobody could open that.
                # What it held is in processed/, from which a refresh loads what is lacking.
                old_files = lake.folder_at(target)
                _wal(target).unlink(missing_ok=True)
                fresh.replace(target)
                _remove_folder(old_files)
                if other:
                    _remove(other)
        finally:
            for left in target.parent.glob(f"*{fresh.name}*"):
                _remove(left)
    return summary


def check_counts() -> str:
    """How many checks passed, warned and failed when they ran last, as `status` and the report count them."""
    with dg.DagsterInstance.get() as instance:
        return in_words(counted(latest_results(instance)))


def publish_and_load(summary: Summary, progress: Progress) -> Iterator[str]:
    """Publish the tables where they are new or not published yet, then load the databases; lines that say what was
    done. Problems are added to the summary."""
    with dg.DagsterInstance.get() as instance:
        if summary.recomputed or not _is_published():
            progress("publishing the tables")
            metadata, problem = run_and_describe(instance, PUBLISH_JOB)
            if problem:
                summary.problems.append(problem)
                yield from (f"problem   {line}" for line in problem.splitlines())
                return
            yield f"snapshot  {metadata['snapshot']}{'' if metadata['is_new'] else ' (as before)'}"
        if settings().load_to and warehouse.exists():
            progress("loading the databases")
            metadata, problem = run_and_describe(instance, LOAD_JOB)
            if problem:
                summary.problems.append(problem)
                yield from (f"problem   {line}" for line in problem.splitlines())
            else:
                yield from (f"loaded    {line.removeprefix('- ')}" for line in metadata["databases"].splitlines())


def run_and_describe(
    instance: dg.DagsterInstance, job: str, ops: Mapping[str, Any] | None = None
) -> tuple[Mapping[str, Any], str | None]:
    """Run a job; the metadata of what it materialized, and why it failed."""
    result = run_job(instance, job, ops=ops)
    if not result.success:
        failure = first_failure(result.all_events)
        return {}, failure.reason if failure else f"Run {result.run_id} failed."
    done = [e.step_materialization_data for e in result.all_events if e.is_step_materialization]
    return {name: value.value for d in done for name, value in d.materialization.metadata.items()}, None


def _load_months(
    instance: dg.DagsterInstance,
    months: Sequence[dt.date],
    summary: Summary,
    progress: Progress,
    source: str = "newest",
) -> None:
    for month in months:
        progress(f"{month_name(month)}: reading the delivery")
        ops = {"read_delivery": {"config": {"source": source}}}
        if _note(summary, run_job(instance, MONTH_JOB, ops=ops, month=month)):
            summary.months.append(month)


def _compute(
    instance: dg.DagsterInstance, connection: duckdb.DuckDBPyConnection, summary: Summary, progress: Progress
) -> None:
    """Compute the tables where they are out of date, and count what there is."""
    if stale_tables(connection) or summary.months:
        progress("computing the tables")
        summary.recomputed = _note(summary, run_job(instance, REFRESH_JOB))
        summary.rows = {qualified(table): warehouse.row_count(connection, table) for table in present_tables()}
    if summary.months:
        months = ", ".join(map(literal, summary.months))
        where = f"WHERE delivery_month IN ({months})"
        records = connection.execute(f"SELECT sum(records)::BIGINT FROM raw.deliveries {where}").fetchall()[0][0]
        summary.counts = {"records": records or 0, **dict.fromkeys(ACTIONS, 0)} | dict(
            connection.execute(f"SELECT action, count(*) FROM raw.data_issues {where} GROUP BY 1").fetchall()
        )


def _note(summary: Summary, result: dg.ExecuteInProcessResult) -> bool:
    """Add to the summary what became of a run; whether it succeeded."""
    for evaluation in result.get_asset_check_evaluations():
        if evaluation.passed:
            continue
        table = ".".join(evaluation.asset_key.path)
        of_month = f"{evaluation.partition}: " if evaluation.partition else ""
        line = f"{of_month}{table}: {evaluation.check_name}: {evaluation.description}"
        is_error = evaluation.severity == dg.AssetCheckSeverity.ERROR
        (summary.problems if is_error else summary.warnings).append(line)
    if not result.success:
        failure = first_failure(result.all_events)
        reason = f"{failure.step} failed: {failure.reason}" if failure else f"Run {result.run_id} failed."
        summary.problems.append((failure and failure.description) or reason)
    return result.success


def _outstanding(
    landing: Landing, connection: duckdb.DuckDBPyConnection, summary: Summary, progress: Progress
) -> list[dt.date]:
    """Months that wait and are complete, and those whose tables do not show what was processed last."""
    listing = landing.list_incoming()
    summary.notices += listing.unexpected_files
    waiting = [arrival.month for arrival in listing.arrivals if _is_ready(landing, arrival, summary, progress)]
    newest = {a.month: a.delivery_id for a in landing.archived() if a.outcome == "processed"}
    loaded = loaded_deliveries(connection)
    lacking = [month for month, delivery in newest.items() if loaded.get(month) != delivery]
    return sorted({*waiting, *lacking, *incomplete_months(connection)})


def _is_ready(landing: Landing, arrival: Arrival, summary: Summary, progress: Progress) -> bool:
    """Whether the month's files are a complete delivery; waits for those that were written just now."""
    name = month_name(arrival.month)
    if name < settings().first_month:
        summary.notices.append(f"incoming/{name}: before the first month, {settings().first_month}; it is ignored")
        return False
    since, chosen, shown = dt.datetime.now(dt.UTC), settings(), False
    while reason := why_incomplete(arrival, since, dt.datetime.now(dt.UTC), chosen.settle_seconds, chosen.marker):
        if reason != BEING_WRITTEN:
            summary.notices.append(f"{name} {reason}")
            return False
        if not shown:
            progress(f"{name}: {reason}")
        shown = True
        time.sleep(_POLL_SECONDS)
        now = next(iter(landing.list_incoming(arrival.month).arrivals), None)
        if now is None:
            return False
        if now.stamp != arrival.stamp:
            summary.notices.append(f"{name} {reason}: it stays in incoming/ until it no longer changes")
            return False
    return arrival.brings_movies or landing.incoming(arrival.month) is not None


def _expect_deliveries(months: Sequence[dt.date]) -> None:
    """Raise NoDelivery where the warehouse shows a month that is not in processed/: a rebuild would lose it."""
    try:
        with warehouse.reading() as connection:
            lost = sorted({*loaded_deliveries(connection)} - {*months})
    except (UnknownTable, WarehouseDamaged, WarehouseOutdated):
        return
    if lost:
        raise NoDelivery(
            f"The warehouse shows {', '.join(map(month_name, lost))}, but processed/ holds no delivery for it: "
            "a rebuild would lose it. Restore it from a backup or deliver it again; if it is to go, remove "
            f"{settings().warehouse} first."
        )


def _is_published() -> bool:
    if not warehouse.exists():
        return True  # there is nothing to publish
    with warehouse.reading() as connection:
        deliveries = deliveries_fingerprint(connection)
    try:
        return deliveries is None or latest_snapshot().manifest.deliveries == deliveries
    except (NoSnapshot, SnapshotDamaged):
        return False


def _remove(database: Path) -> None:
    """Remove a warehouse; of a lake its own files too, and nothing else in MOVIES_LAKE, which others may use."""
    _remove_folder(lake.folder_at(database))
    for file in (database, _wal(database)):
        file.unlink(missing_ok=True)


def _remove_folder(folder: str | None) -> None:
    if folder:
        with contextlib.suppress(Exception):  # what is left costs room, and the tables are as they are to be
            places.remove(folder)


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
def _warehouse_at(path: Path) -> Iterator[None]:
    before = os.environ.get("MOVIES_WAREHOUSE")
    os.environ["MOVIES_WAREHOUSE"] = str(path)
    try:
        yield
    finally:
        if before is None:
            del os.environ["MOVIES_WAREHOUSE"]
        else:
            os.environ["MOVIES_WAREHOUSE"] = before
