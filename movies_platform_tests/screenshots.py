"""Pictures of the Dagster UI for the README: `python -m movies_platform_tests.screenshots` (`make screenshots`).

A home with three made-up months, the last of them materialized by hand in the UI, as the README describes.
"""

import datetime as dt
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from movies_platform_tests.shell import Shell
from movies_platform_tests.ui import CHROMIUM, ROOT, Server, browser_page

FOLDER = ROOT / "docs" / "screenshots"
_COLOURS = 128
_MONTHS, _MOVIES, _SEED = 3, 2_000, 4


def take_all(folder: Path, home: Path) -> None:
    """Write every screenshot into the folder."""
    shell = Shell(home)
    shell("sample", "--months", _MONTHS, "--movies", _MOVIES, "--seed", _SEED)
    made = sorted((home / "landing" / "incoming").iterdir())
    for path, month in zip(made, last_months(len(made)), strict=True):
        path.rename(path.with_name(month))
    newest = sorted((home / "landing" / "incoming").iterdir())[-1]
    waiting = newest.rename(home / "waiting")
    shell("refresh")
    shell("report")
    waiting.rename(newest)
    with Server(home, home / "servers.log").running() as server:
        with browser_page(server, viewport={"width": 1400, "height": 900}) as page:
            _the_walk(server, page, lambda name: _keep(page, folder / f"{name}.png"))
        dark = {"viewport": {"width": 1400, "height": 900}, "color_scheme": "dark"}
        with browser_page(server, **dark) as page:
            page.goto(f"file://{home}/report/index.html")
            _keep(page, folder / "report-dark.png")


def _the_walk(server: Server, page: Any, keep: Callable[[str], None]) -> None:
    page.goto("/asset-groups")
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_role("button", name="Latest").click()
    launch = page.get_by_role("button", name="Launch 1 run")
    launch.wait_for()
    page.get_by_text("Loading pipeline").first.wait_for(state="hidden")
    keep("materialize")
    launch.click()
    page.get_by_text("Launched run").first.wait_for()
    server.wait_for_the_newest_run()
    for name, path, seen in (
        (
            "lineage",
            "/assets/metrics/genre_budget_by_year?view=lineage&lineageScope=upstream&lineageDepth=1",
            "Materialized",
        ),
        ("table", "/assets/metrics/genre_budget_by_year", "budget_share_usd"),
        ("checks", "/assets/parsed/parsed_movies?view=checks", "Plots"),
    ):
        page.goto(path)
        page.get_by_text(seen).first.wait_for()
        page.wait_for_load_state("networkidle")
        page.get_by_text("Loading...").wait_for(state="hidden")
        keep(name)
    page.goto("/assets/report/most_popular_genres")
    page.get_by_text("[Show Markdown]").click()
    page.locator("img[alt=most_popular_genres]").wait_for()
    page.wait_for_load_state("networkidle")
    keep("picture")


def _keep(page: Any, path: Path) -> None:
    from PIL import Image

    shot = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    shot.quantize(_COLOURS).save(path, optimize=True)


def last_months(count: int) -> list[str]:
    """The names of the last months, this one included, oldest first."""
    first = dt.datetime.now(dt.UTC).date().replace(day=1)
    months = [first]
    while len(months) < count:
        months.append((months[-1] - dt.timedelta(days=1)).replace(day=1))
    return [f"{month:%Y-%m}" for month in reversed(months)]


def main() -> None:
    """Take all screenshots."""
    if CHROMIUM is None:
        raise SystemExit("screenshots: chromium is not installed (Debian's package chromium)")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "movies")
        home.mkdir()
        os.environ["MOVIES_HOME"] = str(home)
        take_all(FOLDER, home)


if __name__ == "__main__":
    main()
