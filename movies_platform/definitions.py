"""The only place where all parts meet: assets, jobs, sensors, resources."""

import dagster as dg

from movies_platform.automation.alerts import alerts
from movies_platform.automation.conditions import automated, automation_sensor
from movies_platform.automation.deliveries import deliveries
from movies_platform.automation.jobs import draw_report, load_month, load_warehouses, publish_tables, refresh_tables
from movies_platform.loaded.assets import warehouses
from movies_platform.pipeline import resources, tables
from movies_platform.published.assets import snapshot
from movies_platform.report.assets import pictures, report_page
from movies_platform.resources.codelinks import with_code_links
from movies_platform.resources.executor import watched_executor

defs = dg.Definitions(
    assets=automated(with_code_links([*tables, snapshot, warehouses, *pictures, report_page])),
    jobs=[load_month, refresh_tables, publish_tables, load_warehouses, draw_report],
    sensors=[deliveries, automation_sensor(), alerts],
    resources=resources,
    executor=watched_executor,
)
