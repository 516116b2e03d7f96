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
from movies_platform.resources.warehouse import append

LISTS = {"genres": ("parsed_genres", "genre"), "production_companies": ("parsed_companies", "company")}

_ID = r"""(?:'id'|"id")\s*:\s*(?:0|[1-9][0-9]{0,17})"""  # (surely 64 bits)
_ESCAPE = r"""\\['"\\]"""
_NAME = rf"""(?:'name'|"name")\s*:\s*(?:'(?:[^'\\}}\x00-\x1f]|{_ESCAPE})*'|"(?:[^"\\}}\x00-\x1f]|{_ESCAPE})*")"""
_ITEM = rf"\{{\s*(?:{_ID}\s*,\s*{_NAME}|{_NAME}\s*,\s*{_ID})\s*\}}"
PLAIN = rf"\[\s*(?:{_ITEM}(?:\s*,\s*{_ITEM})*)?\s*\]"
_BATCH = 5_000


def parse_lists(connection: duckdb.DuckDBPyConnection, month: dt.date) -> None:
    """Fill the month's rows of the parsed lists and note issues; the tables must exist, without the rows."""
    for column, (table, kind) in LISTS.items():
        _read(connection, month, column)
        _note_invalid(connection, month, column)
        _store(connection, month, column, table, kind)


def _read(connection: duckdb.DuckDBPyConnection, month: dt.date, column: str) -> None:
    """Temporary tables: `texts` of the records, and `known`, each distinct text once, with its items.

    In `known`, `plain` holds the items that the database read; those that Python read are in `odd_items`.
    """
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE texts AS SELECT source_file, record_number, a.movie_id, "
        f"{trimmed(column)} AS text FROM raw.raw_movies JOIN {ACCEPTED} a USING (record_number) "
        f"WHERE delivery_month = $1 AND text IS NOT NULL AND text != '[]'",
        [month],
    )
    # The pattern is a constant of the query: as a parameter it would be compiled again and again.
    pattern = PLAIN.replace("'", "''")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE known AS SELECT text, "
        f"CASE WHEN strlen(text) <= {LONGEST_TEXT} AND regexp_full_match(text, '{pattern}') "
        "THEN TRY_CAST(text AS STRUCT(id BIGINT, name VARCHAR)[]) END AS plain, "
        "plain IS NOT NULL AS is_list FROM (SELECT DISTINCT text FROM texts)"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE odd_items "
        "(text VARCHAR, position BIGINT, id BIGINT, name VARCHAR, value VARCHAR);"
        "CREATE OR REPLACE TEMP TABLE odd_lists (text VARCHAR)"
    )
    for texts in _odd_texts(connection):
        parsed = [(text, parse_items(text)) for text in texts]
        append(connection, "odd_lists", [(text,) for text, items in parsed if items is not None])
        append(connection, "odd_items", [(text, *item) for text, items in parsed for item in items or ()])
    connection.execute("UPDATE known SET is_list = true WHERE text IN (FROM odd_lists)")


def _odd_texts(connection: duckdb.DuckDBPyConnection) -> Iterator[list[str]]:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE odd_texts AS SELECT text, row_number() OVER () AS n FROM (SELECT text FROM known "
        f"WHERE plain IS NULL AND strlen(text) <= {LONGEST_TEXT})"
    )
    for start in itertools.count(0, _BATCH):
        rows = connection.execute(
            "SELECT text FROM odd_texts WHERE n > ? AND n <= ?", [start, start + _BATCH]
        ).fetchall()
        if not rows:
            return
        yield [row[0] for row in rows]


def _note_invalid(connection: duckdb.DuckDBPyConnection, month: dt.date, column: str) -> None:
    connection.execute(
        f"INSERT INTO raw.data_issues ({ISSUE_COLUMNS}) SELECT $1, source_file, record_number, movie_id, $2, "
        "'invalid_list', 'nulled', text[:500] FROM texts JOIN known USING (text) "
        "WHERE NOT is_list ORDER BY record_number",
        [month, column],
    )


def _store(connection: duckdb.DuckDBPyConnection, month: dt.date, column: str, table: str, kind: str) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE items AS SELECT source_file, record_number, movie_id, i.* EXCLUDE (text) "
        f"FROM texts JOIN (SELECT text, position, item.id AS id, {trimmed('item.name')} AS name, "
        f"CASE WHEN name IS NULL THEN {_shown('id', 'item.name')} END AS value "
        "FROM (SELECT text, unnest(plain) AS item, generate_subscripts(plain, 1) AS position FROM known) "
        "UNION ALL FROM odd_items) i USING (text)"
    )
    # Nearly no list has an item twice; looking for those first spares sorting all the others.
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE again AS SELECT movie_id, id, min(position) AS first FROM items "
        "WHERE name IS NOT NULL GROUP BY movie_id, id HAVING count(*) > 1"
    )
    repeated = "FROM items LEFT JOIN again USING (movie_id, id)"
    connection.execute(
        f"INSERT INTO parsed.{table} BY NAME SELECT $1::DATE AS delivery_month, movie_id, position, "
        f"id AS {kind}_id, name AS {kind}_name {repeated} "
        "WHERE name IS NOT NULL AND position <= coalesce(first, position)",
        [month],
    )
    connection.execute(
        f"INSERT INTO raw.data_issues ({ISSUE_COLUMNS}) SELECT $1, source_file, record_number, movie_id, $2, "
        "CASE WHEN name IS NULL THEN 'invalid_item' ELSE 'duplicate_item' END, 'dropped', "
        f"coalesce(nullif(value, ''), {_shown('id', 'name')})[:500] {repeated} "
        "WHERE name IS NULL OR position > first ORDER BY record_number, position",
        [month, column],
    )


def _shown(item_id: str, name: str) -> str:
    """The item as the data set writes it, for the eye."""
    return f"concat('{{''id'': ', {item_id}, ', ''name'': ''', {name}, '''}}')"
