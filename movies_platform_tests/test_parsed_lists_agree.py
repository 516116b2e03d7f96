"""What the database reads of a nested text is what Python reads, wherever the database is asked."""

import ast

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from movies_platform.contracts.sources import COMPANIES, GENRES, SOURCES, NestedList
from movies_platform.parsed.nested import plain_text
from movies_platform_tests.parsed_stages import parsed

character = st.sampled_from("'\"\\{}[]():,;= aL\t\xa0é\u2028😀\x7f\x85") | st.characters(codec="utf-8")


@st.composite
def written(draw) -> str:
    """A name as a literal: in either quotes, escaped as far as it must be, or more."""
    if draw(st.booleans()):
        return repr(draw(st.text(character, max_size=8)))
    quote = draw(st.sampled_from("'\""))
    pieces = st.sampled_from(["\\'", '\\"', "\\\\"]) | character.filter(
        lambda c: c not in (quote, "\\", "\n", "\r", "\0")
    )
    return quote + "".join(draw(st.lists(pieces, max_size=8))) + quote


item = st.tuples(st.integers(0, 10**18 - 1), written(), st.booleans()).map(
    lambda i: f"{{'id': {i[0]}, 'name': {i[1]}}}" if i[2] else f'{{"name": {i[1]}, "id": {i[0]}}}'
)
number = st.integers(0, 10**18 - 1).map(str)
anything = {"id": number, "count": number, "gender": st.sampled_from("0123"), "text": written(),
            "ignored": number | written() | st.just("None")}  # fmt: skip


@st.composite
def items_of(draw, nested: NestedList) -> str:
    """An item with the keys of the data set, in its order or in another."""
    fields = draw(st.permutations(nested.fields) | st.just(nested.fields))
    return "{" + ", ".join(f"'{f.delivered}': {draw(anything[f.kind])}" for f in fields) + "}"


@pytest.fixture(scope="module")
def database():
    with duckdb.connect() as connection:
        yield connection


@settings(max_examples=400, deadline=None)
@example(["{'id': 1, 'name': '}'}"])
@example(["{'id': 1, 'name': \"a\\\\\"}", "{'id': 2, 'name': 'b\\'\"'}"])
@given(st.lists(item, max_size=4))
def test_a_plain_text_is_read_by_the_database_as_by_python(database, items: list[str]) -> None:
    for nested in (GENRES, COMPANIES):
        agree(database, nested, items)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_so_are_the_items_of_every_list(database, data) -> None:
    nested = data.draw(st.sampled_from([n for source in SOURCES for n in source.nested if not n.is_single]))
    agree(database, nested, data.draw(st.lists(items_of(nested), max_size=3)))


def agree(database: duckdb.DuckDBPyConnection, nested: NestedList, items: list[str]) -> None:
    """What the database reads of a list is what Python reads, if the database may read it."""
    text = f"[{', '.join(items)}]"
    pattern = plain_text(nested).replace("'", "''")
    types = {"text": "VARCHAR", "ignored": "VARCHAR"}
    struct = ", ".join(f'"{f.delivered}" {types.get(f.kind, "BIGINT")}' for f in nested.fields)
    found = database.execute(
        f"SELECT TRY_CAST(t AS STRUCT({struct})[]) FROM (SELECT $1 AS t) WHERE regexp_full_match(t, '{pattern}')",
        [text],
    ).fetchone()
    if found:
        columns = [f.delivered for f in nested.columns]
        read = [[item[name] for name in columns] for item in ast.literal_eval(text)]
        assert [[item[name] for name in columns] for item in found[0]] == read


@pytest.mark.parametrize(
    "name", ["}", "a}b", "{}", 'it\'s "so"', "back\\slash", "\xa0x", "tab\t", "[]", "a, b: c"], ids=ascii
)
def test_a_name_is_the_one_that_was_written(name: str) -> None:
    stages = parsed({"genres": repr([{"id": 5, "name": name}, {"name": "other", "id": 6}])})
    assert stages.items(GENRES) == [(1, 1, 5, name.strip()), (1, 2, 6, "other")]
    assert stages.issues() == []
