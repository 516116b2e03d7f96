"""`refresh` and `rebuild`: deliveries into tables."""

import datetime as dt
import gc
import sys

import click

from movies_platform.cli.delivering import Month, check_month


@click.command()
@click.option("--month", type=Month(), metavar="YYYY-MM", help="Only this month, also when it was processed before.")
def refresh(month: dt.date | None) -> None:
    """Read what was delivered and is not yet processed, then compute the tables.

    Each month is one run and the tables another, in the history that the Dagster UI shows. A delivery that
    cannot be used goes to failed/ with the reason, and the exit status is 1; the tables stay as they were.
    Interrupted at any moment, the same command finishes the work.
    """
    from movies_platform.refresh import Refresh, report
    from movies_platform.resources.home import prepare_home

    _collect_garbage_again()
    if month:
        check_month(month)
    prepare_home()
    done = Refresh(tell=_tell).run(month)
    click.echo(report(done))
    sys.exit(0 if done.succeeded else 1)


@click.command()
def rebuild() -> None:
    """Compute everything again from processed/.

    For a lost or damaged warehouse, or a changed parser. The new warehouse takes the place of the old one in
    one step, when all of it is there.
    """
    from movies_platform.rebuild import rebuild_warehouse
    from movies_platform.refresh import report
    from movies_platform.resources.home import prepare_home

    _collect_garbage_again()
    prepare_home()
    done = rebuild_warehouse(tell=_tell)
    click.echo(report(done))
    sys.exit(0 if done.succeeded else 1)


def _collect_garbage_again() -> None:
    """What was imported until now is left out of it (see `cli.main`), and a run's events make little."""
    gc.freeze()
    gc.set_threshold(50_000)
    gc.enable()


def _tell(message: str) -> None:
    """Progress, for whoever watches."""
    if sys.stderr.isatty():
        click.echo(message, err=True)
