r"""Nested text of raw records -> list items, exactly as `ast.literal_eval` (or JSON) has them; hostile text is data.

What an item holds is declared (`contracts.sources.NestedList`). DuckDB reads a Python literal or JSON as a list of
structs some fifteen times faster than `ast.literal_eval`, and is wrong, silently, about escapes such as \xa0, about
None, about items with other keys and about a closing brace in a name. So only texts of a plain form, where both agree,
are read by the database: items whose keys are the declared ones in their order. The rest is read by Python: escapes,
None, other keys, JSON escapes, and whatever is no list at all.
"""

import ast
import json
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import duckdb

from movies_platform.contracts.parsed import GENDERS
from movies_platform.contracts.sources import ItemField, NestedList
from movies_platform.contracts.tables import quoted
from movies_platform.contracts.text import trimmed
from movies_platform.resources.warehouse import append

LONGEST_TEXT = 1_000_000  # bytes; the longest of the data set has some 100,000
_WIDEST = 2**63
_BATCH = 5_000
_WHOLE = "(?:0|[1-9][0-9]{0,17})"  # (surely 64 bits)
_ESCAPE = r"""\\['"\\]"""
_TEXT = rf"""(?:'(?:[^'\\}}\x00-\x1f]|{_ESCAPE})*'|"(?:[^"\\}}\x00-\x1f]|{_ESCAPE})*")"""
_PLAIN_VALUES = {
    "id": _WHOLE, "count": _WHOLE, "gender": _WHOLE, "text": _TEXT, "ignored": f"(?:{_WHOLE}|{_TEXT}|None|null)",
}  # fmt: skip


class Item(NamedTuple):
    """An item of a list: the `values` of its columns, None where it has no usable one; `text` as Python writes it."""

    position: int
    values: tuple[int | str | None, ...]
    text: str


def plain_item(nested: NestedList) -> str:
    """The regular expression of an item that the database may read."""
    pairs = (rf"""(?:'{f.delivered}'|"{f.delivered}")\s*:\s*{_PLAIN_VALUES[f.kind]}""" for f in nested.fields)
    return r"\{\s*" + r"\s*,\s*".join(pairs) + r"\s*\}"


def plain_text(nested: NestedList) -> str:
    """The regular expression of a whole text that the database may read."""
    item = plain_item(nested)
    return item if nested.is_single else rf"\[\s*(?:{item}(?:\s*,\s*{item})*)?\s*\]"


def parse_items(text: str, nested: NestedList) -> list[Item] | None:
    """The items of a list (or the one item) written as JSON or as a Python literal; None when it is neither."""
    value = _evaluate(text)
    if nested.is_single:
        value = [value] if isinstance(value, dict) else None
    if not isinstance(value, list):
        return None
    return [_item(position, element, nested) for position, element in enumerate(value, start=1)]


def read_lists(connection: duckdb.DuckDBPyConnection, records: str, nested: NestedList) -> None:
    """Read the lists in a column of `records` (SQL with source_file, record_number and movie_id).

    Leaves temporary tables. `lists`: record_number, source_file, movie_id, text of each record that has one; `texts`:
    each distinct text once, its number text_id, and whether it `is_list`; `items`: record_number, movie_id, position,
    the declared columns, is_item (whether none of the required ones is null), value (its text, null where the database
    read it) and, in the view `numbered_items`, `first`, the position of the same item.
    """
    names = ", ".join(field.name for field in nested.columns)
    text = trimmed(quoted(nested.column))
    text = text if nested.is_single else f"nullif({text}, '[]')"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE lists AS FROM (SELECT source_file, record_number, movie_id, "
        f"{text} AS text FROM {records}) WHERE text IS NOT NULL"
    )
    _read_texts(connection, nested)
    plain = ", ".join(f"{_of_plain(field)} AS {field.name}" for field in nested.columns)
    required = " AND ".join(f"{field.name} IS NOT NULL" for field in nested.columns if field.required)
    connection.execute(
        # by a number: with each of its items, a text of a megabyte would be copied thousands of times
        f"CREATE OR REPLACE TEMP TABLE items AS SELECT record_number, movie_id, i.* EXCLUDE (text_id), {required} "
        "AS is_item FROM (SELECT record_number, movie_id, text_id FROM lists JOIN texts USING (text)) JOIN ("
        f"SELECT text_id, position, {plain}, NULL AS value FROM "
        "(SELECT text_id, unnest(plain) AS item, generate_subscripts(plain, 1) AS position FROM texts) "
        f"UNION ALL SELECT text_id, position, {names}, value FROM read_by_python) i USING (text_id)"
    )
    # Nearly no list has an item twice; looking for those first spares sorting all the others.
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW numbered_items AS FROM items LEFT JOIN ("
        f"SELECT movie_id, {nested.key}, min(position) AS first FROM items WHERE is_item "
        f"GROUP BY movie_id, {nested.key} HAVING count(*) > 1) USING (movie_id, {nested.key})"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE dropped_items AS "
        "SELECT * FROM numbered_items WHERE NOT is_item OR position > first"
    )


def kept_items(nested: NestedList) -> str:
    """Query for movie_id, position and the columns of the items of `read_lists`, each once in a list."""
    position = "" if nested.is_single else "position, "
    return (
        f"SELECT movie_id, {position}{', '.join(field.name for field in nested.columns)} FROM numbered_items "
        "WHERE is_item AND (first IS NULL OR position = first)"
    )


def list_issues(nested: NestedList) -> str:
    """Query for source_file, record_number, movie_id, issue, action and value of what `read_lists` could not use."""
    action, value = ("nulled", "text") if nested.is_single else ("dropped", "coalesce(value, delivered)")
    return (
        "SELECT source_file, record_number, movie_id, 0 AS position, 'invalid_list' AS issue, 'nulled' AS action, "
        "text[:500] AS value FROM lists JOIN texts USING (text) WHERE NOT is_list UNION ALL "
        "SELECT source_file, record_number, movie_id, position, "
        "CASE WHEN is_item THEN 'duplicate_item' ELSE 'invalid_item' END, "
        f"'{action}', {value}[:500] FROM dropped_items JOIN lists USING (record_number, movie_id) "
        # what the database read is found in the text again, once for a list
        "LEFT JOIN (SELECT record_number, unnest(found) AS delivered, generate_subscripts(found, 1) AS position FROM ("
        f"SELECT record_number, regexp_extract_all(text, '{_escaped(plain_item(nested))}') AS found FROM lists "
        "SEMI JOIN (FROM dropped_items WHERE value IS NULL) USING (record_number))) USING (record_number, position)"
    )


def _read_texts(connection: duckdb.DuckDBPyConnection, nested: NestedList) -> None:
    """Each distinct text once; `plain` holds the items that the database read, `read_by_python` those of the others."""
    types = {"id": "BIGINT", "count": "BIGINT", "gender": "BIGINT", "text": "VARCHAR", "ignored": "VARCHAR"}
    item = ", ".join(f"{quoted(field.delivered)} {types[field.kind]}" for field in nested.fields)
    columns = ", ".join(
        f"{field.name} {'VARCHAR' if field.kind == 'gender' else types[field.kind]}" for field in nested.columns
    )
    as_list = "'[' || text || ']'" if nested.is_single else "text"
    # The pattern is a constant of the query: as a parameter it would be compiled again and again.
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE texts AS SELECT row_number() OVER () AS text_id, text, "
        f"CASE WHEN strlen(text) <= {LONGEST_TEXT} AND regexp_full_match(text, '{_escaped(plain_text(nested))}') "
        f"THEN TRY_CAST({as_list} AS STRUCT({item})[]) END AS plain, "
        "plain IS NOT NULL AS is_list FROM (SELECT DISTINCT text FROM lists);"
        "CREATE OR REPLACE TEMP TABLE read_by_python "
        f"(text_id BIGINT, position BIGINT, {columns}, value VARCHAR);"
        "CREATE OR REPLACE TEMP TABLE python_lists (text_id BIGINT)"
    )
    last = -1
    while rows := connection.execute(
        f"SELECT text_id, text FROM texts WHERE plain IS NULL AND strlen(text) <= {LONGEST_TEXT} AND text_id > {last} "
        f"ORDER BY text_id LIMIT {_BATCH}"
    ).fetchall():
        last = rows[-1][0]
        parsed = [(text_id, parse_items(text, nested)) for text_id, text in rows]
        append(connection, "python_lists", [(text_id,) for text_id, items in parsed if items is not None])
        found = [(text_id, i.position, *i.values, i.text) for text_id, items in parsed for i in items or ()]
        append(connection, "read_by_python", found)
    connection.execute("UPDATE texts SET is_list = true WHERE text_id IN (FROM python_lists)")


def _of_plain(field: ItemField) -> str:
    """SQL for the value of a column from an item that the database read."""
    value = f"item.{quoted(field.delivered)}"
    if field.kind == "gender":
        genders = " ".join(f"WHEN {number} THEN '{gender}'" for number, gender in enumerate(GENDERS, start=1))
        return f"CASE {value} {genders} END"
    return trimmed(value) if field.kind == "text" else value


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


def _item(position: int, element: Any, nested: NestedList) -> Item:
    delivered = element if isinstance(element, dict) else {}
    values = tuple(_VALUES[field.kind](delivered.get(field.delivered)) for field in nested.columns)
    return Item(position, values, _shown(element))


def _whole(value: Any) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool) and -_WIDEST <= value < _WIDEST
    return value if is_whole else None


def _count(value: Any) -> int | None:
    whole = _whole(value)
    return whole if whole is not None and whole >= 0 else None


def _gender(value: Any) -> str | None:
    return dict(enumerate(GENDERS, start=1)).get(_whole(value) or 0)


def _text(value: Any) -> str | None:
    """The text, trimmed, as UTF-8 can hold it: escaped surrogate pairs become their character, half ones do not."""
    if not isinstance(value, str):
        return None
    try:
        return value.strip().encode("utf-16", "surrogatepass").decode("utf-16") or None
    except UnicodeDecodeError:
        return None


_VALUES: dict[str, Callable[[Any], int | str | None]] = {
    "id": _whole, "count": _count, "gender": _gender, "text": _text,
}  # fmt: skip


def _shown(element: Any) -> str:
    try:
        text = repr(element)
    except (ValueError, RecursionError):  # a number of more than 4,300 digits
        text = type(element).__name__
    return text[:500].encode("utf-8", "backslashreplace").decode()


def _escaped(pattern: str) -> str:
    return pattern.replace("'", "''")
