"""DuckDB's extensions from their Python packages: nothing is downloaded or copied into the user's home."""

import importlib
from pathlib import Path

import duckdb

from movies_platform.contracts.ddl import literal


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load an extension from its package `duckdb_extension_<name>`, built for just this DuckDB."""
    package = importlib.import_module(f"duckdb_extension_{name}")
    version = connection.execute("SELECT library_version FROM pragma_version()").fetchall()[0][0]
    file = Path(str(package.__file__)).parent / "extensions" / version / f"{name}.duckdb_extension"
    connection.execute(f"LOAD {literal(file)}")
