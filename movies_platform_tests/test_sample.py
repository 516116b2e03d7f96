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
COLUMNS = {
    "credits": ["cast", "crew", "id"],
    "keywords": ["id", "keywords"],
    "links": ["movieId", "imdbId", "tmdbId"],
    "ratings": ["userId", "movieId", "rating", "timestamp"],
}
KEYS = {"credits": ["id"], "keywords": ["id"], "links": ["movieId"], "ratings": ["userId", "movieId"]}
# What an item of a list needs; the last of it identifies the item.
NEEDED = {
    "cast": ("id", "name", "credit_id"), "crew": ("id", "name", "credit_id"), "keywords": ("name", "id"),
    "production_countries": ("iso_3166_1",), "spoken_languages": ("iso_639_1",),
}  # fmt: skip
MOVIES_ONLY = {"credits": 0, "ratings": 0}
csv.field_size_limit(1 << 30)

Movies = dict[int, dict[str, str]]


def rows_of(month: SampleMonth, name: str = "movies_metadata") -> list[list[str]]:
    with month.files[name].path.open(encoding="utf-8", newline="") as file:
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
        if not is_id(movie["id"]):
            issues["invalid_id"] += 1
            continue
        issues["duplicate_id"] += int(movie["id"]) in movies
        movies[int(movie["id"])] = movie
    for movie in movies.values():
        issues.update(field_issues(movie))
    return records, movies, +issues


def read_other(month: SampleMonth, name: str) -> tuple[int, list[dict[str, str]], Counter[str]]:
    """Records, accepted records and issues of another file than the movies', by the letter of the specification."""
    header, *rows = rows_of(month, name)
    assert header == COLUMNS[name]
    issues: Counter[str] = Counter()
    accepted: dict[tuple[str, ...], dict[str, str]] = {}
    for row in rows:
        if len(row) != len(header):
            issues["column_count"] += 1
            continue
        record = dict(zip(header, row, strict=True))
        key = tuple(record[column] for column in KEYS[name])
        if not all(is_id(part) for part in key):
            issues["invalid_id"] += 1
        elif name == "ratings" and not (is_number(record["rating"]) and 0 < float(record["rating"] or 0) <= 5):
            issues["invalid_number"] += 1
        else:
            issues["duplicate_id"] += accepted.pop(key, None) is not None
            accepted[key] = record
    for record in accepted.values():
        for column in record.keys() & NEEDED.keys():
            issues.update(issues_in(record, column))
        if name == "links":
            issues["invalid_id"] += not (record["tmdbId"] == "" or is_id(record["tmdbId"]))
            issues["invalid_id"] += not re.fullmatch(r"((tt)?\d+)?", record["imdbId"])
        if name == "ratings":
            time = record["timestamp"]
            issues["invalid_number"] += not (time == "" or (re.fullmatch(r"\d+", time) and int(time) < 2**40))
    return len(rows), list(accepted.values()), +issues


def other_issues(movie: dict[str, str]) -> list[str]:
    """Those of a movie's countries, languages and collection."""
    found = [issue for name in ("production_countries", "spoken_languages") for issue in issues_in(movie, name)]
    try:
        collection = ast.literal_eval(movie["belongs_to_collection"] or "{'id': 1, 'name': 'none'}")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return [*found, "invalid_list"]
    if not isinstance(collection, dict):
        return [*found, "invalid_list"]
    return found if has(collection, ("id", "name")) else [*found, "invalid_item"]


def issues_in(record: dict[str, str], column: str) -> list[str]:
    return list_issues(record[column], NEEDED[column])


def is_id(text: str) -> bool:
    return re.fullmatch("[1-9][0-9]*", text) is not None


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


def list_issues(text: str, needed: tuple[str, ...] = ("name", "id")) -> list[str]:
    try:
        items = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ["invalid_list"]
    if not isinstance(items, list):
        return ["invalid_list"]
    good = [item for item in items if has(item, needed)]
    distinct = {item[needed[-1]] for item in good}
    return ["invalid_item"] * (len(items) - len(good)) + ["duplicate_item"] * (len(good) - len(distinct))


def has(item: dict[str, object], needed: tuple[str, ...]) -> bool:
    return all(
        type(item.get(key)) is int if key == "id" else isinstance(item.get(key), str) and str(item[key]).strip()
        for key in needed
    )


def read_movies(month: SampleMonth) -> tuple[int, int, dict[str, int]]:
    """Records, movies and issues of the movies' file."""
    records, accepted, issues = read(month)
    issues.update(issue for movie in accepted.values() for issue in other_issues(movie))
    return records, len(accepted), dict(issues)


def summary_of_movies(month: SampleMonth) -> tuple[int, int, dict[str, int]]:
    return month.records, month.movies, month.files["movies_metadata"].issues


def text_of(month: SampleMonth, name: str = "movies_metadata") -> str:
    return month.files[name].path.read_bytes().decode("utf-8")


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> list[SampleMonth]:
    return write_sample(tmp_path_factory.mktemp("sample"), months=4, movies=600, seed=3)


@pytest.mark.parametrize("movies", [20, 50, 199, 200, 9000], ids=lambda movies: f"{movies}_movies")
def test_summary_is_what_an_independent_reader_finds(tmp_path: Path, movies: int) -> None:
    for month in write_sample(tmp_path, months=2, movies=movies, seed=movies, **MOVIES_ONLY):
        assert summary_of_movies(month) == read_movies(month)
        assert tuple(month.issues) == CODES
        assert min(month.issues.values()) >= 1
        issues = month.files["movies_metadata"].issues
        assert month.records == month.movies + sum(issues[code] for code in (*REJECTED, "broken_record"))
    assert list(month.files) == ["movies_metadata", "keywords", "links"]


@pytest.mark.parametrize("movies", [20, 80, 199, 200, 1500], ids=lambda movies: f"{movies}_movies")
def test_summary_of_each_file_is_what_an_independent_reader_finds(tmp_path: Path, movies: int) -> None:
    for month in write_sample(tmp_path, months=2, movies=movies, seed=movies):
        assert list(month.files) == ["movies_metadata", *COLUMNS]
        assert summary_of_movies(month) == read_movies(month)
        for name in COLUMNS:
            records, accepted, issues = read_other(month, name)
            file = month.files[name]
            assert (file.records, file.accepted, file.issues) == (records, len(accepted), dict(issues)), name
        together = sum((Counter(file.issues) for file in month.files.values()), Counter())
        assert month.issues == dict(together)


def test_every_kind_of_defect_is_in_every_file(tmp_path: Path) -> None:
    nested = {"column_count", "invalid_id", "duplicate_id", "invalid_list", "invalid_item", "duplicate_item"}
    expected = {
        "movies_metadata": set(CODES), "credits": nested, "keywords": nested,
        "links": {"column_count", "invalid_id", "duplicate_id"},
        "ratings": {"column_count", "invalid_id", "duplicate_id", "invalid_number"},
    }  # fmt: skip
    for movies in (20, 200):
        (month,) = write_sample(tmp_path, months=1, movies=movies, seed=1)
        assert {name: set(file.issues) for name, file in month.files.items()} == expected


def test_several_months_are_what_an_independent_reader_finds(months: list[SampleMonth]) -> None:
    for month in months:
        assert summary_of_movies(month) == read_movies(month)


def test_defects_of_a_large_month_grow_gently() -> None:
    from movies_platform.sample.defects import KINDS

    counts = {kind: kind.count(4_500_000) for kind in KINDS["movies_metadata"]}
    assert next(count for kind, count in counts.items() if kind.issue == "broken_record") == 228
    assert sum(counts.values()) < 4_500_000 / 1000


@pytest.mark.parametrize("movies", [58, 199, 200, 1000])
def test_rejected_records_stay_under_five_percent(tmp_path: Path, movies: int) -> None:
    (month,) = write_sample(tmp_path, months=1, movies=movies, seed=1)
    for file in month.files.values():
        rejected = file.records - file.accepted - file.issues.get("broken_record", 0)
        assert 0 < rejected < 0.05 * file.records, file.path.name


def test_months_are_consecutive_and_grow(months: list[SampleMonth]) -> None:
    assert [month.month for month in months] == ["2017-11", "2017-12", "2018-01", "2018-02"]
    assert [month.path.parent.name for month in months] == [month.month for month in months]
    assert [month.movies for month in months] == [600, 603, 606, 609]
    assert not list(months[0].path.parent.parent.rglob("*.part"))


def test_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    one = write_sample(tmp_path / "one", months=2, movies=300, seed=5)
    two = write_sample(tmp_path / "two", months=2, movies=300, seed=5)
    for name in one[0].files:
        assert [text_of(month, name) for month in one] == [text_of(month, name) for month in two], name


def test_more_months_leave_the_first_as_it_is(tmp_path: Path) -> None:
    one = write_sample(tmp_path / "one", months=1, movies=300, seed=5)
    two = write_sample(tmp_path / "two", months=3, movies=300, seed=5)
    for name in one[0].files:
        assert text_of(one[0], name) == text_of(two[0], name), name


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
    movies = [movie for movie in read(months[0])[1].values() if not field_issues(movie) + other_issues(movie)]
    nested = ("genres", "production_companies", "production_countries", "spoken_languages")
    fields = [movie[name] for movie in movies for name in (*nested, "belongs_to_collection") if movie[name]]
    assert all(repr(ast.literal_eval(field)) == field for field in fields)
    assert len(fields) > 4 * len(movies)
    for name, columns in (("credits", ("cast", "crew")), ("keywords", ("keywords",))):
        _, records, _ = read_other(months[0], name)
        fields = [record[column] for record in records for column in columns if not issues_in(record, column)]
        assert all(repr(ast.literal_eval(field)) == field for field in fields)
        assert len(fields) > 590 * len(columns)


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
    old, new = (read(month)[1] for month in write_sample(tmp_path, months=2, movies=4000, seed=8, **MOVIES_ONLY))
    assert old.keys() < new.keys()
    assert len(new) == 4020

    clean = [key for key in old if not other_issues(old[key]) + other_issues(new[key])]

    def changed(*names: str) -> float:
        return sum(any(old[key][name] != new[key][name] for name in names) for key in clean) / len(clean)

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
    (month,) = write_sample(tmp_path, months=1, movies=5000, seed=4, **MOVIES_ONLY)
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
        ({"credits": 19}, "credits must be 0 or at least 20"),
        ({"ratings": -1}, "ratings must be 0 or at least 20"),
        ({"seed": -1}, "seed must not be negative"),
        ({"first_month": "2017-13"}, "first month must be YYYY-MM"),
    ],
    ids=["too_few_movies", "no_month", "too_few_credits", "negative_ratings", "negative_seed", "month_13"],
)
def test_wrong_arguments_are_refused_before_anything_is_written(
    tmp_path: Path, wrong: dict[str, object], says: str
) -> None:
    arguments: dict[str, object] = {"months": 1, "movies": 50, "seed": 1} | wrong
    with pytest.raises(ValueError, match=says):
        write_sample(tmp_path, **arguments)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_few_studios_make_dozens_of_movies_a_year_and_most_companies_few(tmp_path: Path) -> None:
    (month,) = write_sample(tmp_path, months=1, movies=20_000, seed=2, **MOVIES_ONLY)
    movies = [movie for movie in read(month)[1].values() if movie["release_date"].startswith("2015")]
    lists = [movie["production_companies"] for movie in movies]
    credits = Counter(item["name"] for text in lists if not list_issues(text) for item in ast.literal_eval(text))
    large = [name for name, releases in credits.items() if releases >= 12]
    assert 4 <= len(large) <= 8
    assert sum(releases == 1 for releases in credits.values()) > len(credits) / 2


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> list[SampleMonth]:
    """Two months of 3,000 movies, credits of 800 and 60,000 ratings in the first."""
    return write_sample(tmp_path_factory.mktemp("large"), months=2, movies=3000, seed=6, credits=800)


def items_of(records: list[dict[str, str]], column: str) -> list[dict[str, object]]:
    clean = [record[column] for record in records if not issues_in(record, column)]
    return [item for text in clean for item in ast.literal_eval(text)]


def test_files_have_the_real_proportions(large: list[SampleMonth]) -> None:
    files = large[0].files
    real = {"keywords": 46_419, "links": 45_843}
    for name, records in real.items():
        assert files[name].records / files["movies_metadata"].records == pytest.approx(records / 45_466, rel=0.005)
    _, credits, _ = read_other(large[0], "credits")
    assert len(items_of(credits, "cast")) / len(credits) == pytest.approx(560 / 45.476, rel=0.05)
    assert len(items_of(credits, "crew")) / len(credits) == pytest.approx(460 / 45.476, rel=0.1)
    assert files["credits"].path.stat().st_size / len(credits) == pytest.approx(190e6 / 45_476, rel=0.1)
    _, keywords, _ = read_other(large[0], "keywords")
    assert len(items_of(keywords, "keywords")) / len(keywords) == pytest.approx(3.45, rel=0.05)


def test_credits_and_ratings_are_as_many_as_asked_for(tmp_path: Path) -> None:
    (month,) = write_sample(tmp_path, months=1, movies=50, seed=1, credits=120, ratings=777)
    assert month.files["credits"].accepted == 120
    assert month.files["ratings"].accepted == 777
    movies = [int(movie) for movie in read(month)[1]]
    ids = [int(record["id"]) for record in read_other(month, "credits")[1]]
    assert set(ids[:50]) == set(movies)
    assert not set(ids[50:]) & set(movies)


def test_a_person_has_one_name_and_one_gender_and_a_credit_one_id(large: list[SampleMonth]) -> None:
    _, credits, _ = read_other(large[0], "credits")
    cast, crew = items_of(credits, "cast"), items_of(credits, "crew")
    known = {(item["id"], item["name"], item["gender"]) for item in cast + crew}
    assert len({key for key, *_ in known}) == len(known)
    assert {gender for *_, gender in known} == {0, 1, 2, 9}
    credit_ids = [str(item["credit_id"]) for item in cast + crew if not str(item["credit_id"]).startswith("ffff")]
    assert all(re.fullmatch("[0-9a-f]{24}", str(item["credit_id"])) for item in cast + crew)
    assert len(set(credit_ids)) == len(credit_ids)
    firsts = [items_of([record], "crew")[:1] for record in credits]
    directors = [item for (item,) in filter(None, firsts) if str(item["credit_id"]).startswith("52fe")]
    assert all(item["job"] == "Director" for item in directors)
    assert len(directors) > 0.95 * len(credits)
    assert {("Writing", "Screenplay"), ("Sound", "Foley")} < {(item["department"], item["job"]) for item in crew}
    orders = [[item["order"] for item in ast.literal_eval(record["cast"])] for record in credits[:50]]
    assert all(order == list(range(len(order))) for order in orders)


def test_stars_are_in_dozens_of_movies_and_most_people_in_one() -> None:
    import numpy as np

    from movies_platform.sample.credits import ACTOR_SHIFT
    from movies_platform.sample.draws import tail_ranks

    _, films = np.unique(tail_ranks(np.random.default_rng(0), ACTOR_SHIFT, 560_000), return_counts=True)
    assert 100 < films.max() < 250
    assert (films >= 24).sum() > 100
    assert (films == 1).mean() > 0.6
    assert 0.3 < len(films) / 560_000 < 0.5


def test_links_lead_to_movies_but_for_as_many_as_really_do_not(large: list[SampleMonth]) -> None:
    movies = read(large[0])[1]
    _, links, _ = read_other(large[0], "links")
    numbers = [int(link["movieId"]) for link in links]
    assert numbers == sorted(numbers)
    targets = Counter(int(link["tmdbId"]) for link in links if is_id(link["tmdbId"]))
    assert sum(link["tmdbId"] == "" for link in links) / len(links) == pytest.approx(219 / 45_843, rel=0.3)
    assert sum(target not in movies for target in targets) / len(links) == pytest.approx(129 / 45_843, rel=0.4)
    assert max(targets.values()) == 2
    assert text_of(large[0], "links").count("\r\n") == large[0].files["links"].records + 1


def test_ratings_follow_popularity_and_votes(large: list[SampleMonth]) -> None:
    movies = read(large[0])[1]
    movie_of = {link["movieId"]: link["tmdbId"] for link in read_other(large[0], "links")[1] if is_id(link["tmdbId"])}
    _, ratings, _ = read_other(large[0], "ratings")
    keys = [(int(rating["userId"]), int(rating["movieId"])) for rating in ratings]
    assert keys == sorted(keys)
    given: dict[str, list[float]] = {}
    for rating in ratings:
        given.setdefault(movie_of.get(rating["movieId"], ""), []).append(float(rating["rating"]))
    ranked = sorted(
        (movie for movie in movies.values() if not field_issues(movie)), key=lambda movie: float(movie["popularity"])
    )
    third = len(ranked) // 3
    often = [sum(len(given.get(movie["id"], [])) for movie in some) for some in (ranked[:third], ranked[-third:])]
    assert often[1] > 6 * often[0]
    rated = sorted((m for m in ranked if m["id"] in given), key=lambda movie: float(movie["vote_average"]))
    worst, best = ([x for m in some for x in given[m["id"]]] for some in (rated[:300], rated[-300:]))
    assert sum(best) / len(best) > sum(worst) / len(worst) + 0.5
    assert {rating["rating"] for rating in ratings} == {f"{half / 2}" for half in range(1, 11)}
    assert text_of(large[0], "ratings").count("\r\n") == large[0].files["ratings"].records + 1
    assert '"' not in text_of(large[0], "ratings")


def test_a_month_later_ratings_have_grown_and_few_are_others(large: list[SampleMonth]) -> None:
    old, new = (
        {(rating["userId"], rating["movieId"]): rating["rating"] for rating in read_other(month, "ratings")[1]}
        for month in large
    )
    assert (len(old), len(new)) == (60_000, 60_300)
    assert old.keys() < new.keys()
    assert 0.005 < sum(old[key] != new[key] for key in old) / len(old) < 0.02


def test_a_month_later_some_movies_have_another_crew_and_more_keywords(large: list[SampleMonth]) -> None:
    for name, column in (("credits", "crew"), ("keywords", "keywords")):
        old, new = (
            {record["id"]: record[column] for record in read_other(month, name)[1] if not issues_in(record, column)}
            for month in large
        )
        changed = [key for key in old.keys() & new.keys() if old[key] != new[key]]
        assert 0.005 < len(changed) / len(old) < 0.02
        grown = [key for key in changed if len(ast.literal_eval(new[key])) == len(ast.literal_eval(old[key])) + 1]
        assert len(grown) > len(changed) - 6  # but for odd records of the sample's own


def test_collections_have_several_movies(large: list[SampleMonth]) -> None:
    texts = [movie["belongs_to_collection"] for movie in read(large[0])[1].values() if not other_issues(movie)]
    collections = [ast.literal_eval(text) for text in texts if text]
    assert 0.08 < len(collections) / len(texts) < 0.12
    assert all(list(one) == ["id", "name", "poster_path", "backdrop_path"] for one in collections)
    assert 0.1 < sum(one["backdrop_path"] is None for one in collections) / len(collections) < 0.5
    assert max(Counter(one["id"] for one in collections).values()) > 5
