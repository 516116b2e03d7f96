"""Measure a refresh side by side with other ways to the same tables.

    python bench/run.py real                    on the real month, or on a sample of its size
    python bench/run.py scale --factors 10 100  on many times as many movies
    python bench/run.py history                 a new month after 1, 12 and 120 months of full histories
    python bench/run.py files                   all files of the data set, at their real size
    python bench/run.py engines --factors 1 10  on one core, all cores, Spark and Sail

With `--before DIR`, the platform of another checkout (a git worktree of an earlier commit, say) is measured beside
this one. Each report replaces its block in docs/benchmarks.md. bench/README.md says what is compared.
"""

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from measuring import (
    BENCH,
    NOW,
    Checkout,
    Command,
    Contender,
    Result,
    as_it_is,
    checkouts,
    common_arguments,
    conditions,
    interleaved,
    report,
    seconds_of_stages,
    table,
    time_by_stage,
)

REAL_MONTH = "2017-11"
FIRST_MONTH = "2015-01"  # so that the last of 121 months is none of the future
REAL_MOVIES = 45_000
FILE = "movies_metadata.csv"
PLATFORM = {"refresh": ["refresh", "--no-publish"], "published": ["refresh"]}
LABELS = {
    "refresh": "`movies-platform refresh --no-publish`",
    "published": "the same, and published",
    "pandas": "pandas script",
    "dagster": "stock Dagster project",
    "floor": "DuckDB floor",
}
# Options of whole.py, and settings.
ENGINES: dict[str, tuple[list[str], dict[str, str]]] = {
    "one core": ([], {"MOVIES_CORES": "1"}),
    "all cores": ([], {}),
    "spark": ([], {"MOVIES_ENGINE": "spark", "MOVIES_SPARK": "local[*]"}),
    "sail": (["--sail"], {"MOVIES_ENGINE": "spark"}),
}


def labelled(label: str, version: Checkout) -> str:
    """Return the label of a contender of one version."""
    return f"{label}, {version.label}" if version.label else label


def sample(work: Path, months: int, movies: int) -> list[Path]:
    """Write synthetic deliveries; return their folders, named by month, oldest first."""
    target = work / "sample"
    size = ["--months", str(months), "--movies", str(movies), "--first", FIRST_MONTH]
    size += ["--credits", "0", "--ratings", "0"]  # what is measured is the movies' file
    NOW.run(work / "home", "sample", *size, "--seed", "1", "--to", str(target))
    return sorted(folder for folder in target.iterdir() if folder.is_dir())


def real_month(given: Path | None, work: Path) -> tuple[Path, str]:
    """Unpack the real month; return its path and description. Without it, a sample of its size, and say so."""
    folder = os.environ.get("MOVIES_REAL_DATA")
    if given is None and folder:
        given = Path(folder) / "the-movies-dataset" / f"{FILE}.gz"
    if given is None:
        csv, description = sampled_month(work, REAL_MOVIES)
        return csv, f"{description} (no real data was given)"
    unpacked = work / REAL_MONTH / FILE
    unpacked.parent.mkdir()
    opened = gzip.open if given.suffix == ".gz" else open
    with opened(given, "rb") as source, unpacked.open("wb") as target:
        shutil.copyfileobj(source, target)
    return unpacked, "The real month"


def sampled_month(work: Path, movies: int) -> tuple[Path, str]:
    """Make one synthetic month; return its path and description."""
    return sample(work, 1, movies)[0] / FILE, f"A synthetic month of {movies:,} movies"


@contextmanager
def fresh_home(version: Checkout, csv: Path, home: Path, *command: str, engine: str | None = None) -> Iterator[Command]:
    """Prepare a command on one delivered month in a home that is new and removed afterwards.

    `engine` is one of ENGINES; without it, the command runs with the defaults, and nothing is between.
    """
    options, settings = ENGINES[engine] if engine else ([], {})
    between = [sys.executable, str(BENCH / "whole.py"), *options] if engine else []
    version.run(home, "deliver", str(csv), "--month", csv.parent.name)
    yield [*between, *version.command(*command)], version.environment(home) | settings
    shutil.rmtree(home)


def contenders(key: str, csv: Path, work: Path, versions: Sequence[Checkout], limit: str | None) -> list[Contender]:
    """Return what is measured under a key, on one unpacked csv in a folder named by its month."""
    if key in PLATFORM:
        home = work / "home"
        return [
            Contender(
                labelled(LABELS[key], version),
                partial(fresh_home, version, csv, home, *PLATFORM[key]),
                partial(seconds_of_stages, version, home),
            )
            for version in versions
        ]
    script = {"pandas": "pandas_script.py", "dagster": "dagster_project.py", "floor": "duckdb_floor.py"}[key]
    command = [sys.executable, str(BENCH / script), str(csv), str(work / key)]
    options = {"dagster": ["--month", csv.parent.name], "floor": ["--memory-limit", limit] if limit else []}
    if key == "dagster":
        return [Contender(LABELS[key], partial(emptied, work / key, [*command, *options[key]]))]
    return [Contender(LABELS[key], partial(as_it_is, [*command, *options.get(key, [])]))]


@contextmanager
def emptied(folder: Path, command: list[str]) -> Iterator[Command]:
    """Prepare a command whose folder is new."""
    shutil.rmtree(folder, ignore_errors=True)
    with as_it_is(command) as prepared:
        yield prepared


def compare(csv: Path, description: str, work: Path, options: argparse.Namespace) -> str:
    """Measure the contenders on one month and return the report."""
    print(description, flush=True)
    versions = checkouts(options.before)
    limit = getattr(options, "memory_limit", None)
    chosen = {key: contenders(key, csv, work, versions, limit) for key in options.only}
    results = interleaved([each for found in chosen.values() for each in found], options.repeat, work / "log.txt")
    by_label = {result.label: result for result in results}
    references = {key: by_label[LABELS[key]] for key in ("pandas", "dagster", "floor") if key in options.only}
    if options.before and "refresh" in options.only:
        references = {"before": by_label[labelled(LABELS["refresh"], versions[1])], **references}
    limited = f" The floor's memory limit is {limit}." if limit else ""
    size = f"{csv.stat().st_size / 1e6:,.1f} MB unpacked"
    heading = f"{description}, {size}.{limited} {conditions(options.repeat)}"
    return "\n\n".join(filter(None, [heading, table(results, references), time_by_stage(results)]))


def real(options: argparse.Namespace, work: Path) -> Iterator[tuple[str, str]]:
    """Compare all of them on the real month."""
    csv, description = real_month(options.data, work)
    yield "real", compare(csv, description, work, options)


def scale(options: argparse.Namespace, work: Path) -> Iterator[tuple[str, str]]:
    """Compare them on multiples of the real size, one report for each."""
    for factor in options.factors:
        with tempfile.TemporaryDirectory(dir=work) as folder:
            csv, description = sampled_month(Path(folder), factor * REAL_MOVIES)
            yield f"scale-{factor}", compare(csv, description, Path(folder), options)


def engines(options: argparse.Namespace, work: Path) -> Iterator[tuple[str, str]]:
    """Compare the engines on multiples of the real size, and DuckDB with the version before."""
    versions = checkouts(options.before)
    for factor in options.factors:
        with tempfile.TemporaryDirectory(dir=work) as folder:
            csv, description = sampled_month(Path(folder), factor * REAL_MOVIES)
            print(description, flush=True)
            home = Path(folder, "home")
            measured = [
                Contender(
                    labelled(engine, version),
                    partial(fresh_home, version, csv, home, *PLATFORM["refresh"], engine=engine),
                    partial(seconds_of_stages, version, home),
                )
                for engine in options.only
                for version in (versions if engine == "all cores" else versions[:1])
            ]
            results = interleaved(measured, options.repeat, Path(folder, "log.txt"))
            references = {result.label: result for result in results if result.label.startswith("all cores")}
            heading = f"{description}, {csv.stat().st_size / 1e6:,.1f} MB. {conditions(options.repeat)}"
            yield f"engines-{factor}", "\n\n".join([heading, table(results, references), time_by_stage(results)])


def grow(version: Checkout, home: Path, months: list[Path], one_by_one: bool) -> None:
    """Deliver and refresh months that are not measured."""
    for month in months:
        version.run(home, "deliver", str(month / FILE), "--month", month.name)
        if one_by_one:
            version.run(home, "refresh", "--no-publish")
    if months and not one_by_one:
        version.run(home, "refresh", "--no-publish")


@contextmanager
def grown_home(version: Checkout, home: Path, month: Path) -> Iterator[Command]:
    """Prepare the refresh of one more month in a copy of a home.

    The copy takes the place at which the home grew, in case it holds absolute paths.
    """
    pristine = home.with_name(f"{home.name}-pristine")
    home.rename(pristine)
    shutil.copytree(pristine, home, symlinks=True)
    version.run(home, "deliver", str(month / FILE), "--month", month.name)
    yield version.command(*PLATFORM["refresh"]), version.environment(home)
    shutil.rmtree(home)
    pristine.rename(home)


def history(options: argparse.Namespace, work: Path) -> Iterator[tuple[str, str]]:
    """Measure one new month after ever longer histories; one home of each version grows through all of them."""
    lengths = sorted(options.months)
    months = sample(work, lengths[-1] + 1, options.movies)
    homes = {version: work / f"home{place}" for place, version in enumerate(checkouts(options.before))}
    results: list[Result] = []
    for done, length in zip([0, *lengths], lengths, strict=False):
        print(f"{length} months", flush=True)
        measured = []
        for version, home in homes.items():
            grow(version, home, months[done:length], options.one_by_one)
            label = labelled(f"after {length} month{'s' if length > 1 else ''}", version)
            measured.append(Contender(label, partial(grown_home, version, home, months[length])))
        for month in months[done:length]:
            shutil.rmtree(month)
        results += interleaved(measured, options.repeat, work / "log.txt")
    heading = (
        f"`movies-platform refresh` of one new month; each month delivers a whole history of "
        f"{options.movies:,} synthetic movies. {conditions(options.repeat)}"
    )
    yield "history", f"{heading}\n\n{table(results, {results[0].label: results[0]})}"


@contextmanager
def whole_home(home: Path, folders: Sequence[Path]) -> Iterator[Command]:
    """Prepare the refresh of the last of the deliveries; those before it are loaded."""
    for folder in folders[:-1]:
        NOW.run(home, "deliver", str(folder), "--month", folder.name)
        NOW.run(home, "refresh", "--no-publish")
    NOW.run(home, "deliver", str(folders[-1]), "--month", folders[-1].name)
    yield NOW.command(*PLATFORM["refresh"]), NOW.environment(home)
    shutil.rmtree(home)


def files(options: argparse.Namespace, work: Path) -> Iterator[tuple[str, str]]:
    """Compare a month of all files, and a second one, with scripts over the same files."""
    target = work / "sample"
    size = ["--months", "2", "--movies", str(options.movies), "--ratings", str(options.ratings), "--first", FIRST_MONTH]
    NOW.run(work / "home", "sample", *size, "--seed", "1", "--to", str(target))
    months = sorted(folder for folder in target.iterdir() if folder.is_dir())
    home, scripts = work / "home", {"DuckDB script": "duckdb_files.py", "pandas script": "pandas_files.py"}
    measured = [
        Contender(f"{LABELS['refresh']}, {which} month", partial(whole_home, home, months[:count]),
                  partial(seconds_of_stages, NOW, home))
        for which, count in (("first", 1), ("second", 2))
    ]  # fmt: skip
    for label, script in scripts.items():
        command = [sys.executable, str(BENCH / script), str(months[0]), str(work / label.split()[0])]
        measured.append(Contender(label, partial(emptied, work / label.split()[0], command)))
    results = interleaved(measured, options.repeat, work / "log.txt")
    by_label = {result.label: result for result in results}
    references = {"DuckDB script": by_label["DuckDB script"], "first month": results[0]}
    bytes_ = sum(path.stat().st_size for path in months[0].iterdir())
    heading = (
        f"All files of {options.movies:,} movies with {options.ratings:,} ratings, {bytes_ / 1e6:,.0f} MB unpacked."
    )
    yield (
        "files",
        "\n\n".join([f"{heading} {conditions(options.repeat)}", table(results, references), time_by_stage(results)]),
    )


def parsed_arguments() -> argparse.Namespace:
    """Read the command line."""
    common = common_arguments()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    scenarios = parser.add_subparsers(required=True)

    command = scenarios.add_parser("real", parents=[common], help="on the real month")
    command.add_argument("--data", type=Path, metavar="FILE", help="default: from MOVIES_REAL_DATA")
    command.add_argument("--only", nargs="+", choices=[*LABELS], default=[*LABELS])
    command.set_defaults(scenario=real)

    command = scenarios.add_parser("scale", parents=[common], help="on many times more movies")
    command.add_argument("--factors", type=int, nargs="+", default=[10, 100])
    command.add_argument("--only", nargs="+", choices=[*LABELS], default=["refresh", "floor"])
    command.add_argument("--memory-limit", help="of the floor, e.g. 2GB (default: DuckDB's)")
    command.set_defaults(scenario=scale)

    command = scenarios.add_parser("engines", parents=[common], help="on one core, all cores, Spark and Sail")
    command.add_argument("--factors", type=int, nargs="+", default=[1, 10, 100])
    command.add_argument("--only", nargs="+", choices=[*ENGINES], default=[*ENGINES])
    command.set_defaults(scenario=engines)

    command = scenarios.add_parser("history", parents=[common], help="a month after many others")
    command.add_argument("--months", type=int, nargs="+", default=[1, 12, 120])
    command.add_argument("--movies", type=int, default=REAL_MOVIES)
    command.add_argument("--one-by-one", action="store_true", help="refresh after each month while growing")
    command.set_defaults(scenario=history)

    command = scenarios.add_parser("files", parents=[common], help="all files of the data set, in two months")
    command.add_argument("--movies", type=int, default=REAL_MOVIES)
    command.add_argument("--ratings", type=int, default=26_000_000)
    command.set_defaults(scenario=files)
    return parser.parse_args()


def main() -> None:
    """Run one scenario and report it."""
    options = parsed_arguments()
    # compiled and cached once, so that the first repetition is like the others
    subprocess.run([sys.executable, "-c", "import dagster, duckdb, pandas"], check=True)
    with tempfile.TemporaryDirectory(dir=options.work, prefix="movies-bench-") as work:
        for name, text in options.scenario(options, Path(work)):
            report(options, name, text)


if __name__ == "__main__":
    main()
