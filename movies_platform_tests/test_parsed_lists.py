"""Nested columns, where the fast way and the exact way could part; and issues that a person can read."""

import pytest

from movies_platform.contracts.sources import COMPANIES, GENRES
from movies_platform.parsed.nested import parse_items
from movies_platform_tests.parsed_stages import Stages, parsed

BIGGEST = 2**63 - 1


@pytest.mark.parametrize("beside", ["", ", {'id': 2, 'name': '\\xa0b'}"], ids=["fast", "exact"])
@pytest.mark.parametrize("number", [2**63, 10**30, 10**18], ids=["65_bits", "100_bits", "19_digits"])
def test_an_id_is_never_null(number, beside):
    stages = parsed({"genres": f"[{{'id': {number}, 'name': 'a'}}{beside}]"})
    rest = [(1, 2, 2, "b")] if beside else []
    if number > BIGGEST:
        assert stages.items(GENRES) == rest
        assert [(row[3], str(number) in str(row[5])) for row in stages.issues()] == [("invalid_item", True)]
    else:
        assert (stages.items(GENRES), stages.issues()) == ([(1, 1, number, "a"), *rest], [])


@pytest.mark.parametrize("beside", ["", ", {'id': 2, 'name': '\\xa0b'}"], ids=["fast", "exact"])
@pytest.mark.parametrize("again", ["a", "other", " a "], ids=["same_name", "other_name", "spaced_name"])
def test_the_first_of_an_item_that_comes_twice_is_kept(again, beside):
    stages = parsed({"production_companies": f"[{{'id': 7, 'name': 'a'}}, {{'id': 7, 'name': '{again}'}}{beside}]"})
    assert stages.items(COMPANIES)[0] == (1, 1, 7, "a")
    ((number, movie, column, issue, action, value),) = stages.issues()
    assert (number, movie, column, issue, action) == (1, 1, "production_companies", "duplicate_item", "dropped")
    assert "7" in str(value)
    assert again.strip() in str(value)


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        ("{'id': 3, 'name': ''}", "{'id': 3, 'name': ''}"),
        ("{'id': 3, 'name': ' '}", "{'id': 3, 'name': ' '}"),
        ("{'id': None, 'name': 'a'}", "{'id': None, 'name': 'a'}"),
        ("{'id': '3', 'name': 'a'}", "{'id': '3', 'name': 'a'}"),
        ("'text'", "'text'"),
    ],
    ids=["no_name", "space_for_a_name", "no_id", "text_for_an_id", "no_item"],
)
def test_a_dropped_item_is_noted_as_it_was(item, shown):
    stages = parsed({"genres": f"[{item}, {{'id': 1, 'name': 'b'}}]"})
    assert stages.items(GENRES) == [(1, 2, 1, "b")]
    assert stages.issues()[0][:5] == (1, 1, "genres", "invalid_item", "dropped")
    assert stages.issues()[0][5] == shown


@pytest.mark.parametrize(
    "item",
    ['{"id": 1,  "name": " A\'s "}', "{'id': 1, 'name': \"A's\"}", "{'id': 1, 'x': None, 'name': \" A's \"}"],
    ids=["json", "literal", "exact_way"],
)
def test_a_doubled_item_is_noted_as_it_was(item):
    stages = parsed({"genres": f"[{{'id': 1, 'name': 'b'}}, {item}]"}, {"genres": "[{'id': 5, 'name': 'c'}]"})
    assert stages.items(GENRES) == [(1, 1, 1, "b"), (2, 1, 5, "c")]
    assert [row[3:] for row in stages.issues()] == [("duplicate_item", "dropped", item)]


def test_the_same_odd_text_in_several_records_counts_for_each():
    stages = parsed({"genres": "False"}, {"genres": "False"}, {"genres": "[{'id': 4, 'name': '\\x41'}]"},
                    {"genres": " [{'id': 4, 'name': '\\x41'}]"})  # fmt: skip
    assert [row[:4] for row in stages.issues()] == [(1, 1, "genres", "invalid_list"), (2, 2, "genres", "invalid_list")]
    assert stages.items(GENRES) == [(3, 1, 4, "A"), (4, 1, 4, "A")]


def test_one_large_id_among_thousands_of_odd_items_is_stored():
    items = [{"id": n, "name": "a\\b"} for n in range(1, 5_001)]
    items[2_777]["id"] = BIGGEST
    stages = parsed({"genres": repr(items)})
    assert max(row[2] for row in stages.items(GENRES)) == BIGGEST


@pytest.mark.parametrize("beside", ["", ", {'id': 2, 'name': '\\xa0b'}"], ids=["fast", "exact"])
@pytest.mark.parametrize("name", ["", "a"], ids=["nameless", "double"])
def test_a_megabyte_of_items_that_are_dropped_needs_no_more_memory_than_its_text(name, beside):
    """Copied with each of its items, the text would be gigabytes."""
    items = ", ".join(f"{{'id': {7 if name else n}, 'name': '{name}'}}" for n in range(10_000, 40_000))
    stages = Stages()
    stages.connection.execute("SET memory_limit = '1GB'; SET max_temp_directory_size = '0KB'")
    stages.add({"production_companies": f"[{items}{beside}]"})
    stages.parse()
    dropped = [row[3] for row in stages.issues()]
    assert len(dropped) == 30_000 - bool(name)
    assert set(dropped) == {"duplicate_item" if name else "invalid_item"}
    assert len(stages.items(COMPANIES)) == bool(name) + bool(beside)


HOSTILE = {
    "signs": "-" * 999_999 + "1",
    "brackets": "[" * 1_000_000,
    "dots": "a" + ".a" * 499_999,
    "ifs": "1 if 1 else " * 80_000 + "1",
    "half_a_character": "\ud800",
    "half_a_character_in_a_list": "['\ud800']",
    "half_a_character_as_a_name": '[{"id": 1, "name": "\ud800"}]',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_no_error(text):
    assert all(None in item.values for item in parse_items(text, GENRES) or [])


def test_nothing_in_a_text_is_run(tmp_path):
    pwned = tmp_path / "pwned"
    call = f"__import__('pathlib').Path({str(pwned)!r}).touch()"
    stages = parsed({"genres": f"[{call}]"}, {"genres": call}, {"genres": f"[{{'id': {call}, 'name': 'a'}}]"})
    assert [row[3] for row in stages.issues()] == ["invalid_list"] * 3
    assert not pwned.exists()
