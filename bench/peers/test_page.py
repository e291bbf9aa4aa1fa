"""The page, made of made-up figures: what is bad for portalloc is on it, and so is what has no figure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from figures import Results, number
from page import text
from sections import Sections

if TYPE_CHECKING:
    from pathlib import Path

SIZE = {"processes": [2, 32], "ports": [1, 5], "paced_seconds": 2.0, "squeezed_seconds": 1.2, "flat_seconds": 0.5}


def cell(contestant: str, pool: str = "wide", **figures: Any) -> dict[str, Any]:
    good = {
        "attempts": 1000,
        "overlapping": 0,
        "unbound": 0,
        "gave_up": 0,
        "p50_us": 50.0,
        "p99_us": 500.0,
        "first_p50_us": 80.0,
        "memory_kib": 10_240.0,
        "command_memory_kib": None,
        "server_memory_kib": None,
        "allocations_per_second": 1000.0,
        "flat_gave_up": 0,
    }
    return {"contestant": contestant, "processes": 32, "ports": 5, "pool": pool, **good, **figures}


def sections(directory: Path, *cells: dict[str, Any], **others: Any) -> Sections:
    results = {
        "date": "2000-01-01",
        "machine": {"kernel": "Linux 1.0"},
        "versions": {"portalloc": "0.0.1"},
        "namespaces": True,
        "size": SIZE,
        "missing": {},
        "cells": list(cells),
        "minutes": 1.5,
        **others,
    }
    path = directory / "results.json"
    path.write_text(json.dumps(results))
    return Sections(Results(path))


def row(table: str, title: str) -> list[str]:
    (found,) = (line for line in table.splitlines() if line.startswith(f"| {title} |"))
    return [part.strip() for part in found.strip("|").split("|")][1:]


def test_the_table_has_each_figure_in_its_place(tmp_path: Path) -> None:
    made = sections(
        tmp_path,
        cell("get-port", overlapping=50, p50_us=300.0, p99_us=14_000.0, first_p50_us=700.0),
        cell("get-port", "squeezed", gave_up=600, overlapping=100),
    )
    assert row(made.summary(), "get-port") == ["50.0", "250", "600", "300", "14,000", "700"]


def test_what_has_no_range_has_no_squeezed_figure(tmp_path: Path) -> None:
    assert row(sections(tmp_path, cell("detect-port")).summary(), "detect-port")[1] == "n/a"


def test_portallocs_own_overlaps_are_told(tmp_path: Path) -> None:
    made = sections(tmp_path, cell("portalloc-rust", overlapping=3, unbound=1, gave_up=2))
    assert "998 allocations: 3 overlaps, 1 failed bind, 2 times gave up" in made.ours()


@pytest.mark.parametrize(
    ("better", "figure"),
    [
        ({"p50_us": 20.0}, "median"),
        ({"p99_us": 20.0}, "99th percentile"),
        ({"first_p50_us": 20.0}, "first allocation"),
        ({"allocations_per_second": 2000.0}, "of all processes together"),
        ({"memory_kib": 5000.0}, "memory"),
    ],
)
def test_whoever_is_ahead_is_named(tmp_path: Path, better: dict[str, Any], figure: str) -> None:
    made = sections(
        tmp_path, cell("portalloc-python"), cell("bind0-python", overlapping=30, **better), cell("portpicker")
    )
    (line,) = made.losses().splitlines()[2:]
    assert figure in line
    assert "bind(0), Python" in line
    assert "portpicker" not in line


def test_whoever_is_behind_or_of_another_language_is_not(tmp_path: Path) -> None:
    made = sections(tmp_path, cell("portalloc-python"), cell("portpicker", p50_us=51.0), cell("bind0-rust", p50_us=1.0))
    assert made.losses() == "Nowhere in this run."


def test_others_without_overlaps_are_named_with_what_they_refused(tmp_path: Path) -> None:
    made = sections(
        tmp_path,
        cell("portalloc-python"),
        cell("ephemeral-port-reserve"),
        cell("ephemeral-port-reserve", "squeezed", gave_up=900),
        cell("portpicker"),
        cell("portpicker", "squeezed", overlapping=1),
    )
    assert row(made.clean(), "ephemeral-port-reserve") == ["900 (32 x 5, squeezed)", "80.0", "80.0"]
    assert "portpicker" not in made.clean()


def test_a_cell_that_failed_is_told_with_its_reason(tmp_path: Path) -> None:
    failed = {"contestant": "portfinder", "processes": 32, "ports": 5, "pool": "wide", "failed": "a worker ended"}
    made = sections(tmp_path, cell("get-port"), failed)
    assert row(made.summary(), "portfinder")[0] == "failed"
    assert "portfinder, 32 x 5, wide: a worker ended" in made.failures()


def test_whoever_could_not_be_had_is_told_with_the_reason(tmp_path: Path) -> None:
    made = sections(tmp_path, cell("get-port"), missing={"go-portalloc": "403", "go-portalloc-cli": "403"})
    assert "go-portalloc and go-portalloc, command" in made.missing()
    assert "403" in made.missing()


def test_nothing_but_nothing_is_written_as_0() -> None:
    written = [number(value) for value in (0, 0.004, 6.17, 12.34, 1234.5, None)]
    assert written == ["0", "0.004", "6.17", "12.3", "1,234", "n/a"]


def test_the_whole_page_has_every_section(tmp_path: Path) -> None:
    page = text(sections(tmp_path, cell("portalloc-rust"), cell("bind0-rust", p50_us=7.77)))
    assert "$" not in page
    assert "2000-01-01" in page
    assert page.count("7.77") == 3  # the one table, what is ahead, all figures


def test_whoever_is_ahead_at_the_smallest_size_is_named_there(tmp_path: Path) -> None:
    small = {"processes": 2, "ports": 1}
    ours, theirs = cell("portalloc-python"), cell("bind0-python")
    made = sections(tmp_path, ours, theirs, {**ours, **small}, {**theirs, **small, "p50_us": 7.77})
    assert made.losses() == "Nowhere in this run."
    assert "bind(0), Python 7.77" in made.losses_small()
    assert made.size_small() == "2 processes, 1 port each"
