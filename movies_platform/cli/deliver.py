"""`deliver` and `sample`: files into the landing zone."""

import contextlib
import datetime as dt
from pathlib import Path
from typing import Any

import click

from movies_platform.errors import SettingsError
from movies_platform.resources.months import month_name, parse_month

_FEWEST = 20  # movies, credits or ratings of a sample


class Month(click.ParamType[dt.date]):
    """A month, written 2017-11."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        """The first day of the month; anything else is wrong usage."""
        try:
            return value if isinstance(value, dt.date) else parse_month(value)
        except SettingsError as problem:
            self.fail(str(problem), param, ctx)


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--month", required=True, type=Month(), metavar="YYYY-MM", help="The month it is delivered for.")
def deliver(path: Path, month: dt.date) -> None:
    """Put a delivery into the landing zone.

    It appears there complete or not at all. PATH is the movies_metadata file (.csv or .csv.gz, any name), the data
    set's .zip, or a folder with files of the data set. Nothing is read yet: that is what 'refresh' does. A
    delivery for a month that has not begun waits for its first day (UTC).
    """
    from movies_platform.landing import open_landing
    from movies_platform.landing.files import files_left_out, files_to_deliver
    from movies_platform.resources.home import prepare_home

    prepare_home()
    check_month(month)
    landing, files = open_landing(), files_to_deliver(path)
    before = landing.incoming(month)
    delivery = landing.put(month, files)
    size = sum(file.size for file in delivery.files) / 1e6
    click.echo(f"{month_name(month)}: delivered {len(delivery.files)} file(s), {size:,.1f} MB, as {delivery.id}")
    if left_out := files_left_out(path):
        click.echo(f"{month_name(month)}: left out, as no file of the data set is called so: {', '.join(left_out)}")
    if before and before.id != delivery.id:
        click.echo(f"{month_name(month)}: {before.id} had not been read yet; it is in failed/ now.")
    if month > dt.datetime.now(dt.UTC).date():
        click.echo(f"{month_name(month)}: the month has not begun; the delivery waits for {month} (UTC).")


class Records(click.ParamType[int]):
    """How many records a made-up file has: none, or enough for a defect of every kind."""

    name = "records"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; anything else is wrong usage."""
        number = click.INT.convert(value, param, ctx)
        if number and number < _FEWEST:
            self.fail(f"{value} is neither 0 nor at least {_FEWEST}, enough for a defect of every kind.", param, ctx)
        return number


@click.command()
@click.option("--months", default=3, show_default=True, type=click.IntRange(1, 240), help="How many months.")
@click.option("--movies", default=5_000, show_default=True, type=click.IntRange(_FEWEST), help="Movies in the first.")
@click.option(
    "--credits",
    type=Records(),
    metavar="N",
    help="Records of credits.csv in the first month: the cast and crew of so many movies, 22 people and 4 kB each; "
    "0 leaves the file out.  [default: one for each movie; the real file has 45,476]",
)
@click.option(
    "--ratings",
    type=Records(),
    metavar="N",
    help="Ratings in the first month, each a record of ratings.csv, by a user for 96 of them; 0 leaves the file out.  "
    "[default: 20 for each movie; the real file has 26,024,289]",
)
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="The same seed, the same bytes.")
@click.option("--first", default="2017-11", show_default=True, type=Month(), metavar="YYYY-MM", help="First month.")
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), help="Write month folders here instead.")
def sample(
    months: int, movies: int, credits: int | None, ratings: int | None, seed: int, first: dt.date, to: Path | None
) -> None:
    """Make synthetic deliveries and put them into the landing zone.

    They have the files and format of the data set, made-up titles, companies, people and users, and every kind of
    defect in known numbers, which are printed: 'refresh' must find exactly these. Each month is the whole history
    again, with 0.5 % more. Keywords and links are made for all movies.
    """
    from movies_platform.landing import open_landing
    from movies_platform.landing.files import files_to_deliver
    from movies_platform.resources.home import prepare_home
    from movies_platform.resources.scratch import own_folder
    from movies_platform.sample import write_sample
    from movies_platform.sample.months import MOVIES

    if to is None:
        prepare_home()
    with contextlib.nullcontext(to) if to else own_folder("sample-") as place:
        made = write_sample(
            place, months=months, movies=movies, seed=seed, first_month=month_name(first), credits=credits,
            ratings=ratings,
        )  # fmt: skip
        for month in made:
            if to is None:
                check_month(parse_month(month.month))
                open_landing().put(parse_month(month.month), files_to_deliver(month.path.parent))
            defects = ", ".join(f"{count} {issue}" for issue, count in sorted(month.issues.items()))
            others = "".join(f", {file.records:,} of {name}" for name, file in month.files.items() if name != MOVIES)
            click.echo(f"{month.month}: {month.records:,} records of {month.movies:,} movies{others}; {defects}")


def check_month(month: dt.date) -> None:
    """Raise SettingsError for a month before the first one."""
    from movies_platform.settings import settings

    first = parse_month(settings().first_month)
    if month < first:
        raise SettingsError(
            f"{month_name(month)} is before the first month, {month_name(first)}. Set MOVIES_FIRST_MONTH to begin "
            "earlier."
        )
