"""Pictures of money: top genres, top companies, how much of it is known."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from movies_platform.report.style import COLOURS, label, label_ends, say_nothing_to_show
from movies_platform.report.years import NEWEST_YEAR

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rows = Sequence[tuple[Any, ...]]
_YEARS = 40
_UNTIL = NEWEST_YEAR
_SINCE = f"({NEWEST_YEAR} - {_YEARS})"

# genre, year, budget and revenue in billions of US dollars
TOP_GENRES = f"""
WITH top AS (
    SELECT genre_id, sum(revenue_share_usd) AS total FROM metrics.genre_revenue_by_year
    WHERE year BETWEEN {_SINCE} AND {_UNTIL} GROUP BY 1 HAVING total > 0 ORDER BY total DESC, 1 LIMIT 6
)
SELECT genre_name, year, b.budget_share_usd / 1e9, r.revenue_share_usd / 1e9
FROM metrics.genre_revenue_by_year r JOIN metrics.genre_budget_by_year b USING (year, genre_id, genre_name)
JOIN top USING (genre_id) WHERE year BETWEEN {_SINCE} AND {_UNTIL} ORDER BY total DESC, genre_id, year
"""

# company, decade, budget (null when unknown) and revenue in billions of US dollars
TOP_COMPANIES = f"""
WITH decade AS (SELECT {_UNTIL} // 10 * 10 AS first)
SELECT any_value(company_name), first, sum(budget_usd) / 1e9, sum(revenue_usd) / 1e9 AS revenue
FROM decade, metrics.company_revenue_by_year
LEFT JOIN metrics.company_budget_by_year b USING (year, company_id, company_name)
WHERE year BETWEEN first AND first + 9 GROUP BY company_id, first HAVING revenue > 0
ORDER BY revenue DESC, company_id LIMIT 10
"""

# year, movies, share with a known budget, with a known revenue
COVERAGE = f"""
SELECT release_year, count(*), count(budget_usd) / count(*), count(revenue_usd) / count(*)
FROM core.movies WHERE release_year BETWEEN {_UNTIL} - 100 AND {_UNTIL} GROUP BY 1 ORDER BY 1
"""


def draw_top_genres(figure: "Figure", rows: Rows) -> None:
    """Two panels, budget and revenue, with a line for each genre."""
    lines: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for genre, *point in rows:
        lines[genre].append(tuple(point))
    panels = figure.subplots(1, 2, sharex=True)
    for place, (axes, title) in enumerate(zip(panels, ("Budget", "Revenue"), strict=True), start=1):
        axes.set_title(f"{title}, billions of US dollars")
        ends = []
        for colour, (genre, points) in zip(COLOURS, lines.items(), strict=False):
            known = [(point[0], point[place]) for point in points if point[place] is not None]
            if known:
                axes.plot(*zip(*known, strict=True), color=colour)
                ends.append((*known[-1], label(genre, 20), colour))
        axes.set_ylim(bottom=0)
        axes.locator_params(axis="x", nbins=6, integer=True)
        label_ends(axes, ends, least=axes.get_ylim()[1] * 0.055)
    if not rows:
        say_nothing_to_show(panels[0])


def draw_top_companies(figure: "Figure", rows: Rows) -> None:
    """A bar for the revenue of each company, and a narrow one for the budget."""
    axes = figure.subplots()
    if not rows:
        return say_nothing_to_show(axes)
    axes.set_title(f"{rows[0][1]:.0f} to {rows[0][1] + 9:.0f}, billions of US dollars")
    places = range(len(rows))
    axes.barh(places, [row[3] for row in rows], height=0.7, color=COLOURS[0], label="revenue")
    axes.barh(places, [row[2] or 0 for row in rows], height=0.28, color=COLOURS[1], label="budget")
    axes.set_yticks(places, [label(row[0]) for row in rows])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    for place, row in enumerate(rows):
        axes.annotate(f"{row[3]:,.1f}", (row[3], place), xytext=(4, 0), textcoords="offset points", va="center")
    axes.legend(loc="lower right")
    return None


def draw_coverage(figure: "Figure", rows: Rows) -> None:
    """Lines for the shares above bars for the number of movies."""
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    years = [row[0] for row in rows]
    upper.set_title("Known, share of the movies of the year")
    ends = []
    for colour, place, what in ((COLOURS[1], 2, "budget"), (COLOURS[0], 3, "revenue")):
        upper.plot(years, [row[place] for row in rows], color=colour)
        ends += [(years[-1], rows[-1][place], what, colour)] if rows else []
    upper.set_ylim(0, max([0.1, *(max(row[2:]) for row in rows)]) * 1.1)
    upper.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    label_ends(upper, ends, least=upper.get_ylim()[1] * 0.09)
    lower.bar(years, [row[1] for row in rows], color=COLOURS[-1], width=0.8)
    lower.set_title("Movies")
    lower.yaxis.set_major_formatter(lambda movies, _: f"{movies:,.0f}")
    lower.locator_params(axis="y", nbins=3, integer=True)
    if not rows:
        say_nothing_to_show(upper)
