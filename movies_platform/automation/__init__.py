"""How work starts: jobs, conditions, sensors; and how people are told when it does not end well."""

from movies_platform.automation.jobs import MONTH_JOB, REFRESH_JOB, load_month, refresh_tables

__all__ = ["MONTH_JOB", "REFRESH_JOB", "load_month", "refresh_tables"]
