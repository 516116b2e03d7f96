"""Names exactly as ast.literal_eval or JSON gives them; hostile text is data."""

import ast
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movies_platform.contracts.sources import GENRES
from movies_platform.parsed.nested import parse_items

NAMES = st.lists(st.text(min_size=1, max_size=20), max_size=5)


def names(text: str) -> list[str | None]:
    items = parse_items(text, GENRES)
    assert items is not None
    return [item.values[1] for item in items]


@given(NAMES)
@settings(max_examples=300, deadline=None)
def test_names_are_as_literal_eval_has_them(values: list[str]) -> None:
    text = repr([{"id": n, "name": value} for n, value in enumerate(values)])
    assert names(text) == [item["name"].strip() or None for item in ast.literal_eval(text)]


@given(NAMES, st.booleans())
@settings(max_examples=300, deadline=None)
def test_names_are_as_json_has_them(values: list[str], ascii_only: bool) -> None:
    text = json.dumps([{"id": n, "name": value} for n, value in enumerate(values)], ensure_ascii=ascii_only)
    assert names(text) == [value.strip() or None for value in values]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (r"[{'name': '\xa0Check Entertainment', 'id': 1}]", "Check Entertainment"),
        (r"[{'name': 'Underground Films\\', 'id': 1}]", "Underground Films\\"),
        (r"[{'name': '\u200bLGM CINEMA', 'id': 1}]", "\u200bLGM CINEMA"),
        (r"[{'name': 'it\'s \"so\"', 'id': 1}]", 'it\'s "so"'),
        (r'[{"name": "AC\/DC \ud83d\ude00", "id": 1}]', "AC/DC \U0001f600"),
        (r"[{'name': '\ud83d\ude00', 'id': 1}]", "\U0001f600"),
        ("[{'name': 'extra', 'id': 1, 'logo_path': None}]", "extra"),
    ],
)
def test_escapes_mean_what_they_mean_in_their_language(text: str, name: str) -> None:
    assert names(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "False", "None", "null", "{'id': 3, 'name': 'Pixar'}", '{"id": 3}', "[{'id': 1, 'name': 'a'}", "nonsense",
        "__import__('os').system('touch pwned')", "[__import__('os')]", "[" * 5_000, "[" * 500_000, "-" * 900_000 + "1",
        "1" + "+1" * 400_000, "9" * 10_000, "[{'id': 1, 'name': 'a\nb'}]", "[{[]: 1}]", "x" * 2_000_000, "'a'", "\0",
    ],
    ids=lambda text: ascii(text[:20]),
)  # fmt: skip
def test_what_is_no_list_is_none_and_never_run(text: str) -> None:
    assert parse_items(text, GENRES) is None


@pytest.mark.parametrize(
    "item",
    [
        "{'id': None, 'name': 'a'}", "{'name': 'a'}", "{'id': '16', 'name': 'a'}", "{'id': True, 'name': 'a'}",
        "{'id': 16.0, 'name': 'a'}", "{'id': 9223372036854775808, 'name': 'a'}", "{'id': 1, 'name': ''}",
        "{'id': 1, 'name': ' \\xa0\\t'}", "{'id': 1, 'name': None}", "{'id': 1}", "{'id': 1, 'name': 1818}", "5", "[]",
        r"{'id': 1, 'name': '\ud800'}",
    ],
)  # fmt: skip
def test_an_item_without_id_or_name_is_shown_as_it_was(item: str) -> None:
    found = parse_items(f"[{item}, {{'id': 2, 'name': 'good'}}]", GENRES)
    assert found is not None
    assert None in found[0].values
    assert found[0].text == repr(ast.literal_eval(item))[:500]
    assert found[1][:2] == (2, (2, "good"))
