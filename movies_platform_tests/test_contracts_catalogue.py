"""Contracts -> the catalogue, and the rules of naming."""

import re

import pytest
import sqlalchemy as sa

from movies_platform.contracts import all_tables, key_of, order_of, qualified, references_of, table_named
from movies_platform.contracts.catalogue import (
    asset_key,
    column_description,
    column_lineage,
    column_schema,
    description,
    monthly_spec,
)
from movies_platform.contracts.sources import MOVIES_METADATA
from movies_platform.contracts.tables import STAGES
from movies_platform.errors import UnknownTable
from movies_platform_tests.test_contracts_rows import TABLES

COLUMNS = pytest.mark.parametrize(
    ("table", "column"),
    [
        (t, c)
        for t in all_tables()
        for c in t.columns
        if c.name not in MOVIES_METADATA.columns or t.name != "raw_movies"
    ],
    ids=lambda value: qualified(value) if isinstance(value, sa.Table) else value.name,
)
MONTHS = ("delivery_month", "month", "valid_from", "valid_to")  # days that stand for months
SUFFIXES = {"_id": (sa.BigInteger, sa.Text), "_date": (sa.Date,), "_usd": (sa.Double,), "_name": (sa.Text,),
            "_number": (sa.BigInteger,), "_bytes": (sa.BigInteger,), "_minutes": (sa.Double,),
            "_popularity": (sa.Double, sa.BigInteger), "_count": (sa.BigInteger,)}  # fmt: skip


@TABLES
def test_the_catalogue_lists_every_column_with_its_meaning(table: sa.Table):
    schema = column_schema(table)
    assert [(c.name, c.description, c.constraints.nullable) for c in schema.columns] == [
        (c.name, column_description(c), c.nullable) for c in table.columns
    ]


@TABLES
def test_the_catalogue_tells_key_and_references(table: sa.Table):
    told = " ".join(column_schema(table).constraints.other)
    assert not key_of(table) or f"key: {', '.join(key_of(table))}" in told
    assert all(qualified(other) in told for _, other, _ in references_of(table))


@TABLES
def test_asset_table_and_group_share_one_name(table: sa.Table):
    spec = monthly_spec(table)
    assert asset_key(table).path == [table.schema, table.name] == spec.key.path
    assert spec.group_name == table.schema
    assert spec.metadata["dagster/table_name"] == qualified(table)


@TABLES
def test_a_table_and_all_its_columns_are_explained(table: sa.Table):
    assert table.comment
    assert [c.name for c in table.columns if not c.comment] == []


@COLUMNS
def test_a_column_is_named_by_the_rules(table: sa.Table, column: sa.Column[object]):
    if table.name.startswith("raw_"):  # as delivered
        return
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", column.name)
    suffix = next((s for s in SUFFIXES if column.name.endswith(s)), None)
    if suffix and not column.name.startswith("movies_with_"):
        assert isinstance(column.type, SUFFIXES[suffix]), f"{column.name} is {column.type}"
    if isinstance(column.type, sa.Date):
        assert column.name.endswith("_date") or column.name in MONTHS
    assert isinstance(column.type, sa.DateTime) == column.name.endswith("_at")
    if "US dollars" in (column.comment or ""):
        assert column.name.endswith("_usd")


@TABLES
def test_rows_are_ordered_by_the_key_with_a_year_first(table: sa.Table):
    assert sorted(order_of(table)) == sorted(key_of(table))
    assert "year" not in key_of(table) or order_of(table)[0] == "year"


@TABLES
def test_what_is_referred_to_is_the_key_of_its_table(table: sa.Table):
    for own, other, theirs in references_of(table):
        assert theirs == key_of(other)
        assert [type(table.columns[a].type) for a in own] == [type(other.columns[b].type) for b in theirs]


def test_a_table_is_found_by_its_name_with_and_without_its_schema():
    assert table_named("core.movies") is table_named("movies")


@pytest.mark.parametrize("name", ["actors", "raw.movies", ""])
def test_an_unknown_table_is_refused_with_the_tables_that_exist(name: str):
    with pytest.raises(UnknownTable, match=r"core\.movies"):
        table_named(name)


@TABLES
def test_a_column_comes_from_columns_that_exist_in_an_earlier_table(table: sa.Table):
    order = [qualified(t) for t in all_tables()]
    for column in table.columns:
        for source in column.info["comes_from"]:
            name, source_column = source.rsplit(".", 1)
            assert source_column in table_named(name).columns, f"{qualified(table)}.{column.name}"
            assert order.index(name) != order.index(qualified(table))
            assert STAGES.index(name.split(".")[0]) <= STAGES.index(table.schema or "")


@pytest.mark.parametrize("table", [t for t in all_tables() if t.schema in ("parsed", "core", "metrics")], ids=qualified)
def test_every_column_of_a_computed_table_says_what_it_comes_from(table: sa.Table):
    assert [c.name for c in table.columns if not c.info["comes_from"] and not c.info["one_of"]] == []
    lineage = column_lineage(table)
    assert lineage is not None
    assert set(lineage.deps_by_column) == set(table.columns.keys())
    told = [column_description(c) for c in table.columns]
    assert all(said.startswith(c.comment) for said, c in zip(told, table.columns, strict=True))
    assert all(source in said for said, c in zip(told, table.columns, strict=True) for source in c.info["comes_from"])


@TABLES
def test_a_description_says_what_a_row_is(table: sa.Table):
    said = description(table)
    assert said.startswith(table.comment or "")
    assert all(f"`{name}`" in said for name in key_of(table) if name != "delivery_month")
