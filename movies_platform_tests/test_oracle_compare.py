"""Comparing with the oracle: what is told apart, and what is not."""

from typing import Any

import pytest

from movies_platform_tests.oracle_compare import differences
from movies_platform_tests.oracle_deliveries import month
from movies_platform_tests.oracle_reading import Issue

RATED = (5, 10, 7.25, 6.5, 2, 4.0)
ISSUE = Issue(month(1), "links.csv", 3, 862, "imdbId", "invalid_id", "nulled", "x")


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        ([RATED], []),
        ([(5, 10, 7.25 + 1e-12, 6.5, 2, 4.0)], []),
        ([(5, 11, 7.25, 6.5, 2, None)], ["votes is 11, not 10", "mean_rating is None, not 4.0"]),
        ([(6, *RATED[1:])], ["missing", "not expected"]),
        ([RATED, RATED], ["1 keys twice"]),
    ],
    ids=["same", "nearly", "cells", "key", "twice"],
)
def test_rows_are_compared_by_key(found: list[tuple], lines: list[str]):
    told = differences("metrics.movie_ratings", [RATED], found)
    assert sorted(line.partition(": ")[2] for line in told) == sorted(lines)


@pytest.mark.parametrize(
    ("changed", "count"),
    [
        ({}, 0), ({"source_file": "links.csv.gz"}, 0), ({"value": "y"}, 1), ({"movie_id": None}, 2),
        ({"action": "dropped"}, 2), ({"record_number": 4, "value": None}, 3),
    ],
)  # fmt: skip
def test_issues_are_compared_but_for_what_is_open(changed: dict[str, Any], count: int):
    assert len(differences("raw.data_issues", [ISSUE], [ISSUE._replace(**changed)])) == count


def test_the_movie_and_text_of_a_record_with_other_columns_are_open():
    oracle = ISSUE._replace(issue="column_count", movie_id=None, value=None)
    assert differences("raw.data_issues", [oracle], [oracle._replace(movie_id=7, value="1,2")]) == []
    assert len(differences("raw.data_issues", [oracle, oracle], [oracle])) == 1
