"""Publishes dist/ to the local registries, as a release does to the public ones: see `packages/publish`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from packages.common import DIST
from packages.publish import npm as to_npm
from packages.publish import python as to_pypi
from packages.publish import rust as to_crates

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
    host = f"http://127.0.0.1:{registries.pypi}"
    # Neither name nor password is asked for, but uv must have both.
    env = {
        "UV_PUBLISH_URL": f"{host}/",
        "UV_PUBLISH_CHECK_URL": f"{host}/simple/",
        "UV_PUBLISH_USERNAME": "anybody",
        "UV_PUBLISH_PASSWORD": "none",
    }
    files = built("python", "*.whl") + sorted((DIST / "python").glob("*.tar.gz"))
    for project in to_pypi.PROJECTS:
        to_pypi.publish(project, files, env)


def npm(registries: Registries) -> None:
    settings = registries.own / "npmrc"
    # npm publishes only for somebody who has logged in; verdaccio takes anybody here.
    settings.write_text(
        f"registry=http://127.0.0.1:{registries.npm}/\n//127.0.0.1:{registries.npm}/:_authToken=anybody\n"
    )
    to_npm.publish(built("npm", "*.tgz"), {"npm_config_userconfig": str(settings)})


def rust(registries: Registries) -> None:
    where = f"sparse+http://127.0.0.1:{registries.crates}/index/"
    env = {"CARGO_REGISTRIES_REHEARSAL_INDEX": where, "CARGO_REGISTRIES_REHEARSAL_TOKEN": "anybody"}
    settings = registries.own / "cargo.toml"
    settings.write_text('[source.crates-io]\nreplace-with = "rehearsal"\n')
    to_crates.publish(built("rust", "*.crate"), ("--config", str(settings), "--registry", "rehearsal"), env)
