"""What the manifest says of files, and which it refuses."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

from packages import manifest

VERSION = "0.2.3"


class InDist(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.dist = Path(place.name)
        for name, value in {"DIST": self.dist, "INSTALLED": self.dist.parent / f"{self.dist.name}.json"}.items():
            patched = patch.object(manifest, name, value)
            patched.start()
            self.addCleanup(patched.stop)
        patched_version = patch.object(manifest, "version", lambda: VERSION)
        patched_version.start()
        self.addCleanup(patched_version.stop)
        self.addCleanup((self.dist.parent / f"{self.dist.name}.json").unlink, missing_ok=True)

    def file(self, name: str, content: bytes = b"content") -> Path:
        path = self.dist / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def archive(self, name: str, command: int) -> Path:
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w:gz") as archive:
            member = tarfile.TarInfo("package/bin/portalloc")
            member.size, member.mode = command, 0o755
            archive.addfile(member, io.BytesIO(bytes(command)))
        return self.file(name, content.getvalue())

    def test_what_each_file_is(self) -> None:
        for name, what, platform in (
            (f"python/portalloc-{VERSION}-cp310-abi3-manylinux_2_17_aarch64.whl", "wheel", "linux-arm64-gnu"),
            (f"python/portalloc-{VERSION}-cp310-abi3-musllinux_1_2_x86_64.whl", "wheel", "linux-x64-musl"),
            (f"python/portalloc-{VERSION}.tar.gz", "sdist", "any"),
            (f"npm/portalloc-{VERSION}.tgz", "npm package", "any"),
            (f"npm/portalloc-linux-x64-gnu-{VERSION}.tgz", "npm package for a platform", "linux-x64-gnu"),
            (f"command/portalloc_{VERSION}_arm64.deb", "Debian package", "linux-arm64-musl"),
            (
                f"command/portalloc-{VERSION}-x86_64-unknown-linux-musl.tar.gz",
                "archive of the command",
                "linux-x64-musl",
            ),
            (f"go/github.com/portalloc/portalloc/go/@v/v{VERSION}.zip", "Go module", "any"),
        ):
            with self.subTest(name=name):
                described = manifest.describe(self.file(name))
                assert (described.what, described.platform, described.installed) == (what, platform, False), described
                assert described.why_not

    def test_an_unknown_file(self) -> None:
        with self.assertRaisesRegex(SystemExit, "does not know what this is"):
            manifest.describe(self.file("python/notes.txt"))

    def test_only_the_file_that_was_installed_is_said_to_be(self) -> None:
        path = self.file(f"rust/portalloc-{VERSION}.crate")
        manifest.remember([f"rust/portalloc-{VERSION}.crate"], "rust: cargo add")
        manifest.remember([f"rust/portalloc-{VERSION}.crate"], "rust: cargo add")
        assert manifest.describe(path).by == ["rust: cargo add"]
        path.write_bytes(b"built again")
        described = manifest.describe(path)
        assert not described.installed
        assert json.loads(manifest.INSTALLED.read_text()), "what was known is forgotten"

    def test_what_another_machine_has_installed(self) -> None:
        path = self.file(f"rust/portalloc-{VERSION}.crate")
        with tempfile.TemporaryDirectory() as place:
            other = Path(place, "installed-elsewhere/installed.json")
            other.parent.mkdir()
            other.write_text(json.dumps({manifest.digest(path): ["rust: cargo add"]}))
            with patch.object(manifest, "INSTALLED", Path(place, "installed.json")):
                assert manifest.describe(path).by == ["rust: cargo add"]

    def test_bounds(self) -> None:
        for name, bound in (
            (f"python/portalloc-{VERSION}-cp310-abi3-manylinux_2_17_x86_64.whl", 2_000_000),
            (f"npm/portalloc-linux-x64-gnu-{VERSION}.tgz", 2_500_000),
            (f"go/github.com/portalloc/portalloc/go/@v/v{VERSION}.zip", 8_000_000),
        ):
            with self.subTest(name=name):
                with patch.object(manifest, "commands_in", return_value=[]):
                    assert manifest.failures([self.file(name, bytes(bound))]) == []
                    (found,) = manifest.failures([self.file(name, bytes(bound + 1))])
                assert f"at most {bound}" in found

    def test_the_command_in_an_archive_has_a_bound(self) -> None:
        name = f"command/portalloc-{VERSION}-x86_64-unknown-linux-musl.tar.gz"
        assert manifest.failures([self.archive(name, 2_500_000)]) == []
        (found,) = manifest.failures([self.archive(name, 2_500_001)])
        assert "2500001 bytes" in found

    def test_a_file_of_another_version(self) -> None:
        (found,) = manifest.failures([self.file("python/portalloc-0.2.2.tar.gz")])
        assert "is not of version 0.2.3" in found


if __name__ == "__main__":
    unittest.main()
