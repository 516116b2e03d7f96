"""Contracts -> pandas: the types of a table's frame, and frames that conform to them."""

import pandas as pd
import sqlalchemy as sa

from movies_platform.contracts.tables import expect_columns, order_of, qualified
from movies_platform.errors import ContractViolation

_DTYPES = {sa.BigInteger: "int64", sa.Double: "float64", sa.Text: "object", sa.Date: "datetime64[us]"}
_NULLABLE_WHOLE = "Int64"


def dtype_of(column: sa.Column[object]) -> str:
    """The pandas type of a column; nullable whole numbers are `Int64`, so that none is rounded."""
    dtype = _DTYPES[type(column.type)]
    return _NULLABLE_WHOLE if dtype == "int64" and column.nullable else dtype


def conform(frame: pd.DataFrame, table: sa.Table) -> pd.DataFrame:
    """The frame with the contract's columns, types and row order; shape (rows, columns of the contract).

    Raises ContractViolation when a column is missing or undeclared, or does not fit its type.
    """
    expect_columns(table, frame)
    declared = [column.name for column in table.columns]
    dtypes = {column.name: dtype_of(column) for column in table.columns}
    try:
        typed = frame[declared].astype(dtypes)
        for name in typed.columns[typed.dtypes == "int64"]:
            if (typed[name] != frame[name]).any():  # astype cuts off decimals without a word
                raise ValueError(f"{name} holds numbers that are not whole")
    except (ValueError, TypeError) as problem:
        raise ContractViolation(f"{qualified(table)}: a column does not fit its type: {problem}") from problem
    return typed.sort_values(order_of(table), ignore_index=True)
