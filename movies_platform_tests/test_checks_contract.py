"""Everything that a contract says of a table is seen to be broken, and told; and the check that shows it."""

from collections import Counter
from collections.abc import Iterator

import duckdb
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from movies_platform.checks.contract import contract_findings
from movies_platform.contracts import all_tables, key_of, qualified, references_of, table_named
from movies_platform.contracts.violations import violations_of
from movies_platform_tests.test_contracts_rows import MONTH, insert, valid_row, warehouse_in_memory

COLUMNS = [(table, column) for table in all_tables() for column in table.columns]


def table_and_column(*cases: tuple[sa.Table, sa.Column[object]]) -> pytest.MarkDecorator:
    ids = [f"{qualified(table)}.{column.name}" for table, column in cases]
    return pytest.mark.parametrize(("table", "column"), cases, ids=ids)


@pytest.fixture(scope="module")
def stored() -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse_in_memory() as connection:
        yield connection


def broken(connection: duckdb.DuckDBPyConnection, table: sa.Table, *rows: dict[str, object]) -> list[tuple[str, int]]:
    """What is wrong with a table of these rows, in which a value may be null where none may be."""
    name = qualified(table)
    connection.begin()
    try:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE candidates AS FROM {name} LIMIT 0; DROP TABLE {name}")
        connection.execute(f"CREATE TABLE {name} AS FROM candidates")
        insert(connection, name, *rows)
        month = f"delivery_month = DATE '{MONTH}'" if table.schema in ("raw", "parsed") else "true"
        return violations_of(connection, table, month)
    finally:
        connection.rollback()


@table_and_column(*((t, c) for t, c in COLUMNS if not c.nullable and c.name != "delivery_month"))
def test_a_missing_required_value_fails(stored, table, column):
    assert broken(stored, table, valid_row(table, **{column.name: None})) == [(f"{column.name} is missing", 1)]


@table_and_column(*((t, c) for t, c in COLUMNS if c.nullable))
def test_a_missing_value_that_is_not_required_passes(stored, table, column):
    assert broken(stored, table, valid_row(table, **{column.name: None})) == []


@table_and_column(*((t, c) for t, c in COLUMNS if c.info["at_least"] is not None))
def test_a_value_below_its_least_fails_and_the_least_passes(stored, table, column):
    least = column.info["at_least"]
    low, right = (valid_row(table, **{column.name: value}) for value in (least - 1, least))
    wrong = broken(stored, table, low, right)
    assert (f"{column.name} is below {least}", 1) in wrong
    assert broken(stored, table, right) == []


@table_and_column(*((t, c) for t, c in COLUMNS if c.info["one_of"]))
def test_a_value_that_is_none_of_the_choices_fails_and_each_choice_passes(stored, table, column):
    ((what, count),) = broken(stored, table, valid_row(table, **{column.name: "something else"}))
    assert what.startswith(f"{column.name} is none of")
    assert count == 1
    for choice in column.info["one_of"]:
        assert broken(stored, table, valid_row(table, **{column.name: choice})) == []


@pytest.mark.parametrize("table", [t for t in all_tables() if key_of(t)], ids=qualified)
def test_a_second_row_with_the_same_key_fails_and_is_shown(stored, table):
    ((what, count),) = broken(stored, table, valid_row(table), valid_row(table))
    assert "is not unique, for instance" in what
    assert count == 2
    assert broken(stored, table, valid_row(table)) == []


@table_and_column(
    *((t, c) for t, c in COLUMNS if c.primary_key and c.name != "delivery_month" and not c.info["one_of"])
)
def test_rows_that_differ_in_one_column_of_the_key_are_unique(stored, table, column):
    other = {sa.Text: "another", sa.Date: MONTH.replace(year=2016)}.get(type(column.type), 2)
    wrong = broken(stored, table, valid_row(table), valid_row(table, **{column.name: other}))
    assert [what for what, _ in wrong if "unique" in what] == []


REFERENCES = [(t, own, other) for t in all_tables() for own, other, _ in references_of(t)]


@pytest.mark.parametrize(
    ("table", "own", "other"), REFERENCES, ids=[f"{qualified(t)}.{'-'.join(own)}" for t, own, _ in REFERENCES]
)
def test_an_id_that_is_not_in_the_table_it_refers_to_fails(stored, table, own, other):
    texts = isinstance(table.columns[own[0]].type, sa.Text)
    dangling = valid_row(table, **dict.fromkeys(own, "nowhere" if texts else 404))
    assert (f"{', '.join(own)} is not in {qualified(other)}", 1) in broken(stored, table, valid_row(table), dangling)


def test_another_month_is_not_judged(stored):
    table = table_named("parsed.parsed_movies")
    elsewhere = valid_row(table, budget_usd=-1.0, delivery_month=MONTH.replace(year=2016))
    assert broken(stored, table, valid_row(table), elsewhere) == []


@pytest.mark.parametrize("table", all_tables(), ids=qualified)
def test_an_empty_table_breaks_no_contract(stored, table):
    assert broken(stored, table) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("DROP COLUMN title", "column title does not exist"),
        ("ADD COLUMN mood TEXT", "column mood is not declared"),
        ("ALTER COLUMN vote_count TYPE DOUBLE", "column vote_count is DOUBLE, not BIGINT"),
    ],
    ids=["missing", "undeclared", "of another type"],
)
def test_a_table_whose_columns_are_not_the_declared_ones_fails(change, what):
    with warehouse_in_memory() as connection:
        connection.execute(f"ALTER TABLE core.movies {change}")
        assert violations_of(connection, table_named("core.movies")) == [(what, 0)]


def test_what_is_wrong_is_an_offender_of_the_check_and_nothing_is_none():
    assert contract_findings([]).offenders == 0
    found = contract_findings([("year is missing", 3), ("column mood is not declared", 0)])
    assert found.offenders == 4
    assert found.message == "year is missing: 3 rows; column mood is not declared"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4) | st.none(), st.integers(1, 3)), max_size=12), st.booleans())
def test_keys_are_unique_or_not_in_whatever_order_they_are_stored(pairs, is_sorted):
    table = table_named("core.movie_keywords")
    stored = sorted(pairs, key=str) if is_sorted else pairs
    doubled = sum(count for count in Counter(pairs).values() if count > 1)
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA core; CREATE TABLE core.movie_keywords (movie_id BIGINT, keyword_id BIGINT)")
        for pair in stored:
            connection.execute("INSERT INTO core.movie_keywords VALUES (?, ?)", pair)
        wrong = [count for what, count in violations_of(connection, table, references=False) if "not unique" in what]
    assert wrong == [doubled] * bool(doubled)
