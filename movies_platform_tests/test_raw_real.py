"""The real month: its records, and the three that the data set breaks in two."""

import gzip

import pytest

from movies_platform.contracts.sources import MOVIES_METADATA
from movies_platform.raw import parquet as parquet_module
from movies_platform.raw.pieces import starts_of
from movies_platform.raw.reader import RecordReader
from movies_platform_tests.parsed_stages import Stages

pytestmark = pytest.mark.real

BROKEN = [
    (82663, "Midnight Man", "1997-08-20", "\r - Written by Ørnås", "False"),
    (122662, "Mardock Scramble: The Third Exhaust", "2012-09-29", "\r Rune Balot goes to", "False"),
    (249260, "Avalanche Sharks", "2014-01-01", "\r Avalanche Sharks tells", "False"),
]


@pytest.fixture(scope="module")
def month(real_data, tmp_path_factory):
    with gzip.open(real_data / "the-movies-dataset" / "movies_metadata.csv.gz") as file:
        stages = Stages()
        reading = stages.load(
            RecordReader(file, "movies_metadata.csv", MOVIES_METADATA), tmp_path_factory.mktemp("scratch")
        )
    stages.parse()
    yield stages, reading
    stages.close()


def test_every_record_is_accounted_for(month):
    stages, reading = month
    codes = dict(stages.rows("SELECT issue, count(*) FROM raw.data_issues GROUP BY 1"))
    ((accepted,),) = stages.rows("SELECT count(*) FROM parsed.parsed_movies")
    assert codes == {"duplicate_id": 30, "broken_record": 3}
    assert (reading.records, reading.joined) == (45_466, 3)
    assert reading.records == accepted + reading.joined + codes["duplicate_id"]


def test_the_broken_movies_have_their_columns_in_place(month):
    stages, _ = month
    rows = stages.rows(
        "SELECT movie_id, p.title, p.release_date::VARCHAR, overview, adult FROM parsed.parsed_movies p "
        "JOIN raw.raw_movies USING (record_number) "
        "WHERE record_number IN (SELECT record_number FROM raw.data_issues WHERE issue = 'broken_record') ORDER BY 1"
    )
    for (*found, overview, adult), (*expected, rest, expected_adult) in zip(rows, BROKEN, strict=True):
        assert (found, adult) == (expected, expected_adult)
        assert rest in str(overview)


def rows_of(path, folder, cores):
    stages = Stages()
    with path.open("rb") as file:
        stages.load(RecordReader(file, path.name, MOVIES_METADATA), folder, cores=cores)
    found = [stages.rows(f"FROM {table} ORDER BY ALL") for table in ("raw.raw_movies", "raw.data_issues")]
    stages.close()
    return found


@pytest.fixture(scope="module")
def whole_month(real_data, tmp_path_factory):
    return rows_of(real_data / "deliveries" / "2017-12.csv", tmp_path_factory.mktemp("whole"), cores=1)


@pytest.mark.parametrize("pieces", [2, 7, 64])
def test_a_dirty_month_is_the_same_in_pieces(real_data, whole_month, tmp_path, monkeypatch, pieces):
    path = real_data / "deliveries" / "2017-12.csv"
    monkeypatch.setattr(parquet_module, "PIECE_BYTES", path.stat().st_size // pieces + 1)
    with path.open("rb") as file:
        assert len(starts_of(RecordReader(file, path.name, MOVIES_METADATA), parquet_module.PIECE_BYTES)) == pieces
    assert rows_of(path, tmp_path, cores=2) == whole_month
