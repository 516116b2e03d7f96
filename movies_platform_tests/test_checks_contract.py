"""Every check generated from a contract is seen to pass and to fail."""

from collections.abc import Iterator

import duckdb
import pytest
import sqlalchemy as sa

from movies_platform.checks.outcomes import Check, Outcome
from movies_platform.checks.registry import all_checks, run_checks
from movies_platform.contracts import all_tables, key_of, qualified, references_of
from movies_platform_tests.test_contracts_rows import MONTH, insert, valid_row, warehouse_in_memory

GENERATED = ("columns_hold_what_is_declared", "key_is_unique", "references_exist")
COLUMNS = [(table, column) for table in all_tables() for column in table.columns]


def table_and_column(*cases: tuple[sa.Table, sa.Column[object]]) -> pytest.MarkDecorator:
    ids = [f"{qualified(table)}.{column.name}" for table, column in cases]
    return pytest.mark.parametrize(("table", "column"), cases, ids=ids)


@pytest.fixture(scope="module")
def stored() -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse_in_memory() as connection:
        yield connection


def judge(connection: duckdb.DuckDBPyConnection, check: str, table: sa.Table, *rows: dict[str, object]) -> Outcome:
    """What the check finds in rows that are not stored yet (and so could be null where none may be)."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE candidates AS FROM {qualified(table)} LIMIT 0")
    insert(connection, "candidates", *rows)
    month = MONTH if table.schema in ("raw", "parsed") else None
    (outcome,) = run_checks(connection, [the_check(check, table)], month=month, relation="candidates")
    return outcome


def the_check(name: str, table: sa.Table) -> Check:
    (found,) = [c for c in all_checks() if (c.name, c.table) == (name, table)]
    return found


def fails(outcome: Outcome, *told: str) -> bool:
    assert all(text in outcome.findings.message for text in told), outcome.findings.message
    return outcome.findings.offenders == 1 and outcome.blocks


@table_and_column(*((t, c) for t, c in COLUMNS if not c.nullable and c.name != "delivery_month"))
def test_a_missing_required_value_fails(stored, table, column):
    row = valid_row(table, **{column.name: None})
    assert fails(judge(stored, "columns_hold_what_is_declared", table, row), f"{column.name} is missing")


@table_and_column(*((t, c) for t, c in COLUMNS if c.nullable))
def test_a_missing_value_that_is_not_required_passes(stored, table, column):
    row = valid_row(table, **{column.name: None})
    assert judge(stored, "columns_hold_what_is_declared", table, row).passed


@table_and_column(*((t, c) for t, c in COLUMNS if c.info["at_least"] is not None))
def test_a_value_below_its_least_fails_and_the_least_passes(stored, table, column):
    least = column.info["at_least"]
    low, right = (valid_row(table, **{column.name: value}) for value in (least - 1, least))
    found = judge(stored, "columns_hold_what_is_declared", table, low, right)
    assert fails(found, f"{column.name} is below {least}: 1 rows")
    assert judge(stored, "columns_hold_what_is_declared", table, right).passed


@table_and_column(*((t, c) for t, c in COLUMNS if c.info["one_of"]))
def test_a_value_that_is_none_of_the_choices_fails_and_each_choice_passes(stored, table, column):
    wrong = valid_row(table, **{column.name: "something else"})
    assert fails(judge(stored, "columns_hold_what_is_declared", table, wrong), f"{column.name} is none of")
    right = [valid_row(table, **{column.name: choice}) for choice in column.info["one_of"]]
    assert judge(stored, "columns_hold_what_is_declared", table, *right).passed


@pytest.mark.parametrize("table", [t for t in all_tables() if key_of(t)], ids=qualified)
def test_a_second_row_with_the_same_key_fails_and_is_shown(stored, table):
    found = judge(stored, "key_is_unique", table, valid_row(table), valid_row(table))
    assert fails(found, "stand in several rows")
    assert found.findings.worst[0][-1] == 2
    assert judge(stored, "key_is_unique", table, valid_row(table)).passed


@table_and_column(
    *((t, c) for t, c in COLUMNS if c.primary_key and c.name != "delivery_month" and not c.info["one_of"])
)
def test_rows_that_differ_in_one_column_of_the_key_pass(stored, table, column):
    other = {sa.Text: "another", sa.Date: MONTH.replace(year=2016)}.get(type(column.type), 2)
    assert judge(stored, "key_is_unique", table, valid_row(table), valid_row(table, **{column.name: other})).passed


REFERENCES = [(t, own, other) for t in all_tables() for own, other, _ in references_of(t)]


@pytest.mark.parametrize(
    ("table", "own", "other"), REFERENCES, ids=[f"{qualified(t)}.{'-'.join(own)}" for t, own, _ in REFERENCES]
)
def test_an_id_that_is_not_in_the_table_it_refers_to_fails(stored, table, own, other):
    dangling = valid_row(table, **dict.fromkeys(own, 404))
    found = judge(stored, "references_exist", table, valid_row(table), dangling)
    assert fails(found, f"{', '.join(own)} not in {qualified(other)}: 1 rows")
    assert judge(stored, "references_exist", table, valid_row(table)).passed


def test_another_month_is_not_judged(stored):
    (table,) = [t for t in all_tables() if t.name == "parsed_movies"]
    elsewhere = valid_row(table, budget_usd=-1.0, delivery_month=MONTH.replace(year=2016))
    assert judge(stored, "columns_hold_what_is_declared", table, valid_row(table), elsewhere).passed


def test_an_empty_table_passes(stored):
    for check in all_checks():
        if check.name in GENERATED:
            assert judge(stored, check.name, check.table).passed


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DROP COLUMN title", "column title does not exist"),
        ("ADD COLUMN mood TEXT", "column mood is not declared"),
        ("ALTER COLUMN vote_count TYPE DOUBLE", "column vote_count is DOUBLE, not BIGINT"),
    ],
    ids=["missing", "undeclared", "of another type"],
)
def test_a_table_whose_columns_are_not_the_declared_ones_fails(stored, change, told):
    (table,) = [t for t in all_tables() if qualified(t) == "core.movies"]
    stored.execute("CREATE OR REPLACE TEMP TABLE altered AS FROM core.movies")
    stored.execute(f"ALTER TABLE altered {change}")
    (outcome,) = run_checks(stored, [the_check("columns_hold_what_is_declared", table)], relation="altered")
    assert fails(outcome, told)
