"""Frames of the tables -> the charts of the report, as matplotlib figures, and these as PNG and SVG.

A genre has one colour in all charts. Text and lines are drawn in one ink, by which the SVG is adapted: to a middle grey
that is legible on light and on dark, or, inside a page, to the colour of the page's text. The PNG is on a light card,
because the Dagster UI does not tell a picture its theme.

matplotlib is imported when a chart is drawn, not when Dagster loads the assets.
"""

import functools
import io
import re
import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import pandas as pd

from movies_platform.contracts.metrics import MEASURES
from movies_platform.contracts.raw import ACTIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CARD, INK, FILE_INK = "#fcfcfa", "#24292f", "#6e7781"
GREY = "#8a8f98"
# Of genres in the order of their ids. Each at least 3 to 1 against white and near-black.
GENRE_COLOURS = (
    "#3f7fd6", "#a862c4", "#d0603a", "#6e645a", "#be1e6e", "#2c9a6c", "#b4861c", "#8d7a56", "#7c9a2e", "#4f8fa8",
    "#aa461e", "#1e781e", "#6e3cf0", "#1e7896", "#8c82f0", "#cf4f8f", "#f05aa0", "#c2554f", "#6f7bd9", "#a06478",
)  # fmt: skip
ACTION_COLOURS = dict(zip(ACTIONS, ("#be1e6e", "#2c9a6c", "#b4861c", "#4f8fa8"), strict=True))
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "movies-platform", "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "sans-serif"], "font.size": 10, "text.color": INK, "axes.labelcolor": INK,
    "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.titlecolor": INK, "axes.titlesize": 11,
    "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False,
    "axes.spines.left": False, "axes.grid": True, "axes.grid.axis": "y", "axes.facecolor": "none", "grid.color": INK,
    "grid.alpha": 0.15, "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.size": 0, "lines.linewidth": 2.0,
    "legend.frameon": False, "axes.axisbelow": True, "text.parse_math": False,  # names may hold dollars
}  # fmt: skip
Frames = ParamSpec("Frames")


def chart(height: float) -> Callable[[Callable[Concatenate["Figure", Frames], None]], Callable[Frames, "Figure"]]:
    """Give a function that draws frames into a figure an empty one, ten inches wide and so many high."""

    def decorate(draw: Callable[Concatenate["Figure", Frames], None]) -> Callable[Frames, "Figure"]:
        @functools.wraps(draw)
        def make(*args: Frames.args, **kwargs: Frames.kwargs) -> "Figure":
            import matplotlib as mpl
            from matplotlib.figure import Figure

            with mpl.rc_context(_STYLE):
                figure = Figure(figsize=(10, height), dpi=100, layout="constrained")
                draw(figure, *args, **kwargs)
            if not any(axes.has_data() for axes in figure.axes):
                figure.axes[0].text(0.5, 0.5, "nothing to show yet", transform=figure.axes[0].transAxes, ha="center")
            return figure

        return make

    return decorate


def newest_years(movies: pd.DataFrame) -> tuple[int, int]:
    """The newest full year, and the last one with a release; zeros where nothing was released.

    A year is full with at least half as many releases as the year before; later ones are just beginning. `movies` has
    release_date, release_year and delivery_month; what was only announced when it was delivered does not count.
    """
    released = movies[movies["release_date"] <= movies["delivery_month"]]
    by_year = released["release_year"].value_counts().sort_index()
    full = by_year[by_year >= 0.5 * by_year.shift(fill_value=0)]
    return (int(full.index[-1]), int(by_year.index[-1])) if len(full) else (0, 0)


@chart(4.2)
def money_of_top_genres(
    figure: "Figure", budget: pd.DataFrame, revenue: pd.DataFrame, genres: pd.DataFrame, movies: pd.DataFrame
) -> None:
    """Lines of the budget and of the revenue of the six genres that earned most in the 40 newest years."""
    until, _ = newest_years(movies)
    frames = [frame[frame["year"].between(until - 40, until)] for frame in (budget, revenue)]
    earned = frames[1].groupby("genre_id")["revenue_share_usd"].sum()
    top = earned[earned > 0].sort_values(ascending=False, kind="stable").index[:6]
    for axes, frame, amount in zip(figure.subplots(1, 2, sharex=True), frames, ("budget", "revenue"), strict=True):
        axes.set_title(f"{amount.capitalize()}, billions of US dollars")
        shares = {genre: frame[frame["genre_id"] == genre] for genre in top}
        _lines(axes, shares, "year", f"{amount}_share_usd", genres, scale=1e9, lowest=0)
        axes.locator_params(axis="x", nbins=6, integer=True)


@chart(3.4)
def most_popular_genres(figure: "Figure", winners: pd.DataFrame, genres: pd.DataFrame, movies: pd.DataFrame) -> None:
    """A strip for each measure of popularity with a coloured cell for each of the 60 newest years."""
    _strips(figure, {measure: winners[winners["measure"] == measure] for measure in MEASURES}, genres, movies)


@chart(3.4)
def best_rated_against_most_popular(
    figure: "Figure", popular: pd.DataFrame, rated: pd.DataFrame, genres: pd.DataFrame, movies: pd.DataFrame
) -> None:
    """The same strips: the most popular genre by median, and the best rated ones by votes and by ratings."""
    strips = {
        "popularity, median": popular[popular["measure"] == "median"],
        "votes, weighted": rated[rated["measure"] == "weighted_rating"],
        "ratings, mean": rated[rated["measure"] == "mean_rating"],
    }
    _strips(figure, strips, genres, movies)


@chart(5.0)
def top_of_the_weighted_rating(figure: "Figure", ratings: pd.DataFrame, movies: pd.DataFrame) -> None:
    """Two dots for each of the 15 movies with the highest weighted rating: that, and the mean it is drawn from."""
    axes = figure.subplots()
    top = ratings.dropna(subset=["weighted_rating"]).sort_values(
        ["weighted_rating", "movie_id"], ascending=[False, True]
    )[:15].merge(movies[["movie_id", "title", "release_year"]], on="movie_id")  # fmt: skip
    places = range(len(top))
    if top.empty:
        return
    axes.hlines(places, top["weighted_rating"], top["mean_vote"], color=GREY, linewidth=1)
    axes.plot(top["mean_vote"], places, "o", color=GREY, markerfacecolor=CARD, label="mean of the votes")
    axes.plot(top["weighted_rating"], places, "o", color=INK, label="weighted rating")
    axes.set_yticks(places, [short(str(title)) if pd.notna(title) else "" for title in top["title"]])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.margins(x=0.1)
    for place, (year, votes) in enumerate(zip(top["release_year"], top["votes"], strict=True)):
        about = f"{votes:,} votes" if pd.isna(year) else f"{year}, {votes:,} votes"
        axes.annotate(about, (1, place), xycoords=("axes fraction", "data"), xytext=(6, 0), va="center", fontsize=9,
                      textcoords="offset points", annotation_clip=False)  # fmt: skip
    figure.legend(loc="outside lower center", ncols=2)


@chart(4.2)
def top_companies_of_the_decade(
    figure: "Figure", budget: pd.DataFrame, revenue: pd.DataFrame, movies: pd.DataFrame
) -> None:
    """A bar for the revenue of each of the ten companies that earned most, and a narrow one for their budget."""
    axes, (newest, latest) = figure.subplots(), newest_years(movies)
    first = newest // 10 * 10
    last = min(first + 9, latest)
    axes.set_title(f"{first} to {last}, billions of US dollars")
    both = revenue.merge(budget[["year", "company_id", "budget_usd"]], "left", ["year", "company_id"])
    both = both[both["year"].between(first, last)]
    sums = both.groupby("company_id").agg({"company_name": "first", "revenue_usd": "sum", "budget_usd": "sum"})
    top = sums[sums["revenue_usd"] > 0].sort_values("revenue_usd", ascending=False, kind="stable")[:10]
    places, earned = range(len(top)), top["revenue_usd"] / 1e9
    axes.barh(places, earned, height=0.7, color=GREY, label="revenue")
    axes.barh(places, top["budget_usd"] / 1e9, height=0.2, color=INK, label="budget")
    axes.set_yticks(places, [short(name) for name in top["company_name"]])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    for place, amount in zip(places, earned, strict=True):
        axes.annotate(f"{amount:,.1f}", (amount, place), xytext=(4, 0), textcoords="offset points", va="center")
    axes.legend(loc="lower right")


@chart(4.2)
def coverage_of_money(figure: "Figure", movies: pd.DataFrame) -> None:
    """Lines for the shares of the movies of a year whose amounts are known above bars for their number."""
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    until, _ = newest_years(movies)
    years = movies[movies["release_year"].between(until - 100, until)].groupby("release_year")
    number, ends = years.size(), []
    upper.set_title("Known, share of the movies of the year")
    for amount, colour in (("budget", INK), ("revenue", GREY)):
        share = years[f"{amount}_usd"].count() / number
        if len(share):
            upper.plot(share, color=colour)
            ends.append((float(share.index[-1]), float(share.iloc[-1]), amount, colour))
    upper.set_ylim(bottom=0)
    upper.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    _label_ends(upper, ends)
    lower.set_title("Movies")
    lower.bar(number.index, number, color=GREY, width=0.8)
    lower.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
    lower.locator_params(axis="y", nbins=3, integer=True)


@chart(4.2)
def records_and_issues(figure: "Figure", deliveries: pd.DataFrame) -> None:
    """Bars of the records of each delivery above stacked bars of its issues per 1,000 records, for 36 months.

    `deliveries` has month, records and a column for each action. A delivery with less than half the records of the
    largest one until then is taken for the changes of a month only, and drawn hollow.
    """
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    months = deliveries.sort_values("month", ignore_index=True)
    months = months.assign(changes=months["records"] < 0.5 * months["records"].cummax()).iloc[-36:]
    upper.set_title("Records")
    hollow = {"facecolor": "none", "edgecolor": GREY, "hatch": "///"}
    for changes, shown in months.groupby("changes"):
        kind, style = ("changes", hollow) if changes else ("whole history", {"color": GREY})
        bars = upper.bar(shown.index, shown["records"], width=0.6, label=kind, **style)
        if len(months) <= 12:
            upper.bar_label(bars, fmt="{:,.0f}", fontsize=9)
    upper.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
    lower.set_title("Issues per 1,000 records")
    below = 0 * months["records"]
    for action, colour in ACTION_COLOURS.items():
        heights = 1_000 * months[action] / months["records"]
        lower.bar(months.index, heights, bottom=below, color=colour, width=0.6, label=action)
        below = below + heights
    ticks = months.iloc[:: -(-len(months) // 12) or 1]
    lower.set_xticks(ticks.index, [f"{month:%Y-%m}" for month in ticks["month"]])
    figure.legend(loc="outside lower center", ncols=2 + len(ACTIONS))


@chart(4.2)
def popularity_by_month(figure: "Figure", popularity: pd.DataFrame, genres: pd.DataFrame) -> None:
    """A line for each of the eight largest genres over the calendar months, with its mean popularity.

    Months by which less than half of today's movies had been delivered are left out: their mean is over other movies.
    """
    size = popularity.groupby("month")["movies"].sum()
    comparable = size.index[size >= 0.5 * size.iloc[-1]] if len(size) else size.index
    shown = popularity[popularity["month"].isin(comparable)]
    top = shown.groupby("genre_id")["movies"].max().sort_values(ascending=False, kind="stable").index[:8]
    axes = figure.subplots()
    axes.set_title("Mean popularity")
    _lines(axes, {genre: shown[shown["genre_id"] == genre] for genre in top}, "month", "mean_popularity", genres)
    ticks = sorted(shown["month"].unique())
    ticks = ticks[:: -(-len(ticks) // 12) or 1]
    axes.set_xticks(ticks, [f"{month:%Y-%m}" for month in ticks])


def genre_colours(genres: pd.DataFrame) -> dict[int, str]:
    """The colour of each genre, by id: the same in every chart and, as ids do not change, every month."""
    return {genre: GENRE_COLOURS[n % len(GENRE_COLOURS)] for n, genre in enumerate(sorted(genres["genre_id"]))}


def short(name: str, longest: int = 38) -> str:
    """A name as it stands in a chart: one line, not too long, and shown in legends whatever it begins with."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    line = line if len(line) <= longest else f"{line[: longest - 1]}…"
    return f"\u200b{line}" if line.startswith("_") else line


def as_png(figure: "Figure") -> bytes:
    """The chart on a card, 1,000 pixels wide, in few colours: every event of Dagster's history keeps one."""
    from PIL import Image

    drawn = Image.open(io.BytesIO(_saved(figure, format="png", facecolor=CARD))).convert("RGB")
    written = io.BytesIO()
    drawn.quantize(96, method=Image.Quantize.MEDIANCUT).save(written, format="png", optimize=True)
    return written.getvalue()


def as_svg(figure: "Figure") -> str:
    """The chart without background, legible on light and on dark."""
    svg = _saved(figure, format="svg", transparent=True, metadata={"Date": None}).decode()
    return re.sub(f"(?<=: ){INK}", FILE_INK, svg[svg.index("<svg") :])


def for_page(svg: str) -> str:
    """A stored chart as a part of a page, whose text colour it takes."""
    return re.sub(f"(?<=: ){FILE_INK}", "currentColor", svg)


def _saved(figure: "Figure", **options: Any) -> bytes:
    import matplotlib as mpl

    written = io.BytesIO()
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # a box in the PNG; browsers have more fonts
        figure.savefig(written, **options)
    return written.getvalue()


def _strips(figure: "Figure", winners: dict[str, pd.DataFrame], genres: pd.DataFrame, movies: pd.DataFrame) -> None:
    """A strip for each frame of winners, by its label, with a coloured cell for each of the 60 newest years."""
    from matplotlib.patches import Patch

    until, _ = newest_years(movies)
    colours, axes = genre_colours(genres), figure.subplots()
    strips = [frame[frame["year"].between(until - 60, until)] for frame in winners.values()]
    for place, cells in enumerate(strips):
        filled = [colours.get(genre, GREY) for genre in cells["genre_id"]]
        axes.bar(cells["year"], 0.8, bottom=place - 0.4, width=0.9, color=filled)
    axes.set_yticks(range(len(winners)), list(winners))
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.margins(x=0.01)
    often = pd.concat(strips).value_counts(["genre_id", "genre_name"]).index
    patches = [Patch(color=colours.get(genre, GREY), label=short(name, 20)) for genre, name in often]
    figure.legend(handles=patches, loc="outside lower center", ncols=6, fontsize=9)


def _lines(
    axes: "Axes", frames: dict[int, pd.DataFrame], x: str, y: str, genres: pd.DataFrame, scale: float = 1,
    lowest: float | None = None,
) -> None:  # fmt: skip
    """A line for each genre with its name at the end."""
    colours, ends = genre_colours(genres), []
    for genre, frame in frames.items():
        known = frame.dropna(subset=[y])
        if len(known):
            colour = colours.get(genre, GREY)
            axes.plot(known[x], known[y] / scale, color=colour, marker="o", markersize=2.5)
            last = known.iloc[-1]
            ends.append((last[x], last[y] / scale, short(last["genre_name"], 20), colour))
    axes.set_ylim(bottom=lowest)
    _label_ends(axes, ends)


def _label_ends(axes: "Axes", ends: Iterable[tuple[Any, float, str, str]]) -> None:
    """Write (x, y, text, colour) at the ends of lines, apart from each other."""
    ends = sorted(ends, key=lambda end: end[1])
    lowest, highest = axes.get_ylim()
    apart = (highest - lowest) * 0.06
    heights: list[float] = []
    for _, y, *_ in ends:
        heights.append(max(y, heights[-1] + apart) if heights else y)
    for place in reversed(range(len(heights))):  # what was pushed above the chart goes down again
        heights[place] = min(heights[place], highest)
        highest = heights[place] - apart
    for height, (x, _, text, colour) in zip(heights, ends, strict=True):
        axes.annotate(text, (x, height), xytext=(6, 0), textcoords="offset points", va="center", color=colour,
                      fontsize=9, annotation_clip=False)  # fmt: skip
