"""What the page says: each table and phrase of it, from the figures of one run. Knows no file, and draws nothing."""

from __future__ import annotations

from contestants import BY_KEY, CONTESTANTS, Contestant, ours
from figures import (
    FIRST,
    GAVE_UP,
    MEMORY,
    OVERLAPS,
    P50,
    P99,
    THROUGHPUT,
    UNBOUND,
    Cell,
    Metric,
    Results,
    number,
    plural,
    table,
)

# Why portalloc is behind where it is, by what is measured.
WHY = {
    P50: "a lease is a lock, a probe of each port for TCP and UDP on all addresses, and labels; "
    "asking the kernel for a port 0 is one bind a port.",
    P99: "the same; and the more system calls, the likelier is it that a process is put aside in one of them.",
    FIRST: "the first lease of a process opens the registry, and reads the kernel's ranges and the project file.",
    THROUGHPUT: "as for the median; and leases meet at one file, where the kernel goes through the locks one by one.",
    MEMORY: "the library is loaded into the process; bind(0) is there already.",
}


class Sections:
    """Each public method is a `$name` of the template."""

    def __init__(self, results: Results) -> None:
        self._results = results
        size = results.all["size"]
        self.processes: list[int] = size["processes"]
        self._ports: list[int] = size["ports"]
        # The size of the one table: the one that most people are nearest to, where it was measured.
        self.many = 32 if 32 in self.processes else self.processes[-1]
        self.each = self._ports[-1]
        measured = {cell.contestant for cell in results.cells}
        self.shown = [it for it in CONTESTANTS if it.key in measured]

    def at(self, contestant: Contestant, pool: str = "wide") -> Cell | None:
        return self._results.cell(contestant.key, self.many, self.each, pool)

    def _told(self, metric: Metric, cell: Cell | None) -> str:
        return "failed" if cell is not None and cell.failed else number(metric.of(cell))

    def summary(self) -> str:
        head = ["tool", "overlaps", "squeezed: overlaps", "squeezed: gave up", "median, us", "99%, us", "first, us"]
        rows = []
        for it in self.shown:
            wide, squeezed = self.at(it), self.at(it, "squeezed")
            title = f"**{it.title}**" if it.kind == "portalloc" else it.title
            rows.append(
                [
                    title,
                    self._told(OVERLAPS, wide),
                    self._told(OVERLAPS, squeezed),
                    self._told(GAVE_UP, squeezed),
                    *(self._told(metric, wide) for metric in (P50, P99, FIRST)),
                ]
            )
        return table(head, rows)

    def clean(self) -> str:
        """Who else had no overlap, in all of its cells."""
        rows = []
        for it in self.shown:
            cells = [cell for cell in self._results.of(it.key) if not cell.failed]
            if it.kind == "portalloc" or not cells or any(OVERLAPS.of(cell) for cell in cells):
                continue
            worst = max(cells, key=lambda cell: GAVE_UP.of(cell) or 0)
            first = number(FIRST.of(self.at(it)))
            own = number(FIRST.of(self._results.cell(ours(it.language), self.many, self.each, "wide")))
            gave_up = GAVE_UP.of(worst) or 0
            where = f" ({worst.processes} x {worst.ports}, {worst.pool})" if gave_up else ""
            rows.append([it.title, f"{number(gave_up)}{where}", first, own])
        if not rows:
            return "Nobody else."
        head = ["tool", "gave up at most, per 1000", "first allocation, us", "portalloc's, us"]
        return table(head, rows)

    def ours(self) -> str:
        """What portalloc did in all of its cells, in a sentence."""
        cells = [cell for it in self.shown if it.kind == "portalloc" for cell in self._results.of(it.key)]
        good = [cell for cell in cells if not cell.failed]
        allocations = sum(cell.figures["attempts"] - cell.figures["gave_up"] for cell in good)
        overlaps, unbound, gave_up = (
            sum(cell.figures[it] for cell in good) for it in ("overlapping", "unbound", "gave_up")
        )
        return (
            f"In its {plural(len(cells), 'cell')} of this run portalloc made {allocations:,} allocations: "
            f"{plural(overlaps, 'overlap')}, {plural(unbound, 'failed bind')}, {plural(gave_up, 'time')} gave up."
        )

    def losses(self) -> str:
        return self._ahead(self.many, self.each)

    def losses_small(self) -> str:
        return self._ahead(self.processes[0], self._ports[0])

    def size_small(self) -> str:
        return f"{plural(self.processes[0], 'process')}, {plural(self._ports[0], 'port')} each"

    def _ahead(self, processes: int, ports: int) -> str:
        """Every figure in which another is ahead of portalloc in the same language."""

        def at(it: Contestant) -> Cell | None:
            return self._results.cell(it.key, processes, ports, "wide")

        rows = []
        for own in (it for it in self.shown if it.kind == "portalloc"):
            for metric in WHY:
                mine = metric.of(at(own))
                if mine is None:
                    continue
                sign = 1 if metric.more_is_better else -1
                theirs = {
                    it.title: value
                    for it in self.shown
                    if it.kind != "portalloc" and it.language == own.language
                    if (value := metric.of(at(it))) is not None and sign * value > sign * mine
                }
                ahead = sorted(theirs.items(), key=lambda pair: -sign * pair[1])
                if ahead:
                    told = ", ".join(f"{title} {number(value)}" for title, value in ahead)
                    rows.append([own.title, f"{metric.title}, {metric.unit}", number(mine), told])
        if not rows:
            return "Nowhere in this run."
        lines = ["| | figure | portalloc | ahead of it |", "|---|---|---:|---|"]
        return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])

    def why(self) -> str:
        return "\n".join(f"- *{metric.title}*: {reason}" for metric, reason in WHY.items())

    def server(self) -> str:
        memory = [
            (cell.figures["server_memory_kib"] / 1024, cell.processes)
            for cell in self._results.cells
            if not cell.failed and cell.figures["server_memory_kib"]
        ]
        if not memory:
            return "No server was measured."
        return f"The portserver itself took up to {number(max(memory)[0])} MiB, beside its clients."

    def _full(self, metric: Metric, pool: str) -> str:
        sizes = [(ports, processes) for ports in self._ports for processes in self.processes]
        head = ["tool", *(f"{processes} x {ports}" for ports, processes in sizes)]
        rows = []
        for it in self.shown:
            cells = [self._results.cell(it.key, processes, ports, pool) for ports, processes in sizes]
            if any(cells):
                rows.append([it.title, *(self._told(metric, cell) for cell in cells)])
        return table(head, rows)

    def tables(self) -> str:
        parts = []
        for pool in ("wide", "squeezed"):
            for metric in (OVERLAPS, UNBOUND, GAVE_UP, P50, P99, FIRST, THROUGHPUT, MEMORY):
                if pool == "squeezed" and metric is THROUGHPUT:
                    continue
                title = f"{metric.title}, {metric.unit}: {pool}"
                parts.append(f"<details><summary>{title}</summary>\n\n{self._full(metric, pool)}\n\n</details>")
        return "\n\n".join(parts)

    def failures(self) -> str:
        failed = [cell for cell in self._results.cells if cell.failed]
        if not failed:
            return "No cell failed."
        lines = (
            f"- {BY_KEY[it.contestant].title}, {it.processes} x {it.ports}, {it.pool}: {it.failed}" for it in failed
        )
        return "Cells without figures:\n\n" + "\n".join(lines)

    def missing(self) -> str:
        reasons: dict[str, list[str]] = {}
        for key, reason in self._results.all["missing"].items():
            reasons.setdefault(reason, []).append(BY_KEY[key].title)
        if not reasons:
            return "Nobody is left out."
        return "\n".join(
            f"**Left out: {' and '.join(titles)}.** It could not be had where this was measured: `{reason}`"
            for reason, titles in reasons.items()
        )

    def asked(self) -> str:
        lines = ["| tool | asked by | range when squeezed | several ports |", "|---|---|---|---|"]
        told = {"own": "its own", "kernel": "the kernel's", "none": "cannot be given, n/a"}
        for it in self.shown:
            several = "consecutive" if it.consecutive else "single ones"
            most = "" if it.most >= max(self.processes) else f"; not with more than {it.most} processes: it is too slow"
            lines.append(f"| {it.title} | {it.asked}{most} | {told[it.range]} | {several} |")
        return "\n".join(lines)

    def machine(self) -> str:
        lines = ["| | |", "|---|---|", f"| date | {self._results.all['date']} |"]
        lines += [f"| {what} | {value} |" for what, value in self._results.all["machine"].items()]
        lines.append(f"| this run | {self._results.all['minutes']} minutes, {len(self._results.cells)} cells |")
        return "\n".join(lines)

    def versions(self) -> str:
        return ", ".join(f"{what} {version}" for what, version in self._results.all["versions"].items())

    def isolation(self) -> str:
        if self._results.all["namespaces"]:
            return "Each cell ran in a network namespace of its own, with nothing else in it."
        return "There were **no network namespaces**: other programs of the machine may have disturbed."

    def seconds(self) -> str:
        size = self._results.all["size"]
        return f"{size['paced_seconds']} s (squeezed: {size['squeezed_seconds']} s)"

    def flat_seconds(self) -> str:
        return f"{self._results.all['size']['flat_seconds']} s"

    def samples(self) -> str:
        attempts = [cell.figures["attempts"] for cell in self._results.cells if not cell.failed]
        return f"the shortest had {plural(min(attempts), 'attempt')}, the longest {max(attempts):,}"

    def size(self) -> str:
        return f"{plural(self.many, 'process')}, {plural(self.each, 'port')} each"
