"""What is served follows from the contracts; the API loads nothing of Dagster."""

import subprocess
import sys

import pytest
import sqlalchemy as sa

from movies_platform.api.answers import place_of
from movies_platform.api.tables import bare, related, served_tables
from movies_platform.contracts.published import published_tables

TABLES = served_tables()
_IMPORTS = """
import sys
import movies_platform.api.app, movies_platform.api.server, movies_platform.api.index
movies_platform.api.app.application()
from movies_platform.resources.s3 import s3_client
s3_client()
loaded = {name.split(".")[0] for name in sys.modules}
print(*sorted(loaded & {"dagster", "dagster_aws", "pandas", "matplotlib", "numpy"}))
"""


def test_the_api_loads_neither_dagster_nor_pandas():
    done = subprocess.run([sys.executable, "-c", _IMPORTS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_every_published_table_is_served():
    assert [*TABLES] == [table.name for table in published_tables()]
    assert len({table.path for table in TABLES.values()}) == len(TABLES)


def test_a_table_has_the_columns_of_its_contract_and_the_names_of_what_it_refers_to():
    for table in TABLES.values():
        own = tuple(column.name for column in table.contract.columns)
        assert table.names[: len(own)] == own
    assert set(TABLES["movie_genres"].names) == {"movie_id", "genre_id", "title", "genre_name"}


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("movies", {"year", "year_from", "year_to", "genre", "company", "q"}),
        ("companies", {"movie", "q"}),
        ("company_releases_by_genre_by_year", {"year", "year_from", "year_to", "company", "genre"}),
        ("most_popular_genre_by_year", {"year", "year_from", "year_to", "genre", "measure"}),
        ("genre_popularity_by_month", {"month", "month_from", "month_to", "genre"}),
    ],
)
def test_parameters_follow_from_references_ranges_and_time(table: str, expected: set[str]):
    common = {"sort", "fields", "limit", "cursor", "snapshot"}
    assert expected | common <= {*TABLES[table].parameters}


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("movies", {"genres", "companies", "history"}),
        ("genres", {"movies", "budget_by_year", "most_popular_genre_by_year"}),
        ("companies", {"movies", "releases_by_genre_by_year"}),
    ],
)
def test_rows_have_related_rows(table: str, expected: set[str]):
    assert expected <= {each.path for each in related(table)}
    for each in related(table):
        assert each.table.filters[each.by].refers_to == table


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v1/movies", "/v1/movies"),
        ("/v1/movies/862", "/v1/movies/{movie_id}"),
        ("/v1/movies/862/genres", "/v1/movies/{movie_id}/genres"),
        ("/v1/metrics/genre_budget_by_year", "/v1/metrics/genre_budget_by_year"),
        ("/v1/genre_budget_by_year", None),
        ("/v1/metrics/movies", None),
        ("/v1/metrics", None),
        ("/v1/movies/", None),
        ("/v1/movies/862/nothing", None),
        ("/v1/movie_genres/1", None),
        ("/v1", None),
        ("/", None),
    ],
)
def test_a_path_means_one_place(path: str, route: str | None):
    place = place_of(path)
    assert (place and place.route) == route


def test_what_identifies_is_named_in_the_singular():
    assert [bare(name) for name in ("movie_id", "country_code", "year")] == ["movie", "country", "year"]


def test_a_table_of_another_kind_would_be_served_by_the_same_rules():
    """Tables that do not exist yet: people and what they did, countries with codes, a rating of each movie."""
    from movies_platform.api.tables import _table
    from movies_platform.contracts.columns import Text, Whole, column
    from movies_platform.contracts.core import MOVIES

    metadata = MOVIES.metadata
    people = sa.Table(
        "test_people", metadata, column("person_id", Whole, "", key=True), column("person_name", Text, ""),
        column("gender", Text, "", one_of=("female", "male")), schema="core",
    )  # fmt: skip
    cast = sa.Table(
        "test_movie_cast", metadata, column("movie_id", Whole, "", key=True, refers_to="core.movies.movie_id"),
        column("credit_id", Text, "", key=True),
        column("person_id", Whole, "", refers_to="core.test_people.person_id"), schema="core",
    )  # fmt: skip
    try:
        tables = [*published_tables(), people, cast]
        served = {each.name: _table(each, tables) for each in (MOVIES, people, cast)}
        assert {"person", "genre"} <= {*served["movies"].filters}
        assert {"gender", "movie"} == {*served["test_people"].filters}
        assert {"movie", "person"} == {*served["test_movie_cast"].filters}
        assert {"title", "person_name"} <= {*served["test_movie_cast"].names}
        assert served["test_people"].searched == ("person_name",)
    finally:
        for table in (cast, people):
            metadata.remove(table)
