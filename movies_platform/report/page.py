"""The report: one page that needs nothing beside it, and the pictures as files."""

import base64
import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from movies_platform.checks.latest import Latest, latest_results
from movies_platform.contracts.tables import all_tables, qualified
from movies_platform.errors import UnknownTable
from movies_platform.report.answers import ANSWERS, newest_year, readable
from movies_platform.report.pictures import PICTURES, Picture
from movies_platform.resources import warehouse
from movies_platform.resources.months import month_name
from movies_platform.resources.settings import settings

PAGE = "index.html"
_TEMPLATE = Path(__file__).with_name("page.html.j2")


@dataclass(frozen=True)
class Drawn:
    """A picture for the UI and where it lies as a file."""

    png: bytes
    file: Path

    @property
    def markdown(self) -> str:
        """The picture as markdown that needs no file."""
        return f"![{self.file.stem}](data:image/png;base64,{base64.b64encode(self.png).decode()})"


def draw(picture: Picture) -> Drawn:
    """Draw the picture and keep it as PNG and SVG files; raises UnknownTable before the first refresh."""
    with warehouse.reading() as connection:
        _require(connection, picture.tables)
        rows = picture.rows(connection)
    png = picture.png(rows)
    _write(f"{picture.name}.svg", picture.svg(rows).replace("currentColor", "#6e7781").encode())
    return Drawn(png, _write(f"{picture.name}.png", png))


def write_page(instance: dg.DagsterInstance) -> Path:
    """Write the page with all pictures, the answers and the state of the checks; its path."""
    with warehouse.reading() as connection:
        _require(connection, [qualified(t) for t in all_tables()])
        content = page_content(connection, list(latest_results(instance)))
    from jinja2 import Environment

    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        _TEMPLATE.read_text(encoding="utf-8")
    )
    return _write(PAGE, template.render(content).encode())


def page_content(connection: duckdb.DuckDBPyConnection, checks: list[Latest]) -> dict[str, Any]:
    """What the template shows."""
    year = newest_year(connection)
    (months,) = connection.execute(
        "SELECT list(DISTINCT delivery_month ORDER BY delivery_month) FROM raw.deliveries"
    ).fetchall()
    counts = {qualified(t): warehouse.row_count(connection, t) for t in all_tables() if t.schema in ("core", "metrics")}
    return {
        "months": [month_name(month) for month in months[0] or []],
        "year": year,
        "written": f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC",
        "counts": {name: readable(rows) for name, rows in counts.items()},
        "pictures": [(p, p.svg(p.rows(connection))) for p in PICTURES],
        "answers": [(a, a.rows(connection, year)) for a in ANSWERS] if year is not None else [],
        "checks": sorted(checks, key=lambda c: (not _odd(c), not c.check.blocking)),
        "failed": [c for c in checks if _odd(c)],
        "errors": [c for c in checks if _odd(c) and c.check.blocking],
        "ran": [c for c in checks if c.passed is not None],
    }


def _odd(latest: Latest) -> bool:
    """Whether it found something: when it ran last or, of a month, in any month."""
    return latest.passed is False or bool(latest.failed_months)


def _require(connection: duckdb.DuckDBPyConnection, tables: Any) -> None:
    known = {qualified(t): t for t in all_tables()}
    missing = [name for name in tables if not warehouse.table_exists(connection, known[name])]
    if missing:
        raise UnknownTable(
            f"{', '.join(missing)} not computed yet: run 'movies-platform refresh'; if a month "
            "holds it up, 'movies-platform status' says why."
        )


def _write(name: str, content: bytes) -> Path:
    folder = settings().report
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{name}.partial"
    partial.write_bytes(content)
    return partial.replace(folder / name)
