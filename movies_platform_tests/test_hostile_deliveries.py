"""The hostile deliveries hold what they promise: dirt of every kind, and only the planned refusals."""

from pathlib import Path

import pytest

from movies_platform_tests.hostile_deliveries import Made, hostile_deliveries
from movies_platform_tests.oracle import Expected, Refused, expected
from movies_platform_tests.oracle_compare import differences

SEEDS = range(6)
# (file, column, issue) of all that is found, whatever the seed.
FOUND = {
    *[("movies_metadata", None, issue) for issue in ("broken_record", "column_count")],
    *[("movies_metadata", "id", issue) for issue in ("invalid_id", "duplicate_id")],
    ("movies_metadata", "release_date", "invalid_date"),
    *[("movies_metadata", column, "invalid_number")
      for column in ("budget", "revenue", "popularity", "vote_average", "vote_count", "runtime")],
    *[("movies_metadata", "belongs_to_collection", issue) for issue in ("invalid_list", "invalid_item")],
    *[(file, column, issue)
      for file, columns in {
          "movies_metadata": ("genres", "production_companies", "production_countries", "spoken_languages"),
          "credits": ("cast", "crew"), "keywords": ("keywords",),
      }.items()
      for column in columns for issue in ("invalid_list", "invalid_item", "duplicate_item")],
    *[(file, "id", issue) for file in ("credits", "keywords") for issue in ("invalid_id", "duplicate_id")],
    *[("links", column, "invalid_id") for column in ("movieId", "imdbId", "tmdbId")],
    ("links", "movieId", "duplicate_id"),
    *[("ratings", column, "invalid_id") for column in ("userId", "movieId")],
    ("ratings", None, "duplicate_id"),
    *[("ratings", column, "invalid_number") for column in ("rating", "timestamp")],
    *[(file, None, "column_count") for file in ("credits", "keywords", "links", "ratings")],
}  # fmt: skip


@pytest.fixture(scope="module", params=SEEDS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Made]:
    return hostile_deliveries(tmp_path_factory.mktemp("hostile"), request.param)


@pytest.fixture(scope="module")
def found(made: list[Made]) -> Expected:
    return expected(delivery for delivery, _ in made)


def test_only_the_planned_deliveries_are_refused(made: list[Made], found: Expected):
    planned = [Refused(number, *refused) for number, (_, refused) in enumerate(made) if refused]
    assert found.refused == planned
    assert len(planned) == 2


def test_every_kind_of_dirt_is_found(found: Expected):
    issues = {
        (file.removesuffix(".gz").removesuffix(".csv").removesuffix("_small"), column, issue)
        for _, file, _, _, column, issue, *_ in found.tables["raw.data_issues"]
    }
    assert issues == FOUND


def test_every_table_has_rows_and_every_file_adds_up(found: Expected):
    assert [name for name, rows in found.tables.items() if not rows] == []
    for (_, file), account in found.accounts.items():
        assert account.records == account.accepted + account.rejected + account.joined, file


def test_no_key_stands_twice_in_a_table(found: Expected):
    for name, rows in found.tables.items():
        assert differences(name, rows, rows) == []


def test_a_seed_writes_the_same_bytes(tmp_path: Path):
    def written(folder: str) -> dict[str, bytes]:
        (tmp_path / folder).mkdir()
        hostile_deliveries(tmp_path / folder, 5)
        return {str(p.relative_to(tmp_path / folder)): p.read_bytes() for p in (tmp_path / folder).rglob("*.*")}

    assert written("one") == written("two")
