"""The command as a static binary, into dist/command/: an archive and a .deb for each musl platform, a Homebrew formula.

Other platforms have no part of this: a static binary runs whatever the libc.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from packages.archives import emptied, pack, put
from packages.command import debian, homebrew
from packages.common import DIST, ROOT, Platform, cargo, chosen, platforms, version
from packages.third_party import notices

COMMAND = DIST / "command"
LARGEST = 2_500_000
# As `portalloc completions` calls the shells, and as their users call the files.
COMPLETIONS = {
    "bash": "portalloc.bash",
    "elvish": "portalloc.elv",
    "fish": "portalloc.fish",
    "powershell": "_portalloc.ps1",
    "zsh": "_portalloc",
}


# As .cargo/config.toml has it, which counts for nothing where flags are given.
FLAGS = {"RUSTFLAGS": '--cfg=sha2_256_backend="soft"'}


def built(platform: Platform) -> Path:
    program = cargo(platform, "-p", "portalloc-cli", profile="command", env=FLAGS) / "portalloc"
    if (size := program.stat().st_size) > LARGEST:
        sys.exit(f"the command for {platform.name} has {size} bytes; at most {LARGEST} are allowed")
    return program


def says(program: Path, *arguments: str) -> bytes:
    return subprocess.run([program, *arguments], check=True, timeout=60, stdout=subprocess.PIPE).stdout


def texts() -> dict[str, bytes]:
    """Manual pages and completions, by their path in the archive. A command that runs here says them."""
    program = built(next(platform for platform in platforms() if platform.is_musl and platform.is_here))
    manual = says(program, "man")
    pages = {"man/portalloc.1": manual}
    for command in re.findall(rb"^portalloc\\-(\w+)\(1\)$", manual, re.MULTILINE):
        pages[f"man/portalloc-{command.decode()}.1"] = says(program, "man", command.decode())
    if len(pages) < 2:
        sys.exit("the manual page names no other page: `portalloc man` has another form than this script expects")
    return pages | {f"completions/{file}": says(program, "completions", shell) for shell, file in COMPLETIONS.items()}


def archive(platform: Platform, program: Path, said: dict[str, bytes]) -> None:
    name = f"portalloc-{version()}-{platform.rust}"
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch) / name
        put(top / "portalloc", program.read_bytes(), 0o755)
        for path, content in said.items():
            put(top / path, content)
        put(top / "LICENSE-THIRD-PARTY", notices("portalloc-cli", platform))
        for file in ["LICENSE-APACHE", "LICENSE-MIT"]:
            shutil.copy(ROOT / file, top)
        shutil.copy(ROOT / "packages/command/README.md", top)
        pack(top, COMMAND / f"{name}.tar.gz")


def main() -> None:
    wanted = [platform for platform in chosen(__doc__) if platform.is_musl]
    for pattern in ["*.tar.gz", "*.deb", "*.rb"]:
        emptied(COMMAND, pattern)
    if not wanted:
        return
    said = texts()
    for platform in wanted:
        program = built(platform)
        archive(platform, program, said)
        debian.build(platform, program, said, COMMAND)
    homebrew.build(COMMAND)


if __name__ == "__main__":
    main()
