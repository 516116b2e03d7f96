"""The sensor that tells people: it reads what the instance recorded and starts nothing.

Because it reads records of what ended, a message that could not be sent, or a daemon that was down meanwhile, loses
none; and a channel that is broken breaks nothing but itself.
"""

import datetime as dt
import logging
from collections.abc import Iterator

import dagster as dg

from movies_platform.automation.causes import Cause, may_be_retried, of_missing_month, of_run, of_sensors
from movies_platform.automation.outbox import Outbox
from movies_platform.errors import SettingsError
from movies_platform.landing import open_landing
from movies_platform.resources.months import month_name
from movies_platform.resources.settings import Settings, settings

_ENDED = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS]
_OVERLAP = dt.timedelta(minutes=5)  # clocks of processes and databases differ; runs that were seen are known
_MOST_RUNS = 500  # of one tick


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=settings().poll_seconds,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells people (MOVIES_ALERTS) of refused deliveries, failures, warnings and months that are late.",
)
def alerts(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """One look at what happened, and one attempt to send what waits."""
    now = dt.datetime.now(dt.UTC)
    chosen = settings()
    box = Outbox.recall(context.cursor, now)
    for cause in _causes(context, box, chosen, now):
        box.take(cause, chosen.alerts)
    waiting = len(box.waiting)
    problems = box.deliver(chosen.alerts, send)
    for problem in problems:
        context.log.warning("%s; it is tried again", problem)
    gone = waiting - len(box.waiting)
    sent = f"{gone} of {waiting} messages have reached everybody" if waiting else "Nothing to tell"
    said = "; ".join([sent, *problems]) if chosen.alerts else "MOVIES_ALERTS is not set: nobody is told."
    return dg.SensorResult(skip_reason=said, cursor=box.cursor())


def _causes(context: dg.SensorEvaluationContext, box: Outbox, chosen: Settings, now: dt.datetime) -> Iterator[Cause]:
    since = dt.datetime.fromisoformat(box.since)
    records = context.instance.get_run_records(
        dg.RunsFilter(statuses=_ENDED, updated_after=since - _OVERLAP), order_by="update_timestamp", ascending=True,
        limit=_MOST_RUNS,
    )  # fmt: skip
    for record in records:
        if may_be_retried(context.instance, record.dagster_run):
            continue  # its record changes when that is decided, and it is found again
        changed = record.update_timestamp.replace(tzinfo=dt.UTC)
        if (record.end_time or changed.timestamp()) >= since.timestamp() - _OVERLAP.total_seconds():
            yield from () if box.saw(record.dagster_run.run_id) else of_run(context.instance, record.dagster_run)
        box.since = max(box.since, changed.isoformat())
    yield from of_sensors(context.instance)
    if chosen.expected_day and box.arrived != month_name(now.date()):
        yield from _missing_month(context, box, chosen.expected_day, now)


def _missing_month(
    context: dg.SensorEvaluationContext, box: Outbox, expected_day: int, now: dt.datetime
) -> Iterator[Cause]:
    try:
        cause = of_missing_month(open_landing(), now.date(), expected_day)
    except Exception as problem:  # the sensor `deliveries` fails for the same reason, and that is told
        context.log.warning("The landing zone cannot be asked: %s", type(problem).__name__)
        return
    if cause:
        box.arrived = month_name(now.date()) if cause.is_over else box.arrived
        yield cause


def send(url: str, title: str, text: str) -> bool:
    """One message through one channel."""
    import apprise

    channel, log = apprise.Apprise(), logging.getLogger("apprise")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)  # it logs a URL that it does not understand, with the secrets in it
    try:
        if not channel.add(url):
            raise SettingsError("is no address that Apprise understands: mend it in MOVIES_ALERTS")
    finally:
        log.setLevel(level)
    return bool(channel.notify(title=f"movies_platform: {title}", body=text))
