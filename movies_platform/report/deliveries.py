"""The picture of the deliveries: records and issues by month."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from movies_platform.contracts.raw import ACTIONS
from movies_platform.report.style import COLOURS, say_nothing_to_show

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rows = Sequence[tuple[Any, ...]]
_MONTHS = 36

# month, records, then rows of data_issues for each action
BY_MONTH = f"""
SELECT delivery_month, records, {", ".join(f"coalesce({action}, 0)" for action in ACTIONS)}
FROM (SELECT delivery_month, sum(records)::BIGINT AS records FROM raw.deliveries GROUP BY 1)
LEFT JOIN (
    SELECT delivery_month, {", ".join(f"count(*) FILTER (action = '{action}') AS {action}" for action in ACTIONS)}
    FROM raw.data_issues GROUP BY 1
) USING (delivery_month) WHERE records > 0 ORDER BY delivery_month DESC LIMIT {_MONTHS}
"""


def draw_by_month(figure: "Figure", rows: Rows) -> None:
    """Bars of records above stacked bars of issues per 1,000 records, oldest month first."""
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    if not rows:
        return say_nothing_to_show(upper)
    rows = list(reversed(rows))
    places = range(len(rows))
    upper.set_title("Records")
    upper.bar(places, [row[1] for row in rows], color=COLOURS[0], width=0.6)
    upper.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
    lower.set_title("Issues per 1,000 records")
    below = [0.0] * len(rows)
    for colour, place, action in zip(COLOURS[1:], range(2, 2 + len(ACTIONS)), ACTIONS, strict=False):
        heights = [1_000 * row[place] / row[1] for row in rows]
        lower.bar(places, heights, bottom=below, color=colour, width=0.6, label=action)
        below = [low + height for low, height in zip(below, heights, strict=True)]
    shown = places[:: -(-len(rows) // 12)]
    lower.set_xticks(shown, [f"{rows[place][0]:%Y-%m}" for place in shown])
    figure.legend(*lower.get_legend_handles_labels(), loc="outside lower center", ncols=len(ACTIONS))
    return None
