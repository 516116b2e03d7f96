"""The assets of stage metrics: all answers in one step, replaced together in one transaction (docs/decisions/0008).

A table is computed in the place where it is stored, and checked there before anyone else sees it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import dagster as dg
import sqlalchemy as sa

from movies_platform.checks.outcomes import Outcome, result_of, results_of
from movies_platform.checks.registry import checks_of, kept_if_sound, run_checks, specs_of
from movies_platform.contracts.catalogue import asset_key, table_spec
from movies_platform.contracts.relations import Relation
from movies_platform.contracts.tables import table_named
from movies_platform.metrics import money, months, popularity, releases
from movies_platform.metrics.metric import Metric
from movies_platform.resources.codelinks import leads_to
from movies_platform.resources.facts import table_facts
from movies_platform.resources.io_manager import Warehouse, replace
from movies_platform.resources.warehouse import opened

METRICS = {
    metric.contract: metric
    for module in (money, releases, popularity, months)
    for metric in vars(module).values()
    if isinstance(metric, Metric)
}
_CORE = {name: asset_key(table_named(f"core.{name}")) for metric in METRICS.values() for name in metric.reads}


@dg.multi_asset(
    name="answers",
    specs=[
        dg.AssetSpec(**table_spec(table), deps=[_CORE[name] for name in metric.reads])
        for table, metric in METRICS.items()
    ],
    ins={name: dg.AssetIn(key) for name, key in _CORE.items()},
    check_specs=specs_of(METRICS),
    can_subset=True,
    pool="duckdb",
)
@leads_to({asset_key(metric.contract): metric.compute for metric in METRICS.values()})
def answers(
    context: dg.AssetExecutionContext, warehouse: Warehouse, **core: Relation
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """The nine questions, and how popularity developed, answered from the present state."""
    chosen = [table for table in METRICS if asset_key(table) in context.selected_asset_keys]
    rows, outcomes = refresh_metrics(warehouse, chosen, core)
    # The rows first: a check counts for the materialization that it follows.
    for table in () if any(outcome.blocks for outcome in outcomes) else chosen:
        yield dg.MaterializeResult(asset_key=asset_key(table), metadata=table_facts(table, rows[table]))
    yield from results_of(outcomes)
    yield from map(result_of, look_again(context.selected_asset_check_keys, chosen))


def look_again(selected: Collection[dg.AssetCheckKey], stored: Collection[sa.Table]) -> list[Outcome]:
    """Run the selected checks of tables that were not `stored` now, on their rows as they are."""
    checks = [
        check for check in checks_of(METRICS)
        if check.table not in stored and dg.AssetCheckKey(asset_key(check.table), check.name) in selected
    ]  # fmt: skip
    with opened() as connection:
        return run_checks(connection, checks)


def refresh_metrics(
    warehouse: Warehouse, tables: Sequence[sa.Table], core: Mapping[str, Relation]
) -> tuple[dict[sa.Table, int], list[Outcome]]:
    """Replace the tables; rows by table and the outcomes of their checks.

    When a blocking check fails, nothing is stored.
    """
    with warehouse.transaction() as connection:
        rows = {}
        for table in tables:
            metric = METRICS[table]
            rows[table] = replace(connection, table, metric.compute(**{name: core[name] for name in metric.reads}))
        return rows, kept_if_sound(connection, tables)
