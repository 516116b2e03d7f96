r"""Nested columns of a month's raw records -> parsed_genres and parsed_companies.

DuckDB reads a Python literal or JSON as `STRUCT(id BIGINT, name VARCHAR)[]` some fifteen times faster
than `ast.literal_eval`, and is wrong, silently, about escapes such as \xa0, about None, about items with other keys
and about a closing brace in a name. So only texts of a plain form, where both agree, go that way; the rest goes
through `parsed.literals`.
"""

import datetime as dt
import itertools
from collections.abc import Iterator

import duckdb

from movies_platform.parsed.literals import LONGEST_TEXT, parse_items
from movies_platform.parsed.movies import ACCEPTED, ISSUE_COLUMNS
from movies_platform.parsed.scalars import trimmed
from movies_platform.parsed.typing import LISTS, TYPED
from movies_platform.resources.asking import ask
from movies_platform.resources.warehouse import append

_ID = r"""(?:'id'|"id")\s*:\s*(?:0|[1-9][0-9]{0,17})"""  # (surely 64 bits)
_ESCAPE = r"""\\['"\\]"""
_NAME = rf"""(?:'name'|"name")\s*:\s*(?:'(?:[^'\\}}\x00-\x1f]|{_ESCAPE})*'|"(?:[^"\\}}\x00-\x1f]|{_ESCAPE})*")"""
_ITEM = rf"\{{\s*(?:{_ID}\s*,\s*{_NAME}|{_NAME}\s*,\s*{_ID})\s*\}}"
PLAIN = rf"\[\s*(?:{_ITEM}(?:\s*,\s*{_ITEM})*)?\s*\]"
_BATCH = 5_000


def read_lists(staging: duckdb.DuckDBPyConnection) -> None:
    """Read the lists of the accepted records.

    In the staging database, for each column: `{column}_known`, each distinct text once and whether it is a list, and
    `{column}_items`, the items of each record, of which `first` is null or where the same item stood first.
    """
    for column in LISTS:
        _read_texts(staging, column)
        _read_items(staging, column)


def store_lists(connection: duckdb.DuckDBPyConnection, month: dt.date, file: str) -> None:
    """Fill the month's rows of the parsed lists and note issues; the tables must exist, without the rows."""
    for column, (table, kind) in LISTS.items():
        ask(
            connection,
            f"INSERT INTO raw.data_issues ({ISSUE_COLUMNS}) SELECT $1, $2, record_number, movie_id, $3, "
            f"'invalid_list', 'nulled', text[:500] FROM {_texts(column)} JOIN staging.{column}_known USING (text) "
            "WHERE NOT is_list ORDER BY record_number",
            month,
            file,
            column,
        )
        ask(
            connection,
            f"INSERT INTO parsed.{table} BY NAME SELECT $1::DATE AS delivery_month, movie_id, position, "
            f"id AS {kind}_id, name AS {kind}_name FROM staging.{column}_items "
            "WHERE name IS NOT NULL AND position <= coalesce(first, position)",
            month,
        )
        ask(
            connection,
            f"INSERT INTO raw.data_issues ({ISSUE_COLUMNS}) SELECT $1, $2, record_number, movie_id, $3, "
            "CASE WHEN name IS NULL THEN 'invalid_item' ELSE 'duplicate_item' END, 'dropped', "
            f"coalesce(value, regexp_extract_all(text, '{_quoted(_ITEM)}')[position])[:500] "
            f"FROM staging.{column}_items JOIN {_texts(column)} USING (record_number, movie_id) "
            "WHERE name IS NULL OR position > first ORDER BY record_number, position",
            month,
            file,
            column,
        )


def _texts(column: str) -> str:
    return (
        f"(SELECT record_number, movie_id, {column} AS text FROM {TYPED} SEMI JOIN {ACCEPTED} USING (record_number) "
        f"WHERE {column} IS NOT NULL)"
    )


def _read_texts(staging: duckdb.DuckDBPyConnection, column: str) -> None:
    """Each distinct text once; `plain` holds the items that the database read, `odd_items` those that Python read."""
    # The pattern is a constant of the query: as a parameter it would be compiled again and again.
    staging.execute(
        f"CREATE OR REPLACE TABLE staging.{column}_known AS SELECT text, "
        f"CASE WHEN strlen(text) <= {LONGEST_TEXT} AND regexp_full_match(text, '{_quoted(PLAIN)}') "
        "THEN TRY_CAST(text AS STRUCT(id BIGINT, name VARCHAR)[]) END AS plain, "
        f"plain IS NOT NULL AS is_list FROM (SELECT DISTINCT text FROM {_texts(column)})"
    )
    staging.execute(
        "CREATE OR REPLACE TABLE staging.odd_items "
        "(text VARCHAR, position BIGINT, id BIGINT, name VARCHAR, value VARCHAR);"
        "CREATE OR REPLACE TABLE staging.odd_lists (text VARCHAR)"
    )
    for texts in _odd_texts(staging, column):
        parsed = [(text, parse_items(text)) for text in texts]
        append(staging, "staging.odd_lists", [(text,) for text, items in parsed if items is not None])
        append(staging, "staging.odd_items", [(text, *item) for text, items in parsed for item in items or ()])
    staging.execute(f"UPDATE staging.{column}_known SET is_list = true WHERE text IN (FROM staging.odd_lists)")


def _odd_texts(staging: duckdb.DuckDBPyConnection, column: str) -> Iterator[list[str]]:
    staging.execute(
        "CREATE OR REPLACE TABLE staging.odd_texts AS SELECT text, row_number() OVER () AS n FROM "
        f"(SELECT text FROM staging.{column}_known WHERE plain IS NULL AND strlen(text) <= {LONGEST_TEXT})"
    )
    for start in itertools.count(0, _BATCH):
        rows = ask(
            staging, "SELECT text FROM staging.odd_texts WHERE n > ? AND n <= ?", start, start + _BATCH
        ).fetchall()
        if not rows:
            return
        yield [row[0] for row in rows]


def _read_items(staging: duckdb.DuckDBPyConnection, column: str) -> None:
    staging.execute(
        f"CREATE OR REPLACE TABLE staging.{column}_every AS SELECT record_number, movie_id, i.* EXCLUDE (text) "
        f"FROM {_texts(column)} JOIN (SELECT text, position, item.id AS id, {trimmed('item.name')} AS name, "
        "NULL AS value "
        f"FROM (SELECT text, unnest(plain) AS item, generate_subscripts(plain, 1) AS position "
        f"FROM staging.{column}_known) UNION ALL FROM staging.odd_items) i USING (text)"
    )
    # Nearly no list has an item twice; looking for those first spares sorting all the others.
    staging.execute(
        f"CREATE OR REPLACE TABLE staging.{column}_again AS SELECT movie_id, id, min(position) AS first "
        f"FROM staging.{column}_every WHERE name IS NOT NULL GROUP BY movie_id, id HAVING count(*) > 1"
    )
    staging.execute(
        f"CREATE OR REPLACE VIEW staging.{column}_items AS FROM staging.{column}_every "
        f"LEFT JOIN staging.{column}_again USING (movie_id, id)"
    )


def _quoted(pattern: str) -> str:
    return pattern.replace("'", "''")
