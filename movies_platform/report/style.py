"""How pictures look: quiet, the same colours everywhere, legible on light and on dark.

A picture is drawn twice from the same data. As PNG on a light card, for the Dagster UI, whatever theme it has; as
SVG without a background whose text takes the colour of the page around it (`currentColor`).
"""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CARD, INK = "#fcfcfa", "#24292f"
_PAGE_INK = "#010203"  # stands for the colour of the page's text until the SVG is written
# Of middle lightness: at least 3 to 1 against white and against near-black.
COLOURS = ("#3f7fd6", "#d0603a", "#2c9a6c", "#a862c4", "#b4861c", "#cf4f8f", "#4f8fa8", "#8d7a56",
           "#6f7bd9", "#7c9a2e", "#c2554f", "#8a8f98")  # fmt: skip
Draw = Callable[["Figure"], None]


@contextmanager
def _theme(ink: str) -> Iterator[None]:
    import matplotlib as mpl

    with mpl.rc_context({
        "svg.fonttype": "none", "svg.hashsalt": "movies-platform", "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans", "sans-serif"], "font.size": 10, "text.color": ink, "axes.labelcolor": ink,
        "axes.edgecolor": ink, "xtick.color": ink, "ytick.color": ink, "axes.titlecolor": ink,
        "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.spines.top": False,
        "axes.spines.right": False, "axes.spines.left": False, "axes.grid": True, "axes.grid.axis": "y",
        "axes.facecolor": "none", "grid.color": ink, "grid.alpha": 0.15, "axes.linewidth": 0.6,
        "xtick.major.width": 0.6, "ytick.major.size": 0, "lines.linewidth": 2.0, "legend.frameon": False,
        "axes.axisbelow": True, "text.parse_math": False,  # names may hold dollars
    }):  # fmt: skip
        yield


def as_png(draw: Draw, height: float) -> bytes:
    """The picture on a card, 1,000 pixels wide; `height` in inches for a width of ten."""
    with _theme(INK):
        png = _rendered(draw, height, format="png", facecolor=CARD)
    from PIL import Image

    few_colours = Image.open(io.BytesIO(png)).convert("RGB").quantize(96, method=Image.Quantize.MEDIANCUT)
    written = io.BytesIO()
    few_colours.save(written, format="png", optimize=True)  # a third of the size, and events keep it
    return written.getvalue()


def as_svg(draw: Draw, height: float) -> str:
    """The picture without background, to be put into a page, whose text colour it takes."""
    with _theme(_PAGE_INK):
        svg = _rendered(draw, height, format="svg", transparent=True, metadata={"Date": None}).decode()
    return svg[svg.index("<svg") :].replace(_PAGE_INK, "currentColor")


def _rendered(draw: Draw, height: float, **options: Any) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, height), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure)
    written = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # a box in the PNG; browsers have more fonts
        figure.savefig(written, **options)
    return written.getvalue()


def label(name: str, longest: int = 38) -> str:
    """A name as it stands in a picture: one line, not too long, and shown in legends whatever it begins with."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    line = line if len(line) <= longest else f"{line[: longest - 1]}…"
    return f"\u200b{line}" if line.startswith("_") else line


def label_ends(axes: "Axes", ends: list[tuple[float, float, str, str]], least: float) -> None:
    """Write (x, y, text, colour) at the ends of lines, at least `least` apart from each other."""
    ends = sorted(ends, key=lambda end: end[1])
    heights: list[float] = []
    for _, y, *_ in ends:
        heights.append(max(y, heights[-1] + least) if heights else y)
    highest = axes.get_ylim()[1]
    for place in reversed(range(len(heights))):  # what was pushed above the picture goes down again
        heights[place] = min(heights[place], highest)
        highest = heights[place] - least
    for height, (x, _, text, colour) in zip(heights, ends, strict=True):
        axes.annotate(text, (x, height), xytext=(6, 0), textcoords="offset points", va="center", color=colour,
                      fontsize=9, annotation_clip=False)  # fmt: skip


def say_nothing_to_show(axes: "Axes") -> None:
    """What a picture of no data says."""
    axes.text(0.5, 0.5, "nothing to show yet", transform=axes.transAxes, ha="center", va="center")
