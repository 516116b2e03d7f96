"""The page for people and the docs, in Chromium: what a person does there, on a wide screen and on a phone."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from movies_platform.published.read import latest_snapshot
from movies_platform.published.store import open_store
from movies_platform_tests.api import ApiServer
from movies_platform_tests.published_states import State
from movies_platform_tests.ui import CHROMIUM, PATIENCE, browser_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian's package chromium)")
EVIL = "<img src=x onerror=\"document.title='evil'\">"


@pytest.fixture(scope="module")
def published(states: tuple[State, State], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot in which a company has a name that wants to be HTML."""
    folder = tmp_path_factory.mktemp("page") / "published"
    shutil.copytree(states[1].published, folder)
    database = folder / latest_snapshot(open_store(str(folder))).pointer.folder / "movies.duckdb"
    with duckdb.connect(database) as connection:
        for table in ("core.companies", "metrics.company_budget_by_year"):
            connection.execute(f"UPDATE {table} SET company_name = ? WHERE company_id = (SELECT company_id FROM "
                               "metrics.company_budget_by_year WHERE budget_usd > 0 LIMIT 1)", [EVIL])  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def server(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    folder = tmp_path_factory.mktemp("page-server")
    with ApiServer(folder / "log", published, folder / "cache").running() as running:
        yield running


def watched(page: Any) -> list[str]:
    """What the browser complains about, from now on."""
    found: list[str] = []
    page.on("pageerror", lambda problem: found.append(str(problem)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: None if "127.0.0.1" in request.url else found.append(request.url))
    return found


@pytest.mark.parametrize(("width", "scheme"), [(1_200, "light"), (360, "dark")])
def test_a_genre_is_found_and_its_years_are_shown(server: ApiServer, width: int, scheme: str):
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE * 1_000)
    with browser_page(server, viewport={"width": width, "height": 800}, color_scheme=scheme) as page:
        complaints = watched(page)
        page.goto("/")
        page.get_by_label("Find a").select_option("genre")
        page.get_by_role("searchbox").fill("DRÁMA")
        expect(page.locator("#found button")).to_have_count(1)
        page.get_by_role("button", name="Drama", exact=True).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Drama")).to_be_focused()
        years = len(server.get("/v1/metrics/genre_budget_by_year?genre=drama&limit=1000").rows)
        expect(page.locator("#years tbody tr")).to_have_count(years)
        assert 0 < page.locator("figure rect").count() <= years
        page.get_by_role("button", name="popularity", exact=True).click()
        page.get_by_label("Measure").select_option("median_popularity")
        expect(page.get_by_role("img", name="median popularity by year")).to_be_visible()
        address = page.locator("#years a").get_attribute("href")
        assert len(server.get(address).rows) == years
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.reload()
        expect(page.get_by_label("Measure")).to_have_value("median_popularity")
        assert page.locator("#questions a").count() >= 10
        assert complaints == []


def test_names_are_never_html(server: ApiServer):
    from playwright.sync_api import expect

    with browser_page(server) as page:
        complaints = watched(page)
        page.goto("/")
        page.get_by_role("searchbox").fill("onerror")
        expect(page.locator("#found button")).to_have_count(1)
        page.get_by_role("button", name=EVIL).click()
        expect(page.locator("#years h2")).to_have_text(EVIL)
        assert page.title().startswith("Movies")
        assert page.locator("main img").count() == 0
        assert complaints == []


def test_the_docs_show_and_ask_every_operation(server: ApiServer):
    from playwright.sync_api import expect

    with browser_page(server, viewport={"width": 360, "height": 800}) as page:
        complaints = watched(page)
        page.goto("/docs")
        paths = server.get("/openapi.json").json["paths"]
        expect(page.locator("details")).to_have_count(len(paths))
        page.get_by_label("Show only").fill("/v1/genres/{genre_id}")
        page.locator("#get_genres summary").click()
        one = page.locator("#get_genres")
        expect(one.get_by_text("TMDB's number of the genre").first).to_be_visible()
        one.locator("input").first.fill("18")
        one.get_by_role("button", name="Ask").click()
        expect(one.locator("pre")).to_contain_text('"genre_id":18')
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert complaints == []


def test_a_server_with_keys_asks_for_one(published: Path, tmp_path: Path):
    from playwright.sync_api import expect

    from movies_platform.api.auth import KeyFile

    _, text = KeyFile(tmp_path / "keys.json").create("a person")
    chosen = {"MOVIES_API_AUTH": "keys", "MOVIES_API_KEYS": str(tmp_path / "keys.json")}
    with (
        ApiServer(tmp_path / "log", published, tmp_path / "cache", **chosen).running() as server,
        browser_page(server) as page,
    ):
        page.goto("/")
        page.get_by_label("API key or token").fill(text)
        page.get_by_role("button", name="Use it").click()
        expect(page.locator("#found button").first).to_be_visible()
        page.locator("#questions a").first.click()
        expect(page.locator("body")).to_contain_text('"data"')
