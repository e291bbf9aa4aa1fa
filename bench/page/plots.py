"""Draws figures as small SVGs that are the same for the same figures: pictures of lines and of bars.

It knows nothing of what was measured, nor of the pages that show the pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator, SymmetricalLogLocator

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

# One version of matplotlib, no date and no random IDs: a page changes only if its figures do.
mpl.use("svg")
mpl.rcParams.update(
    {
        "svg.hashsalt": "portalloc",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#dddddd",
        "grid.linewidth": 0.6,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
    }
)

ACCENT = "#d1495b"
PLAIN = "#8d99ae"
# For lines, in their order: told apart also by those who see no red and green (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#7f7f7f")
MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")


def lines(
    path: Path,
    title: str,
    xlabel: str,
    ylabel: str,
    series: dict[str, list[tuple[float, float]]],
    *,
    log_x: bool = False,
    log_y: bool = False,
    note: str = "",
) -> None:
    """One line for each of `series`, with a mark at each point. A logarithmic x axis still has room for 0."""
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes = figure.add_subplot()
    for place, (name, points) in enumerate(series.items()):
        axes.plot(
            [x for x, _ in points],
            [y for _, y in points],
            label=name,
            color=COLOURS[place % len(COLOURS)],
            marker=MARKS[place % len(MARKS)],
            markersize=4,
            linewidth=1.4,
        )
    xs = sorted({x for points in series.values() for x, _ in points})
    if log_x:
        _log_x(axes, xs)
    if log_y:
        _log_y(axes)
    else:
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(FuncFormatter(_number))
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    if series:
        axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
    _finish(figure, axes, path, title, note)


def bars(
    path: Path,
    title: str,
    ylabel: str,
    values: dict[str, float | None],
    *,
    log_y: bool = False,
    highlight: str = "portalloc",
    note: str = "",
) -> None:
    """A lying bar for each of `values`, with its figure: names are long. None has no bar, and says "n/a"."""
    names = list(values)
    figure = Figure(figsize=(8, 1.5 + 0.32 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    known = [value for value in values.values() if value is not None and (value > 0 or not log_y)]
    # Where a logarithmic axis begins is a choice: half of the smallest, so that this one still has a bar.
    start = min(known, default=1.0) / 2 if log_y else 0.0
    for place, (name, value) in enumerate(values.items()):
        if value is None:
            axes.annotate(
                "n/a", (start, place), xytext=(4, 0), textcoords="offset points", va="center", color="#666666"
            )
            continue
        colour = ACCENT if name.startswith(highlight) else PLAIN
        width = max(value - start, 0.0)
        axes.barh(place, width, left=start, color=colour, height=0.7)
        axes.annotate(
            _number(value), (start + width, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9
        )
    axes.set_yticks(range(len(names)), names)
    # Also a name without a bar has its place; the first is on top.
    axes.set_ylim(max(len(names), 1) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    if log_y:
        axes.set_xscale("log")
        axes.set_xlim(start, max(known, default=1.0) * 3)
        axes.xaxis.set_major_locator(LogLocator(numticks=9))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.set_xlim(min([0.0, *known]), max([0.0, *known]) * 1.15 or 1.0)
    axes.xaxis.set_major_formatter(FuncFormatter(_number))
    axes.set_xlabel(ylabel)
    _finish(figure, axes, path, title, note)


def _log_x(axes: Axes, xs: list[float]) -> None:
    """Logarithmic, its ticks the very sizes that were measured where these are few; 0 has a place of its own."""
    positive = [x for x in xs if x > 0]
    if xs and xs[0] <= 0:
        smallest = min(positive, default=1.0)
        axes.set_xscale("symlog", linthresh=smallest, linscale=0.5)
    else:
        axes.set_xscale("log")
    if len(xs) <= 12:
        axes.set_xticks(xs)
    elif positive:
        axes.xaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=min(positive)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(_number))


def _log_y(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=9))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(_number))


def _number(value: float, _position: object = None) -> str:
    """As people write it: three digits that count, no exponents."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    digits = f"{value:.3g}"
    return f"{value:.10f}".rstrip("0") if "e" in digits else digits


def _finish(figure: Figure, axes: Axes, path: Path, title: str, note: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    if note:
        figure.supxlabel(note, fontsize=8, color="#666666", x=0.01, ha="left")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    # The writer ends many lines with blanks.
    path.write_text("".join(f"{line.rstrip()}\n" for line in path.read_text().splitlines()))
