"""The library for C and C++ with headers, pkg-config and CMake files, into dist/c/: an archive a platform."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from packages.archives import emptied, pack, put
from packages.common import DIST, ROOT, TOOLS, Platform, cargo, chosen, run, version
from packages.third_party import notices


def built(platform: Platform) -> Path:
    # Otherwise Rust makes no shared library for musl.
    flags = {"RUSTFLAGS": "-C target-feature=-crt-static"} if platform.is_musl else {}
    return cargo(platform, "-p", "portalloc-c", env=flags)


def asked(*question: str) -> Path:
    """A path that the compiler knows."""
    answer = subprocess.run(["rustc", "--print", *question], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return Path(answer.stdout.strip())


def finish(library: Path, platform: Platform) -> None:
    """Makes of the archive that cargo has built the one that is published."""
    if platform.is_musl:
        # The unwinder. With glibc every compiler adds one. With musl not all have one that fits: musl-gcc has glibc's.
        unwinder = asked("target-libdir", "--target", platform.rust) / "self-contained/libunwind.a"
        merge = f"CREATE {library}\nADDLIB {library}.own\nADDLIB {unwinder}\nSAVE\nEND\n"
        library.rename(f"{library}.own")
        run(TOOLS / "python", "-m", "ziglang", "ar", "-M", input=merge, text=True)
        Path(f"{library}.own").unlink()
    # Half of it is the standard library's debug information, and what it is compiled from.
    waste = ["--strip-debug", "--remove-section=.llvmbc", "--remove-section=.llvmcmd"]
    program = asked("target-libdir").parent / "bin/rust-objcopy"
    run(program, *waste, library, env={"LD_LIBRARY_PATH": str(asked("sysroot") / "lib")})


def archive(platform: Platform, into: Path) -> None:
    name = f"portalloc-c-{version()}-{platform.name}"
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch) / name
        # As `make install`, but pkg-config's files say where they lie, not where they were put.
        directories = [f"prefix={top}", "C_PC_PREFIX=$${pcfiledir}/../.."]
        run("make", "-f", "bindings-c/install.mk", "install-library", f"C_BUILT={built(platform)}", *directories)
        finish(top / "lib/libportalloc.a", platform)
        documents = top / "share/doc/portalloc"
        shutil.copytree(ROOT / "bindings-c/examples", documents / "examples")
        put(documents / "LICENSE-THIRD-PARTY", notices("portalloc-c", platform))
        for file in ["LICENSE-APACHE", "LICENSE-MIT", "packages/c/README.md"]:
            shutil.copy(ROOT / file, documents)
        pack(top, into / f"{name}.tar.gz")


def main() -> None:
    wanted = chosen(__doc__)
    into = emptied(DIST / "c", "*.tar.gz")
    for platform in wanted:
        archive(platform, into)


if __name__ == "__main__":
    main()
