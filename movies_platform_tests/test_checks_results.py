"""How Dagster is told what checks found."""

import datetime as dt

import dagster as dg
import pytest

from movies_platform.checks.results import CheckState, Findings, check_result


@pytest.mark.parametrize(("blocking", "severity"), [(True, "ERROR"), (False, "WARN")])
def test_a_blocking_failure_is_an_error_and_others_warn(blocking: bool, severity: str):
    result = check_result(Findings(2, "2 found"), is_error=blocking)
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity[severity]
    assert check_result(Findings(0, "none"), is_error=blocking).passed


def test_a_result_has_numbers_offenders_and_the_worst_of_them():
    result = check_result(Findings(3, "3 found", {"share": 0.5}, [(7,)], ["id"]), is_error=False)
    assert result.description == "3 found"
    assert result.metadata["offenders"].value == 3
    assert result.metadata["share"].value == 0.5
    assert result.metadata["worst"].records[0].data == {"id": 7}


def test_a_value_that_the_ui_has_no_type_for_is_shown_as_text():
    rows = [(7, 0.5, None, dt.date(2017, 11, 1))]
    table = check_result(Findings(1, "", {}, rows, ["id", "share", "name", "month"]), is_error=False).metadata["worst"]
    assert table.records[0].data == {"id": 7, "share": 0.5, "name": None, "month": "2017-11-01"}
    assert [(c.name, c.type) for c in table.schema.columns] == [
        ("id", "int"), ("share", "float"), ("name", "string"), ("month", "string"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("passed", "severity", "months", "state"),
    [
        (None, None, (), "did not run"), (True, "ERROR", (), "passed"), (False, "ERROR", (), "failed"),
        (False, "WARN", (), "warned"), (True, "WARN", ("2017-11",), "warned"),
    ],
)  # fmt: skip
def test_the_state_of_a_check_in_a_word(passed, severity, months, state):
    assert CheckState("core.movies", "rule", passed, severity, "", months).state == state
