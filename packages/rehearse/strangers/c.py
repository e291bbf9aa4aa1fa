"""The archive of the library for C and C++: pkg-config and CMake, shared and static."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packages.common import Platform, platforms, version
from packages.rehearse.case import Case, Room, Shelf

if TYPE_CHECKING:
    from packages.rehearse.stranger import Stranger

PAGE = "docs/c.md"
BOTH = frozenset({"cc", "gcc", "c++", "g++"})
PKG_CONFIG = Room(("g++", "pkg-config"), compilers=BOTH)
CMAKE = Room(("g++", "cmake", "make"), compilers=BOTH)
MUSL = Room(("gcc", "musl-tools", "pkg-config"), compilers=frozenset({"cc", "gcc"}))


def shelf(_: bool) -> Shelf:
    return Shelf()


def cases(short: bool) -> list[Case]:
    if short:
        return []
    return [
        Case("pkg-config", PAGE, PKG_CONFIG, by_pkg_config),
        Case("CMake", PAGE, CMAKE, by_cmake),
        Case("musl-gcc", PAGE, MUSL, with_musl),
    ]


def archive(is_musl: bool) -> str:
    here: Platform = next(each for each in platforms() if each.is_here and each.is_musl == is_musl)
    return f"portalloc-c-{version()}-{here.name}.tar.gz"


def unpacks(stranger: Stranger) -> None:
    name = archive(is_musl=False)
    stranger.downloads(f"c/{name}")
    stranger.types("mkdir -p ~/.local")
    stranger.installs(f"tar -xzf {name} --strip-components=1 -C ~/.local")


def by_pkg_config(stranger: Stranger) -> None:
    unpacks(stranger)
    stranger.copies_example("port.c", "c", 1)
    stranger.runs(0)  # with the shared library
    stranger.env["PKG_CONFIG_PATH"] = f"{stranger.ground.home_inside}/.local/lib/pkgconfig"
    stranger.runs(1)  # with the static one
    stranger.does("cc -static port.c -o alone $(pkg-config --cflags --libs portalloc-static)")
    stranger.does('test "$(./alone)" -gt 0')
    stranger.copies_example("server.cpp", "cpp", 1)
    static = "c++ -std=c++17 -static server.cpp -o alone-cpp $(pkg-config --cflags --libs portalloc-static)"
    stranger.does(static)
    stranger.expects("hello on port", stranger.does("./alone-cpp"))


def by_cmake(stranger: Stranger) -> None:
    unpacks(stranger)
    stranger.copies_example("CMakeLists.txt", "cmake")
    stranger.copies_example("server.c", "c", 2)
    stranger.copies_example("server.cpp", "cpp", 1)
    stranger.runs(2)
    stranger.expects("100% tests passed, 0 tests failed out of 2", stranger.does("cat log"))


def with_musl(stranger: Stranger) -> None:
    name = archive(is_musl=True)
    stranger.is_given(f"c/{name}")
    stranger.types("mkdir -p ~/.local")
    # The page's command, for the other platform that it names.
    stranger.does(f"tar -xzf {name} --strip-components=1 -C ~/.local")
    stranger.copies_example("port.c", "c", 1)
    stranger.env["PKG_CONFIG_PATH"] = f"{stranger.ground.home_inside}/.local/lib/pkgconfig"
    rpath = '-Wl,-rpath,"$(pkg-config --variable=libdir portalloc)"'
    stranger.does(f"musl-gcc port.c -o shared $(pkg-config --cflags --libs portalloc) {rpath}")
    stranger.does("musl-gcc port.c -o static $(pkg-config --cflags --libs portalloc-static)")
    stranger.does("musl-gcc -static port.c -o alone $(pkg-config --cflags --libs portalloc-static)")
    for program in ["shared", "static", "alone"]:
        stranger.does(f'test "$(./{program})" -gt 0')
