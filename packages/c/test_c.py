"""What dist/c/ has, as its users see it: `make dist-c` first, then `make test-c-packages`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from packages.common import DIST, Platform, platforms, version

EXAMPLES = "share/doc/portalloc/examples"
FILES = ["include/portalloc.h", "include/portalloc.hpp", "lib/libportalloc.a", "lib/libportalloc.so"]
FILES += ["lib/pkgconfig/portalloc.pc", "lib/pkgconfig/portalloc-static.pc"]
FILES += ["lib/cmake/portalloc/portalloc-config.cmake", "lib/cmake/portalloc/portalloc-config-version.cmake"]
FILES += [f"{EXAMPLES}/server.c", f"{EXAMPLES}/CMakeLists.txt", "share/doc/portalloc/LICENSE-THIRD-PARTY"]
MACHINES = {"x86_64": "X86-64", "aarch64": "AArch64"}


class Unpacked:
    """An archive in a directory to which it was moved after it was unpacked."""

    def __init__(self, test: unittest.TestCase, platform: Platform) -> None:
        self.test = test
        scratch = tempfile.TemporaryDirectory()
        test.addCleanup(scratch.cleanup)
        name = f"portalloc-c-{version()}-{platform.name}"
        subprocess.run(["tar", "-C", scratch.name, "-xzf", DIST / "c" / f"{name}.tar.gz"], check=True)
        self.work = Path(scratch.name) / "work"
        self.work.mkdir()
        self.top = Path(scratch.name) / "moved"
        (Path(scratch.name) / name).rename(self.top)

    def says(self, script: str) -> str:
        ours = {"PKG_CONFIG_PATH": f"{self.top}/lib/pkgconfig", "PORTALLOC_DIR": f"{self.work}/registry"}
        ran = subprocess.run(
            ["sh", "-euc", f"flags() {{ pkg-config --cflags --libs $1; }}\n{script}"],
            cwd=self.work,
            env={**os.environ, **ours, "TOP": str(self.top), "EXAMPLES": f"{self.top}/{EXAMPLES}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, f"{script}\n{ran.stdout}"
        return ran.stdout


class Archives(unittest.TestCase):
    def test_each_has_everything_and_is_for_its_machine(self) -> None:
        for platform in platforms():
            with self.subTest(platform.name):
                unpacked = Unpacked(self, platform)
                for path in FILES:
                    assert (unpacked.top / path).is_file(), path
                    assert str(Path.home()).encode() + b"/." not in (unpacked.top / path).read_bytes(), path
                header = unpacked.says("readelf --file-header $TOP/lib/libportalloc.so")
                assert MACHINES[platform.architecture] in header

    def test_the_shared_library_needs_no_newer_glibc_than_is_promised(self) -> None:
        for platform in platforms():
            said = Unpacked(self, platform).says("readelf --wide --dynamic --dyn-syms $TOP/lib/libportalloc.so")
            needed = {tuple(map(int, number.split("."))) for number in re.findall(r"@GLIBC_([\d.]+)", said)}
            if platform.glibc is None:
                assert not needed, f"{platform.name} needs glibc"
            else:
                assert max(needed) <= tuple(map(int, platform.glibc.split("."))), platform.name
            assert "libgcc_s" not in said, "the unwinder is in the library"

    def test_programs_that_are_linked_with_glibc(self) -> None:
        platform = next(platform for platform in platforms() if platform.is_here and not platform.is_musl)
        said = Unpacked(self, platform).says(
            """
            cc $EXAMPLES/server.c -o shared $(flags portalloc) -Wl,-rpath,$TOP/lib
            cc $EXAMPLES/server.c -o archive $(flags portalloc-static)
            cc -static $EXAMPLES/server.c -o static $(flags portalloc-static)
            c++ -std=c++17 -pthread $EXAMPLES/server.cpp -o cpp $(flags portalloc-static)
            c++ -std=c++17 -pthread -static $EXAMPLES/server.cpp -o cpp-static $(flags portalloc-static)
            for program in shared archive static cpp cpp-static; do ./$program; done
            readelf --dynamic static cpp-static
            """
        )
        assert said.count("hello on port") == 5, said
        assert said.count("no dynamic section") == 2, said

    def test_programs_that_are_linked_with_musl(self) -> None:
        if not shutil.which("musl-gcc"):
            self.skipTest("there is no musl-gcc here")
        platform = next(platform for platform in platforms() if platform.is_here and platform.is_musl)
        said = Unpacked(self, platform).says(
            """
            musl-gcc $EXAMPLES/server.c -o shared $(flags portalloc) -Wl,-rpath,$TOP/lib
            musl-gcc $EXAMPLES/server.c -o archive $(flags portalloc-static)
            musl-gcc -static $EXAMPLES/server.c -o static $(flags portalloc-static)
            for program in shared archive static; do ./$program; done
            readelf --dynamic static
            """
        )
        assert said.count("hello on port") == 3, said
        assert "no dynamic section" in said

    def test_cmake_finds_both_libraries(self) -> None:
        if not shutil.which("cmake"):
            self.skipTest("there is no cmake here")
        platform = next(platform for platform in platforms() if platform.is_here and not platform.is_musl)
        said = Unpacked(self, platform).says(
            """
            cmake -S $EXAMPLES -B built -DCMAKE_PREFIX_PATH=$TOP
            cmake --build built
            cd built && ctest --output-on-failure --timeout 60
            """
        )
        assert "100% tests passed" in said


if __name__ == "__main__":
    unittest.main()
