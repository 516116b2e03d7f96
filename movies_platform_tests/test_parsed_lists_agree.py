"""What the database reads of a nested text is what Python reads, wherever the database is asked."""

import ast

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from movies_platform.parsed.nested import PLAIN
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


@pytest.fixture(scope="module")
def database():
    with duckdb.connect() as connection:
        yield connection


@settings(max_examples=400, deadline=None)
@example(["{'id': 1, 'name': '}'}"])
@example(["{'id': 1, 'name': \"a\\\\\"}", "{'id': 2, 'name': 'b\\'\"'}"])
@given(st.lists(item, max_size=4))
def test_a_plain_text_is_read_by_the_database_as_by_python(database, items: list[str]) -> None:
    text = f"[{', '.join(items)}]"
    pattern = PLAIN.replace("'", "''")
    found = database.execute(
        f"SELECT TRY_CAST(t AS STRUCT(id BIGINT, name VARCHAR)[]) FROM (SELECT $1 AS t) "
        f"WHERE regexp_full_match(t, '{pattern}')",
        [text],
    ).fetchone()
    if found:
        assert found[0] == [{"id": item["id"], "name": item["name"]} for item in ast.literal_eval(text)]


@pytest.mark.parametrize(
    "name", ["}", "a}b", "{}", 'it\'s "so"', "back\\slash", "\xa0x", "tab\t", "[]", "a, b: c"], ids=ascii
)
def test_a_name_is_the_one_that_was_written(name: str) -> None:
    stages = parsed({"genres": repr([{"id": 5, "name": name}, {"name": "other", "id": 6}])})
    assert stages.items("genre") == [(1, 1, 5, name.strip()), (1, 2, 6, "other")]
    assert stages.issues() == []
