"""The made-up deliveries hold what their summaries promise, by a reader that shares nothing with them."""

import ast
import csv
import datetime as dt
import re
from collections import Counter
from pathlib import Path

import pytest

from movies_platform.sample import SampleMonth, write_sample

HEADER = (
    "adult,belongs_to_collection,budget,genres,homepage,id,imdb_id,original_language,original_title,"
    "overview,popularity,poster_path,production_companies,production_countries,release_date,revenue,"
    "runtime,spoken_languages,status,tagline,title,video,vote_average,vote_count"
)
CODES = (
    *("broken_record", "column_count", "invalid_id", "duplicate_id", "invalid_date", "invalid_number"),
    *("invalid_list", "invalid_item", "duplicate_item"),
)
NUMBERS = ("budget", "revenue", "popularity", "runtime", "vote_average", "vote_count")
REJECTED = ("column_count", "invalid_id", "duplicate_id")

Movies = dict[int, dict[str, str]]


def rows_of(month: SampleMonth) -> list[list[str]]:
    with month.path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def read(month: SampleMonth) -> tuple[int, Movies, Counter[str]]:
    """Records, accepted movies and issues of a month, by the letter of the specification."""
    header, *rows = rows_of(month)
    issues: Counter[str] = Counter()
    movies: Movies = {}
    records = len(rows)
    while rows:
        row = rows.pop(0)
        if len(row) == 10 and len(rows[0]) == 15:
            tail = rows.pop(0)
            row = [*row[:-1], row[-1] + "\n" + tail[0], *tail[1:]]
            issues["broken_record"] += 1
        if len(row) != 24:
            issues["column_count"] += 1
            continue
        movie = dict(zip(header, row, strict=True))
        if not re.fullmatch("[1-9][0-9]*", movie["id"]):
            issues["invalid_id"] += 1
            continue
        issues["duplicate_id"] += int(movie["id"]) in movies
        movies[int(movie["id"])] = movie
    for movie in movies.values():
        issues.update(field_issues(movie))
    return records, movies, +issues


def field_issues(movie: dict[str, str]) -> list[str]:
    found = ["invalid_date"] * (not is_date(movie["release_date"]))
    found += ["invalid_number" for name in NUMBERS if not is_number(movie[name])]
    for name in ("genres", "production_companies"):
        found += list_issues(movie[name])
    return found


def is_date(text: str) -> bool:
    for form, pattern in (("%Y-%m-%d", r"\d{4}-\d\d-\d\d"), ("%m/%d/%Y", r"\d\d/\d\d/\d{4}")):
        if re.fullmatch(pattern, text):
            try:
                dt.datetime.strptime(text, form)  # noqa: DTZ007
            except ValueError:
                return False
            return True
    return text == ""


def is_number(text: str) -> bool:
    try:
        return text == "" or 0 <= float(text) < float("inf")
    except ValueError:
        return False


def list_issues(text: str) -> list[str]:
    try:
        items = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ["invalid_list"]
    if not isinstance(items, list):
        return ["invalid_list"]
    good = [item for item in items if type(item.get("id")) is int and item.get("name", "").strip()]
    distinct = {item["id"] for item in good}
    return ["invalid_item"] * (len(items) - len(good)) + ["duplicate_item"] * (len(good) - len(distinct))


def text_of(month: SampleMonth) -> str:
    return month.path.read_bytes().decode("utf-8")


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> list[SampleMonth]:
    return write_sample(tmp_path_factory.mktemp("sample"), months=4, movies=600, seed=3)


@pytest.mark.parametrize("movies", [20, 50, 199, 200, 9000], ids=lambda movies: f"{movies}_movies")
def test_summary_is_what_an_independent_reader_finds(tmp_path: Path, movies: int) -> None:
    for month in write_sample(tmp_path, months=2, movies=movies, seed=movies):
        records, accepted, issues = read(month)
        assert (month.records, month.movies, month.issues) == (records, len(accepted), dict(issues))
        assert tuple(month.issues) == CODES
        assert min(month.issues.values()) >= 1
    assert month.records == month.movies + sum(month.issues[code] for code in (*REJECTED, "broken_record"))


def test_several_months_are_what_an_independent_reader_finds(months: list[SampleMonth]) -> None:
    for month in months:
        records, accepted, issues = read(month)
        assert (month.records, month.movies, month.issues) == (records, len(accepted), dict(issues))


def test_defects_of_a_large_month_grow_gently() -> None:
    from movies_platform.sample.defects import defect_counts

    assert defect_counts(4_500_000)["broken_record"] == 228
    assert sum(defect_counts(4_500_000).values()) < 4_500_000 / 1000


@pytest.mark.parametrize("movies", [58, 199, 200, 1000])
def test_rejected_records_stay_under_five_percent(tmp_path: Path, movies: int) -> None:
    (month,) = write_sample(tmp_path, months=1, movies=movies, seed=1)
    assert sum(month.issues[code] for code in REJECTED) < 0.05 * month.records


def test_months_are_consecutive_and_grow(months: list[SampleMonth]) -> None:
    assert [month.month for month in months] == ["2017-11", "2017-12", "2018-01", "2018-02"]
    assert [month.path.parent.name for month in months] == [month.month for month in months]
    assert [month.movies for month in months] == [600, 603, 606, 609]
    assert not list(months[0].path.parent.parent.rglob("*.part"))


def test_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    one = write_sample(tmp_path / "one", months=2, movies=300, seed=5)
    two = write_sample(tmp_path / "two", months=2, movies=300, seed=5)
    assert [month.path.read_bytes() for month in one] == [month.path.read_bytes() for month in two]


def test_more_months_leave_the_first_as_it_is(tmp_path: Path) -> None:
    one = write_sample(tmp_path / "one", months=1, movies=300, seed=5)
    two = write_sample(tmp_path / "two", months=3, movies=300, seed=5)
    assert one[0].path.read_bytes() == two[0].path.read_bytes()


def test_another_seed_gives_other_movies(tmp_path: Path) -> None:
    one, two = (write_sample(tmp_path / str(seed), months=1, movies=300, seed=seed)[0] for seed in (1, 2))
    titles = [[movie["title"] for movie in read(month)[1].values()] for month in (one, two)]
    assert titles[0] != titles[1]


def test_header_is_that_of_the_data_set(months: list[SampleMonth]) -> None:
    assert text_of(months[0]).split("\n", 1)[0] == HEADER


def test_quoting_is_minimal(tmp_path: Path, months: list[SampleMonth]) -> None:
    whole = [row for row in rows_of(months[0]) if len(row) == 24]
    again = tmp_path / "again.csv"
    with again.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(whole)
    lines = set(text_of(months[0]).split("\n"))
    assert set(again.read_bytes().decode("utf-8").split("\n")) <= lines


def test_clean_lists_are_written_as_repr_does(months: list[SampleMonth]) -> None:
    movies = [movie for movie in read(months[0])[1].values() if not field_issues(movie)]
    nested = ("genres", "production_companies", "production_countries", "spoken_languages")
    fields = [movie[name] for movie in movies for name in (*nested, "belongs_to_collection") if movie[name]]
    assert all(repr(ast.literal_eval(field)) == field for field in fields)
    assert len(fields) > 4 * len(movies)


def test_values_look_like_the_real_ones(months: list[SampleMonth]) -> None:
    movies = [movie for movie in read(months[0])[1].values() if not field_issues(movie)]
    forms = {
        "budget": r"\d+| 1000000 ",
        "revenue": r"\d+",
        "popularity": r"\d+\.\d+|\d(\.\d+)?e-0\d| 12.5 ",
        "runtime": r"\d+\.0|",
        "vote_average": r"\d+\.\d",
        "vote_count": r"\d+",
        "imdb_id": r"tt\d{7}|",
        "title": r"(?s)\S.*",
        "poster_path": r"/\w{27}\.jpg|",
        "release_date": r"(19\d\d|20[01]\d|2020)-\d\d-\d\d|\d\d/\d\d/\d{4}|",
    }
    for name, form in forms.items():
        assert [movie[name] for movie in movies if not re.fullmatch(form, movie[name])] == [], name
    assert 0.7 < sum(movie["budget"] == "0" for movie in movies) / len(movies) < 0.9
    assert 0.75 < sum(movie["revenue"] == "0" for movie in movies) / len(movies) < 0.93


def test_a_month_later_a_tenth_has_other_votes_and_few_have_other_money(tmp_path: Path) -> None:
    old, new = (read(month)[1] for month in write_sample(tmp_path, months=2, movies=4000, seed=8))
    assert old.keys() < new.keys()
    assert len(new) == 4020

    def changed(*names: str) -> float:
        return sum(any(old[key][name] != new[key][name] for name in names) for key in old) / len(old)

    assert 0.08 < changed("popularity") < 0.12
    assert 0.08 < changed("vote_count") < 0.12
    assert 0.005 < changed("budget", "revenue") < 0.02
    assert changed("title", "imdb_id", "poster_path", "production_countries") == 0


def test_every_line_break_and_every_bad_value_occurs(months: list[SampleMonth]) -> None:
    text = text_of(months[0])
    assert [text.count(f"ship.{end} - Written") for end in ("\r", "\n", "\r\n")] == [1, 1, 1]
    everything = "".join(map(text_of, months))
    bad = (",nan,", ",lots,", ",-5,", ",1e400,", ",False,", "'id': None", "'name': ''", ",__import__('os')")
    odd = ("[" * 5000, ", 1000000 ,", "'name': \"", "\\'s", "\\xa0", "é", "映画", '""')
    assert [token for token in (*bad, *odd) if token not in everything] == []


def test_names_that_break_careless_parsers_occur(tmp_path: Path) -> None:
    (month,) = write_sample(tmp_path, months=1, movies=5000, seed=4)
    lists = [movie["production_companies"] for movie in read(month)[1].values()]
    items = [item for text in lists if not list_issues(text) for item in ast.literal_eval(text)]
    names = {item["name"] for item in items}
    for odd in ("'", '"', ",", "\xa0", "\t", "\\", "\u200b"):
        assert any(odd in name for name in names), repr(odd)
    assert any("'" in name and '"' in name for name in names)
    assert any(name.isdigit() for name in names)
    assert 1.4 < len(items) / len(lists) < 1.7


def test_companies_grow_more_slowly_than_movies() -> None:
    import numpy as np

    from movies_platform.sample.movies_metadata import draw_companies

    few, many = (len(np.unique(draw_companies(np.random.default_rng(0), n)[0])) for n in (45_000, 450_000))
    assert 0.45 < few / 45_000 < 0.55
    assert 10**0.77 < many / few < 10**0.83


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"movies": 19}, "movies must be at least 20"),
        ({"months": 0}, "months must be from 1 to 240"),
        ({"seed": -1}, "seed must not be negative"),
        ({"first_month": "2017-13"}, "first month must be YYYY-MM"),
    ],
    ids=["too_few_movies", "no_month", "negative_seed", "month_13"],
)
def test_wrong_arguments_are_refused_before_anything_is_written(
    tmp_path: Path, wrong: dict[str, object], says: str
) -> None:
    arguments: dict[str, object] = {"months": 1, "movies": 50, "seed": 1} | wrong
    with pytest.raises(ValueError, match=says):
        write_sample(tmp_path, **arguments)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_few_studios_make_dozens_of_movies_a_year_and_most_companies_few(tmp_path: Path) -> None:
    (month,) = write_sample(tmp_path, months=1, movies=20_000, seed=2)
    movies = [movie for movie in read(month)[1].values() if movie["release_date"].startswith("2015")]
    lists = [movie["production_companies"] for movie in movies]
    credits = Counter(item["name"] for text in lists if not list_issues(text) for item in ast.literal_eval(text))
    large = [name for name, releases in credits.items() if releases >= 12]
    assert 4 <= len(large) <= 8
    assert sum(releases == 1 for releases in credits.values()) > len(credits) / 2
