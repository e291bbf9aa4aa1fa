"""From npm's registry: npm, pnpm, Yarn, Bun and Deno, each with the examples of the page that it can run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from packages.common import ROOT, run
from packages.rehearse.case import Case, FailedError, Room, Runtime, Shelf
from packages.rehearse.musl import AS_ALPINE, node_on_musl
from packages.rehearse.pages import FENCE
from packages.rehearse.runtimes import node

if TYPE_CHECKING:
    from collections.abc import Callable

    from packages.rehearse.stranger import Stranger

PAGE = "docs/node.md"
RUNNERS = "jest@30 vitest@4.1"
COMMAND = "npx portalloc run --names web -- node -p 'process.env.WEB_PORT > 0'"
MANIFEST = '{ "name": "project", "private": true }\n'
# What runners and package managers write for themselves, and keep when a package goes.
THEIRS = ("project/node_modules/.", "project/.pnp", "project/.yarn", ".local/share/pnpm", ".yarn")
# Scripts of what the runners depend on, which pnpm blocks until somebody allows them.
ALLOWED = "--allow-build=unrs-resolver --allow-build=@parcel/watcher"


def shelf(short: bool) -> Shelf:  # noqa: ARG001 verdaccio fetches what the clients ask for
    return Shelf()


def cases(short: bool) -> list[Case]:
    if short:
        return [Case("npm", PAGE, Room(), by_npm_alone, short=True)]
    with_npm_11 = node("22", "11")
    yarn_4 = tool("Yarn 4", "@yarnpkg/cli-dist@4", ("yarn", "@yarnpkg/cli-dist/bin/yarn.js"))
    yarn_1 = tool("Yarn 1", "yarn@1", ("yarn", "yarn/bin/yarn.js"))
    bun = "@oven/bun-linux-x64-baseline"
    deno = "@deno/linux-x64-glibc"
    rooms: dict[str, tuple[tuple[Runtime, ...], Callable[[Stranger], None]]] = {
        # npm 10 fails to resolve the peer dependencies of later ones ("Cannot read properties of null").
        "npm 10, Node 20": ((node("20", "10"),), partial(by_npm, runners="jest@30 vitest@4.1.0")),
        "npm 11, Node 22": ((with_npm_11,), by_npm),
        "npm 12, Node 24": ((node("24", "12"),), by_npm),
        "npm 11, after --omit=optional": ((with_npm_11,), without_optional_dependencies),
        "npm 11, after an installation for macOS": ((with_npm_11,), from_another_system),
        "npm, Node 24 on musl": (node_on_musl("24"), on_musl),
        "pnpm 10, Node 20": ((node("20", "10"), pnpm("10")), by_pnpm),
        "pnpm 11, Node 22": ((with_npm_11, pnpm("11")), by_pnpm),
        "pnpm 12, Node 24": ((node("24", "12"), pnpm("12")), by_pnpm),
        "Yarn 4, Plug'n'Play, Node 22": ((with_npm_11, yarn_4), by_yarn),
        "Yarn 4, node_modules, Node 22": (
            (with_npm_11, yarn_4),
            partial(by_yarn, settings="nodeLinker: node-modules\n"),
        ),
        "Yarn 1, Node 20": ((node("20", "10"), yarn_1), partial(by_yarn, prefix=None)),
        "Bun, no Node": ((tool("Bun", bun, ("bun", f"{bun}/bin/bun"), ("bunx", f"{bun}/bin/bun")),), by_bun),
        "Deno, no Node": ((tool("Deno", deno, ("deno", f"{deno}/deno")),), by_deno),
    }
    found = [Case(name, PAGE, Room((), runtimes), act) for name, (runtimes, act) in rooms.items()]
    return [*found, Case("Playwright with Chromium, Node 22", PAGE, Room(("chromium",), (with_npm_11,)), playwright)]


# --- Clients


@cache
def tool(name: str, specification: str, *programs: tuple[str, str]) -> Runtime:
    """A client from npm's registry, as a directory with links to its programs. Needs the network."""
    slug = re.sub(r"\W+", "-", specification).strip("-")
    place = ROOT / f"target/rehearse/tools/{slug}"
    if not (place / "bin").exists():
        options = ("--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
        run("npm", "install", *options, "--prefix", place / "lib", specification)
        (place / "bin").mkdir()
        for program, target in programs:
            (place / "bin" / program).symlink_to(Path("../lib/node_modules") / target)
    return Runtime(name, place, f"/opt/{slug}")


def pnpm(version: str) -> Runtime:
    # Since 12 it is a program, and the package named pnpm only hands over to it.
    target = {"10": "pnpm/bin/pnpm.cjs", "11": "pnpm/bin/pnpm.mjs"}.get(version, "@pnpm/exe.linux-x64/pnpm")
    return tool(f"pnpm {version}", f"pnpm@{version}", ("pnpm", target))


# --- Examples of the page


@dataclass(frozen=True)
class Example:
    """The first example of a section: files, and the command that uses them."""

    files: dict[str, str]
    command: str


def example(stranger: Stranger, title: str) -> Example:
    """Everything up to the first command for the terminal behind a file."""
    text = stranger.page.path.read_text()
    section = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    if not section:
        raise LookupError(f"{stranger.page.name} has no section {title!r}")
    files: dict[str, str] = {}
    for block in FENCE.finditer(section[1]):
        language, _, name = block["info"].partition(" ")
        if name:
            files[name] = block["text"]
        elif language == "console" and files:
            return Example(files, re.findall(r"^\$ (.*)", block["text"], re.M)[0])
    raise LookupError(f"{stranger.page.name}, {title}: no file with a command behind it")


def plays(stranger: Stranger, title: str, wanted: str, prefix: str | None = None) -> None:
    """Types the example, expects that text, and removes its files. A prefix takes the place of npx."""
    its = example(stranger, title)
    for name, text in its.files.items():
        stranger.writes(name, text)
    if prefix is None:
        said = stranger.types(its.command)
    else:
        said = stranger.does(f"{prefix} {its.command.removeprefix('npx ')}")
    stranger.expects(wanted, said)
    stranger.does(f"rm {' '.join(its.files)}")


def plays_all(stranger: Stranger, prefix: str | None = None) -> None:
    """What needs no browser."""
    plays(stranger, "From Node", "hello", prefix)
    plays(stranger, "node:test", "pass 1", prefix)
    plays(stranger, "Jest", "2 passed, 2 total", prefix)
    plays(stranger, "Vitest", "2 passed", prefix)


def command_works(stranger: Stranger, command: str | None = None) -> None:
    said = stranger.types(COMMAND) if command is None else stranger.does(command)
    if "true" not in said.splitlines():
        raise FailedError(f"the command did not print `true`:\n{said}")


# --- npm


def by_npm(stranger: Stranger, runners: str = RUNNERS) -> None:
    stranger.does(f"npm init -y && npm i -D {runners}")
    # Only now npm 10 installs what other packages have for musl.
    stranger.does("npm install")
    with stranger.leaving_nothing(but=THEIRS):
        stranger.installs("npm i -D portalloc")
        plays_all(stranger)
        command_works(stranger)
        stranger.does("npm uninstall portalloc")


def on_musl(stranger: Stranger) -> None:
    stranger.does(AS_ALPINE, root=True)
    by_npm(stranger)
    stranger.expects("linux-x64-musl", stranger.does("npm i -D portalloc && ls node_modules/@portalloc"))


def by_npm_alone(stranger: Stranger) -> None:
    """Without what public registries have."""
    stranger.does("npm init -y")
    with stranger.leaving_nothing(but=(*THEIRS, "project/package-lock.json")):
        stranger.installs("npm i -D portalloc")
        plays(stranger, "From Node", "hello")
        plays(stranger, "node:test", "pass 1")
        command_works(stranger)
        stranger.does("npm uninstall portalloc")


def without_optional_dependencies(stranger: Stranger) -> None:
    stranger.does("npm init -y && npm i -D portalloc --omit=optional")
    says_what_is_missing(stranger)
    stranger.types("npm install --include=optional")
    plays(stranger, "From Node", "hello")
    stranger.does("npm ci --omit=optional")
    says_what_is_missing(stranger)


def from_another_system(stranger: Stranger) -> None:
    """node_modules and lock file of a Mac, which a container or a shared directory brings here."""
    stranger.does("npm init -y && npm i -D portalloc --os=darwin --cpu=arm64 --force")
    says_what_is_missing(stranger)
    stranger.types("npm install --include=optional")
    plays(stranger, "From Node", "hello")


def says_what_is_missing(stranger: Stranger) -> None:
    its = example(stranger, "From Node")
    for name, text in its.files.items():
        stranger.writes(name, text)
    said = stranger.does(its.command, fails=True)
    stranger.expects("the package @portalloc/linux-x64-gnu", said)
    stranger.expects("npm install --include=optional", said)
    stranger.expects("portalloc: the package @portalloc/linux-x64-gnu", stranger.does(COMMAND, fails=True))


def playwright(stranger: Stranger) -> None:
    """The page's test needs no browser, so one that does goes with it."""
    stranger.does("npm init -y && npm i -D @playwright/test@1")
    stranger.installs("npm i -D portalloc")
    its = example(stranger, "Playwright")
    for name, text in its.files.items():
        stranger.writes(name, text)
    stranger.expects("1 passed", stranger.types(its.command))
    stranger.writes(
        "browser.config.ts",
        """import config from './playwright.config.ts';

const launchOptions = { executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] };
export default { ...config, testMatch: 'browser.ts', use: { ...config.use, launchOptions } };
""",
    )
    stranger.writes(
        "browser.ts",
        """import { expect, test } from '@playwright/test';

test('says hello in a browser', async ({ page }) => {
  await page.goto('/');
  await expect(page.locator('body')).toHaveText('hello');
});
""",
    )
    stranger.expects("1 passed", stranger.does("npx playwright test --config browser.config.ts"))


# --- Others


def by_pnpm(stranger: Stranger) -> None:
    # Since 11, what `pnpm init` writes makes npx fail, and makes modules of the page's files for Jest.
    stranger.writes("package.json", MANIFEST)
    stranger.does(f"pnpm add -D {ALLOWED} {RUNNERS}")
    with stranger.leaving_nothing(but=THEIRS):
        stranger.installs("pnpm add -D portalloc")
        plays_all(stranger)
        command_works(stranger)
        stranger.does("pnpm remove portalloc")


def by_yarn(stranger: Stranger, settings: str = "", prefix: str | None = "yarn") -> None:
    # As Deno.
    stranger.env["YARN_NPM_MINIMAL_AGE_GATE"] = "0"
    stranger.writes("package.json", MANIFEST)
    if settings:
        stranger.writes(".yarnrc.yml", settings)
    stranger.does(f"yarn add -D {RUNNERS}")
    with stranger.leaving_nothing(but=THEIRS):
        stranger.installs("yarn add -D portalloc")
        plays_all(stranger, prefix)
        command_works(stranger, prefix and COMMAND.replace("npx", prefix))
        stranger.does("yarn remove portalloc")


def by_bun(stranger: Stranger) -> None:
    before = stranger.files()
    stranger.installs("bun add -d portalloc")
    its = example(stranger, "From Node")
    stranger.writes("demo.mjs", its.files["demo.mjs"])
    stranger.expects("hello", stranger.does("bun demo.mjs"))
    stranger.expects("PORT", stranger.does("bunx portalloc run --names web -- env"))
    stranger.does("rm demo.mjs && bun remove portalloc")
    if left := [name for name in stranger.files().keys() - before.keys() if "portalloc" in name]:
        raise FailedError(f"uninstalling left {left}")


def by_deno(stranger: Stranger) -> None:
    # Deno takes no version that is younger than a day, and ours was published a minute ago.
    stranger.writes("deno.json", '{"minimumDependencyAge": "0"}\n')
    stranger.installs("deno add --dev npm:portalloc")
    its = example(stranger, "From Node")
    stranger.writes("demo.mjs", its.files["demo.mjs"])
    stranger.expects("hello", stranger.does("deno run --allow-all demo.mjs"))
    stranger.expects("PORT", stranger.does("deno run --allow-all npm:portalloc run --names web -- env"))
