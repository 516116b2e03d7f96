"""`movies-platform`: the same work as in the Dagster UI, from a shell.

Commands import what they need when they run: `--help` and `deliver` answer at once.
"""

import errno
import gc
import logging
import os
import sys
import time
from typing import NoReturn

import click

from movies_platform.errors import MoviesPlatformError

_LAZY = {
    "deliver": "movies_platform.cli.delivering:deliver",
    "refresh": "movies_platform.cli.refreshing:refresh",
    "rebuild": "movies_platform.cli.refreshing:rebuild",
    "publish": "movies_platform.cli.publishing:publish",
    "load": "movies_platform.cli.publishing:load",
    "query": "movies_platform.cli.querying:query",
    "show": "movies_platform.cli.showing:show",
    "report": "movies_platform.cli.reporting:report",
    "status": "movies_platform.cli.showing:status",
    "sample": "movies_platform.cli.delivering:sample",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_LAZY)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from importlib import import_module

        if cmd_name not in _LAZY:
            return None
        module, name = _LAZY[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # `| head` has seen enough; what is still to be written goes nowhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)


@click.command(
    cls=_LazyGroup,
    epilog="Everything lives under MOVIES_HOME (default ./data): landing/, warehouse.duckdb, dagster/.",
)
@click.version_option(package_name="movies-platform")
def cli() -> None:
    """Refresh The Movies Dataset month by month, and read its answers.

    \b
    A first round:
      movies-platform deliver the-movies-dataset.zip --month 2017-11
      movies-platform refresh
      movies-platform show most_popular_genre_by_year --year 2016
    """


_started = time.monotonic()


def seconds() -> float:
    """How long this process has been at it."""
    return time.monotonic() - _started


def main() -> None:
    """Run the command line; what a person can mend is one line on standard error and exit status 1."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    # Modules stay, so there is no garbage to be found while they are imported, nor when they go: looking for it, again
    # and again, took a fifth of a small refresh (docs/benchmarks.md).
    gc.disable()
    try:
        cli(prog_name="movies-platform", standalone_mode=False)
    except MoviesPlatformError as problem:
        _give_up(str(problem))
    except click.ClickException as problem:
        asked = problem.ctx.command_path if isinstance(problem, click.UsageError) and problem.ctx else "movies-platform"
        _give_up(f"{problem.format_message().rstrip('.')}. See '{asked} --help'.")
    except click.Abort:
        sys.exit(130)  # as shells do after Ctrl-C
    except OSError as problem:
        where = problem.filename2 or problem.filename  # of a copy, the place it did not reach
        remedy = " Make room on that disk." if problem.errno == errno.ENOSPC else ""
        _give_up(f"{problem.strerror or problem}{f': {where}' if where else ''}.{remedy}")
    except Exception as problem:
        # Told by name, because a command that needs no database imports none.
        library = type(problem).__module__.split(".")[0].lstrip("_")
        if library == "duckdb":
            from movies_platform.resources.failures import explained

            _give_up(f"the warehouse cannot be used: {explained(str(problem)).splitlines()[0]}")
        if library in ("botocore", "boto3", "s3transfer"):
            _give_up(f"S3 does not do what was asked: {str(problem).splitlines()[0]}")
        if library == "sqlalchemy":
            _give_up(
                f"Dagster's history in DAGSTER_HOME cannot be used: {str(problem).splitlines()[0]}. See that it can be "
                "written; a damaged one may be removed: only what the UI tells of earlier runs is lost."
            )
        raise
    finally:
        gc.freeze()


def _give_up(message: str) -> NoReturn:
    click.echo(f"movies-platform: {message}", err=True)
    sys.exit(1)
