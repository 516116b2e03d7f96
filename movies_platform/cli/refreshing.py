"""`refresh` and `rebuild`: deliveries into tables."""

import datetime as dt
import gc
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from movies_platform.cli import seconds
from movies_platform.cli.delivering import Month, check_month

if TYPE_CHECKING:
    from movies_platform.refresh import Done

no_publish = click.option(
    "--no-publish", is_flag=True, envvar="MOVIES_NO_PUBLISH", help="Leave the published snapshot as it is."
)


@click.command()
@click.option("--month", type=Month(), metavar="YYYY-MM", help="Only this month, also when it was processed before.")
@no_publish
def refresh(month: dt.date | None, no_publish: bool) -> None:
    """Read what was delivered and is not yet processed, compute the tables, and publish them.

    Each month is one run and the tables another, in the history that the Dagster UI shows. A delivery that
    cannot be used goes to failed/ with the reason, and the exit status is 1; the tables stay as they were.
    Interrupted at any moment, the same command finishes the work. Tables that look wrong (empty, much smaller than
    before) are not published, which is a failure too.
    """
    from movies_platform.landing import open_landing

    open_landing().read_ahead()  # while Dagster is imported
    from movies_platform.refresh import Refresh
    from movies_platform.resources.home import prepare_home

    _collect_garbage_again()
    if month:
        check_month(month)
    prepare_home()
    done = Refresh(tell=_tell).run(month)
    _end(done, publish=not no_publish, anew=done.recomputed)


@click.command()
@no_publish
def rebuild(no_publish: bool) -> None:
    """Compute everything again from processed/, and publish it.

    For a lost or damaged warehouse, or a changed parser. The new warehouse takes the place of the old one in
    one step, when all of it is there.
    """
    from movies_platform.rebuild import rebuild_warehouse
    from movies_platform.resources.home import prepare_home

    _collect_garbage_again()
    prepare_home()
    _end(rebuild_warehouse(tell=_tell), publish=not no_publish, anew=True)


def _end(done: "Done", *, publish: bool, anew: bool) -> NoReturn:
    """Tell what was done, hand it on, and exit."""
    from movies_platform.refresh import report

    click.echo(report(done))
    succeeded = done.succeeded and (not publish or _handed_on(anew=anew))
    click.echo(f"seconds   {seconds():.1f}")
    sys.exit(0 if succeeded else 1)


def _handed_on(*, anew: bool) -> bool:
    """Publish tables that were computed `anew`, or that an interrupted refresh left unpublished; whether it worked."""
    from movies_platform.handing_on import hand_on

    lines, problems = hand_on(anew=anew, tell=_tell)
    for line in [*lines, *(f"problem   {line}" for text in problems for line in text.splitlines())]:
        click.echo(line)
    return not problems


def _collect_garbage_again() -> None:
    """What was imported until now is left out of it (see `cli.main`), and a run's events make little."""
    gc.freeze()
    gc.set_threshold(50_000)
    gc.enable()


def _tell(message: str) -> None:
    """Progress, for whoever watches."""
    if sys.stderr.isatty():
        click.echo(message, err=True)
