"""What the rehearsal says at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packages.rehearse.stranger import Typed


@dataclass
class Outcome:
    """How a case ended."""

    ecosystem: str
    name: str
    had: str
    result: str  # passed, FAILED or NOT TRIED
    why: str = ""
    seconds: float = 0
    size: int | None = None
    typed: list[Typed] = field(default_factory=list)
    used: set[str] = field(default_factory=set)  # files of dist/

    def line(self) -> str:
        size = f"{self.size / 1e6:8.2f} MB" if self.size is not None else " " * 11
        return f"{self.result:9} {self.seconds:6.1f} s {size}  {self.ecosystem}: {self.name}"


def table(outcomes: list[Outcome]) -> str:
    lines = []
    for outcome in outcomes:
        lines += ["", outcome.line(), f"    had: {outcome.had}"]
        lines += [f"    {each.seconds:6.1f} s  $ {indented(each.command)}" for each in outcome.typed if each.on_page]
        if outcome.why:
            lines += [f"    {line}" for line in outcome.why.splitlines()]
    lines += ["", *(outcome.line() for outcome in outcomes)]
    return "\n".join(lines)


def closing(outcomes: list[Outcome]) -> str:
    """The line for which CI looks."""
    passed, failed, not_tried = (
        sum(outcome.result == result for outcome in outcomes) for result in ("passed", "FAILED", "NOT TRIED")
    )
    line = f"packages: {passed} passed, {failed} failed"
    return f"{line}, {not_tried} NOT TRIED" if not_tried else line


def indented(script: str) -> str:
    return script.strip().replace("\n", f"\n{' ' * 16}")
