"""Builds the Go module with the library in it, as the files of a module proxy: dist/go.

What the zip contains is also what is committed for the tag go/vX.Y.Z, where proxies of the world take it from.
"""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from packages import common

MODULE = "github.com/portalloc/portalloc/go"
TO = common.DIST / "go"
# What only a clone needs: tests read files of the repository, and .gitignore keeps the library out of it.
LEFT_OUT = ("*_test.go", "internal/world/*", "internal/cfloor/*", "go.mk", "library.sh", ".gitignore", "*/.gitignore")


def compose(module: Path, platforms: list[common.Platform]) -> None:
    """The module's sources, as git has them, with the library for each platform."""
    listed = subprocess.run(["git", "ls-files", "-z", "go"], cwd=common.ROOT, check=True, capture_output=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        source = common.ROOT / name
        inside = Path(name).relative_to("go")
        if not any(inside.match(pattern) for pattern in LEFT_OUT):
            (module / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, module / inside)
    for licence in ("LICENSE-APACHE", "LICENSE-MIT"):
        shutil.copy(common.ROOT / licence, module)
    for platform in platforms:
        assert platform.go
        built = common.cargo(platform, "-p", "portalloc-c")
        compiler = [sys.executable, "-m", "ziglang", "cc", "-target", zig_target(platform), "-shared", "-lunwind"]
        system = f"{platform.go['os']}_{platform.go['arch']}"
        common.run(
            "go/library.sh",
            module / "internal/library",
            system,
            built / "libportalloc.a",
            *compiler,
            # Absolute, because the script calls it from elsewhere.
            env={"PATCHELF": str(common.TOOLS / "patchelf")},
        )


def zig_target(platform: common.Platform) -> str:
    """As zig calls it: rustc's triple has a vendor, which zig's has not."""
    architecture, _, system, libc = platform.rust.split("-")
    return f"{architecture}-{system}-{libc}.{platform.glibc}"


def committed_at() -> str:
    """When this version was committed; SOURCE_DATE_EPOCH says so where there is no git."""
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        return datetime.datetime.fromtimestamp(int(epoch), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    shown = subprocess.run(
        ["git", "log", "-1", "--format=%cI"], cwd=common.ROOT, check=True, capture_output=True, text=True
    )
    return shown.stdout.strip()


def check(version: str) -> None:
    """Go itself takes the module from there, and finds nothing wrong with it."""
    with tempfile.TemporaryDirectory() as scratch:
        common.run(
            *("go", "mod", "download", f"{MODULE}@{version}"),
            cwd=scratch,
            # -modcacherw, so that the directory can be removed.
            env={
                "GOPROXY": f"file://{TO}",
                "GOSUMDB": "off",
                "GOMODCACHE": f"{scratch}/cache",
                "GOFLAGS": "-modcacherw",
            },
        )


def main() -> None:
    platforms = [platform for platform in common.chosen(__doc__) if platform.go]
    if not platforms:
        print("none of these platforms has a library in the Go module")
        return
    version = f"v{common.version()}"
    with tempfile.TemporaryDirectory() as scratch:
        module = Path(scratch) / "module"
        compose(module, platforms)
        shutil.rmtree(TO, ignore_errors=True)
        common.run(
            *("go", "run", ".", MODULE, version, committed_at(), module, TO), cwd=common.ROOT / "packages/go/proxy"
        )
    check(version)


if __name__ == "__main__":
    main()
