"""The one time axis: months of delivery.

`end_offset=1` lets the running month exist: deliveries for November arrive in November.
"""

import dagster as dg

from movies_platform.resources.settings import settings

delivery_months = dg.MonthlyPartitionsDefinition(
    start_date=f"{settings().first_month}-01", fmt="%Y-%m-%d", end_offset=1
)
