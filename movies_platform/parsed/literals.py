"""Nested text -> list items, exactly as `ast.literal_eval` (or JSON) has it; hostile text is data.

The slow, exact way, for the few texts that `parsed.lists` does not trust the database with: escapes,
None, other keys, JSON escapes, and whatever is no list at all.
"""

import ast
import json
import warnings
from typing import Any, NamedTuple

LONGEST_TEXT = 1_000_000  # bytes; the longest of the data set has some 4,000
_WIDEST = 2**63


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


def _evaluate(text: str) -> Any:
    if (
        len(text.encode("utf-8", "surrogatepass")) > LONGEST_TEXT
    ):  # up to here the parsers refuse what is too deep or too long
        return None
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
