"""Made-up monthly deliveries of The Movies Dataset, for trials, tests and measurements at any size.

Writes `movies_metadata.csv` in the real format: 24 columns, nested columns as Python's `repr` writes
them, about 770 bytes a record, minimal CSV quoting. Every month is the whole history again, with
0.5 % new movies, other popularity and votes for 10 % of the old ones and other money for 1 %.

Odd on purpose: every kind of dirt that the platform reports is in every month, in known numbers, so
that a run can be checked exactly against the `SampleMonth` that describes the file. Company names
carry what real ones do: apostrophes, both kinds of quotes, accents, Japanese, `\\xa0`, tabs,
backslashes, commas; a name may belong to several ids. US dates, numbers with spaces around them,
blank fields and quoted line breaks are in it too and are no issue.

The same arguments give the same bytes, with one version of numpy on one kind of processor. Genres,
countries and languages are the real ones; titles, people, companies and texts are invented.
"""

from dataclasses import dataclass
from pathlib import Path

COLUMNS = (
    "adult",
    "belongs_to_collection",
    "budget",
    "genres",
    "homepage",
    "id",
    "imdb_id",
    "original_language",
    "original_title",
    "overview",
    "popularity",
    "poster_path",
    "production_companies",
    "production_countries",
    "release_date",
    "revenue",
    "runtime",
    "spoken_languages",
    "status",
    "tagline",
    "title",
    "video",
    "vote_average",
    "vote_count",
)
MIN_MOVIES = 20
MAX_MONTHS = 240


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
    records alone are more. Files are replaced where they exist, and appear whole or not at all.

    Raises ValueError for fewer than 20 movies (too few to hold each kind of dirt), for months
    outside 1..240, a negative seed, or a first month that is not `YYYY-MM`.
    """
    # numpy is loaded here, not when a command line merely lists its commands.
    from movies_platform.sample.writing import write_months

    if movies < MIN_MOVIES:
        raise ValueError(f"movies must be at least {MIN_MOVIES} to hold every kind of dirt, not {movies}")
    if not 1 <= months <= MAX_MONTHS:
        raise ValueError(f"months must be from 1 to {MAX_MONTHS}, not {months}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, but is {seed}")
    return write_months(directory, months, movies, seed, first_month)
