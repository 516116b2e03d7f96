"""What a refresh runs, from deliveries to answers; `definitions` adds what follows, which a shell starts without."""

import dagster as dg

from movies_platform.automation.jobs import load_month, refresh_tables
from movies_platform.core.assets import present_state
from movies_platform.metrics.assets import answers
from movies_platform.monthly import delivered_month
from movies_platform.resources.io_manager import ContractIOManager, Warehouse

_warehouse = Warehouse()
tables = [delivered_month, present_state, answers]
resources = {"warehouse": _warehouse, "io_manager": ContractIOManager(warehouse=_warehouse)}

pipeline = dg.Definitions(
    assets=tables, jobs=[load_month, refresh_tables], resources=resources, executor=dg.in_process_executor
)
