"""Pictures of the Dagster UI and the report for the docs: `python -m movies_platform_tests.screenshots`.

They are taken of the demo's home: three made-up months, refreshed from a shell, and the report.
"""

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
_MONTHS, _MOVIES, _SEED = 3, 5_000, 1
_METRIC = "/assets/metrics/genre_budget_by_year"
_NEWEST_REFRESH = """
{ runsOrError(filter: {pipelineName: "refresh_tables"}, limit: 1) { ... on Runs { results { runId } } } }
"""


def take_all(folder: Path, home: Path) -> None:
    """Write every screenshot into the folder."""
    shell = Shell(home)
    shell("sample", "--months", _MONTHS, "--movies", _MOVIES, "--seed", _SEED)
    shell("refresh")
    shell("report")
    with Server(home, home / "servers.log").running() as server:
        with browser_page(server, viewport={"width": 1500, "height": 850}) as page:
            _the_walk(server, page, lambda name: _keep(page, folder / f"{name}.png"))
        with browser_page(server, viewport={"width": 1200, "height": 900}) as page:
            page.goto(f"file://{home}/report/index.html")
            _keep(page, folder / "report.png")


def _the_walk(server: Server, page: Any, keep: Callable[[str], None]) -> None:
    def see(path: str, text: str) -> None:
        page.goto(path)
        page.get_by_text(text).first.wait_for()
        page.wait_for_load_state("networkidle")
        page.get_by_text("Loading...").wait_for(state="hidden")

    see(f"{_METRIC}?view=lineage&lineageScope=upstream&lineageDepth=3", "raw_movies")
    page.wait_for_timeout(1_000)  # the graph slides to its place
    keep("lineage")
    see("/assets/parsed/parsed_movies?view=checks", "Plots")
    keep("checks")
    run = server.ask(_NEWEST_REFRESH)["runsOrError"]["results"][0]["runId"]
    page.set_viewport_size({"width": 1500, "height": 1250})
    see(f"/runs/{run}", "RUN_SUCCESS")
    page.get_by_label("expand_arrows").first.click()  # the steps take the whole page
    page.get_by_text("Succeeded (").click()
    page.wait_for_timeout(1_000)
    keep("run")


def _keep(page: Any, path: Path) -> None:
    from PIL import Image

    shot = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    shot.quantize(_COLOURS).save(path, optimize=True)


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
