"""A person's first month in the Dagster UI: the graph, a month materialized, its checks, a bad month."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from movies_platform_tests.shell import Shell
from movies_platform_tests.ui import CHROMIUM, PATIENCE, Server, browser_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian's package chromium)")
SOON = PATIENCE * 1_000  # milliseconds


@pytest.fixture
def server(shell: Shell, months: list[Path], tmp_path: Path) -> Iterator[Server]:
    """The UI on a home to which a month was delivered."""
    shell("deliver", months[0], "--month", this_month())
    with Server(shell.home, tmp_path / "servers.log").running() as running:
        yield running


@pytest.fixture
def page(server: Server) -> Iterator[Any]:
    with browser_page(server, viewport={"width": 1500, "height": 950}) as page:
        yield page


def this_month() -> str:
    return f"{dt.datetime.now(dt.UTC):%Y-%m}"


def test_a_month_from_the_graph_to_its_checks_and_a_bad_month_to_its_failed_run(
    shell: Shell, months: list[Path], tmp_path: Path, server: Server, page: Any
) -> None:
    from playwright.sync_api import expect

    expect.set_options(timeout=SOON)

    page.goto("/asset-groups")
    for group in ("raw", "parsed", "core", "metrics", "report"):
        expect(page.get_by_text(group, exact=True).first).to_be_visible()

    page.get_by_role("button", name="Materialize all").click()
    page.get_by_role("button", name="Latest").click()
    page.get_by_role("button", name=re.compile("^Launch (1 run|backfill)$")).click()
    expect(page.get_by_text(re.compile("^Launched (run|backfill)")).first).to_be_visible()
    page.goto("/runs")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()

    page.goto("/assets/core/movies?view=checks")
    expect(page.get_by_text("Succeeded", exact=True)).to_have_count(5)
    page.get_by_text("every_movie_is_newest").first.click()
    expect(page.get_by_text("Every movie is as its newest month has it.")).to_be_visible()
    expect(page.get_by_text("Passed", exact=True).first).to_be_visible()

    page.goto("/assets/raw/data_issues?view=checks")
    page.get_by_text("every_record_is_accounted_for").first.click()
    page.get_by_role("tab", name="Partitions").last.click()
    expect(page.get_by_text("Passed (1)")).to_be_visible()

    page.goto("/assets/report/money_of_top_genres")
    page.get_by_text("[Show Markdown]").click()
    picture = page.locator("img[alt=money_of_top_genres]")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") == 1_000
    assert "production companies" in (shell.home / "report" / "index.html").read_text(encoding="utf-8")

    lines = (months[1] / "movies_metadata.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    bad = tmp_path / "bad.csv"
    bad.write_text("".join(lines[:100]) + "not,a,movie\n" * 12, encoding="utf-8")
    shell("deliver", bad, "--month", this_month())
    shell("refresh", status=1)

    page.goto("/runs")
    expect(page.get_by_text("Failure", exact=True).first).to_be_visible()
    (failed,) = server.ask("{ runsOrError(filter: {statuses: [FAILURE]}) { ... on Runs { results { runId } } } }")[
        "runsOrError"
    ]["results"]
    page.goto(f"/runs/{failed['runId']}")
    expect(page.get_by_text(re.compile("of 1.. records are rejected")).first).to_be_visible()
    expect(page.get_by_text(re.compile("Deliver a corrected file for the same month")).first).to_be_visible()
