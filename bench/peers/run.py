"""`make bench-peers`: every contestant in every cell, one after the other, and what came of it as JSON.

It composes contestants, cells and the judge, and knows no figure's meaning. A cell that fails is written down as
failed, with its reason; the others go on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

import machine
from cell import TIME_LIMIT, Plan
from contestants import BY_KEY, CONTESTANTS, HOME, Contestant
from judge import BadJournalError, judge

HERE = Path(__file__).parent
Pool = Literal["wide", "squeezed"]

WIDE = "20000-29999"
# Below 27017, so that no port is left out because a known service uses it.
SQUEEZED_FROM = 20_000
ROOM = 1.5
SERVER_WIDE = "15000-24999"


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    processes: tuple[int, ...]
    ports: tuple[int, ...]
    paced_seconds: float
    squeezed_seconds: float
    flat_seconds: float


FULL = Size(processes=(2, 8, 32, 128), ports=(1, 5), paced_seconds=1.5, squeezed_seconds=1.0, flat_seconds=0.4)
QUICK = Size(processes=(8,), ports=(5,), paced_seconds=0.5, squeezed_seconds=0.5, flat_seconds=0.2)


def namespace() -> list[str] | None:
    """What starts a command in a network namespace of its own; None where that is not allowed."""
    for command in (["unshare", "-n"], ["unshare", "-rn"]):
        try:
            if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
                return command
        except FileNotFoundError:
            return None
    return None


def squeezed(processes: int, ports: int) -> str:
    """A range with room for half as many again as are needed at once."""
    return f"{SQUEEZED_FROM}-{SQUEEZED_FROM + max(int(processes * ports * ROOM), processes * ports + 1) - 1}"


def plan(contestant: Contestant, processes: int, ports: int, pool: Pool, size: Size, scratch: Path, own: bool) -> Plan:
    narrow = squeezed(processes, ports) if pool == "squeezed" else None
    address = str(scratch / "server")
    environment = {
        "PORTALLOC_DIR": str(scratch / "registry"),
        "PORTALLOC_POOL": narrow or WIDE,
        # For command lines that leave files behind.
        "TMPDIR": str(scratch),
        "HOME": str(scratch),
        "PEERS_GO_PORTALLOC_CLI": str(HOME / "bin/go-portalloc"),
    }
    if narrow and contestant.range == "own":
        environment["PEERS_RANGE"] = narrow
    server = None
    if contestant.server:
        environment["PORTSERVER_ADDRESS"] = address
        options = {"static_pool": narrow or SERVER_WIDE, "address": address}
        server = [str(HOME / "python/bin/portserver.py"), *(f"--portserver_{key}={it}" for key, it in options.items())]
    return Plan(
        command=contestant.command(),
        environment=environment,
        processes=processes,
        ports=ports,
        journal=str(scratch / "journal"),
        paced_seconds=size.squeezed_seconds if narrow else size.paced_seconds,
        flat_seconds=0 if narrow else size.flat_seconds,
        own_namespace=own,
        kernel_range=narrow.replace("-", " ") if narrow and contestant.range == "kernel" else None,
        server=server,
        server_address=address,
    )


def measured(plan: Plan, inside: list[str]) -> dict[str, Any]:
    """The figures of one cell, or why there are none."""
    command = [*inside, sys.executable, str(HERE / "cell.py")]
    # Longer than all that the cell itself is patient for.
    patience = plan.paced_seconds + plan.flat_seconds + 6 * TIME_LIMIT
    given = json.dumps(asdict(plan))
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=patience)
    except subprocess.TimeoutExpired:
        return {"failed": f"did not end within {patience:.0f} s"}
    if done.returncode != 0:
        return {"failed": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"status {done.returncode}"}
    with Path(plan.journal).open() as journal:
        try:
            verdict = judge(journal, plan.processes, plan.ports)
        except BadJournalError as error:
            return {"failed": f"journal: {error}"}
    figures = {**asdict(verdict), **json.loads(done.stdout)}
    return {key: round(value, 2) if isinstance(value, float) else value for key, value in figures.items()}


def can(contestant: Contestant, processes: int, pool: str, own_namespace: bool) -> bool:
    """Whether it can be measured so: not every range can be made small, and not everybody ends in time."""
    squeezable = contestant.range == "own" or (contestant.range == "kernel" and own_namespace)
    return processes <= contestant.most and (pool == "wide" or squeezable)


def cells(chosen: list[Contestant], size: Size, inside: list[str] | None) -> list[dict[str, Any]]:
    """All figures. The contestants take turns within each size, so that what drifts drifts for all."""
    base = "/dev/shm" if Path("/dev/shm").is_dir() else None
    found = []
    for pool in ("wide", "squeezed"):
        for processes in size.processes:
            for ports in size.ports:
                for contestant in chosen:
                    if not can(contestant, processes, pool, inside is not None):
                        continue
                    with tempfile.TemporaryDirectory(prefix="portalloc-peers-", dir=base) as scratch:
                        start = time.monotonic()
                        planned = plan(contestant, processes, ports, pool, size, Path(scratch), inside is not None)
                        figures = measured(planned, inside or [])
                    key = {"contestant": contestant.key, "processes": processes, "ports": ports, "pool": pool}
                    found.append({**key, **figures})
                    told = figures.get("failed") or f"{figures['overlapping']} of {figures['attempts']} overlap"
                    cell = f"{pool:8} {processes:4} x {ports}  {contestant.key:24}"
                    print(f"{cell} {time.monotonic() - start:5.1f} s  {told}", flush=True)
    return found


def written(results: dict[str, Any]) -> str:
    """JSON with a line a cell, so that a new run's difference can be read."""
    head = json.dumps({key: value for key, value in results.items() if key != "cells"}, indent=1)
    lines = ",\n".join(json.dumps(cell) for cell in results["cells"])
    return f'{head[:-2]},\n "cells": [\n{lines}\n ]\n}}\n'


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="one small size, to try it out: no figures to quote")
    options.add_argument("--only", help="these contestants, separated by commas")
    options.add_argument("--output", type=Path, default=HOME / "results.json")
    given = options.parse_args()
    chosen = [BY_KEY[key] for key in given.only.split(",")] if given.only else CONTESTANTS
    missing = {it.key: reason for it in chosen if (reason := it.missing()) is not None}
    size = QUICK if given.quick else FULL
    inside = namespace()
    if inside is None:
        print(
            "no network namespaces here: others on this machine may disturb, and kernel ranges stay wide",
            file=sys.stderr,
        )
    os.umask(0o022)
    start = time.monotonic()
    results: dict[str, Any] = {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "machine": machine.machine(),
        "versions": machine.versions(),
        "namespaces": inside is not None,
        "size": asdict(size),
        "missing": missing,
        "cells": cells([it for it in chosen if it.key not in missing], size, inside),
    }
    results["minutes"] = round((time.monotonic() - start) / 60, 1)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(written(results))
    failed = [cell for cell in results["cells"] if "failed" in cell]
    print(f"{len(results['cells'])} cells in {results['minutes']} minutes, {len(failed)} failed: {given.output}")
    ours = [it for it in results["cells"] if BY_KEY[it["contestant"]].kind == "portalloc"]
    broken = [it for it in ours if it.get("failed") or it["overlapping"] or it["unbound"]]
    if broken:
        sys.exit(f"portalloc itself does not keep what it promises: {broken}")


if __name__ == "__main__":
    main()
