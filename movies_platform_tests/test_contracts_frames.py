"""Frames that conform to a contract, and those that are refused."""

import pandas as pd
import pytest
import sqlalchemy as sa

from movies_platform.contracts.columns import Day, Real, Text, Whole, column
from movies_platform.contracts.frames import conform, dtype_of
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


def test_a_frame_gets_the_declared_columns_types_and_order():
    shuffled = things()[["made_date", "votes", "thing_name", "year", "thing_id", "height_m"]]
    found = conform(shuffled, TABLE)
    assert dict(found.dtypes.astype(str)) == {
        "thing_id": "int64", "year": "int64", "thing_name": "object", "height_m": "float64", "votes": "Int64",
        "made_date": "datetime64[us]",
    }  # fmt: skip
    assert list(found["thing_id"]) == [1, 2]
    assert list(found.index) == [0, 1]


def test_rows_are_in_key_order_with_the_year_first():
    found = conform(things(thing_id=[1, 2], year=[2001, 2000]), TABLE)
    assert list(found["year"]) == [2000, 2001]


def test_a_missing_and_an_undeclared_column_are_named():
    with pytest.raises(ContractViolation, match=r"core\.things: columns missing: \['votes'\], undeclared: \['x'\]"):
        conform(things().rename(columns={"votes": "x"}), TABLE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"thing_id": [1.0, None]},
        {"thing_id": [1.0, 1.5]},
        {"thing_id": [1, "two"]},
        {"votes": [1.5, None]},
        {"height_m": ["high", "low"]},
        {"made_date": ["once", "twice"]},
    ],
    ids=[
        "null in a key",
        "half a key",
        "text in a key",
        "half a vote",
        "text for a number",
        "text for a day",
    ],
)
def test_a_value_that_does_not_fit_its_type_is_refused(wrong: dict[str, list[object]]):
    with pytest.raises(ContractViolation, match=r"core\.things: a column does not fit its type"):
        conform(things(**wrong), TABLE)


def test_whole_numbers_beyond_the_precision_of_doubles_are_kept():
    large = 2**53 + 1
    found = conform(things(votes=pd.array([large, None], dtype="Int64")), TABLE)
    assert large in list(found["votes"].dropna())


def test_dtypes_of_columns_follow_type_and_nullability():
    assert {c.name: dtype_of(c) for c in TABLE.columns} == {
        "thing_id": "int64", "year": "int64", "thing_name": "object", "height_m": "float64", "votes": "Int64",
        "made_date": "datetime64[us]",
    }  # fmt: skip
