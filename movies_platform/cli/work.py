"""`refresh`, `rebuild`, `publish`, `load` and `report`: deliveries into tables, and tables to whoever reads them."""

import datetime as dt
import os
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import click

from movies_platform.cli.deliver import Month, check_month
from movies_platform.errors import SettingsError

if TYPE_CHECKING:
    from movies_platform.refresh import Summary

_started = time.monotonic()
no_publish = click.option(
    "--no-publish", is_flag=True, envvar="MOVIES_NO_PUBLISH", help="Leave the published snapshot as it is."
)


@click.command()
@click.option("--month", type=Month(), metavar="YYYY-MM", help="Only this month, also when it was processed before.")
@no_publish
def refresh(month: dt.date | None, no_publish: bool) -> None:
    """Read what was delivered, compute the tables and publish them.

    Each month is one run and the tables another, in the history that the Dagster UI shows. A delivery that
    cannot be used goes to failed/ with the reason, and the exit status is 1; other months go on. Interrupted at any
    moment, the same command finishes the work. Tables that look wrong (empty, much smaller than before) are not
    published, which is a failure too.
    """
    from movies_platform.resources.home import prepare_home

    prepare_home()
    if month:
        check_month(month)
    from movies_platform.refresh import refresh as run

    _end(run(_progress, month), publish=not no_publish)


@click.command()
@no_publish
def rebuild(no_publish: bool) -> None:
    """Compute everything again from processed/, and publish it.

    For a lost or damaged warehouse, one of an earlier version, or a changed parser. The new warehouse takes the place
    of the old one in one step, when it is complete.
    """
    from movies_platform.resources.home import prepare_home

    prepare_home()
    from movies_platform.refresh import rebuild as run

    _end(run(_progress), publish=not no_publish)


@click.command()
@click.option("--force", is_flag=True, help="Also when a table is empty or has shrunk; also when nothing is new.")
def publish(force: bool) -> None:
    """Publish the tables as a snapshot.

    It holds Parquet, CSV, a DuckDB file for analysts and two wide reports; it goes to MOVIES_PUBLISHED, a folder
    or s3://bucket/prefix, and becomes visible in one step. The same tables again publish nothing new. `refresh`
    does this at its end.
    """
    done = _run("publish_tables", {"published__snapshot": {"config": {"force": force}}})
    click.echo(f"{'published' if done['is_new'] else 'unchanged'} {done['snapshot']} at {done['place']}")
    for what in ("refused", "missing"):
        if (months := done[f"{what}_months"]) != "none":
            click.echo(f"{what:<9} {months}")


@click.command()
@click.option("--to", "urls", multiple=True, metavar="URL", help="A database, instead of those in MOVIES_LOAD_TO.")
@click.option("--force", is_flag=True, help="Also where a database says that it holds the snapshot already.")
@click.option(
    "--script", type=click.Choice(["snowflake", "redshift"]), help="Print a script for that warehouse instead."
)
def load(urls: tuple[str, ...], force: bool, script: str | None) -> None:
    """Load the latest snapshot into other databases.

    They are PostgreSQL, MySQL, MariaDB and SQLite. A URL is postgresql://user:password@host/database, mysql://...,
    mariadb://... or sqlite:////path/file.db. Readers see the old snapshot until the new one is complete. `refresh`
    does this at its end where MOVIES_LOAD_TO is set.
    """
    from movies_platform.settings import check_settings, settings

    if script:
        from movies_platform.loaded.scripts import script_for

        check_settings()
        click.echo(script_for(script))
        return
    if urls:  # by the environment, because what a run is given is kept in its history, passwords too
        os.environ["MOVIES_LOAD_TO"] = " ".join(urls)
    if not settings().load_to:
        raise SettingsError("MOVIES_LOAD_TO names no database. Set it, or give one with --to.")
    done = _run("load_warehouses", {"loaded__warehouses": {"config": {"force": force}}})
    click.echo(f"loaded {done['snapshot']}\n{done['databases']}")


@click.command()
def report() -> None:
    """Write the report, one page with answers, charts and checks.

    Its pictures are written as files too.
    """
    done = _run("draw_report", {})
    click.echo(f"The report is {done['file']}; its charts are in the same folder.")


def _run(job: str, ops: Mapping[str, Any]) -> Mapping[str, Any]:
    """Run a job; what it reports of its work. Ends the command with the problem where it failed."""
    import dagster as dg

    from movies_platform.resources.home import prepare_home

    prepare_home()
    from movies_platform.refresh import run_and_describe

    with dg.DagsterInstance.get() as instance:
        metadata, problem = run_and_describe(instance, job, ops)
    if problem:
        click.echo(f"movies-platform: {problem}", err=True)
        sys.exit(1)
    return metadata


def _end(summary: "Summary", *, publish: bool) -> NoReturn:
    """Print what was done, publish and load where that is wanted, and exit."""
    for line in summary.lines():
        click.echo(line)
    if publish and (summary.recomputed or not summary.problems):
        from movies_platform.refresh import publish_and_load

        for line in publish_and_load(summary, _progress):
            click.echo(line)
    from movies_platform.refresh import check_counts

    click.echo(f"checks    {check_counts()}")
    click.echo(f"seconds   {time.monotonic() - _started:.1f}")
    sys.exit(1 if summary.problems else 0)


def _progress(message: str) -> None:
    click.echo(f"... {message}", err=True)
