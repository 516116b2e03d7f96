"""The one time axis: months of delivery, each known by its name, `2017-11`.

`end_offset=1` lets the running month exist: deliveries for November arrive in November.
"""

import dagster as dg

from movies_platform.settings import settings

delivery_months = dg.MonthlyPartitionsDefinition(start_date=settings().first_month, fmt="%Y-%m", end_offset=1)
