"""This version and the next one on one machine: leases exclude each other, and no environment is lost on the way."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from packages.common import platforms, run, version
from packages.rehearse import following
from packages.rehearse.case import Case, FailedError, Room, Runtime, Shelf
from packages.rehearse.runtimes import PYTHON_LIBRARIES, python

if TYPE_CHECKING:
    from packages.rehearse.registries import Registries
    from packages.rehearse.stranger import Stranger

PAGE = "docs/README.md"
PUBLISHED = ("python",)
# Twenty ports, and a program that leases as many of them as it is told, says which, and waits for the end of its input.
POOL = set(range(21000, 21020))
LEASE = """import sys
import portalloc

lease = portalloc.lease(int(sys.argv[1]), scattered=True)
print(*lease.ports, flush=True)
sys.stdin.read()
"""


def shelf(_: bool) -> Shelf:
    return Shelf()


def cases(short: bool) -> list[Case]:
    if short:
        return []
    with_python = Room(PYTHON_LIBRARIES, (python("3.12"),))
    after = Runtime(f"the files of {following.following()}", following.DIST, "/following", ())
    return [
        Case("two versions lease from one pool", PAGE, with_python, exclude_each_other),
        Case("pip upgrades and downgrades", PAGE, with_python, by_pip),
        Case("dpkg upgrades and downgrades", PAGE, Room(("sudo",), (after,)), by_dpkg),
    ]


def prepare() -> None:
    following.build()


def publishes(registries: Registries) -> None:
    """Last, so that no other stranger gets the next version."""
    wheels = sorted((following.DIST / "python").glob("portalloc-*.whl"))
    where = f"http://127.0.0.1:{registries.pypi}/"
    run(sys.executable, "-m", "twine", "upload", "--repository-url", where, "-u", "anybody", "-p", "none",
        "--disable-progress-bar", *wheels)  # fmt: skip


def exclude_each_other(stranger: Stranger) -> None:
    stranger.env["PORTALLOC_POOL"] = f"{min(POOL)}-{max(POOL)}"
    stranger.writes("lease.py", LEASE)
    for number in (version(), following.following()):
        stranger.does(f"python3 -m venv {number} && {number}/bin/pip install portalloc=={number}")
        stranger.expects(f"portalloc {number}", stranger.does(f"{number}/bin/portalloc --version"))
    for first, second in ((version(), following.following()), (following.following(), version())):
        holder = stranger.starts(f"{first}/bin/python lease.py 12")
        held = ports(stranger.reads(holder))
        refused = stranger.does(f"{second}/bin/python lease.py 9", fails=True)
        stranger.expects("of 20 ports 12 are held, 0 kept, 0 stale", refused)
        rest = ports(stranger.does(f"{second}/bin/python lease.py 8"))
        if len(held) != 12 or len(rest) != 8 or held | rest != POOL:
            raise FailedError(f"{first} holds {sorted(held)}, and {second} was given {sorted(rest)}")
        stranger.kills(holder)
        if ports(stranger.does(f"{second}/bin/python lease.py 20")) != POOL:
            raise FailedError(f"what {first} held when it was killed, {second} was not given")


def by_pip(stranger: Stranger) -> None:
    stranger.does(f"python3 -m venv .venv && .venv/bin/pip install portalloc=={version()}")
    stranger.ground.path.insert(0, f"{stranger.ground.home_inside}/project/.venv/bin")
    keeps_environments(stranger, "pip install --upgrade portalloc", f"pip install portalloc=={version()}", root=False)


def by_dpkg(stranger: Stranger) -> None:
    architecture = next(platform.debian for platform in platforms() if platform.is_here and platform.debian)
    (package,) = stranger.uses(f"command/portalloc_*_{architecture}.deb")
    (newer,) = (following.DIST / "command").glob(f"portalloc_*_{architecture}.deb")
    stranger.does(f"dpkg -i /dist/{package}", root=True)
    keeps_environments(stranger, f"dpkg -i /following/command/{newer.name}", f"dpkg -i /dist/{package}", root=True)


def keeps_environments(stranger: Stranger, upgrade: str, downgrade: str, *, root: bool) -> None:
    """A kept environment and a held one are there after each, unchanged, and can be used by whichever version it is."""
    stranger.expects(f"portalloc {version()}", stranger.does("portalloc --version"))
    kept = json.loads(stranger.does("portalloc create --names web,db --json"))
    holder = stranger.starts("portalloc run --names app -- sh -c 'echo running; exec sleep 1000'")
    stranger.expects("running", stranger.reads(holder))
    before = environments(stranger)
    if len(before) != 2:
        raise FailedError(f"a kept and a held environment should be there: {before}")

    stranger.does(upgrade, root=root)
    stranger.expects(f"portalloc {following.following()}", stranger.does("portalloc --version"))
    same(stranger, before)
    stranger.does(f"portalloc validate --id {kept['isolation_id']}")
    newer = json.loads(stranger.does("portalloc create --names api --no-env-file --json"))
    if set(newer["ports"]["ports"]) & set(kept["ports"]["ports"]):
        raise FailedError(f"the new version gave out what the old one keeps: {newer} {kept}")
    before = environments(stranger)

    stranger.does(downgrade, root=root)
    stranger.expects(f"portalloc {version()}", stranger.does("portalloc --version"))
    same(stranger, before)
    for made in (kept, newer):
        stranger.does(f"portalloc validate --id {made['isolation_id']}")
        stranger.does(f"portalloc cleanup --id {made['isolation_id']}")
    if len(environments(stranger)) != 1:
        raise FailedError(f"only the held one should be left: {environments(stranger)}")
    stranger.kills(holder)
    stranger.does("portalloc cleanup --stale")
    same(stranger, {})


def environments(stranger: Stranger) -> dict[str, Any]:
    return {each["isolation_id"]: each for each in json.loads(stranger.does("portalloc list --json"))["environments"]}


def same(stranger: Stranger, before: dict[str, Any]) -> None:
    after = environments(stranger)
    if after != before:
        raise FailedError(f"the environments were {before}, and are {after}")


def ports(line: str) -> set[int]:
    return {int(word) for word in line.split()}
