"""What a table shows of itself when it was filled: rows, a few of them to look at, the origin of its columns."""

import datetime as dt
from typing import Any

import dagster as dg
import sqlalchemy as sa

from movies_platform.contracts.catalogue import lineage_metadata, row_count_metadata
from movies_platform.contracts.tables import qualified
from movies_platform.resources import warehouse

SHOWN_ROWS = 5
_LONGEST = 60  # characters of a cell


def table_facts(table: sa.Table, rows: int, month: dt.date | None = None) -> dict[str, Any]:
    """Metadata for a materialization; of a month, where it was one month that was filled.

    Reads at most five stored rows, in the transaction that is open or one of its own.
    """
    preview = {"preview": dg.MetadataValue.md(preview_of(table, rows, month))} if rows else {}
    return {**row_count_metadata(rows, partition=month is not None), **preview, **lineage_metadata(table)}


def preview_of(table: sa.Table, rows: int, month: dt.date | None = None) -> str:
    """A markdown table of five rows: the month's first, or some from all over the table."""
    names = [column.name for column in table.columns]
    # Spread, so that a table that is ordered by year shows more than its first year.
    where = f"delivery_month = DATE '{month}'" if month else f"rowid % {max(1, (rows - 1) // (SHOWN_ROWS - 1))} = 0"
    cells = ", ".join(f"({name}::VARCHAR)[:{_LONGEST + 1}]" for name in names)
    with warehouse.opened() as connection:
        found = connection.execute(
            f"SELECT {cells} FROM {qualified(table)} WHERE {where} ORDER BY rowid LIMIT {SHOWN_ROWS}"
        ).fetchall()
    return markdown_table(names, found)


def markdown_table(names: list[str], rows: list[tuple[Any, ...]]) -> str:
    """Rows as markdown; long and broken texts are cut to one short line, a missing value is empty."""
    lines = [names, ["---"] * len(names), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = " ".join(str(value).split())
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return text.replace("\\", "\\\\").replace("|", "\\|")
