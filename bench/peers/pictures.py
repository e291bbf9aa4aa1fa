"""Draws the page's pictures from the figures of one run. Knows no text but that in the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plots
from figures import MEMORY, OVERLAPS, P50, THROUGHPUT, plural

if TYPE_CHECKING:
    from pathlib import Path

    from contestants import Contestant
    from figures import Results
    from sections import Sections


def draw(results: Results, page: Sections, directory: Path) -> None:
    """All of them, for the page's size, into this directory."""
    for pool in ("wide", "squeezed"):
        values = {it.title: OVERLAPS.of(page.at(it, pool)) for it in page.shown}
        title = f"Overlaps, {pool} range: {page.size()}"
        plots.bars(directory / f"overlaps-{pool}.svg", title, OVERLAPS.unit, values, note="0 is what is promised")
    for metric, name in ((P50, "median"), (THROUGHPUT, "throughput"), (MEMORY, "memory")):
        values = {it.title: metric.of(page.at(it)) for it in page.shown}
        note = "more is better" if metric.more_is_better else "less is better"
        title = f"{metric.title}: {page.size()}"
        plots.bars(directory / f"{name}.svg", title, metric.unit, values, log_y=metric is not MEMORY, note=note)
    for language in ("Python", "Node", "Rust"):
        series = {it.title: growth(results, page, it) for it in page.shown if it.language == language}
        plots.lines(
            directory / f"growth-{language.lower()}.svg",
            f"{language}: {P50.title.lower()}, {plural(page.each, 'port')}",
            "processes at the same time",
            P50.unit,
            {title: points for title, points in series.items() if points},
            log_x=True,
            log_y=True,
        )


def growth(results: Results, page: Sections, it: Contestant) -> list[tuple[float, float]]:
    found = [(many, P50.of(results.cell(it.key, many, page.each, "wide"))) for many in page.processes]
    return [(many, value) for many, value in found if value is not None]
