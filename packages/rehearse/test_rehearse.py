"""The rehearsal fails where it should: a rehearsal that cannot fail says nothing."""

from __future__ import annotations

import os
import re
import socket
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

from packages.common import version
from packages.rehearse import crates, network, pages, public
from packages.rehearse.__main__ import may_be
from packages.rehearse.case import Case, FailedError, Room
from packages.rehearse.grounds import fresh_directory
from packages.rehearse.pages import Page
from packages.rehearse.registries import Forwarder
from packages.rehearse.stranger import Stranger

PAGE = """# Page

```console
$ pip install portalloc
Successfully installed
$ first \\
    second
```

1. In a list:

   ```python
   if True:
       pass
   ```

```python
second = 2
```
"""


class OnPage(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = Path(place.name)
        (self.place / "page.md").write_text(PAGE)
        patched = patch.object(pages, "ROOT", self.place)
        patched.start()
        self.addCleanup(patched.stop)
        self.page = Page("page.md")

    def test_commands(self) -> None:
        assert self.page.commands() == ["pip install portalloc", "first     second"]

    def test_a_command_that_the_page_does_not_have(self) -> None:
        self.page.require("pip install portalloc")
        for other in ("pip install portallo", "pip install portalloc --quiet", "Successfully installed"):
            with self.subTest(other=other), self.assertRaisesRegex(LookupError, re.escape(other)):
                self.page.require(other)

    def test_examples(self) -> None:
        assert self.page.example("python") == "if True:\n    pass\n"
        assert self.page.example("python", 1) == "second = 2\n"
        with self.assertRaisesRegex(LookupError, "has 2 blocks of python"):
            self.page.example("python", 2)


class InFreshDirectory(OnPage):
    def setUp(self) -> None:
        super().setUp()
        room = Room()
        self.log = (self.place / "log").open("wb")
        self.addCleanup(self.log.close)
        entered = fresh_directory(room, {"ADDRESS": "http://127.0.0.1:1/"})
        self.stranger = Stranger(Case("case", "page.md", room, lambda _: None), entered.__enter__(), self.log)
        self.addCleanup(entered.__exit__, None, None, None)
        self.addCleanup(self.stranger.leaves)

    def test_the_environment_is_the_addresses_and_little_else(self) -> None:
        with patch.dict(os.environ, {"SECRET_OF_THE_CALLER": "yes"}):
            said = self.stranger.does("env")
        names = set(re.findall(r"^(\w+)=", said, re.M)) - {"PWD", "SHLVL", "_", "OLDPWD"}
        assert names == {"HOME", "PATH", "LANG", "TERM", "ADDRESS", "PORTALLOC_DIR", "PORTALLOC_POOL"}, names

    def test_a_command_that_fails(self) -> None:
        with self.assertRaisesRegex(FailedError, "ended with status 3:\nwhat it said"):
            self.stranger.does("echo what it said; exit 3")

    def test_a_command_that_should_fail_and_does_not(self) -> None:
        with self.assertRaisesRegex(FailedError, "status 0"):
            self.stranger.does("true", fails=True)

    def test_a_command_that_hangs(self) -> None:
        with self.assertRaisesRegex(FailedError, r"took more than 0 s"):
            self.stranger.does("sleep 1000", limit=0.2)

    def test_what_uninstalling_leaves(self) -> None:
        with self.stranger.leaving_nothing():
            self.stranger.does("mkdir -p ~/.cache ~/kept && touch ~/.cache/cached")
        with self.assertRaisesRegex(FailedError, "kept/file"), self.stranger.leaving_nothing():
            self.stranger.does("touch ~/kept/file")
        with self.assertRaisesRegex(FailedError, "took away .*kept/file"), self.stranger.leaving_nothing():
            self.stranger.does("rm ~/kept/file")
        with self.stranger.leaving_nothing(but=("kept/",)):
            self.stranger.does("touch ~/kept/file")

    def test_a_text_that_is_not_there(self) -> None:
        with self.assertRaisesRegex(FailedError, "expected '1 passed'"):
            self.stranger.expects("1 passed", "1 failed")


class Patterns(unittest.TestCase):
    def test_modules_that_may_be_meant(self) -> None:
        for pattern in ("*", "python*", "py*", "python: pip*", "*pip*", "python: pip, Python 3.12"):
            with self.subTest(pattern=pattern):
                assert may_be("python", pattern)
        for pattern in ("npm*", "pythons*", "go: *"):
            with self.subTest(pattern=pattern):
                assert not may_be("python", pattern)


class Registries(unittest.TestCase):
    def test_what_npm_clients_ask_for(self) -> None:
        with tempfile.TemporaryDirectory() as place, patch("packages.rehearse.registries.DIST", Path(place)):
            Path(place, "npm").mkdir()
            for name in ("portalloc-0.1.0.tgz", "portalloc-linux-x64-gnu-0.1.0.tgz"):
                Path(place, "npm", name).touch()
            for request in (b"/@portalloc/linux-x64-gnu/-/linux-x64-gnu-0.1.0.tgz",
                            b"/@portalloc%2flinux-x64-gnu/-/linux-x64-gnu-0.1.0.tgz"):  # fmt: skip
                fetched: set[str] = set()
                with Forwarder("unused", fetched) as forwarder:
                    forwarder.sees(b"GET /jest/-/jest-30.0.0.tgz HTTP/1.1\r\n\r\nGET " + request + b" HTTP/1.1\r\n\r\n")
                    assert fetched == {"npm/portalloc-linux-x64-gnu-0.1.0.tgz"}, fetched

    def test_a_renamed_dependency_in_the_index(self) -> None:
        dependency = {
            "name": "portalloc", "explicit_name_in_toml": "portalloc-core", "version_req": "^0.1.0", "features": [],
            "optional": False, "default_features": True, "target": None, "kind": "normal",
        }  # fmt: skip
        described = {"name": "portalloc-cli", "vers": "0.1.0", "deps": [dependency], "features": {}}
        (found,) = crates.entry(described, "0" * 64)["deps"]
        assert (found["name"], found["package"], found["req"]) == ("portalloc-core", "portalloc", "^0.1.0")

    def test_who_has_what_at_public_names(self) -> None:
        with tempfile.TemporaryDirectory() as place, patch.object(public, "DIST", Path(place)):
            Path(place, "command").mkdir()
            Path(place, "command/archive.tar.gz").touch()
            here = {
                "PORTALLOC_REHEARSAL_CRATES": "sparse+http://127.0.0.1:1/index/",
                "PORTALLOC_REHEARSAL_FILES": "http://127.0.0.1:2",
            }
            source = public.Public(here).source
            release = f"/portalloc/portalloc/releases/download/v{version()}"
            assert source("index.crates.io", "/po/rt/portalloc") == "http://127.0.0.1:1/index/po/rt/portalloc"
            assert source("static.crates.io", "/crates/a/1.0.0/download") == "http://127.0.0.1:1/crates/a/1.0.0"
            assert source("github.com", f"{release}/archive.tar.gz") == "http://127.0.0.1:2/command/archive.tar.gz"
            assert source("github.com", f"{release}/command/archive.tar.gz") is None
            assert source("github.com", "/portalloc/portalloc/releases/download/v9.9.9/archive.tar.gz") is None
            assert source("quickinstall.example", f"{release}/archive.tar.gz") is None

    def test_a_network_that_reaches_others_is_noticed(self) -> None:
        """The counterpart of the rehearsal's first case: here there is more than a loopback."""
        if [name for _, name in socket.if_nameindex()] == ["lo"]:
            self.skipTest("this machine has nothing but a loopback itself")
        assert network.reaches_nothing() is not None


if __name__ == "__main__":
    unittest.main()
