"""What every script here needs: the platforms, the version, and compilers for other platforms."""

from __future__ import annotations

import argparse
import os
import platform as machine
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# The short form of the rehearsal builds for this machine only, and leaves dist/ alone.
DIST = Path(os.environ.get("PORTALLOC_DIST", ROOT / "dist")).absolute()
# Where cargo puts what it builds.
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute()
# The virtual environment that `make package-tools` makes: maturin, cargo-zigbuild, zig.
TOOLS = ROOT / "target/packages/bin"


@dataclass(frozen=True)
class Platform:
    """One table of platforms.toml."""

    name: str
    rust: str
    wheel: str
    npm: dict[str, str]
    glibc: str | None = None
    go: dict[str, str] | None = None
    debian: str | None = None

    @property
    def zig(self) -> str:
        """The target for cargo-zigbuild, which takes the oldest glibc as a suffix."""
        return f"{self.rust}.{self.glibc}" if self.glibc else self.rust

    @property
    def is_musl(self) -> bool:
        return self.rust.endswith("-musl")

    @property
    def architecture(self) -> str:
        """As uname says it: `x86_64`, `aarch64`."""
        return self.rust.split("-")[0]

    @property
    def is_here(self) -> bool:
        """Whether this machine runs what is built for it: the architecture is this machine's, whatever the libc."""
        return self.architecture == machine.machine()


def platforms() -> list[Platform]:
    tables: dict[str, dict[str, Any]] = tomllib.loads((ROOT / "packages/platforms.toml").read_text())
    return [Platform(name, **table) for name, table in tables.items()]


def version() -> str:
    """That of Cargo.toml, from which all packages have theirs."""
    found: str = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    return found


def chosen(description: str | None) -> list[Platform]:
    """The platforms that the command line asks for: `--platform NAME`, any number of times; without one, all."""
    every = {platform.name: platform for platform in platforms()}
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--platform", action="append", choices=list(every), metavar="NAME", help=", ".join(every))
    return [every[name] for name in parser.parse_args().platform or every]


def run(*command: str | Path, env: dict[str, str] | None = None, **options: Any) -> subprocess.CompletedProcess[Any]:
    """Runs a command from the root, says so, and ends this process with a plain message if the command fails."""
    words = [str(word) for word in command]
    print("+", shlex.join(words), file=sys.stderr, flush=True)
    # The tools stand first, so that cargo finds `cargo zigbuild`; what is in the caller's environment stays.
    everything = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}", **(env or {})}
    try:
        return subprocess.run(words, check=True, env=everything, **{"cwd": ROOT, **options})
    except FileNotFoundError:
        sys.exit(f"{words[0]} is not installed")
    except subprocess.CalledProcessError as error:
        sys.exit(f"{words[0]} failed with status {error.returncode}")


def cargo(platform: Platform, *arguments: str, profile: str = "release", env: dict[str, str] | None = None) -> Path:
    """Builds for a platform, in a profile and by the lock file; returns the directory that has what was built.

    zig is the linker and C compiler, so that neither this machine's glibc nor its architecture matters.
    """
    if "PORTALLOC_NATIVE" in os.environ and platform.is_here and not platform.is_musl:
        # For the short form of the rehearsal: what the tests have built is already there.
        run("cargo", "build", "--profile", profile, "--locked", *arguments, env=env)
        return TARGET / profile
    run("rustup", "target", "add", platform.rust)
    command = ("cargo", "zigbuild", "--profile", profile, "--locked", "--target", platform.zig)
    run(*command, *arguments, env=without_home(env or {}))
    return TARGET / platform.rust / profile


def without_home(env: dict[str, str]) -> dict[str, str]:
    """The variables for a cargo that writes no path of the builder's home into messages of panics in dependencies."""
    home = os.environ.get("CARGO_HOME", Path.home() / ".cargo")
    flags = [*{**os.environ, **env}.get("RUSTFLAGS", "").split(), f"--remap-path-prefix={home}=/cargo"]
    return {**env, "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags)}
