"""Frames that conform to a contract, and those that are refused."""

import duckdb
import narwhals as nw
import pandas as pd
import pytest
import sqlalchemy as sa

from movies_platform.contracts.columns import Day, Real, Text, Whole, column, types_of
from movies_platform.contracts.frames import conform, typed_frame
from movies_platform.errors import ContractViolation

TABLE = sa.Table(
    "things", sa.MetaData(),
    column("thing_id", Whole, "number", key=True),
    column("year", Whole, "year", key=True),
    column("thing_name", Text, "name"),
    column("height_m", Real, "meters"),
    column("votes", Whole, "votes"),
    column("made_date", Day, "day"),
    schema="core",
)  # fmt: skip


def things(**given: object) -> pd.DataFrame:
    row = {"thing_id": [2, 1], "year": [2000, 2000], "thing_name": ["a", None], "height_m": [1, None],
           "votes": [None, 3.0], "made_date": [pd.Timestamp("2000-01-02"), None]}  # fmt: skip
    return pd.DataFrame({**row, **given})


def stored(**given: object) -> pd.DataFrame:
    """What a table holds after such a frame was stored: typed, then conformed in the database."""
    with duckdb.connect() as connection:
        connection.execute("SET pandas_analyze_sample = 0")
        typed = typed_frame(things(**given), TABLE)
        typed["made_date"] = typed["made_date"].dt.date
        rows = nw.from_native(connection.from_df(typed).project("* REPLACE (made_date::DATE AS made_date)"))
        return typed_frame(nw.to_native(conform(rows, TABLE)).df(), TABLE)


def lazy(query: str) -> nw.LazyFrame:
    return nw.from_native(duckdb.sql(query))


ROW = (
    "SELECT 1 AS thing_id, 2000 AS year, 'a' AS thing_name, 1.5::DOUBLE AS height_m, 3 AS votes, "
    "DATE '2000-01-02' AS made_date"
)


def test_a_frame_gets_the_declared_types():
    shuffled = things()[["made_date", "votes", "thing_name", "year", "thing_id", "height_m"]]
    found = typed_frame(shuffled, TABLE)
    assert list(found.columns) == list(shuffled.columns)
    assert {c.name: str(found[c.name].dtype) for c in TABLE.columns} == {
        c.name: types_of(c).pandas for c in TABLE.columns
    }


def test_columns_come_in_their_order_and_rows_in_that_of_the_key_with_the_year_first():
    found = stored(thing_id=[1, 2], year=[2001, 2000])
    assert list(found.columns) == list(TABLE.columns.keys())
    assert list(found["year"]) == [2000, 2001]


def test_a_missing_and_an_undeclared_column_are_named():
    with pytest.raises(ContractViolation, match=r"core\.things: columns missing: \['votes'\], undeclared: \['x'\]"):
        conform(lazy(ROW.replace("AS votes", "AS x")), TABLE)


@pytest.mark.parametrize(
    "wrong",
    [{"thing_id": [1.0, 1.5]}, {"thing_id": [1, "two"]}, {"votes": [1.5, None]}, {"height_m": ["high", "low"]},
     {"made_date": ["once", "twice"]}],
    ids=["half a key", "text in a key", "half a vote", "text for a number", "text for a day"],
)  # fmt: skip
def test_a_value_of_a_frame_that_does_not_fit_its_type_is_refused(wrong: dict[str, list[object]]):
    with pytest.raises(ContractViolation, match=r"core\.things: a column does not fit its type"):
        typed_frame(things(**wrong), TABLE)


@pytest.mark.parametrize(
    ("given", "told"),
    [("1.5::DOUBLE AS thing_id", "thing_id is Float64"), ("'3' AS votes", "votes is String"),
     ("'x' AS height_m", "height_m is String"), ("7 AS thing_name", "thing_name is Int32"),
     ("'2000' AS made_date", "made_date is String")],
)  # fmt: skip
def test_a_lazy_column_of_another_type_is_refused_and_named(given: str, told: str):
    name = given.split()[-1]
    query = f"SELECT * EXCLUDE ({name}), {given} FROM ({ROW})"
    with pytest.raises(ContractViolation, match=told):
        conform(lazy(query), TABLE)


def test_a_narrow_whole_number_fits_a_whole_and_a_real_column():
    found = nw.to_native(conform(lazy(f"SELECT * REPLACE (1::TINYINT AS votes, 2 AS height_m) FROM ({ROW})"), TABLE))
    assert [str(t) for t in found.types] == [types_of(c).duckdb for c in TABLE.columns]


def test_whole_numbers_beyond_the_precision_of_doubles_are_kept():
    large = 2**53 + 1
    assert large in list(stored(votes=pd.array([large, None], dtype="Int64"))["votes"].dropna())
