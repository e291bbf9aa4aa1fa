"""Reads a page: its sections and the fenced blocks in them. Runs nothing.

What the fences mean, as in `tests/docs.rs`: a file name behind the language makes a block a file, and what is in a
comment `<!-- ... -->` in the line before a block is said about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_COMMENT = re.compile(r"<!-- (.*) -->")


@dataclass(frozen=True)
class Block:
    language: str
    #: To be written under this name.
    file: str | None
    #: What the comment before it says.
    note: str | None
    #: Of the first line inside, counted from 1.
    line: int
    text: str


@dataclass
class Section:
    title: str
    blocks: list[Block] = field(default_factory=list[Block])
    #: The rows of its tables, the heads among them: the cells as they stand there.
    rows: list[list[str]] = field(default_factory=list[list[str]])


def sections(path: Path) -> list[Section]:
    """What is below each heading of the first and second level."""
    found = [Section("")]
    note: str | None = None
    lines = enumerate(path.read_text().splitlines(), start=1)
    for number, line in lines:
        comment = _COMMENT.fullmatch(line)
        if line.startswith("```"):
            language, _, file = line[3:].partition(" ")
            inside: list[str] = []
            for _, inner in lines:
                if inner == "```":
                    break
                inside.append(inner)
            else:
                raise ValueError(f"{path}:{number}: the block is not closed")
            text = "".join(f"{inner}\n" for inner in inside)
            found[-1].blocks.append(Block(language, file or None, note, number + 1, text))
        elif line.startswith(("# ", "## ")):
            found.append(Section(line.lstrip("# ")))
        elif line.startswith("|") and not set(line) <= set("|-: "):
            cells = re.split(r"(?<!\\)\|", line.strip("|"))
            found[-1].rows.append([cell.strip().replace("\\|", "|") for cell in cells])
        note = comment[1] if comment else None
    return [section for section in found if section.title]
