"""Popularity: four measures, what is unknown, and who wins a tie."""

import pytest

from movies_platform_tests.frames import Movie, compute, state, tuples


def popular(year: int, *genres_and_popularities: tuple[int, float | None]) -> list[Movie]:
    """One movie for each pair of genre and popularity."""
    return [
        Movie(number, year, popularity=popularity, genres=(genre,), companies=(genre,))
        for number, (genre, popularity) in enumerate(genres_and_popularities, start=1)
    ]


def winners(*genres_and_popularities: tuple[int, float | None]) -> dict[str, int]:
    """Winning genre by measure."""
    frame = compute("most_popular_genre_by_year", state(*popular(2000, *genres_and_popularities)))
    assert set(frame["year"]) <= {2000}
    return dict(zip(frame["measure"], frame["genre_id"], strict=True))


@pytest.mark.parametrize(
    ("popularities", "total", "mean", "median", "highest"),
    [
        ([4.0], 4.0, 4.0, 4.0, 4.0),
        ([1.0, 4.0], 5.0, 2.5, 2.5, 4.0),
        ([1.0, 9.0, 2.0], 12.0, 4.0, 2.0, 9.0),
        ([1.0, None, 3.0], 4.0, 2.0, 2.0, 3.0),
        ([0.0, None], 0.0, 0.0, 0.0, 0.0),
        ([None, None], None, None, None, None),
    ],
    ids=["one", "two", "three", "one unknown", "zero is known", "none known"],
)
def test_movies_without_popularity_do_not_count(popularities, total, mean, median, highest):
    frames = state(*popular(2000, *((1, p) for p in popularities)))
    count = len(popularities)
    assert tuples(compute("company_popularity_by_year", frames)) == [
        (2000, 1, "company 1", count, mean, median, highest)
    ]
    found = compute("genre_popularity_by_year", frames)
    (found,) = found.to_dict("records")
    assert found["movies"] == count
    measured = [found[f"{m}_popularity"] for m in ("total", "mean", "median", "max")]
    assert [None if m != m else m for m in measured] == [total, mean, median, highest]


def test_each_measure_may_have_another_winner():
    assert winners((1, 4.0), (1, 4.0), (1, 4.0), (2, 10.0), (2, 1.0), (2, 0.0), (3, 5.0), (3, 5.0)) == {
        "max": 2, "mean": 3, "median": 3, "total": 1,
    }  # fmt: skip


def test_the_winner_is_told_with_its_measure_and_the_movies_that_count():
    frames = state(*popular(2000, (1, 3.0), (1, 5.0), (1, None), (2, 1.0)))
    assert tuples(compute("most_popular_genre_by_year", frames)) == [
        (2000, "max", 1, "genre 1", 5.0, 2),
        (2000, "mean", 1, "genre 1", 4.0, 2),
        (2000, "median", 1, "genre 1", 4.0, 2),
        (2000, "total", 1, "genre 1", 8.0, 2),
    ]


def test_of_equally_popular_genres_the_one_with_more_movies_wins():
    found = winners((1, 2.0), (2, 2.0), (2, 2.0))
    assert (found["mean"], found["median"], found["max"]) == (2, 2, 2)


@pytest.mark.parametrize(
    ("measure", "many", "few"),
    [("total", [0.1] * 10, [1.0]), ("mean", [0.3, 0.2, 0.1, 0.3, 0.1], [0.1, 0.2, 0.3])],
)
def test_the_last_digit_of_a_sum_decides_no_tie(measure: str, many: list[float], few: list[float]):
    found = winners(*((9, p) for p in many), *((5, p) for p in few))
    assert found[measure] == 9


def test_the_sixth_decimal_decides():
    assert set(winners((1, 0.000002), (2, 0.000001)).values()) == {1}


def test_movies_without_popularity_do_not_decide_a_tie():
    assert set(winners((1, 2.0), (2, 2.0), (2, None)).values()) == {1}


def test_of_genres_with_as_many_movies_the_smaller_id_wins():
    assert set(winners((30, 2.0), (4, 2.0)).values()) == {4}


def test_a_genre_without_known_popularity_never_wins():
    assert set(winners((1, None), (1, None), (2, 0.0)).values()) == {2}


def test_a_year_without_known_popularity_has_no_winner():
    assert winners((1, None), (2, None)) == {}
