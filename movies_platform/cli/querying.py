"""`query`: questions to the latest snapshot."""

import sys

import click

from movies_platform.cli.showing import FORMATS, rendered


@click.command()
@click.argument("sql")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(0), help="At most so many rows; 0: all.")
@click.option("--format", "form", default="table", show_default=True, type=click.Choice(FORMATS))
def query(sql: str, limit: int, form: str) -> None:
    """Ask the latest snapshot a question in SQL, also while a refresh runs.

    Every table is there under its name, for example genre_budget_by_year or core.movies. `-` reads the question from
    standard input. Nothing can be changed, and no other file can be read.
    """
    import duckdb

    from movies_platform.errors import QueryFailed
    from movies_platform.snapshots.reading import open_snapshot

    text = sys.stdin.read() if sql == "-" else sql
    with open_snapshot(closed=True) as connection:
        try:
            statements = connection.extract_statements(text)
            if len(statements) != 1:
                raise QueryFailed(f"Ask one question at a time; this is {len(statements)}.")
            if statements[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
                raise QueryFailed("This is no question. Begin it with SELECT, FROM, WITH, DESCRIBE or EXPLAIN.")
            answer = connection.execute(statements[0])
            columns = [column[0] for column in answer.description or []]
            rows = answer.fetchmany(limit + 1) if limit else answer.fetchall()
        except duckdb.Error as problem:
            raise QueryFailed(str(problem)) from problem
    click.echo(rendered(columns, rows[:limit] if limit else rows, form), nl=form != "csv")
    if limit and len(rows) > limit:
        click.echo(f"only the first {limit:,} rows; --limit 0 shows all", err=True)
