"""The sensor that sees deliveries arrive and starts the month's run, in a folder and on S3.

What was started for an arrival is read from the runs themselves (tag `movies_platform/arrival`: month and stamp), not
from the cursor: a lost cursor, a failed tick or a killed daemon starts nothing twice and forgets nothing. An arrival
whose run ended without settling it (a fault of the infrastructure, a killed process) gets another one, after a
pause that grows. What was processed last, delivered again, is only put away.
"""

import datetime as dt

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from movies_platform.automation.jobs import load_month
from movies_platform.automation.memory import Memory
from movies_platform.automation.queue import forget, messages
from movies_platform.automation.waiting import Attempt, sentence, why_not_again, why_unready
from movies_platform.landing import open_landing
from movies_platform.landing.deliveries import Arrival, Landing, Look
from movies_platform.partitions import delivery_months
from movies_platform.resources.months import month_name, parse_month
from movies_platform.resources.settings import settings

ARRIVAL = "movies_platform/arrival"
DELIVERY = "movies_platform/delivery"
PARTITION = "dagster/partition"
_SHOWN = 20  # sentences of one tick


@dg.sensor(
    name="deliveries",
    job=load_month,
    minimum_interval_seconds=settings().poll_seconds,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts the run of a month when a delivery for it has arrived, whole.",
)
def deliveries(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """One look into incoming/."""
    now = dt.datetime.now(dt.UTC)
    memory = Memory.recall(context.cursor)
    landing = open_landing()
    look = _look(landing, memory, now)
    requests, waiting = [], []
    strays = [*look.strays, *(_outside(a) for a in look.arrivals if not _has_partition(a))]
    for arrival in filter(_has_partition, look.arrivals):
        reason = why_unready(arrival, now, settings().settle_seconds, settings().marker)
        request = None if reason else _request(context.instance, landing, arrival, now)
        if isinstance(request, dg.RunRequest):
            requests.append(request)
        else:
            waiting.append(sentence(arrival, reason or request or "was settled meanwhile"))
    memory.here = {month_name(a.month): a.stamp for a in look.arrivals}
    if requests:  # a tick that starts runs has no room for words: they are said by the next
        return dg.SensorResult(run_requests=requests, cursor=memory.cursor())
    news = memory.news(strays)
    for stray in news[:_SHOWN]:
        context.log.warning(stray)
    said = [*news[:_SHOWN], *([f"and {len(news) - _SHOWN:,} more"] if len(news) > _SHOWN else []), *waiting[:_SHOWN]]
    return dg.SensorResult(skip_reason="; ".join(said) or "Nothing waits.", cursor=memory.cursor())


def _look(landing: Landing, memory: Memory, now: dt.datetime) -> Look:
    """All of incoming/; with a queue, the months that it told of, and all only once a day."""
    queue = settings().queue_url
    if not queue:
        return landing.look()
    forget(queue, memory.received)  # the cursor that holds their months was stored since
    told, memory.received = messages(queue, settings().landing)
    memory.months = sorted({*memory.months, *told})
    if memory.list_is_due(now):
        look = landing.look()
        memory.listed = now.isoformat()
    else:
        looks = [landing.look(parse_month(month)) for month in memory.months]
        known = [line for line in memory.told if not any(line.startswith(f"incoming/{m}") for m in memory.months)]
        strays = [*known, *(stray for look in looks for stray in look.strays)]
        look = Look(tuple(arrival for look in looks for arrival in look.arrivals), tuple(strays))
    memory.months = [month_name(arrival.month) for arrival in look.arrivals]
    return look


def _request(
    instance: dg.DagsterInstance, landing: Landing, arrival: Arrival, now: dt.datetime
) -> dg.RunRequest | str | None:
    """A run for the arrival, or why there is none now."""
    tag = f"{month_name(arrival.month)}:{arrival.stamp}"
    attempts = _attempts(instance, tag)
    reason = why_not_again(attempts, now)
    if reason:
        return reason
    if others := _under_way(instance, arrival.month):  # it may still read what lies here now
        return f"changed while run {others[0]} is on its way, and waits for it"
    # A run that ended between the look and the question for runs has taken its delivery away.
    delivery = landing.incoming(arrival.month)
    if delivery is None or arrival.stamp not in [a.stamp for a in landing.look(arrival.month).arrivals]:
        return None
    newest = landing.settled(arrival.month)[-1:]
    if newest and (newest[0].outcome, newest[0].delivery_id) == ("processed", delivery.id):
        landing.settle(delivery, "processed", newest[0].note)
        return f"is what was processed last, delivered again; it lies in {newest[0].place}"
    return dg.RunRequest(
        run_key=f"{tag}:{delivery.id}:{len(attempts)}",
        partition_key=month_name(arrival.month),
        tags={ARRIVAL: tag, DELIVERY: delivery.id},
    )


def _attempts(instance: dg.DagsterInstance, tag: str) -> list[Attempt]:
    """The runs that were started for an arrival, oldest first; a retry of Dagster's belongs to the run it retries."""
    records = instance.get_run_records(dg.RunsFilter(tags={ARRIVAL: tag}))
    parents = {record.dagster_run.parent_run_id for record in records}
    attempts = []
    for record in reversed(records):
        run = record.dagster_run
        to_be_retried = run.tags.get("dagster/will_retry") == "true" and run.run_id not in parents
        over = run.is_finished and not to_be_retried
        ended = (
            dt.datetime.fromtimestamp(record.end_time or record.update_timestamp.timestamp(), dt.UTC) if over else None
        )
        attempts.append(Attempt(run.run_id, ended))
    return attempts


def _under_way(instance: dg.DagsterInstance, month: dt.date) -> list[str]:
    """Runs that were started for an arrival of the month and go on, whichever files it had then."""
    runs = instance.get_runs(dg.RunsFilter(tags={PARTITION: month_name(month)}, statuses=list(NOT_FINISHED_STATUSES)))
    return [run.run_id for run in runs if ARRIVAL in run.tags]


def _has_partition(arrival: Arrival) -> bool:
    return delivery_months.has_partition_key(month_name(arrival.month))


def _outside(arrival: Arrival) -> str:
    return f"incoming/{month_name(arrival.month)}: not between the first month and this one, left alone"
