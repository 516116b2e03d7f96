"""The sensor that sees deliveries arrive and starts the month's run, in a folder and on S3.

What was started for an arrival is read from the runs themselves (tag `movies_platform/arrival`: month and stamp), not
from the cursor: a lost cursor, a failed tick or a killed daemon starts nothing twice and forgets nothing. An arrival
whose run ended without archiving it (a fault of the infrastructure, a killed process) gets another one, after a
pause that grows. What was processed last, delivered again, is archived without a run.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg
from pydantic import BaseModel, ValidationError

from movies_platform.automation import sqs
from movies_platform.contracts.sources import MOVIES_METADATA
from movies_platform.landing import open_landing
from movies_platform.landing.deliveries import Arrival, Landing, Listing
from movies_platform.resources.months import month_name, parse_month
from movies_platform.settings import Settings, settings

ARRIVAL = "movies_platform/arrival"
DELIVERY = "movies_platform/delivery"
PARTITION = "dagster/partition"
BEING_WRITTEN = "is still being written"
_COMPLETE_WITHIN = dt.timedelta(hours=1)  # after it, a delivery without movies is refused, so that somebody hears of it
_FIRST_PAUSE = dt.timedelta(seconds=30)  # after a run that did not archive its delivery, doubled each time
_LONGEST_PAUSE = dt.timedelta(hours=1)
_LIST_ALL_EVERY = dt.timedelta(days=1)  # with a queue, in case a message was lost
_SHOWN = 20  # sentences of one tick
_KEPT = 2_000  # sentences in the cursor


class Cursor(BaseModel):
    """What the sensor keeps from one tick to the next, as JSON.

    `seen`: for each month in incoming/ its stamp and when that was first seen (UTC). `reported`: sentences about
    unexpected files that were logged. With a queue: `months` that may have something in incoming/, `received` messages
    that may be deleted now that their months are stored, `listed` when all of incoming/ was listed last.
    """

    seen: dict[str, tuple[str, dt.datetime]] = {}
    reported: list[str] = []
    months: list[str] = []
    received: list[str] = []
    listed: dt.datetime | None = None

    @classmethod
    def load(cls, text: str | None) -> "Cursor":
        """From JSON; one that cannot be read is an empty one, which starts nothing twice."""
        try:
            return cls.model_validate_json(text or "{}")
        except ValidationError:
            return cls()

    def see(self, arrivals: Sequence[Arrival], now: dt.datetime) -> dict[dt.date, dt.datetime]:
        """Since when each month's files have been as they are (UTC), as far as this sensor knows."""
        before, self.seen = self.seen, {}
        for arrival in arrivals:
            month = month_name(arrival.month)
            stamp, since = before.get(month, ("", now))
            self.seen[month] = (arrival.stamp, since if stamp == arrival.stamp else now)
        return {parse_month(month): since for month, (_, since) in self.seen.items()}

    def new(self, sentences: list[str]) -> list[str]:
        """Those that were not reported yet; those that are no longer true are forgotten."""
        known, self.reported = set(self.reported), sentences[:_KEPT]
        return [sentence for sentence in sentences if sentence not in known]


@dataclass(frozen=True)
class Attempt:
    """A run that was started for an arrival. `ended` (UTC) is None while it goes on, or is to be retried."""

    run_id: str
    ended: dt.datetime | None


def why_incomplete(
    arrival: Arrival, unchanged_since: dt.datetime, now: dt.datetime, settle_seconds: float, marker: str
) -> str | None:
    """Why the files are not a complete delivery yet; None when they are.

    A marker counts when it is not older than the last file (S3 stores whole seconds). Where none is required, one
    that is there spares the wait. A modification time in the future says nothing about when a file was written: then
    it counts since when the files have been seen as they are.
    """
    if arrival.month > now.date():
        return f"waits for {arrival.month}"
    written = arrival.written.replace(microsecond=0)
    marks = [at for name, at in arrival.marks.items() if marker in ("", name)]
    if any(at >= written for at in marks):
        return None
    if marker and not (marks and arrival.written > now):
        return f"waits for {marker}"
    age = now - min(arrival.written, unchanged_since)
    if not arrival.brings_movies and age < _COMPLETE_WITHIN:
        return f"waits for {MOVIES_METADATA.name}, has {', '.join(arrival.names)}"
    if age < dt.timedelta(seconds=settle_seconds):
        return BEING_WRITTEN
    return None


def why_not_again(attempts: Sequence[Attempt], now: dt.datetime) -> str | None:
    """Why no further run is started for an arrival that had these, oldest first; None when one is due."""
    if not attempts:
        return None
    running = [attempt for attempt in attempts if attempt.ended is None]
    if running:
        return f"run {running[-1].run_id} is in progress"
    ended = max(attempt.ended for attempt in attempts if attempt.ended)
    due = ended + min(_FIRST_PAUSE * 2 ** min(len(attempts) - 1, 10), _LONGEST_PAUSE)
    if now < due:
        return f"{len(attempts)} run(s) did not finish it; the next is due at {due:%H:%M:%S} UTC"
    return None


def tick(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Look into incoming/ once."""
    now, chosen = dt.datetime.now(dt.UTC), settings()
    cursor, landing = Cursor.load(context.cursor), open_landing()
    listing = _list(landing, cursor, chosen, now)
    unchanged_since = cursor.see(listing.arrivals, now)
    requests, waiting, unexpected = [], [], list(listing.unexpected_files)
    for arrival in listing.arrivals:
        month = month_name(arrival.month)
        if month < chosen.first_month:
            unexpected.append(f"incoming/{month}: before the first month, {chosen.first_month}; it is ignored")
            continue
        since = unchanged_since[arrival.month]
        reason = why_incomplete(arrival, since, now, chosen.settle_seconds, chosen.marker)
        request = reason or _request(context.instance, landing, arrival, now)
        if isinstance(request, dg.RunRequest):
            requests.append(request)
        else:
            waiting.append(f"{month} {request}")
    if requests:  # a tick that starts runs has no skip reason: the next one reports
        return dg.SensorResult(run_requests=requests, cursor=cursor.model_dump_json())
    new = cursor.new(unexpected)
    more = [f"and {len(new) - _SHOWN:,} more"] if len(new) > _SHOWN else []
    for sentence in new[:_SHOWN]:
        context.log.warning(sentence)
    reasons = [*new[:_SHOWN], *more, *waiting[:_SHOWN]]
    return dg.SensorResult(skip_reason="; ".join(reasons) or "Nothing waits.", cursor=cursor.model_dump_json())


def _list(landing: Landing, cursor: Cursor, chosen: Settings, now: dt.datetime) -> Listing:
    """All of incoming/; with a queue, the months that it named, and all only once a day."""
    if not chosen.queue_url:
        return landing.list_incoming()
    sqs.delete(chosen.queue_url, cursor.received)  # the cursor that holds their months was stored since
    named, cursor.received = sqs.receive(chosen.queue_url, chosen.landing)
    months = sorted({*cursor.months, *named})
    if not cursor.listed or now - cursor.listed > _LIST_ALL_EVERY:
        listing, cursor.listed = landing.list_incoming(), now
    else:
        listings = [landing.list_incoming(parse_month(month)) for month in months]
        # What is known of the months that are not listed now stays reported.
        unexpected = [line for line in cursor.reported if not any(line.startswith(f"incoming/{m}") for m in months)]
        unexpected += [line for each in listings for line in each.unexpected_files]
        listing = Listing(tuple(a for each in listings for a in each.arrivals), tuple(unexpected))
    cursor.months = [month_name(arrival.month) for arrival in listing.arrivals]
    return listing


def _request(instance: dg.DagsterInstance, landing: Landing, arrival: Arrival, now: dt.datetime) -> dg.RunRequest | str:
    """A run for the arrival, or why there is none now."""
    month = month_name(arrival.month)
    tag = f"{month}:{arrival.stamp}"
    attempts = _attempts(instance, tag)
    if reason := why_not_again(attempts, now):
        return reason
    runs = instance.get_runs(dg.RunsFilter(tags={PARTITION: month}))
    # It may still read what lies here now.
    if others := [run.run_id for run in runs if ARRIVAL in run.tags and not run.is_finished]:
        return f"changed while run {others[0]} is in progress, and waits for it"
    # A run that ended between the listing and the question for runs has archived its delivery.
    delivery = landing.incoming(arrival.month)
    if delivery is None or arrival.stamp not in [a.stamp for a in landing.list_incoming(arrival.month).arrivals]:
        return "was archived or replaced meanwhile"
    newest = landing.archived(arrival.month)[-1:]
    if newest and (newest[0].outcome, newest[0].delivery_id) == ("processed", delivery.id):
        landing.archive(delivery, "processed", newest[0].note)
        return f"is what was processed last, delivered again; it is in {newest[0].place}"
    return dg.RunRequest(
        run_key=f"{tag}:{delivery.id}:{len(attempts)}", partition_key=month, tags={ARRIVAL: tag, DELIVERY: delivery.id}
    )


def _attempts(instance: dg.DagsterInstance, tag: str) -> list[Attempt]:
    """The runs that were started for an arrival, oldest first; a retry of Dagster's belongs to the run it retries."""
    records = instance.get_run_records(dg.RunsFilter(tags={ARRIVAL: tag}))
    parents = {record.dagster_run.parent_run_id for record in records}
    attempts = []
    for record in reversed(records):
        run = record.dagster_run
        to_be_retried = run.tags.get("dagster/will_retry") == "true" and run.run_id not in parents
        ended = dt.datetime.fromtimestamp(record.end_time or record.update_timestamp.timestamp(), dt.UTC)
        attempts.append(Attempt(run.run_id, ended if run.is_finished and not to_be_retried else None))
    return attempts
