"""What a page of the documentation tells its reader to type: commands, and files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from packages.common import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)(?P=fence)$", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    text: str


@dataclass(frozen=True)
class Page:
    """A Markdown file, named as seen from the root of the repository."""

    name: str

    @property
    def path(self) -> Path:
        return ROOT / self.name

    def blocks(self) -> list[Block]:
        return blocks(self.path)

    def commands(self) -> list[str]:
        """Every line that stands behind a `$` in a block of the terminal; a backslash at its end joins the next."""
        text = "\n".join(block.text.replace("\\\n", "") for block in self.blocks() if block.language == "console")
        return [line[2:].strip() for line in text.splitlines() if line.startswith("$ ")]

    def example(self, language: str, number: int = 0) -> str:
        """The text of a block, by its language and its place among the blocks of that language."""
        found = [block.text for block in self.blocks() if block.language == language]
        if number >= len(found):
            raise LookupError(
                f"{self.name} has {len(found)} blocks of {language}, and the rehearsal wants number {number}"
            )
        return found[number]

    def require(self, command: str) -> None:
        """Fails if the page does not tell its reader this very command."""
        if command not in self.commands():
            raise LookupError(f"{self.name} does not say `$ {command}`; the rehearsal types only what the page says")


@cache
def blocks(path: Path) -> list[Block]:
    return [
        # In a list, a whole block is indented.
        Block(found["info"].strip().split(" ")[0], re.sub(f"^{found['indent']}", "", found["text"], flags=re.M))
        for found in FENCE.finditer(path.read_text())
    ]
