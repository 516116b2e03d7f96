"""`show` and `status`: what the tables hold, and what became of the deliveries."""

import csv
import datetime as dt
import io
import json
from typing import Any

import click

FORMATS = ("table", "csv", "json")


@click.command()
@click.argument("table")
@click.option("--year", type=int, help="Only this year (of release).")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(0), help="At most so many rows; 0: all.")
@click.option("--format", "form", default="table", show_default=True, type=click.Choice(FORMATS))
def show(table: str, year: int | None, limit: int, form: str) -> None:
    """Print rows of a table, in the order of its key.

    TABLE is a name such as genre_budget_by_year, or core.movies. A wrong name lists them all.
    """
    from movies_platform.contracts.tables import order_of, qualified, table_named
    from movies_platform.errors import UnknownTable
    from movies_platform.resources import warehouse

    contract = table_named(table)
    columns = [column.name for column in contract.columns]
    year_column = next((name for name in ("year", "release_year") if name in columns), None)
    if year is not None and year_column is None:
        raise UnknownTable(f"{qualified(contract)} has no year; leave --year out.")
    query = f"SELECT * FROM {qualified(contract)}"
    query += f" WHERE {year_column} = {year}" if year is not None else ""
    query += f" ORDER BY {', '.join(order_of(contract) or ['ALL'])}" + (f" LIMIT {limit}" if limit else "")
    with warehouse.reading() as connection:
        if not warehouse.table_exists(connection, contract):
            raise UnknownTable(f"{qualified(contract)} was not computed yet. Run 'movies-platform refresh'.")
        rows = connection.execute(query).fetchall()
    click.echo(rendered(columns, rows, form), nl=form != "csv")


def rendered(columns: list[str], rows: list[tuple[Any, ...]], form: str) -> str:
    """Rows as a table for people, as CSV or as JSON."""
    if form == "json":
        records = [dict(zip(columns, row, strict=True)) for row in rows]
        return json.dumps(records, default=str, ensure_ascii=False, indent=1)
    if form == "csv":
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([columns, *rows])
        return text.getvalue()
    return _table(columns, rows)


def _table(columns: list[str], rows: list[tuple[Any, ...]]) -> str:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for place, name in enumerate(columns):
        numbers = any(isinstance(row[place], int | float) for row in rows)
        table.add_column(name, justify="right" if numbers else "left", overflow="fold", min_width=len(name))
    for row in rows:
        table.add_row(*map(_cell, columns, row))
    console = Console(width=None if Console().is_terminal else 200)
    with console.capture() as captured:
        console.print(table)
    return captured.get().rstrip("\n")


def _cell(column: str, value: Any) -> str:
    from rich.markup import escape

    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if column.endswith("_usd") else f"{value:,.3f}".rstrip("0").rstrip(".")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if column == "year" or column.endswith(("_id", "_year")) else f"{value:,}"
    return escape(str(value))


@click.command()
def status() -> None:
    """Months delivered, processed and failed; rows of the tables; checks that failed last."""
    from movies_platform.landing import open_landing
    from movies_platform.resources.home import prepare_home
    from movies_platform.resources.months import month_name

    prepare_home()
    landing = open_landing()
    newest = {s.month: s for s in landing.settled()}
    waiting = landing.months()
    rows: list[tuple[Any, ...]] = []
    accounts = _accounts()
    for month in sorted({*newest, *waiting}):
        settled = newest.get(month)
        state = "waiting" if month in waiting else settled.outcome if settled else ""
        problem = settled.note.get("problem") if settled and settled.outcome == "failed" else None
        rows.append((month_name(month), state, *accounts.get(month, [""] * 4), problem or ""))
    click.echo(_table(["month", "state", "records", "accepted", "joined", "rejected", "problem"], rows))
    for stray in landing.strays():
        click.echo(f"notice: {stray}")
    _echo_tables()
    _echo_checks()


def _accounts() -> dict[dt.date, tuple[Any, ...]]:
    from movies_platform.contracts.raw import DELIVERIES
    from movies_platform.errors import UnknownTable
    from movies_platform.resources import warehouse

    try:
        with warehouse.reading() as connection:
            if not warehouse.table_exists(connection, DELIVERIES):
                return {}
            found = connection.execute(
                "SELECT delivery_month, sum(records)::BIGINT, sum(accepted_records)::BIGINT, "
                "sum(joined_records)::BIGINT, sum(rejected_records)::BIGINT FROM raw.deliveries GROUP BY 1"
            ).fetchall()
    except UnknownTable:  # nothing was refreshed yet
        return {}
    return {row[0]: row[1:] for row in found}


def _echo_tables() -> None:
    from movies_platform.contracts.tables import all_tables, qualified
    from movies_platform.landing import open_landing
    from movies_platform.landing.deliveries import blocked_months
    from movies_platform.resources import warehouse
    from movies_platform.resources.builds import stale_tables
    from movies_platform.resources.months import month_name
    from movies_platform.resources.settings import settings

    if not settings().warehouse.exists():
        click.echo("No tables yet: deliver a month, then run 'movies-platform refresh'.")
        return
    with warehouse.reading() as connection:
        stale = stale_tables(connection)
        held = ", ".join(month_name(s.month) for s in blocked_months(open_landing().settled()))
        out_of_date = f"as before: {held} must be mended" if held else "out of date: run refresh"
        click.echo(_table(["table", "rows", ""], [
            (qualified(t), warehouse.row_count(connection, t), out_of_date if t in stale else "")
            for t in all_tables()
        ]))  # fmt: skip


def _echo_checks() -> None:
    import dagster as dg

    from movies_platform.checks.latest import latest_results
    from movies_platform.landing import open_landing
    from movies_platform.landing.deliveries import blocked_months
    from movies_platform.resources.months import month_name

    with dg.DagsterInstance.get() as instance:
        latest = list(latest_results(instance))
    # A month that is blocked still stands, also where the check has passed for another month since.
    failed = [f"{month_name(s.month)}: {s.note['problem']}" for s in blocked_months(open_landing().settled())]
    for found in latest:
        line = f"{found.table}: {found.check.name}: {found.message}"
        if any(line in known for known in failed):
            continue
        if found.failed_months:
            in_months = f"in {', '.join(found.failed_months)}; when it ran last: {found.message}"
            failed.append(f"{found.table}: {found.check.name}: {in_months}")
        elif found.passed is False:
            failed.append(line)
    judged = sum(found.passed is not None for found in latest)
    none = f"failed checks: none of {judged}" if judged else "failed checks: none ran yet"
    click.echo("\n".join(["failed checks:", *failed]) if failed else none)
