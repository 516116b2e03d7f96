"""Why a run failed, taken from Dagster's events: the one place that knows how they nest what went wrong."""

from collections.abc import Iterable
from dataclasses import dataclass

import dagster as dg

_REMEDIES = {
    "No space left on device": "Make room on the disk of MOVIES_HOME (its folder scratch/ takes what memory does not).",
    "max_temp_directory_size": "Make room on the disk of MOVIES_HOME (its folder scratch/ takes what memory does not).",
    "Corrupt database file": "'movies-platform rebuild' makes the warehouse again from processed/.",
    "Out of Memory Error": "Give the database more memory: MOVIES_MEMORY, for instance 2GB.",
}


@dataclass(frozen=True)
class StepFailure:
    """Why a step failed: what it `said` to people itself (a `dg.Failure`), and the innermost error's message.

    `kinds` are the names of the errors' classes, outermost first: Dagster wraps what a step raises.
    """

    step: str
    said: str | None
    message: str
    kinds: tuple[str, ...]

    @property
    def reason(self) -> str:
        """The sentence to show: what was said for people, or else what went wrong at the bottom."""
        return self.said or explained(self.message)


def explained(message: str) -> str:
    """The message of an error; where the machine is too small, its first line and what can be done."""
    for sign, remedy in _REMEDIES.items():
        if sign in message:
            return f"{message.splitlines()[0].rstrip('.')}. {remedy} Nothing is lost: the next refresh goes on."
    return message


def first_failure(events: Iterable[dg.DagsterEvent | None]) -> StepFailure | None:
    """The first step failure among the events that gives a reason."""
    for event in events:
        if event is None or not event.is_step_failure:
            continue
        failure = event.step_failure_data
        said = failure.user_failure_data.description if failure.user_failure_data else None
        errors = [failure.error] if failure.error else []
        while errors and errors[-1].cause:
            errors.append(errors[-1].cause)
        if said or errors:
            message = errors[-1].message.strip() if errors else ""
            return StepFailure(f"{event.step_key}", said, message, tuple(f"{error.cls_name}" for error in errors))
    return None
