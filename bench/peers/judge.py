"""Judges a journal: which allocations met another live one, which could not be bound, how long they took.

Pure: it knows lines of text, and neither who wrote them nor how. All workers appended to the journal in one write a
line, so the order of its lines is the order of time. A worker writes `took` after it has its ports and `gave` before
it gives them back, so what overlaps here has overlapped in truth; a little more may have.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class BadJournalError(Exception):
    """The journal cannot be what the workers wrote, or does not show what is to be judged."""


@dataclass(frozen=True)
class Verdict:
    attempts: int
    overlapping: int
    unbound: int
    gave_up: int
    p50_us: float | None
    p99_us: float | None
    # Of each process's first allocation: test processes are young.
    first_p50_us: float | None

    @property
    def allocations(self) -> int:
        return self.attempts - self.gave_up


@dataclass
class _Worker:
    holds: list[int] = field(default_factory=list)
    bound: bool = False
    times: list[int] = field(default_factory=list)


def percentile(values: list[float], share: float) -> float:
    """The nearest rank: a value that was measured."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


class _Judge:
    def __init__(self, ports: int) -> None:
        self._ports = ports
        self._held: Counter[int] = Counter()
        self.workers: dict[str, _Worker] = {}
        self.overlapping = self.unbound = self.gave_up = 0

    def hear(self, line: str) -> None:
        match line.split():
            case ["took", pid, time, ports]:
                self._took(self._of(pid, holding=False), int(time), [int(port) for port in ports.split(",")])
            case ["none", pid, _time]:
                self._of(pid, holding=False)
                self.gave_up += 1
            case ["bound", pid, failed]:
                worker = self._of(pid, holding=True)
                worker.bound = True
                self.unbound += int(failed) > 0
            case ["gave", pid, ports]:
                worker = self._of(pid, holding=True)
                if not worker.bound or worker.holds != [int(port) for port in ports.split(",")]:
                    raise BadJournalError(f"not what it had: {line}")
                self._held.subtract(worker.holds)
                worker.holds = []
            case _:
                raise BadJournalError(f"no such line: {line}")

    def _of(self, pid: str, *, holding: bool) -> _Worker:
        worker = self.workers.setdefault(pid, _Worker())
        if bool(worker.holds) != holding:
            raise BadJournalError(f"{pid} holds {worker.holds or 'nothing'}, against what it does")
        return worker

    def _took(self, worker: _Worker, time: int, ports: list[int]) -> None:
        if len(ports) != self._ports:
            raise BadJournalError(f"{len(ports)} ports in place of {self._ports}")
        # The same port twice in one allocation is of no use either.
        self.overlapping += len(set(ports)) < len(ports) or any(self._held[port] > 0 for port in ports)
        self._held.update(ports)
        worker.holds, worker.bound = ports, False
        worker.times.append(time)


def judge(lines: Iterable[str], processes: int, ports: int) -> Verdict:
    """What the journal of this many processes shows, each of which asked for this many ports again and again."""
    heard = _Judge(ports)
    for line in lines:
        heard.hear(line)
    workers = heard.workers.values()
    if len(workers) != processes:
        raise BadJournalError(f"{len(workers)} processes wrote, of {processes}")
    if any(worker.holds for worker in workers):
        raise BadJournalError("an allocation without its end")
    times = [time / 1000 for worker in workers for time in worker.times]
    firsts = [worker.times[0] / 1000 for worker in workers if worker.times]
    return Verdict(
        attempts=len(times) + heard.gave_up,
        overlapping=heard.overlapping,
        unbound=heard.unbound,
        gave_up=heard.gave_up,
        p50_us=percentile(times, 0.50) if times else None,
        p99_us=percentile(times, 0.99) if times else None,
        first_p50_us=statistics.median(firsts) if firsts else None,
    )
