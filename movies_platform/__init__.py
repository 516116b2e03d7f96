"""Monthly refresh of The Movies Dataset as a Dagster asset platform."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

__all__ = ["open_snapshot"]


def open_snapshot(address: str | None = None) -> "duckdb.DuckDBPyConnection":
    """The latest published snapshot as a read-only DuckDB connection, for notebooks.

    `address` is the folder or `s3://bucket/prefix` of the snapshots; without it, `MOVIES_PUBLISHED` (or
    `MOVIES_HOME`) says where they are. Every table is there under its name: `core.movies`, or just `movies`.
    Raises NoSnapshot before the first is published.

        import movies_platform
        with movies_platform.open_snapshot() as movies:
            frame = movies.sql("SELECT * FROM genre_budget_by_year WHERE year = 2016").df()
    """
    from movies_platform.published.read import open_snapshot as opened

    return opened(address)
