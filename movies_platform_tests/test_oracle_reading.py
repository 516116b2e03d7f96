"""The oracle's reading of files, pinned to the specification: each rule in one or two records."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from movies_platform_tests.oracle import Refused, expected
from movies_platform_tests.oracle_deliveries import HEADERS, deliver, line, month, text_of
from movies_platform_tests.oracle_reading import MOVIE_COLUMNS, ZIP, Delivery, Issue, Month, read_delivery
from movies_platform_tests.oracle_values import amount, count, date, imdb, positive, seconds

HEADER = ",".join(MOVIE_COLUMNS) + "\n"


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Month]:
    return lambda **files: read_delivery(deliver(tmp_path, **files))


def told(found: Month) -> list[tuple]:
    """(record_number, movie_id, column_name, issue, action, value) of its issues."""
    return [tuple(issue)[2:] for issue in found.issues]


@pytest.mark.parametrize(
    ("convert", "text", "value"),
    [
        (positive, "862", 862),
        (positive, " +007 ", 7),
        (positive, "9223372036854775807", 2**63 - 1),
        (date, "1995-10-30", month(1).replace(1995, 10, 30)),
        (date, "10/30/1995", month(1).replace(1995, 10, 30)),
        (amount, "8.2e-05", 8.2e-05),
        (amount, "0", 0.0),
        (count, "6.0", 6),
        (imdb, "0114709", "tt0114709"),
        (imdb, "tt123", "tt0000123"),
        (imdb, "12345678", "tt12345678"),
        (seconds, "0", 0),
        (seconds, "1099511627775", 2**40 - 1),
    ],
)
def test_a_text_has_its_value(convert: Callable[[str], object], text: str, value: object):
    assert convert(text) == value


@pytest.mark.parametrize(
    ("convert", "texts"),
    [
        (positive, ["0", "-5", "1.0", "1e3", "abc", "1997-08-20", "", "9223372036854775808", "٧", "1_000"]),
        (date, ["95-10-30", "10/30/95", "1995-13-01", "1995-02-29", "30/10/1995", "1/2/1995", "1995", "0000-01-01"]),
        (amount, ["-1", "4,5", "1,000", "1_000", "nan", "inf", "0x10", "many", "1e400"]),
        (count, ["3.5", "-1"]),
        (imdb, ["tt", "nm0000123", "12a", "+123", "tt 123"]),
        (seconds, ["-1", "1.5", "1099511627776", "yesterday"]),
    ],
)
def test_a_text_has_no_value(convert: Callable[[str], object], texts: list[str]):
    assert [convert(text) for text in texts] == [None] * len(texts)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"], ids=["LF", "CR", "CRLF"])
def test_a_broken_record_is_joined_and_counts_as_its_pieces(read: Callable[..., Month], end: str):
    broken = line(id="5", overview=f"begins{end}{end}goes on{end} and ends", title="Whole", vote_count="7")
    found = read(movies_metadata=HEADER + line(id="4") + broken + line(id="6", budget="much"))
    assert (found.movies[5]["title"], found.movies[5]["vote_count"]) == ("Whole", 7)
    assert told(found) == [
        (2, 5, None, "broken_record", "repaired", None), (5, 6, "budget", "invalid_number", "nulled", "much"),
    ]  # fmt: skip
    assert found.accounts["movies_metadata.csv"] == (5, 3, 0, 2)


def test_a_record_broken_elsewhere_and_one_too_wide_are_rejected(read: Callable[..., Month]):
    found = read(movies_metadata=HEADER + line(id="5", title="two\nlines") + line(id="6", title="a,b") + line(id="7"))
    assert list(found.movies) == [7]
    assert told(found) == [(n, None, None, "column_count", "rejected", None) for n in (1, 2, 3)]


def test_pieces_that_do_not_add_up_are_rejected_one_by_one(read: Callable[..., Month]):
    found = read(movies_metadata=HEADER + line(id="5", overview="begins\na line\nends, with a comma") + line(id="6"))
    assert list(found.movies) == [6]
    assert told(found) == [(n, None, None, "column_count", "rejected", None) for n in (1, 2, 3)]
    assert found.accounts["movies_metadata.csv"] == (4, 1, 3, 0)


def test_other_files_are_never_joined(read: Callable[..., Month]):
    found = read(credits="cast,id,crew\n[],1,[]\n[],2\n[],[]\n")
    assert list(found.credits) == [1]
    assert told(found) == [(n, None, None, "column_count", "rejected", None) for n in (2, 3)]


def test_of_records_with_one_key_the_last_counts(read: Callable[..., Month]):
    found = read(movies_metadata=[{"id": 7, "title": "a", "budget": "x"}, {"id": "007", "title": "b"}])
    assert found.movies[7]["title"] == "b"
    assert told(found) == [(1, 7, "id", "duplicate_id", "rejected", "7")]


def test_a_bad_rating_is_rejected_before_duplicates_are_decided(read: Callable[..., Month]):
    rows = [{"userId": 1, "movieId": 2, "rating": r, "timestamp": t} for r, t in ((3, "x"), (4, "5"), (5.5, "6"))]
    found = read(ratings=[*rows, {"userId": "x", "movieId": 2, "rating": 1}])
    assert found.ratings == {(1, 2): (4.0, 5)}
    assert [t[0:1] + t[2:5] for t in told(found)] == [
        (3, "rating", "invalid_number", "rejected"), (4, "userId", "invalid_id", "rejected"),
        (1, None, "duplicate_id", "rejected"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rating", "accepted"),
    [("0", False), ("0.5", True), ("5", True), ("5.01", False), ("-1", False), ("", False), ("4,5", False)],
)
def test_a_rating_is_above_0_and_at_most_5(read: Callable[..., Month], rating: str, accepted: bool):
    found = read(ratings=[{"userId": 1, "movieId": 2, "rating": rating, "timestamp": ""}])
    assert (found.ratings == {(1, 2): (float(rating), None)}) if accepted else not found.ratings
    assert len(found.issues) == (0 if accepted else 1)


@pytest.mark.parametrize(
    ("column", "text", "value", "issue"),
    [
        ("budget", "0", None, None),
        ("revenue", "2787965087", 2787965087.0, None),
        ("budget", "-1", None, "invalid_number"),
        ("runtime", "0.0", 0.0, None),
        ("release_date", "1/2/99", None, "invalid_date"),
        ("title", " \xa0Up\t", "Up", None),
        ("title", "\xa0", None, None),
        ("popularity", " ", None, None),
    ],
)
def test_a_scalar_column(read: Callable[..., Month], column: str, text: str, value: object, issue: str | None):
    found = read(movies_metadata=[{"id": 1, column: text}])
    named = {"budget": "budget_usd", "revenue": "revenue_usd", "runtime": "runtime_minutes"}
    assert found.movies[1][named.get(column, column)] == value
    assert told(found) == ([(1, 1, column, issue, "nulled", text)] if issue else [])


@pytest.mark.parametrize(
    ("text", "names", "issues"),
    [
        ("", [], []),
        ("[]", [], []),
        (r"[{'id': 3, 'name': '\xa0O\u2019Hara \'A\' \\'}]", ["O’Hara 'A' \\"], []),
        ("""[{'id': 3, 'name': 'Double "A"'}, {'id': 4, 'name': "Butcher's"}]""", ['Double "A"', "Butcher's"], []),
        (r'[{"id": 3, "name": "caf\u00e9"}, {"id": -4, "name": "x", "y": null}]', ["café", "x"], []),
        ("False", [], ["invalid_list"]),
        ("{'id': 3, 'name': 'x'}", [], ["invalid_list"]),
        ("[{'id': 3, 'name': 'x'}", [], ["invalid_list"]),
        ("[{'id': 3, 'name': ' '}, {'id': None, 'name': 'x'}, {'name': 'x'}, 7]", [], ["invalid_item"] * 4),
        ("[{'id': '3', 'name': 'x'}, {'id': 3.0, 'name': 'x'}, {'id': True, 'name': 'x'}]", [], ["invalid_item"] * 3),
        ("[{'id': 3, 'name': 'x'}, {'id': 3, 'name': 'y'}, {'id': 3, 'name': 'x'}]", ["x"], ["duplicate_item"] * 2),
    ],
    ids=["blank", "empty", "literal", "quotes", "JSON", "word", "object", "cut", "no item", "no id", "twice"],
)
def test_a_list_of_ids_and_names(read: Callable[..., Month], text: str, names: list[str], issues: list[str]):
    found = read(movies_metadata=[{"id": 1, "genres": text}], keywords=[{"id": 1, "keywords": text}])
    assert [name for _, name in found.movies[1]["genres"]] == names
    assert found.keywords[1] == found.movies[1]["genres"]
    actions = {"invalid_list": "nulled"}
    assert [t[1:5] for t in told(found)] == [
        (1, column, issue, actions.get(issue, "dropped")) for column in ("genres", "keywords") for issue in issues
    ]


def test_a_country_has_a_code_and_perhaps_a_name(read: Callable[..., Month]):
    text = "[{'iso_3166_1': ' US ', 'name': ''}, {'iso_3166_1': 'US', 'name': 'USA'}, {'iso_3166_1': '', 'name': 'x'}]"
    found = read(movies_metadata=[{"id": 1, "production_countries": text}])
    assert found.movies[1]["countries"] == [("US", None)]
    assert [t[3] for t in told(found)] == ["duplicate_item", "invalid_item"]


@pytest.mark.parametrize(
    ("text", "value", "issue"),
    [
        ("{'id': 3, 'name': 'x', 'backdrop_path': None}", (3, "x"), None),
        ('{"id": 3, "name": "x"}', (3, "x"), None),
        ("", None, None),
        ("{'id': 3, 'name': ''}", None, "invalid_item"),
        ("{}", None, "invalid_item"),
        ("[]", None, "invalid_list"),
        ("0.065736", None, "invalid_list"),
    ],
)
def test_a_collection_is_one_object(read: Callable[..., Month], text: str, value: object, issue: str | None):
    found = read(movies_metadata=[{"id": 1, "belongs_to_collection": text}])
    assert found.movies[1]["collections"] == ([value] if value else [])
    assert told(found) == ([(1, 1, "belongs_to_collection", issue, "nulled", text)] if issue else [])


def test_a_credit_has_a_person_a_name_and_an_id_of_its_own(read: Callable[..., Month]):
    good = {"id": 5, "name": " Ann ", "credit_id": "c1", "gender": 1, "order": 0, "character": " ", "job": "Editor"}
    items = [good, good, {**good, "credit_id": " "}, {**good, "name": None}, {**good, "id": "5"}]
    found = read(credits=[{"id": 1, "cast": str(items), "crew": str([{**good, "gender": 0, "order": -1}])}])
    assert found.credits[1]["cast"] == [("c1", 5, "Ann", "female", None, 0, None, "Editor")]
    assert found.credits[1]["crew"] == [("c1", 5, "Ann", None, None, None, None, "Editor")]
    assert [t[2:5] for t in told(found)] == [
        ("cast", issue, "dropped") for issue in ("duplicate_item", "invalid_item", "invalid_item", "invalid_item")
    ]


def test_a_link_may_lead_nowhere(read: Callable[..., Month]):
    rows = [("1", "114709", "862"), ("2", "", ""), ("3", "x", "0")]
    found = read(links=[dict(zip(("movieId", "imdbId", "tmdbId"), row, strict=True)) for row in rows])
    assert found.links == {1: (862, "tt0114709"), 2: (None, None), 3: (None, None)}
    assert told(found) == [
        (3, None, "tmdbId", "invalid_id", "nulled", "0"), (3, None, "imdbId", "invalid_id", "nulled", "x"),
    ]  # fmt: skip


def movies(good: int, bad: int) -> str:
    return text_of(MOVIE_COLUMNS, [{"id": n} for n in (*range(1, good + 1), *[0] * bad)])


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"movies_metadata": movies(0, 0)}, ("movies_metadata.csv", "no_records")),
        ({"movies_metadata": "id,title\n1,x\n"}, ("movies_metadata.csv", "missing_column")),
        ({"movies_metadata": b"\xff\xfe"}, ("movies_metadata.csv", "unreadable")),
        ({"movies_metadata": movies(5, 10)}, None),
        ({"movies_metadata": movies(209, 11)}, None),
        ({"movies_metadata": movies(208, 11)}, ("movies_metadata.csv", "too_many_rejected")),
        ({"movies_metadata": text_of(MOVIE_COLUMNS, [{"id": 1}] * 50)}, None),
        ({"keywords": "id,keywords\n"}, None),
        ({"keywords": "id,words\n"}, ("keywords.csv", "missing_column")),
        ({"ratings": [{"userId": 1, "movieId": n, "rating": 6} for n in range(1, 12)]},
         ("ratings.csv", "too_many_rejected")),
        ({"links": [{"movieId": 1, "tmdbId": 5}], "links_small": b"\xff"}, None),
    ],
    ids=["empty", "no column", "no UTF-8", "ten", "5 percent", "above", "duplicates", "header only", "keywords",
         "ratings", "small file not read"],
)  # fmt: skip
def test_what_refuses_a_delivery(tmp_path: Path, files: dict[str, str], reason: tuple[str, str] | None):
    found = expected([deliver(tmp_path, **files)])
    assert found.refused == ([Refused(0, *reason)] if reason else [])
    assert bool(found.tables["core.movies"]) == (reason is None)


def test_packed_files_and_a_byte_order_mark_are_read(tmp_path: Path):
    plain = deliver(tmp_path, keywords=[{"id": 1, "keywords": "[{'id': 2, 'name': 'x'}]"}])
    texts = {name: "\ufeff".encode() + path.read_bytes() for name, path in plain.files.items()}
    packed = {f"{name}.gz": tmp_path / f"{name}.gz" for name in texts}
    for name, text in texts.items():
        packed[f"{name}.gz"].write_bytes(gzip.compress(text))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as whole:
        for name, text in texts.items():
            whole.writestr(f"archive/{name}", text)
    one = expected([plain]).tables
    assert one["core.movie_keywords"] == [(1, 2)]
    assert expected([Delivery(month(1), packed)]).tables == one
    assert expected([Delivery(month(1), {ZIP: tmp_path / "all.zip"})]).tables == one
    (tmp_path / "all.zip").write_bytes(b"PK")
    assert expected([Delivery(month(1), {ZIP: tmp_path / "all.zip"})]).refused == [Refused(0, ZIP, "unreadable")]


def test_columns_are_found_by_name_and_an_extra_one_is_no_fault(tmp_path: Path):
    header = ["more", *reversed(HEADERS["links.csv"])]
    found = expected([deliver(tmp_path, links=text_of(header, [{"movieId": 5, "tmdbId": 1, "imdbId": 9}]))])
    assert found.tables["core.movie_links"] == [(5, 1, "tt0000009")]


def test_an_issue_keeps_500_characters(read: Callable[..., Month]):
    (issue,) = read(movies_metadata=[{"id": 1, "genres": "x" * 600}]).issues
    assert issue == Issue(month(1), "movies_metadata.csv", 1, 1, "genres", "invalid_list", "nulled", "x" * 500)
