"""Which arrivals are ready for a run, and why the others wait. Pure: what was seen in, what to do out."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from movies_platform.landing.deliveries import MOVIES, Arrival
from movies_platform.resources.months import month_name

_COMPLETE_WITHIN = dt.timedelta(hours=1)  # after it, a delivery without movies is refused aloud
_FIRST_PAUSE = dt.timedelta(seconds=30)  # after a run that did not settle its delivery, doubled each time
_LONGEST_PAUSE = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Attempt:
    """A run that was started for an arrival. `ended` (UTC) is None while it goes on, or is to be retried."""

    run_id: str
    ended: dt.datetime | None


def why_unready(arrival: Arrival, now: dt.datetime, settle_seconds: float, marker: str) -> str | None:
    """Why the files are not a whole delivery yet; None when they are.

    A marker counts when it is not older than the last file (S3 tells whole seconds). Where none is required, one
    that is there spares the wait.
    """
    written = arrival.written.replace(microsecond=0)
    marked = any(at >= written for name, at in arrival.marks.items() if marker in ("", name))
    if marked:
        return None
    if marker:
        return f"waits for {marker}"
    age = now - arrival.written
    if not arrival.brings_movies and age < _COMPLETE_WITHIN:
        return f"waits for {MOVIES}, has {', '.join(arrival.names)}"
    if age < dt.timedelta(seconds=settle_seconds):
        return "is still being written"
    return None


def why_not_again(attempts: Sequence[Attempt], now: dt.datetime) -> str | None:
    """Why no further run is started for an arrival that had these, oldest first; None when one is due."""
    if not attempts:
        return None
    running = [attempt for attempt in attempts if attempt.ended is None]
    if running:
        return f"run {running[-1].run_id} is on its way"
    ended = max(attempt.ended for attempt in attempts if attempt.ended)
    due = ended + min(_FIRST_PAUSE * 2 ** min(len(attempts) - 1, 10), _LONGEST_PAUSE)
    if now < due:
        return f"{len(attempts)} run(s) did not finish it; the next is due at {due:%H:%M:%S} UTC"
    return None


def sentence(arrival: Arrival, reason: str) -> str:
    """The reason with its month, for people."""
    return f"{month_name(arrival.month)} {reason}"
