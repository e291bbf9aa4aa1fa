"""The crates `portalloc` and `portalloc-cli`, into dist/rust/. They are source: the same for every platform.

cargo builds each from its own .crate file, so that neither needs anything of the repository.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

from packages.archives import emptied
from packages.common import DIST, ROOT, TARGET, chosen, version

CRATES = ["portalloc", "portalloc-cli"]
# Of the tests in tests/, which need a crate that is not published.
EXPECTED = re.compile(r"warning: ignoring test `\w+` as `tests/[\w/]+\.rs` is not included in the published package")


def package() -> list[str]:
    """Packages and builds; returns the warnings."""
    # Whoever packages has just changed the version, or wants to see what a change of theirs would give.
    command = ["cargo", "package", "--locked", "--allow-dirty", *(f"--package={crate}" for crate in CRATES)]
    warnings = []
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as cargo:
        assert cargo.stderr is not None
        for line in cargo.stderr:
            if not EXPECTED.match(line):
                print(line, end="", file=sys.stderr, flush=True)
                if line.startswith("warning"):
                    warnings.append(line)
    if cargo.returncode != 0:
        sys.exit(f"cargo package failed with status {cargo.returncode}")
    return warnings


def main() -> None:
    chosen(__doc__)
    if warnings := package():
        sys.exit(f"cargo package gave {len(warnings)} warnings, which a release must not have")
    rust = emptied(DIST / "rust", "*.crate")
    for crate in CRATES:
        name = f"{crate}-{version()}.crate"
        shutil.copyfile(TARGET / "package" / name, rust / name)
        print(f"dist/rust/{name}: {(rust / name).stat().st_size} bytes")


if __name__ == "__main__":
    main()
