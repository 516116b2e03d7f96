"""The jobs, run by the shell, by sensors and from the UI: a month, the tables of all months, and what follows them."""

import dagster as dg

MONTH_JOB, REFRESH_JOB = "load_month", "refresh_tables"
PUBLISH_JOB, LOAD_JOB, REPORT_JOB = "publish_tables", "load_warehouses", "draw_report"

load_month = dg.define_asset_job(
    MONTH_JOB,
    selection=dg.AssetSelection.groups("raw", "parsed"),
    description="Read a month's newest delivery into raw and parsed.",
)
refresh_tables = dg.define_asset_job(
    REFRESH_JOB,
    selection=dg.AssetSelection.groups("core", "metrics"),
    description="Compute core and metrics from all months.",
)
publish_tables = dg.define_asset_job(
    PUBLISH_JOB, selection=dg.AssetSelection.groups("published"), description="Publish the tables as a snapshot."
)
load_warehouses = dg.define_asset_job(
    LOAD_JOB,
    selection=dg.AssetSelection.groups("loaded"),
    description="Load the latest snapshot into the databases of MOVIES_LOAD_TO.",
)
draw_report = dg.define_asset_job(
    REPORT_JOB,
    selection=dg.AssetSelection.groups("report"),
    description="Draw the charts and write the report of the tables as they are.",
)
