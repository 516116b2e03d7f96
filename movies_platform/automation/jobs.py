"""The jobs: a month, and the tables of all months."""

import dagster as dg

from movies_platform.partitions import delivery_months

MONTH_JOB, REFRESH_JOB = "load_month", "refresh_tables"

load_month = dg.define_asset_job(
    MONTH_JOB,
    selection=dg.AssetSelection.groups("raw", "parsed"),
    partitions_def=delivery_months,
    description="Read a month's newest delivery into raw and parsed.",
)
refresh_tables = dg.define_asset_job(
    REFRESH_JOB,
    selection=dg.AssetSelection.groups("core", "metrics"),
    description="Compute the present state and the answers from all months.",
)
