"""Changes the version everywhere: `make version VERSION=1.2.3`. `.ci/check-versions` finds places that say another one.

Needs no network: lock files are changed as text, and cargo checks them afterwards.
"""

from __future__ import annotations

import re
import subprocess
import sys
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
# Not the beginning of a longer number; a file's ending or a full stop may follow.
NUMBER = r"(?P<version>\d+\.\d+\.\d+)(?!\.?\d)"

# What says a version that is none of ours, or one that was: history, measurements, and the data of tests.
OTHERS = (
    "packages/version.py",
    "CHANGELOG.md",
    "docs/benchmarks*",
    "docs/scaling*",
    "*/tests/*",
    "tests/*",
    "*/test_*",
    "*.svg",
)
# Files in which other packages may have our version by chance.
MANIFESTS = ("*Cargo.toml", "*Cargo.lock", "*package.json", "*package-lock.json", "*go.mod", "*go.sum", "*.github/*")

# How a file says the version of portalloc.
SAYINGS = tuple(
    re.compile(pattern, re.M | re.I)
    for pattern in (
        # portalloc-0.1.0.tgz, portalloc_0.1.0_amd64.deb, portalloc==0.1.0, portalloc/portalloc@v0.1.0, portalloc 0.1.0
        rf"\bportalloc[\w\[\]./@-]*?(?:[-_@ /]v?|==|~=|>=|\^){NUMBER}",
        rf'"@?(?:pytest-)?portalloc[\w/-]*": "{NUMBER}"',
        rf'^portalloc[\w-]* = \{{[^\n]*\bversion = "=?{NUMBER}"',
        rf'^\[workspace\.package\]\nversion = "{NUMBER}"',
        # In Cargo.lock, our own crates have no `source`; pyproject.toml.
        rf'^name = "(?:pytest-)?portalloc[\w-]*"\nversion = "{NUMBER}"\n(?!source)',
        rf'"name": "@?portalloc[\w/-]*",\s+"version": "{NUMBER}"',
        rf'"node_modules/@portalloc/[\w-]+": \{{\s+"version": "{NUMBER}"',
        rf'\bPORTALLOC_VERSION "{NUMBER}"',
        rf'\bversion of the library, such as "{NUMBER}"',
        rf'\blibrary\'s version, such as "{NUMBER}"',
    )
)
# Those that say a part of it: a pattern, and the words that must stand there, made from major, minor and patch.
PARTS = (
    (re.compile(r"(?P<before>\bPORTALLOC_VERSION_MAJOR )(?P<part>\d+)"), "{0}"),
    (re.compile(r"(?P<before>\bPORTALLOC_VERSION_MINOR )(?P<part>\d+)"), "{1}"),
    (re.compile(r"(?P<before>\bPORTALLOC_VERSION_PATCH )(?P<part>\d+)"), "{2}"),
    (re.compile(r"(?P<before>\bfind_package\(portalloc )(?P<part>\d+\.\d+)\b"), "{0}.{1}"),
)


def current(root: Path) -> str:
    """The version of Cargo.toml, from which the others are copies."""
    found = re.search(rf'^\[workspace\.package\]\nversion = "{NUMBER}"', (root / "Cargo.toml").read_text(), re.M)
    if not found:
        sys.exit('Cargo.toml has no line `version = "..."` below [workspace.package]')
    return found["version"]


def files(root: Path) -> list[Path]:
    """Every text file of the repository that may say the version."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(words, cwd=root, check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")
    kept = [name for name in names if name and not any(fnmatchcase(name, other) for other in OTHERS)]
    return [root / name for name in kept if (root / name).is_file() and not (root / name).is_symlink()]


def text_of(path: Path) -> str | None:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return None


def said(text: str) -> list[re.Match[str]]:
    """Every place of a text that says a version of portalloc."""
    return [match for saying in SAYINGS for match in saying.finditer(text)]


def failures(root: Path, paths: list[Path] | None = None) -> list[str]:
    """Each place, in these files or in all, that says another version than Cargo.toml does, or in an unknown way.

    0.0.0 is that of Go modules which a directory replaces.
    """
    version = current(root)
    found = []
    for path in paths or files(root):
        text = text_of(path)
        if text is None:
            continue
        name = path.relative_to(root)
        places = said(text)
        found += [
            f"{name}:{line_of(text, match)} says {match['version']}, and Cargo.toml {version}; "
            f"`make version VERSION={version}` changes all places"
            for match in places
            if match["version"] not in (version, "0.0.0")
        ]
        for pattern, words in PARTS:
            wanted = words.format(*version.split("."))
            found += [
                f"{name}:{line_of(text, match)} says `{match[0]}`, and Cargo.toml {version}"
                for match in pattern.finditer(text)
                if match["part"] != wanted
            ]
        known = {match.end("version") for match in places}
        found += [
            f"{name}:{line_of(text, match)} says {version} in a way that `make version` does not know: "
            "packages/version.py must have it among SAYINGS, or the file among OTHERS"
            for match in re.finditer(rf"(?<![\d.]){re.escape(version)}(?![\d.]*\d)", text)
            if match.end() not in known and not any(fnmatchcase(str(name), manifest) for manifest in MANIFESTS)
        ]
    return found


def line_of(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.end()) + 1


def change(root: Path, version: str) -> list[Path]:
    """Makes all places say the new version; returns the files that it has changed."""
    old = current(root)
    changed = []
    for path in files(root):
        text = text_of(path)
        if text is None:
            continue
        new = text
        spans = {match.span("version") for match in said(text) if match["version"] == old}
        for start, end in sorted(spans, reverse=True):
            new = new[:start] + version + new[end:]
        for pattern, words in PARTS:
            new = pattern.sub(partial(part, words.format(*version.split("."))), new)
        if new != text:
            path.write_text(new)
            changed.append(path)
    changelog = root / "CHANGELOG.md"
    text = changelog.read_text()
    if (new := with_section(text, old, version)) != text:
        changelog.write_text(new)
        changed.append(changelog)
    return changed


def part(words: str, match: re.Match[str]) -> str:
    return f"{match['before']}{words}"


def with_section(changelog: str, old: str, version: str) -> str:
    """A section that was not released yet gets the new version; after a release, a new one stands above it."""
    if re.search(rf"^## {re.escape(version)}\b", changelog, re.M):
        return changelog
    heading = f"## {version} - unreleased"
    unreleased = f"## {old} - unreleased"
    if unreleased in changelog:
        return changelog.replace(unreleased, heading, 1)
    return re.sub(r"^## ", f"{heading}\n\n## ", changelog, count=1, flags=re.M)


def main() -> None:
    arguments = sys.argv[1:]
    if len(arguments) != 1 or not VERSION.fullmatch(arguments[0]):
        words = repr(" ".join(arguments))
        sys.exit(
            f"{words} is not a version: name one as in `make version VERSION=1.2.3`. "
            "Three numbers only: PyPI and the other registries write pre-releases in different ways"
        )
    old = current(ROOT)
    for path in change(ROOT, arguments[0]):
        print(f"{old} -> {arguments[0]}: {path.relative_to(ROOT)}")
    if wrong := failures(ROOT):
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
