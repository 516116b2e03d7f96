"""Which tables leave the platform, the version of a contract, and the table that says what a snapshot is.

The version is a digest of what a reader relies on: columns with types and nullability, key, references, ranges.
Nobody has to remember to raise it.
"""

import hashlib
import json
from collections.abc import Sequence

import sqlalchemy as sa

from movies_platform.contracts.columns import Text, Whole, column
from movies_platform.contracts.ddl import column_type
from movies_platform.contracts.raw import DATA_ISSUES
from movies_platform.contracts.tables import all_tables, key_of, qualified, references_of

MONTHLY = (DATA_ISSUES,)

SNAPSHOT = sa.Table(
    "snapshot", sa.MetaData(),
    column("table_name", Text, "qualified name of the table", key=True),
    column("snapshot_id", Text, "the snapshot that the rows are of: the same in every row", null=False),
    column("row_count", Whole, "rows of the table", null=False, at_least=0),
    column("sha256", Text, "SHA-256 of the table as CSV in the order of its key", null=False),
    column("contract_version", Text, "version of the table's contract", null=False),
    schema="published",
    comment="The snapshot that these tables are, one row for each table.",
)  # fmt: skip


def present_tables() -> list[sa.Table]:
    """The tables of the present state: stages core and metrics."""
    return [table for table in all_tables() if table.schema in ("core", "metrics")]


def published_tables() -> Sequence[sa.Table]:
    """Every table that leaves the platform."""
    return [*present_tables(), *MONTHLY]


def contract_version(table: sa.Table) -> str:
    """The version of the table's contract, 12 hexadecimal digits."""
    terms = {
        "columns": [
            [c.name, column_type(c), bool(c.nullable), c.info.get("at_least"), list(c.info.get("one_of") or ())]
            for c in table.columns
        ],
        "key": key_of(table),
        "references": [[own, qualified(other), theirs] for own, other, theirs in references_of(table)],
    }
    return hashlib.sha256(json.dumps(terms).encode()).hexdigest()[:12]
