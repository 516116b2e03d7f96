"""The only place where the parts meet: assets, jobs, resources."""

import dagster as dg

from movies_platform.automation import load_month, refresh_tables
from movies_platform.core.assets import present_state
from movies_platform.metrics import money, months, popularity, releases
from movies_platform.monthly import delivered_month
from movies_platform.report.assets import draw_report, pictures, report_page
from movies_platform.resources.codelinks import with_code_links
from movies_platform.resources.io_manager import ContractIOManager, Warehouse

warehouse = Warehouse()

defs = dg.Definitions(
    assets=with_code_links(
        [
            delivered_month,
            present_state,
            *dg.load_assets_from_modules([money, popularity, releases, months]),
            *pictures,
            report_page,
        ]
    ),
    jobs=[load_month, refresh_tables, draw_report],
    resources={"warehouse": warehouse, "io_manager": ContractIOManager(warehouse=warehouse)},
    executor=dg.in_process_executor,
)
