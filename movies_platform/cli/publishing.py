"""`publish` and `load`: the tables as files that others read, and in their databases."""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from movies_platform.handing_on import HandedOn


@click.command()
@click.option("--insist", is_flag=True, help="Also when a table is empty or has shrunk; also when nothing is new.")
def publish(insist: bool) -> None:
    """Publish the tables as a snapshot: Parquet, CSV, a DuckDB file for analysts and two wide reports.

    The snapshot goes to MOVIES_PUBLISHED, a folder or s3://bucket/prefix, and becomes visible in one step. The same
    tables again publish nothing new. `refresh` does this at its end.
    """
    from movies_platform.handing_on import publish_in_a_run
    from movies_platform.resources.home import prepare_home

    prepare_home()
    said = _said(publish_in_a_run(insist=insist))
    click.echo(f"{'published' if said['is_new'] else 'unchanged'} {said['snapshot']} at {said['place']}")


@click.command()
@click.option("--to", "urls", multiple=True, metavar="URL", help="A database, instead of those in MOVIES_LOAD_TO.")
@click.option("--again", is_flag=True, help="Also where a database says that it holds the snapshot already.")
@click.option(
    "--script", type=click.Choice(["snowflake", "redshift"]), help="Print a script for that warehouse instead."
)
def load(urls: tuple[str, ...], again: bool, script: str | None) -> None:
    """Load the latest snapshot into PostgreSQL, MySQL, MariaDB or SQLite.

    A URL is postgresql://user:password@host/database, mysql://..., mariadb://... or sqlite:////path/file.db. Readers
    see the old snapshot until the new one is there, whole. `refresh` does this at its end where MOVIES_LOAD_TO is set.
    """
    from movies_platform.errors import SettingsError
    from movies_platform.resources.settings import settings

    if script:
        from movies_platform.loaded.scripts import script_for

        click.echo(script_for(script))
        return
    if urls:  # by the environment, because what a run is given is kept in its history, passwords too
        os.environ["MOVIES_LOAD_TO"] = " ".join(urls)
    if not settings().load_to:
        raise SettingsError("MOVIES_LOAD_TO names no database. Set it, or give one with --to.")
    from movies_platform.handing_on import load_in_a_run
    from movies_platform.resources.home import prepare_home

    prepare_home()
    said = _said(load_in_a_run(again=again))
    click.echo(f"loaded {said['snapshot']}\n{said['databases']}")


def _said(done: "HandedOn") -> Mapping[str, Any]:
    """What the run says of its work; ends the command with the problem where it failed."""
    if done.problem:
        click.echo(done.problem, err=True)
        sys.exit(1)
    return done.said
