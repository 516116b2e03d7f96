"""`movies-platform`: the same work as in the Dagster UI, from a shell.

Commands import what they need when they run: `--help` and `deliver` answer at once.
"""

import errno
import logging
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, NoReturn

import click

from movies_platform.errors import MoviesPlatformError, SettingsError
from movies_platform.resources import interruption
from movies_platform.settings import check_settings

_COMMANDS = {
    "deliver": "deliver", "refresh": "work", "rebuild": "work", "publish": "work", "load": "work", "query": "read",
    "show": "read", "status": "read", "report": "work", "sample": "deliver",
    "serve": "serve", "keys": "serve",
}  # fmt: skip
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"movies_platform.cli.{_COMMANDS[cmd_name]}"), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # `| head` has seen enough; what is still to be written goes nowhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)


@click.command(
    cls=_LazyGroup, context_settings=_CONTEXT,
    epilog="Everything is under MOVIES_HOME (default ./data): landing/, warehouse.duckdb, published/, dagster/.",
)  # fmt: skip
@click.version_option(package_name="movies-platform")
def cli() -> None:
    """Refresh The Movies Dataset month by month, and read its answers.

    \b
    A first round:
      movies-platform deliver the-movies-dataset.zip --month 2017-11
      movies-platform refresh
      movies-platform show most_popular_genre_by_year --year 2016
    """
    if not {"-h", "--help"}.intersection(sys.argv):
        check_settings()


def main() -> None:
    """Run the command line.

    What a person can put right is a line on standard error and exit status 1; wrong usage is exit status 2. Ended by a
    signal, the status is 128 and its number.
    """
    interruption.end_with_signals()
    try:
        _run()
    except BaseException:  # whatever became of it in the libraries that it went through
        if interruption.status():
            interruption.say_so()
            sys.exit(interruption.status())
        raise


def _run() -> None:
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    for stream in (sys.stdout, sys.stderr):  # a terminal of another encoding shows `?` for what it does not have
        reconfigure: Callable[..., Any] | None = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")
    try:
        cli(prog_name="movies-platform", standalone_mode=False)
    except SettingsError as problem:
        _give_up(str(problem), status=2)
    except MoviesPlatformError as problem:
        _give_up(str(problem))
    except click.ClickException as problem:
        used = problem.ctx.command_path if isinstance(problem, click.UsageError) and problem.ctx else "movies-platform"
        _give_up(f"{problem.format_message().rstrip('.')}. See '{used} --help'.", status=problem.exit_code)
    except OSError as problem:
        where = problem.filename2 or problem.filename  # of a copy, the place it did not reach
        remedy = " Make room on that disk." if problem.errno == errno.ENOSPC else ""
        _give_up(f"{problem.strerror or problem}{f': {where}' if where else ''}.{remedy}")
    except Exception as problem:
        # By the library's name, because a command that needs no database imports none.
        library = type(problem).__module__.split(".")[0].lstrip("_")
        if library in ("duckdb", "sqlalchemy"):
            from movies_platform.resources.failures import explained

            what = "the warehouse" if library == "duckdb" else "Dagster's history in DAGSTER_HOME"
            _give_up(f"{what} cannot be used: {explained(str(problem)).splitlines()[0]}")
        if library in ("botocore", "boto3", "s3transfer"):
            _give_up(f"S3 does not do what was asked: {str(problem).splitlines()[0]}")
        raise


def _give_up(message: str, status: int = 1) -> NoReturn:
    interruption.raise_if_interrupted()
    click.echo(f"movies-platform: {message}", err=True)
    sys.exit(status)
