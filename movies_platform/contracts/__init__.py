"""What every table is, declared once.

Each table is a SQLAlchemy `Table`: columns with types, comments and nullability, key, references,
ranges. From it come the DDL (`ddl`), the catalogue (`catalogue`), the checks (`checks.contract`)
and the frames' types (`frames`). `comment` of a table is its description in the catalogue.
"""

from movies_platform.contracts.tables import (
    METADATA,
    all_tables,
    key_of,
    order_of,
    qualified,
    references_of,
    table_named,
)

__all__ = [
    "METADATA",
    "all_tables",
    "key_of",
    "order_of",
    "qualified",
    "references_of",
    "table_named",
]
