"""An asset check, judged on a database of its own, in which a story was told to the tables."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import dagster as dg
import duckdb

from movies_platform.checks import (
    consistency,
    contract,
    deliveries,
    drift,
    known_movies,
    lists,
    plausibility,
    rating_drift,
)  # fmt: skip
from movies_platform.contracts import all_tables
from movies_platform.resources.warehouse import ensure
from movies_platform_tests.test_contracts_rows import MONTH

Story = Callable[[duckdb.DuckDBPyConnection], None]
DOMAIN_CHECKS = [
    *deliveries.CHECKS, *drift.CHECKS, *lists.CHECKS, *rating_drift.CHECKS, *known_movies.CHECKS,
    *plausibility.CHECKS, *consistency.CHECKS,
]  # fmt: skip
ALL_CHECKS = [*contract.contract_checks, *DOMAIN_CHECKS]


@dataclass(frozen=True)
class Judged:
    """What a check found, as Dagster is given it."""

    result: dg.AssetCheckResult

    @property
    def passed(self) -> bool:
        return bool(self.result.passed)

    @property
    def message(self) -> str:
        return self.result.description or ""

    @property
    def severity(self) -> dg.AssetCheckSeverity:
        return self.result.severity

    def number(self, name: str) -> Any:
        return self.result.metadata[name].value

    @property
    def worst(self) -> Sequence[dict[str, Any]]:
        """The offenders that are shown, as {column: value}."""
        shown = self.result.metadata.get("worst")
        return [record.data for record in shown.records] if shown else []


def find(table: str, check: str) -> dg.AssetChecksDefinition:
    """The check of a table, `core.movies`."""
    key = dg.AssetCheckKey(dg.AssetKey(table.split(".")), check)
    (found,) = [definition for definition in DOMAIN_CHECKS if key in definition.check_keys]
    return found


def judge(table: str, check: str, tell: Story) -> Judged:
    """What the check finds for MONTH, or for all months, after the story was told to empty tables."""
    with duckdb.connect() as connection:
        for each in all_tables():
            ensure(connection, each)
        tell(connection)
        function = find(table, check).op.compute_fn.decorated_fn
        context = SimpleNamespace(partition_key=f"{MONTH:%Y-%m}")
        return Judged(function(context, SimpleNamespace(opened=lambda: contextlib.nullcontext(connection))))
