"""Months as people write them. Kept apart from the partitions: a shell command needs no Dagster for it."""

import datetime as dt
import re

from movies_platform.errors import SettingsError


def parse_month(text: str) -> dt.date:
    """First day of the month written as `2017-11`."""
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})", text)
    if not match or not 1 <= int(match[2]) <= 12 or int(match[1]) == 0:
        raise SettingsError(f"{text!r} is not a month. Write it as YYYY-MM, for example 2017-11.")
    return dt.date(int(match[1]), int(match[2]), 1)


def month_name(month: dt.date) -> str:
    """`2017-11`, as folders and people write a month."""
    return f"{month.year:04d}-{month.month:02d}"


def months_between(*months: dt.date) -> list[dt.date]:
    """Every month from the earliest to the latest of `months`, both included; none where there is none."""
    numbers = [12 * month.year + month.month - 1 for month in months]
    return [dt.date(n // 12, n % 12 + 1, 1) for n in range(min(numbers), max(numbers) + 1)] if months else []
