"""What a check found, how it becomes an asset check of Dagster, and what every check found last."""

import datetime as dt
import inspect
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import duckdb
import sqlalchemy as sa

from movies_platform.contracts.catalogue import MONTHLY, POOL, asset_key
from movies_platform.partitions import delivery_months
from movies_platform.resources.io_manager import Warehouse
from movies_platform.resources.months import parse_month

Rows = Sequence[tuple[Any, ...]]
_RUNS_LOOKED_AT = 20  # for the latest result of a check


@dataclass(frozen=True)
class Findings:
    """How many offenders there are, what to say about them, and numbers worth plotting.

    `worst` are some offenders to look at, `columns` the names of their columns.
    """

    offenders: int
    message: str
    numbers: Mapping[str, float | int] = field(default_factory=dict)
    worst: Rows = ()
    columns: Sequence[str] = ()


def table_check(
    table: sa.Table, *, blocking: bool = False, reads: Sequence[sa.Table] = ()
) -> Callable[[Callable[..., Findings]], dg.AssetChecksDefinition]:
    """Decorate a function of a connection (and, for a monthly table, a month): the check of its name on the table.

    Its docstring is the description: the rule, and what to do when it is broken. A blocking check is an error and
    keeps what is computed from the table from running; others warn. `reads` are the other tables it needs.
    """

    def decorate(find: Callable[..., Findings]) -> dg.AssetChecksDefinition:
        monthly = table.schema in MONTHLY

        def check(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
            with warehouse.opened() as connection:
                found = find(connection, parse_month(context.partition_key)) if monthly else find(connection)
            return check_result(found, is_error=blocking)

        with quiet_preview():
            return dg.asset_check(
                asset=asset_key(table), name=find.__name__, description=inspect.getdoc(find), blocking=blocking,
                additional_deps=[asset_key(t) for t in reads], pool=POOL,
                partitions_def=delivery_months if monthly else None,
            )(check)  # fmt: skip

    return decorate


def quiet_preview() -> warnings.catch_warnings:
    """Without Dagster's warning that checks with partitions are a preview, on which this platform is pinned."""
    return warnings.catch_warnings(action="ignore", category=dg.PreviewWarning)


def check_result(found: Findings, *, is_error: bool, **names: Any) -> dg.AssetCheckResult:
    """The findings as Dagster shows them."""
    metadata: dict[str, Any] = {"offenders": found.offenders} | {
        name: round(number, 4) for name, number in found.numbers.items()
    }
    if found.worst:
        metadata["worst"] = _table(found)
    return dg.AssetCheckResult(
        passed=found.offenders == 0,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        description=found.message, metadata=metadata, **names,
    )  # fmt: skip


def fetch(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    return connection.execute(query).fetchall()


def value(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    """The first value of a query's first row."""
    return connection.execute(query).fetchall()[0][0]


def month_rows(table: str, month: dt.date) -> str:
    """The month's rows of a table, for a FROM clause."""
    return f"(SELECT * FROM {table} WHERE delivery_month = DATE '{month}')"


def _table(found: Findings) -> dg.TableMetadataValue:
    records = [
        {
            name: value if isinstance(value, str | int | float | None) else str(value)
            for name, value in zip(found.columns, row, strict=True)
        }
        for row in found.worst
    ]
    types = {int: "int", float: "float"}
    return dg.MetadataValue.table(
        [dg.TableRecord(record) for record in records],
        dg.TableSchema(
            [dg.TableColumn(name, type=types.get(type(records[0][name]), "string")) for name in found.columns]
        ),
    )


@dataclass(frozen=True)
class CheckState:
    """A check of an asset (`core.movies`) with its latest result; `passed` is None where it never ran.

    `failed_months` are the months of delivery whose latest result is a failure, as `2017-11`; where there are any, the
    result is that of the one which was checked last.
    """

    asset: str
    name: str
    passed: bool | None = None
    severity: str | None = None
    message: str = ""
    failed_months: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """passed, warned, failed or did not run."""
        if self.passed is None:
            return "did not run"
        if self.passed and not self.failed_months:
            return "passed"
        return "failed" if self.severity == "ERROR" else "warned"


def counted(states: Iterable[CheckState]) -> dict[str, int]:
    """How many checks are in each state; the one count of the shell and of the report."""
    found = Counter(each.state for each in states)
    return {state: found[state] for state in ("passed", "warned", "failed", "did not run")}


def in_words(counts: Mapping[str, int]) -> str:
    """`12 passed, 0 warned, ...`."""
    return ", ".join(f"{count:,} {state}" for state, count in counts.items())


def latest_results(instance: dg.DagsterInstance) -> Iterator[CheckState]:
    """Every check with what it found last, from Dagster's history."""
    from movies_platform.definitions import defs

    graph = defs.resolve_asset_graph()
    keys = sorted(graph.asset_check_keys, key=lambda key: (key.asset_key.path, key.name))
    monthly = [key for key in keys if key.asset_key.path[0] in MONTHLY]
    states: dict[dg.AssetCheckKey, dict[str, str]] = {}
    for state in instance.event_log_storage.get_asset_check_partition_info(monthly):
        if state.partition_key and state.latest_execution_status:
            states.setdefault(state.check_key, {})[state.partition_key] = state.latest_execution_status.value
    for key in keys:
        months = _failed_months(instance, key, states.get(key, {}))
        found = _latest_evaluation(instance, key, months) or _latest_evaluation(instance, key)
        asset = ".".join(key.asset_key.path)
        if found:
            yield CheckState(asset, key.name, found.passed, found.severity.value, found.description or "", months)
        else:
            yield CheckState(asset, key.name)


def _failed_months(instance: dg.DagsterInstance, key: dg.AssetCheckKey, states: Mapping[str, str]) -> tuple[str, ...]:
    """The months, of those with Dagster's states of a check, whose latest result is a failure."""
    failed = {month for month, state in states.items() if state == "FAILED"}
    if unknown := {month for month, state in states.items() if state not in ("SUCCEEDED", "FAILED")}:
        # The last run failed before the check could run: the result of before counts.
        latest: dict[str | None, bool] = {}
        for found in _evaluations(instance, key, _RUNS_LOOKED_AT * len(states)):
            latest.setdefault(found.partition, found.passed)
        failed |= {month for month in unknown if not latest.get(month, True)}
    return tuple(sorted(failed))


def _latest_evaluation(
    instance: dg.DagsterInstance, key: dg.AssetCheckKey, months: Sequence[str] = ()
) -> dg.AssetCheckEvaluation | None:
    """The newest result, of these months if there are any."""
    found = _evaluations(instance, key, _RUNS_LOOKED_AT)
    return next((each for each in found if not months or each.partition in months), None)


def _evaluations(instance: dg.DagsterInstance, key: dg.AssetCheckKey, runs: int) -> Iterator[dg.AssetCheckEvaluation]:
    """What the check found in the latest runs, the newest first; one that failed before the check could run has no
    result, and hides none."""
    for record in instance.event_log_storage.get_asset_check_execution_history(key, limit=runs):
        found = record.event.dagster_event.event_specific_data if record.event and record.event.dagster_event else None
        if isinstance(found, dg.AssetCheckEvaluation):
            yield found
