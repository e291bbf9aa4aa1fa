"""From PyPI: pip with every pair of Python and pytest, uv, pipx; the source distribution, with Rust and without."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from packages.common import DIST, ROOT, platforms, version
from packages.rehearse.case import Case, FailedError, Room, Shelf
from packages.rehearse.runtimes import PYTHON_LIBRARIES, python, rust

if TYPE_CHECKING:
    from packages.rehearse.stranger import Stranger

PAGE = "docs/python.md"
# The page of pytest-portalloc on PyPI.
PLUGIN_PAGE = "packages/python/pytest-portalloc/README.md"
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
PYTESTS = ("7", "8", "9")
# The Python of cases that are not about Pythons.
ONE = "3.12"
# The short form has the Python that runs this, and has built the wheel.
HERE = ".".join(map(str, sys.version_info[:2]))
BUILD_BACKEND = ("maturin>=1.9.4,<2", "puccinialin")
# pipx keeps a pip of its own, and locks, among them one for each package that it has ever had.
PIPX = tuple(f".local/share/pipx/{name}" for name in ("shared/", "py/", ".shared.lock", "venvs/.portalloc.lock"))


def shelf(short: bool) -> Shelf:
    if short:
        return Shelf(pypi={HERE: (pytest("9"),)})
    every = {each: tuple(pytest(generation) for generation in PYTESTS) for each in PYTHONS}
    # uv resolves for all systems at once; pytest needs colorama on Windows. pipx renews its own pip.
    every[ONE] += (("uv", "colorama"), ("pipx", "pip"), BUILD_BACKEND)
    return Shelf(pypi=every, crates=(ROOT,))


def cases(short: bool) -> list[Case]:
    if short:
        return [
            Case("pip", PAGE, Room(), partial(pip, generation="9"), short=True),
            Case("pip, pytest-portalloc", PLUGIN_PAGE, Room(), pytest_portalloc, short=True),
        ]
    room = Room(PYTHON_LIBRARIES, (python(ONE),))
    compilers = frozenset({"cc", "gcc", "rustc", "cargo"})
    with_rust = Room((*PYTHON_LIBRARIES, "gcc", "libc6-dev"), (python(ONE), rust()), compilers)
    pairs = [
        Case(
            f"pip, Python {each}, pytest {generation}",
            PAGE,
            Room(PYTHON_LIBRARIES, (python(each),)),
            partial(pip, generation=generation),
        )
        for each in PYTHONS
        for generation in PYTESTS
    ]
    return [
        *pairs,
        Case("pip, pytest-portalloc", PLUGIN_PAGE, room, pytest_portalloc),
        Case("pip, from dist/", PAGE, room, from_dist),
        Case("uv", PAGE, room, uv),
        Case("pipx", PAGE, room, pipx),
        Case("sdist, with Rust", PAGE, with_rust, sdist_with_rust),
        Case("sdist, without Rust", PAGE, room, sdist_without_rust),
    ]


def pytest(generation: str) -> tuple[str, ...]:
    return (f"pytest=={generation}.*", "pytest-xdist")


# --- What the cases do


def pip(stranger: Stranger, generation: str) -> None:
    venv(stranger)
    stranger.does("pip install " + " ".join(f"'{each}'" for each in pytest(generation)))
    with stranger.leaving_nothing():
        stranger.installs("pip install portalloc")
        first_example(stranger, "pytest -n 4", f"pytest-{generation}.")
        stranger.does("pip uninstall --yes portalloc")


def pytest_portalloc(stranger: Stranger) -> None:
    """It brings pytest along, and the plugin is loaded once."""
    venv(stranger)
    with stranger.leaving_nothing():
        stranger.installs("pip install pytest-portalloc")
        first_example(stranger, "pytest", "pytest-9.")
        stranger.does("pip freeze | cut -d = -f 1 | xargs pip uninstall --yes")


def from_dist(stranger: Stranger) -> None:
    """As long as no release is published."""
    venv(stranger)
    stranger.does(f"ln -s {DIST} dist")
    fitting = next(platform for platform in platforms() if platform.is_here and not platform.is_musl)
    stranger.uses(f"python/portalloc-*{fitting.wheel}.whl")
    with stranger.leaving_nothing():
        stranger.installs("pip install --no-index --find-links dist/python portalloc")
        stranger.expects(f"portalloc {version()}", stranger.does("portalloc version"))
        stranger.does("pip uninstall --yes portalloc")


def uv(stranger: Stranger) -> None:
    tool(stranger, "uv")
    stranger.does("uv init --bare && uv add --dev pytest")
    with stranger.leaving_nothing():
        stranger.installs("uv add --dev portalloc")
        first_example(stranger, "uv run pytest", "pytest-9.")
        stranger.does("uv remove --dev portalloc")


def pipx(stranger: Stranger) -> None:
    tool(stranger, "pipx")
    stranger.ground.path.insert(0, f"{stranger.ground.home_inside}/.local/bin")
    with stranger.leaving_nothing(but=PIPX):
        stranger.installs("pipx install portalloc")
        stranger.expects(f"portalloc {version()}, linux", stranger.types("portalloc doctor"))
        stranger.does("pipx uninstall portalloc")


def sdist_with_rust(stranger: Stranger) -> None:
    """From the file alone. cargo gets crates from where it is told, as it does behind a company's mirror."""
    venv(stranger)
    stranger.does("pip install pytest pytest-xdist")
    where = stranger.env["PORTALLOC_REHEARSAL_CRATES"]
    mirror = f'[source.crates-io]\nreplace-with = "mirror"\n[source.mirror]\nregistry = "{where}"\n'
    # Not in the project, because pip builds below /tmp.
    stranger.writes("config.toml", mirror)
    stranger.does("mkdir ~/.cargo && mv config.toml ~/.cargo/")
    file = f"portalloc-{version()}.tar.gz"
    stranger.is_given(f"python/{file}")
    # On a busy machine. With two idle cores it takes a minute and a half.
    stranger.does(f"pip install ./{file}", limit=1500)
    first_example(stranger, "pytest -n 4", "pytest-9.")


def sdist_without_rust(stranger: Stranger) -> None:
    """Both of what the page says of it."""
    venv(stranger)
    with stranger.leaving_nothing():
        build = "pip install --no-binary portalloc portalloc"
        tried = stranger.does(build, fails=True)
        stranger.expects("Rust not found", tried)
        stranger.expects("httpx.", tried)
        stranger.expects(
            "Cargo, the Rust package manager, is not installed",
            stranger.does(f"MATURIN_NO_INSTALL_RUST=1 {build}", fails=True),
        )


# --- What they have in common


def venv(stranger: Stranger) -> None:
    stranger.does("python3 -m venv .venv")
    stranger.ground.path.insert(0, f"{stranger.ground.home_inside}/project/.venv/bin")


def tool(stranger: Stranger, name: str) -> None:
    """A client that Python does not bring along, in an environment of its own."""
    stranger.does(f"python3 -m venv ~/tools && ~/tools/bin/pip install {name}")
    stranger.ground.path.insert(0, f"{stranger.ground.home_inside}/tools/bin")


def first_example(stranger: Stranger, command: str, pytest_version: str) -> None:
    """It passes, by this pytest, which has loaded the plugin once."""
    stranger.copies_example("test_server.py", "python")
    output = stranger.types(command)
    stranger.expects("1 passed", output)
    stranger.expects(pytest_version, output)
    plugins = next((line for line in output.splitlines() if line.startswith("plugins: ")), "")
    if plugins.count("portalloc") != 1:
        raise FailedError(f"pytest should have loaded the plugin once; it says {plugins!r}")
    stranger.does("rm -r test_server.py .pytest_cache")
