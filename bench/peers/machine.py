"""Where and with which versions it was measured. Reads what the machine and the manifests say; knows no figure."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def _first(pattern: str, path: Path) -> str:
    found = re.search(pattern, path.read_text(), re.MULTILINE)
    return found[1].strip() if found else "unknown"


def _said(*command: str) -> str:
    try:
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return said.split("\n")[0].strip()


def machine() -> dict[str, str]:
    memory = int(_first(r"^MemTotal:\s+(\d+)", Path("/proc/meminfo")))
    tmpfs = os.path.ismount("/dev/shm")
    return {
        "processor": _first(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo")),
        "cores": str(os.cpu_count()),
        "memory": f"{memory / 2**20:.0f} GiB",
        "kernel": f"Linux {os.uname().release}",
        "registry on": "tmpfs (/dev/shm)" if tmpfs else "the system's directory for temporary files",
    }


def versions() -> dict[str, str]:
    """Of the languages, and of everybody who is compared: what the manifests pin."""
    requirements = (HERE / "python/requirements.txt").read_text()
    crates = (HERE / "rust/Cargo.toml").read_text()
    packages: dict[str, str] = json.loads((HERE / "node/package.json").read_text())["dependencies"]
    return {
        "Python": _said("python3", "--version").removeprefix("Python "),
        "Node": _said(os.environ.get("NODE", "node"), "--version").removeprefix("v"),
        "Go": _said("go", "env", "GOVERSION").removeprefix("go"),
        "Rust": _said("rustc", "--version").removeprefix("rustc ").split(" ")[0],
        "C compiler": _said("cc", "--version"),
        "portalloc": _first(r'^version = "(.*)"', ROOT / "Cargo.toml"),
        **{f"{name} (PyPI)": version for name, version in re.findall(r"^([\w-]+)==(\S+)$", requirements, re.MULTILINE)},
        **{f"{name} (npm)": version for name, version in packages.items()},
        **{
            f"{name} (crates.io)": version
            for name, version in re.findall(r'^(portpicker|openport) = .*?"=([\d.]+)"', crates, re.MULTILINE)
        },
    }
