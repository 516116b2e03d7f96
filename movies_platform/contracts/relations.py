"""Contracts -> relations of DuckDB: rows that fit a table, in the order of its key."""

import duckdb
import sqlalchemy as sa

from movies_platform.contracts.ddl import column_type
from movies_platform.contracts.tables import expect_columns, order_of, qualified
from movies_platform.errors import ContractViolation

Relation = duckdb.DuckDBPyRelation
# What may be stored as a declared type without losing anything. (DuckDB rounds a double to a whole number without a
# word; a whole number that does not fit stops the write.)
_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
_FITTING = {"BIGINT": _WHOLE, "DOUBLE PRECISION": {"FLOAT", "DOUBLE", *_WHOLE}, "TEXT": {"VARCHAR"}, "DATE": {"DATE"}}


def conforming(rows: Relation, table: sa.Table) -> Relation:
    """The rows with the contract's columns, types and row order, not computed yet.

    Raises ContractViolation when a column is missing or undeclared, or of a type that does not fit.
    """
    given = dict(zip(rows.columns, map(str, rows.types), strict=True))
    declared = {column.name: column_type(column) for column in table.columns}
    expect_columns(table, given)
    unfit = [f"{name} is {given[name]}" for name, kind in declared.items() if given[name] not in _FITTING[kind]]
    if unfit:
        raise ContractViolation(f"{qualified(table)}: a column does not fit its type: {', '.join(unfit)}")
    return rows.project(typed(table)).order(", ".join(order_of(table)))


def typed(table: sa.Table) -> str:
    """The contract's columns, each cast to its type, for a projection."""
    return ", ".join(f"{column.name}::{column_type(column)} AS {column.name}" for column in table.columns)
