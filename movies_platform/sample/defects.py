"""Every kind of defect that the platform reports, planned for a month and worked into its records.

A plan has known numbers of each kind at distinct movies, spread evenly over the file. Rejected records are extra
records: they take nothing from the number of movies and are clean otherwise. The variants of a kind (LF, CR and CRLF;
`nan`, `lots` ...) take turns, starting one later each month, so that small samples show all of them in time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from movies_platform.contracts.sources import MOVIES_METADATA
from movies_platform.sample.movies_metadata import COLUMNS

# Issue code -> number in a month of 200 movies or more, before it grows with the size.
ISSUES = {
    "broken_record": 3, "column_count": 2, "invalid_id": 3, "duplicate_id": 2, "invalid_date": 4, "invalid_number": 6,
    "invalid_list": 4, "invalid_item": 5, "duplicate_item": 2,
}  # fmt: skip
HARMLESS = {"us_date": 3, "spaced_number": 2}  # odd but right: the platform must report none of these
EXTRA_RECORDS = {"column_count", "invalid_id", "duplicate_id"}

# What stands for a line break until the record is CSV: as a part of a field it would be quoted.
BREAKS = {"\ue000": "\r", "\ue001": "\n", "\ue002": "\r\n"}
BAD_IDS = ("abc", "-3", "0", "", "12.5", "1997-08-20")
BAD_NUMBERS = ("nan", "lots", "-5", "1e400")
NUMBERS = ("budget", "popularity", "vote_count", "revenue", "runtime", "vote_average")
BAD_LISTS = ("False", "{'id': 18, 'name': 'Drama'}", "__import__('os').system('true')", "[" * 5000)
BAD_ITEMS = (
    "{'id': 9000001, 'name': ''}", "{'id': None, 'name': 'Nobody'}", "{'name': 'Nobody'}",
    "{'name': ' \\t\\xa0', 'id': 9000002}",
)  # fmt: skip
LISTS = tuple(nested.column for nested in MOVIES_METADATA.nested)
Record = dict[str, str]


@dataclass(frozen=True)
class Defect:
    """Its kind, at which movie (index in the file's order), which variant."""

    kind: str
    movie: int
    variant: int


def defect_counts(movies: int) -> dict[str, int]:
    """How often each kind is in a month of `movies` movies."""
    kinds = ISSUES | HARMLESS
    if movies < 200:
        return {kind: 3 if kind == "broken_record" else 1 for kind in kinds}
    return {kind: least + movies // 20_000 for kind, least in kinds.items()}


def plan_defects(rng: np.random.Generator, movies: int, month: int) -> list[Defect]:
    """Defects of the `month`-th month (from 0) at distinct movies; of two duplicates, both are of one movie."""
    kinds = [(kind, variant) for kind, n in defect_counts(movies).items() for variant in range(month, month + n)]
    gap = movies / len(kinds)
    jitter = 0.9 * (1 - 1 / gap) * rng.random(len(kinds))
    places = rng.permutation(((np.arange(len(kinds)) + jitter) * gap).astype(np.int64)).tolist()
    plan = [Defect(kind, movie, variant) for (kind, variant), movie in zip(kinds, places, strict=True)]
    first, *others = (n for n, defect in enumerate(plan) if defect.kind == "duplicate_id")
    if others:
        plan[others[0]] = Defect("duplicate_id", plan[first].movie, plan[others[0]].variant)
    return plan


def work_in(rows: list[list[str]], first: int, defects: Sequence[Defect]) -> None:
    """Work defects into a block's records, in place; `first` is the index of the block's first movie."""
    extra: list[tuple[int, list[str]]] = []
    for defect in defects:
        row = defect.movie - first
        if defect.kind in EXTRA_RECORDS:
            # An earlier record of the same movie is some way up, where its reader has forgotten it.
            before = row // 2 if defect.kind == "duplicate_id" else row
            extra.append((before, _extra_record(rows[row], defect)))
        else:
            record = dict(zip(COLUMNS, rows[row], strict=True))
            CHANGES[defect.kind](record, defect.variant)
            rows[row] = list(record.values())
    for before, fields in sorted(extra, reverse=True):
        rows.insert(before, fields)


def broken(text: str) -> str:
    """The CSV text of a block with its stray line breaks."""
    for sign, line_break in BREAKS.items():
        text = text.replace(sign, line_break)
    return text


def _extra_record(fields: list[str], defect: Defect) -> list[str]:
    record = dict(zip(COLUMNS, fields, strict=True))
    if defect.kind == "duplicate_id":
        # So loud that every metric shows it when an earlier record wins.
        return list((record | {"budget": "999999999", "revenue": "2999999999", "popularity": "999.5"}).values())
    if defect.kind == "invalid_id":
        return list((record | {"id": BAD_IDS[defect.variant % len(BAD_IDS)]}).values())
    # An id of its own: ids of movies never end in 0.
    fields = list((record | {"id": str((int(record["id"]) // 10 + 1) * 10)}).values())
    # Never lengths that two neighbours could make up 24 columns with.
    return (fields[:20], [*fields, "surplus"], fields[:22], [*fields, "", ""])[defect.variant % 4]


def _broken_record(record: Record, variant: int) -> None:
    record["overview"] = f"The keeper of a lighthouse waits for a ship.{list(BREAKS)[variant % 3]} - Written by Ørnås"


def _invalid_date(record: Record, variant: int) -> None:
    year, month, day = (record["release_date"] or "1999-12-31").split("-")
    bad = (f"{month}/{day}/{year[2:]}", f"{day}-{month}-{year}", f"{year}-02-30", f"02/30/{year}")
    record["release_date"] = bad[variant % len(bad)]


def _us_date(record: Record, variant: int) -> None:
    year, month, day = (record["release_date"] or "1999-12-31").split("-")
    record["release_date"] = f"{month}/{day}/{year}"


def _invalid_number(record: Record, variant: int) -> None:
    # The row of values moves on by one after every six columns: all 24 pairs in 24 variants.
    record[NUMBERS[variant % len(NUMBERS)]] = BAD_NUMBERS[(variant + variant // 12) % len(BAD_NUMBERS)]


def _spaced_number(record: Record, variant: int) -> None:
    record["budget"], record["popularity"] = " 1000000 ", " 12.5 "


def _invalid_list(record: Record, variant: int) -> None:
    record[LISTS[variant // 4 % 2]] = BAD_LISTS[variant % 4]


def _append(record: Record, column: str, item: str) -> None:
    items = record[column][1:-1]
    record[column] = f"[{items}{', ' if items else ''}{item}]"


def _invalid_item(record: Record, variant: int) -> None:
    _append(record, LISTS[variant % 2], BAD_ITEMS[variant // 2 % len(BAD_ITEMS)])


def _duplicate_item(record: Record, variant: int) -> None:
    column = LISTS[variant % 2]
    if record[column] == "[]":
        _append(record, column, "{'id': 18, 'name': 'Drama'}")
    _append(record, column, record[column][1 : record[column].index("}") + 1])


CHANGES: dict[str, Callable[[Record, int], None]] = {
    "broken_record": _broken_record,
    "invalid_date": _invalid_date,
    "invalid_number": _invalid_number,
    "invalid_list": _invalid_list,
    "invalid_item": _invalid_item,
    "duplicate_item": _duplicate_item,
    "us_date": _us_date,
    "spaced_number": _spaced_number,
}
