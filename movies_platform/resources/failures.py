"""Why a run failed, taken from Dagster's events, and what to do about it where the machine is at fault."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import dagster as dg

from movies_platform.settings import settings

_FULL = ("No space left on device", "max_temp_directory_size", "database or disk is full")
DAMAGED = (  # what DuckDB says then
    "not a valid DuckDB database file", "Corrupt database file", "Could not read enough bytes", "replaying WAL",
    "stored checksum",
)  # fmt: skip
_OUT_OF_MEMORY = "Out of Memory Error"
# What gRPC says of a Connect server that was there before, and Java of a driver that has lost its cluster.
_AWAY = {"sc": "StatusCode.UNAVAILABLE", "spark": "cancelled as part of cancellation of all jobs"}


@dataclass(frozen=True)
class StepFailure:
    """Why a step failed: the `description` that it gave (a `dg.Failure`), and the innermost error's message.

    `kinds` are the names of the errors' classes, outermost first: Dagster wraps what a step raises.
    """

    step: str
    description: str | None
    message: str
    kinds: tuple[str, ...]

    @property
    def reason(self) -> str:
        """What to show: the step's own description, or else the innermost error."""
        return self.description or explained(self.message)


def explained(message: str) -> str:
    """The message of an error; where disk, memory, Spark or the warehouse is at fault, what it is and a remedy."""
    if any(sign in message for sign in _FULL):
        named = re.search(r"""["'](/[^"']+)["']""", message)
        place = named[1] if named else settings().dagster_home if "database or disk" in message else settings().home
        remedy = f"Make room on the disk of {place}."
    elif any(sign in message for sign in DAMAGED):
        return f"{_first_line(message)} The warehouse is damaged: 'movies-platform rebuild' makes it from processed/."
    elif _OUT_OF_MEMORY in message:
        remedy = "Give the database more memory: MOVIES_MEMORY, for instance 2GB."
    elif _is_away(message):
        details = re.search(r'details = "(.*)"', message)
        message = f"Spark does not answer any more at {settings().spark}{f': {details[1]}' if details else ''}"
        remedy = "Start it again."
    else:
        return message
    return f"{_first_line(message)} {remedy} Nothing is lost: the next refresh goes on."


def _is_away(message: str) -> bool:
    """Whether it is an error of Spark that was there before."""
    sign = _AWAY.get(settings().spark.partition("://")[0])  # none where Spark is a part of this process
    return settings().is_lake and sign is not None and sign in message


def _first_line(message: str) -> str:
    return f"{message.splitlines()[0].rstrip('.')}."


def first_failure(events: Iterable[dg.DagsterEvent | None]) -> StepFailure | None:
    """The first failure among the events, of a step or else of the run itself, that gives a reason."""
    for event in events:
        if event is None or not (event.is_step_failure or event.is_job_failure):
            continue
        given = event.step_failure_data.user_failure_data if event.is_step_failure else None
        description = given.description if given else None
        error = event.step_failure_data.error if event.is_step_failure else event.job_failure_data.error
        errors = [error] if error else []
        while errors and errors[-1].cause:
            errors.append(errors[-1].cause)
        if description or errors:
            message = re.sub(r"^movies_platform\.errors\.\w+: ", "", errors[-1].message.strip()) if errors else ""
            kinds = tuple(f"{each.cls_name}" for each in errors)
            return StepFailure(event.step_key or event.job_name or "", description, message, kinds)
    return None
