"""What a check found, and how Dagster is told."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import duckdb
import sqlalchemy as sa

from movies_platform.contracts.catalogue import asset_key
from movies_platform.resources.asking import ask


@dataclass(frozen=True)
class Check:
    """A rule for a table. `blocking` ones keep the table as it was; the others warn.

    `find` looks at the rows in `relation` (of the month, for monthly tables).
    """

    name: str
    table: sa.Table
    description: str
    blocking: bool
    find: "Callable[[Scope], Findings]"


@dataclass(frozen=True)
class Scope:
    """Where a check looks: the rows of `relation`, of one month if given."""

    connection: duckdb.DuckDBPyConnection
    relation: str
    month: dt.date | None = None

    @property
    def rows(self) -> str:
        """The rows in question, for a FROM clause."""
        if self.month is None:
            return self.relation
        return f"(SELECT * FROM {self.relation} WHERE delivery_month = DATE '{self.month}')"

    def fetch(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return ask(self.connection, query, *parameters).fetchall()

    def value(self, query: str, *parameters: object) -> Any:
        """The first value of a query's first row; None without a row."""
        rows = self.fetch(query, *parameters)
        return rows[0][0] if rows else None

    def columns(self) -> list[tuple[str, str]]:
        """Names and types of the relation's columns, as DuckDB spells them."""
        return [
            (column[0], str(column[1]))
            for column in self.connection.execute(f"SELECT * FROM {self.relation} LIMIT 0").description
        ]


@dataclass(frozen=True)
class Findings:
    """How many offenders there are, what to say about them, and numbers worth plotting.

    `worst` are some offenders to look at, `columns` what stands in their columns.
    """

    offenders: int
    message: str
    numbers: Mapping[str, float | int] = field(default_factory=dict)
    worst: Sequence[tuple[Any, ...]] = ()
    columns: Sequence[str] = ()


@dataclass(frozen=True)
class Outcome:
    """A check with what it found."""

    check: Check
    findings: Findings

    @property
    def passed(self) -> bool:
        """Whether there was no offender."""
        return self.findings.offenders == 0

    @property
    def blocks(self) -> bool:
        """Whether the table must stay as it was."""
        return self.check.blocking and not self.passed

    def __str__(self) -> str:
        return f"{self.check.table.schema}.{self.check.table.name}: {self.check.name}: {self.findings.message}"


def offenders_table(found: Findings) -> dg.TableMetadataValue:
    """The worst offenders as a table of the UI."""
    columns = found.columns or [f"value {place}" for place in range(1, len(found.worst[0]) + 1)]
    records = [
        {
            name: value if isinstance(value, str | int | float | None) else str(value)
            for name, value in zip(columns, row, strict=True)
        }
        for row in found.worst
    ]
    types = {int: "int", float: "float"}
    return dg.MetadataValue.table(
        [dg.TableRecord(record) for record in records],
        dg.TableSchema([dg.TableColumn(name, type=types.get(type(records[0][name]), "string")) for name in columns]),
    )


def result_of(outcome: Outcome) -> dg.AssetCheckResult:
    """The outcome as an event of Dagster."""
    found = outcome.findings
    metadata: dict[str, Any] = {"offenders": found.offenders} | {
        name: round(number, 4) for name, number in found.numbers.items()
    }
    if found.worst:
        metadata["worst"] = offenders_table(found)
    return dg.AssetCheckResult(
        asset_key=asset_key(outcome.check.table),
        check_name=outcome.check.name,
        passed=outcome.passed,
        severity=dg.AssetCheckSeverity.ERROR if outcome.check.blocking else dg.AssetCheckSeverity.WARN,
        description=found.message,
        metadata=metadata,
    )


def results_of(outcomes: Sequence[Outcome]) -> Iterator[dg.AssetCheckResult]:
    """The outcomes of tables that were to be stored, as events; raises dg.Failure behind them when one blocks."""
    yield from map(result_of, outcomes)
    blocking = [str(outcome) for outcome in outcomes if outcome.blocks]
    if blocking:
        raise dg.Failure(
            description="Nothing was stored, because blocking checks failed.\n" + "\n".join(blocking),
            allow_retries=False,
        )
