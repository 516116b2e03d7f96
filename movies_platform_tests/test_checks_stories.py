"""Every check written by hand is seen to pass and to fail, and no check is without such a case."""

import datetime as dt

import dagster as dg
import pytest

from movies_platform_tests.data_stories import BEFORE, DATA_STORIES, FILE, Connection, Story
from movies_platform_tests.file_stories import FILE_STORIES
from movies_platform_tests.judging import DOMAIN_CHECKS, judge
from movies_platform_tests.test_contracts_rows import MONTH, add

# (table, check) -> what makes it pass, what makes it fail
STORIES: dict[tuple[str, str], tuple[Story, Story]] = {**DATA_STORIES, **FILE_STORIES}


def story(table: str, check: str, *, passes: Story, fails: Story) -> None:
    STORIES[table, check] = passes, fails


def delivered(records: int, accepted: int, rejected: int, joined: int = 0, *, before: int | None = None,
              extra: str | None = None) -> Story:  # fmt: skip
    """A month with so many records; `before`: records of the month before."""

    def tell(connection: Connection) -> None:
        add(connection, "raw.raw_movies", source_file=FILE)
        add(connection, "raw.deliveries", source_file=FILE, records=records, joined_records=joined, extra_columns=extra)
        add(connection, "raw.deliveries", source_file="credits.csv", records=None, joined_records=None,
            extra_columns=None)  # fmt: skip
        for number in range(accepted):
            add(connection, "parsed.parsed_movies", movie_id=number + 1)
        for number in range(rejected):
            add(connection, "raw.data_issues", source_file=FILE, action="rejected", record_number=number + 1)
        add(connection, "raw.data_issues", source_file=FILE, action="nulled")
        if before is not None:
            add(connection, "raw.deliveries", source_file=FILE, delivery_month=BEFORE, records=before)
            add(connection, "raw.data_issues", source_file=FILE, action="rejected", delivery_month=BEFORE)
            add(connection, "parsed.parsed_movies", delivery_month=BEFORE)

    return tell


story(
    "raw.data_issues",
    "every_record_is_accounted_for",
    passes=delivered(6, 3, 2, 1, before=9),
    fails=delivered(7, 3, 2, 1, before=9),
)
story("raw.deliveries", "delivery_arrived", passes=delivered(1, 0, 0), fails=lambda c: None)
story("raw.deliveries", "columns_are_known",
      passes=delivered(1, 0, 0), fails=delivered(1, 0, 0, extra="mood, smell"))  # fmt: skip


def months_delivered(*months: dt.date) -> Story:
    def tell(connection: Connection) -> None:
        for month in months:
            add(connection, "raw.deliveries", delivery_month=month)

    return tell


story("core.movies", "no_month_is_missing", passes=months_delivered(BEFORE, MONTH),
      fails=months_delivered(dt.date(2016, 12, 1), MONTH))  # fmt: skip


def movie_in(connection: Connection, *months: dt.date, present: dt.date | None) -> None:
    for month in months:
        add(connection, "parsed.parsed_movies", delivery_month=month)
    if present:
        add(connection, "core.movies", delivery_month=present)


story("core.movies", "every_movie_is_newest",
      passes=lambda c: movie_in(c, BEFORE, MONTH, present=MONTH),
      fails=lambda c: movie_in(c, BEFORE, MONTH, present=BEFORE))  # fmt: skip


def catalogue(table: str, key: str, links: dict[str, str], held: tuple[int, ...]) -> Story:
    """Ids 1, 2, ... are used, each by one of the `links` (column by table); the catalogue holds these."""

    def tell(connection: Connection) -> None:
        for number, (links_table, column) in enumerate(links.items(), start=1):
            add(connection, links_table, **{column: str(number) if "code" in key else number})
        for number in held:
            add(connection, table, **{key: str(number) if "code" in key else number})

    return tell


for _table, _key, _links in (
    ("genres", "genre_id", {"core.movie_genres": "genre_id"}),
    ("companies", "company_id", {"core.movie_companies": "company_id"}),
    ("countries", "country_code", {"core.movie_countries": "country_code"}),
    ("languages", "language_code", {"core.movie_languages": "language_code", "core.movies": "original_language"}),
    ("collections", "collection_id", {"core.movies": "collection_id"}),
    ("keywords", "keyword_id", {"core.movie_keywords": "keyword_id"}),
    ("people", "person_id", {"core.movie_cast": "person_id", "core.movie_crew": "person_id"}),
):
    _used = tuple(range(1, len(_links) + 1))
    story(f"core.{_table}", "names_fit_the_links",
          passes=catalogue(f"core.{_table}", _key, _links, _used),
          fails=catalogue(f"core.{_table}", _key, _links, (*_used[:-1], 9)))  # fmt: skip


def shares(kind: str, amount: str, *given: float | None) -> Story:
    """Two groups of a movie with a budget of 30 and a revenue of 70, with these shares of an amount."""

    def tell(connection: Connection) -> None:
        add(connection, "core.movies", release_year=2000, budget_usd=30.0, revenue_usd=70.0)
        add(connection, "core.movies", movie_id=2, release_year=2000, budget_usd=None, revenue_usd=None)
        add(connection, "core.movies", movie_id=3, release_year=2000, budget_usd=5.0)  # without a group
        add(connection, "core.movies", movie_id=4, release_year=None, budget_usd=5.0)
        links = {"genre": "core.movie_genres", "company": "core.movie_companies"}[kind]
        for group, share in enumerate(given, start=1):
            for movie in (1, 2, 4):
                add(connection, links, movie_id=movie, **{f"{kind}_id": group})
            add(connection, f"metrics.{kind}_{amount}_by_year", year=2000,
                **{f"{kind}_id": group, f"{amount}_share_usd": share})  # fmt: skip

    return tell


for _kind in ("genre", "company"):
    for _amount, _half in (("budget", 15.0), ("revenue", 35.0), ("profit", 20.0)):
        story(f"metrics.{_kind}_{_amount}_by_year", "shares_add_up",
              passes=shares(_kind, _amount, _half, _half),
              fails=shares(_kind, _amount, _half, None))  # fmt: skip


# Checks of a month as a whole, with no rows to show.
COUNTED_ONLY = {
    "every_record_is_accounted_for", "about_as_many_records_as_before", "delivery_arrived", "no_month_is_missing",
    "ratings_are_not_fewer",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _landing(home: object) -> None:
    """An empty landing zone, in which no delivery was refused."""


@pytest.mark.parametrize(("table", "check"), STORIES, ids=["-".join(s) for s in STORIES])
def test_a_check_passes_and_fails(table: str, check: str):
    passes, fails = (judge(table, check, tell) for tell in STORIES[table, check])
    assert passes.passed
    assert not fails.passed
    assert fails.message != passes.message
    assert fails.worst or check in COUNTED_ONLY


@pytest.mark.parametrize(("present", "months"), [(None, [BEFORE]), (MONTH, [])], ids=["missing", "invented"])
def test_a_movie_that_is_missing_or_that_nobody_delivered_fails(present, months):
    tell = lambda c: movie_in(c, *months, present=present)  # noqa: E731
    assert not judge("core.movies", "every_movie_is_newest", tell).passed


def test_the_first_month_of_all_has_nothing_to_be_compared_with():
    found = judge("raw.deliveries", "about_as_many_records_as_before", delivered(1, 0, 0))
    assert found.passed
    assert "no earlier month" in found.message


def test_no_check_is_without_a_case_in_which_it_fails():
    known = {dg.AssetCheckKey(dg.AssetKey(table.split(".")), name) for table, name in STORIES}
    assert {key for check in DOMAIN_CHECKS for key in check.check_keys} == known


def test_every_check_says_what_to_do():
    for check in DOMAIN_CHECKS:
        for spec in check.check_specs:
            assert (spec.description or "").count(".") >= 2, spec.name
