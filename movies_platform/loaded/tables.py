"""Contracts -> the tables of another database, with keys, references, comments and indexes in its own types."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from movies_platform.contracts.published import SNAPSHOT, published_tables
from movies_platform.contracts.tables import qualified

# Texts compare byte by byte, as in the warehouse. MySQL's TEXT ends at 64 kB, and it takes none into a key.
_MYSQL: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql")
_KEY_TEXT = sa.Text().with_variant(mysql.VARCHAR(255), "mysql")


@dataclass(frozen=True)
class Pair:
    """A published table and the table of the target that takes its rows."""

    contract: sa.Table
    target: sa.Table

    @property
    def name(self) -> str:
        """The name under which the platform knows it."""
        return qualified(self.contract)


def tables_for(schema_of: Callable[[sa.Table], str | None], *, suffix: str = "", references: bool = True) -> list[Pair]:
    """Every published table, and the one that says which snapshot it is, those referred to before those that refer.

    `schema_of` says where a table goes (None: the database has no schemas). With a `suffix`, or another schema, they
    are the tables beside; those without `references` have neither references nor the indexes for them.
    """
    metadata = sa.MetaData()
    made = {}
    for contract in [*published_tables(), SNAPSHOT]:
        target = sa.Table(
            contract.name + suffix, metadata, *(_column(c) for c in contract.columns),
            schema=schema_of(contract), comment=contract.comment, **_MYSQL,
        )  # fmt: skip
        made[qualified(contract)] = Pair(contract, target)
    if references:
        for pair in made.values():
            _refer(pair, made)
    order = {table.fullname: place for place, table in enumerate(metadata.sorted_tables)}
    return sorted(made.values(), key=lambda pair: order[pair.target.fullname])


def create_statements(pair: Pair, *, references: bool = False) -> list[sa.schema.ExecutableDDLElement]:
    """Statements for the table with its key, and with its references where they cannot be added later."""
    return [sa.schema.CreateTable(pair.target, include_foreign_key_constraints=None if references else [])]


def comment_statements(pair: Pair) -> list[sa.schema.ExecutableDDLElement]:
    """Statements for the comments, where CREATE TABLE has no place for them."""
    columns = [sa.schema.SetColumnComment(column) for column in pair.target.columns]
    return [sa.schema.SetTableComment(pair.target), *columns]


def reference_statements(pair: Pair, *, constraints: bool = True) -> list[sa.schema.ExecutableDDLElement]:
    """Statements for the references and the indexes that serve them, to be run when the rows are there."""
    indexes = [sa.schema.CreateIndex(i) for i in sorted(pair.target.indexes, key=lambda i: str(i.name))]
    references = sorted(pair.target.foreign_key_constraints, key=lambda fk: str(fk.name))
    return [*indexes, *(sa.schema.AddConstraint(fk) for fk in references if constraints)]


def _column(column: sa.Column[object]) -> sa.Column[object]:
    kind = (_KEY_TEXT if column.primary_key else _TEXT) if isinstance(column.type, sa.Text) else column.type
    return sa.Column(
        column.name, kind, comment=column.comment, primary_key=column.primary_key,
        nullable=bool(column.nullable), autoincrement=False,
    )  # fmt: skip


def _refer(pair: Pair, made: dict[str, Pair]) -> None:
    key: Sequence[str] = [c.name for c in pair.contract.primary_key.columns]
    for constraint in pair.contract.foreign_key_constraints:
        own = [column.name for column in constraint.columns]
        other = made[qualified(constraint.referred_table)].target
        name = f"{pair.contract.name}_{'_'.join(own)}"
        theirs = [other.columns[element.column.name] for element in constraint.elements]
        # A table beside may get its name later, and MySQL renames only the references that it named itself.
        renamed = pair.target.name != pair.contract.name
        constraint_name = None if renamed else f"{name}_fkey"
        pair.target.append_constraint(sa.ForeignKeyConstraint(own, theirs, name=constraint_name))
        if own != key[: len(own)]:  # otherwise the key serves
            sa.Index(f"{name}_idx", *(pair.target.columns[name] for name in own))
