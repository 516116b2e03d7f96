"""What a table shows of itself when it was filled."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from movies_platform.contracts.core import GENRES, MOVIES
from movies_platform.contracts.tables import table_named
from movies_platform.resources import warehouse
from movies_platform.resources.metadata import markdown_table, table_metadata
from movies_platform_tests.test_contracts_rows import MONTH, add

pytestmark = pytest.mark.usefixtures("home")


def metadata_of(table: sa.Table, rows: int, month: dt.date | None = None) -> dict[str, Any]:
    with warehouse.opened() as connection:
        return table_metadata(connection, table, rows, month)


def preview_of(table: sa.Table, rows: int) -> str:
    return str(metadata_of(table, rows)["preview"].value)


def stored_genres(count: int) -> None:
    with warehouse.opened() as connection:
        for number in range(1, count + 1):
            add(connection, "core.genres", genre_id=number, genre_name=f"genre {number}")


def test_a_preview_shows_rows_from_all_over_the_table_in_its_order():
    stored_genres(21)
    lines = preview_of(GENRES, 21).splitlines()
    assert lines[0] == "| genre_id | genre_name |"
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["1", "6", "11", "16", "21"]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_small_table_is_shown_whole(count: int):
    stored_genres(count)
    assert len(preview_of(GENRES, count).splitlines()) == 2 + count


def test_rows_are_found_also_after_others_were_deleted():
    stored_genres(30)
    with warehouse.opened() as connection:
        connection.execute("DELETE FROM core.genres WHERE genre_id <= 10")
    lines = preview_of(GENRES, 20).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["13", "17", "21", "25", "29"]


def test_of_a_month_only_its_rows_are_shown():
    with warehouse.opened() as connection:
        for month, name in ((MONTH, "now"), (MONTH.replace(year=2016), "before")):
            add(connection, "parsed.parsed_genres", delivery_month=month, genre_name=name)
    facts = metadata_of(table_named("parsed_genres"), 1, MONTH)
    assert "now" in facts["preview"].value
    assert "before" not in facts["preview"].value
    assert facts["dagster/partition_row_count"] == 1
    assert "dagster/column_lineage" in facts


def test_an_empty_table_has_a_count_and_no_preview(home: Path):
    assert metadata_of(GENRES, 0).get("preview") is None
    assert metadata_of(GENRES, 0)["dagster/row_count"] == 0


def test_an_amount_is_shown_as_an_amount():
    with warehouse.opened() as connection:
        add(connection, "core.movies", budget_usd=172_500_000.0, popularity=8.2e-05)
    assert "| 172500000 |" in preview_of(MOVIES, 1)
    assert "8.2e-05" in preview_of(MOVIES, 1)


def test_long_broken_and_missing_texts_keep_to_one_line():
    table = markdown_table(["text"], [("x" * 200,), ("two\nlines | and a pipe",), (None,)])
    assert len(table.splitlines()) == 5
    assert "…" in table.splitlines()[2]
    assert "two lines \\| and a pipe" in table
