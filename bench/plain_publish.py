"""The fastest plain way to write the same files: DuckDB's COPY of every table, nothing verified, nothing atomic.

python bench/plain_publish.py WAREHOUSE FOLDER
"""

import shutil
import sys
from pathlib import Path

import duckdb

from movies_platform.contracts.published import published_tables
from movies_platform.contracts.tables import qualified


def main() -> None:
    warehouse, folder = sys.argv[1], Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{warehouse}' AS warehouse (READ_ONLY)")
        connection.execute(f"ATTACH '{folder / 'movies.duckdb'}' AS movies")
        for table in published_tables():
            name = qualified(table)
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS movies.{table.schema}")
            connection.execute(f"CREATE TABLE movies.{name} AS FROM warehouse.{name}")
            connection.execute(f"COPY warehouse.{name} TO '{folder}/{name}.parquet' (FORMAT parquet, COMPRESSION zstd)")
            connection.execute(
                f"COPY warehouse.{name} TO '{folder}/{name}.csv.gz' (FORMAT csv, HEADER, COMPRESSION gzip)"
            )


if __name__ == "__main__":
    main()
