"""Raw records -> typed rows and issues, through DuckDB."""

import ast
import datetime as dt
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movies_platform.contracts import all_tables, qualified
from movies_platform.contracts.casts import date, number
from movies_platform.contracts.text import positive_integer, read_positive_integer, trimmed
from movies_platform_tests.parsed_stages import Stages

MONTH = dt.date(2017, 11, 1)


class Parsed(Stages):
    """A month of some raw records, parsed."""

    def __init__(self, *records: dict[str, str | None]):
        super().__init__()
        self.parse_again(*records)

    def parse_again(self, *records: dict[str, str | None]) -> None:
        """Instead of what was there."""
        for table in all_tables():
            if table.schema in ("raw", "parsed"):
                self.connection.execute(f"TRUNCATE {qualified(table)}")
        self.add(*records)
        self.parse()


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def value(connection: duckdb.DuckDBPyConnection, expression: str, text: str) -> Any:
    rows = connection.execute(f"SELECT {expression} FROM (SELECT ? AS t)", [text]).fetchall()
    return rows[0][0]


@given(text=st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from("\t\x1c\x85\xa0\u2003\u3000 "))))
@settings(max_examples=300, deadline=None)
def test_text_is_trimmed_as_python_strips(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    assert value(connection, trimmed("t"), text) == (text.strip() or None)


def test_every_white_space_of_python_is_trimmed(connection: duckdb.DuckDBPyConnection) -> None:
    for space in filter(str.isspace, map(chr, range(0x110000))):
        assert value(connection, trimmed("t"), f"{space}a{space}") == "a"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1995-10-30", dt.date(1995, 10, 30)), ("10/30/1995", dt.date(1995, 10, 30)), ("0001-01-01", dt.date(1, 1, 1)),
        ("02/29/2000", dt.date(2000, 2, 29)), ("1995-02-30", None), ("02/29/2001", None), ("10/30/95", None),
        ("30-10-1995", None), ("30/10/1995", None), ("1995-1-5", None), ("1/5/1995", None), ("0000-01-01", None),
        ("01/01/0000", None), ("1995-10-30 00:00:00", None), ("1995", None), ("١٩٩٥-10-30", None),
    ],
)  # fmt: skip
def test_days(connection: duckdb.DuckDBPyConnection, text: str, meant: dt.date | None) -> None:
    assert value(connection, date("t"), text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [("862", 862), ("+1", 1), ("0862", 862), ("0", None), ("-3", None), ("862.0", None), ("abc", None), ("1e3", None),
     ("1_000", None), ("٣", None), ("9223372036854775807", 2**63 - 1), ("9223372036854775808", None),
     ("0" * 5_000 + "7", 7), ("9" * 5_000, None), ("+", None), ("++7", None), ("", None)],
)  # fmt: skip
def test_ids(connection: duckdb.DuckDBPyConnection, text: str, meant: int | None) -> None:
    assert value(connection, positive_integer("t"), text) == meant
    assert read_positive_integer(f" {text}\xa0") == meant  # of a record that is read one by one: the same movie


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "lots", "1,000", "1_000", "0x10", "٣", "1e", ".", "--1", "1 2"])
def test_what_is_no_number(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    assert value(connection, number("t"), text) is None


@given(real=st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=200, deadline=None)
def test_numbers_are_as_python_reads_them(connection: duckdb.DuckDBPyConnection, real: float) -> None:
    assert value(connection, number("t"), repr(real)) == real


@pytest.mark.parametrize(
    ("column", "text", "stored", "issue"),
    [
        ("budget", "30000000", 30_000_000.0, None), ("budget", "0", None, None), ("budget", "0.0", None, None),
        ("budget", " 1000000 ", 1_000_000.0, None), ("budget", "-5", None, "invalid_number"),
        ("budget", "", None, None),
        ("budget", "12.5", 12.5, None), ("revenue", "lots", None, "invalid_number"), ("revenue", "-0", None, None),
        ("popularity", "8.2e-05", 8.2e-05, None),
        ("popularity", "0", 0.0, None), ("popularity", "1e400", None,
         "invalid_number"), ("popularity", "nan", None, "invalid_number"), ("budget", "1e308", None, "invalid_number"),
        ("revenue", "1e100", 1e100, None), ("popularity", "1.1e100", None, "invalid_number"),
        ("vote_count", "5415.0", 5415, None),
        ("vote_count", "1.5", None, "invalid_number"), ("runtime", "0.0", 0.0, None), ("vote_average", "-1", None,
         "invalid_number"), ("release_date", "10/30/95", None, "invalid_date"), ("title", " \xa0\t", None, None),
        ("title", "\tTrue\xa0", "True", None), ("imdb_id", "", None, None),
    ],
)  # fmt: skip
def test_a_column_is_typed_or_blanked_and_noted(column: str, text: str, stored: Any, issue: str | None) -> None:
    found = Parsed({column: text})
    name = {"budget": "budget_usd", "revenue": "revenue_usd", "runtime": "runtime_minutes"}.get(column, column)
    assert found.rows(f"SELECT {name} FROM parsed.parsed_movies") == [(stored,)]
    assert found.issues() == ([(1, 1, column, issue, "nulled", text)] if issue else [])


def test_the_last_record_of_an_id_counts_and_the_others_report_nothing_but_that() -> None:
    found = Parsed(
        {"id": "5", "title": "old", "budget": "bad", "genres": "bad"}, {"id": "6"}, {"id": " 5 ", "title": "new"},
        {"id": "x", "budget": "bad"}, {"id": None},
    )  # fmt: skip
    assert found.rows("SELECT movie_id, record_number, title FROM parsed.parsed_movies ORDER BY 1") == [
        (5, 3, "new"), (6, 2, None),
    ]  # fmt: skip
    assert found.issues() == [
        (1, 5, "id", "duplicate_id", "rejected", "5"),
        (4, None, "id", "invalid_id", "rejected", "x"),
        (5, None, "id", "invalid_id", "rejected", None),
    ]


def test_items_are_kept_dropped_and_noted() -> None:
    text = r"[{'id': 1, 'name': ' A '}, {'id': 1, 'name': 'B'}, {'id': None, 'name': 'C'}, {'id': 2, 'name': '\xa0D'}]"
    found = Parsed({"genres": text, "production_companies": '[{"name": "E", "id": 9}, {"name": " ", "id": 8}]'})
    assert found.rows("SELECT position, genre_id, genre_name FROM parsed.parsed_genres ORDER BY 1") == [
        (1, 1, "A"), (4, 2, "D"),
    ]  # fmt: skip
    assert found.rows("SELECT position, company_id, company_name FROM parsed.parsed_companies") == [(1, 9, "E")]
    noted = [(column, issue, action) for _, _, column, issue, action, _ in found.issues()]
    assert noted == [
        ("genres", "duplicate_item", "dropped"),
        ("genres", "invalid_item", "dropped"),
        ("production_companies", "invalid_item", "dropped"),
    ]
    values = [row[-1] for row in found.issues()]
    assert "B" in values[0]
    assert "C" in values[1]
    assert "8" in values[2]


@pytest.mark.parametrize("text", ["False", "[" * 5_000, "{'id': 1, 'name': 'a'}", "x" * 1_500_000, "[{'id': 1}"])
def test_what_is_no_list_is_blanked_and_noted(text: str) -> None:
    found = Parsed({"genres": text}, {"genres": "[]"}, {"genres": ""}, {"genres": " [ ] "})
    assert found.issues() == [(1, 1, "genres", "invalid_list", "nulled", text[:500])]
    assert found.rows("FROM parsed.parsed_genres") == []


NAME = st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from("'\"\\{}[],: \xa0\t")), max_size=12)


@pytest.fixture(scope="module")
def month() -> Parsed:
    return Parsed()


@given(movies=st.lists(st.lists(NAME, max_size=4), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_the_fast_way_and_the_exact_way_give_the_names_of_literal_eval(month: Parsed, movies: list[list[str]]) -> None:
    texts = [repr([{"id": n, "name": name} for n, name in enumerate(names)]) for names in movies]
    month.parse_again(*({"genres": text} for text in texts))
    expected = [
        (movie, item["id"], item["name"].strip())
        for movie, text in enumerate(texts, start=1)
        for item in ast.literal_eval(text)
        if item["name"].strip()
    ]
    assert month.rows("SELECT movie_id, genre_id, genre_name FROM parsed.parsed_genres ORDER BY 1, 2") == expected


@pytest.mark.real
def test_names_of_the_real_month_are_as_literal_eval_has_them(real_data: Any) -> None:
    import csv
    import gzip

    with gzip.open(
        real_data / "the-movies-dataset" / "movies_metadata.csv.gz", "rt", encoding="utf-8", newline=""
    ) as f:
        records = [record for record in csv.DictReader(f) if record["vote_count"] is not None]
    assert len(records) == 45_466 - 6  # the halves of the three broken ones are left out here
    found = Parsed(*records)
    newest = {int(record["id"]): record for record in records}
    for column, table, kind in (
        ("genres", "parsed_genres", "genre"), ("production_companies", "parsed_companies", "company"),
    ):  # fmt: skip
        expected = [
            (movie_id, item["id"], item["name"].strip())
            for movie_id, record in sorted(newest.items())
            for item in ast.literal_eval(record[column] or "[]")
        ]
        query = f"SELECT movie_id, {kind}_id, {kind}_name FROM parsed.{table} ORDER BY movie_id, position"
        assert found.rows(query) == expected
