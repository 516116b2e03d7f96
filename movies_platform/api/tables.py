"""Contracts -> what is served: paths, columns, parameters, related rows.

No table or column is named here. The rules:

- A table of core is a collection at `/v1/{table}`; where its key is one column, it has rows at `/v1/{table}/{key}`.
  A table of metrics is at `/v1/metrics/{table}`.
- A column that refers to another table is a parameter, named after the column without `_id` or `_code`, and brings
  the name of what it refers to as a further column.
- A table of core that refers to two others makes each a parameter of the other: movies have `genre` through
  `movie_genres`.
- A column with a list of values is a parameter. The year, or the month by which a table is ordered, is three:
  `year`, `year_from`, `year_to`.
- What can be chosen by the id of a row is related to that row: `/v1/genres/{id}/movies`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import sqlalchemy as sa

from movies_platform.contracts.published import MONTHLY, published_tables
from movies_platform.contracts.tables import key_of, order_of, references_of

YEARS = ("year", "release_year")
_NAMED = ("_id", "_code")


@dataclass(frozen=True)
class Link:
    """A table that links two others: its column with the rows that are chosen, and the one that they are chosen by."""

    table: str
    own: str
    other: str


@dataclass(frozen=True)
class Filter:
    """A parameter that chooses rows by the values of a column, of the table itself or of tables that link to it.

    `refers_to` is the table whose ids and names it accepts, `choices` the values that there are.
    """

    name: str
    column: sa.Column[Any]
    refers_to: str | None = None
    choices: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table as it is served."""

    contract: sa.Table
    columns: tuple[sa.Column[Any], ...]  # those of the contract, and the names of what they refer to
    time: sa.Column[Any] | None
    filters: dict[str, Filter] = field(hash=False)

    @cached_property
    def name(self) -> str:
        """The table's name, without its schema."""
        return str(self.contract.name)

    @cached_property
    def path(self) -> str:
        """Where its rows are."""
        return f"/v1/metrics/{self.name}" if self.contract.schema == "metrics" else f"/v1/{self.name}"

    @cached_property
    def key(self) -> str | None:
        """The column that identifies a row at `path/{key}`; None where rows have no address of their own."""
        return _single_key(self.contract)

    @cached_property
    def has_text_key(self) -> bool:
        """Whether rows are identified by a text, such as the code of a country."""
        return self.key is not None and isinstance(self.contract.columns[self.key].type, sa.Text)

    @cached_property
    def kind(self) -> str:
        """What one row is, in the singular: `movie`, `genre`."""
        return bare(self.key or self.name)

    @cached_property
    def label(self) -> str | None:
        """The column with a row's name."""
        return _label(self.contract)

    @cached_property
    def searched(self) -> tuple[str, ...]:
        """The columns in which `q` searches."""
        return tuple(c.name for c in self.contract.columns if self.key and self.label and c.name.endswith(self.label))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def time_name(self) -> str | None:
        """The parameter by which time is chosen: `year`, `month`."""
        return None if self.time is None else "year" if self.time.name in YEARS else str(self.time.name)

    @cached_property
    def times(self) -> tuple[str, ...]:
        """The parameters of time: at, from, to."""
        name = self.time_name
        return (name, f"{name}_from", f"{name}_to") if name else ()

    @cached_property
    def is_ordered_by_time(self) -> bool:
        """Whether the rows are stored in the order of their time."""
        return self.time is not None and order_of(self.contract)[:1] == [self.time.name]

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Every parameter that a question about its rows may have."""
        search = ("q",) if self.searched else ()
        return (*self.times, *self.filters, *search, "sort", "fields", "limit", "cursor", "snapshot")


@dataclass(frozen=True)
class Related:
    """Rows of another table that belong to a row: `path` below the row's own, `table`, chosen by its filter `by`."""

    path: str
    table: Table
    by: str


def bare(column: str) -> str:
    """A column's name without the suffix that says that it identifies something."""
    return next((column.removesuffix(suffix) for suffix in _NAMED if column.endswith(suffix)), column)


@cache
def served_tables() -> dict[str, Table]:
    """Every table with rows, by name, in the order of the contracts."""
    tables = published_tables()
    return {table.name: _table(table, tables) for table in tables}


@cache
def metrics() -> tuple[Table, ...]:
    """The tables of metrics."""
    return tuple(table for table in served_tables().values() if table.contract.schema == "metrics")


@cache
def related(name: str) -> tuple[Related, ...]:
    """What belongs to a row of a table."""
    own = served_tables()[name]
    if not own.key:
        return ()
    found: dict[str, Related] = {}
    for table in served_tables().values():
        chosen = [each for each in table.filters.values() if each.refers_to == name and not _only_links(table)]
        for each in sorted(chosen, key=lambda each: each.name != own.kind):
            short = table.name.removeprefix(f"{own.kind}_")
            path = next(p for p in (short, table.name, f"{short}_by_{each.name}") if p not in found)
            found[path] = Related(path, table, each.name)
    return tuple(found.values())


def _table(contract: sa.Table, tables: Sequence[sa.Table]) -> Table:
    columns = list(contract.columns)
    for _, other, _ in references_of(contract):
        label = _label(other)
        if label and label not in [column.name for column in columns] and other is not contract:
            columns.append(other.columns[label])
    filters: dict[str, Filter] = {}
    for each in (*_own_filters(contract), *_linked_filters(contract, tables)):
        known = filters.get(each.name)
        if known is None:
            filters[each.name] = each
        elif known.links and each.links:  # people are linked to movies as cast and as crew
            filters[each.name] = Filter(each.name, each.column, each.refers_to, (), (*known.links, *each.links))
    return Table(contract, tuple(columns), _time(contract), filters)


def _own_filters(contract: sa.Table) -> Iterator[Filter]:
    for own, other, _ in references_of(contract):
        if len(own) == 1:
            yield Filter(bare(own[0]), contract.columns[own[0]], other.name)
    for column in contract.columns:
        if choices := column.info.get("one_of"):
            yield Filter(column.name, column, choices=tuple(choices))


def _linked_filters(contract: sa.Table, tables: Sequence[sa.Table]) -> Iterator[Filter]:
    if contract.schema != "core" or not _single_key(contract):
        return
    for table in tables:
        if table.schema != "core" or _single_key(table):
            continue
        references = [(own[0], other) for own, other, _ in references_of(table) if len(own) == 1]
        for own, target in references:
            for column, other in references:
                if target is contract and other is not contract:
                    link = Link(table.name, own, column)
                    yield Filter(bare(column), table.columns[column], other.name, links=(link,))


def _time(contract: sa.Table) -> sa.Column[Any] | None:
    for name in YEARS:
        if name in contract.columns:
            return contract.columns[name]
    if contract in MONTHLY:
        return contract.columns["delivery_month"]
    leading = contract.columns[order_of(contract)[0]] if key_of(contract) else None
    return leading if leading is not None and isinstance(leading.type, sa.Date) else None


def _single_key(contract: sa.Table) -> str | None:
    key = key_of(contract)
    return key[0] if len(key) == 1 else None


def _label(contract: sa.Table) -> str | None:
    key = _single_key(contract)
    if not key:
        return None
    return next((name for name in (f"{bare(key)}_name", "title") if name in contract.columns), None)


def _only_links(table: Table) -> bool:
    """Whether its rows say nothing but what belongs to what."""
    referring = {name for own, _, _ in references_of(table.contract) for name in own}
    return {column.name for column in table.contract.columns} <= referring
