"""What one text of a delivered file means, for the oracle; None is the answer to every text that means nothing."""

import ast
import datetime as dt
import functools
import json
import re
from collections.abc import Callable
from typing import Any

BIGGEST, SMALLEST = 2**63 - 1, -(2**63)


def positive(text: str) -> int | None:
    """A positive whole number of at most 63 bits, or None."""
    if not re.fullmatch(r"\+?[0-9]+", text.strip()):
        return None
    value = int(text) if len(text) < 4000 else 0
    return value if 0 < value <= BIGGEST else None


def amount(text: str) -> float | None:
    """A number from 0, or None."""
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        return None
    return value if 0 <= (value := float(text)) <= 1e100 else None


def count(text: str) -> int | None:
    """A number from 0 without a fraction, or None."""
    value = amount(text)
    return int(value) if value is not None and value == int(value) and value <= BIGGEST else None


def date(text: str) -> dt.date | None:
    if found := re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", text):
        year, month, day = found.groups()
    elif found := re.fullmatch(r"([0-9]{2})/([0-9]{2})/([0-9]{4})", text):
        month, day, year = found.groups()
    else:
        return None
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


def seconds(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\+?[0-9]{1,20}", text) and int(text) < 2**40 else None


def imdb(text: str) -> str | None:
    return "tt" + found[1].zfill(7) if (found := re.fullmatch(r"(?:tt)?([0-9]+)", text)) else None


@functools.lru_cache(2**17)  # months repeat most of their texts
def nested(text: str) -> Any:
    """What JSON or a literal of Python says; None where it is neither."""
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
    return None


def as_list(text: str) -> list | None:
    return found if isinstance(found := nested(text), list) else None


def as_object(text: str) -> dict | None:
    return found if isinstance(found := nested(text), dict) else None


def whole(value: Any) -> int | None:
    """An integer of 64 bits; a truth value, a float and a text are none."""
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    return value if is_integer and SMALLEST <= value <= BIGGEST else None


def words(value: Any) -> str | None:
    """A text, trimmed; None where it is no text, blank, or half of a surrogate pair makes it unfit to be stored."""
    if not isinstance(value, str):
        return None
    try:
        return value.encode("utf-16", "surrogatepass").decode("utf-16").strip() or None
    except UnicodeDecodeError:
        return None


def named(item: dict) -> tuple[int, str] | None:
    """(id, name) of a genre, company, keyword or collection."""
    number, name = whole(item.get("id")), words(item.get("name"))
    return None if number is None or name is None else (number, name)


def coded(code: str) -> Callable[[dict], tuple[str, str | None] | None]:
    """(code, name or None) of a country or language."""
    return lambda item: (found, words(item.get("name"))) if (found := words(item.get(code))) else None


def credit(item: dict) -> tuple | None:
    """(credit_id, person_id, person_name, gender, character_name, cast_order, department, job)."""
    number, name, credit_id = whole(item.get("id")), words(item.get("name")), words(item.get("credit_id"))
    if number is None or name is None or credit_id is None:
        return None
    gender = {1: "female", 2: "male", 3: "non-binary"}.get(whole(item.get("gender")))
    order = whole(item.get("order"))
    order = order if order is not None and order >= 0 else None
    character, department, job = (words(item.get(key)) for key in ("character", "department", "job"))
    return credit_id, number, name, gender, character, order, department, job
