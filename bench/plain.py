"""The fastest plain ways to do what publishing and loading do: no reader is spared, nothing is verified or compared.

    python bench/plain.py publish WAREHOUSE FOLDER      DuckDB's COPY of every table to the same formats
    python bench/plain.py load FOLDER URL [--keys]      the database's own client: COPY, LOAD DATA or .import

The FOLDER to load holds plain CSV files of a snapshot (`publish.py` unpacks them). Tables are created and filled in
place. `--keys` adds the contracts' keys and references: those that refer are added when the rows are there.
"""

import argparse
import shutil
import subprocess
from pathlib import Path

import duckdb
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from movies_platform.contracts.raw import DATA_ISSUES
from movies_platform.contracts.tables import all_tables, qualified

PUBLISHED = [*(table for table in all_tables() if table.schema in ("core", "metrics")), DATA_ISSUES]
DIALECTS = {"postgresql": postgresql, "mysql": mysql, "sqlite": sqlite}


def publish(warehouse: Path, folder: Path) -> None:
    """Write every table as Parquet, gzipped CSV and into a DuckDB file."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{warehouse}' AS warehouse (READ_ONLY)")
        connection.execute(f"ATTACH '{folder / 'movies.duckdb'}' AS movies")
        for name in map(qualified, PUBLISHED):
            table, file = f"warehouse.{name}", folder / name
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS movies.{name.split('.')[0]}")
            connection.execute(f"CREATE TABLE movies.{name} AS FROM {table}")
            connection.execute(f"COPY {table} TO '{file}.parquet' (FORMAT parquet, COMPRESSION zstd)")
            connection.execute(f"COPY {table} TO '{file}.csv.gz' (FORMAT csv, HEADER, COMPRESSION gzip)")


def targets(keys: bool) -> list[tuple[sa.Table, sa.Table]]:
    """Return each published table with the table to create, those referred to first."""
    metadata, made = sa.MetaData(), {}
    for table in PUBLISHED:
        made[table] = sa.Table(table.name, metadata, *(
            sa.Column(c.name, sa.Text().with_variant(mysql.VARCHAR(255) if c.primary_key else mysql.LONGTEXT(), "mysql")
                      if isinstance(c.type, sa.Text) else c.type,
                      primary_key=keys and c.primary_key, nullable=c.nullable, autoincrement=False)
            for c in table.columns
        ), mysql_charset="utf8mb4", mysql_collate="utf8mb4_bin")  # fmt: skip
    for table, target in made.items():
        for reference in table.foreign_key_constraints if keys else ():
            own = [column.name for column in reference.columns]
            theirs = [made[reference.referred_table].columns[e.column.name] for e in reference.elements]
            name = f"{table.name}_{'_'.join(own)}_fkey"
            target.append_constraint(sa.ForeignKeyConstraint(own, theirs, name=name))
    order = metadata.sorted_tables
    return sorted(made.items(), key=lambda pair: order.index(pair[1]))


def fill(kind: str, name: str, columns: list[str], file: Path) -> str:
    """Return the client's statement that copies a CSV file into a table."""
    if kind == "postgresql":
        return f"\\copy {name} FROM '{file}' WITH (FORMAT csv, HEADER)"
    if kind == "sqlite":
        return f".import --skip 1 {file} {name}"
    nulls = ", ".join(f"{c} = NULLIF(@{c}, '')" for c in columns)
    return (
        f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE {name} CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' "
        f"OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' LINES TERMINATED BY '\\n' IGNORE 1 LINES "
        f"({', '.join('@' + c for c in columns)}) SET {nulls};"
    )


def script(kind: str, folder: Path, keys: bool) -> str:
    """Return what the client is told to do."""
    at_once = kind == "sqlite"  # it cannot add references later
    create, references = [".mode csv"] if at_once else [], []
    for table, target in targets(keys):
        create.append(sa.schema.CreateTable(target, include_foreign_key_constraints=None if at_once else []))
        columns = [c.name for c in table.columns]
        create += [fill(kind, table.name, columns, f) for f in sorted(folder.glob(f"{qualified(table)}*.csv"))]
        references += [] if at_once else map(sa.schema.AddConstraint, target.foreign_key_constraints)
    dialect = DIALECTS[kind].dialect()
    return "\n".join(
        line if isinstance(line, str) else f"{str(line.compile(dialect=dialect)).strip()};"
        for line in [*create, *references, ""]
    )


def load(folder: Path, url: sa.URL, keys: bool) -> None:
    """Fill a new database with the client that belongs to it."""
    client = {
        "postgresql": ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-1", url.render_as_string(hide_password=False)],
        "sqlite": ["sqlite3", str(url.database)],
        "mysql": ["mysql", "--local-infile=1", "-h", str(url.host), "-P", str(url.port), "-u", str(url.username),
                  str(url.database)],
    }[url.drivername]  # fmt: skip
    subprocess.run(client, input=script(url.drivername, folder, keys), text=True, check=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ways = parser.add_subparsers(required=True)
    way = ways.add_parser("publish")
    way.add_argument("warehouse", type=Path)
    way.add_argument("folder", type=Path)
    way.set_defaults(run=publish)
    way = ways.add_parser("load")
    way.add_argument("folder", type=Path)
    way.add_argument("url", type=sa.make_url)
    way.add_argument("--keys", action="store_true")
    way.set_defaults(run=load)
    options = vars(parser.parse_args())
    options.pop("run")(**options)


if __name__ == "__main__":
    main()
