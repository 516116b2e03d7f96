"""The floor: the ten metric tables by one hand-written DuckDB script, with no orchestrator.

Usage: python duckdb_floor.py CSV OUTDIR [--memory-limit 2GB]

Reads an unpacked movies_metadata.csv and writes OUTDIR/floor.duckdb. Imports DuckDB alone, on purpose:
what it costs is what the answers cost at least, and what the platform adds is the difference.
"""

import argparse
from pathlib import Path

import duckdb

SCRIPT = Path(__file__).with_suffix(".sql")


def compute(csv: Path, outdir: Path, memory_limit: str | None) -> Path:
    """Write the ten tables of `csv` into a new OUTDIR/floor.duckdb; more than memory holds spills."""
    outdir.mkdir(parents=True, exist_ok=True)
    database = outdir / "floor.duckdb"
    database.unlink(missing_ok=True)
    config = {"temp_directory": str(outdir / "spill")}
    if memory_limit:
        config["memory_limit"] = memory_limit
    quoted = "'" + str(csv).replace("'", "''") + "'"
    with duckdb.connect(str(database), config=config) as connection:
        connection.execute(SCRIPT.read_text(encoding="utf-8").replace("$CSV,", f"{quoted},"))
    return database


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("csv", type=Path, metavar="CSV")
    parser.add_argument("outdir", type=Path, metavar="OUTDIR")
    parser.add_argument("--memory-limit", help="as DuckDB writes it, e.g. 2GB")
    arguments = parser.parse_args()
    print(compute(arguments.csv, arguments.outdir, arguments.memory_limit))


if __name__ == "__main__":
    main()
