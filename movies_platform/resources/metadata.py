"""What a table shows of itself when it was filled: rows, a few of them to look at, the origin of its columns."""

import datetime as dt
from typing import Any

import dagster as dg
import duckdb
import sqlalchemy as sa

from movies_platform.contracts.catalogue import column_lineage
from movies_platform.contracts.tables import qualified, quoted

_SHOWN_ROWS = 5
_LONGEST = 60  # characters of a cell


def table_metadata(
    connection: duckdb.DuckDBPyConnection, table: sa.Table, rows: int, month: dt.date | None = None
) -> dict[str, Any]:
    """Metadata for a materialization; of a month, where it was one month that was filled."""
    lineage = column_lineage(table)
    return {
        "dagster/partition_row_count" if month else "dagster/row_count": rows,
        **({"preview": dg.MetadataValue.md(_preview(connection, table, rows, month))} if rows else {}),
        **({"dagster/column_lineage": lineage} if lineage else {}),
    }


def _preview(connection: duckdb.DuckDBPyConnection, table: sa.Table, rows: int, month: dt.date | None) -> str:
    """A markdown table of five rows: the month's first, or some from all over the table."""
    # Spread, so that a table that is ordered by year shows more than its first year.
    step = max(1, (rows - 1) // (_SHOWN_ROWS - 1))
    where = f"delivery_month = DATE '{month}'" if month else f"rowid % {step} = 0"
    cells = ", ".join(f"({_shown(column)})[:{_LONGEST + 1}]" for column in table.columns)
    found = connection.execute(
        f"SELECT {cells} FROM {qualified(table)} WHERE {where} ORDER BY rowid LIMIT {_SHOWN_ROWS}"
    ).fetchall()
    return markdown_table([column.name for column in table.columns], found)


def _shown(column: sa.Column[Any]) -> str:
    """SQL for a value as people read it: an amount without `.0`."""
    name = quoted(column.name)
    if isinstance(column.type, sa.Double):
        return (
            f"CASE WHEN {name} = trunc({name}) AND abs({name}) < 1e15 THEN {name}::BIGINT::VARCHAR "
            f"ELSE {name}::VARCHAR END"
        )
    return f"{name}::VARCHAR"


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
