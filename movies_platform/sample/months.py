"""Write the months of a sample: all files of the data set, block of movies by block of movies, then users by users.

A block is made once and written to every month that has it; months differ by their amounts, by what movies and users
have gained, by their defects and by how many there are.
"""

import datetime as dt
import re
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from movies_platform.contracts.sources import MOVIES_METADATA
from movies_platform.sample import credits as credits_file
from movies_platform.sample import keywords as keywords_file
from movies_platform.sample import links as links_file
from movies_platform.sample import ratings as ratings_file
from movies_platform.sample.credits import Credits
from movies_platform.sample.defects import ISSUES
from movies_platform.sample.draws import BLOCK, Texts
from movies_platform.sample.keywords import draw_keywords, more_keywords
from movies_platform.sample.links import block_links, links_of
from movies_platform.sample.movies_metadata import build_pools, draw_amounts, fixed_columns, movie_places, next_month
from movies_platform.sample.ratings import (
    MONTH_SECONDS,
    YEARS_SECONDS,
    RatedMovies,
    blocks_of,
    draw_ratings,
    users_of,
)
from movies_platform.sample.writer import FileWriter, SampleFile

FEWEST, MAX_MONTHS = 20, 240
RATINGS_PER_MOVIE = 20  # unless asked for more; the real file has 572
GROWTH = 0.005  # of movies, credits and ratings, in a month
# What a stream of random numbers is for.
POOLS, FIXED, AMOUNTS, CHANGES, DEFECTS, CREDITS, KEYWORDS, RATINGS, MINDS = range(9)
MOVIES = MOVIES_METADATA.name
Writers = dict[str, FileWriter]


@dataclass(frozen=True)
class SampleMonth:
    """What one written month holds: `month` is `YYYY-MM`, `files` has each written file by its name without `.csv`."""

    month: str
    files: dict[str, SampleFile]

    @property
    def path(self) -> Path:
        """Its `movies_metadata.csv`; the other files lie in the same folder."""
        return self.files[MOVIES].path

    @property
    def records(self) -> int:
        """Records of the movies, as an ordinary CSV reader counts: a broken record counts as two."""
        return self.files[MOVIES].records

    @property
    def movies(self) -> int:
        """Distinct accepted movies."""
        return self.files[MOVIES].accepted

    @property
    def issues(self) -> dict[str, int]:
        """How many rows of `data_issues` the month must give, by issue code, over all files."""
        counted: Counter[str] = Counter()
        for file in self.files.values():
            counted.update(file.issues)
        return {code: counted[code] for code in ISSUES}


@dataclass(frozen=True)
class _Sizes:
    """Good records of each month."""

    movies: list[int]
    credits: list[int]
    ratings: list[int]


def write_sample(
    directory: Path,
    *,
    months: int,
    movies: int,
    seed: int,
    first_month: str = "2017-11",
    credits: int | None = None,
    ratings: int | None = None,
) -> list[SampleMonth]:
    """Write `<directory>/<YYYY-MM>/` for each of `months` consecutive months, with the files of the data set.

    The first month has `movies` movies with their keywords and links, `credits` records of credits (None: one for each
    movie; beyond that, of movies that are not in the file) and `ratings` ratings (None: 20 for each movie); 0 leaves
    that file out. Each month has 0.5 % more. From 200 records on, rejected records are under 5 % of a file; from
    80 to 199 there is one of each kind, under 5 % as well. Files are replaced where they exist, once all are written.

    Raises ValueError for fewer than 20 movies, credits or ratings (too few to hold each kind of defect), for months
    outside 1..240, a negative seed, or a first month that is not `YYYY-MM`.
    """
    if movies < FEWEST:
        raise ValueError(f"movies must be at least {FEWEST} to hold every kind of defect, not {movies}")
    credits = movies if credits is None else credits
    ratings = movies * RATINGS_PER_MOVIE if ratings is None else ratings
    for what, size in (("credits", credits), ("ratings", ratings)):
        if size and size < FEWEST:
            raise ValueError(f"{what} must be 0 or at least {FEWEST} to hold every kind of defect, not {size}")
    if not 1 <= months <= MAX_MONTHS:
        raise ValueError(f"months must be from 1 to {MAX_MONTHS}, not {months}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, but is {seed}")
    names = month_names(first_month, months)
    sizes = _Sizes(month_sizes(movies, months), month_sizes(credits, months), month_sizes(ratings, months))
    with ExitStack() as files:
        plan = [_open(directory / name, number, sizes, seed, files) for number, name in enumerate(names)]
        rated = _write_movies(plan, sizes, seed)
        if ratings:
            by_month = [rated.first(links_of(size)) for size in sizes.movies]
            _write_ratings(plan, sizes.ratings, by_month, [_start(name) for name in names], seed)
    return [
        SampleMonth(month, {name: writer.close() for name, writer in writers.items()})
        for month, writers in zip(names, plan, strict=True)
    ]


def month_names(first_month: str, months: int) -> list[str]:
    """Consecutive months as `YYYY-MM`."""
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", first_month):
        raise ValueError(f"first month must be YYYY-MM, not {first_month!r}")
    start = int(first_month[:4]) * 12 + int(first_month[5:]) - 1
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in range(start, start + months)]


def month_sizes(size: int, months: int) -> list[int]:
    """Records of each month: each has about 0.5 % more than the one before, at least one; none stay none."""
    sizes = [size]
    while len(sizes) < months:
        sizes.append(sizes[-1] + max(1, round(sizes[-1] * GROWTH)) if size else 0)
    return sizes


def _stream(seed: int, purpose: int, *of: int) -> np.random.Generator:
    """Random numbers that depend on nothing but these, whatever was drawn before."""
    return np.random.default_rng([seed, purpose, *of])


def _start(month: str) -> int:
    """Seconds since 1970 when the month begins."""
    return int(dt.datetime.strptime(month + "+0000", "%Y-%m%z").timestamp())


def _open(folder: Path, month: int, sizes: _Sizes, seed: int, files: ExitStack) -> Writers:
    """The files of a month, those without records left out."""
    movies = sizes.movies[month]
    shapes = {
        MOVIES: (tuple(MOVIES_METADATA.columns), movies, "\n"),
        "credits": (credits_file.COLUMNS, sizes.credits[month], "\n"),
        "keywords": (keywords_file.COLUMNS, movies, "\n"),
        "links": (links_file.COLUMNS, links_of(movies), links_file.LINE_END),
        "ratings": (ratings_file.COLUMNS, sizes.ratings[month], ratings_file.LINE_END),
    }
    return {
        name: FileWriter(
            folder, name, columns, size,
            rng=_stream(seed, DEFECTS, number, month), month=month, files=files, line_end=line_end,
        )
        for number, (name, (columns, size, line_end)) in enumerate(shapes.items()) if size
    }  # fmt: skip


def _write_movies(plan: list[Writers], sizes: _Sizes, seed: int) -> RatedMovies:
    """Write all files but the ratings; return what the ratings depend on."""
    pools, credits = build_pools(_stream(seed, POOLS)), Credits(_stream(seed, CREDITS, 0))
    rated = []
    for block in range(-(-max(sizes.movies[-1], sizes.credits[-1]) // BLOCK)):
        first = block * BLOCK
        fixed, appeal = fixed_columns(_stream(seed, FIXED, block), block, sizes.movies[0], pools)
        amounts = draw_amounts(_stream(seed, AMOUNTS, block), appeal)
        keywords = draw_keywords(_stream(seed, KEYWORDS, block, 0))
        links = block_links(first, movie_places(block, sizes.movies[0]), fixed["id"].tolist())
        rated.append(links.rated(amounts.vote_count, amounts.vote_average))
        for month, files in enumerate(plan):
            if month:
                amounts = next_month(amounts, _stream(seed, CHANGES, block, month))
                keywords = more_keywords(_stream(seed, KEYWORDS, block, month), month, keywords)
            columns = fixed | amounts.columns()
            files[MOVIES].write(_rows(*(columns[name] for name in MOVIES_METADATA.columns)))
            files["keywords"].write(_rows(fixed["id"], keywords))
            files["links"].write(links.rows)
        if (size := min(BLOCK, sizes.credits[-1] - first)) > 0:
            cast, crew = credits.draw(_stream(seed, CREDITS, 1, block), first, appeal, size)
            for month, files in enumerate(plan):
                if month:
                    crew = credits.next_month(_stream(seed, CREDITS, 2, block, month), first, month, crew)
                files["credits"].write(_rows(cast, crew, fixed["id"][:size]))
    return RatedMovies.together(rated)


def _rows(*columns: Texts) -> list[tuple[str, ...]]:
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _write_ratings(
    plan: list[Writers], sizes: list[int], rated: list[RatedMovies], starts: list[int], seed: int
) -> None:
    """Write the ratings, cohort of users by cohort: those of the first month, then those who came in each month."""
    first_user = 1
    for cohort, (before, size) in enumerate(pairwise([0, *sizes])):
        movies, seconds = rated[cohort], MONTH_SECONDS if cohort else YEARS_SECONDS
        users = users_of(size - before, len(movies.ids))
        for block in blocks_of(size - before, users):
            rng = _stream(seed, RATINGS, block.number, cohort)
            made = draw_ratings(rng, movies, block, first_user, starts[cohort], seconds)
            for month in range(cohort, len(plan)):
                if month > cohort:
                    made = made.next_month(_stream(seed, MINDS, block.number, cohort, month), starts[month])
                plan[month]["ratings"].write(made.rows())
        first_user += users
