"""What is published: tables, the versions of their contracts, and two wide reports.

The version of a contract is a digest of what a reader relies on: columns with types and nullability, key, references,
ranges. Nobody has to remember to raise it.

The reports have one row for each group and year, with every metric of it: `genre_data.csv` also says by which measures
the genre was the year's most popular or best rated one, `production_data.csv` lists a company's releases by genre.
Their columns follow from the contracts.
"""

import hashlib
import json
from collections.abc import Sequence
from fnmatch import fnmatchcase

import sqlalchemy as sa

from movies_platform.contracts import metrics, sources
from movies_platform.contracts.columns import Text, Whole, column
from movies_platform.contracts.ddl import column_type
from movies_platform.contracts.parsed import items_table, records_table
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


def published_tables() -> list[sa.Table]:
    """Every table that is published; those of MONTHLY have files for each month."""
    return [*present_tables(), *MONTHLY]


def is_chosen(table: sa.Table, globs: Sequence[str]) -> bool:
    """Whether one of the globs, such as `core.movie_c*`, fits the qualified name of the table."""
    return any(fnmatchcase(qualified(table), glob) for glob in globs)


def may_be_empty(table: sa.Table) -> bool:
    """Whether the table has rows of a file that deliveries may lack."""
    optional = [source for source in sources.SOURCES if source.optional]
    parsed = {qualified(items_table(nested)) for source in optional for nested in source.nested}
    parsed |= {qualified(records_table(source)) for source in optional}
    return any(origin.rpartition(".")[0] in parsed for column in table.columns for origin in column.info["comes_from"])


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


def reports() -> dict[str, str]:
    """The query of each wide report, by file name."""
    won = [(metrics.MOST_POPULAR_GENRE_BY_YEAR, measure, "most_popular") for measure in metrics.MEASURES]
    won += [(metrics.BEST_RATED_GENRE_BY_YEAR, measure, "best_rated") for measure in metrics.RATING_MEASURES]
    winners = ", ".join(
        f"EXISTS (FROM {qualified(table)} m WHERE m.year = g.year AND m.genre_id = g.genre_id "
        f"AND m.measure = '{measure}') AS is_{what}_by_{measure}"
        for table, measure, what in won
    )
    releases = (
        "SELECT year, company_id, string_agg(genre_name || '=' || releases, '; ' ORDER BY releases DESC, genre_name) "
        f"AS releases_by_genre FROM {qualified(metrics.COMPANY_RELEASES_BY_GENRE_BY_YEAR)} GROUP BY ALL"
    )
    return {
        "genre_data.csv": f"SELECT *, {winners} FROM (FROM {_joined('genre')}) g ORDER BY year, genre_id",
        "production_data.csv": f"FROM (FROM {_joined('company')}) LEFT JOIN ({releases}) USING (year, company_id) "
        "ORDER BY year, company_id",
    }


def _joined(kind: str) -> str:
    """The yearly tables of genres or companies joined; columns that all have come once, first."""
    subjects = ("budget", "revenue", "profit", "popularity", "ratings")
    names = [f"metrics.{kind}_{subject}_by_year" for subject in subjects]
    return names[0] + "".join(f" FULL JOIN {name} USING (year, {kind}_id, {kind}_name, movies)" for name in names[1:])
