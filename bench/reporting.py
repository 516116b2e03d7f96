"""What was measured -> markdown, kept between markers in docs/benchmarks.md."""

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from measuring import Result

INTRODUCTION = "# Benchmarks\n\nMeasured by `bench/run.py`; `bench/README.md` says how.\n"


def table(results: Sequence[Result], references: dict[str, Result]) -> str:
    """Return one row for each result, with its wall time as a multiple of each reference's."""
    headings = [
        "",
        "median, s",
        "fastest to slowest, s",
        "peak memory, MB",
        *(f"time / {r}" for r in references),
    ]
    rows = [headings, ["---", *["---:"] * (len(headings) - 1)]]
    for result in results:
        low, high = result.spread
        ratios = [f"{result.seconds / reference.seconds:.2f}" for reference in references.values()]
        peak = f"{result.peak_bytes / 1e6:,.0f}"
        rows.append([result.label, f"{result.seconds:.2f}", f"{low:.2f} to {high:.2f}", peak, *ratios])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def conditions(repeat: int) -> str:
    """Say on what was measured, and how often."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "pandas"))
    runs = "one run each" if repeat == 1 else f"medians of {repeat} runs"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}, {versions}; {runs}."
    )


def publish(path: Path, name: str, text: str) -> None:
    """Replace what is between the markers of `name`; text outside of them is kept.

    A missing file is created, missing markers are added at its end.
    """
    opening, closing = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    block = f"{opening}\n{text}\n{closing}"
    page = path.read_text(encoding="utf-8") if path.exists() else INTRODUCTION
    between = re.compile(f"{re.escape(opening)}.*?{re.escape(closing)}", re.DOTALL)
    page = between.sub(lambda _: block, page) if between.search(page) else f"{page.rstrip()}\n\n{block}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
