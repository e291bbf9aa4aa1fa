"""Publishes dist/ to the local registries, by the clients with which it is published to the public ones."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from packages.common import DIST, ROOT, run

if TYPE_CHECKING:
    from pathlib import Path

    from packages.rehearse.registries import Registries


def publish(registries: Registries, ecosystems: set[str]) -> None:
    for ecosystem, act in {"python": python, "npm": npm, "rust": rust}.items():
        if ecosystem in ecosystems:
            act(registries)


def built(ecosystem: str, pattern: str) -> list[Path]:
    found = sorted((DIST / ecosystem).glob(pattern))
    if not found:
        sys.exit(f"dist/{ecosystem} has no {pattern}; run `make dist` first, or `make dist-{ecosystem}`")
    return found


def python(registries: Registries) -> None:
    files = built("python", "*.whl") + sorted((DIST / "python").glob("*.tar.gz"))
    where = f"http://127.0.0.1:{registries.pypi}/"
    # Neither name nor password is asked for, but twine must have both.
    run(sys.executable, "-m", "twine", "upload", "--repository-url", where, "-u", "anybody", "-p", "none",
        "--disable-progress-bar", *files)  # fmt: skip


def npm(registries: Registries) -> None:
    files = built("npm", "*.tgz")
    settings = registries.own / "npmrc"
    # npm publishes only for somebody who has logged in; verdaccio takes anybody here.
    settings.write_text(
        f"registry=http://127.0.0.1:{registries.npm}/\n//127.0.0.1:{registries.npm}/:_authToken=anybody\n"
    )
    # The packages for platforms first, so that the main package never names what is not there.
    for file in sorted(
        files, key=lambda path: path.name.startswith("portalloc-0") or path.name.startswith("portalloc-1")
    ):
        run(
            "npm",
            "publish",
            file,
            "--access",
            "public",
            "--loglevel=error",
            env={"npm_config_userconfig": str(settings)},
        )


def rust(registries: Registries) -> None:
    """cargo publishes from the sources, not from a file: what it sends must be what dist/ has."""
    where = f"sparse+http://127.0.0.1:{registries.crates}/index/"
    env = {"CARGO_REGISTRIES_REHEARSAL_INDEX": where, "CARGO_REGISTRIES_REHEARSAL_TOKEN": "anybody"}
    settings = registries.own / "cargo.toml"
    settings.write_text('[source.crates-io]\nreplace-with = "rehearsal"\n')
    for package in ("portalloc", "portalloc-cli"):
        run("cargo", "publish", "--config", str(settings), "--registry", "rehearsal", "--package", package, "--locked",
            "--no-verify", "--allow-dirty", env=env)  # fmt: skip
    for crate in built("rust", "*.crate"):
        published = registries.own / "crates" / crate.name
        if published.read_bytes() != crate.read_bytes():
            sys.exit(f"cargo publishes another {crate.name} than {crate.relative_to(ROOT)}")
