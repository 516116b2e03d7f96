"""The reason of a failed run: what was said for people, or the error at the bottom of the chain."""

from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest

from movies_platform.errors import DeliveryRejected
from movies_platform.resources.failures import StepFailure, first_failure


def chained(*problems: Exception) -> Exception:
    """The first, caused by the second, and so on."""
    for problem, cause in pairwise(problems):
        problem.__cause__ = cause
    return problems[0]


def failure_of(problem: Exception | None, instance: dg.DagsterInstance) -> list[StepFailure | None]:
    """The failure of a run whose step raises the problem: from its result and, as another process, from its history."""

    @dg.op
    def load() -> None:
        if problem:
            raise problem

    @dg.job
    def job() -> None:
        load()

    result = job.execute_in_process(raise_on_error=False, instance=instance)
    logged = [entry.dagster_event for entry in instance.all_logs(result.run_id)]
    return [first_failure(result.all_events), first_failure(logged)]


def test_without_words_for_people_the_innermost_error_is_the_reason(tmp_path: Path):
    problem = chained(RuntimeError("the step"), ValueError("the row"), OSError("the disk is full"))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        failure, logged = failure_of(problem, instance)
    assert failure == logged
    assert (failure.step, failure.description) == ("load", None)
    assert failure.reason == failure.message == "OSError: the disk is full"
    assert failure.kinds == ("DagsterExecutionStepExecutionError", "RuntimeError", "ValueError", "OSError")


def test_what_a_step_says_itself_goes_before_its_errors(tmp_path: Path):
    refused = DeliveryRejected("lacks the column id", remedy="Deliver it whole.")
    problem = chained(dg.Failure("2017-11 is refused", allow_retries=False), refused, ValueError("bottom"))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        failure, logged = failure_of(problem, instance)
    assert failure == logged
    assert (failure.reason, failure.message) == ("2017-11 is refused", "ValueError: bottom")
    assert "DeliveryRejected" in failure.kinds


@pytest.mark.parametrize("events", [[], [None]])
def test_events_without_a_failure_give_no_reason(events: list[None]):
    assert first_failure(events) is None


def test_a_run_that_succeeds_has_no_reason(tmp_path: Path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert failure_of(None, instance) == [None, None]


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Out of Memory Error: could not allocate block (90 MB used)\n\nPossible solutions:\n* SET threads=1",
         "Out of Memory Error: could not allocate block (90 MB used). Give the database more memory: MOVIES_MEMORY"),
        ("OSError: [Errno 28] No space left on device: '/data/x.csv'", "Make room on the disk of /data/x.csv."),
        ('IO Error: Could not write file "/spill/a.tmp": No space left on device', "on the disk of /spill/a.tmp."),
        ("[Errno 28] No space left on device", "No space left on device. Make room on the disk of {home}."),
        ("(sqlite3.OperationalError) database or disk is full", "Make room on the disk of {home}/dagster."),
    ],
)  # fmt: skip
def test_where_the_machine_is_too_small_the_reason_says_what_to_do(message: str, shown: str, home: Path):
    reason = StepFailure("load", None, message, ("Error",)).reason
    assert shown.format(home=home) in reason
    assert reason.endswith("Nothing is lost: the next refresh goes on.")
    assert "\n" not in reason


def test_a_connect_server_that_went_away_is_named(home: Path, monkeypatch: pytest.MonkeyPatch):
    message = '<RPC that terminated with:\n\tstatus = StatusCode.UNAVAILABLE\n\tdetails = "Connection refused"\n>'
    failure = StepFailure("core__movies", None, message, ("Error",))
    assert failure.reason == message  # of something else than Spark
    lost = StepFailure("core__movies", None, "Job 1 cancelled as part of cancellation of all jobs", ("Error",))
    monkeypatch.setenv("MOVIES_ENGINE", "spark")
    monkeypatch.setenv("MOVIES_SPARK", "sc://cluster")
    assert failure.reason == (
        "Spark does not answer any more at sc://cluster: Connection refused. Start it again. "
        "Nothing is lost: the next refresh goes on."
    )
    monkeypatch.setenv("MOVIES_SPARK", "spark://cluster")
    assert lost.reason.startswith("Spark does not answer any more at spark://cluster. Start it again. ")
    monkeypatch.setenv("MOVIES_SPARK", "local[2]")
    assert lost.reason == lost.message  # somebody cancelled them


@pytest.mark.parametrize("sign", ["Corrupt database file", "Could not read enough bytes", "stored checksum 1, not 2"])
def test_a_damaged_warehouse_is_named_with_its_remedy(sign: str):
    reason = StepFailure("load", None, f"IO Error: {sign}", ("Error",)).reason
    assert reason == f"IO Error: {sign}. The warehouse is damaged: 'movies-platform rebuild' makes it from processed/."


def test_other_reasons_are_shown_as_they_are():
    assert StepFailure("load", None, "the row\nis wrong", ("Error",)).reason == "the row\nis wrong"
    assert StepFailure("load", "Deliver it again.", "Out of Memory Error", ("Error",)).reason == "Deliver it again."


def test_a_run_that_fails_outside_its_steps_has_its_error_for_a_reason(tmp_path: Path):
    @dg.resource
    def broken(_: object) -> None:
        raise OSError("no lock")

    @dg.op(required_resource_keys={"broken"})
    def load() -> None:
        pass

    @dg.job(resource_defs={"broken": broken})
    def job() -> None:
        load()

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        result = job.execute_in_process(raise_on_error=False, instance=instance)
    assert "no lock" in first_failure(result.all_events).reason
