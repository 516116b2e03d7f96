"""The whole data set by one hand-written DuckDB script, with no orchestrator: duckdb_floor.sql, then duckdb_files.sql.

Usage: python duckdb_files.py FOLDER OUTDIR

Reads the unpacked files of a delivery and writes OUTDIR/files.duckdb.
"""

import sys
from pathlib import Path

import duckdb

HERE = Path(__file__).parent


def compute(folder: Path, outdir: Path) -> Path:
    """Write the tables of the delivery in `folder` into a new OUTDIR/files.duckdb."""
    outdir.mkdir(parents=True, exist_ok=True)
    database = outdir / "files.duckdb"
    database.unlink(missing_ok=True)
    quoted = "'" + str(folder).replace("'", "''") + "'"
    movies = quoted[:-1] + "/movies_metadata.csv'"
    with duckdb.connect(str(database), config={"temp_directory": str(outdir / "spill")}) as connection:
        connection.execute((HERE / "duckdb_floor.sql").read_text(encoding="utf-8").replace("$CSV,", f"{movies},"))
        connection.execute((HERE / "duckdb_files.sql").read_text(encoding="utf-8").replace("$FOLDER", quoted))
    return database


if __name__ == "__main__":
    print(compute(Path(sys.argv[1]), Path(sys.argv[2])))
