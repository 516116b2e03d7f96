"""Write the months of a sample, block of movies by block of movies.

A block is made once and written to every month that has it; months differ by their amounts, their defects and how many
movies they have. Further files of the data set are written here, beside movies_metadata.csv, each from its own module.
"""

import csv
import io
import re
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np

from movies_platform.contracts.sources import MOVIES_METADATA
from movies_platform.sample.defects import ISSUES, Defect, broken, plan_defects, work_in
from movies_platform.sample.movies_metadata import (
    BLOCK,
    COLUMNS,
    Texts,
    build_pools,
    draw_amounts,
    fixed_columns,
    next_month,
)  # fmt: skip

MIN_MOVIES, MAX_MONTHS = 20, 240
NEW_MOVIES = 0.005
POOLS, FIXED, AMOUNTS, CHANGES, DEFECTS = range(5)  # what a stream of random numbers is for


@dataclass(frozen=True)
class SampleMonth:
    """What one written month holds, counted while it was written.

    month: `YYYY-MM`; path: its `movies_metadata.csv`; records: as an ordinary CSV reader counts,
    without the header, a broken record counts as two; movies: distinct accepted movies; issues: the
    number of `data_issues` rows that the month must give, by issue code.
    """

    month: str
    path: Path
    records: int
    movies: int
    issues: dict[str, int]


def write_sample(
    directory: Path, *, months: int, movies: int, seed: int, first_month: str = "2017-11"
) -> list[SampleMonth]:
    """Write `<directory>/<YYYY-MM>/movies_metadata.csv` for each of `months` consecutive months.

    The first month has `movies` movies. From 200 movies on, rejected records are under 5 % of a
    month; from 58 to 199 there is one of each kind, under 5 % as well; below that, the three rejected
    records alone are more. Files are replaced where they exist, once all of them are written.

    Raises ValueError for fewer than 20 movies (too few to hold each kind of defect), for months
    outside 1..240, a negative seed, or a first month that is not `YYYY-MM`.
    """
    if movies < MIN_MOVIES:
        raise ValueError(f"movies must be at least {MIN_MOVIES} to hold every kind of defect, not {movies}")
    if not 1 <= months <= MAX_MONTHS:
        raise ValueError(f"months must be from 1 to {MAX_MONTHS}, not {months}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, but is {seed}")
    names, sizes = month_names(first_month, months), month_sizes(movies, months)
    plan = [_Month(directory / name, size) for name, size in zip(names, sizes, strict=True)]
    pools = build_pools(_stream(seed, POOLS))
    with ExitStack() as files:
        for number, month in enumerate(plan):
            month.open(files, plan_defects(_stream(seed, DEFECTS, month=number), month.movies, number))
        for block in range(-(-sizes[-1] // BLOCK)):
            fixed, appeal = fixed_columns(_stream(seed, FIXED, block), block, movies, pools)
            amounts = draw_amounts(_stream(seed, AMOUNTS, block), appeal)
            for number, month in enumerate(plan):
                if number:
                    amounts = next_month(amounts, _stream(seed, CHANGES, block, number))
                if month.movies > block * BLOCK:
                    month.write(block, fixed | amounts.columns())
    return [month.close() for month in plan]


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


def _stream(seed: int, purpose: int, block: int = 0, month: int = 0) -> np.random.Generator:
    """Random numbers that depend on nothing but these four, whatever was drawn before."""
    return np.random.default_rng([seed, purpose, block, month])


@dataclass
class _Month:
    """A month while it is written."""

    folder: Path
    movies: int
    records: int = 0
    defects: dict[int, list[Defect]] = field(default_factory=lambda: defaultdict(list))
    file: TextIO = field(default_factory=io.StringIO)

    @property
    def path(self) -> Path:
        return self.folder / f"{MOVIES_METADATA.name}.csv"

    @property
    def part(self) -> Path:
        return self.path.with_suffix(".csv.part")

    def open(self, files: ExitStack, defects: list[Defect]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = files.enter_context(self.part.open("w", encoding="utf-8", newline=""))
        self.file.write(",".join(COLUMNS) + "\n")
        for defect in defects:
            self.defects[defect.movie // BLOCK].append(defect)

    def write(self, block: int, columns: dict[str, Texts]) -> None:
        here = min(BLOCK, self.movies - block * BLOCK)
        rows = [list(row) for row in zip(*(columns[name][:here].tolist() for name in COLUMNS), strict=True)]
        work_in(rows, block * BLOCK, self.defects[block])
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        self.file.write(broken(text.getvalue()))
        self.records += len(rows)

    def close(self) -> SampleMonth:
        self.part.replace(self.path)
        kinds = Counter(defect.kind for defects in self.defects.values() for defect in defects)
        issues = {code: kinds[code] for code in ISSUES}
        return SampleMonth(self.folder.name, self.path, self.records + issues["broken_record"], self.movies, issues)
