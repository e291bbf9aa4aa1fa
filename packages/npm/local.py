"""Packs what `npm run build` has built for this machine, for tests: `python3 -m packages.npm.local DIRECTORY`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from packages import common
from packages.npm.packing import SOURCE, pack_main, pack_platform


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    destination = Path(sys.argv[1]).resolve()
    rustc = subprocess.run(["rustc", "-vV"], check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    host = next(line.removeprefix("host: ") for line in rustc.splitlines() if line.startswith("host: "))
    platform = next((each for each in common.platforms() if each.rust == host), None)
    if platform is None:
        sys.exit(f"there is no package for {host}: packages/platforms.toml has the platforms")
    pack_main(destination)
    pack_platform(platform, SOURCE / "portalloc.node", SOURCE / "portalloc", destination)


if __name__ == "__main__":
    main()
