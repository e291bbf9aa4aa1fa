"""Installs what `make dist` has built, as strangers do, from registries of this machine, and runs each first example.

    python -m packages.rehearse [--short] [--list] [PATTERN]...

A pattern chooses cases by `ecosystem: name`, as the table has them: "python*", "*pnpm*".
"""

from __future__ import annotations

import argparse
import fcntl
import importlib
import pkgutil
import re
import shutil
import sys
import tempfile
import time
import traceback
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, TYPE_CHECKING

from packages.common import DIST, ROOT
from packages.manifest import remember
from packages.rehearse import grounds, network, strangers
from packages.rehearse.case import Case, FailedError, NotTriedError, Shelf
from packages.rehearse.publish import publish
from packages.rehearse.registries import Registries
from packages.rehearse.shelves import SHELF, install_verdaccio, stock
from packages.rehearse.stranger import Ground, Stranger
from packages.rehearse.table import Outcome, closing, table

if TYPE_CHECKING:
    from types import ModuleType

PLACE = ROOT / "target/rehearse"
LOGS = PLACE / "logs"
LAST = "upgrades"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m packages.rehearse", description=__doc__.partition("\n")[0])
    parser.add_argument("--short", action="store_true", help="fresh directories instead of a chroot; the cases for CI")
    parser.add_argument("--list", action="store_true", help="name the cases, and run none")
    parser.add_argument("pattern", nargs="*", help='cases, as "python*"; without one, all')
    options = parser.parse_args()
    # Whoever publishes something that the others must not get comes last.
    names = sorted((module.name for module in pkgutil.iter_modules(strangers.__path__)), key=lambda name: name == LAST)
    modules = {name: importlib.import_module(f"{strangers.__name__}.{name}") for name in names}
    patterns = options.pattern or ["*"]
    # Only the cases of modules that may be meant: some download runtimes.
    every = [
        (ecosystem, case)
        for ecosystem, module in modules.items()
        if any(may_be(ecosystem, pattern) for pattern in patterns)
        for case in module.cases(options.short)
    ]
    chosen = [each for each in every if any(fnmatchcase(f"{each[0]}: {each[1].name}", pattern) for pattern in patterns)]
    if options.list:
        print("\n".join(f"{ecosystem}: {case.name}" for ecosystem, case in chosen))
        return 0
    if not chosen:
        sys.exit(f"no case is named like {', '.join(options.pattern)}; --list names all")
    ecosystems = {ecosystem for ecosystem, _ in chosen}
    PLACE.mkdir(parents=True, exist_ok=True)
    if not network.is_inside():
        # Everything that needs the network. The lock is held until the whole rehearsal has ended: it is inherited.
        lock = (PLACE / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting until another rehearsal of this clone has ended", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        tidy()
        shelf = sum((modules[ecosystem].shelf(options.short) for ecosystem in sorted(ecosystems)), Shelf())
        for ecosystem in sorted(ecosystems):
            # What a stranger needs beside the shelf, if anything.
            getattr(modules[ecosystem], "prepare", lambda: None)()
        install_verdaccio()
        stock(shelf)
        if not options.short:
            grounds.SYSTEMS.mkdir(exist_ok=True)
            for case in {case.room: case for _, case in chosen}.values():
                grounds.system(case.room.debian)
            network.enter(sys.argv[1:], lock)
    outcomes = [] if options.short else [isolation()]
    with (
        tempfile.TemporaryDirectory(dir=PLACE, prefix="registries-") as own,
        Registries(Path(own), SHELF) as registries,
    ):
        publish(registries, {each for ecosystem in ecosystems for each in published(modules[ecosystem], ecosystem)})
        late = {ecosystem: module.publishes for ecosystem, module in modules.items() if hasattr(module, "publishes")}
        for ecosystem, case in chosen:
            if ecosystem in late:
                late.pop(ecosystem)(registries)
            registries.fetched.clear()
            outcome = rehearse(ecosystem, case, registries.addresses(), options.short)
            if outcome.result == "passed":
                # What was published is only seen by registries, what was downloaded only by the stranger.
                remember((registries.fetched | outcome.used) & everything(), f"{ecosystem}: {case.name}")
            print(outcome.line(), flush=True)
            outcomes.append(outcome)
    print(table(outcomes))
    print(closing(outcomes))
    return 1 if any(outcome.result == "FAILED" for outcome in outcomes) else 0


def rehearse(ecosystem: str, case: Case, addresses: dict[str, str], short: bool) -> Outcome:
    outcome = Outcome(ecosystem, case.name, "this machine's tools" if short else str(case.room), "FAILED")
    LOGS.mkdir(exist_ok=True)
    name = re.sub(r"[^\w.]+", "-", f"{ecosystem} {case.name}")
    ground_of = grounds.fresh_directory if short else grounds.chroot
    began = time.monotonic()
    try:
        with (LOGS / f"{name}.log").open("wb") as log, ground_of(case.room, addresses) as ground:
            act(case, ground, log, outcome)
    except NotTriedError as reason:
        outcome.result, outcome.why = "NOT TRIED", str(reason)
    except (FailedError, LookupError) as reason:
        outcome.why = str(reason)
    except Exception:  # noqa: BLE001 one case's mistake must not hide how the others end
        outcome.why = traceback.format_exc()
    outcome.seconds = time.monotonic() - began
    return outcome


def act(case: Case, ground: Ground, log: IO[bytes], outcome: Outcome) -> None:
    stranger = Stranger(case, ground, log)
    try:
        case.act(stranger)
        outcome.result = "passed"
    finally:
        stranger.leaves()
        outcome.typed, outcome.size, outcome.used = stranger.typed, stranger.size, stranger.used


def may_be(ecosystem: str, pattern: str) -> bool:
    """Whether a pattern may choose cases of an ecosystem: up to its first wildcard, it is the same."""
    literal = re.split(r"[*?\[]", pattern)[0]
    return literal.startswith(f"{ecosystem}: ") or f"{ecosystem}: ".startswith(literal)


def published(module: ModuleType, ecosystem: str) -> tuple[str, ...]:
    """Whose parts of dist/ a stranger needs on the registries; mostly those of its own ecosystem."""
    named: tuple[str, ...] = getattr(module, "PUBLISHED", (ecosystem,))
    return named


def everything() -> set[str]:
    return {str(path.relative_to(DIST)) for path in DIST.rglob("*") if path.is_file()}


def isolation() -> Outcome:
    began = time.monotonic()
    wrong = network.reaches_nothing()
    seconds = time.monotonic() - began
    name = "no public address can be reached"
    return Outcome("network", name, "a loopback", "FAILED" if wrong else "passed", wrong or "", seconds)


def tidy() -> None:
    """Removes what a rehearsal that was killed has left."""
    for pattern in ("room-*", "registries-*", "systems/.making-*"):
        for left in PLACE.glob(pattern):
            shutil.rmtree(left)


if __name__ == "__main__":
    sys.exit(main())
