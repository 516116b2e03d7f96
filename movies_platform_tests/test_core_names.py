"""One name for each id: the most frequent in the newest month that delivers the id."""

import pytest

from movies_platform_tests.test_core_present import NOVEMBER, OCTOBER, SEPTEMBER, deliver, refreshed, stored

__all__ = ["stored"]  # a fixture


def name_of(connection: object, number: int = 1) -> object:
    """The genre's name after a refresh."""
    return dict(refreshed(connection)["genres"])[number]


@pytest.mark.parametrize(
    ("names", "wins"),
    [(["B", "A", "B"], "B"), (["B", "A"], "A"), (["b", "B"], "B"), (["é", "z"], "z"), (["A"], "A")],
    ids=["most frequent", "tie: alphabetically", "tie: by code point", "tie: accents last", "only one"],
)
def test_of_several_names_in_a_month(stored, names: list[str], wins: str):
    for movie, name in enumerate(names, start=1):
        deliver(stored, OCTOBER, movie, genres={1: name})
    assert name_of(stored) == wins


def test_the_newest_month_that_has_the_id_decides_not_the_majority(stored):
    for movie in (1, 2, 3):
        deliver(stored, SEPTEMBER, movie, genres={1: "old"})
    deliver(stored, OCTOBER, 4, genres={1: "new"})
    deliver(stored, NOVEMBER, 5, genres={2: "another"})
    assert name_of(stored) == "new"


def test_a_month_counts_even_when_its_movies_are_superseded(stored):
    deliver(stored, SEPTEMBER, 1, genres={1: "old"})
    deliver(stored, OCTOBER, 2, genres={1: "new"})
    deliver(stored, NOVEMBER, 2)
    assert name_of(stored) == "new"


def test_an_older_month_that_comes_late_changes_no_name(stored):
    deliver(stored, NOVEMBER, 1, genres={1: "new"})
    assert name_of(stored) == "new"
    deliver(stored, SEPTEMBER, 2, genres={1: "old"})
    deliver(stored, SEPTEMBER, 3, genres={1: "old"})
    assert name_of(stored) == "new"


def test_two_ids_may_share_a_name(stored):
    deliver(stored, OCTOBER, 1, companies={7: "X", 8: "X"})
    assert refreshed(stored)["companies"] == [(7, "X"), (8, "X")]
