#!/usr/bin/env python3
"""Every rule of check-floors has a tree that breaks it, and each tree keeps to all rules but for that."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
loader = importlib.machinery.SourceFileLoader("check_floors", str(HERE / "check-floors"))
spec = importlib.util.spec_from_loader(loader.name, loader)
assert spec is not None
check_floors = importlib.util.module_from_spec(spec)
sys.modules[loader.name] = check_floors
loader.exec_module(check_floors)

FLOORS = """
 4  lib
 3  lease
 2  registry
 1  error sys
"""
TREE = {
    "core/src/lib.rs": "mod error;\nmod lease;\nmod registry;\nmod sys;\npub use error::Error;\npub use lease::Lease;",
    "core/src/error.rs": "//! Errors. Pure.\npub struct Error;",
    "core/src/lease.rs": "//! Knows no sockets.\nuse crate::registry::{self, Slot};\npub struct Lease(Slot);\n"
    "impl Lease { fn new() { registry::open(crate::Error) } }",
    "core/src/registry/mod.rs": "//! Knows paths, not leases.\nmod slot;\npub(crate) use slot::Slot;\n"
    "pub(crate) fn open(error: crate::error::Error) { crate::sys::lock(slot::FIRST) }",
    "core/src/registry/slot.rs": "pub(crate) struct Slot;\npub(crate) const FIRST: u8 = 0;",
    "core/src/sys/mod.rs": "use std::os::fd::AsFd;\npub(crate) fn lock(byte: u8) { nix::fcntl::fcntl() }",
}


class Trees(unittest.TestCase):
    def failures(self, floors: str = "", platform: str = "", table: str = FLOORS, **files: str) -> list[str]:
        """What is said of the tree with other or more files; `core__src__lease` is core/src/lease.rs."""
        named = {name.replace("__", "/") + ".rs": text for name, text in files.items()}
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            for name, text in (TREE | named).items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            design = f"```floors\n{table}{floors}\n```\ntext\n```platform\n{platform}\n```\n"
            (root / "DESIGN.md").write_text(design)
            self.drawing = "\n".join(check_floors.draw(root))
            return check_floors.check(root)

    def one(self, *parts: str, **tree: str) -> None:
        found = self.failures(**tree)
        said = [line for line in found if not line.startswith(" ")]
        assert len(said) == 1, found
        for part in parts:
            assert part in "\n".join(found)

    def test_the_tree_itself_keeps_to_the_rules(self) -> None:
        assert self.failures() == []
        assert "  2  registry" in self.drawing

    # --- Floors

    def test_an_arrow_up(self) -> None:
        found = self.failures(core__src__sys__mod="use crate::registry::Slot;")
        assert "core/src/sys/mod.rs:1: sys (floor 1) imports registry (floor 2)" in found[0]

    def test_an_arrow_up_that_is_permitted(self) -> None:
        assert self.failures(floors="sys -> registry: it must", core__src__sys__mod="use crate::registry::Slot;") == []

    def test_an_arrow_that_is_permitted_and_not_there(self) -> None:
        self.one("sys -> registry", "no longer needed", floors="sys -> registry: it must")

    def test_an_arrow_sideways(self) -> None:
        self.one("sys (floor 1) imports error (floor 1)", core__src__sys__mod="use crate::Error;")

    def test_a_path_without_a_use(self) -> None:
        self.one("crate::registry::Slot::new", core__src__sys__mod="fn f() { crate::registry::Slot::new() }")

    def test_a_path_through_super(self) -> None:
        self.one(
            "super::super::registry::Slot",
            core__src__sys__deep="fn f() -> super::super::registry::Slot {}",
            core__src__sys__mod="mod deep;",
        )

    def test_a_method_that_another_room_adds(self) -> None:
        self.one(
            "sys (floor 1) imports lease (floor 3): .relet()",
            core__src__lease="use crate::registry::Slot;\nimpl Slot { fn relet(&self) {} }\npub struct Lease;",
            core__src__sys__mod="fn f(slot: T) { slot.relet() }",
        )

    def test_a_re_export_leads_to_the_file_that_defines(self) -> None:
        self.failures()
        assert "lease -> registry error" in self.drawing
        assert "lease -> registry lib" not in self.drawing

    def test_tests_comments_and_strings_import_nothing(self) -> None:
        text = (
            "// use crate::lease::Lease;\n/* /* crate::lease::X */ crate::lease::Y */\n"
            'const A: &str = "crate::lease::Z"; const B: &str = r#"" crate::lease::Z"#; const C: char = \'"\';\n'
            "#[cfg(test)]\nmod tests { use crate::lease::Lease; }\n"
            "#[cfg(all(test, unix))]\nuse crate::{lease::Lease, registry};\n"
        )
        found = self.failures(core__src__error=text)
        assert found == ["core/src/error.rs:6: cfg unix outside of src/sys"]

    def test_a_room_without_a_floor(self) -> None:
        self.one("extra: on no floor", core__src__extra="")

    def test_a_floor_without_its_room(self) -> None:
        self.one("ghost", "not in core/src", table=FLOORS + "5 ghost\n")

    def test_what_is_neither_a_floor_nor_an_exception(self) -> None:
        for line in ["sys -> registry", "sys <-> registry: why", "4 lib", "what: ever"]:
            with self.assertRaises(ValueError):  # noqa: PT027
                self.failures(floors=line)

    # --- Circles

    def test_a_circle_in_a_directory(self) -> None:
        self.one(
            "import circle: core/src/registry/other.rs <-> core/src/registry/slot.rs",
            core__src__registry__mod="mod other;\nmod slot;\npub(crate) use slot::Slot;\nfn open(_: Slot) {}",
            core__src__registry__slot="use super::other::Other;\npub(crate) struct Slot;",
            core__src__registry__other="pub(crate) struct Other(super::Slot);",
        )

    def test_a_circle_that_is_permitted(self) -> None:
        two = {
            "core__src__registry__mod": "mod other;\nmod slot;\npub(crate) use slot::Slot;\nfn open(_: Slot) {}",
            "core__src__registry__slot": "use super::other::Other;\npub(crate) struct Slot;",
            "core__src__registry__other": "pub(crate) struct Other(super::Slot);",
        }
        listed = "core/src/registry/other.rs <-> core/src/registry/slot.rs: each has the other"
        assert self.failures(floors=listed, **two) == []

    def test_a_re_export_alone_is_no_import(self) -> None:
        self.failures(
            core__src__registry__mod="mod slot;\npub(crate) use slot::Slot;\nconst FIRST: u8 = 0;\nfn open() {}",
            core__src__registry__slot="pub(crate) struct Slot;\nfn first() -> u8 { super::FIRST }",
        )
        assert "<->" not in self.drawing.split("Circles of files")[1]

    def test_a_circle_that_is_permitted_and_not_there(self) -> None:
        self.one("no circle", floors="core/src/error.rs <-> core/src/lease.rs: why")

    def test_a_circle_of_another_crate(self) -> None:
        self.one(
            "cli/src/a.rs <-> cli/src/b.rs",
            cli__src__lib="mod a;\nmod b;",
            cli__src__a="use crate::b::B;\nstruct A;",
            cli__src__b="use crate::a::A;\nstruct B;",
        )

    # --- Headers

    def test_a_header_that_denies_what_is_imported(self) -> None:
        self.one("knows no registry", core__src__lease="//! Knows no registry.\nuse crate::registry::Slot;")

    def test_a_header_with_several_words(self) -> None:
        for header in [
            "Knows no pool, no registry",
            "knows neither sockets nor the registry",
            "Knows sockets, not the registry",
        ]:
            self.one("knows no registry", core__src__lease=f"//! A lease.\n//! {header}.\nuse crate::registry::Slot;")

    def test_a_header_that_denies_a_foreign_crate(self) -> None:
        self.one(
            "socket2::Domain",
            "knows no sockets",
            core__src__lease="//! Knows no sockets.\nuse socket2::{Domain, Socket};",
        )

    def test_a_header_of_a_directory_holds_for_all_in_it(self) -> None:
        self.one(
            "core/src/registry/slot.rs:1: socket2::Socket",
            core__src__registry__mod="//! Knows no sockets.\nmod slot;\npub(crate) fn open() {}",
            core__src__registry__slot="use socket2::Socket;\npub(crate) struct Slot;",
            core__src__lease="pub struct Lease;",
        )

    def test_an_address_is_no_socket(self) -> None:
        assert (
            self.failures(core__src__lease="//! Pure. Knows no sockets.\nuse std::net::IpAddr;\npub struct Lease;")
            == []
        )

    def test_what_is_pure_and_is_not(self) -> None:
        for path in [
            "std::fs::File",
            "std::env",
            "std::net::TcpListener",
            "std::process::Command",
            "crate::registry::Slot",
        ]:
            self.one("says that it is pure", core__src__lease=f"//! Things. Pure: all of it.\nuse {path};")

    def test_what_is_pure_and_writes_a_path_out(self) -> None:
        self.one("std::fs::read", core__src__lease="//! Pure.\nfn f() { std::fs::read() }")

    def test_what_is_pure_may_import_what_is_pure(self) -> None:
        assert (
            self.failures(
                core__src__registry__slot="//! Pure.\npub(crate) struct Slot;\npub(crate) const FIRST: u8 = 0;",
                core__src__lease="//! Pure.\nuse crate::registry::Slot;",
            )
            == []
        )

    def test_a_header_with_an_unknown_word(self) -> None:
        self.one("'unicorns'", core__src__lease="//! Knows no unicorns.")

    # --- The platform's border

    def test_the_platform_outside_of_sys(self) -> None:
        for text in [
            "use std::os::fd::AsFd;",
            "use std::{fs, os::unix::fs::MetadataExt};",
            "fn f() { rustix::fs::unlink() }",
            '#[cfg(target_os = "linux")] fn f() {}',
            "fn f() { if cfg!(windows) {} }",
            "#[cfg(test)] mod tests { use nix::unistd::fork; }",
        ]:
            self.one("core/src/lease.rs:1: ", "outside of src/sys", core__src__lease=text)

    def test_the_platform_where_it_is_listed(self) -> None:
        listed = "core/src/lease.rs std::os::fd: a lease is a descriptor"
        assert self.failures(platform=listed, core__src__lease="use std::os::fd::AsFd;") == []

    def test_the_platform_where_it_is_listed_and_not_there(self) -> None:
        self.one("core/src/lease.rs std::os::fd", "not there", platform="core/src/lease.rs std::os::fd: why")

    def test_a_crate_without_unix_in_its_name_only(self) -> None:
        assert self.failures(core__src__lease="mod phoenix { fn f() { phoenix::x() } }") == []


if __name__ == "__main__":
    unittest.main()
