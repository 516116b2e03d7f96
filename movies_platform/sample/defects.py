"""Every kind of defect that the platform reports, in tables by file; planned for a month and worked into its records.

A plan has known numbers of each kind at distinct records, spread evenly over the file. Rejected records are extra
records: they take nothing from the number of good ones and are clean otherwise. The variants of a kind (its columns and
bad values) take turns, starting one later each month, so that small samples show all of them in time.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from movies_platform.contracts.sources import COMPANIES, GENRES
from movies_platform.sample.draws import with_item

Record = dict[str, str]
SMALL = 200  # records; a smaller file has one defect of each kind
MORE_EACH = 20_000  # records after which there is one more of each kind

# What stands for a line break until the record is CSV: as a part of a field it would be quoted.
BREAKS = {"\ue000": "\r", "\ue001": "\n", "\ue002": "\r\n"}


@dataclass(frozen=True)
class Kind:
    """A kind of defect.

    issue: its code in `data_issues`; None for what is odd but right, of which nothing must be reported
    least: its number in a file of 200 records or more, before it grows with the size
    change: works it into a record, given one of the columns and one of the values
    columns, values: what its variants are made of; with neither, there is one variant
    extra: whether it is a record more, which is rejected
    smallest: its number in a smaller file
    share: its number for each record, where that is more
    """

    issue: str | None
    least: int
    change: Callable[[Record, str, str], None]
    columns: tuple[str, ...] = ("",)
    values: tuple[str, ...] = ("",)
    extra: bool = False
    smallest: int = 1
    share: float = 0.0

    def count(self, records: int) -> int:
        """How many of it are in a file of so many records."""
        few = self.smallest if records < SMALL else self.least + records // MORE_EACH
        return max(few, int(self.share * records))

    def work_in(self, record: Record, variant: int) -> None:
        """Change the record, in place; each pair of column and value has its turn."""
        columns, values = len(self.columns), len(self.values)
        value = (variant + variant // math.lcm(columns, values)) % values
        self.change(record, self.columns[variant % columns], self.values[value])


@dataclass(frozen=True)
class Defect:
    """Its kind, at which record (index in the file's order, without extra records), which variant."""

    kind: Kind
    record: int
    variant: int


def plan_defects(rng: np.random.Generator, kinds: Sequence[Kind], records: int, month: int) -> list[Defect]:
    """Defects of the `month`-th month (from 0) at distinct records, in their order.

    The first two duplicates are of one record.
    """
    planned = [(kind, variant) for kind in kinds for variant in range(month, month + kind.count(records))]
    gap = records / len(planned)
    jitter = 0.9 * (1 - 1 / gap) * rng.random(len(planned))
    places = rng.permutation(((np.arange(len(planned)) + jitter) * gap).astype(np.int64)).tolist()
    plan = [Defect(kind, place, variant) for (kind, variant), place in zip(planned, places, strict=True)]
    first, *others = (n for n, defect in enumerate(plan) if defect.kind.issue == "duplicate_id")
    if others:
        plan[others[0]] = Defect(plan[first].kind, plan[first].record, plan[others[0]].variant)
    return sorted(plan, key=lambda defect: defect.record)


def with_defects(
    rows: Sequence[Sequence[object]], columns: Sequence[str], first: int, defects: Sequence[Defect]
) -> Iterator[Sequence[object]]:
    """The rows of a block with their defects and extra records; `first` is the index of its first record."""
    changed: dict[int, list[object]] = {}
    extra: list[tuple[int, list[str]]] = []
    for defect in defects:
        row = defect.record - first
        record = dict(zip(columns, map(str, changed.get(row, rows[row])), strict=True))
        defect.kind.work_in(record, defect.variant)
        if defect.kind.extra:
            # An earlier record of the same key is some way up, where its reader has forgotten it.
            extra.append((row // 2 if defect.kind.issue == "duplicate_id" else row, list(record.values())))
        else:
            changed[row] = list(record.values())
    extra.sort(key=lambda some: some[0], reverse=True)
    for row, fields in enumerate(rows):
        while extra and extra[-1][0] == row:
            yield extra.pop()[1]
        yield changed.get(row, fields)


def broken(text: str) -> str:
    """The CSV text of a block with its stray line breaks."""
    for sign, line_break in BREAKS.items():
        text = text.replace(sign, line_break)
    return text


def _put(record: Record, column: str, value: str) -> None:
    record[column] = value


def _overwrite(fields: Mapping[str, str], record: Record, column: str, value: str) -> None:
    record.update(fields)


def _resize(record: Record, column: str, value: str) -> None:
    """So many columns less or more."""
    for name in list(record)[: int(value) - 1 : -1] if value.startswith("-") else ():
        del record[name]
    record.update({f"surplus {n}": "surplus" for n in range(int(value))})


def _break_overview(record: Record, column: str, value: str) -> None:
    record["overview"] = f"The keeper of a lighthouse waits for a ship.{value} - Written by Ørnås"


def _redate(record: Record, column: str, value: str) -> None:
    year, month, day = (record["release_date"] or "1999-12-31").split("-")
    record["release_date"] = value.format(year=year, short=year[2:], month=month, day=day)


def _add_item(record: Record, column: str, value: str) -> None:
    record[column] = with_item(record[column], value.replace("CODE", CODES.get(column, "")))


def _repeat_item(record: Record, column: str, value: str) -> None:
    if record[column] == "[]":
        _add_item(record, column, SPARE_ITEMS[column])
    _add_item(record, column, record[column][1 : record[column].index("}") + 1])


def _duplicate(least: int, share: float = 0.0, **fields: str) -> Kind:
    """An earlier record of the same key, so loud that every table shows it when it wins."""
    return Kind("duplicate_id", least, partial(_overwrite, fields), extra=True, share=share)


CODES = {"production_countries": "iso_3166_1", "spoken_languages": "iso_639_1"}
SPARE_ITEMS = {
    "genres": "{'id': 18, 'name': 'Drama'}",
    "production_companies": "{'id': 18, 'name': 'Drama'}",
    "production_countries": "{'iso_3166_1': 'FR', 'name': 'France'}",
    "spoken_languages": "{'iso_639_1': 'ml', 'name': ''}",
    "keywords": "{'id': 931, 'name': 'jealousy'}",
    "cast": "{'cast_id': 1, 'character': 'Himself', 'credit_id': 'fffffffffffffffffffffff0', 'gender': 2, "
    "'id': 9000005, 'name': 'A. Spare', 'order': 0, 'profile_path': None}",
    "crew": "{'credit_id': 'fffffffffffffffffffffff1', 'department': 'Crew', 'gender': 0, 'id': 9000005, "
    "'job': 'Thanks', 'name': 'A. Spare', 'profile_path': None}",
}
BAD_IDS = ("abc", "-3", "0", "", "12.5", "1997-08-20")
BAD_LISTS = ("False", "{'id': 18, 'name': 'Drama'}", "__import__('os').system('true')", "[" * 5000)
BAD_COLLECTIONS = ("0.065736", "[{'id': 9, 'name': 'A Collection'}]", "__import__('os').system('true')", "{" * 5000)
BAD_ITEMS = (
    "{'id': 9000001, 'name': ''}", "{'id': None, 'name': 'Nobody'}", "{'name': 'Nobody'}",
    "{'name': ' \\t\\xa0', 'id': 9000002}",
)  # fmt: skip
# Members of cast or crew without a person, a name or a credit_id.
BAD_MEMBERS = (
    "{'credit_id': 'ffffffffffffffffffffff10', 'gender': 2, 'id': 9000001, 'name': '', 'profile_path': None}",
    "{'credit_id': 'ffffffffffffffffffffff11', 'gender': 2, 'id': None, 'name': 'Nobody', 'profile_path': None}",
    "{'credit_id': '', 'gender': 2, 'id': 9000001, 'name': 'Nobody', 'profile_path': None}",
    "{'credit_id': 'ffffffffffffffffffffff12', 'gender': 2, 'name': 'Nobody', 'profile_path': None}",
    "{'gender': 2, 'id': 9000001, 'name': 'Nobody', 'profile_path': None}",
)
ODD_MEMBER = (
    "{{'cast_id': 99, 'character': None, 'credit_id': 'ffffffffffffffffffffff2{}', 'gender': 9, 'id': 9000004, "
    "'name': 'Odd Member', 'order': None, 'profile_path': None}}"
)

LISTS = (GENRES.column, COMPANIES.column)
NUMBERS = ("budget", "popularity", "vote_count", "revenue", "runtime", "vote_average")
MOVIES_KINDS = (
    Kind("broken_record", 3, _break_overview, values=tuple(BREAKS), smallest=3),
    # Never lengths that two neighbours could make up 24 columns with.
    Kind("column_count", 2, _resize, values=("-4", "1", "-2", "2"), extra=True),
    Kind("invalid_id", 3, _put, ("id",), BAD_IDS, extra=True),
    _duplicate(2, budget="999999999", revenue="2999999999", popularity="999.5"),
    Kind(
        "invalid_date", 4, _redate,
        values=("{month}/{day}/{short}", "{day}-{month}-{year}", "{year}-02-30", "02/30/{year}"),
    ),
    Kind("invalid_number", 6, _put, NUMBERS, ("nan", "lots", "-5", "1e400")),
    Kind("invalid_list", 4, _put, LISTS, BAD_LISTS),
    Kind("invalid_item", 5, _add_item, LISTS, BAD_ITEMS),
    Kind("duplicate_item", 2, _repeat_item, LISTS),
    Kind(None, 3, _redate, values=("{month}/{day}/{year}",)),
    Kind(None, 2, partial(_overwrite, {"budget": " 1000000 ", "popularity": " 12.5 "})),
)  # fmt: skip
OTHER_LISTS_KINDS = (
    Kind("invalid_list", 3, _put, tuple(CODES), BAD_LISTS),
    Kind(
        "invalid_item", 3, _add_item, tuple(CODES),
        ("{'CODE': '', 'name': 'Nowhere'}", "{'name': 'Nowhere'}", "{'CODE': None, 'name': 'Nowhere'}"),
    ),
    Kind("duplicate_item", 2, _repeat_item, tuple(CODES)),
    Kind("invalid_list", 1, _put, ("belongs_to_collection",), BAD_COLLECTIONS),
    Kind("invalid_item", 2, _put, ("belongs_to_collection",), (*BAD_ITEMS, "{}")),
)  # fmt: skip
CREDITS_KINDS = (
    Kind("column_count", 2, _resize, values=("-1", "1"), extra=True),
    Kind("invalid_id", 2, _put, ("id",), BAD_IDS, extra=True),
    _duplicate(2, cast=f"[{SPARE_ITEMS['cast']}]", crew=f"[{SPARE_ITEMS['crew']}]"),
    Kind("invalid_list", 2, _put, ("cast", "crew"), BAD_LISTS),
    Kind("invalid_item", 4, _add_item, ("cast", "crew"), BAD_MEMBERS),
    Kind("duplicate_item", 2, _repeat_item, ("cast", "crew")),
    Kind(None, 2, _add_item, ("cast",), (ODD_MEMBER.format(0), ODD_MEMBER.format(1))),
)
KEYWORDS_KINDS = (
    Kind("column_count", 2, _resize, values=("-1", "1"), extra=True),
    Kind("invalid_id", 2, _put, ("id",), BAD_IDS, extra=True),
    # The real file has 46,419 records of 45,466 movies.
    _duplicate(2, share=953 / 45_466, keywords="[{'id': 9000003, 'name': 'spare keyword'}]"),
    Kind("invalid_list", 2, _put, ("keywords",), BAD_LISTS),
    Kind("invalid_item", 4, _add_item, ("keywords",), BAD_ITEMS),
    Kind("duplicate_item", 2, _repeat_item, ("keywords",)),
)
LINKS_KINDS = (
    Kind("column_count", 2, _resize, values=("-1", "1"), extra=True),
    Kind("invalid_id", 2, _put, ("movieId",), BAD_IDS, extra=True),
    _duplicate(2, imdbId="9999999", tmdbId=""),
    Kind("invalid_id", 2, _put, ("tmdbId",), ("abc", "-3", "0", "12.5", "1997-08-20")),
    Kind("invalid_id", 2, _put, ("imdbId",), ("tt", "nm0000001", "-5", "114709.0")),
    Kind(None, 2, _put, ("imdbId",), ("tt7654321", "")),
)
RATINGS_KINDS = (
    Kind("column_count", 2, _resize, values=("-1", "1"), extra=True),
    Kind("invalid_id", 2, _put, ("userId", "movieId"), BAD_IDS, extra=True),
    _duplicate(2, rating="0.5", timestamp="0"),
    Kind("invalid_number", 3, _put, ("rating",), ("0", "5.5", "nan", "five", "", "-1", "1e400"), extra=True),
    Kind("invalid_number", 3, _put, ("timestamp",), ("yesterday", "-1", "1099511627776", "1260759144.5")),
    Kind(None, 2, _put, ("timestamp",), ("",)),
)
KINDS = {
    "movies_metadata": MOVIES_KINDS + OTHER_LISTS_KINDS,
    "credits": CREDITS_KINDS,
    "keywords": KEYWORDS_KINDS,
    "links": LINKS_KINDS,
    "ratings": RATINGS_KINDS,
}
# In the order in which a month's summary names them.
ISSUES = tuple(dict.fromkeys(kind.issue for kinds in KINDS.values() for kind in kinds if kind.issue))
