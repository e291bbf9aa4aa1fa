"""Looks figures up in the results of a run, and writes them as people read them. Knows no page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Cell:
    """The figures of one contestant at one size, or why there are none."""

    contestant: str
    processes: int
    ports: int
    pool: str
    figures: dict[str, Any]

    @property
    def failed(self) -> str | None:
        failed: str | None = self.figures.get("failed")
        return failed


@dataclass(frozen=True)
class Metric:
    title: str
    unit: str
    value: Callable[[dict[str, Any]], float | None]
    more_is_better: bool = False

    def of(self, cell: Cell | None) -> float | None:
        return None if cell is None or cell.failed else self.value(cell.figures)


def _per_1000(count: str) -> Callable[[dict[str, Any]], float | None]:
    def value(figures: dict[str, Any]) -> float | None:
        allocations = figures["attempts"] - figures["gave_up"]
        return 1000 * figures[count] / allocations if allocations else None

    return value


def _mib(figures: dict[str, Any]) -> float:
    # A worker that runs commands has its user's memory only; theirs is what counts.
    kib: float = figures["command_memory_kib"] or figures["memory_kib"]
    return kib / 1024


OVERLAPS = Metric("Overlaps", "per 1000 allocations", _per_1000("overlapping"))
UNBOUND = Metric("Failed binds", "per 1000 allocations", _per_1000("unbound"))
GAVE_UP = Metric("Gave up", "per 1000 attempts", lambda it: 1000 * it["gave_up"] / it["attempts"])
P50 = Metric("Time of an allocation, median", "us", lambda it: it["p50_us"])
P99 = Metric("Time of an allocation, 99th percentile", "us", lambda it: it["p99_us"])
FIRST = Metric("Time of a process's first allocation, median", "us", lambda it: it["first_p50_us"])
THROUGHPUT = Metric(
    "Allocations of all processes together", "per second", lambda it: it["allocations_per_second"], True
)
MEMORY = Metric("Peak memory of a process", "MiB", _mib)


class Results:
    def __init__(self, path: Path) -> None:
        self.all: dict[str, Any] = json.loads(path.read_text())
        keys = ("contestant", "processes", "ports", "pool")
        self.cells = [
            Cell(**{key: it[key] for key in keys}, figures={key: value for key, value in it.items() if key not in keys})
            for it in self.all["cells"]
        ]
        self._found = {(it.contestant, it.processes, it.ports, it.pool): it for it in self.cells}

    def cell(self, contestant: str, processes: int, ports: int, pool: str) -> Cell | None:
        return self._found.get((contestant, processes, ports, pool))

    def of(self, contestant: str) -> list[Cell]:
        return [cell for cell in self.cells if cell.contestant == contestant]


def number(value: float | None) -> str:
    """Three digits that count; nothing but nothing is 0."""
    if value is None:
        return "n/a"
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """In Markdown; all columns but the first are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def plural(count: int, thing: str) -> str:
    ending = "" if count == 1 else "es" if thing.endswith("s") else "s"
    return f"{count} {thing}{ending}"
