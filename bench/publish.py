"""Measure publishing and loading side by side with the fastest plain ways.

    python bench/publish.py --first 2017-11.csv.gz --second 2018-01.csv.gz

Publishes the month in a folder, and loads it into PostgreSQL, MariaDB and SQLite: into an empty database, and into one
that holds the snapshot of the month before. Without files, two made-up months of the real size are used. With
`--before DIR`, the platform of another checkout is measured beside this one. The reports go between the markers in
docs/benchmarks.md.
"""

import argparse
import gzip
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from measuring import (
    BENCH,
    NOW,
    Checkout,
    Command,
    Contender,
    checkouts,
    common_arguments,
    conditions,
    interleaved,
    report,
    table,
)
from run import FILE, REAL_MOVIES, labelled, sample

SERVERS = {"postgresql": "postgresql://postgres@127.0.0.1:5432", "mysql": "mysql://root@127.0.0.1:3306"}
CLIENTS = {
    "postgresql": ["psql", "-q", "-h", "127.0.0.1", "-U", "postgres", "-c"],
    "mysql": ["mysql", "-h", "127.0.0.1", "-u", "root", "-e"],
}
PLAIN = {"postgresql": "COPY", "mysql": "LOAD DATA", "sqlite": ".import"}
Prepared = Callable[[str], list[str]]


@dataclass(frozen=True)
class Published:
    """A version's home after two months, and what it published after each."""

    version: Checkout
    home: Path
    first: Path
    second: Path


def two_snapshots(options: argparse.Namespace, work: Path) -> list[Published]:
    """Refresh and publish two months, with each version."""
    files = [options.first, options.second]
    names = [path.name[:7] for path in files if path]
    if None in files:
        folders = sample(work, 2, REAL_MOVIES)
        files, names = [folder / FILE for folder in folders], [folder.name for folder in folders]
    made = []
    for place, version in enumerate(checkouts(options.before)):
        home = work / f"home{place}"
        kept = [work / f"published{place}-{name}" for name in names]
        for name, file, copy in zip(names, files, kept, strict=True):
            version.run(home, "deliver", str(file), "--month", name)
            version.run(home, "refresh")
            shutil.copytree(home / "published", copy)
        made.append(Published(version, home, *kept))
    return made


def unpacked(published: Path, target: Path) -> Path:
    """Unpack the CSV files of the latest snapshot of a folder, one file for each table (and month)."""
    target.mkdir()
    newest = max((published / "snapshots").iterdir())
    for packed in (newest / "csv").rglob("*.csv.gz"):
        parts = packed.relative_to(newest / "csv").with_suffix("").parts
        with gzip.open(packed, "rb") as source, (target / ".".join(parts)).open("wb") as plain:
            shutil.copyfileobj(source, plain)
    return target


@contextmanager
def database(kind: str, published: Published, command: Prepared, new_month: bool) -> Iterator[Command]:
    """Prepare a new database, loaded with the first month where the second is measured as a new one."""
    work, version = published.home.parent, published.version
    name = f"bench_{secrets.token_hex(4)}"
    url = f"{SERVERS[kind]}/{name}" if kind in SERVERS else f"sqlite:///{work / name}.db"
    if kind in SERVERS:
        subprocess.run([*CLIENTS[kind], f"CREATE DATABASE {name}"], check=True)
    env = version.environment(published.home)
    if new_month:
        from_first = env | {"MOVIES_PUBLISHED": str(published.first)}
        subprocess.run(version.command("load", "--to", url), env=from_first, check=True, capture_output=True)
    yield command(url), env | {"MOVIES_PUBLISHED": str(published.second)}
    if kind in SERVERS:
        subprocess.run([*CLIENTS[kind], f"DROP DATABASE {name}"], check=True)
    for left in work.glob(f"*{name}*"):
        left.unlink()


def loads(kind: str, made: list[Published], csv: Path) -> list[Contender]:
    """The platform's ways and the plain ones into one kind of database."""
    found = []
    for each in made:
        load = partial(each.version.command, "load", "--to")
        for what, new_month in (("empty database", False), ("new month", True)):
            label = labelled(f"`movies-platform load`, {what}", each.version)
            found.append(Contender(label, partial(database, kind, each, load, new_month)))
    for label, options in (("with keys and references", ["--keys"]), ("bare tables", [])):
        plain = partial(plain_load, csv, options)
        found.append(Contender(f"{PLAIN[kind]}, {label}", partial(database, kind, made[0], plain, False)))
    return found


def plain_load(csv: Path, options: list[str], url: str) -> list[str]:
    """Return the command of the plain way into a database."""
    return [sys.executable, str(BENCH / "plain.py"), "load", str(csv), url, *options]


@contextmanager
def empty_place(published: Published, command: list[str]) -> Iterator[Command]:
    """Prepare an empty place for snapshots."""
    place = published.home.parent / "place"
    shutil.rmtree(place, ignore_errors=True)
    yield command, published.version.environment(published.home) | {"MOVIES_PUBLISHED": str(place)}


def publishing(made: list[Published], work: Path) -> list[Contender]:
    """The platform's publishing and the plain way."""
    found = [
        Contender(labelled("`movies-platform publish`", each.version),
                  partial(empty_place, each, each.version.command("publish")))
        for each in made
    ]  # fmt: skip
    warehouse = str(made[0].home / "warehouse.duckdb")
    plain = [sys.executable, str(BENCH / "plain.py"), "publish", warehouse, str(work / "plain")]
    return [*found, Contender("plain COPY to the same formats", partial(empty_place, made[0], plain))]


def main() -> None:
    """Run everything, print the reports and publish them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[common_arguments()])
    parser.add_argument("--first", type=Path, metavar="YYYY-MM*.csv[.gz]")
    parser.add_argument("--second", type=Path, metavar="YYYY-MM*.csv[.gz]")
    parser.add_argument("--only", nargs="+", choices=["publish", *PLAIN], default=["publish", *PLAIN])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.work, prefix="movies-bench-") as folder:
        work = Path(folder)
        made = two_snapshots(options, work)
        assert made[0].version is NOW
        csv = unpacked(made[0].second, work / "csv")
        size = sum(path.stat().st_size for path in csv.iterdir())
        what = "A made-up month" if options.first is None else "The real month"
        for name in options.only:
            print(name, flush=True)
            contenders = publishing(made, work) if name == "publish" else loads(name, made, csv)
            results = interleaved(contenders, options.repeat, work / "log.txt")
            references = {
                "plain": results[-1],
                **({"before": results[1]} if name == "publish" and options.before else {}),
            }
            heading = f"{what}, {size / 1e6:,.1f} MB as CSV. {conditions(options.repeat)}"
            report(options, name if name == "publish" else f"load-{name}", f"{heading}\n\n{table(results, references)}")


if __name__ == "__main__":
    main()
