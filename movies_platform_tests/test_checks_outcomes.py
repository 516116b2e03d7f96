"""How Dagster is told what checks found."""

import datetime as dt

import dagster as dg
import pytest

from movies_platform.checks.outcomes import Check, Findings, Outcome, offenders_table, results_of
from movies_platform.checks.registry import all_checks, checks_of, specs_of
from movies_platform.contracts.core import GENRES, MOVIES


def outcome(name: str, offenders: int, *, blocking: bool, worst: tuple[tuple[int], ...] = ()) -> Outcome:
    check = Check(name, MOVIES, "a rule", blocking, lambda scope: Findings(0, ""))
    return Outcome(check, Findings(offenders, f"{offenders} found", {"share": 0.5}, worst))


def test_a_blocking_failure_raises_after_all_results_were_given():
    results = results_of([
        outcome("bad", 2, blocking=True, worst=((1,), (2,))), outcome("good", 0, blocking=True),
        outcome("odd", 1, blocking=False),
    ])  # fmt: skip
    given = [next(results), next(results), next(results)]
    with pytest.raises(dg.Failure, match=r"core\.movies: bad: 2 found") as raised:
        next(results)
    assert [r.passed for r in given] == [False, True, False]
    assert [r.severity.name for r in given] == ["ERROR", "ERROR", "WARN"]
    assert "odd" not in str(raised.value.description)
    assert raised.value.allow_retries is False


def test_warnings_never_raise():
    (result,) = results_of([outcome("odd", 3, blocking=False)])
    assert not result.passed
    assert result.severity is dg.AssetCheckSeverity.WARN


def test_a_result_tells_numbers_offenders_and_the_worst_of_them():
    (result,) = results_of([outcome("odd", 3, blocking=False, worst=((7,),))])
    assert result.asset_key == dg.AssetKey(["core", "movies"])
    assert result.description == "3 found"
    assert result.metadata["offenders"].value == 3
    assert result.metadata["share"].value == 0.5
    (record,) = result.metadata["worst"].records
    assert record.data == {"value 1": 7}


def test_a_value_that_the_ui_has_no_type_for_is_shown_as_text():
    found = Findings(1, "", worst=[(7, 0.5, None, dt.date(2017, 11, 1))], columns=["id", "share", "name", "month"])
    table = offenders_table(found)
    assert table.records[0].data == {"id": 7, "share": 0.5, "name": None, "month": "2017-11-01"}
    assert [(c.name, c.type) for c in table.schema.columns] == [
        ("id", "int"), ("share", "float"), ("name", "string"), ("month", "string"),
    ]  # fmt: skip


def test_checks_are_found_by_their_table_and_declared_as_they_are():
    checks = checks_of([GENRES])
    assert {c.table for c in checks} == {GENRES}
    specs = specs_of([GENRES])
    assert [(s.name, s.blocking, s.description) for s in specs] == [(c.name, c.blocking, c.description) for c in checks]


def test_every_check_says_what_to_do_and_has_a_name_of_its_own():
    names = [(c.table.fullname, c.name) for c in all_checks()]
    assert len(names) == len(set(names))
    for check in all_checks():
        assert check.description.count(".") >= 1
        assert len(check.description) > 40
