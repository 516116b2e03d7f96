"""Contracts of the typed records of each month, and of the items of their nested lists, from the declared files."""

import sqlalchemy as sa

from movies_platform.contracts.columns import (
    Day,
    Real,
    Text,
    Time,
    Whole,
    column,
    delivery_month,
    movie_id,
    record_number,
)  # fmt: skip
from movies_platform.contracts.raw import raw_table
from movies_platform.contracts.sources import MOVIES_METADATA, SOURCES, Attribute, ItemField, NestedList, Source
from movies_platform.contracts.tables import METADATA, qualified

GENDERS = ("female", "male", "non-binary")  # TMDB's numbers 1, 2, 3
_TYPES = {  # of a cast
    "text": Text, "imdb_id": Text, "date": Day, "seconds": Time, "amount": Real, "number": Real, "rating": Real,
    "whole": Whole, "id": Whole,
}  # fmt: skip
_LEAST = {"id": 1, "amount": 0, "number": 0, "rating": 0, "whole": 0}
_ITEM_TYPES = {"id": Whole, "count": Whole, "text": Text, "gender": Text}


def attribute(
    of: Attribute, comes_from: str, *, key: bool = False, null: bool = True, refers_to: str | None = None
) -> sa.Column[object]:
    """A scalar column of a file's records, the same in parsed and core."""
    return column(
        of.name, _TYPES[of.cast], of.meaning, key=key, null=null and not of.required, at_least=_LEAST.get(of.cast),
        comes_from=comes_from, refers_to=refers_to,
    )  # fmt: skip


def item_field(of: ItemField, comes_from: str, *, key: bool = False, refers_to: str | None = None) -> sa.Column[object]:
    """A column of a list's items, the same in parsed and core."""
    return column(
        of.name, _ITEM_TYPES[of.kind], of.meaning, key=key, null=not of.required, comes_from=comes_from,
        at_least=0 if of.kind == "count" else None, one_of=GENDERS if of.kind == "gender" else (), refers_to=refers_to,
    )  # fmt: skip


def records_table(source: Source) -> sa.Table:
    """The table of a file's typed records."""
    return METADATA.tables[f"parsed.parsed_{source.records or source.subject}"]


def items_table(nested: NestedList) -> sa.Table:
    """The table of a nested list's items."""
    return METADATA.tables[f"parsed.parsed_{nested.plural}"]


def _records_of(source: Source) -> sa.Table:
    raw = qualified(raw_table(source))
    key = [attribute(a, f"{raw}.{a.delivered}", key=True) for a in source.key]
    rest = [attribute(a, f"{raw}.{a.delivered}") for a in source.attributes]
    comment = f"The accepted records of each month's {source.name}, typed. Text is trimmed, empty text is null"
    comment += "; budget and revenue of 0 are null." if source is MOVIES_METADATA else "."
    if not source.attributes:
        comment = f"The movies of which each month's {source.name} says something, be it that there is nothing."
    return sa.Table(
        f"parsed_{source.records or source.subject}", METADATA,
        delivery_month(key=True, comes_from=f"{raw}.delivery_month"),
        *key,
        record_number(comes_from=f"{raw}.record_number"),
        *rest,
        schema="parsed",
        comment=comment,
    )  # fmt: skip


def _items_of(source: Source, nested: NestedList) -> sa.Table:
    raw = qualified(raw_table(source))
    text = f"{raw}.{nested.column}"
    place = column("position", Whole, "1-based place in the list as delivered", null=False, at_least=1, comes_from=text)
    key = () if nested.is_single else (nested.key,)
    comment = f"The {nested.plural} of each month's movies{'' if nested.is_single else ', in the order delivered'}."
    return sa.Table(
        f"parsed_{nested.plural}", METADATA,
        delivery_month(key=True, comes_from=f"{raw}.delivery_month"),
        movie_id(key=True, comes_from=f"{raw}.{source.movie_id}"),
        *(() if nested.is_single else (place,)),
        *(item_field(field, text, key=field.name in key) for field in nested.columns),
        schema="parsed",
        comment=comment,
    )  # fmt: skip


for _source in SOURCES:
    _records_of(_source)
    for _nested in _source.nested:
        _items_of(_source, _nested)

PARSED_MOVIES = records_table(MOVIES_METADATA)
