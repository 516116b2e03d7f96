"""The fastest plain way into a database: its own client, COPY, LOAD DATA or .import of the snapshot's CSV files.

    python bench/plain_load.py FOLDER URL [--keys]

FOLDER holds plain CSV files of a snapshot (`publish.py` unpacks them). Tables are created anew and filled in place: no
reader is spared, nothing is compared. `--keys` adds the keys, references and indexes that the platform's tables have.
"""

import argparse
import subprocess
from pathlib import Path

import sqlalchemy as sa

from movies_platform.contracts.published import published_tables
from movies_platform.contracts.tables import qualified
from movies_platform.loaded.tables import create_statements, reference_statements, tables_for


def ddl(kind: str, statements: list[sa.schema.ExecutableDDLElement]) -> list[str]:
    from sqlalchemy.dialects import mysql, postgresql, sqlite

    dialect = {"postgresql": postgresql, "mysql": mysql, "sqlite": sqlite}[kind].dialect()
    return [f"{str(statement.compile(dialect=dialect)).strip()};" for statement in statements]


def bare(kind: str, table: sa.Table) -> str:
    types = {"BIGINT": "bigint", "DATE": "date"}
    real = "double precision" if kind == "postgresql" else "double"
    names = {**types, "DOUBLE": real, "DOUBLE_PRECISION": real, "TEXT": "text"}
    return f"CREATE TABLE {table.name} ({', '.join(f'{c.name} {names[str(c.type)]}' for c in table.columns)});"


def fill(kind: str, table: sa.Table, file: Path) -> str:
    if kind == "postgresql":
        return f"\\copy {table.name} FROM '{file}' WITH (FORMAT csv, HEADER)"
    if kind == "sqlite":
        return f".import --skip 1 {file} {table.name}"
    columns = [c.name for c in table.columns]
    nulls = ", ".join(f"{c} = NULLIF(@{c}, '')" for c in columns)
    return (
        f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE {table.name} CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' "
        f"OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' LINES TERMINATED BY '\\n' IGNORE 1 LINES "
        f"({', '.join('@' + c for c in columns)}) SET {nulls};"
    )


def script(kind: str, folder: Path, keys: bool) -> str:
    lines = [".mode csv"] if kind == "sqlite" else []
    pairs = [p for p in tables_for(lambda _: None) if p.contract in published_tables()]
    for pair in pairs:
        lines += (
            ddl(kind, create_statements(pair, references=kind == "sqlite")) if keys else [bare(kind, pair.contract)]
        )
        lines += [fill(kind, pair.contract, file) for file in sorted(folder.glob(f"{qualified(pair.contract)}*.csv"))]
    for pair in pairs if keys else []:
        lines += ddl(kind, reference_statements(pair, constraints=kind != "sqlite"))
    return "\n".join([*lines, ""])


def client(url: sa.URL) -> list[str]:
    if url.drivername == "postgresql":
        return ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-1", url.render_as_string(hide_password=False)]
    if url.drivername == "sqlite":
        return ["sqlite3", str(url.database)]
    return [
        "mysql",
        "--local-infile=1",
        "-h",
        str(url.host),
        "-P",
        str(url.port),
        "-u",
        str(url.username),
        str(url.database),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("url", type=sa.make_url)
    parser.add_argument("--keys", action="store_true")
    options = parser.parse_args()
    text = script(options.url.drivername, options.folder, options.keys)
    subprocess.run(client(options.url), input=text, text=True, check=True)


if __name__ == "__main__":
    main()
