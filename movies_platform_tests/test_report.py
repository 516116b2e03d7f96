"""The report: what its charts draw, what its page says, and that it needs no other file."""

import datetime as dt
import json
import re
import shutil
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import dagster as dg
import duckdb
import pandas as pd
import pytest

from movies_platform.contracts import all_tables, table_named
from movies_platform.report import charts, page
from movies_platform.report.assets import CHARTS, page_is_current, report_page
from movies_platform.report.page import ANSWERS, CheckState, readable
from movies_platform.resources import warehouse
from movies_platform.resources.warehouse import ensure
from movies_platform_tests.frames import frame
from movies_platform_tests.shell import Shell
from movies_platform_tests.test_contracts_rows import add, valid_row
from movies_platform_tests.ui import CHROMIUM, browser_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = [chart.key.path[-1] for chart in CHARTS]
each_chart = pytest.mark.parametrize("name", NAMES)


def rows(table: str, *given: dict[str, Any]) -> pd.DataFrame:
    """A frame of the table with some values given, the others valid."""
    contract = table_named(table)
    return frame(table, [valid_row(contract, **row) for row in given])


def movies(**years: int) -> pd.DataFrame:
    """So many movies of each year (`y2016=3`), released on its first day."""
    given = [
        {"movie_id": number, "release_year": int(year[1:]), "release_date": dt.date(int(year[1:]), 1, 1)}
        for number, year in enumerate((year for year, count in years.items() for _ in range(count)), start=1)
    ]
    return rows("movies", *given)


def genres(*names: str) -> pd.DataFrame:
    """Genres 1, 2 ... of these names."""
    return rows("genres", *({"genre_id": n, "genre_name": name} for n, name in enumerate(names, start=1)))


DELIVERIES = pd.DataFrame(
    {"month": pd.to_datetime(["2017-10-01", "2017-11-01", "2017-12-01"]), "records": [1_000, 1_010, 20],
     "rejected": [1, 0, 0], "repaired": [0, 0, 0], "nulled": [2, 2, 1], "dropped": [0, 1, 0]}
)  # fmt: skip


def drawn(name: str, *labels: str) -> "Figure":
    """The chart of three rows; where it shows genres or companies, these have the labels for names."""
    made, of = labels or ("A", "B", "C"), genres(*(labels or ("A", "B", "C")))
    ids = list(enumerate(made, start=1))
    released = movies(y2000=3, y2001=3)
    groups = [{"genre_id": n, "genre_name": label, "year": 2000} for n, label in ids]
    companies = [{"company_id": n, "company_name": label, "year": 2000} for n, label in ids]
    months = [{"genre_id": n, "genre_name": label, "month": dt.date(2017, 11, 1)} for n, label in ids]
    winners = [{"genre_id": n, "genre_name": label, "year": 1990 + n} for n, label in ids]
    titled = released.assign(title=[*made, *made][: len(released)])
    voted = [{"movie_id": n} for n, _ in ids]
    frames: dict[str, tuple[pd.DataFrame, ...]] = {
        "money_of_top_genres":
            (rows("genre_budget_by_year", *groups), rows("genre_revenue_by_year", *groups), of, released),
        "most_popular_genres": (rows("most_popular_genre_by_year", *winners), of, released),
        "best_rated_against_most_popular": (
            rows("most_popular_genre_by_year", *({**row, "measure": "median"} for row in winners)),
            rows("best_rated_genre_by_year", *({**row, "measure": "mean_rating"} for row in winners)), of, released,
        ),
        "top_of_the_weighted_rating": (rows("movie_ratings", *voted), titled),
        "top_companies_of_the_decade":
            (rows("company_budget_by_year", *companies), rows("company_revenue_by_year", *companies), released),
        "coverage_of_money": (released,),
        "records_and_issues": (DELIVERIES,),
        "popularity_by_month": (rows("genre_popularity_by_month", *months), of),
    }  # fmt: skip
    return draw(name)(*frames[name])


def draw(name: str) -> "Callable[..., Figure]":
    return getattr(charts, name)


def texts(figure: "Figure") -> set[str]:
    """All texts of the chart."""
    svg = ElementTree.fromstring(charts.as_svg(figure))
    return {"".join(text.itertext()) for text in svg.iter("{http://www.w3.org/2000/svg}text")}


def colours(figure: "Figure") -> dict[str, Any]:
    """The colour of each label at the end of a line or in a legend."""
    from matplotlib.colors import to_hex

    found = {text.get_text(): to_hex(text.get_color()) for axes in figure.axes for text in axes.texts}
    for legend in figure.legends:
        patches = zip(legend.get_texts(), legend.get_patches(), strict=True)
        found |= {text.get_text(): to_hex(patch.get_facecolor()) for text, patch in patches}
    return found


@each_chart
def test_a_chart_of_empty_tables_says_so(name: str):
    empty = {
        "records_and_issues": [DELIVERIES.iloc[:0]],
        "money_of_top_genres": ["genre_budget_by_year", "genre_revenue_by_year", "genres", "movies"],
        "most_popular_genres": ["most_popular_genre_by_year", "genres", "movies"],
        "best_rated_against_most_popular": [
            "most_popular_genre_by_year",
            "best_rated_genre_by_year",
            "genres",
            "movies",
        ],
        "top_of_the_weighted_rating": ["movie_ratings", "movies"],
        "top_companies_of_the_decade": ["company_budget_by_year", "company_revenue_by_year", "movies"],
        "coverage_of_money": ["movies"],
        "popularity_by_month": ["genre_popularity_by_month", "genres"],
    }[name]
    frames = [rows(frame) if isinstance(frame, str) else frame for frame in empty]
    assert "nothing to show yet" in texts(draw(name)(*frames))


@each_chart
def test_a_chart_is_the_same_for_the_same_rows_and_takes_the_colour_of_a_page(name: str):
    svg = charts.as_svg(drawn(name))
    assert svg == charts.as_svg(drawn(name))
    assert charts.INK not in svg
    assert charts.FILE_INK in svg
    inside = charts.for_page(svg)
    assert "currentColor" in inside
    assert charts.FILE_INK not in inside


HOSTILE = ("$\\undefined{x}$", "$$$ Films", "_hidden", "<b>&amp;", "two\nlines\x00\x1b", "W" * 200)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("coverage_of_money", "records_and_issues")])
def test_any_name_can_be_drawn(name: str):
    figure = drawn(name, *HOSTILE)
    assert charts.as_png(figure).startswith(b"\x89PNG")
    found = texts(figure)
    assert {"$\\undefined{x}$", "$$$ Films", "\u200b_hidden", "<b>&amp;", "two lines"} <= found
    assert max(map(len, found)) <= 40


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("background", ["#ffffff", charts.CARD, "#14171c"], ids=["white", "card", "dark page"])
def test_every_colour_is_seen_on_light_and_on_dark(background: str):
    used = {*charts.GENRE_COLOURS, *charts.ACTION_COLOURS.values(), charts.GREY, charts.FILE_INK}
    assert {colour: contrast(colour, background) for colour in used if contrast(colour, background) < 3} == {}
    assert background == "#14171c" or contrast(charts.INK, background) > 7


def test_a_genre_has_one_colour_in_all_charts():
    found = [colours(drawn(name)) for name in ("money_of_top_genres", "most_popular_genres", "popularity_by_month")]
    expected = dict(zip("ABC", charts.GENRE_COLOURS, strict=False))
    assert [{name: one[name] for name in "ABC"} for one in found] == [expected] * 3
    assert len({*charts.GENRE_COLOURS}) == len(charts.GENRE_COLOURS)


def test_money_is_drawn_for_the_genres_that_earned_most():
    named = [{"genre_id": n, "genre_name": f"genre {n}", "year": 2000} for n in range(1, 8)]
    earned = [7e9, 1e9, 2e9, 3e9, 4e9, 5e9, 6e9]
    revenue = [{**row, "revenue_share_usd": amount} for row, amount in zip(named, earned, strict=True)]
    figure = charts.money_of_top_genres(
        rows("genre_budget_by_year", *({**row, "budget_share_usd": 35e8} for row in named)),
        rows("genre_revenue_by_year", *revenue), genres(*(row["genre_name"] for row in named)), movies(y2000=1),
    )  # fmt: skip
    assert {text for text in texts(figure) if text.startswith("genre")} == {f"genre {n}" for n in (1, 7, 6, 5, 4, 3)}
    heights = [[line.get_ydata()[0] for line in axes.lines] for axes in figure.axes]
    assert heights == [[3.5] * 6, [7, 6, 5, 4, 3, 2]]


def test_the_companies_are_those_of_the_newest_decade_and_its_title_ends_where_the_data_ends():
    made = [(2009, 1, 9e9), (2010, 2, 1e9), (2012, 2, 1e9), (2012, 3, 1e9), (2019, 4, 9e9)]
    named = [{"year": year, "company_id": n, "company_name": f"company {n}"} for year, n, _ in made]
    budget = [{**row, "budget_usd": None if row["company_id"] == 3 else 5e8} for row in named]
    revenue = [{**row, "revenue_usd": usd} for row, (*_, usd) in zip(named, made, strict=True)]
    figure = charts.top_companies_of_the_decade(
        rows("company_budget_by_year", *budget), rows("company_revenue_by_year", *revenue), movies(y2012=5, y2013=1)
    )
    (axes,) = figure.axes
    assert axes.get_title("left").startswith("2010 to 2013,")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["company 2", "company 3"]
    assert [bar.get_width() for bar in axes.patches] == [2.0, 1.0, 1.0, 0.0]


def test_the_best_rated_genre_stands_against_the_most_popular_one():
    named = [{"genre_id": n, "genre_name": name, "year": 2000} for n, name in ((1, "A"), (2, "B"))]
    popular = rows("most_popular_genre_by_year", {**named[0], "measure": "median"}, {**named[1], "measure": "max"})
    rated = rows("best_rated_genre_by_year", {**named[1], "measure": "weighted_rating"},
                 {**named[0], "measure": "votes"}, {**named[1], "measure": "mean_rating"})  # fmt: skip
    (axes,) = charts.best_rated_against_most_popular(popular, rated, genres("A", "B"), movies(y2000=1)).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "popularity, median", "votes, weighted", "ratings, mean"
    ]  # fmt: skip
    a, b = charts.GENRE_COLOURS[:2]
    from matplotlib.colors import to_hex

    assert [(bar.get_y(), to_hex(bar.get_facecolor())) for bar in axes.patches] == [(-0.4, a), (0.6, b), (1.6, b)]


def test_the_top_is_of_the_weighted_rating_and_leaves_out_what_has_none():
    rated = [(1, 9.9, 6.0, 3), (2, 8.4, 8.1, 9_000), (3, None, None, None), (4, 8.0, 7.0, 20)]
    given = [
        {"movie_id": n, "mean_vote": mean, "weighted_rating": weighted, "votes": votes}
        for n, mean, weighted, votes in rated
    ]
    known = movies(y1999=4).assign(title=["few votes", "the best", "unknown", "second"])
    (axes,) = charts.top_of_the_weighted_rating(rows("movie_ratings", *given), known).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["the best", "second", "few votes"]
    assert [text.get_text() for text in axes.texts] == ["1999, 9,000 votes", "1999, 20 votes", "1999, 3 votes"]
    assert [list(line.get_xdata()) for line in axes.lines] == [[8.4, 8.0, 9.9], [8.1, 7.0, 6.0]]


def test_coverage_is_the_share_of_the_year():
    given = movies(y2000=4)
    given["budget_usd"] = [1.0, 2.0, 3.0, None]
    given["revenue_usd"] = [1.0, None, None, None]
    upper, lower = charts.coverage_of_money(given).axes
    assert [line.get_ydata()[0] for line in upper.lines] == [0.75, 0.25]
    assert [bar.get_height() for bar in lower.patches] == [4]


def test_whole_histories_and_changes_of_a_month_are_told_apart():
    upper, lower = charts.records_and_issues(DELIVERIES).axes
    whole, changes = upper.containers
    assert [bar.get_height() for bar in whole] == [1_000, 1_010]
    assert [(bar.get_height(), bool(bar.get_hatch())) for bar in changes] == [(20, True)]
    assert [bar.get_height() for bar in lower.containers[2]] == pytest.approx([2, 2 / 1.01, 50])


def test_months_of_other_movies_are_not_compared():
    months = [dt.date(2017, month, 1) for month in (9, 10, 11, 12)]
    known = [
        {"genre_id": 1, "genre_name": "A", "month": month, "movies": count, "mean_popularity": 1.0 * count}
        for month, count in zip(months, (4, 90, 100, 101), strict=True)
    ]
    (axes,) = charts.popularity_by_month(rows("genre_popularity_by_month", *known), genres("A")).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["2017-10", "2017-11", "2017-12"]
    assert list(axes.lines[0].get_ydata()) == [90, 100, 101]


def test_the_newest_year_is_the_last_one_that_is_not_just_beginning():
    assert charts.newest_years(movies()) == (0, 0)
    assert charts.newest_years(movies(y2014=4, y2015=5, y2016=2, y2099=9)) == (2015, 2016)


@pytest.fixture
def stored() -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table, empty."""
    with duckdb.connect() as connection:
        for table in all_tables():
            ensure(connection, table)
        yield connection


@pytest.fixture(scope="module")
def reported(home_of_two_months: Path, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A home with two months, refreshed and reported."""
    shell = Shell(tmp_path_factory.mktemp("reported") / "home")
    shutil.copytree(home_of_two_months, shell.home)
    shell("report")
    return shell


class Page(HTMLParser):
    """Tags of a page with their attributes, the JSON in it, and its text."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.found = json.loads(re.findall(r'<script type="application/json" id="found">(.*?)</script>', text)[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_metric_by_year_is_a_question_of_the_page():
    by_year = {t.name for t in all_tables() if t.schema == "metrics" and t.name.endswith("_by_year")}
    assert {answer.table for answer in ANSWERS} == {*by_year, "movie_ratings"}


def test_an_answer_has_the_best_rows_of_each_year(stored: duckdb.DuckDBPyConnection):
    for year in (2000, 2001):
        for number in range(1, 11):
            add(stored, "metrics.genre_budget_by_year", year=year, genre_id=number, genre_name=f"genre {number}",
                movies=9, movies_with_budget=3, budget_usd=172_500_000.0 * number, budget_share_usd=None)  # fmt: skip
    (answer,) = [one for one in ANSWERS if one.table == "genre_budget_by_year"]
    found = answer.by_year(stored, [2001, 2000, 1999])
    assert [len(rows) for rows in found.values()] == [8, 8, 0]
    assert found["2001"][0] == ["genre 10", "3 of 9", "1,725,000,000", "–"]


def test_the_best_movies_of_a_year_are_by_their_titles(stored: duckdb.DuckDBPyConnection):
    for number, weighted in ((1, 6.5), (2, 7.25), (3, None)):
        add(stored, "core.movies", movie_id=number, title=f"movie {number}", release_year=2000)
        add(stored, "metrics.movie_ratings", movie_id=number, votes=1_200, weighted_rating=weighted, ratings=0,
            mean_rating=None)  # fmt: skip
    (answer,) = [one for one in ANSWERS if one.table == "movie_ratings"]
    assert answer.by_year(stored, [2000])["2000"] == [
        ["movie 2", "1,200", "7.25", "0", "–"], ["movie 1", "1,200", "6.50", "0", "–"],
        ["movie 3", "1,200", "–", "0", "–"],
    ]  # fmt: skip


def test_the_people_of_a_company_are_those_of_most_of_its_movies(stored: duckdb.DuckDBPyConnection):
    assert page.people_of_companies(stored) == []
    for company, name in ((1, "Large"), (2, "Small"), (3, "Without credits")):
        add(stored, "core.companies", company_id=company, company_name=name)
    for company, movie in ((1, 1), (1, 2), (1, 9), (2, 2), (3, 9)):
        add(stored, "core.movie_companies", company_id=company, movie_id=movie)
    for person in (1, 2, 3):
        add(stored, "core.people", person_id=person, person_name=f"person {person}")
    for movie, credit, person, job in ((1, "a", 1, "Director"), (2, "b", 1, "Director"), (2, "c", 2, "Writer")):
        add(stored, "core.movie_crew", movie_id=movie, credit_id=credit, person_id=person, job=job)
    for movie, credit, person in ((1, "d", 2), (1, "e", 2), (2, "f", 3), (2, "g", 2)):  # two parts in one movie
        add(stored, "core.movie_cast", movie_id=movie, credit_id=credit, person_id=person)
    assert page.people_of_companies(stored) == [
        ("Large", "2", "person 1 (2)", "person 2 (2), person 3 (1)"),
        ("Small", "1", "person 1 (1)", "person 2 (1), person 3 (1)"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(None, 0, "–"), (1234567.89, 0, "1,234,568"), (1.239, 2, "1.24"), (8.2e-05, 2, "8e-05"), (1234, 2, "1,234"),
     ("a", 0, "a")],
)  # fmt: skip
def test_a_value_is_written_for_people(value: object, decimals: int, text: str):
    assert readable(value, decimals) == text


@each_chart
def test_a_chart_is_kept_as_files_and_small_enough_for_the_history(reported: Shell, name: str):
    png = (reported.home / "report" / f"{name}.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert len(png) < 80_000
    assert (reported.home / "report" / f"{name}.svg").read_text(encoding="utf-8").startswith("<svg")


def test_the_page_needs_no_other_file_and_begins_with_the_answers(reported: Shell):
    text = (reported.home / "report" / "index.html").read_text(encoding="utf-8")
    found = Page(text)
    assert {tag for tag, _ in found.tags} & {"link", "img", "iframe"} == set()
    assert not re.search(r'(?:src|href)="(?!#)', text)
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert 'name="viewport"' in text
    assert sum(tag == "svg" for tag, _ in found.tags) == len(CHARTS)
    assert all(answer.question in found.text for answer in ANSWERS)
    parts = [attributes["id"] for tag, attributes in found.tags if tag in ("section", "details")]
    assert parts == ["answers", "people", "charts", "checks", "tables"]
    years = {year for answer in found.found["answers"] for year in answer}
    assert 20 <= len(years) <= 24
    assert "passed" in found.text


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian's package chromium)")
@pytest.mark.parametrize("width", [400, 1100], ids=["phone", "desktop"])
def test_a_reader_chooses_the_year_on_the_page(reported: Shell, width: int):
    with browser_page(None, viewport={"width": width, "height": 900}) as browser:
        errors: list[str] = []
        browser.on("pageerror", lambda error: errors.append(str(error)))
        browser.goto(f"file://{reported.home}/report/index.html")
        found = Page(browser.content()).found["answers"]
        year = next(year for year, rows in found[0].items() if rows and year != browser.input_value("#year"))
        browser.select_option("#year", year)
        shown = browser.locator("tbody[data-answer='0'] tr").all()
        assert [row.locator("td").all_inner_texts() for row in shown] == found[0][year]
        assert browser.evaluate("document.documentElement.scrollWidth") == width
        assert not browser.locator("#checks table").is_visible()
        browser.get_by_role("link", name="Checks").click()
        assert browser.locator("#checks table").is_visible()
        assert errors == []


def test_a_name_that_looks_like_html_is_shown_as_it_is(stored, home: Path, monkeypatch: pytest.MonkeyPatch):
    hostile = "</script><script>alert(1)</script>"
    add(stored, "core.movies", release_year=2000, release_date=dt.date(2000, 1, 1))
    add(stored, "core.genres", genre_name=hostile)
    add(stored, "metrics.genre_revenue_by_year", year=2000, genre_name=hostile)
    monkeypatch.setattr(warehouse, "reading", lambda: _given(stored))
    state = CheckState("core.movies", "is_odd", False, "WARN", "<b>odd</b>", ())
    text = page.write_page([], [state]).read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<b>odd" not in text
    found = Page(text)
    assert hostile in found.found["colours"]
    assert "1 warned" in " ".join(found.text.split())


class _given:  # noqa: N801  (stands in for a function)
    def __init__(self, connection: duckdb.DuckDBPyConnection):
        self._connection = connection

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        """Leave it open: the fixture closes it."""


@pytest.mark.parametrize(
    ("passed", "severity", "months", "state"),
    [(None, None, (), "did not run"), (True, "ERROR", (), "passed"), (False, "ERROR", (), "failed"),
     (False, "WARN", (), "warned"), (True, "WARN", ("2017-11",), "warned")],
)  # fmt: skip
def test_the_state_of_a_check_is_one_of_four(passed, severity, months, state: str):
    assert CheckState("core.movies", "rule", passed, severity, "", months).state == state


def test_a_month_that_warned_stays_on_the_page(tmp_path: Path, months: list[Path], monkeypatch: pytest.MonkeyPatch):
    shell = Shell(tmp_path)
    odd = tmp_path / "odd.csv"
    lines = (months[0] / "movies_metadata.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    odd.write_text(lines[0].replace("\n", ",mood\n") + "".join(f"{line[:-1]},\n" for line in lines[1:11]))
    shell("deliver", odd, "--month", "2017-11")
    shell("deliver", months[1] / "movies_metadata.csv", "--month", "2017-12")
    assert "2017-11: raw.deliveries: columns_are_known: " in shell("refresh").stdout
    with monkeypatch.context() as setting:  # runs that fail before the check can run do not hide it
        setting.setenv("MOVIES_MEMORY", "10MB")
        shell("rebuild", status=1)
    assert "2017-11: raw.deliveries: columns_are_known: " in shell("status").stdout
    monkeypatch.setenv("MOVIES_HOME", str(shell.home))
    monkeypatch.setenv("DAGSTER_HOME", str(shell.home / "dagster"))
    with dg.DagsterInstance.get() as instance:
        states = page.check_states(instance)
        text = " ".join(Page(page.write_page([], states).read_text(encoding="utf-8")).text.split())
    (found,) = [one for one in states if one.name == "columns_are_known"]
    assert (found.passed, found.failed_months, found.state) == (False, ("2017-11",), "warned")
    assert f"raw.deliveries columns_are_known In 2017-11: {found.message}" in text
    assert "mood" in found.message


def test_before_the_first_refresh_a_report_says_what_to_do(shell: Shell):
    assert shell("report", status=1).stderr.startswith("movies-platform: There is no warehouse at ")
    assert not (shell.home / "warehouse.duckdb").exists()


def test_a_chart_asset_is_a_function_of_frames_and_its_picture_needs_no_file(home: Path):
    (coverage,) = [chart for chart in CHARTS if chart.key.path[-1] == "coverage_of_money"]
    made = coverage(movies(y2000=3))
    assert made.metadata["picture"].value.startswith("![coverage_of_money](data:image/png;base64,")
    assert Path(made.metadata["file"].value).is_file()
    assert coverage.descriptions_by_key[coverage.key].startswith("How many budgets and revenues are known.")


def test_the_page_is_checked(reported: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("MOVIES_HOME", str(reported.home))
    assert page_is_current().passed
    assert page_is_current().description == "The page shows the months 2017-11, 2017-12."
    monkeypatch.setattr(page, "tables_version", lambda _: "of other deliveries")
    older = page_is_current()
    assert (older.passed, older.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "The page shows older tables than those of 2017-11, 2017-12." in (older.description or "")
    monkeypatch.setenv("MOVIES_HOME", str(tmp_path))
    assert "Materialize the report again" in (page_is_current().description or "")


def test_a_refresh_of_the_tables_draws_the_report_also_while_most_months_were_never_delivered():
    from movies_platform.definitions import defs

    report = {asset.key for asset in [*CHARTS, report_page]}
    graph = defs.resolve_asset_graph()
    with dg.DagsterInstance.ephemeral() as instance:

        def requested(cursor: Any = None) -> tuple[set[dg.AssetKey], Any]:
            result = dg.evaluate_automation_conditions(defs, instance, dg.AssetSelection.assets(*report), cursor=cursor)
            return {key for key in report if result.get_num_requested(key)}, result.cursor

        _, cursor = requested()
        for key in graph.materializable_asset_keys - report:
            month = "2017-11" if graph.get(key).is_partitioned else None
            instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=month))
        found, cursor = requested(cursor)
        assert found == report
        assert requested(cursor)[0] == set()
