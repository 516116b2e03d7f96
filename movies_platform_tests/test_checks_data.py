"""Checks that watch the data: what they say, and that a delta is no alarm."""

import pytest

from movies_platform.checks.baseline import usual_range, usual_share
from movies_platform_tests.data_stories import (
    BEFORE,
    DATA_STORIES,
    KNOWN,
    MONTH,
    Connection,
    amounts,
    history,
    items,
    popularity,
    present,
    records,
    versions,
)  # fmt: skip
from movies_platform_tests.judging import find, judge

VOLUME = ("raw.deliveries", "about_as_many_records_as_before")


def test_bounds_are_wide_after_one_value_and_narrow_with_more():
    assert usual_range([100], 2.0) == pytest.approx((50, 200))
    assert usual_range([100] * 4, 2.0) == pytest.approx((100 / 2**0.5, 100 * 2**0.5))
    low, high = usual_range([90, 100, 110, 95, 105, 100], 2.0)
    assert 60 < low < 80
    assert 125 < high < 150


def test_one_wild_month_does_not_widen_the_bounds_that_the_others_show():
    calm = usual_range([100] * 11, 2.0)
    assert usual_range([100] * 10 + [5_000], 2.0) == pytest.approx(calm)


def test_months_of_long_ago_are_forgotten():
    assert usual_range([5] * 50 + [100] * 12, 2.0) == usual_range([100] * 12, 2.0)


@pytest.mark.parametrize("extra", [1, 3], ids=["new movies", "changed movies here and there"])
def test_the_first_delta_warns_and_the_next_does_not(extra: int):
    movies = f"i * {extra} + {300 if extra == 1 else 0}"
    first = judge(*VOLUME, records(30, 300, movie_id=movies))
    assert not first.passed
    assert "the first delta: far fewer than the 300 of 2017-10" in first.message
    assert "cut-off" not in first.message

    def tell(connection: Connection) -> None:
        history(connection, BEFORE.replace(month=9), 300)
        history(connection, BEFORE, 30, movie_id=movies)
        history(connection, MONTH, 30, movie_id=movies)

    assert judge(*VOLUME, tell).passed


def test_a_file_that_was_cut_off_is_told_from_a_delta():
    found = judge(*VOLUME, records(30, 300))
    assert not found.passed
    assert "cut-off file?" in found.message
    assert found.number("movies_density") == 1.0


def test_deltas_are_compared_with_deltas_and_histories_with_histories():
    def tell(connection: Connection, now: int) -> None:
        history(connection, BEFORE.replace(month=8), 1_000)
        for month in (BEFORE.replace(month=9), BEFORE):
            history(connection, month, 50, movie_id="i * 20")
        history(connection, MONTH, now, movie_id="i * 7")

    assert judge(*VOLUME, lambda c: tell(c, 60)).passed
    assert not judge(*VOLUME, lambda c: tell(c, 400)).passed
    assert judge(*VOLUME, lambda c: tell(c, 900)).passed


def test_values_of_a_delta_are_compared_movie_by_movie():
    def tell(connection: Connection) -> None:
        history(connection, BEFORE, 100, budget_usd="CASE WHEN i > 50 THEN 1 END", popularity="i")
        history(connection, MONTH, 5, movie_id="i", budget_usd="NULL", popularity="i")

    for check in ("amounts_stay_known", "popularity_keeps_its_scale"):
        assert judge("parsed.parsed_movies", check, tell).passed


@pytest.mark.parametrize(
    ("table", "check"),
    [
        ("parsed.parsed_movies", "amounts_stay_known"),
        ("parsed.parsed_movies", "popularity_keeps_its_scale"),
        ("parsed.parsed_genres", "ids_are_known"),
        ("parsed.parsed_companies", "names_stay_with_their_ids"),
        ("raw.data_issues", "few_values_are_changed"),
    ],
)
def test_the_first_month_of_all_passes(table: str, check: str):
    assert judge(table, check, lambda c: history(c, MONTH, 5)).passed


def test_the_worst_offenders_are_shown_under_their_columns():
    wrong = judge(
        "core.movies", "budgets_fit_revenues", present(title="Modern Times", budget_usd=1.0, revenue_usd=8.5e6)
    )
    assert wrong.worst[0] == {
        "movie_id": 1, "title": "Modern Times", "release_year": 1, "budget_usd": 1.0, "revenue_usd": 8.5e6,
    }  # fmt: skip
    renamed = judge("parsed.parsed_genres", "names_stay_with_their_ids", items("genre", {**KNOWN, 2: "another"}, KNOWN))
    assert [list(row.values()) for row in renamed.worst] == [[2, "name 2", "another"]]
    drifted = judge("parsed.parsed_movies", "popularity_keeps_its_scale", popularity("i * 10"))
    assert list(drifted.worst[0].values())[2:] == [1.0, 10.0, 10.0]


def test_losses_of_known_amounts_are_not_hidden_by_gains():
    def tell(connection: Connection) -> None:
        history(connection, BEFORE, 100, budget_usd="CASE WHEN i <= 50 THEN 1e6 END", revenue_usd="NULL")
        history(connection, MONTH, 100, budget_usd="CASE WHEN i > 25 THEN 1e6 END", revenue_usd="NULL")

    found = judge("parsed.parsed_movies", "amounts_stay_known", tell)
    assert not found.passed
    assert "Budget unknown for 25.0% of 100 movies, lost for 25 of 50 that were known" in found.message
    assert found.number("budget_lost_share") == 0.5
    assert len(found.worst) == 20


def test_numbers_are_given_month_by_month():
    found = judge("parsed.parsed_movies", "amounts_stay_known", amounts("CASE WHEN i > 2 THEN 1 END"))
    assert found.number("budget_unknown_share") == pytest.approx(3 / 4_001, abs=1e-4)
    assert found.number("budget_lost_share") == pytest.approx(2 / 4_000, abs=1e-4)


def test_a_dirty_month_is_not_learned_from():
    assert usual_share([0.004, 0.16]) == usual_share([0.004])
    assert usual_share([]) == 0.01


def test_a_history_with_a_gap_fails():
    gap = versions((BEFORE.replace(month=9), BEFORE, 1.0), (MONTH, None, 2.0))
    assert not judge("core.movie_history", "history_ends_in_the_present", gap).passed


def test_a_check_that_compares_months_never_blocks():
    """Its outcome depends on which months are there, and the tables must not depend on the order of deliveries."""
    compared = [key for key in DATA_STORIES if key[0].startswith(("raw.", "parsed."))]
    assert {name for table, name in compared for spec in find(table, name).check_specs if spec.blocking} == set()
