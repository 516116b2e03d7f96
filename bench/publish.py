"""Measure publishing and loading beside the fastest plain ways.

    python bench/publish.py --first 2017-11.csv.gz --second 2018-01.csv.gz

Publishes the month in a folder, and loads it into PostgreSQL, MariaDB and SQLite: into an empty database, and into one
that holds the snapshot of the month before. Without files, two made-up months of the real size are used. The reports
go between the markers in docs/benchmarks.md.
"""

import argparse
import gzip
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import reporting
from measuring import Contender, environment, interleaved
from run import BENCH, platform, sample, untimed

SERVERS = {
    "postgresql": "postgresql://postgres@127.0.0.1:5432",
    "mysql": "mysql://root@127.0.0.1:3306",
}
CLIENTS = {
    "postgresql": ["psql", "-q", "-h", "127.0.0.1", "-U", "postgres", "-c"],
    "mysql": ["mysql", "-h", "127.0.0.1", "-u", "root", "-e"],
}
PLAIN = {"postgresql": "COPY", "mysql": "LOAD DATA", "sqlite": ".import"}
REAL_MOVIES = 45_000
Prepared = Callable[[str], list[str]]


def two_snapshots(options: argparse.Namespace, work: Path) -> tuple[Path, Path]:
    """Refresh and publish two months; return the folders of the first snapshot and of the second."""
    files = [options.first, options.second]
    names = [path.name[:7] for path in files if path]
    if None in files:
        folders = sample(work, 2, REAL_MOVIES)
        files, names = [folder / "movies_metadata.csv" for folder in folders], [folder.name for folder in folders]
    made = []
    for name, file in zip(names, files, strict=True):
        untimed(platform("deliver", str(file), "--month", name), work, work / "home")
        untimed(platform("refresh"), work, work / "home")
        made.append(work / f"published-{len(made)}")
        shutil.copytree(work / "home" / "published", made[-1])
    return made[0], made[1]


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
def database(kind: str, prepare: list[str], command: Prepared, published: Path, work: Path) -> Iterator[
    tuple[list[str], dict[str, str]]
]:  # fmt: skip
    """Prepare a new database, loaded from the folder `prepare` names if any, and drop it afterwards."""
    name = f"bench_{secrets.token_hex(4)}"
    url = f"{SERVERS[kind]}/{name}" if kind in SERVERS else f"sqlite:///{work / name}.db"
    if kind in SERVERS:
        untimed([*CLIENTS[kind], f"CREATE DATABASE {name}"], work)
    env = environment(work / "home")
    for before in prepare:
        run_here = [sys.executable, str(BENCH / "loader.py"), url]
        with_snapshot = {**env, "MOVIES_PUBLISHED": before}
        from measuring import run

        run(run_here, with_snapshot, work / "log.txt")
    yield command(url), {**env, "MOVIES_PUBLISHED": str(published)}
    if kind in SERVERS:
        untimed([*CLIENTS[kind], f"DROP DATABASE {name}"], work)
    for left in work.glob(f"*{name}*"):
        left.unlink()


def loads(kind: str, first: Path, second: Path, csv: Path, work: Path) -> list[Contender]:
    """The platform's ways and the plain ones into one kind of database."""
    loader = str(BENCH / "loader.py")
    plain = str(BENCH / "plain_load.py")
    ways: list[tuple[str, list[str], Prepared]] = [
        ("`movies-platform load`, empty database", [], lambda url: platform("load", "--to", url)),
        ("`movies-platform load`, new month", [str(first)], lambda url: platform("load", "--to", url)),
        ("the same without Dagster, empty", [], lambda url: [sys.executable, loader, url]),
        ("the same without Dagster, new month", [str(first)], lambda url: [sys.executable, loader, url]),
        (f"{PLAIN[kind]}, with keys, references, indexes", [],
         lambda url: [sys.executable, plain, str(csv), url, "--keys"]),
        (f"{PLAIN[kind]}, bare tables", [], lambda url: [sys.executable, plain, str(csv), url]),
    ]  # fmt: skip
    return [Contender(label, partial(database, kind, before, command, second, work)) for label, before, command in ways]


@contextmanager
def fresh_place(command: list[str], work: Path) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Prepare an empty place for snapshots."""
    place = work / "place"
    shutil.rmtree(place, ignore_errors=True)
    yield command, {**environment(work / "home"), "MOVIES_PUBLISHED": str(place)}


def publishing(work: Path) -> list[Contender]:
    """The platform's publishing and the plain way."""
    alone = "from movies_platform.published.snapshot import publish; publish()"
    plain = [
        sys.executable,
        str(BENCH / "plain_publish.py"),
        str(work / "home" / "warehouse.duckdb"),
        str(work / "plain"),
    ]
    return [
        Contender("`movies-platform publish`", partial(fresh_place, platform("publish"), work)),
        Contender("the same without Dagster", partial(fresh_place, [sys.executable, "-c", alone], work)),
        Contender("plain COPY to the same formats", partial(fresh_place, plain, work)),
    ]


def main() -> None:
    """Run everything, print the reports and publish them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=Path, metavar="YYYY-MM*.csv[.gz]")
    parser.add_argument("--second", type=Path, metavar="YYYY-MM*.csv[.gz]")
    parser.add_argument("--only", nargs="+", choices=["publish", *PLAIN], default=["publish", *PLAIN])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--report", type=Path, default=BENCH.parent / "docs" / "benchmarks.md")
    parser.add_argument("--no-report", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.work, prefix="movies-bench-") as folder:
        work = Path(folder)
        first, second = two_snapshots(options, work)
        csv = unpacked(second, work / "csv")
        size = sum(path.stat().st_size for path in csv.iterdir())
        what = "A made-up month" if options.first is None else "The real month"
        for name in options.only:
            print(name, flush=True)
            contenders = publishing(work) if name == "publish" else loads(name, first, second, csv, work)
            results = interleaved(contenders, options.repeat, work / "log.txt")
            heading = f"{what}, {size / 1e6:,.1f} MB as CSV. {reporting.conditions(options.repeat)}"
            text = f"{heading}\n\n{reporting.table(results, {'plain': results[-1]})}"
            print(f"\n{text}\n", flush=True)
            if not options.no_report:
                reporting.publish(options.report, f"load-{name}" if name != "publish" else name, text)


if __name__ == "__main__":
    main()
