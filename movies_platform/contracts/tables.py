"""The registry of all contracts, and the few questions the platform asks them."""

import difflib
from collections.abc import Hashable, Iterable, Sequence
from functools import cache

import sqlalchemy as sa

from movies_platform.errors import ContractViolation, UnknownTable

METADATA = sa.MetaData()
STAGES = ("raw", "parsed", "core", "metrics")


@cache
def all_tables() -> tuple[sa.Table, ...]:
    """Every contract, in the order of the data's way."""
    from movies_platform.contracts import core, metrics, parsed, raw  # noqa: F401  (they register themselves)

    return tuple(sorted(METADATA.tables.values(), key=lambda t: STAGES.index(t.schema or "")))


def table_named(name: str) -> sa.Table:
    """The contract of `core.movies`, or of `movies` where that is unambiguous."""
    tables = all_tables()
    found = [t for t in tables if name in (t.name, qualified(t))]
    if len(found) != 1:
        raise UnknownTable(no_table(name, [*map(qualified, tables)]))
    return found[0]


def no_table(name: str, tables: Sequence[str]) -> str:
    """What to say of a name that is none of the `tables` (`core.movies`), with the one that was probably meant."""
    names = [*(table.partition(".")[2] for table in tables), *tables]
    meant = difflib.get_close_matches(name, names, n=1)
    suggestion = f" {meant[0]} was probably meant." if meant else ""
    return f"There is no table {name!r}.{suggestion} Tables: {', '.join(tables)}."


def qualified(table: sa.Table) -> str:
    """`schema.table`, as SQL writes it."""
    return f"{table.schema}.{table.name}"


def quoted(name: str) -> str:
    """A column's name, as SQL writes it where it may be a keyword or have capitals, as those of delivered files."""
    return f'"{name}"'


def key_of(table: sa.Table) -> list[str]:
    """Names of the key columns, in the order of the key."""
    return [column.name for column in table.primary_key.columns]


def order_of(table: sa.Table) -> list[str]:
    """Columns by which the rows are stored: the key, except that a year comes first."""
    return sorted(key_of(table), key=lambda name: name != "year")


def references_of(table: sa.Table) -> Sequence[tuple[list[str], sa.Table, list[str]]]:
    """Each reference as (own columns, table referred to, its columns)."""
    all_tables()
    return [
        ([c.name for c in fk.columns], fk.referred_table, [e.column.name for e in fk.elements])
        for fk in sorted(table.foreign_key_constraints, key=lambda fk: [c.name for c in fk.columns])
    ]


def expect_columns(table: sa.Table, given: Iterable[Hashable]) -> None:
    """Raise ContractViolation unless the columns are those of the contract, in any order."""
    declared, present = {column.name for column in table.columns}, {*given}
    missing, undeclared = sorted(declared - present), sorted(present - declared, key=str)
    if missing or undeclared:
        raise ContractViolation(
            f"{qualified(table)}: columns missing: {missing or 'none'}, undeclared: {undeclared or 'none'}"
        )
