"""The only place where all parts meet: assets, checks, jobs, sensors, resources."""

import warnings

import dagster as dg

from movies_platform.automation.conditions import automated
from movies_platform.automation.jobs import draw_report, load_month, load_warehouses, publish_tables, refresh_tables
from movies_platform.automation.sensors import all_sensors
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
from movies_platform.core import history, links, movies, names, people, ratings
from movies_platform.loaded.assets import databases_hold_latest_snapshot, warehouses
from movies_platform.metrics import money, popularity, releases, votes
from movies_platform.parsed import assets as parsed
from movies_platform.published.assets import snapshot, snapshot_is_complete_and_current
from movies_platform.raw import assets as raw
from movies_platform.report.assets import CHARTS, page_is_current, report_page
from movies_platform.resources.io_manager import ContractIOManager, Warehouse
from movies_platform.resources.spark import Spark
from movies_platform.settings import check_settings

check_settings()
_tables = dg.load_assets_from_modules(
    [raw, parsed, movies, links, names, people, ratings, history, money, popularity, releases, votes]
)
with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
    _assets = dg.with_source_code_references([*_tables, snapshot, warehouses, *CHARTS, report_page])
_spark = Spark()
_warehouse = Warehouse(spark=_spark)

defs = dg.Definitions(
    assets=automated(_assets),
    asset_checks=[
        *contract.contract_checks, *deliveries.CHECKS, *drift.CHECKS, *lists.CHECKS, *rating_drift.CHECKS,
        *known_movies.CHECKS, *plausibility.CHECKS, *consistency.CHECKS,
        snapshot_is_complete_and_current, databases_hold_latest_snapshot, page_is_current,
    ],
    jobs=[load_month, refresh_tables, publish_tables, load_warehouses, draw_report],
    sensors=all_sensors(),
    resources={
        "spark": _spark, "warehouse": _warehouse, "io_manager": ContractIOManager(warehouse=_warehouse),
    },
    executor=dg.in_process_executor,
)  # fmt: skip
