"""The oracle's tables, pinned to the specification by small cases (on the real months: test_real_months)."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from movies_platform_tests.oracle import Expected, Refused, expected, percentile_90
from movies_platform_tests.oracle_deliveries import deliver, month
from movies_platform_tests.oracle_reading import Delivery

Make = Callable[..., Delivery]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda number=1, **files: deliver(tmp_path, number, **files)


def table(name: str, *deliveries: Delivery) -> list[tuple]:
    return sorted(expected(deliveries).tables[name], key=str)


def pairs(*ids_and_names: tuple[int, str]) -> str:
    return str([{"id": number, "name": name} for number, name in ids_and_names])


def credit(credit_id: str, person: int, name: str, **more: object) -> dict[str, object]:
    return {"credit_id": credit_id, "id": person, "name": name, **more}


def rows_of(found: Expected) -> dict[str, list[tuple]]:
    return {name: sorted(rows, key=str) for name, rows in found.tables.items()}


def test_the_newest_month_of_each_file_counts_in_any_order(make: Make):
    old = make(
        1, movies_metadata=[{"id": 1, "title": "old", "genres": pairs((7, "G"))}, {"id": 2, "title": "kept"}],
        keywords=[{"id": 1, "keywords": pairs((3, "k"))}, {"id": 2, "keywords": pairs((4, "l"))}],
    )  # fmt: skip
    new = make(2, movies_metadata=[{"id": 1, "title": "new"}], keywords=[{"id": 1, "keywords": "[]"}])
    bare = make(3, movies_metadata=[{"id": 3, "title": "third"}])
    orders = [rows_of(expected(order)) for order in itertools.permutations((old, new, bare))]
    assert all(tables == orders[0] for tables in orders)
    assert [(row[0], row[2], row[15]) for row in orders[0]["core.movies"]] == [
        (1, "new", month(2)), (2, "kept", month(1)), (3, "third", month(3)),
    ]  # fmt: skip
    assert (orders[0]["core.movie_genres"], orders[0]["core.genres"]) == ([], [])
    assert (orders[0]["core.movie_keywords"], orders[0]["core.keywords"]) == ([(2, 4)], [(4, "l")])


def test_a_delivery_replaces_its_month_and_a_refused_one_changes_nothing(make: Make):
    first = make(1, movies_metadata=[{"id": 1}, {"id": 2}], keywords=[{"id": 2, "keywords": pairs((3, "k"))}])
    second = make(1, movies_metadata=[{"id": 2}])
    refused = make(1, movies_metadata=[{"id": 9}], links="movieId\n")
    found = expected([first, second, refused])
    assert found.refused == [Refused(2, "links.csv", "missing_column")]
    assert [row[0] for row in found.tables["core.movies"]] == [2]
    assert found.tables["core.movie_keywords"] == []
    assert list(found.accounts) == [("2017-01", "movies_metadata.csv")]


def test_a_name_is_the_most_frequent_of_the_newest_month_that_has_the_id(make: Make):
    def keywords(*names: str) -> list[dict[str, object]]:
        return [{"id": n, "keywords": pairs((3, name))} for n, name in enumerate(names, 1)]

    assert table("core.keywords", make(1, keywords=keywords("a", "b", "b"))) == [(3, "b")]
    assert table("core.keywords", make(1, keywords=keywords("b", "a", "b", "a"))) == [(3, "a")]
    unknown = [{"id": 99, "keywords": pairs((3, "z"))}]  # names of movies that are not present count too
    assert table("core.keywords", make(1, keywords=keywords("a", "a")), make(2, keywords=unknown)) == [(3, "z")]
    assert table("core.keywords", make(2, keywords=keywords("a")), make(1, keywords=unknown)) == [(3, "a")]


def test_a_country_takes_its_name_from_the_newest_month_that_has_one(make: Make):
    def movie(name: str | None) -> list[dict[str, object]]:
        return [{"id": 1, "production_countries": str([{"iso_3166_1": "XC", "name": name}])}]

    assert table("core.countries", make(1, movies_metadata=movie("")), make(2, movies_metadata=movie(None))) == [
        ("XC", None)
    ]
    assert table("core.countries", make(1, movies_metadata=movie("C")), make(2, movies_metadata=movie(""))) == [
        ("XC", "C")
    ]


def test_languages_hold_those_that_are_spoken_and_the_original_ones(make: Make):
    spoken = "[{'iso_639_1': 'de', 'name': 'Deutsch'}, {'iso_639_1': 'xx', 'name': ''}]"
    earlier = make(1, movies_metadata=[{"id": 1, "spoken_languages": "[{'iso_639_1': 'fr', 'name': 'Français'}]"}])
    later = make(2, movies_metadata=[{"id": 1, "original_language": "fr", "spoken_languages": spoken}])
    assert table("core.languages", earlier, later) == [("de", "Deutsch"), ("fr", "Français"), ("xx", None)]
    assert table("core.movie_languages", earlier, later) == [(1, "de"), (1, "xx")]


def test_a_collection_belongs_to_the_version_of_the_movie(make: Make):
    old = make(1, movies_metadata=[{"id": 1, "belongs_to_collection": "{'id': 3, 'name': 'Old'}"}])
    new = make(2, movies_metadata=[{"id": 1}, {"id": 2, "belongs_to_collection": "{'id': 4, 'name': 'New'}"}])
    assert table("core.collections", old, new) == [(4, "New")]
    assert [(row[0], row[-1]) for row in table("core.movies", old, new)] == [(1, None), (2, 4)]


def test_people_are_those_of_present_movies_named_by_all_rows_of_the_month(make: Make):
    cast = [credit("c", 5, "Ann", gender=1, character="Eve", order=2), credit("d", 6, "Bob", gender=7)]
    crew = [credit("c", 5, "Anna", gender=0, department="Art", job="Painter")]
    unknown = [credit("e", 5, "Anna", gender=2), credit("f", 8, "Nobody")]
    rows = [{"id": 1, "cast": str(cast), "crew": str(crew)}, {"id": 99, "cast": str(unknown), "crew": "[]"}]
    one, two = make(1, credits=rows), make(2, credits=[{"id": 98, "cast": str([credit("x", 6, "Rob")]), "crew": ""}])
    assert table("core.movie_cast", one, two) == [(1, "c", 5, "Eve", 2), (1, "d", 6, None, None)]
    assert table("core.movie_crew", one, two) == [(1, "c", 5, "Art", "Painter")]
    assert table("core.people", one, two) == [(5, "Anna", "female"), (6, "Rob", None)]


def test_only_links_and_ratings_of_present_movies_are_kept(make: Make):
    links = [{"movieId": 10, "tmdbId": 1, "imdbId": 7}, {"movieId": 11, "tmdbId": 99}, {"movieId": 12, "tmdbId": 1}]
    ratings = [{"userId": 1, "movieId": m, "rating": 3, "timestamp": 9} for m in (10, 11, 12, 13)]
    one = make(1, links=links, ratings=ratings)
    two = make(
        2,
        links=[{"movieId": 12}, {"movieId": 14, "tmdbId": 1}],
        ratings=[{"userId": 1, "movieId": 10, "rating": 4.5}],
    )
    assert table("core.movie_links", one, two) == [(10, 1, "tt0000007"), (14, 1, None)]
    assert table("core.ratings", one, two) == [(1, 10, 1, 4.5, None)]
    assert table("core.ratings", one) == [(1, 10, 1, 3.0, 9), (1, 12, 1, 3.0, 9)]


@pytest.fixture
def asked(make: Make) -> dict[str, list[tuple]]:
    """Three movies of 2000 in genres 1 and 2, a rival genre of 2001, one movie without a year."""
    both, one = pairs((1, "A"), (2, "B")), pairs((1, "A"))
    columns = ("id", "release_date", "genres", "budget", "revenue", "popularity", "vote_count", "vote_average")
    rows = [
        (1, "2000-01-01", both, 10, 30, 4, 30, 8), (2, "2000-05-01", one, 5, 0, 1, 10, 4),
        (3, "2000-06-01", one, 0, 7, "", 0, 9), (4, "2001-01-01", both, 0, 0, 2, 5, ""), (5, "", both, 9, 9, 9, 20, 6),
    ]  # fmt: skip
    movies = [dict(zip(columns, row, strict=True), production_companies=pairs((8, "Co"))) for row in rows]
    links = [{"movieId": 10 + n, "tmdbId": n} for n in (1, 3, 4)]
    rated = [(1, 11, 5), (2, 11, 4), (1, 13, 3), (1, 14, 2)]
    ratings = [dict(zip(("userId", "movieId", "rating"), r, strict=True)) for r in rated]
    return rows_of(expected([make(movies_metadata=movies, links=links, ratings=ratings)]))


def test_money_of_a_genre(asked: dict[str, list[tuple]]):
    assert asked["metrics.genre_budget_by_year"] == [
        (1, 2000, "A", 3, 2, 15.0, 10.0), (1, 2001, "A", 1, 0, None, None),
        (2, 2000, "B", 1, 1, 10.0, 5.0), (2, 2001, "B", 1, 0, None, None),
    ]  # fmt: skip
    assert asked["metrics.company_revenue_by_year"][0] == (8, 2000, "Co", 3, 2, 37.0, 37.0)
    assert asked["metrics.genre_profit_by_year"][0] == (1, 2000, "A", 3, 1, 20.0, 10.0)


def test_popularity_and_releases(asked: dict[str, list[tuple]]):
    assert asked["metrics.genre_popularity_by_year"][0] == (1, 2000, "A", 3, 5.0, 2.5, 2.5, 4.0)
    assert asked["metrics.company_popularity_by_year"][0] == (8, 2000, "Co", 3, 2.5, 2.5, 4.0)
    assert asked["metrics.company_releases_by_genre_by_year"] == [
        (8, 1, 2000, "Co", "A", 3), (8, 1, 2001, "Co", "A", 1),
        (8, 2, 2000, "Co", "B", 1), (8, 2, 2001, "Co", "B", 1),
    ]  # fmt: skip


def test_the_most_popular_genre_has_more_movies_or_the_smaller_id(asked: dict[str, list[tuple]]):
    assert asked["metrics.most_popular_genre_by_year"] == [
        (2000, "max", 1, "A", 4.0, 2), (2000, "mean", 2, "B", 4.0, 1),
        (2000, "median", 2, "B", 4.0, 1), (2000, "total", 1, "A", 5.0, 2),
        *[(2001, measure, 1, "A", 2.0, 1) for measure in ("max", "mean", "median", "total")],
    ]  # fmt: skip


# Voted on are movies 1, 2 and 5: 30, 10 and 20 votes, so m = 28, and C = (8 + 4 + 6) / 3 = 6.
WEIGHTED = {1: 30 / 58 * 8 + 28 / 58 * 6, 2: 10 / 38 * 4 + 28 / 38 * 6, 5: 6.0}


def test_ratings_of_a_movie(asked: dict[str, list[tuple]]):
    assert asked["metrics.movie_ratings"] == [
        (1, 30, 8.0, pytest.approx(WEIGHTED[1]), 2, 4.5), (2, 10, 4.0, pytest.approx(WEIGHTED[2]), 0, None),
        (3, None, None, None, 1, 3.0), (4, None, None, None, 1, 2.0), (5, 20, 6.0, pytest.approx(6.0), 0, None),
    ]  # fmt: skip


def test_ratings_of_a_genre_and_a_company(asked: dict[str, list[tuple]]):
    mean_weighted = pytest.approx((WEIGHTED[1] + WEIGHTED[2]) / 2)
    assert asked["metrics.genre_ratings_by_year"] == [
        (1, 2000, "A", 3, 40, 7.0, mean_weighted, 3, 4.0), (1, 2001, "A", 1, 0, None, None, 1, 2.0),
        (2, 2000, "B", 1, 30, 8.0, pytest.approx(WEIGHTED[1]), 2, 4.5), (2, 2001, "B", 1, 0, None, None, 1, 2.0),
    ]  # fmt: skip
    assert asked["metrics.company_ratings_by_year"][0] == (8, 2000, "Co", 3, 40, 7.0, mean_weighted, 3, 4.0)


def test_the_best_rated_genre_has_a_row_where_a_measure_is_above_0(asked: dict[str, list[tuple]]):
    assert asked["metrics.best_rated_genre_by_year"] == [
        (2000, "mean_rating", 2, "B", 4.5, 1), (2000, "mean_vote", 2, "B", 8.0, 1), (2000, "ratings", 1, "A", 3, 3),
        (2000, "votes", 1, "A", 40, 3), (2000, "weighted_rating", 2, "B", pytest.approx(WEIGHTED[1]), 1),
        (2001, "mean_rating", 1, "A", 2.0, 1), (2001, "ratings", 1, "A", 1, 1),
    ]  # fmt: skip


def test_ties_of_ratings_are_seen_to_nine_digits(make: Make):
    rated = [(1, 1, "6.1"), (2, 3, "6.1"), (2, 3, "6.1")]  # (3 * 6.1 + 3 * 6.1) / 6 is 6.099999999999999
    columns = ("genres", "vote_count", "vote_average")
    movies = [
        {"id": n, "release_date": "2000-01-01", **dict(zip(columns, (pairs((genre, "g")), *votes), strict=True))}
        for n, (genre, *votes) in enumerate(rated, 1)
    ]
    rows = table("metrics.best_rated_genre_by_year", make(movies_metadata=movies))
    assert [row[2] for row in rows if row[1] == "mean_vote"] == [2]


@pytest.mark.parametrize(
    ("values", "found"), [([7], 7), ([1, 2], 1.9), (range(1, 12), 10), ([30, 10, 20], 28)], ids=str
)
def test_the_90th_percentile_lies_between_two_values(values: list[int], found: float):
    assert percentile_90(values) == pytest.approx(found)
