"""Pictures of genres: who wins the year, and how popularity developed from delivery to delivery."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from movies_platform.contracts.metrics import MEASURES
from movies_platform.report.style import COLOURS, label, label_ends, say_nothing_to_show
from movies_platform.report.years import NEWEST_YEAR

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rows = Sequence[tuple[Any, ...]]
_YEARS = 60

# year, measure, genre
WINNERS = f"""
WITH newest AS (SELECT {NEWEST_YEAR} AS year)
SELECT m.year, measure, genre_name FROM metrics.most_popular_genre_by_year m, newest
WHERE m.year BETWEEN newest.year - {_YEARS} AND newest.year ORDER BY m.year, measure
"""

# genre, month, mean popularity
BY_MONTH = """
WITH largest AS (
    SELECT genre_id, max(movies) AS size FROM metrics.genre_popularity_by_month GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 8
)
SELECT genre_name, month, mean_popularity FROM metrics.genre_popularity_by_month JOIN largest USING (genre_id)
WHERE mean_popularity IS NOT NULL ORDER BY size DESC, genre_id, month
"""


def draw_winners(figure: "Figure", rows: Rows) -> None:
    """A strip for each measure, a coloured cell for each year; the rarest winners share the last colour."""
    from matplotlib.patches import Patch

    axes = figure.subplots()
    if not rows:
        return say_nothing_to_show(axes)
    often = [genre for genre, _ in Counter(genre for *_, genre in rows).most_common()]
    named = often if len(often) <= len(COLOURS) else often[: len(COLOURS) - 1]
    colours = dict(zip(named, COLOURS, strict=False))
    for place, measure in enumerate(MEASURES):
        cells = [(year, colours.get(genre, COLOURS[-1])) for year, of, genre in rows if of == measure]
        axes.bar([year for year, _ in cells], 0.8, bottom=place - 0.4, width=0.9, color=[c for _, c in cells])
    axes.set_yticks(range(len(MEASURES)), MEASURES)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.margins(x=0.01)
    patches = [Patch(color=colour, label=label(genre, 20)) for genre, colour in colours.items()]
    patches += [Patch(color=COLOURS[-1], label="others")] if len(named) < len(often) else []
    figure.legend(handles=patches, loc="outside lower center", ncols=6, fontsize=9)
    return None


def draw_by_month(figure: "Figure", rows: Rows) -> None:
    """A line for each genre over the months of delivery."""
    lines: dict[str, list[tuple[Any, float]]] = defaultdict(list)
    for genre, month, value in rows:
        lines[genre].append((month, value))
    axes = figure.subplots()
    axes.set_title("Mean popularity")
    ends = []
    for colour, (genre, points) in zip(COLOURS, lines.items(), strict=False):
        axes.plot(*zip(*points, strict=True), color=colour, marker="o", markersize=3)
        ends.append((*points[-1], label(genre, 20), colour))
    if not rows:
        return say_nothing_to_show(axes)
    months = sorted({month for _, month, _ in rows})
    axes.set_xticks(months[:: -(-len(months) // 12)], [f"{m:%Y-%m}" for m in months[:: -(-len(months) // 12)]])
    low, high = axes.get_ylim()
    label_ends(axes, ends, least=(high - low) * 0.06)
    return None
