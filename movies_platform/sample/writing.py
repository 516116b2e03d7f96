"""Write the months of a sample, block of movies by block of movies.

A block is made once and written to every month that has it, so that memory holds one block, whatever
the size; months differ by their amounts, their dirt and how many movies they have.
"""

import re
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from movies_platform.sample import COLUMNS, SampleMonth
from movies_platform.sample.amounts import amount_columns, draw_amounts, next_month
from movies_platform.sample.columns import BLOCK_MOVIES, fixed_columns, in_order
from movies_platform.sample.dirt import EXTRA_RECORDS, ISSUES, Dirt, plan_dirt, soil
from movies_platform.sample.text import BLOCK, CHANGES, DIRT, build_pools, stream

AMOUNTS = 1  # beside 0, the fixed columns, in a block's streams
NEW_MOVIES = 0.005
EXTRA_LINES = EXTRA_RECORDS | {"broken_record"}


@dataclass
class _Month:
    """A month while it is written."""

    month: str
    path: Path
    movies: int
    dirt: dict[int, list[Dirt]]
    records: int = 0
    issues: Counter[str] = field(default_factory=Counter)

    @property
    def part(self) -> Path:
        return self.path.with_name(self.path.name + ".part")

    def write_block(self, file: TextIO, block: int, columns: dict[str, list[str]]) -> None:
        first = block * BLOCK_MOVIES
        ordered = in_order(columns)
        lines = [",".join(fields) + "\n" for fields in zip(*ordered, strict=True)][: self.movies - first]
        dirt = self.dirt.get(block, [])
        soil(lines, ordered, first, dirt)
        file.write("".join(lines))
        kinds = Counter(piece.kind for piece in dirt)
        self.issues.update({kind: count for kind, count in kinds.items() if kind in ISSUES})
        self.records += len(lines) + sum(kinds[kind] for kind in EXTRA_LINES)

    def summary(self) -> SampleMonth:
        issues = {code: self.issues[code] for code in ISSUES}
        return SampleMonth(self.month, self.path, self.records, self.movies, issues)


def month_names(first_month: str, months: int) -> list[str]:
    """Consecutive months as `YYYY-MM`."""
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", first_month):
        raise ValueError(f"first month must be YYYY-MM, not {first_month!r}")
    start = int(first_month[:4]) * 12 + int(first_month[5:]) - 1
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in range(start, start + months)]


def month_sizes(movies: int, months: int) -> list[int]:
    """Movies of each month: each has about 0.5 % more than the one before, at least one."""
    sizes = [movies]
    while len(sizes) < months:
        sizes.append(sizes[-1] + max(1, round(sizes[-1] * NEW_MOVIES)))
    return sizes


def _plan_by_block(seed: int, movies: int, number: int) -> dict[int, list[Dirt]]:
    blocks: defaultdict[int, list[Dirt]] = defaultdict(list)
    for piece in plan_dirt(stream(seed, DIRT, month=number), movies, number):
        blocks[piece.movie // BLOCK_MOVIES].append(piece)
    return dict(blocks)


def write_months(directory: Path, months: int, movies: int, seed: int, first_month: str) -> list[SampleMonth]:
    """See `write_sample`, which checks the arguments."""
    sizes = month_sizes(movies, months)
    plan = [
        _Month(name, directory / name / "movies_metadata.csv", size, _plan_by_block(seed, size, number))
        for number, (name, size) in enumerate(zip(month_names(first_month, months), sizes, strict=True))
    ]
    pools = build_pools(seed)
    with ExitStack() as stack:
        files = []
        for month in plan:
            month.path.parent.mkdir(parents=True, exist_ok=True)
            files.append(stack.enter_context(month.part.open("w", encoding="utf-8", newline="")))
            files[-1].write(",".join(COLUMNS) + "\n")
        for block in range(-(-sizes[-1] // BLOCK_MOVIES)):
            columns = fixed_columns(seed, block, movies, pools)
            amounts = draw_amounts(stream(seed, BLOCK, block, AMOUNTS), BLOCK_MOVIES)
            for number, month in enumerate(plan):
                if number:
                    amounts = next_month(amounts, stream(seed, CHANGES, block, number))
                if month.movies > block * BLOCK_MOVIES:
                    month.write_block(files[number], block, columns | amount_columns(amounts))
    for month in plan:
        month.part.replace(month.path)
    return [month.summary() for month in plan]
