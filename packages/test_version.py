#!/usr/bin/env python3
"""`make version` on a copy of the repository; and check-versions misses no file that it changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from packages import version  # noqa: E402

NEW = "91.82.73"


class Copy(unittest.TestCase):
    """A copy of the repository as it is here, whatever is committed."""

    root: Path

    @classmethod
    def setUpClass(cls) -> None:
        place = tempfile.TemporaryDirectory()
        cls.addClassCleanup(place.cleanup)
        cls.root = Path(place.name)
        words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        names = subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")
        for name in names:
            if name and (ROOT / name).is_file():
                (cls.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, cls.root / name)
        subprocess.run(["git", "init", "-q"], cwd=cls.root, check=True)

    def check(self) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, ".ci/check-versions"]
        return subprocess.run(words, cwd=self.root, text=True, stderr=subprocess.PIPE, timeout=60)

    def test_every_place_is_changed_and_every_place_is_checked(self) -> None:
        before = {path: path.read_bytes() for path in [*version.files(self.root), self.root / "CHANGELOG.md"]}
        old = version.current(self.root)
        changed = version.change(self.root, NEW)
        checked = self.check()
        assert checked.returncode == 0, checked.stderr
        self.cargo_agrees()
        for path in changed:
            with self.subTest(missed=str(path.relative_to(self.root))):
                after = path.read_bytes()
                path.write_bytes(before[path])
                # The whole of check-versions, which takes a second, only where cargo is the one that knows.
                seen = version.failures(self.root, [path]) or self.check().returncode == 1
                assert seen, f"check-versions does not see that {path} still says {old}"
                path.write_bytes(after)
        version.change(self.root, old)
        assert {path: path.read_bytes() for path in before} == before, "going back is not the same as never having gone"

    def cargo_agrees(self) -> None:
        for directory in (".", "proof/fuzz", "bench/peers/rust"):
            words = ["cargo", "metadata", "--format-version=1", "--locked", "--offline", "--no-deps"]
            subprocess.run(words, cwd=self.root / directory, check=True, stdout=subprocess.DEVNULL, timeout=60)


class Words(unittest.TestCase):
    def test_what_is_not_a_version(self) -> None:
        for wrong in (["1.2"], ["v1.2.3"], ["1.2.3-rc.1"], ["01.2.3"], ["1.2.3 "], ["1.2.3", "1.2.3"], []):
            with self.subTest(wrong=wrong):
                words = [sys.executable, "-m", "packages.version", *wrong]
                ended = subprocess.run(words, cwd=ROOT, text=True, stderr=subprocess.PIPE, timeout=60)
                assert ended.returncode == 1, ended
                assert "is not a version" in ended.stderr, ended

    def test_sayings(self) -> None:
        for text in (
            "curl -LO https://example.org/v0.0.1/portalloc-0.2.3-x86_64-unknown-linux-musl.tar.gz",
            "npm i -D dist/npm/portalloc-0.2.3.tgz",
            "apt install ./portalloc_0.2.3_amd64.deb",
            "pip install portalloc==0.2.3",
            "pip install 'portalloc[pytest]==0.2.3'",
            "uses: portalloc/portalloc@v0.2.3",
            "go get github.com/portalloc/portalloc/go@v0.2.3",
            "https://github.com/portalloc/portalloc/releases/download/v0.2.3/SHA256SUMS",
            '"@portalloc/linux-x64-gnu": "0.2.3"',
            'portalloc = { path = "core", version = "0.2.3" }',
            '{\n  "name": "@portalloc/linux-x64-gnu",\n  "version": "0.2.3"',
            '[project]\nname = "pytest-portalloc"\nversion = "0.2.3"',
        ):
            with self.subTest(text=text):
                assert {found["version"] for found in version.said(text + "\n")} == {"0.2.3"}, version.said(text)

    def test_what_says_no_version_of_ours(self) -> None:
        for text in ("portalloc listens on 127.0.0.1", "portpicker (crates.io) 0.1.1", "Python 3.11.7", "0.2.3"):
            with self.subTest(text=text):
                assert version.said(text) == []

    def test_a_way_to_say_it_that_nobody_knows(self) -> None:
        with tempfile.TemporaryDirectory() as place:
            root = Path(place)
            subprocess.run(["git", "init", "-q"], cwd=root, check=True)
            (root / "Cargo.toml").write_text(
                '[workspace.package]\nversion = "0.2.3"\n\n[dependencies]\nother = "0.2.3"\n'
            )
            (root / "action.yml").write_text("default: 0.2.3\n")
            found = version.failures(root)
            assert len(found) == 1, found
            assert found[0].startswith("action.yml:1 says 0.2.3 in a way"), found

    def test_the_changelog_after_a_release_gets_a_section(self) -> None:
        assert version.with_section("# C\n\n## 1.0.0 - 2026-01-01\n", "1.0.0", "1.1.0") == (
            "# C\n\n## 1.1.0 - unreleased\n\n## 1.0.0 - 2026-01-01\n"
        )

    def test_the_changelog_before_a_release_gets_another_name(self) -> None:
        assert version.with_section("## 1.0.0 - unreleased\n", "1.0.0", "1.1.0") == "## 1.1.0 - unreleased\n"


if __name__ == "__main__":
    unittest.main()
