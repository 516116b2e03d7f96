"""Every kind of dirt that the platform reports, planned for a month and worked into its records.

A plan has known numbers of each kind at distinct movies, spread evenly over the file. Rejected
records are extra records: they take nothing from the number of movies and are clean otherwise. The
variants of a kind (LF, CR and CRLF; `nan`, `lots` ...) take turns, starting one later each month, so
that small samples show all of them in time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from movies_platform.sample import COLUMNS
from movies_platform.sample.text import csv_field

PLACE = {name: place for place, name in enumerate(COLUMNS)}
# Issue code -> number in a month of 200 movies or more, before it grows with the size.
ISSUES = {
    "broken_record": 3,
    "column_count": 2,
    "invalid_id": 3,
    "duplicate_id": 2,
    "invalid_date": 4,
    "invalid_number": 6,
    "invalid_list": 4,
    "invalid_item": 5,
    "duplicate_item": 2,
}
# Odd but right: the platform must report none of these.
HARMLESS = {"us_date": 3, "spaced_number": 2}
EXTRA_RECORDS = frozenset({"column_count", "invalid_id", "duplicate_id"})

BREAKS = ("\r", "\n", "\r\n")
BAD_IDS = ("abc", "-3", "0", "", "12.5", "1997-08-20")
BAD_NUMBERS = ("nan", "lots", "-5", "1e400")
NUMBERS = ("budget", "popularity", "vote_count", "revenue", "runtime", "vote_average")
BAD_LISTS = ("False", "{'id': 18, 'name': 'Drama'}", "__import__('os').system('true')", "[" * 5000)
BAD_ITEMS = (
    "{'id': 9000001, 'name': ''}",
    "{'id': None, 'name': 'Nobody'}",
    "{'name': 'Nobody'}",
    "{'name': ' \\t\\xa0', 'id': 9000002}",
)
LISTS = ("genres", "production_companies")


@dataclass(frozen=True)
class Dirt:
    """One piece of dirt: its kind, at which movie (index in the file's order), which variant."""

    kind: str
    movie: int
    variant: int


def dirt_counts(movies: int) -> dict[str, int]:
    """How often each kind is in a month of `movies` movies."""
    kinds = ISSUES | HARMLESS
    if movies < 200:
        return {kind: 3 if kind == "broken_record" else 1 for kind in kinds}
    return {kind: least + movies // 20_000 for kind, least in kinds.items()}


def plan_dirt(rng: np.random.Generator, movies: int, month: int) -> list[Dirt]:
    """Dirt of the `month`-th month (from 0), in no order; one movie is delivered three times."""
    kinds = [(kind, variant) for kind, count in dirt_counts(movies).items() for variant in range(month, month + count)]
    gap = movies / len(kinds)
    jitter = 0.9 * (1 - 1 / gap) * rng.random(len(kinds))
    places = rng.permutation(np.floor((np.arange(len(kinds)) + jitter) * gap).astype(np.int64)).tolist()
    plan = [Dirt(kind, movie, variant) for (kind, variant), movie in zip(kinds, places, strict=True)]
    first, *others = (n for n, dirt in enumerate(plan) if dirt.kind == "duplicate_id")
    if others:
        plan[others[0]] = Dirt("duplicate_id", plan[first].movie, plan[others[0]].variant)
    return plan


def extra_record(fields: list[str], dirt: Dirt) -> list[str]:
    """A rejected record made from a movie's fields."""
    if dirt.kind == "duplicate_id":
        # So loud that every metric shows it when an earlier record wins.
        return _with(fields, {"budget": "999999999", "revenue": "2999999999", "popularity": "999.5"})
    if dirt.kind == "invalid_id":
        return _with(fields, {"id": BAD_IDS[dirt.variant % len(BAD_IDS)]})
    # An id of its own: ids of movies never end in 0.
    fields = _with(fields, {"id": str((int(fields[PLACE["id"]]) // 10 + 1) * 10)})
    # Never lengths that two neighbours could make up 24 columns with.
    return (fields[:20], [*fields, "surplus"], fields[:22], [*fields, "", ""])[dirt.variant % 4]


def _with(fields: list[str], changes: dict[str, str]) -> list[str]:
    return [changes.get(name, field) for name, field in zip(COLUMNS, fields, strict=True)]


def _broken_record(fields: list[str], variant: int) -> None:
    fields[PLACE["overview"]] = f"The keeper of a lighthouse waits for a ship.{BREAKS[variant % 3]} - Written by Ørnås"


def _date_parts(fields: list[str]) -> Sequence[str]:
    return (fields[PLACE["release_date"]] or "1999-12-31").split("-")


def _invalid_date(fields: list[str], variant: int) -> None:
    year, month, day = _date_parts(fields)
    bad = (f"{month}/{day}/{year[2:]}", f"{day}-{month}-{year}", f"{year}-02-30", f"02/30/{year}")
    fields[PLACE["release_date"]] = bad[variant % len(bad)]


def _us_date(fields: list[str], variant: int) -> None:
    year, month, day = _date_parts(fields)
    fields[PLACE["release_date"]] = f"{month}/{day}/{year}"


def _invalid_number(fields: list[str], variant: int) -> None:
    # The row of values moves on by one after every six columns: all 24 pairs in 24 variants.
    value = BAD_NUMBERS[(variant + variant // 12) % len(BAD_NUMBERS)]
    fields[PLACE[NUMBERS[variant % len(NUMBERS)]]] = value


def _spaced_number(fields: list[str], variant: int) -> None:
    fields[PLACE["budget"]], fields[PLACE["popularity"]] = " 1000000 ", " 12.5 "


def _invalid_list(fields: list[str], variant: int) -> None:
    fields[PLACE[LISTS[variant // 4 % 2]]] = csv_field(BAD_LISTS[variant % 4])


def _items(field: str) -> str:
    """The items inside a nested column's CSV field, still escaped."""
    return field.strip('"').removeprefix("[").removesuffix("]")


def _append(fields: list[str], column: str, item: str) -> None:
    items = _items(fields[PLACE[column]])
    fields[PLACE[column]] = f'"[{items}{", " if items else ""}{item}]"'


def _invalid_item(fields: list[str], variant: int) -> None:
    _append(fields, LISTS[variant % 2], BAD_ITEMS[variant // 2 % len(BAD_ITEMS)])


def _duplicate_item(fields: list[str], variant: int) -> None:
    column = LISTS[variant % 2]
    items = _items(fields[PLACE[column]])
    if not items:
        _append(fields, column, "{'id': 18, 'name': 'Drama'}")
        items = _items(fields[PLACE[column]])
    _append(fields, column, items[: items.index("}") + 1])


CHANGES: dict[str, Callable[[list[str], int], None]] = {
    "broken_record": _broken_record,
    "invalid_date": _invalid_date,
    "invalid_number": _invalid_number,
    "invalid_list": _invalid_list,
    "invalid_item": _invalid_item,
    "duplicate_item": _duplicate_item,
    "us_date": _us_date,
    "spaced_number": _spaced_number,
}


def soil(lines: list[str], columns: list[list[str]], first: int, dirt: list[Dirt]) -> None:
    """Work dirt into a block's CSV lines, in place; `first` is the index of the block's first movie."""
    # Whole lines are replaced first, for extra records are then put in front of any line.
    for piece in sorted(dirt, key=lambda piece: piece.kind in EXTRA_RECORDS):
        row = piece.movie - first
        fields = [column[row] for column in columns]
        if piece.kind in EXTRA_RECORDS:
            # An earlier record of the same movie is some way up, where its reader has forgotten it.
            before = row // 2 if piece.kind == "duplicate_id" else row
            lines[before] = ",".join(extra_record(fields, piece)) + "\n" + lines[before]
        else:
            CHANGES[piece.kind](fields, piece.variant)
            lines[row] = ",".join(fields) + "\n"
