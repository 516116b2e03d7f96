"""Checks on the deliveries: whether they came, nothing lost, columns that are known."""

import datetime as dt

import duckdb

from movies_platform.checks.results import Findings, fetch, month_rows, table_check, value
from movies_platform.contracts.core import MOVIES
from movies_platform.contracts.parsed import records_table
from movies_platform.contracts.raw import DATA_ISSUES, DELIVERIES, raw_table
from movies_platform.contracts.sources import SOURCES
from movies_platform.contracts.tables import qualified
from movies_platform.landing import open_landing
from movies_platform.landing.deliveries import refused_months
from movies_platform.resources.build_log import loaded_deliveries
from movies_platform.resources.months import month_name, months_between


@table_check(DELIVERIES)
def delivery_arrived(connection: duckdb.DuckDBPyConnection, month: dt.date) -> Findings:
    """Something was delivered for the month.

    If it warns, nothing was to be read and no table has changed: deliver the month, or ask the provider for it.
    """
    files = value(connection, f"SELECT count(*) FROM {month_rows('raw.deliveries', month)}")
    if files:
        return Findings(0, f"{files:,} file(s) for {month_name(month)}.", {"files": files})
    return Findings(1, f"Nothing was delivered for {month_name(month)}: no table has changed.", {"files": 0})


@table_check(DELIVERIES)
def columns_are_known(connection: duckdb.DuckDBPyConnection, month: dt.date) -> Findings:
    """Every column is declared.

    If it warns, the named columns are not read: add them to `contracts/sources.py` if they are wanted.
    """
    extra = fetch(
        connection,
        f"SELECT source_file, extra_columns FROM {month_rows('raw.deliveries', month)} WHERE extra_columns IS NOT NULL",
    )
    message = "; ".join(f"{file} has unknown columns, not read: {columns}" for file, columns in extra)
    return Findings(len(extra), message or "All columns are known.", worst=extra, columns=("file", "unknown columns"))


@table_check(DATA_ISSUES, blocking=True)
def every_record_is_accounted_for(connection: duckdb.DuckDBPyConnection, month: dt.date) -> Findings:
    """Of each file, every record read is accepted, rejected or was joined to a broken one.

    A failure is a bug of the platform: report it with the delivery.
    """
    accepted = " UNION ALL ".join(
        "SELECT any_value(source_file) AS file, (SELECT count(*) FROM "
        f"{month_rows(qualified(records_table(source)), month)}) AS accepted "
        f"FROM {month_rows(qualified(raw_table(source)), month)} HAVING file IS NOT NULL"
        for source in SOURCES
    )
    rejected = f"SELECT source_file AS file, count(*) AS rejected FROM {month_rows('raw.data_issues', month)} " + (
        "WHERE action = 'rejected' GROUP BY 1"
    )
    accounts = fetch(
        connection,
        "SELECT source_file, records, coalesce(accepted, 0), coalesce(rejected, 0), joined_records, "
        "records - coalesce(accepted, 0) - coalesce(rejected, 0) - joined_records "
        f"FROM {month_rows('raw.deliveries', month)} LEFT JOIN ({accepted}) a ON a.file = source_file "
        f"LEFT JOIN ({rejected}) r ON r.file = source_file WHERE records IS NOT NULL ORDER BY source_file",
    )
    sentences = [
        f"{file}: {read:,} records = {accepted:,} accepted + {rejected:,} rejected + {joined:,} joined to one before"
        + (f" + {difference:,} lost" if difference else "")
        for file, read, accepted, rejected, joined, difference in accounts
    ]
    names = ("records", "accepted", "rejected", "joined")
    numbers = {name: sum(account[place] for account in accounts) for place, name in enumerate(names, start=1)}
    columns = ("file", *names, "lost")
    lost = sum(abs(account[-1]) for account in accounts)
    return Findings(lost, "; ".join(sentences) + "." if sentences else "No file was read.", numbers, accounts, columns)


@table_check(MOVIES)
def no_month_is_missing(connection: duckdb.DuckDBPyConnection) -> Findings:
    """The tables show every month from the first delivery to the newest, and no delivery was refused.

    If it warns, the tables are right for what was delivered; deliver the named months, corrected where one was refused.
    """
    loaded = sorted(loaded_deliveries(connection))
    refused = {archived.month for archived in refused_months(open_landing().archived())}
    missing = {month for month in months_between(*loaded) if month not in loaded} - refused
    sentences = [f"{month_name(month)} was refused" for month in sorted(refused)]
    sentences += [f"{month_name(month)} was not delivered" for month in sorted(missing)]
    numbers = {"months": len(loaded), "refused_months": len(refused), "missing_months": len(missing)}
    if sentences:
        return Findings(len(sentences), f"{'; '.join(sentences)}.", numbers)
    return Findings(0, f"{len(loaded)} month(s), none missing or refused.", numbers)


CHECKS = [delivery_arrived, columns_are_known, every_record_is_accounted_for, no_month_is_missing]
