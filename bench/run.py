"""Measure the platform beside the pandas script that people write and the DuckDB floor.

    python bench/run.py real      all contenders on the real month, or on a sample of its size
    python bench/run.py scale     a and c on 10 and 100 times as many movies
    python bench/run.py history   a new month after 1, 12 and 120 months of full histories

Each report replaces its block in docs/benchmarks.md. bench/README.md says what a, b and c are.
"""

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import reporting
from measuring import Contender, Result, environment, interleaved, nothing_to_prepare, run

BENCH = Path(__file__).resolve().parent
REAL_MONTH = "2017-11"
FIRST_MONTH = "2015-01"  # so that the last of 121 months is none of the future
REAL_MOVIES = 45_000
FILE = "movies_metadata.csv"
LABELS = {
    "a": "a: `movies-platform refresh --no-publish`",
    "p": "a, and published",
    "b": "b: pandas script",
    "c": "c: DuckDB floor",
}
REFERENCES = {"b": "pandas", "c": "floor"}


def platform(*arguments: str) -> list[str]:
    """Return the command line of the platform that is installed beside this Python."""
    beside = Path(sys.executable).with_name("movies-platform")
    return [str(beside) if beside.exists() else "movies-platform", *arguments]


def untimed(command: list[str], work: Path, home: Path | None = None) -> None:
    """Run a step that prepares a measurement."""
    run(command, environment(home), work / "log.txt")


def sample(work: Path, months: int, movies: int) -> list[Path]:
    """Write synthetic deliveries; return their folders, named by month, oldest first."""
    target = work / "sample"
    size = ["--months", str(months), "--movies", str(movies), "--first", FIRST_MONTH]
    untimed(platform("sample", *size, "--seed", "1", "--to", str(target)), work)
    return sorted(folder for folder in target.iterdir() if folder.is_dir())


def real_month(given: Path | None, work: Path) -> tuple[Path, str, str] | None:
    """Unpack the real month; return its path, month and description, or None where it is not."""
    folder = os.environ.get("MOVIES_REAL_DATA")
    if given is None and folder:
        given = Path(folder) / "the-movies-dataset" / f"{FILE}.gz"
    if given is None:
        return None
    unpacked = work / REAL_MONTH / FILE
    unpacked.parent.mkdir()
    opened = gzip.open if given.suffix == ".gz" else open
    with opened(given, "rb") as source, unpacked.open("wb") as target:
        shutil.copyfileobj(source, target)
    return unpacked, REAL_MONTH, "The real month"


def sampled_month(work: Path, movies: int) -> tuple[Path, str, str]:
    """Make one synthetic month; return its path, month and description."""
    folder = sample(work, 1, movies)[0]
    return folder / FILE, folder.name, f"A synthetic month of {movies:,} movies"


@contextmanager
def fresh_home(csv: Path, month: str, work: Path, *options: str) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Prepare the refresh of one delivered month in a home that is new and removed afterwards."""
    home = work / "home"
    untimed(platform("deliver", str(csv), "--month", month), work, home)
    yield platform("refresh", *options), environment(home)
    shutil.rmtree(home)


def contenders(csv: Path, month: str, work: Path, only: list[str], limit: str | None) -> list[Contender]:
    """Return those of a, b and c that are asked for, on one unpacked csv."""
    pandas = [sys.executable, str(BENCH / "pandas_script.py"), str(csv), str(work / "pandas")]
    floor = [sys.executable, str(BENCH / "duckdb_floor.py"), str(csv), str(work / "floor")]
    if limit:
        floor += ["--memory-limit", limit]
    prepared = {
        "a": partial(fresh_home, csv, month, work, "--no-publish"),
        "p": partial(fresh_home, csv, month, work),
        "b": partial(nothing_to_prepare, pandas),
        "c": partial(nothing_to_prepare, floor),
    }
    return [Contender(LABELS[key], prepared[key]) for key in only]


def compare(month: tuple[Path, str, str], work: Path, options: argparse.Namespace) -> str:
    """Measure the contenders on one month and return the report."""
    csv, name, description = month
    print(description, flush=True)
    limit = getattr(options, "memory_limit", None)
    results = interleaved(contenders(csv, name, work, options.only, limit), options.repeat, work / "log.txt")
    by_key = dict(zip(options.only, results, strict=True))
    references = {label: by_key[key] for key, label in REFERENCES.items() if key in by_key}
    size = f"{csv.stat().st_size / 1e6:,.1f} MB unpacked"
    limited = f" The floor's memory limit is {limit}." if limit else ""
    heading = f"{description}, {size}.{limited} {reporting.conditions(options.repeat)}"
    return f"{heading}\n\n{reporting.table(results, references)}"


def real(options: argparse.Namespace, work: Path) -> Iterator[tuple[str, str]]:
    """Compare all three on the real month; without it, on a sample of its size, and say so."""
    month = real_month(options.data, work)
    if month is None:
        csv, name, description = sampled_month(work, REAL_MOVIES)
        month = csv, name, f"{description} (no real data was given)"
    yield "real", compare(month, work, options)


def scale(options: argparse.Namespace, work: Path) -> Iterator[tuple[str, str]]:
    """Compare the platform and the floor on multiples of the real size, one report for each."""
    for factor in options.factors:
        with tempfile.TemporaryDirectory(dir=work) as folder:
            month = sampled_month(Path(folder), factor * REAL_MOVIES)
            yield f"scale-{factor}", compare(month, Path(folder), options)


def grow(home: Path, months: list[Path], work: Path, one_by_one: bool) -> None:
    """Deliver and refresh months that are not measured, then remove their files."""
    for month in months:
        untimed(platform("deliver", str(month / FILE), "--month", month.name), work, home)
        if one_by_one:
            untimed(platform("refresh", "--no-publish"), work, home)
        shutil.rmtree(month)
    if months and not one_by_one:
        untimed(platform("refresh", "--no-publish"), work, home)


@contextmanager
def grown_home(pristine: Path, home: Path, month: Path, work: Path) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Prepare the refresh of one more month in a copy of a home.

    The copy takes the place at which the home grew, in case it holds absolute paths.
    """
    shutil.copytree(pristine, home, symlinks=True)
    untimed(platform("deliver", str(month / FILE), "--month", month.name), work, home)
    yield platform("refresh", "--no-publish"), environment(home)
    shutil.rmtree(home)


def history(options: argparse.Namespace, work: Path) -> Iterator[tuple[str, str]]:
    """Measure one new month after ever longer histories; one home grows through all of them."""
    lengths = sorted(options.months)
    months = sample(work, lengths[-1] + 1, options.movies)
    home, pristine = work / "home", work / "pristine"
    results: list[Result] = []
    done = 0
    for length in lengths:
        print(f"{length} months", flush=True)
        grow(home, months[done:length], work, options.one_by_one)
        done = length
        home.rename(pristine)
        prepared = partial(grown_home, pristine, home, months[length], work)
        label = f"after {length} month{'s' if length > 1 else ''}"
        results += interleaved([Contender(label, prepared)], options.repeat, work / "log.txt")
        pristine.rename(home)
    heading = (
        f"`movies-platform refresh` of one new month; each month delivers a whole history of "
        f"{options.movies:,} synthetic movies. {reporting.conditions(options.repeat)}"
    )
    yield "history", f"{heading}\n\n{reporting.table(results, {results[0].label: results[0]})}"


def parsed_arguments() -> argparse.Namespace:
    """Read the command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--repeat", type=int, default=5, help="runs of each (default 5)")
    common.add_argument("--work", type=Path, help="folder for temporary files (default: the system's)")
    common.add_argument("--report", type=Path, default=BENCH.parent / "docs" / "benchmarks.md")
    common.add_argument("--no-report", action="store_true", help="print only")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    scenarios = parser.add_subparsers(required=True)

    command = scenarios.add_parser("real", parents=[common], help="a, b and c on the real month")
    command.add_argument("--data", type=Path, metavar="FILE", help="default: from MOVIES_REAL_DATA")
    command.add_argument("--only", nargs="+", choices=[*LABELS], default=["a", "b", "c", "p"])
    command.set_defaults(scenario=real)

    command = scenarios.add_parser("scale", parents=[common], help="a and c on many times more movies")
    command.add_argument("--factors", type=int, nargs="+", default=[10, 100])
    command.add_argument("--only", nargs="+", choices=[*LABELS], default=["a", "c"])
    command.add_argument("--memory-limit", help="of the floor, e.g. 2GB (default: DuckDB's)")
    command.set_defaults(scenario=scale)

    command = scenarios.add_parser("history", parents=[common], help="a month after many others")
    command.add_argument("--months", type=int, nargs="+", default=[1, 12, 120])
    command.add_argument("--movies", type=int, default=REAL_MOVIES)
    command.add_argument("--one-by-one", action="store_true", help="refresh after each month while growing")
    command.set_defaults(scenario=history)
    return parser.parse_args()


def main() -> None:
    """Run one scenario, print its reports and publish them."""
    options = parsed_arguments()
    # compiled and cached once, so that the first repetition is like the others
    subprocess.run([sys.executable, "-c", "import duckdb, pandas"], check=True)
    with tempfile.TemporaryDirectory(dir=options.work, prefix="movies-bench-") as work:
        for name, text in options.scenario(options, Path(work)):
            print(f"\n{text}\n", flush=True)
            if not options.no_report:
                reporting.publish(options.report, name, text)


if __name__ == "__main__":
    main()
