"""The real month: its records, and the three that the data set breaks in two."""

import gzip

import pytest

from movies_platform.contracts.sources import MOVIES_METADATA
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
