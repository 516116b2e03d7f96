"""Every core and metric table of the real month, the same in all cells on pandas frames and on DuckDB relations."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from movies_platform.contracts import all_tables, qualified
from movies_platform.contracts.frames import typed_frame
from movies_platform.contracts.sources import SOURCES
from movies_platform.raw.reader import RecordReader
from movies_platform_tests.frames import CORE, METRICS, compute
from movies_platform_tests.parsed_stages import Stages

COUNTS = {
    "movies": 45_433, "genres": 20, "companies": 23_693, "movie_genres": 91_015, "movie_companies": 70_476,
    "genre_budget_by_year": 2_021, "company_budget_by_year": 48_883, "company_releases_by_genre_by_year": 130_207,
    "most_popular_genre_by_year": 540,
}  # fmt: skip


@pytest.mark.real
def test_every_function_gives_the_same_cells_on_every_engine(real_data: Path, tmp_path: Path) -> None:
    stages = Stages()
    for source in SOURCES:
        (path,) = (real_data / "the-movies-dataset").glob(f"{source.name}*.csv.gz")
        with gzip.open(path) as stream:
            stages.load(RecordReader(stream, f"{source.name}.csv", source), tmp_path)
    stages.parse()
    parsed = [table for table in all_tables() if table.schema == "parsed"]
    frames: dict[str, pd.DataFrame] = {
        table.name: typed_frame(stages.connection.execute(f"FROM {qualified(table)}").df(), table) for table in parsed
    }
    for name in [*CORE, *METRICS]:  # links before the names of what they link to
        frames[name] = compute(name, frames)  # compares
        assert len(frames[name]) == COUNTS.get(name, len(frames[name]))
    assert len(frames) == len(parsed) + len(CORE) + len(METRICS)
