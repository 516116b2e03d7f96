"""Rows as people and programs read them: nothing cut, nothing that a terminal acts on, JSON that every reader takes."""

import csv
import datetime as dt
import decimal
import io
import json
import math
import os
import re
import sys
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from movies_platform.cli import cli
from movies_platform.cli.output import rendered, table
from movies_platform_tests.published_states import State


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the width of the terminal that standard output is."""

    def of(columns: int) -> None:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        monkeypatch.setattr("shutil.get_terminal_size", lambda *_: os.terminal_size((columns, 24)))

    return of


MONEY = [("Toy Story", 1995, 373_554_033.0), ("Cutthroat Island", 1995, 10_017_322.25)]
COLUMNS = ["title", "release_year", "revenue_usd"]


def test_a_table_is_as_wide_as_it_needs_to_be_where_there_is_no_terminal():
    long = "x" * 500
    shown = table(["title", "budget_usd"], [(long, 1_234_567_890_123)])
    assert long in shown
    assert "1,234,567,890,123" in shown
    assert "…" not in shown


def test_columns_line_up_and_numbers_stand_at_the_right():
    header, rule, *rows = table(COLUMNS, MONEY).strip("\n").splitlines()
    assert header.split() == COLUMNS
    assert set(rule.strip()) == {"─"}
    assert len({len(row) for row in rows}) == 1
    assert rows[0].endswith("373,554,033")
    assert rows[1].endswith("10,017,322.25")
    assert " 1995 " in rows[0]  # a year has no separator


@pytest.mark.parametrize(
    ("form", "text"), [("table", "{}   {}"), ("csv", "\n{},{}"), ("json", '"{}",\n  "late": "{}"')]
)
def test_a_time_is_written_as_in_the_published_csv_also_where_python_has_none_so_late(form: str, text: str):
    early, late = "2001-09-09 01:46:40", "36812-02-20 00:36:15"
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT TIMESTAMP '{early}', TIMESTAMP '{late}'").fetchall()
    assert text.format(early, late) in rendered(["rated_at", "late"], rows, form)


@pytest.mark.parametrize("width", [10, 30, 45])
def test_in_a_narrow_terminal_a_record_stands_on_its_side_and_nothing_is_cut(terminal: Any, width: int):
    terminal(width)
    first, second = table(COLUMNS, MONEY).split("\n\n")
    assert first.splitlines() == ["title         Toy Story", "release_year  1995", "revenue_usd   373,554,033"]
    assert second.splitlines()[2] == "revenue_usd   10,017,322.25"


def test_in_a_wide_terminal_rows_stand_below_each_other(terminal: Any):
    terminal(120)
    assert table(COLUMNS, MONEY).count("release_year") == 1


AMOUNTS = st.decimals(-(10**37), 10**37, places=3)  # what DuckDB's decimals hold
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(), AMOUNTS, st.dates(), st.text(),
    st.binary(max_size=9), st.lists(st.floats(), max_size=3), st.dictionaries(st.text(), st.floats(), max_size=3),
)  # fmt: skip
ROWS = st.integers(1, 4).flatmap(lambda n: st.lists(st.tuples(*[VALUES] * n), min_size=1, max_size=4))


@given(ROWS, st.sampled_from([5, 60, 400]))
def test_no_whole_number_is_cut_and_no_control_character_comes_through(rows: list[tuple[Any, ...]], width: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        patch.setattr("shutil.get_terminal_size", lambda *_: os.terminal_size((width, 24)))
        shown = table([f"c{n}" for n in range(len(rows[0]))], rows)
    assert all(letter.isprintable() or letter == "\n" for letter in shown)
    for value in (value for row in rows for value in row):
        if type(value) is int:
            assert f"{value:,}" in shown


@pytest.mark.parametrize("text", ["\x1b[31mred\x1b[0m", "two\nlines", "bell\x07", "\x9b2J", "tab\t", "‮evil", "[bold]x"])
def test_what_a_terminal_would_act_on_is_shown_as_a_space(text: str):
    shown = table(["title"], [(text,)])
    assert len(shown.strip("\n").splitlines()) == 3
    assert all(letter.isprintable() or letter == "\n" for letter in shown)
    assert "[bold]x" in shown or "[bold]" not in text


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("popularity", 0.000012345, "1.23e-05"),
        ("popularity", -0.0004, "-0.0004"),
        ("popularity", 21.946943, "21.947"),
        ("budget_usd", 12.5, "12.50"),
        ("budget_usd", 1e15, "1,000,000,000,000,000.00"),
        ("budget_usd", decimal.Decimal("1234.5"), "1,234.50"),
        ("share", decimal.Decimal("0.10"), "0.1"),
        ("movie_id", 862, "862"),
        ("collection_id", 10194, "10194"),
        ("movies", 10194, "10,194"),
        ("is_adult", True, "True"),
        ("delivery_month", dt.date(2017, 11, 1), "2017-11-01"),
        ("share", math.nan, "nan"),
        ("share", decimal.Decimal("NaN"), "NaN"),
        ("title", "", ""),
        ("popularity", 5.0001, "5"),
        ("popularity", 2e15, "2,000,000,000,000,000"),
    ],
    ids=str,
)
def test_a_value_is_shown_so_that_people_can_read_it(column: str, value: object, shown: str):
    assert table([column], [(value,)]).splitlines()[3].strip() == shown


def test_json_has_two_columns_of_one_name_and_no_number_that_json_does_not_know():
    columns = ["n", "n", "n_1", "ratio", "amount", "price", "list"]
    row = (1, 2, 3, math.nan, decimal.Decimal(5), decimal.Decimal("2.5"), [math.inf, {"day": dt.date(2017, 11, 1)}])
    (record,) = json.loads(rendered(columns, [row], "json"), parse_constant=lambda name: pytest.fail(name))
    assert list(record.values()) == [1, 2, 3, None, 5, 2.5, [None, {"day": "2017-11-01"}]]
    assert list(record) == ["n", "n_2", "n_1", "ratio", "amount", "price", "list"]


@given(ROWS)
def test_json_is_always_json(rows: list[tuple[Any, ...]]):
    text = rendered(["c"] * len(rows[0]), rows, "json")
    read = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert [len(record) for record in read] == [len(row) for row in rows]


def test_csv_is_read_back_as_it_was():
    text = rendered(["title", "title", "budget_usd"], [('a "quoted", one\nwith lines', None, 3.0)], "csv")
    assert list(csv.reader(io.StringIO(text))) == [
        ["title", "title_1", "budget_usd"],
        ['a "quoted", one\nwith lines', "", "3"],
    ]


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_no_rows_are_no_failure(form: str):
    assert re.match(r"\[\]|a,b|no rows", rendered(["a", "b"], [], form))


def test_a_question_may_be_a_pivot(states: tuple[State, State], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_PUBLISHED", str(states[1].published))
    question = "PIVOT (SELECT year, genre_name, movies FROM genre_budget_by_year) ON genre_name USING sum(movies)"
    answer = CliRunner().invoke(cli, ["query", question, "--format", "json"])
    assert answer.exit_code == 0, answer.output
    rows = json.loads(answer.stdout)
    assert "year" in rows[0]
    assert len(rows[0]) > 2
    twice = CliRunner().invoke(cli, ["query", "SELECT 1; SELECT 2"])
    assert "Ask one question at a time; this is 2." in str(twice.exception)
