"""Makes docs/scaling.md and its pictures from docs/scaling/growth.json, which `portalloc-bench growth` wrote.

The words are in scaling.template.md, beside this file. It can be run again without a measurement, and then makes the
same; it measures nothing, and leaves nothing out.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plots

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "scaling"
PAGE = ROOT / "docs" / "scaling.md"
TEMPLATE = Path(__file__).with_name("scaling.template.md")

# What belongs into one table and one picture: a scale and a question.
LEASES_ONE = (
    "lease of 1",
    "lease of 5",
    "release of 1",
    "release of 5",
    "bare open, lock, unlock and close",
    "lease of 1, the others this process's own",
    "release of 1, the others this process's own",
)
LEASES_ALL = ("who has a leased port", "list", "map of the pool", "census")
ENVIRONMENTS_ONE = (
    "create",
    "cleanup of one",
    "bare file operations of both",
    "attach",
    "validate",
    "`portalloc create` as a process",
    "`/bin/true` as a process",
)
ENVIRONMENTS_ALL = (
    "list",
    "cleanup of stale ones, none of them",
    "reconcile",
    "reading as many small files",
)
FILLINGS = ("leases of 5", "leases of 1", "kept environments of 5", "foreign sockets")
FILL_ONE = tuple(f"lease of 1 among {filling}" for filling in FILLINGS)
FILL_FIVE = tuple(f"lease of 5 among {filling}" for filling in FILLINGS)
PROCESSES = ("lease of 1, wide pool", "bare system calls of a lease of 1", "lease of 5, room for 40 such, waiting")
# In tables only: they lie upon another line.
NOT_DRAWN = frozenset(
    {"release of 5", "lease of 1, the others this process's own", "release of 1, the others this process's own"}
)
TABLES = {
    "leases-one": ("leases", LEASES_ONE),
    "leases-all": ("leases", LEASES_ALL),
    "environments-one": ("environments", ENVIRONMENTS_ONE),
    "environments-all": ("environments", ENVIRONMENTS_ALL),
    "fill-1": ("fill", FILL_ONE),
    "fill-5": ("fill", FILL_FIVE),
    "processes": ("processes", PROCESSES),
}
# What `portalloc-bench growth` fills: 10000-19999 without what does not fit into it in fives.
POOL_PORTS = 9995


@dataclass(frozen=True)
class Point:
    """One figure, in microseconds."""

    size: float
    median: float
    p99: float
    rounds: int
    per_second: float | None


class Figures:
    """All figures of one run, by part and series, in the order of their sizes."""

    def __init__(self, text: str) -> None:
        read: dict[str, Any] = json.loads(text)
        self.run: dict[str, Any] = read["run"]
        self.series: dict[tuple[str, str], list[Point]] = {}
        for point in read["points"]:
            self.series.setdefault((point["part"], point["series"]), []).append(
                Point(point["size"], point["median"], point["p99"], point["rounds"], point.get("per_second"))
            )

    def of(self, part: str, names: tuple[str, ...]) -> dict[str, list[Point]]:
        """Series of a part that are to be shown together. One that is missing is a fault of the run."""
        return {name: self.series[part, name] for name in names}

    def at(self, part: str, name: str, size: str) -> Point:
        """One figure; its size may be `first` or `last`."""
        points = self.series[part, name]
        if size in ("first", "last"):
            return points[0 if size == "first" else -1]
        return next(point for point in points if point.size == float(size))


def duration(microseconds: float) -> str:
    """In the unit in which it is a number of three digits or fewer."""
    for limit, divisor, unit in ((1000.0, 1.0, "us"), (1_000_000.0, 1000.0, "ms")):
        if microseconds < limit:
            return f"{_short(microseconds / divisor)} {unit}"
    return f"{_short(microseconds / 1_000_000)} s"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def main() -> None:
    """Draws the pictures, then writes the page."""
    figures = Figures((FOLDER / "growth.json").read_text())
    draw(figures)
    PAGE.write_text(filled_in(TEMPLATE.read_text(), figures))


def draw(figures: Figures) -> None:
    """One picture for each question."""
    note = f"portalloc {figures.run['version']}, {_date(figures)}, {_machine(figures)}. Medians."
    live = "leases of one port live"
    _lines(figures, "leases-one", "One lease beside others", live, note)
    _lines(figures, "leases-all", "Looking at all leases", live, note)
    _lines(figures, "environments-one", "One environment beside others", "kept environments live", note)
    _lines(figures, "environments-all", "Looking at all environments", "kept environments live", note)
    for table, count in (("fill-1", 1), ("fill-5", 5)):
        series = {
            name.split(" among ")[1]: [
                (float(round(POOL_PORTS * (100 - point.size) / 100)), point.median)
                for point in points
                if point.size < 100
            ]
            for name, points in figures.of(*TABLES[table]).items()
        }
        plots.lines(
            FOLDER / f"{table}.svg",
            f"A lease of {count} in what is left of 9,995 ports",
            "ports left; the rest is filled with ...",
            "microseconds",
            series,
            log_x=True,
            log_y=True,
            note=note,
        )
    contenders = figures.of(*TABLES["processes"])
    plots.lines(
        FOLDER / "processes.svg",
        "Leases a second, all processes together",
        "processes at once",
        "leases a second",
        {name: [(point.size, point.per_second or 0.0) for point in points] for name, points in contenders.items()},
        log_x=True,
        note=note,
    )
    waits = {}
    for name, points in contenders.items():
        waits[f"{name}: median"] = [(point.size, point.median) for point in points]
        waits[f"{name}: p99"] = [(point.size, point.p99) for point in points]
    plots.lines(
        FOLDER / "processes-waits.svg",
        "How long one of them takes",
        "processes at once",
        "microseconds",
        waits,
        log_x=True,
        log_y=True,
        note=note,
    )


def _lines(figures: Figures, table: str, title: str, xlabel: str, note: str) -> None:
    series = {
        name: [(point.size, point.median) for point in points]
        for name, points in figures.of(*TABLES[table]).items()
        if name not in NOT_DRAWN
    }
    plots.lines(FOLDER / f"{table}.svg", title, xlabel, "microseconds", series, log_x=True, log_y=True, note=note)


def filled_in(template: str, figures: Figures) -> str:
    """The template with every `{{...}}` replaced; one that names nothing is an error."""
    return re.sub(r"\{\{(.+?)\}\}", lambda match: _value(match[1], figures), template)


def _value(wanted: str, figures: Figures) -> str:
    kind, *words = (word.strip() for word in wanted.split("|"))
    match kind, words:
        case "date", []:
            return _date(figures)
        case "version", []:
            return str(figures.run["version"])
        case "machine", []:
            return _machine(figures)
        case "seconds", []:
            return str(figures.run["seconds"])
        case "quick", []:
            return "\n**A quick run: it shows that it works, and no more.**\n" if figures.run["quick"] else ""
        case "table", [name]:
            return _table(figures.of(*TABLES[name]))
        case "rates", [name]:
            return _rates(figures.of(*TABLES[name]))
        case "median", [part, name, size]:
            return duration(figures.at(part, name, size).median)
        case "p99", [part, name, size]:
            return duration(figures.at(part, name, size).p99)
        case "size", [part, name, size]:
            return f"{figures.at(part, name, size).size:,g}"
        case "rate", [name, size]:
            return f"{figures.at('processes', name, size).per_second or 0:,.0f}"
        case "more", [part, name, size, other, other_size]:
            return duration(figures.at(part, name, size).median - figures.at(part, other, other_size).median)
    sys.exit(f"the template asks for {wanted!r}")


def _table(series: dict[str, list[Point]]) -> str:
    sizes = sorted({point.size for points in series.values() for point in points})
    return _rows(series, sizes, lambda point: f"{duration(point.median)} ({duration(point.p99)})")


def _rates(series: dict[str, list[Point]]) -> str:
    sizes = sorted({point.size for points in series.values() for point in points})
    return _rows(series, sizes, lambda point: f"{point.per_second or 0:,.0f}")


def _rows(series: dict[str, list[Point]], sizes: list[float], cell: Callable[[Point], str]) -> str:
    lines = ["| | " + " | ".join(f"{size:,g}" for size in sizes) + " |", "|---" * (len(sizes) + 1) + "|"]
    for name, points in series.items():
        known = {point.size: cell(point) for point in points}
        lines.append(f"| {name} | " + " | ".join(known.get(size, "") for size in sizes) + " |")
    return "\n".join(lines)


def _date(figures: Figures) -> str:
    return datetime.fromtimestamp(figures.run["unix_time"], timezone.utc).strftime("%Y-%m-%d")


def _machine(figures: Figures) -> str:
    machine = figures.run["machine"]
    processor = machine["processor"] or machine["architecture"]
    return f"{machine['kernel']}, {machine['cpus']} x {processor}"


if __name__ == "__main__":
    main()
