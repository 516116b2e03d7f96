"""`show`, `query` and `status`: what the tables hold, and what became of the deliveries."""

import datetime as dt
import re
import sys
from typing import Any

import click

from movies_platform.cli.output import FORMATS, rendered, table

_form = click.option("--format", "form", default="table", show_default=True, type=click.Choice(FORMATS))


@click.command()
@click.argument("name", metavar="TABLE")
@click.option("--year", type=int, help="Only this year (of release).")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(0), help="At most so many rows; 0: all.")
@_form
def show(name: str, year: int | None, limit: int, form: str) -> None:
    """Print rows of a table, in the order of its key.

    TABLE is a name such as genre_budget_by_year, or core.movies. A wrong name lists them all.
    """
    from movies_platform.contracts.tables import order_of, qualified, table_named
    from movies_platform.errors import UnknownTable
    from movies_platform.resources import warehouse

    contract = table_named(name)
    columns = [column.name for column in contract.columns]
    year_column = next((name for name in ("year", "release_year") if name in columns), None)
    if year is not None and year_column is None:
        raise UnknownTable(f"{qualified(contract)} has no year; leave --year out.")
    query = f"SELECT * FROM {qualified(contract)}"
    query += f" WHERE {year_column} = {year}" if year is not None else ""
    query += f" ORDER BY {', '.join(order_of(contract) or ['ALL'])}" + (f" LIMIT {limit}" if limit else "")
    with warehouse.reading() as connection:
        warehouse.expect_table(connection, contract)
        rows = connection.execute(query).fetchall()
    click.echo(rendered(columns, rows, form))


@click.command()
@click.argument("sql")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(0), help="At most so many rows; 0: all.")
@_form
def query(sql: str, limit: int, form: str) -> None:
    """Ask the latest snapshot a question in SQL.

    It answers also while a refresh runs. Every table is there under its name, for example genre_budget_by_year or
    core.movies. `-` reads the question from standard input. Nothing can be changed, and no other file can be read.
    """
    import duckdb

    from movies_platform.errors import QueryFailed
    from movies_platform.published.read import open_snapshot

    text = sys.stdin.read() if sql == "-" else sql
    with open_snapshot(closed=True) as connection:
        try:
            statements = connection.extract_statements(text)
            # PIVOT is one question, of which DuckDB makes two statements without a text.
            asked = [statement for statement in statements if statement.query.strip()] or statements[-1:]
            if not asked:
                raise QueryFailed("The question is empty. Ask, for example, FROM most_popular_genre_by_year.")
            if len(asked) != 1:
                raise QueryFailed(f"Ask one question at a time; this is {len(asked)}.")
            if asked[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
                raise QueryFailed("This is no question. Begin it with SELECT, FROM, WITH, DESCRIBE or EXPLAIN.")
            answer = connection.execute(text)
            columns = [column[0] for column in answer.description or []]
            rows = answer.fetchmany(limit + 1) if limit else answer.fetchall()
        except duckdb.Error as problem:
            raise QueryFailed(_explained(connection, str(problem))) from problem
    click.echo(rendered(columns, rows[:limit] if limit else rows, form))
    if limit and len(rows) > limit:
        click.echo(f"only the first {limit:,} rows; --limit 0 shows all", err=True)


def _explained(connection: Any, problem: str) -> str:
    """What DuckDB says of a question; of a table that does not exist, with those that do (it names its own)."""
    from movies_platform.contracts.tables import no_table

    unknown = re.match(r'Catalog Error: Table with name "?(.+?)"? does not exist', problem)
    if not unknown:
        return problem
    tables = connection.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE NOT internal ORDER BY ALL"
    ).fetchall()
    return no_table(unknown[1], [table[0] for table in tables])


@click.command()
def status() -> None:
    """Show the months, the rows of the tables and the checks.

    For each month, whether it was processed, and how many records; of every check, what it found last.
    """
    from movies_platform.landing import open_landing
    from movies_platform.landing.deliveries import refused_months
    from movies_platform.resources.home import prepare_home
    from movies_platform.resources.months import month_name

    prepare_home()
    landing = open_landing()
    archived, listing = landing.archived(), landing.list_incoming()
    newest = {a.month: a for a in archived}
    waiting = {arrival.month for arrival in listing.arrivals}
    accounts = _accounts()
    rows: list[tuple[Any, ...]] = []
    for month in sorted({*newest, *waiting, *accounts}):
        last = newest.get(month)
        state: str = "waiting" if month in waiting else last.outcome if last else "lost"
        if month > dt.datetime.now(dt.UTC).date():
            state = f"waits for {month}"
        rows.append((month_name(month), state, *accounts.get(month, [None] * 4), last.problem if last else ""))
    click.echo(table(["month", "state", "records", "accepted", "joined", "rejected", "problem"], rows))
    for refused in refused_months(archived):
        click.echo(f"refused: {month_name(refused.month)}: {refused.problem}")
    for month in sorted({*accounts} - {a.month for a in archived if a.outcome == "processed"}):
        click.echo(
            f"lost: {month_name(month)}: the delivery that the tables show is not in processed/ any more. Restore it "
            "from a backup, or deliver the month again."
        )
    for file in listing.unexpected_files:
        click.echo(f"notice: {file}")
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
    from movies_platform.resources import warehouse
    from movies_platform.resources.build_log import incomplete_months, stale_tables
    from movies_platform.resources.months import month_name

    if not warehouse.exists():
        click.echo("No tables yet: deliver a month, then run 'movies-platform refresh'.")
        return
    with warehouse.reading() as connection:
        incomplete = ", ".join(map(month_name, incomplete_months(connection)))
        stale = stale_tables(connection)

        def state(contract: Any) -> str:
            if contract.schema == "parsed" and incomplete:
                return f"incomplete for {incomplete}: run refresh"
            return "out of date: run refresh" if contract in stale else ""

        click.echo(table(["table", "rows", ""], [
            (qualified(t), warehouse.row_count(connection, t), state(t)) for t in all_tables()
        ]))  # fmt: skip


def _echo_checks() -> None:
    import dagster as dg

    from movies_platform.checks.results import counted, in_words, latest_results

    with dg.DagsterInstance.get() as instance:
        states = list(latest_results(instance))
    for found in states:
        if found.state in ("failed", "warned"):
            months = f"{', '.join(found.failed_months)}: " if found.failed_months else ""
            click.echo(f"{found.state}: {months}{found.asset}: {found.name}: {found.message}")
    click.echo(f"checks: {in_words(counted(states))}")
