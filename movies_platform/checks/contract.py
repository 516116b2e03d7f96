"""One check for each table: its rows are what the contract declares (columns, ranges, key, references)."""

from collections.abc import Iterator, Sequence

import dagster as dg
import sqlalchemy as sa

from movies_platform.checks.results import Findings, check_result, quiet_preview
from movies_platform.contracts.catalogue import MONTHLY, POOL, asset_key
from movies_platform.contracts.tables import STAGES, all_tables, key_of, qualified, references_of
from movies_platform.contracts.violations import violations_of
from movies_platform.partitions import delivery_months
from movies_platform.resources.io_manager import Warehouse
from movies_platform.resources.months import parse_month
from movies_platform.resources.warehouse import table_exists

NAME = "rows_are_as_declared"


def contract_findings(wrong: Sequence[tuple[str, int]]) -> Findings:
    """What is wrong with a table, as `violations_of` tells it."""
    if not wrong:
        return Findings(0, "Columns, values, key and references are as declared.")
    message = "; ".join(f"{what}: {rows:,} rows" if rows else what for what, rows in wrong)
    return Findings(sum(max(rows, 1) for _, rows in wrong), message, worst=wrong, columns=("what is wrong", "rows"))


def _description(table: sa.Table) -> str:
    key = f" ({', '.join(key_of(table))}) is unique." if key_of(table) else ""
    targets = sorted({qualified(other) for _, other, _ in references_of(table)})
    references = f" Its ids are in {', '.join(targets)}." if targets else ""
    return (
        f"The table has the declared columns, no required value is missing, every value is in its range.{key}"
        f"{references} A failure is a bug of the platform, and nothing is published; a column that an older version "
        "left goes with `movies-platform rebuild`."
    )


def _contract_checks(stage: str) -> dg.AssetChecksDefinition:
    """The checks of a stage's tables, in one step.

    Not blocking: catalogues come after the links that refer to them, and what can block is enforced on write.
    """
    tables = {asset_key(table): table for table in all_tables() if table.schema == stage}
    monthly = stage in MONTHLY
    with quiet_preview():
        specs = [
            dg.AssetCheckSpec(
                NAME, asset=key, description=_description(table),
                additional_deps=[asset_key(t) for _, t, _ in references_of(table) if asset_key(t) != key],
                partitions_def=delivery_months if monthly else None,
            )
            for key, table in tables.items()
        ]  # fmt: skip

        @dg.multi_asset_check(name=f"contracts_of_{stage}", specs=specs, can_subset=True, pool=POOL)
        def contracts(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> Iterator[dg.AssetCheckResult]:
            where = f"delivery_month = DATE '{parse_month(context.partition_key)}'" if monthly else "true"
            with warehouse.opened() as connection:
                for key in sorted(context.selected_asset_check_keys, key=lambda key: key.asset_key.path):
                    table = tables[key.asset_key]
                    wrong = violations_of(connection, table, where) if table_exists(connection, table) else []
                    yield check_result(
                        contract_findings(wrong), is_error=True, asset_key=key.asset_key, check_name=NAME
                    )

    return contracts


contract_checks = [_contract_checks(stage) for stage in STAGES]
