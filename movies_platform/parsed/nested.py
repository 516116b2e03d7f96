r"""Nested text of raw records -> list items, exactly as `ast.literal_eval` (or JSON) has them; hostile text is data.

DuckDB reads a Python literal or JSON as `STRUCT(id BIGINT, name VARCHAR)[]` some fifteen times faster
than `ast.literal_eval`, and is wrong, silently, about escapes such as \xa0, about None, about items with other keys
and about a closing brace in a name. So only texts of a plain form, where both agree, are read by the database; the rest
by Python: escapes, None, other keys, JSON escapes, and whatever is no list at all.
"""

import ast
import json
import warnings
from typing import Any, NamedTuple

import duckdb

from movies_platform.contracts.text import trimmed
from movies_platform.resources.warehouse import append

LONGEST_TEXT = 1_000_000  # bytes; the longest of the data set has some 4,000
_WIDEST = 2**63
_ID = r"""(?:'id'|"id")\s*:\s*(?:0|[1-9][0-9]{0,17})"""  # (surely 64 bits)
_ESCAPE = r"""\\['"\\]"""
_NAME = rf"""(?:'name'|"name")\s*:\s*(?:'(?:[^'\\}}\x00-\x1f]|{_ESCAPE})*'|"(?:[^"\\}}\x00-\x1f]|{_ESCAPE})*")"""
_ITEM = rf"\{{\s*(?:{_ID}\s*,\s*{_NAME}|{_NAME}\s*,\s*{_ID})\s*\}}"
PLAIN = rf"\[\s*(?:{_ITEM}(?:\s*,\s*{_ITEM})*)?\s*\]"
_BATCH = 5_000


class Item(NamedTuple):
    """An item of a list: `id` and `name`, both null where it is none; `value` is its text as Python writes it."""

    position: int
    id: int | None
    name: str | None
    value: str


def parse_items(text: str) -> list[Item] | None:
    """The items of a list written as JSON or as a Python literal; None when it is neither."""
    value = _evaluate(text)
    if not isinstance(value, list):
        return None
    return [_item(position, element) for position, element in enumerate(value, start=1)]


def read_lists(connection: duckdb.DuckDBPyConnection, records: str, column: str) -> None:
    """Read the lists in `column` of `records` (SQL with source_file, record_number and movie_id).

    Leaves temporary tables. `lists`: record_number, source_file, movie_id, text of each record that has one; `texts`:
    each distinct text once, its number text_id, and whether it `is_list`; `items`: record_number, movie_id, position,
    id, name (both null for what is no item), value (its text, null where the database read it) and `first`, the
    position of the same item.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE lists AS FROM (SELECT source_file, record_number, movie_id, "
        f"nullif({trimmed(column)}, '[]') AS text FROM {records}) WHERE text IS NOT NULL"
    )
    _read_texts(connection)
    connection.execute(
        # by a number: with each of its items, a text of a megabyte would be copied thousands of times
        "CREATE OR REPLACE TEMP TABLE items AS SELECT record_number, movie_id, i.* EXCLUDE (text_id) FROM "
        "(SELECT record_number, movie_id, text_id FROM lists JOIN texts USING (text)) JOIN ("
        f"SELECT text_id, position, item.id AS id, {trimmed('item.name')} AS name, NULL AS value FROM "
        "(SELECT text_id, unnest(plain) AS item, generate_subscripts(plain, 1) AS position FROM texts) "
        "UNION ALL FROM read_by_python) i USING (text_id)"
    )
    # Nearly no list has an item twice; looking for those first spares sorting all the others.
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW numbered_items AS FROM items LEFT JOIN ("
        "SELECT movie_id, id, min(position) AS first FROM items WHERE name IS NOT NULL "
        "GROUP BY movie_id, id HAVING count(*) > 1) USING (movie_id, id)"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE dropped_items AS "
        "SELECT * FROM numbered_items WHERE name IS NULL OR position > first"
    )


def kept_items() -> str:
    """Query for movie_id, position, id and name of the items of `read_lists`, each once in a movie."""
    return (
        "SELECT movie_id, position, id, name FROM numbered_items "
        "WHERE name IS NOT NULL AND position <= coalesce(first, position)"
    )


def list_issues() -> str:
    """Query for source_file, record_number, movie_id, issue, action and value of what `read_lists` could not use."""
    return (
        "SELECT source_file, record_number, movie_id, 0 AS position, 'invalid_list' AS issue, 'nulled' AS action, "
        "text[:500] AS value FROM lists JOIN texts USING (text) WHERE NOT is_list UNION ALL "
        "SELECT source_file, record_number, movie_id, position, "
        "CASE WHEN name IS NULL THEN 'invalid_item' ELSE 'duplicate_item' END, 'dropped', "
        "coalesce(value, delivered)[:500] FROM dropped_items JOIN lists USING (record_number, movie_id) "
        # what the database read is found in the text again, once for a list
        "LEFT JOIN (SELECT record_number, unnest(found) AS delivered, generate_subscripts(found, 1) AS position FROM ("
        f"SELECT record_number, regexp_extract_all(text, '{_quoted(_ITEM)}') AS found FROM lists "
        "SEMI JOIN (FROM dropped_items WHERE value IS NULL) USING (record_number))) USING (record_number, position)"
    )


def _read_texts(connection: duckdb.DuckDBPyConnection) -> None:
    """Each distinct text once; `plain` holds the items that the database read, `read_by_python` those of the others."""
    # The pattern is a constant of the query: as a parameter it would be compiled again and again.
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE texts AS SELECT row_number() OVER () AS text_id, text, "
        f"CASE WHEN strlen(text) <= {LONGEST_TEXT} AND regexp_full_match(text, '{_quoted(PLAIN)}') "
        "THEN TRY_CAST(text AS STRUCT(id BIGINT, name VARCHAR)[]) END AS plain, "
        "plain IS NOT NULL AS is_list FROM (SELECT DISTINCT text FROM lists);"
        "CREATE OR REPLACE TEMP TABLE read_by_python "
        "(text_id BIGINT, position BIGINT, id BIGINT, name VARCHAR, value VARCHAR);"
        "CREATE OR REPLACE TEMP TABLE python_lists (text_id BIGINT)"
    )
    last = -1
    while rows := connection.execute(
        f"SELECT text_id, text FROM texts WHERE plain IS NULL AND strlen(text) <= {LONGEST_TEXT} AND text_id > {last} "
        f"ORDER BY text_id LIMIT {_BATCH}"
    ).fetchall():
        last = rows[-1][0]
        parsed = [(text_id, parse_items(text)) for text_id, text in rows]
        append(connection, "python_lists", [(text_id,) for text_id, items in parsed if items is not None])
        append(connection, "read_by_python", [(text_id, *item) for text_id, items in parsed for item in items or ()])
    connection.execute("UPDATE texts SET is_list = true WHERE text_id IN (FROM python_lists)")


def _evaluate(text: str) -> Any:
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST_TEXT:
        return None  # up to here the parsers refuse what is too deep or too long
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # escapes such as \d are kept as they are, as Python does
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _item(position: int, element: Any) -> Item:
    identifier = element.get("id") if isinstance(element, dict) else None
    name = element.get("name") if isinstance(element, dict) else None
    if isinstance(identifier, bool) or not isinstance(identifier, int) or not isinstance(name, str):
        return Item(position, None, None, _shown(element))
    if -_WIDEST <= identifier < _WIDEST:
        storable = _storable(name.strip())
        if storable:
            return Item(position, identifier, storable, _shown(element))
    return Item(position, None, None, _shown(element))


def _storable(name: str) -> str | None:
    """The name as UTF-8 can hold it: escaped surrogate pairs become their character, half ones do not."""
    try:
        return name.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return None


def _shown(element: Any) -> str:
    try:
        text = repr(element)
    except (ValueError, RecursionError):  # a number of more than 4,300 digits
        text = type(element).__name__
    return text[:500].encode("utf-8", "backslashreplace").decode()


def _quoted(pattern: str) -> str:
    return pattern.replace("'", "''")
