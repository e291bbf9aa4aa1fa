"""The command: the archive, and the package for Debian, which is also upgraded and removed while ports are leased."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from packages.common import Platform, platforms, version
from packages.rehearse.case import Case, FailedError, NotTriedError, Room, Shelf
from packages.rehearse.stranger import kill

if TYPE_CHECKING:
    from packages.rehearse.stranger import Stranger

PAGE = "docs/shell.md"
# Of the machine, what a package may change. What dpkg writes for itself is not a package's.
MACHINE = "find / -xdev \\( -path /proc -o -path /home -o -path /dist -o -path /dev -o -path /var/lib/dpkg"
MACHINE += " -o -path /var/log -o -path /var/cache \\) -prune -o -print | sort"


def shelf(_: bool) -> Shelf:
    return Shelf()


def cases(short: bool) -> list[Case]:
    every = [
        Case("tar", PAGE, Room(), by_tar, short=True),
        Case("tar, arm64 on an emulated processor", PAGE, Room(("qemu-user-static",)), emulated),
        Case("dpkg", PAGE, Room(("sudo",)), by_dpkg),
    ]
    return [case for case in every if case.short or not short]


def static(is_here: bool) -> Platform:
    return next(each for each in platforms() if each.is_musl and each.is_here == is_here)


def by_tar(stranger: Stranger) -> None:
    name = f"portalloc-{version()}-{static(is_here=True).rust}"
    stranger.downloads(f"command/{name}.tar.gz")
    stranger.types(f"tar -xzf {name}.tar.gz")
    stranger.installs(f"install -D {name}/portalloc ~/.local/bin/portalloc")
    stranger.ground.path.insert(0, f"{stranger.ground.home_inside}/.local/bin")
    stranger.expects(f"portalloc {version()}", stranger.does("portalloc version"))
    for script in range(3):
        stranger.runs(script)
    stranger.expects("No environments and no leases", stranger.does("portalloc list"))


def emulated(stranger: Stranger) -> None:
    platform = static(is_here=False)
    if platform.architecture != "aarch64":
        raise NotTriedError("the emulated processor is an arm64, which this machine has itself")
    name = f"portalloc-{version()}-{platform.rust}"
    stranger.is_given(f"command/{name}.tar.gz")
    stranger.does(f"tar -xzf {name}.tar.gz")
    program = f"qemu-aarch64-static {name}/portalloc"
    stranger.expects(f"portalloc {version()}", stranger.does(f"{program} version"))
    stranger.does(f'{program} run --names web -- sh -c \'test "$WEB_PORT" -gt 0 && test -d "$TEMP_DIR"\'')


def by_dpkg(stranger: Stranger) -> None:
    package = f"portalloc_{version()}-1_{static(is_here=True).debian}.deb"
    stranger.does("echo 'stranger ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/stranger", root=True)
    stranger.does("mkdir -p /etc/tmpfiles.d", root=True)  # as on every machine with systemd
    stranger.downloads(f"command/{package}")
    before = stranger.does(MACHINE, root=True)
    stranger.types(f"sudo dpkg -i {package}")
    stranger.expects("drwxrwxrwt root", stranger.does("stat -c '%A %U' /run/portalloc"))
    for script in range(3):
        stranger.runs(script)

    with_a_lease(stranger, package)
    stranger.types(f"sudo dpkg -i {package}")
    stranger.does("dpkg --purge portalloc", root=True)
    # The registry of a machine without setup, which whoever leases next would make as well.
    left = set(stranger.does(MACHINE, root=True).splitlines()) ^ set(before.splitlines())
    if left - {"/tmp/portalloc", "/tmp/portalloc/.keep"}:
        raise FailedError(f"purging the package left {sorted(left)}")


def with_a_lease(stranger: Stranger, package: str) -> None:
    """Another version comes and goes while a process has a port; it goes on having it, also without the package."""
    stranger.does(
        f"dpkg-deb --raw-extract {package} other && sed -i 's/^Version: .*/Version: 99.0.0-1/' other/DEBIAN/control"
    )
    stranger.does("dpkg-deb --root-owner-group --build other other.deb")
    stranger.does("cp /usr/bin/portalloc own-portalloc")
    holder = stranger.starts("portalloc run --names web -- sleep 1000")
    wait_for(stranger, "portalloc list", "PID")
    held = stranger.does("portalloc list")
    for install in ["dpkg -i other.deb", f"dpkg -i {package}"]:
        stranger.does(install, root=True)
        if (now := stranger.does("portalloc list --json | grep -c isolation_id")) != "1\n":
            raise FailedError(f"{install} changed {held} to {now}")
    said = stranger.does("dpkg --remove portalloc", root=True)
    stranger.expects("/run/portalloc stays until the next boot", said)
    stranger.expects("PID", stranger.does("./own-portalloc list"))
    stranger.does("test -d /run/portalloc && test ! -e /etc/tmpfiles.d/portalloc.conf")
    kill(holder)
    wait_for(stranger, "./own-portalloc cleanup --stale; ./own-portalloc list", "No environments and no leases")


def wait_for(stranger: Stranger, command: str, wanted: str) -> None:
    deadline = time.monotonic() + 30
    while wanted not in stranger.does(command):
        if time.monotonic() > deadline:
            raise FailedError(f"`{command}` does not say {wanted!r}")
        time.sleep(0.1)
