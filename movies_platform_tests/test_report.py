"""The report: what its pictures draw, what its page says, and that it needs nothing beside it."""

import datetime as dt
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import dagster as dg
import duckdb
import pytest

from movies_platform.checks.latest import Latest, latest_results
from movies_platform.checks.registry import all_checks
from movies_platform.contracts import all_tables
from movies_platform.report import page
from movies_platform.report.answers import ANSWERS, newest_year, readable
from movies_platform.report.assets import pictures, report_page
from movies_platform.report.pictures import PICTURES, Picture
from movies_platform.report.style import CARD, COLOURS, INK
from movies_platform.resources import warehouse
from movies_platform.resources.warehouse import ensure
from movies_platform_tests.shell import Shell
from movies_platform_tests.test_contracts_rows import add

each_picture = pytest.mark.parametrize("picture", PICTURES, ids=lambda p: p.name)
NAMES = {picture.name: picture for picture in PICTURES}


@pytest.fixture
def stored() -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table, empty."""
    with duckdb.connect() as connection:
        for table in all_tables():
            ensure(connection, table)
        yield connection


@pytest.fixture(scope="module")
def reported(months: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A home with two months, refreshed and reported."""
    shell = Shell(tmp_path_factory.mktemp("reported"))
    for folder in months[:2]:
        shell("deliver", folder, "--month", folder.name)
    shell("refresh")
    shell("report")
    return shell


class Page(HTMLParser):
    """Tags of a page with their attributes, and its text."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@each_picture
def test_a_picture_of_empty_tables_says_so(stored: duckdb.DuckDBPyConnection, picture: Picture):
    rows = picture.rows(stored)
    assert list(rows) == []
    assert "nothing to show yet" in picture.svg(rows)


@each_picture
def test_a_picture_is_drawn_for_both_themes_from_what_a_refresh_left(reported: Shell, picture: Picture):
    png = (reported.home / "report" / f"{picture.name}.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert len(png) < 80_000
    with duckdb.connect(reported.home / "warehouse.duckdb", read_only=True) as connection:
        rows = picture.rows(connection)
    assert rows
    svg = picture.svg(rows)
    assert "currentColor" in svg
    assert "#010203" not in svg
    assert svg == picture.svg(rows)


HOSTILE = ("$\\undefined{x}$", "$$$ Films", "_hidden", "<b>&amp;", "two\nlines\x00\x1b", "W" * 200, "\u65e5\u672c")


@pytest.mark.filterwarnings("error")
def test_any_name_can_be_drawn():
    drawn: dict[str, list[tuple[Any, ...]]] = {
        "money_of_top_genres": [(name, year, 1.0, 2.0) for name in HOSTILE[:6] for year in (2000, 2001)],
        "most_popular_genres": [(2000 + place, "total", name) for place, name in enumerate(HOSTILE)],
        "top_companies_of_the_decade": [(name, 2000, 1.0, 2.0) for name in HOSTILE],
        "popularity_by_month": [(name, dt.date(2017, 11, 1), 1.0) for name in HOSTILE],
    }
    for name, rows in drawn.items():
        assert NAMES[name].png(rows).startswith(b"\x89PNG")
        svg = ElementTree.fromstring(NAMES[name].svg(rows))
        texts = {"".join(text.itertext()) for text in svg.iter("{http://www.w3.org/2000/svg}text")}
        assert {"$\\undefined{x}$", "$$$ Films", "\u200b_hidden", "<b>&amp;", "two lines"} <= texts
        assert max(map(len, texts)) <= 40


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("background", ["#ffffff", CARD, "#14171c"], ids=["white", "card", "dark page"])
def test_every_colour_is_seen_on_light_and_on_dark(background: str):
    assert {colour: contrast(colour, background) for colour in COLOURS if contrast(colour, background) < 3} == {}
    assert background == "#14171c" or contrast(INK, background) > 7


def test_money_is_drawn_for_the_genres_that_earned_most(stored: duckdb.DuckDBPyConnection):
    add(stored, "core.movies", release_year=2000, release_date=dt.date(2000, 1, 1))
    for genre, revenue in enumerate([7e9, 1e9, 2e9, 3e9, 4e9, 5e9, 6e9], start=1):
        given = {"genre_id": genre, "genre_name": f"genre {genre}", "year": 2000}
        add(stored, "metrics.genre_revenue_by_year", **given, revenue_share_usd=revenue)
        add(stored, "metrics.genre_budget_by_year", **given, budget_share_usd=revenue / 2)
    rows = NAMES["money_of_top_genres"].rows(stored)
    assert [row[0] for row in rows] == ["genre 1", "genre 7", "genre 6", "genre 5", "genre 4", "genre 3"]
    assert rows[0][1:] == (2000, 3.5, 7.0)


def test_the_decade_of_the_companies_is_the_newest(stored: duckdb.DuckDBPyConnection):
    add(stored, "core.movies", release_year=2012, release_date=dt.date(2012, 1, 1))
    for year, company in ((2009, 1), (2010, 2), (2012, 2), (2012, 3)):
        given = {"year": year, "company_id": company, "company_name": f"company {company}"}
        add(stored, "metrics.company_revenue_by_year", **given, revenue_usd=1e9)
        add(stored, "metrics.company_budget_by_year", **given, budget_usd=None if company == 3 else 5e8)
    rows = NAMES["top_companies_of_the_decade"].rows(stored)
    assert list(rows) == [("company 2", 2010, 1.0, 2.0), ("company 3", 2010, None, 1.0)]


def test_issues_are_counted_month_by_month(stored: duckdb.DuckDBPyConnection):
    october, november = dt.date(2017, 10, 1), dt.date(2017, 11, 1)
    for month in (october, november):
        add(stored, "raw.deliveries", delivery_month=month, records=10)
    for action in ("rejected", "nulled", "nulled"):
        add(stored, "raw.data_issues", delivery_month=november, action=action)
    assert list(NAMES["records_and_issues"].rows(stored)) == [(november, 10, 1, 0, 2, 0), (october, 10, 0, 0, 0, 0)]


def test_the_newest_year_is_the_last_one_that_is_not_just_beginning(stored: duckdb.DuckDBPyConnection):
    assert newest_year(stored) is None
    for year, movies in ((2014, 4), (2015, 5), (2016, 2), (2099, 9)):
        for number in range(movies):
            add(stored, "core.movies", movie_id=year * 10 + number, release_year=year,
                release_date=dt.date(year, 1, 1))  # fmt: skip
    assert newest_year(stored) == 2015


def test_every_metric_by_year_is_a_question_of_the_page():
    by_year = {t.name for t in all_tables() if t.schema == "metrics" and t.name.endswith("_by_year")}
    assert {answer.table for answer in ANSWERS} == by_year


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (1234567.89, "1,234,567.9"), (1234, "1,234"), ("a", "a")])
def test_a_value_is_written_for_people(value: object, text: str):
    assert readable(value) == text


def test_the_page_needs_nothing_beside_it_and_reads_in_both_themes(reported: Shell):
    text = (reported.home / "report" / "index.html").read_text(encoding="utf-8")
    found = Page(text)
    assert [attributes for tag, attributes in found.tags if tag in ("script", "link", "img", "iframe")] == []
    assert not re.search(r'(?:src|href)="(?!#)', text)
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert sum(tag == "svg" for tag, _ in found.tags) == len(PICTURES)
    labels = [attributes.get("aria-label") for tag, attributes in found.tags if attributes.get("role") == "img"]
    assert [label.split(".")[0] for label in labels if label] == [picture.title for picture in PICTURES]
    assert all(answer.question in found.text for answer in ANSWERS)
    assert f"All {len(all_checks())} checks passed." in found.text


def test_a_name_that_looks_like_html_is_shown_as_it_is(stored, home: Path, monkeypatch: pytest.MonkeyPatch):
    add(stored, "core.movies", release_year=2000, release_date=dt.date(2000, 1, 1))
    add(stored, "metrics.genre_revenue_by_year", year=2000, genre_name="<script>alert(1)</script>")
    check = all_checks()[0]
    monkeypatch.setattr(warehouse, "reading", lambda: _given(stored))
    monkeypatch.setattr(page, "latest_results", lambda _: [Latest(check, False, "<b>odd</b>")])
    with dg.DagsterInstance.ephemeral() as instance:
        text = page.write_page(instance).read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<b>odd" not in text
    assert "1 of 1 checks found something" in " ".join(Page(text).text.split())


class _given:  # noqa: N801  (stands in for a function)
    def __init__(self, connection: duckdb.DuckDBPyConnection):
        self._connection = connection

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        """Leave it open: the fixture closes it."""


def test_a_month_that_warned_stays_on_the_page(tmp_path: Path, months: list[Path], monkeypatch: pytest.MonkeyPatch):
    shell = Shell(tmp_path)
    odd = tmp_path / "odd.csv"
    lines = (months[0] / "movies_metadata.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    odd.write_text(lines[0].replace("\n", ",mood\n") + "".join(f"{line[:-1]},\n" for line in lines[1:11]))
    shell("deliver", odd, "--month", "2017-11")
    shell("deliver", months[1], "--month", "2017-12")
    assert "2017-11: raw.deliveries: columns_are_known: " in shell("refresh").stdout
    told = "raw.deliveries: columns_are_known: in 2017-11; when it ran last: All columns are known."
    assert told in shell("status").stdout
    monkeypatch.setenv("MOVIES_HOME", str(shell.home))
    monkeypatch.setenv("DAGSTER_HOME", str(shell.home / "dagster"))
    with dg.DagsterInstance.get() as instance:
        (found,) = [one for one in latest_results(instance) if one.check.name == "columns_are_known"]
        text = " ".join(Page(page.write_page(instance).read_text(encoding="utf-8")).text.split())
    assert (found.passed, found.failed_months) == (True, ("2017-11",))
    assert "raw.deliveries (columns_are_known)" in text
    assert "In 2017-11; when it ran last: All columns are known." in text


def test_before_the_first_refresh_a_report_says_what_to_do(shell: Shell):
    assert "Deliver a month, then run 'refresh'" in shell("report", status=1).stderr


def test_a_picture_is_metadata_that_needs_no_file(reported: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOVIES_HOME", str(reported.home))
    for asset in pictures:
        (made,) = [asset()]
        assert made.metadata["picture"].value.startswith(f"![{asset.key.path[-1]}](data:image/png;base64,")
        assert Path(made.metadata["file"].value).is_file()


def test_a_refresh_of_the_tables_draws_the_report_also_while_most_months_were_never_delivered():
    from movies_platform.definitions import defs

    drawn = {asset.key for asset in [*pictures, report_page]}
    graph = defs.resolve_asset_graph()
    with dg.DagsterInstance.ephemeral() as instance:

        def requested(cursor: Any = None) -> tuple[set[dg.AssetKey], Any]:
            result = dg.evaluate_automation_conditions(defs, instance, dg.AssetSelection.keys(*drawn), cursor=cursor)
            return {key for key in drawn if result.get_num_requested(key)}, result.cursor

        _, cursor = requested()
        for key in graph.materializable_asset_keys - drawn:
            month = "2017-11" if graph.get(key).is_partitioned else None
            instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=month))
        found, cursor = requested(cursor)
        assert found == drawn
        assert requested(cursor)[0] == set()
