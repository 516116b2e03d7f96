"""Contracts -> frames that conform to them: Narwhals' lazy frames (DuckDB relations), and pandas frames."""

from typing import TYPE_CHECKING, Any

import narwhals as nw
import sqlalchemy as sa

from movies_platform.contracts.columns import types_of
from movies_platform.contracts.tables import expect_columns, order_of, qualified
from movies_platform.errors import ContractViolation

if TYPE_CHECKING:
    import pandas as pd


def conform(rows: nw.LazyFrame, table: sa.Table) -> nw.LazyFrame:
    """The rows with the contract's columns, types and row order, not computed yet.

    Raises ContractViolation when a column is missing or undeclared, or of a type that does not fit.
    """
    schema = rows.collect_schema()
    expect_columns(table, schema.names())
    unfit = [f"{c.name} is {schema[c.name]}" for c in table.columns if not _fits(schema[c.name], c)]
    if unfit:
        raise ContractViolation(f"{qualified(table)}: a column does not fit its type: {', '.join(unfit)}")
    typed = [nw.col(c.name).cast(getattr(nw, types_of(c).narwhals)) for c in table.columns]
    return rows.select(*typed).sort(*order_of(table))


def _fits(given: nw.dtypes.DType, column: sa.Column[Any]) -> bool:
    """Whether such values may be stored without losing anything (a fraction is never rounded to a whole number)."""
    if isinstance(column.type, sa.Double):
        return bool(given.is_numeric())
    if isinstance(column.type, sa.BigInteger):
        return bool(given.is_integer())
    return bool(given == getattr(nw, types_of(column).narwhals))


def typed_frame(frame: "pd.DataFrame", table: sa.Table) -> "pd.DataFrame":
    """A pandas frame in the contract's types; columns that the contract does not know are left out.

    Raises ContractViolation when values do not fit.
    """
    typed: dict[str, Any] = {}
    for name in (name for name in frame.columns if name in table.columns):
        try:
            typed[name] = frame.astype({name: types_of(table.columns[name]).pandas})[name]
        except (ValueError, TypeError) as problem:  # pandas refuses to make whole numbers of fractions
            raise ContractViolation(
                f"{qualified(table)}: a column does not fit its type: {name}: {problem}"
            ) from problem
    return frame.assign(**typed)[list(typed)]
