"""What is published is what was built: the Go module from its tag, the files of the release on GitHub."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from packages import common
from packages.publish import files, github, go, tag

VERSION = "1.2.3"
# No text: git and Go must leave every byte as it is.
LIBRARY = b"\x7fELF\r\n\0\n"
CHANGELOG = """# Changelog

## 1.3.0 - unreleased

- New.

## 1.2.3 - 2030-01-31

### Fixed

- Old.

## 1.2.30 - x
"""


def run(*words: str | Path, cwd: Path, **variables: str) -> str:
    run = subprocess.run(words, cwd=cwd, check=True, env=os.environ | variables, stdout=subprocess.PIPE, timeout=120)
    return run.stdout.decode()


class Clone:
    """A clone with a `dist/`, in place of the one to which this test belongs."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.root = scratch / "clone"
        self.dist = self.root / "dist"

    def write(self, name: str, contents: str | bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents.encode() if isinstance(contents, str) else contents)

    def sum_up(self) -> None:
        """As `make dist` does at its end."""
        sums = ""
        for path in sorted(self.dist.rglob("*")):
            if path.is_file() and path.name != "SHA256SUMS":
                sums += f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(self.dist)}\n"
        (self.dist / "SHA256SUMS").write_text(sums)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    clone = Clone(tmp_path)
    monkeypatch.setattr(common, "ROOT", clone.root)
    monkeypatch.setattr(common, "DIST", clone.dist)
    monkeypatch.setattr(github, "FILES", clone.root / "target/release-files")
    # Nobody's own git, whatever it is told to do.
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "somebody")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "somebody@example.invalid")
    return clone


class Module(Clone):
    """A clone of a repository with a Go module that has been packed."""

    def __init__(self, clone: Clone) -> None:
        super().__init__(clone.scratch)
        self.origin = self.scratch / "portalloc.git"
        run("git", "init", "-q", "--bare", self.origin, cwd=self.scratch)
        run("git", "clone", "-q", self.origin, self.root, cwd=self.scratch)
        self.write("Cargo.toml", f'[workspace.package]\nversion = "{VERSION}"\n')
        self.write(".gitignore", "/dist\n/go/lib/\n")
        self.write("go/go.mod", f"module {go.MODULE}\n\ngo 1.24\n")
        self.write("go/doc.go", "package portalloc\n")
        self.write("go/only-here.txt", "not in the module\n")
        run("git", "add", ".", cwd=self.root)
        run("git", "commit", "-q", "-m", "A release", cwd=self.root)
        self.pack(LIBRARY)

    def pack(self, library: bytes) -> None:
        folder = f"dist/go/{go.MODULE}/@v"
        self.write(f"{folder}/v{VERSION}.info", json.dumps({"Version": f"v{VERSION}"}))
        self.write(f"{folder}/v{VERSION}.mod", (self.root / "go/go.mod").read_bytes())
        with zipfile.ZipFile(self.root / folder / f"v{VERSION}.zip", "w") as archive:
            for name in ("go.mod", "doc.go"):
                archive.write(self.root / "go" / name, f"{go.MODULE}@v{VERSION}/{name}")
            archive.writestr(f"{go.MODULE}@v{VERSION}/lib/linux_amd64/libportalloc.a", library)
        self.sum_up()

    def checksum(self, proxy: str, cache: str) -> str:
        """Go's own, of the module as it comes from there. Git finds this test's repository in place of GitHub's."""
        settings = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.file://{self.origin}.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://github.com/portalloc/portalloc",
            "GOMODCACHE": str(self.scratch / cache),
            "GOFLAGS": "-modcacherw",
            "GONOSUMDB": "*",
            "GOPROXY": proxy,
            "GOTOOLCHAIN": "local",
        }
        words = ("go", "mod", "download", "-json", f"{go.MODULE}@v{VERSION}")
        found: str = json.loads(run(*words, cwd=self.scratch, **settings))["Sum"]
        return found

    def tagged(self) -> str:
        return run("git", "rev-parse", f"go/v{VERSION}", cwd=self.origin)


def test_the_tag_gives_what_the_zip_gives(clone: Clone) -> None:
    module = Module(clone)
    before = run("git", "status", "--porcelain", "--branch", cwd=module.root)
    go.main()
    assert module.checksum("direct", "a") == module.checksum(f"file://{module.dist}/go", "b")
    assert run("git", "status", "--porcelain", "--branch", cwd=module.root) == before
    parent = run("git", "rev-parse", f"go/v{VERSION}^", cwd=module.origin)
    assert parent == run("git", "rev-parse", "HEAD", cwd=module.root)
    assert run("git", "branch", cwd=module.origin) == "", "only the tag leads to the libraries"


def test_again_does_nothing_and_never_moves_the_tag(clone: Clone) -> None:
    module = Module(clone)
    go.main()
    first = module.tagged()
    go.main()
    module.pack(LIBRARY + b"!")
    with pytest.raises(SystemExit, match=r"exists in origin for another commit .* release a new version"):
        go.main()
    assert module.tagged() == first


@pytest.fixture
def built(clone: Clone) -> Clone:
    clone.write("dist/command/portalloc.tar.gz", "command")
    clone.write("dist/c/portalloc-c.tar.gz", "library")
    clone.write("dist/python/portalloc.whl", "wheel")
    clone.write("dist/manifest.json", "{}")
    clone.write("dist/sbom.cdx.json", "{}")
    clone.sum_up()
    return clone


@pytest.mark.usefixtures("built")
def test_a_release_is_flat_and_its_checksums_hold() -> None:
    github.collect()
    run("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS", cwd=github.FILES)
    names = {path.name for path in github.FILES.iterdir()}
    assert names == {"portalloc.tar.gz", "portalloc-c.tar.gz", "SHA256SUMS", "manifest.json", "sbom.cdx.json"}


def test_two_files_of_one_name_are_refused(built: Clone) -> None:
    built.write("dist/c/portalloc.tar.gz", "another")
    built.sum_up()
    with pytest.raises(SystemExit, match=r"two files of dist/ are named portalloc\.tar\.gz"):
        github.collect()


def test_what_was_not_built_so_is_not_published(built: Clone) -> None:
    built.write("dist/python/portalloc.whl", "something else")
    with pytest.raises(SystemExit, match=r"portalloc\.whl has changed since"):
        files("python")
    assert files("c") == [built.dist / "c/portalloc-c.tar.gz"]
    (built.dist / "c/portalloc-c.tar.gz").unlink()
    with pytest.raises(SystemExit, match=r"portalloc-c\.tar\.gz is missing"):
        files("c")
    with pytest.raises(SystemExit, match="names no file of npm"):
        files("npm")


@pytest.mark.parametrize(
    ("name", "version", "mistake"),
    [
        ("v1.2.4", "1.2.3", "the tag is v1.2.4, but the version is 1.2.3"),
        ("v1.3.0", "1.3.0", "`unreleased` in place of the date"),
        ("v1.4.0", "1.4.0", "no section"),
    ],
)
def test_a_tag_that_must_not_be_released(name: str, version: str, mistake: str) -> None:
    [found] = tag.mistakes(name, version, CHANGELOG)
    assert mistake in found


def test_a_tag_is_the_version_and_the_changelog_has_its_date() -> None:
    assert tag.mistakes("v1.2.3", "1.2.3", CHANGELOG) == []


def test_the_text_of_a_release_is_its_section() -> None:
    assert github.notes("1.2.3", CHANGELOG) == "### Fixed\n\n- Old."
    assert github.notes("1.3.0", CHANGELOG) == "- New."
    with pytest.raises(SystemExit, match=r"no section for 1\.2$"):
        github.notes("1.2", CHANGELOG)


HERE = Path(__file__).resolve().parents[2]


def test_every_target_of_the_page_and_of_the_workflows_exists() -> None:
    database = run("make", "-npRr", "help", cwd=HERE)
    targets = set(re.findall(r"^([a-z-]+):(?!=)", database, re.MULTILINE))
    pages = [HERE / "RELEASING.md", *(HERE / ".github/workflows").glob("*.yml")]
    named = {name for page in pages for name in re.findall(r"[ `]make ([a-z-]+)", page.read_text())}
    assert {"dist", "rehearse", "version", "publish-npm"} <= named
    assert named - targets == set()
