"""What dist/command/ has, as its users see it: `make dist-command` first, then `make test-command-packages`."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
import unittest
from pathlib import Path

from packages.command import homebrew
from packages.command.build import COMMAND, LARGEST
from packages.command.debian import debian_version
from packages.common import ROOT, platforms, version

MUSL = [platform for platform in platforms() if platform.is_musl]


def says(*command: str | Path) -> str:
    ran = subprocess.run(command, timeout=120, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if ran.returncode != 0:
        raise AssertionError(f"{command} ended with {ran.returncode}: {ran.stdout}")
    return ran.stdout


class Archives(unittest.TestCase):
    def test_each_has_one_top_directory_with_everything(self) -> None:
        for platform in MUSL:
            name = f"portalloc-{version()}-{platform.rust}"
            with tarfile.open(COMMAND / f"{name}.tar.gz") as archive:
                entries = {entry.name: entry for entry in archive}
            assert all(path == name or path.startswith(f"{name}/") for path in entries), list(entries)
            for path in ["README.md", "LICENSE-MIT", "LICENSE-THIRD-PARTY", "man/portalloc.1", "man/portalloc-run.1"]:
                assert entries[f"{name}/{path}"].size > 100, path
            for path in ["portalloc.bash", "_portalloc", "portalloc.fish", "portalloc.elv", "_portalloc.ps1"]:
                assert entries[f"{name}/completions/{path}"].size > 1000, path
            program = entries[f"{name}/portalloc"]
            assert program.mode == 493
            assert program.size <= LARGEST
            assert {(entry.uid, entry.gid, entry.mtime) for entry in entries.values()} == {(0, 0, program.mtime)}

    def test_the_one_for_this_machine_runs(self) -> None:
        platform = next(platform for platform in MUSL if platform.is_here)
        name = f"portalloc-{version()}-{platform.rust}"
        with tempfile.TemporaryDirectory() as scratch:
            says("tar", "-C", scratch, "-xzf", COMMAND / f"{name}.tar.gz")
            program = Path(scratch) / name / "portalloc"
            assert says(program, "version") == f"portalloc {version()}\n"
            headers = says("readelf", "--wide", "--program-headers", program)
            assert "INTERP" not in headers, "the program is not static"
            strings = program.read_bytes()
            assert str(Path.home()).encode() + b"/" not in strings, "the program names the home of its builder"

    def test_cargo_binstall_finds_them(self) -> None:
        package = tomllib.loads((ROOT / "cli/Cargo.toml").read_text())["package"]
        stated = package["metadata"]["binstall"]
        for platform in MUSL:
            known = {"repo": "https://example", "version": version(), "target": platform.rust, "bin": "portalloc"}
            address, program = stated["pkg-url"], stated["bin-dir"]
            for name, value in known.items():
                address, program = (text.replace(f"{{ {name} }}", value) for text in (address, program))
            with tarfile.open(COMMAND / address.rsplit("/", 1)[1]) as archive:
                assert archive.getmember(program).isfile()


class Formula(unittest.TestCase):
    def test_its_checksums_are_those_of_the_archives(self) -> None:
        formula = (COMMAND / "portalloc.rb").read_text()
        found = re.findall(r'url "(.*)"\n +sha256 "(.*)"', formula)
        assert len(found) == len(MUSL)
        for address, checksum in found:
            file = COMMAND / address.rsplit("/", 1)[1]
            assert says("sha256sum", file).split()[0] == checksum
            assert f"/releases/download/v{version()}/" in address

    def test_it_is_ruby(self) -> None:
        if not shutil.which("ruby"):
            self.skipTest("there is no ruby here")
        assert "Syntax OK" in says("ruby", "-c", COMMAND / "portalloc.rb")

    def test_none_is_made_without_an_architecture(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            archive = Path(scratch) / f"portalloc-{version()}-x86_64-unknown-linux-musl.tar.gz"
            archive.write_bytes(b"not read further")
            homebrew.build(Path(scratch))
            assert [path.name for path in Path(scratch).iterdir()] == [archive.name]


class Packages(unittest.TestCase):
    def package(self, architecture: str | None) -> Path:
        return COMMAND / f"portalloc_{debian_version()}_{architecture}.deb"

    def test_its_files_have_the_sums_that_it_states(self) -> None:
        for platform in MUSL:
            with tempfile.TemporaryDirectory() as scratch:
                says("dpkg-deb", "--raw-extract", self.package(platform.debian), scratch)
                stated = (Path(scratch) / "DEBIAN/md5sums").read_text().splitlines()
                files = {str(path.relative_to(scratch)) for path in Path(scratch).rglob("*") if path.is_file()}
                assert len(stated) == len([path for path in files if not path.startswith("DEBIAN/")])
                for line in stated:
                    checksum, path = line.split("  ")
                    assert hashlib.md5((Path(scratch) / path).read_bytes()).hexdigest() == checksum, path

    def test_lintian_has_nothing_to_say(self) -> None:
        if not shutil.which("lintian"):
            self.skipTest("there is no lintian here")
        for platform in MUSL:
            said = says(
                "lintian",
                "--allow-root",
                "--fail-on",
                "error,warning",
                "--tag-display-limit",
                "0",
                self.package(platform.debian),
            )
            assert said == ""


if __name__ == "__main__":
    unittest.main()
