"""The sensor that sends messages to people; it reads what the instance recorded and starts nothing.

Refused deliveries, failed runs, checks that warn, sensors that keep failing and a month that is late: one message for
each cause. What still has to be sent is in the cursor until its channel has taken it, so a channel that is broken or a
daemon that was down loses none; a daemon that is killed between sending and storing the cursor sends one twice.

The keys of causes that end (a failing job, a failing sensor, a warning check) are forgotten when they do, so that the
next time is reported again. A check of all months warns each month of the same movies: it is reported when it
begins to warn, and when it finds twice as many.
"""

import datetime as dt
import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
from pydantic import BaseModel, ValidationError

from movies_platform.automation.deliveries import ARRIVAL, PARTITION
from movies_platform.errors import MonthIncomplete, TablesOutdated
from movies_platform.landing import open_landing
from movies_platform.resources.failures import first_failure
from movies_platform.resources.months import month_name
from movies_platform.settings import Settings, settings

_OVERLAP = dt.timedelta(minutes=5)  # clocks of processes and databases differ; runs that were seen are known
_MOST_RUNS = 500  # of one tick
_FAILURES_IN_A_ROW = 3
_LONGEST_TEXT = 1_500  # the strictest channels take 2,000, and what they do not take would hold up what follows
_WILL_RETRY = "dagster/will_retry"
# Errors of a run that met another one half-way (a killed one, say): the run that is due next sets it right, or is told.
_SET_RIGHT = {MonthIncomplete.__name__, TablesOutdated.__name__}
_MOST_KEPT = 2_000  # runs and keys in the cursor
_MOST_WAITING = 200  # messages in the cursor


@dataclass(frozen=True)
class Cause:
    """A message and the key of what it is about; one that `is_over` ends its key and all below it (`key:...`)."""

    key: str
    title: str = ""
    text: str = ""
    is_over: bool = False


class Message(BaseModel):
    """A message and the channels that have not taken it, by digests: their addresses hold secrets."""

    title: str
    text: str
    channels: list[str]


class Cursor(BaseModel):
    """`since`: runs were read up to there (UTC), `seen` of them; `sent`: keys of causes; `arrived`: a month."""

    since: dt.datetime
    seen: list[str] = []
    sent: list[str] = []
    waiting: list[Message] = []
    arrived: str = ""

    @classmethod
    def load(cls, text: str | None, now: dt.datetime) -> "Cursor":
        """From JSON; without one that can be read it begins now, and reports nothing of the past."""
        try:
            cursor = cls.model_validate_json(text or "{}")
            cursor.seen, cursor.sent = cursor.seen[-_MOST_KEPT:], cursor.sent[-_MOST_KEPT:]
            return cursor
        except ValidationError:
            return cls(since=now)

    def add(self, cause: Cause, channels: tuple[str, ...]) -> None:
        """Prepare the message of a cause that is new; forget one that is over."""
        if cause.is_over:
            self.sent = [key for key in self.sent if not f"{key}:".startswith(f"{cause.key}:")]
        elif cause.key not in self.sent:
            self.sent.append(cause.key)
            message = Message(title=cause.title, text=cause.text, channels=[digest(url) for url in channels])
            self.waiting = [*self.waiting, message][-_MOST_WAITING:]

    def send(self, channels: tuple[str, ...]) -> list[str]:
        """Send what waits; problems, one for each channel that does not take its messages."""
        urls = {digest(url): url for url in channels}
        problems: dict[str, str] = {}
        for message in self.waiting:
            for channel in list(message.channels):
                if channel in urls and channel not in problems:
                    problem = send(urls[channel], message.title, message.text)
                    problems |= {channel: problem} if problem else {}
            message.channels = [channel for channel in message.channels if channel in problems]
        self.waiting = [message for message in self.waiting if message.channels]
        return list(problems.values())


def tick(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Read what happened once, and try once to send what waits."""
    now, chosen = dt.datetime.now(dt.UTC), settings()
    cursor = Cursor.load(context.cursor, now)
    causes = [*_ended_runs(context.instance, cursor), *_failing_sensors(context.instance)]
    for cause in [*causes, *_missing_month(context, cursor, chosen, now)]:
        cursor.add(cause, chosen.alerts)
    waiting = len(cursor.waiting)
    problems = cursor.send(chosen.alerts)
    for problem in problems:
        context.log.warning("%s; it is tried again", problem)
    sent = f"Sent {waiting - len(cursor.waiting)} of {waiting} messages to everybody" if waiting else "Nothing to send"
    reason = "; ".join([sent, *problems]) if chosen.alerts else "MOVIES_ALERTS is not set: nobody gets a message."
    return dg.SensorResult(skip_reason=reason, cursor=cursor.model_dump_json())


def _ended_runs(instance: dg.DagsterInstance, cursor: Cursor) -> Iterator[Cause]:
    start = cursor.since - _OVERLAP
    ended = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS]
    records = instance.get_run_records(
        dg.RunsFilter(statuses=ended, updated_after=start), order_by="update_timestamp", ascending=True,
        limit=_MOST_RUNS,
    )  # fmt: skip
    for record in records:
        run = record.dagster_run
        failed = run.status == dg.DagsterRunStatus.FAILURE
        if failed and instance.run_retries_enabled and _WILL_RETRY not in run.tags:
            continue  # its record changes when Dagster has decided that, and it is found again
        changed = record.update_timestamp.replace(tzinfo=dt.UTC)
        if (record.end_time or changed.timestamp()) >= start.timestamp() and run.run_id not in cursor.seen:
            cursor.seen.append(run.run_id)
            yield from _failure(instance, run) if failed else _success(instance, run)
        cursor.since = max(cursor.since, changed)


def _failure(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[Cause]:
    if run.tags.get(_WILL_RETRY) == "true":
        return
    of_month = f" for {run.tags[PARTITION]}" if PARTITION in run.tags else ""
    logged = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    failure = first_failure(entry.dagster_event for entry in logged)
    if failure and "DeliveryRejected" in failure.kinds:
        key = f"refused:{run.tags.get(ARRIVAL, run.run_id)}"
        yield Cause(key, f"The delivery{of_month} is refused", _with_link(failure.reason, run))
        return
    if failure and not _SET_RIGHT.isdisjoint(failure.kinds):
        return
    ended = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    reasons = [failure.reason] if failure else [e.dagster_event.message or "" for e in ended if e.dagster_event]
    job = "the tables" if run.job_name.startswith("__") else run.job_name
    yield Cause(_job(run), f"A run of {job}{of_month} failed", _with_link(next(filter(None, reasons), ""), run))


def _success(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[Cause]:
    yield Cause(_job(run), is_over=True)
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        check = entry.dagster_event.event_specific_data if entry.dagster_event else None
        if not isinstance(check, dg.AssetCheckEvaluation):
            continue
        table, month = ".".join(check.asset_key.path), check.partition or ""
        key = f"check:{table}:{check.check_name}:{month}"
        if check.passed:
            yield Cause(key, is_over=True)
            continue
        offenders = check.metadata.get("offenders")
        count = offenders.value if isinstance(offenders, dg.IntMetadataValue) else None
        # The same for numbers of the same size: up to twice as many are no news.
        finding = digest(check.description or "") if month else f"{(count or 0).bit_length()}"
        title = f"{table}: the check {check.check_name} warns" + (f" for {month}" if month else "")
        yield Cause(f"{key}:{finding}", title, _with_link(check.description or "", run))


def _job(run: dg.DagsterRun) -> str:
    return f"failed:{run.job_name}:{run.tags.get(PARTITION, '')}"


def _failing_sensors(instance: dg.DagsterInstance) -> Iterator[Cause]:
    """Sensors whose last ticks all failed, and those that work (again)."""
    for state in instance.all_instigator_state():
        if state.instigator_type.value != "SENSOR":
            continue
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=_FAILURES_IN_A_ROW + 1)
        done = [tick for tick in ticks if tick.status.value != "STARTED"][:_FAILURES_IN_A_ROW]
        failed = [tick for tick in done if tick.status.value == "FAILURE"]
        key = f"sensor:{state.instigator_name}"
        if done and done[0] not in failed:
            yield Cause(key, is_over=True)
        elif len(failed) == _FAILURES_IN_A_ROW:
            error = failed[0].error
            text = (error.cause or error).message.strip() if error else ""
            title = f"The sensor {state.instigator_name} failed {_FAILURES_IN_A_ROW} times in a row"
            yield Cause(key, title, f"{_cut(text)}\nIt is tried again; nothing is lost.")


def _missing_month(
    context: dg.SensorEvaluationContext, cursor: Cursor, chosen: Settings, now: dt.datetime
) -> Iterator[Cause]:
    """The current month, when nothing has arrived for it by the day of the month."""
    month, name = now.date().replace(day=1), month_name(now.date())
    if not chosen.expected_day or cursor.arrived == name:
        return
    try:
        landing = open_landing()
        if landing.list_incoming(month).arrivals or landing.archived(month):
            cursor.arrived = name
            yield Cause(f"missing:{name}", is_over=True)
        elif now.day >= chosen.expected_day:
            text = f"Nothing has arrived in incoming/{name}/ by day {chosen.expected_day}. Ask the provider."
            yield Cause(f"missing:{name}", f"The delivery for {name} has not arrived", text)
    except Exception as problem:  # the sensor `deliveries` fails for the same reason, and that is reported
        context.log.warning("The landing zone cannot be listed: %s", type(problem).__name__)


def _with_link(text: str, run: dg.DagsterRun) -> str:
    ui = settings().ui_url
    return f"{_cut(text)}\n{ui}/runs/{run.run_id}" if ui else f"{_cut(text)}\nRun {run.run_id}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."


def digest(text: str) -> str:
    """A short name that tells nothing of the text."""
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def send(url: str, title: str, text: str) -> str | None:
    """Send one message through one channel of Apprise; the problem, which names no secrets of the URL."""
    import apprise

    scheme, separator, _ = url.partition("://")
    channel = f"{scheme if separator else '(no address)'}://"
    messenger, log = apprise.Apprise(), logging.getLogger("apprise")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)  # it logs a URL that it does not understand, with the secrets in it
    try:
        if not messenger.add(url):
            return f"{channel} is no address that Apprise understands: correct it in MOVIES_ALERTS"
        sent = messenger.notify(title=f"movies_platform: {title}", body=text)
        return None if sent else f"{channel} took no message"
    except Exception as problem:  # whatever a channel's library raises: alerts never stop anything
        return f"{channel} failed ({type(problem).__name__})"
    finally:
        log.setLevel(level)
