"""Checks of the files beside the movies: each file is judged by itself, and what is usual is no alarm."""

import pytest

from movies_platform.checks import consistency
from movies_platform_tests.data_stories import (
    BEFORE,
    EARLIER,
    MONTH,
    Connection,
    deliver,
    history,
    many,
    nulled,
    unreadable,
)  # fmt: skip
from movies_platform_tests.file_stories import credited, of_movies, rated, ratings, starred
from movies_platform_tests.judging import judge
from movies_platform_tests.test_contracts_rows import add

VOLUME = ("raw.deliveries", "about_as_many_records_as_before")
KNOWN = "records_are_of_known_movies"
BY_MONTH = ("parsed.parsed_ratings", "ratings_by_month_stay")


def volumes(*months: dict[str, int]) -> object:
    """Files with so many records, oldest month first."""

    def tell(connection: Connection) -> None:
        for month, files in zip((EARLIER, BEFORE, MONTH)[-len(months) :], months, strict=True):
            for file, records in files.items():
                deliver(connection, month, records, file)

    return tell


def test_a_month_that_brings_another_file_has_not_more_records_of_the_others():
    movies = {"movies_metadata.csv": 300}
    assert judge(*VOLUME, volumes(movies, {**movies, "ratings.csv.gz": 90_000})).passed
    assert judge(*VOLUME, volumes({**movies, "ratings.csv.gz": 90_000}, movies)).passed


def test_the_file_that_has_too_few_records_is_named_first():
    movies = {"movies_metadata.csv": 300}
    found = judge(*VOLUME, volumes({**movies, "keywords.csv": 300}, {**movies, "keywords.csv": 30}))
    assert not found.passed
    assert found.message.startswith("keywords: 30 records; the first delta: far fewer than the 300 of 2017-10.")
    assert found.number("keywords_records") == 30
    assert found.number("movies_records") == 300


def test_a_file_is_the_same_under_either_of_its_names():
    movies = {"movies_metadata.csv": 300}
    found = judge(*VOLUME, volumes({**movies, "ratings.csv": 300}, {**movies, "ratings_small.csv.gz": 30}))
    assert "ratings: 30 records; the first delta" in found.message


@pytest.mark.parametrize("before", [0, 100], ids=["then some", "then none"])
def test_a_file_without_records_is_no_fault(before: int):
    movies = {"movies_metadata.csv": 300}
    months = ({**movies, "keywords.csv": before}, {**movies, "keywords.csv": 100 - before})
    assert judge(*VOLUME, volumes(movies, *months)).passed
    assert judge("core.movie_keywords", KNOWN, volumes(*months)).passed


@pytest.mark.parametrize(("shift", "is_cut_off"), [(0, True), (1, False)], ids=["the same", "other pairs"])
def test_a_file_that_was_cut_off_is_told_by_its_whole_key(shift: int, is_cut_off: bool):
    """New ratings are of users and of movies that are all known, which makes them no part of the file before."""

    def tell(connection: Connection) -> None:
        for month, count, moved in ((BEFORE, 300, 0), (MONTH, 30, shift)):
            deliver(connection, month, count, "ratings.csv")
            many(connection, "raw.raw_ratings", count, delivery_month=month, record_number="i", userId="i",
                 movieId=f"i + {moved}")  # fmt: skip

    assert ("cut-off file?" in judge(*VOLUME, tell).message) == is_cut_off


def test_issues_of_one_file_are_no_share_of_another():
    def tell(connection: Connection) -> None:
        nulled(10, 10)(connection)
        nulled(31, 10, "credits.csv")(connection)

    found = judge("raw.data_issues", "few_values_are_changed", tell)
    assert found.number("movies_nulled_share") == 0.01
    assert found.number("credits_nulled_share") == 0.031
    assert not found.passed
    assert {row["file"] for row in found.worst} == {"credits"}


@pytest.mark.parametrize(
    ("file", "table", "column"),
    [("credits.csv", "raw.raw_credits", "cast"), ("links_small.csv", "raw.raw_links", "tmdbId")],
)
def test_a_column_is_looked_for_in_its_own_file(file: str, table: str, column: str):
    check = ("raw.data_issues", "every_column_can_be_read")
    assert judge(*check, unreadable(2, file, table, column)).passed
    found = judge(*check, unreadable(3, file, table, column))
    assert f"30.0% of the values of {column} could not be read" in found.message


@pytest.mark.parametrize(
    ("table", "check"),
    [
        ("parsed.parsed_cast", "names_stay_with_their_ids"),
        ("parsed.parsed_crew", "movies_keep_their_people"),
        ("parsed.parsed_keywords", "names_stay_with_their_ids"),
        ("parsed.parsed_ratings", "ratings_by_month_stay"),
        ("raw.raw_ratings", "ratings_are_not_fewer"),
    ],
)
def test_the_first_month_of_a_file_and_one_without_it_pass(table: str, check: str):
    def tell(connection: Connection) -> None:
        history(connection, BEFORE, 5)
        history(connection, MONTH, 5)
        for file in ("credits.csv", "keywords.csv", "ratings.csv"):
            deliver(connection, MONTH, 5, file)

    assert judge(table, check, tell).passed
    assert judge(table, check, lambda c: history(c, MONTH, 5)).passed


def test_a_movie_that_the_month_does_not_bring_has_not_lost_its_cast():
    def tell(connection: Connection) -> None:
        credited("cast", 0)(connection)
        connection.execute(f"DELETE FROM parsed.parsed_credits WHERE delivery_month = DATE '{MONTH}'")

    check = ("parsed.parsed_cast", "movies_keep_their_people")
    assert judge(*check, tell).passed
    found = judge(*check, credited("cast", 0))
    assert found.worst == [{"movie_id": 1, "cast before": 10, "cast now": 0}]


def test_a_share_of_unknown_movies_that_was_there_before_is_usual():
    assert judge("core.movie_links", KNOWN, of_movies("links", 200, 200)).passed
    assert not judge("core.movie_links", KNOWN, of_movies("links", 200, 20)).passed


def test_links_that_name_no_movie_lead_nowhere():
    def tell(connection: Connection) -> None:
        of_movies("links", 0, 0)(connection)
        connection.execute(f"UPDATE parsed.parsed_links SET movie_id = NULL WHERE delivery_month = DATE '{MONTH}' "
                           "AND movielens_id <= 40")  # fmt: skip

    found = judge("core.movie_links", KNOWN, tell)
    assert not found.passed
    assert "40 of 1,000 records of 2017-11's links (4.00%) are of unknown movies, 40 of them name none" in found.message


def test_ratings_of_movies_without_a_link_are_of_unknown_movies_in_the_first_month_too():
    def tell(connection: Connection) -> None:
        add(connection, "core.movies")
        ratings(connection, MONTH, 1_000)

    assert "1,000 of 1,000 records" in judge("core.ratings", KNOWN, tell).message


def test_a_delta_of_ratings_is_not_shorter():
    assert judge("raw.raw_ratings", "ratings_are_not_fewer", rated(400, 1_000)).passed


@pytest.mark.parametrize(
    ("now", "values", "passes"),
    [
        (499, {"rating": "3.5"}, True), (499, {"rating": "3.4"}, False),
        (499, {"rating": "1", "user_id": "1 + i % 19"}, True),
        (1_000, {"rated_at": "TIMESTAMP '2017-05-01' + INTERVAL (CASE WHEN i < 450 THEN 2 ELSE 0 END) MONTH"}, True),
        (1_000, {"rated_at": "TIMESTAMP '2017-05-01' + INTERVAL (CASE WHEN i < 550 THEN 2 ELSE 0 END) MONTH"}, False),
        (1_000, {"rated_at": "NULL"}, False),
        (1_000, {"rated_at": "make_timestamp((1099511627775 - i) * 1000000)"}, False),
    ],
    ids=[
        "a delta with about the mean", "a delta with another mean", "a delta of few people", "most of a month",
        "half a month gone", "no times", "times of the far future",
    ],
)  # fmt: skip
def test_ratings_are_compared_month_by_month(now: int, values: dict[str, str], passes: bool):
    assert judge(*BY_MONTH, rated(now, 1_000, **values)).passed == passes


def test_times_far_in_the_future_can_be_shown():
    def tell(connection: Connection) -> None:
        ratings(connection, BEFORE, 1_000, rated_at="make_timestamp((1099511627775 - 86400 * 90 * (i % 2)) * 1000000)")
        ratings(connection, MONTH, 1_000)

    assert judge(*BY_MONTH, tell).worst[0]["rated in"].startswith("3681")


@pytest.mark.parametrize("user", [2, 4])
def test_of_many_ratings_those_of_some_users_are_compared(user: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(consistency, "_COMPARED", 1)

    def tell(connection: Connection) -> None:
        starred()(connection)  # three ratings
        for table, stars in (("parsed.parsed_ratings", 1.0), ("core.ratings", 2.0)):
            add(connection, table, user_id=user, rating=stars, **({"movie_id": 7} if table == "core.ratings" else {}))

    assert judge("core.ratings", "every_rating_is_newest", tell).passed == (user != 4)


@pytest.mark.parametrize("stored", [{"movie_id": 8}, {"movielens_id": 2}], ids=["another movie", "without a link"])
def test_a_rating_has_the_movie_of_its_link(stored: dict[str, int]):
    assert not judge("core.ratings", "every_rating_is_newest", starred(**stored)).passed
