"""From the rows that a table has to the rows of the table beside it, by statements that touch only what differs.

Few rows differ from month to month, and where nothing differs nothing is written. The statements are plain DML, so
that they stand in one transaction and take no lock that a reader waits for. Run those of all tables in the order of
`merge_statements`: then no reference ever points to nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True)
class Merge:
    """A table and the table beside it that holds its rows to be."""

    target: sa.Table
    beside: sa.Table

    @property
    def key(self) -> list[str]:
        """Names of the key columns; none for a table without a key."""
        return [column.name for column in self.target.primary_key.columns]

    def same_key(self) -> sa.ColumnElement[bool]:
        """Both rows have one key."""
        return sa.and_(*(self.target.columns[name] == self.beside.columns[name] for name in self.key))

    def add_all(self) -> sa.Executable:
        """Insert every row of the table beside."""
        return _insert(self, sa.select(*_columns(self)))


def merge_statements(merges: Sequence[Merge]) -> list[sa.Executable]:
    """The statements for tables in the order of their references (those referred to first)."""
    keyed = [merge for merge in merges if merge.key]
    statements: list[sa.Executable] = []
    for merge in keyed:
        statements += [_change(merge)] if len(merge.key) < len(merge.target.columns) else []
        statements.append(_add(merge))
    statements += [_remove(merge) for merge in reversed(keyed)]
    for merge in (m for m in merges if not m.key):
        statements += [sa.delete(merge.target), merge.add_all()]
    return statements


def _change(merge: Merge) -> sa.Executable:
    values = {c.name: merge.beside.columns[c.name] for c in merge.target.columns if c.name not in merge.key}
    differs = sa.or_(*(merge.target.columns[name].is_distinct_from(column) for name, column in values.items()))
    return sa.update(merge.target).values(values).where(merge.same_key(), differs)


def _add(merge: Merge) -> sa.Executable:
    there = sa.exists().where(merge.same_key()).correlate(merge.beside)
    return _insert(merge, sa.select(*_columns(merge)).where(~there))


def _remove(merge: Merge) -> sa.Executable:
    there = sa.exists().where(merge.same_key()).correlate(merge.target)
    return sa.delete(merge.target).where(~there)


def _insert(merge: Merge, rows: Any) -> sa.Executable:
    return sa.insert(merge.target).from_select([c.name for c in merge.target.columns], rows)


def _columns(merge: Merge) -> list[sa.Column[object]]:
    return [merge.beside.columns[column.name] for column in merge.target.columns]
