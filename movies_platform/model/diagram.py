"""The data model drawn as SVG: core in the middle, the metrics of genres on its left, those of companies on its right.

References leave a table at the row of the column and arrive at the row of the key; the ring is at the side of the
many. The same contracts give the same bytes. Colours follow the reader's light or dark theme.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import sqlalchemy as sa

from movies_platform.contracts.ddl import column_type
from movies_platform.contracts.tables import key_of, qualified, references_of

_WIDTH, _HEAD, _ROW, _GAP, _MARGIN, _STREET = 350, 30, 20, 26, 24, 110
_LANE = 12  # between two lines in a street
_STYLE = """\
  svg { font: 12px ui-sans-serif, system-ui, sans-serif; --ink: #1f2933; --soft: #616e7c; --line: #cbd2d9;
        --page: #ffffff; --box: #f7f9fb; --core: #1d5f8a; --metrics: #8a5a0f; --raw: #5b4a8a; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e4e7eb; --soft: #9aa5b1; --line: #4a5763; --page: #14191f; --box: #1c232b; --core: #2f7fb3;
          --metrics: #a8741f; --raw: #7663b0; }
  }
  .page { fill: var(--page); } .box { fill: var(--box); stroke: var(--line); }
  .core { fill: var(--core); } .metrics { fill: var(--metrics); } .raw { fill: var(--raw); }
  .head { fill: #ffffff; font-weight: 600; font-size: 13px; } text { fill: var(--ink); }
  .type, .caption { fill: var(--soft); } .key { font-weight: 600; } .type { text-anchor: end; }
  .reference { fill: none; stroke: var(--soft); stroke-width: 1.2; } 
  .many { fill: var(--page); stroke: var(--soft); }"""


@dataclass(frozen=True)
class Box:
    """A table's place: column of the picture (0 left, 1 middle, 2 right) and upper edge in pixels."""

    table: sa.Table
    place: int
    top: int

    @property
    def left(self) -> int:
        """Left edge."""
        return _MARGIN + self.place * (_WIDTH + _STREET)

    @property
    def bottom(self) -> int:
        """Lower edge."""
        return self.top + _height(self.table)

    def row(self, column: str) -> int:
        """The middle of a column's row."""
        place = [c.name for c in self.table.columns].index(column)
        return self.top + _HEAD + place * _ROW + _ROW // 2


def diagram(tables: Sequence[sa.Table]) -> str:
    """The picture of the tables."""
    boxes = _arranged(tables)
    width = 2 * _MARGIN + 3 * _WIDTH + 2 * _STREET
    height = max(box.bottom for box in boxes) + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-label="Data model: tables, columns and references">',
        f"<style>\n{_STYLE}\n</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
        *_references(boxes),
        *(line for box in boxes for line in _drawn(box)),
        "</svg>",
    ]
    return "\n".join([*parts, ""])


def _height(table: sa.Table) -> int:
    return _HEAD + _ROW * len(table.columns) + 6


def _place_of(table: sa.Table) -> int:
    """Metrics that tell of nothing but genres are on the left, other metrics on the right, the rest in the middle."""
    if table.schema != "metrics":
        return 1
    targets = {other.name for _, other, _ in references_of(table)}
    return 0 if targets <= {"genres"} else 2


def _arranged(tables: Sequence[sa.Table]) -> list[Box]:
    columns = [[t for t in tables if _place_of(t) == place] for place in range(3)]
    columns[1].sort(key=lambda t: (t.schema != "core", _rank(t), t.name))
    tallest = max(sum(_height(t) + _GAP for t in column) for column in columns)
    boxes = []
    for place, column in enumerate(columns):
        spare = tallest - sum(_height(t) + _GAP for t in column)
        gap = _GAP + spare // max(len(column), 1)
        top = _MARGIN + (gap - _GAP) // 2
        for table in column:
            boxes.append(Box(table, place, top))
            top += _height(table) + gap
    return boxes


def _rank(table: sa.Table) -> int:
    """Genres, their links, movies, their links to companies, companies; others below."""
    names = ["genres", "movie_genres", "movies", "movie_companies", "companies"]
    return names.index(table.name) if table.name in names else len(names)


def _drawn(box: Box) -> Iterator[str]:
    table, key = box.table, key_of(box.table)
    yield f"<g><title>{escape(qualified(table))}: {escape((table.comment or '').splitlines()[0])}</title>"
    yield f'<rect class="box" x="{box.left}" y="{box.top}" width="{_WIDTH}" height="{_height(table)}" rx="6"/>'
    yield (
        f'<path class="{table.schema}" d="M{box.left},{box.top + _HEAD} v-{_HEAD - 6} q0,-6 6,-6 h{_WIDTH - 12} '
        f'q6,0 6,6 v{_HEAD - 6} z"/>'
    )
    yield f'<text class="head" x="{box.left + 12}" y="{box.top + 20}">{escape(qualified(table))}</text>'
    for column in table.columns:
        y = box.row(column.name) + 6
        style = ' class="key"' if column.name in key else ""
        note = escape(f"{column.name}: {column.comment}")
        optional = "" if column.nullable else " not null"
        yield f'<text{style} x="{box.left + 12}" y="{y}"><title>{note}</title>{column.name}</text>'
        kind = escape(column_type(column).lower() + optional)
        yield f'<text class="type" x="{box.left + _WIDTH - 10}" y="{y}">{kind}</text>'
    yield "</g>"


def _references(boxes: Sequence[Box]) -> Iterator[str]:
    by_table = {box.table: box for box in boxes}
    lanes: list[list[Box]] = [
        [],
        [],
    ]  # in the streets left and right of the middle: one lane for each table referred to
    for box in boxes:
        for own, other, theirs in references_of(box.table):
            if other in by_table:
                target = by_table[other]
                street = _street(box, target)
                if target not in lanes[street]:
                    lanes[street].append(target)
                yield from _line(box, own[0], target, theirs[0], street, lanes[street].index(target))


def _street(box: Box, target: Box) -> int:
    """0: between left and middle, 1: between middle and right."""
    if box.place != target.place:
        return min(box.place, target.place)
    return 1 if target.table.name == "companies" or box.table.name == "movie_companies" else 0


def _line(box: Box, column: str, target: Box, key: str, street: int, lane: int) -> Iterator[str]:
    lane_x = _MARGIN + (street + 1) * _WIDTH + street * _STREET + _STREET // 2
    lane_x += (lane + 1) // 2 * _LANE * (1 if lane % 2 else -1)  # to the right and left of the middle in turn
    start_x = box.left if box.place > street else box.left + _WIDTH
    end_x = target.left if target.place > street else target.left + _WIDTH
    start_y, end_y = box.row(column), target.row(key)
    yield f'<path class="reference" d="M{start_x},{start_y} H{lane_x} V{end_y} H{end_x}"/>'
    side = -5 if start_x == box.left else 5
    yield f'<circle class="many" cx="{start_x + side}" cy="{start_y}" r="4"/>'
