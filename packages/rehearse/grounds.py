"""Where strangers type: in a chroot, or, in the short form, in a fresh directory of this machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from packages.common import DIST, ROOT, run
from packages.rehearse.case import FailedError, NotTriedError
from packages.rehearse.shelves import SHELF

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packages.rehearse.case import Room

SYSTEMS = ROOT / "target/rehearse/systems"
SYSTEM_PATH = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
# Some of what compiles; a room that has one of them without saying so is no stranger's machine.
COMPILERS = ("cc", "gcc", "c++", "g++", "clang", "tcc", "zig", "rustc", "cargo", "go")


def require(room: Room) -> None:
    for runtime in room.runtimes:
        if runtime.missing:
            raise NotTriedError(runtime.missing)


# --- A chroot


def system(packages: tuple[str, ...]) -> Path:
    """A directory with Debian's smallest system and these packages, made once. Needs the network."""
    name = hashlib.sha256(" ".join(sorted(packages)).encode()).hexdigest()[:12] if packages else "minbase"
    place = SYSTEMS / name
    if place.exists():
        return place
    # A name of its own until it is whole, so that an interrupted run leaves nothing that the next one takes for ready.
    with tempfile.TemporaryDirectory(dir=SYSTEMS, prefix=".making-") as making:
        tree = Path(making, "tree")
        if not packages:
            run("debootstrap", "--variant=minbase", "bookworm", tree, stdout=subprocess.DEVNULL)
            run("chroot", tree, "useradd", "--create-home", "--uid", "1000", "--shell", "/bin/bash", "stranger")
            # No daemon starts because its package is installed.
            policy = tree / "usr/sbin/policy-rc.d"
            policy.write_text("#!/bin/sh\nexit 101\n")
            policy.chmod(0o755)
        else:
            run("cp", "-a", "--reflink=auto", system(()), tree)
            shutil.copy("/etc/resolv.conf", tree / "etc/resolv.conf")
            environment = {"DEBIAN_FRONTEND": "noninteractive", "LANG": "C.UTF-8"}
            run("chroot", tree, "apt-get", "update", "-qq", env=environment)
            install = ("apt-get", "install", "-qq", "--no-install-recommends", *packages)
            run("chroot", tree, *install, env=environment, stdout=subprocess.DEVNULL)
            run("chroot", tree, "apt-get", "clean")
            (tree / "etc/resolv.conf").unlink()
        tree.rename(place)
    return place


class Chroot:
    """A system of `system`, which never changes: what a case writes lies in a layer above it, and goes with it."""

    def __init__(self, place: Path, room: Room, addresses: Mapping[str, str]) -> None:
        self.root = place / "root"
        self.env = dict(addresses)
        self.room = room
        self.written = place / "upper"
        self.home_inside = "/home/stranger"
        self.home = self.root / "home/stranger"
        self.path = [f"{runtime.place}/{each}" for runtime in room.runtimes for each in runtime.path] + SYSTEM_PATH
        self._mount(place)
        project = self.home / "project"
        project.mkdir()
        os.chown(project, 1000, 1000)

    def words(self, command: str, env: Mapping[str, str], directory: str, root: bool) -> list[str]:
        user = "root" if root else "1000:1000"
        variables = [f"{name}={value}" for name, value in env.items()]
        # The directory in the script: chroot(1) starts in the root.
        script = f'cd {directory} && eval "$1"'
        return [
            "chroot", f"--userspec={user}", str(self.root), "env", "-i", *variables,
            "bash", "-o", "pipefail", "-c", script, "bash", command,
        ]  # fmt: skip

    def _mount(self, place: Path) -> None:
        for name in ("root", "upper", "work"):
            (place / name).mkdir()
        layers = f"lowerdir={system(self.room.debian)},upperdir={place}/upper,workdir={place}/work"
        mount("-t", "overlay", "-o", layers, "overlay", self.root)
        mount("-t", "proc", "proc", self.root / "proc")
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", self.root / "dev")
        for device in DEVICES:
            (self.root / "dev" / device).touch()
            mount("--bind", f"/dev/{device}", self.root / "dev" / device)
        for name, target in {
            "fd": "self/fd",
            "stdin": "self/fd/0",
            "stdout": "self/fd/1",
            "stderr": "self/fd/2",
        }.items():
            (self.root / "dev" / name).symlink_to(f"/proc/{target}")
        for directory in ("dev/shm", "tmp", "run"):
            (self.root / directory).mkdir(exist_ok=True)
            mode = "mode=755" if directory == "run" else "mode=1777"
            mount("-t", "tmpfs", "-o", mode, "tmpfs", self.root / directory)
        for runtime in self.room.runtimes:
            self.lend(runtime.source, runtime.place)
        self.lend(DIST, "/dist")
        # Go takes a directory for a registry, at the place that its address has.
        for proxy in (DIST, SHELF / "go"):
            if proxy.exists():
                self.lend(proxy, str(proxy))

    def lend(self, source: Path, inside: str) -> None:
        """Shows a directory of this machine in the chroot, read-only."""
        target = self.root / inside.lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        for parent in target.parents:
            if parent == self.root:
                break
            parent.chmod(parent.stat().st_mode | 0o111)  # /root, where some runtimes live
        mount("--bind", source, target)
        mount("-o", "remount,bind,ro", target)

    def has_no_other_compiler(self) -> None:
        path = ":".join(self.path)
        script = f"PATH={path}; for name in {' '.join(COMPILERS)}; do command -v $name; done; true"
        found = subprocess.run(
            ["chroot", self.root, "bash", "-c", script], check=True, stdout=subprocess.PIPE, text=True
        )
        names = {Path(line).name for line in found.stdout.splitlines()}
        if names - self.room.compilers:
            raise FailedError(f"the room has compilers that it does not name: {sorted(names - self.room.compilers)}")


@contextmanager
def chroot(room: Room, addresses: Mapping[str, str]) -> Iterator[Chroot]:
    require(room)
    # On the disk of target/, not in memory: some packages are large.
    with tempfile.TemporaryDirectory(dir=ROOT / "target/rehearse", prefix="room-") as place:
        try:
            ground = Chroot(Path(place), room, addresses)
            ground.has_no_other_compiler()
            yield ground
        finally:
            subprocess.run(["umount", "--recursive", f"{place}/root"], check=True)


def mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True)


# --- A fresh directory


class FreshDirectory:
    """For the short form: this machine's own tools, with a home that nobody has used."""

    def __init__(self, place: Path, room: Room, addresses: Mapping[str, str]) -> None:
        # This machine's registry and pool belong to whoever else is at work here.
        (place / "registry").mkdir()
        self.env = {**addresses, "PORTALLOC_DIR": str(place / "registry"), "PORTALLOC_POOL": "21000-21999"}
        self.home = place / "home"
        self.home.mkdir()
        self.home_inside = str(self.home)
        self.written = self.home
        (self.home / "project").mkdir()
        # What runs this script has the Python of the tools first, which has packages of its own.
        own = str(Path(sys.executable).parent)
        here = [each for each in os.environ["PATH"].split(":") if each != own]
        self.path = [str(runtime.source / each) for runtime in room.runtimes for each in runtime.path] + here

    def words(self, command: str, env: Mapping[str, str], directory: str, root: bool) -> list[str]:
        if root:
            raise FailedError("no case of the short form may need root")
        variables = [f"{name}={value}" for name, value in env.items()]
        script = f'cd {directory} && eval "$1"'
        return ["env", "-i", *variables, "bash", "-o", "pipefail", "-c", script, "bash", command]


@contextmanager
def fresh_directory(room: Room, addresses: Mapping[str, str]) -> Iterator[FreshDirectory]:
    require(room)
    with tempfile.TemporaryDirectory(prefix="portalloc-rehearsal-") as place:
        yield FreshDirectory(Path(place), room, addresses)
