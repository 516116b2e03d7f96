"""What people must be told of: found in runs, checks, ticks and the landing zone; one cause, one key.

A message is sent once for its key. The keys of things that end (a failing job, a failing sensor) are forgotten
when they do, so that the next time is told again. A check of all months warns each month of the same movies: it is
told when it begins to warn, and when it finds twice as many.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType

from movies_platform.automation.deliveries import ARRIVAL, PARTITION
from movies_platform.landing.deliveries import Landing
from movies_platform.resources.failures import first_failure
from movies_platform.resources.months import month_name
from movies_platform.resources.settings import settings

_FAILURES_IN_A_ROW = 3
_LONGEST_TEXT = 1_500  # the strictest channels take 2,000, and what they do not take would hold up what follows
_BY_MONTH = ("raw", "parsed")
_WILL_RETRY = "dagster/will_retry"


@dataclass(frozen=True)
class Cause:
    """A message and what it is about. One that is over tells nothing, and ends its key and all below (`key:...`)."""

    key: str
    title: str = ""
    text: str = ""
    is_over: bool = False


def may_be_retried(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether Dagster has not yet said if a failed run is tried again: it does so after it calls the run failed."""
    undecided = run.status == dg.DagsterRunStatus.FAILURE and _WILL_RETRY not in run.tags
    return undecided and instance.run_retries_enabled


def of_run(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[Cause]:
    """Causes in a run that ended: its failure, or the checks that warn."""
    month = run.tags.get(PARTITION, "")
    subject = f"failed:{run.job_name}:{month}"
    if run.status == dg.DagsterRunStatus.SUCCESS:
        yield Cause(subject, is_over=True)
        yield from _warnings(instance, run, month)
    elif run.status == dg.DagsterRunStatus.FAILURE and run.tags.get(_WILL_RETRY) != "true":
        reason, refused = _reason(instance, run)
        of_month = f" for {month}" if month else ""
        if refused:
            key = f"refused:{run.tags.get(ARRIVAL, run.run_id)}"
            yield Cause(key, f"The delivery{of_month} is refused", _with_link(reason, run))
        else:
            job = "the tables" if run.job_name.startswith("__") else run.job_name
            yield Cause(subject, f"A run of {job}{of_month} failed", _with_link(reason, run))


def _warnings(instance: dg.DagsterInstance, run: dg.DagsterRun, month_of_run: str) -> Iterator[Cause]:
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        found = entry.dagster_event.event_specific_data if entry.dagster_event else None
        if not isinstance(found, dg.AssetCheckEvaluation):
            continue
        table = ".".join(found.asset_key.path)
        month = month_of_run if found.asset_key.path[0] in _BY_MONTH else ""
        key = f"check:{table}:{found.check_name}:{month}"
        if found.passed:
            yield Cause(key, is_over=True)
        else:
            yield Cause(
                f"{key}:{_said(found) if month else _size(found)}",
                f"{table}: the check {found.check_name} warns" + (f" for {month}" if month else ""),
                _with_link(found.description or "", run),
            )


def _said(found: dg.AssetCheckEvaluation) -> str:
    return hashlib.blake2b((found.description or "").encode(), digest_size=6).hexdigest()


def _size(found: dg.AssetCheckEvaluation) -> str:
    """The same for numbers of offenders of the same size: up to twice as many are no news."""
    offenders = found.metadata.get("offenders")
    return f"{offenders.value.bit_length()}" if isinstance(offenders, dg.IntMetadataValue) and offenders.value else ""


def _reason(instance: dg.DagsterInstance, run: dg.DagsterRun) -> tuple[str, bool]:
    """Why the run failed, and whether that is the delivery's fault."""
    logged = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    if failure := first_failure(entry.dagster_event for entry in logged):
        blocked = "blocking checks failed" in (failure.said or "") and PARTITION in run.tags
        return failure.reason, blocked or "DeliveryRejected" in failure.kinds
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE):
        if entry.dagster_event and entry.dagster_event.message:
            return entry.dagster_event.message, False
    return "It ended without a reason.", False


def of_sensors(instance: dg.DagsterInstance) -> Iterator[Cause]:
    """Sensors whose last ticks all failed, and those that work (again)."""
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SENSOR):
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=_FAILURES_IN_A_ROW + 1)
        # Compared as text: importing the states costs every command 0.1 s.
        done = [tick for tick in ticks if tick.status.value != "STARTED"][:_FAILURES_IN_A_ROW]
        key = f"sensor:{state.instigator_name}"
        if done and done[0].status.value != "FAILURE":
            yield Cause(key, is_over=True)
        elif len(done) == _FAILURES_IN_A_ROW and all(tick.status.value == "FAILURE" for tick in done):
            error = done[0].error
            text = (error.cause or error).message.strip() if error else ""
            title = f"The sensor {state.instigator_name} failed {_FAILURES_IN_A_ROW} times in a row"
            yield Cause(key, title, f"{text[:_LONGEST_TEXT]}\nIt goes on trying; nothing is lost.")


def of_missing_month(landing: Landing, today: dt.date, expected_day: int) -> Cause | None:
    """The running month, when nothing has arrived for it by the day of the month; is_over when something has."""
    month = today.replace(day=1)
    key = f"missing:{month_name(month)}"
    if landing.look(month).arrivals or landing.settled(month):
        return Cause(key, is_over=True)
    if today.day < expected_day:
        return None
    text = f"Nothing has arrived in incoming/{month_name(month)}/ by day {expected_day}. Ask the provider."
    return Cause(key, f"The delivery for {month_name(month)} has not arrived", text)


def _with_link(text: str, run: dg.DagsterRun) -> str:
    ui = settings().ui_url
    text = text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."
    return f"{text}\n{ui}/runs/{run.run_id}" if ui else f"{text}\nRun {run.run_id}"
