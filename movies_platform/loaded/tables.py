"""Contracts -> the tables of another database, and the statements that bring them to new rows.

Keys, references, comments and the indexes that serve references are declared once, in the contracts; SQLAlchemy spells
them in each database's own types.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from movies_platform.contracts.published import SNAPSHOT, is_chosen, published_tables
from movies_platform.contracts.tables import key_of, qualified, references_of
from movies_platform.errors import LoadFailed
from movies_platform.published.store import Manifest

# Texts compare byte by byte, as in the warehouse. MySQL's TEXT ends at 64 kB, and it takes none into a key; Redshift's
# ends at 256 bytes.
_BYTEWISE: Any = {"charset": "utf8mb4", "collation": "utf8mb4_bin"}
_REDSHIFT = sa.VARCHAR(65_535)
_TEXT = sa.Text().with_variant(mysql.LONGTEXT(**_BYTEWISE), "mysql").with_variant(_REDSHIFT, "redshift")
_KEY_TEXT = sa.Text().with_variant(mysql.VARCHAR(255, **_BYTEWISE), "mysql").with_variant(_REDSHIFT, "redshift")


def target_tables(*, schemas: bool, without: Sequence[str] = ()) -> list[sa.Table]:
    """Every published table, and the one that says which snapshot it is, those referred to before those that refer.

    Without `schemas` they go by their plain names. Tables that a glob of `without` fits are left out, and so are the
    references to them.
    """
    metadata = sa.MetaData(naming_convention={"fk": "%(table_name)s_%(column_0_N_name)s_fkey"})
    contracts = [contract for contract in published_tables() if not is_chosen(contract, without)]
    for contract in [*contracts, SNAPSHOT]:
        table = sa.Table(
            contract.name, metadata, *_columns(contract), schema=contract.schema if schemas else None,
            comment=contract.comment, info={"contract": contract},
        )  # fmt: skip
        for own, other, theirs in references_of(contract):
            if other not in contracts:
                continue
            place = qualified(other) if schemas else other.name
            table.append_constraint(sa.ForeignKeyConstraint(own, [f"{place}.{name}" for name in theirs]))
            if own != key_of(contract)[: len(own)]:  # otherwise the key serves
                sa.Index(f"{contract.name}_{'_'.join(own)}_idx", *(table.columns[name] for name in own))
    return metadata.sorted_tables


def part_of(manifest: Manifest, tables: Sequence[sa.Table]) -> Manifest:
    """What the manifest says of the tables that are loaded; raises LoadFailed where the snapshot lacks one."""
    names = [name_of(table) for table in tables if contract_of(table) is not SNAPSHOT]
    if missing := [name for name in names if name not in manifest.tables]:
        raise LoadFailed(
            f"Snapshot {manifest.snapshot} has no {', '.join(missing)}: another version of the platform made it. "
            "Run 'movies-platform publish', then load again."
        )
    return dataclasses.replace(manifest, tables={name: manifest.tables[name] for name in names})


def staging_table(table: sa.Table) -> sa.Table:
    """The temporary table for the new rows of a table: its columns and key, nothing else."""
    contract = contract_of(table)
    return sa.Table(
        f"{contract.name}__loading", sa.MetaData(), *_columns(contract, comments=False), prefixes=["TEMPORARY"],
        info={"contract": contract},
    )  # fmt: skip


def contract_of(table: sa.Table) -> sa.Table:
    """The contract that a target or staging table is made from."""
    contract: sa.Table = table.info["contract"]
    return contract


def name_of(table: sa.Table) -> str:
    """The name under which the platform knows a target or staging table."""
    return qualified(contract_of(table))


def merge_statements(pairs: Sequence[tuple[sa.Table, sa.Table]]) -> list[sa.Executable]:
    """Statements that bring each table to the rows of its staging table and touch only rows that differ.

    Tables come in the order of their references (those referred to first): run in this order, no reference ever points
    to nothing.
    """
    changes: list[sa.Executable] = []
    removals: list[sa.Executable] = []
    for target, staged in pairs:
        key = [column.name for column in target.primary_key.columns]
        same_key = sa.and_(sa.true(), *(target.columns[name] == staged.columns[name] for name in key))
        rest = {c.name: staged.columns[c.name] for c in target.columns if c.name not in key}
        add = sa.select(staged)
        if not key:  # no row can be told from another
            changes.append(sa.delete(target))
        else:
            removals.insert(0, sa.delete(target).where(~sa.exists().where(same_key).correlate(target)))
            add = add.where(~sa.exists().where(same_key).correlate(staged))
            if rest:
                differs = sa.or_(*(target.columns[name].is_distinct_from(column) for name, column in rest.items()))
                changes.append(sa.update(target).values(rest).where(same_key, differs))
        changes.append(sa.insert(target).from_select([column.name for column in staged.columns], add))
    return changes + removals


def _columns(contract: sa.Table, *, comments: bool = True) -> list[sa.Column[Any]]:
    return [
        sa.Column(
            column.name,
            (_KEY_TEXT if column.primary_key or column.foreign_keys else _TEXT)
            if isinstance(column.type, sa.Text) else column.type,
            primary_key=column.primary_key, nullable=bool(column.nullable), autoincrement=False,
            comment=column.comment if comments else None,
        )
        for column in contract.columns
    ]  # fmt: skip
