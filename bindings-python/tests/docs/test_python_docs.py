"""Every snippet of the Python pages, run as it stands there, with the installed wheel; and their tables, compared.

Each section of a page has a directory, a registry and ports of its own. Its blocks are taken in their order:

- with a file name behind the language: written under that name (settings, a conftest, an application);
- `python` with a `def test_`: a test file, which is run by pytest;
- other `python`: a script, which must release what it leases;
- `console`: its commands, the lines with `$ `; `sh`: all of it, and once more by `tests/docs.rs`;
- `text`, and the other lines of `console`: what the block before has printed, or the command. Every line must be there,
  in that order, and more may be; ports, PIDs, IDs, times, durations, directories, the width of a rule and connections
  that linger may differ.

Each must succeed; after `<!-- fails -->` its exit status must be 1. `packages/rehearse` runs what stands
after `<!-- rehearsed -->`: it installs portalloc.

There is no other kind, so no snippet can be left out by accident. `docker` and `testcontainers` are stubs, which bind
the published ports as an engine does (`stubs/engine.py`), since a machine without an engine must run the tests, too.
"""

from __future__ import annotations

import inspect
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import page
import portalloc
import portalloc_pytest
import pytest
from portalloc import errors, tools
from portalloc_pytest.options import add_options
from support import DEADLINE, until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support import World

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
MANUAL = ROOT / "docs" / "python.md"
README = ROOT / "bindings-python" / "README.md"
STRANGER = ROOT / "packages" / "rehearse" / "strangers" / "python.py"

SECTIONS = [(path, section) for path in (MANUAL, README) for section in page.sections(path) if section.blocks]

#: What may differ between a page and what happened here.
VARIABLE = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"), "TIME"),
    (re.compile(r"PID \d+"), "PID N"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"(?<![\w/])/(?:[^\s/:(){}]+/)*"), "FOLDER/"),
    (re.compile(r"\bpython3?(\.\d+)?\b"), "python"),
    (re.compile(r"\b\d{5}\b"), "PORT"),
    (re.compile(r"\b\d+\.\d+s"), "DURATION"),
    (re.compile(r"([-=!_])\1{2,}"), "RULE"),
    # What `wait_until_open` leaves until the server has got round to it.
    (re.compile(r"; \d+ (closed connections? that the kernel has yet to drop|connections? still to be accepted)"), ""),
)


class Scene:
    """A section's directory, and what is run in it."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name
        self._log = world.scratch / "log"
        self._tests = 0
        self._expected = 0
        stubs = str(HERE / "stubs")
        self._variables = {
            **os.environ,
            "PATH": os.pathsep.join([stubs, str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": stubs,
            "HOME": str(world.scratch),
            "COLUMNS": "100",
            "NO_COLOR": "1",
            # What may be installed here and changes what is printed, or the order of tests.
            "PYTEST_ADDOPTS": "-p no:randomly -p no:cacheprovider",
            # It would ask an index that is far away, or not there.
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_TESTRUNUID", "PYTEST_CURRENT_TEST"):
            self._variables.pop(name, None)

    def play(self, blocks: Sequence[page.Block]) -> None:
        printed = ""
        for number, block in enumerate(blocks):
            where = f"{self._name}:{block.line}"
            assert block.note in (None, "fails", "rehearsed"), f"{where}: {block.note}"
            if block.note == "rehearsed":
                is_rehearsed(where, block)
                continue
            self._expected = 1 if block.note == "fails" else 0
            if block.file is not None:
                assert "/" not in block.file, f"{where}: {block.file} is not of the scratch directory"
                commands = "".join(later.text for later in blocks[number:] if later.language == "console")
                assert "def test_" not in block.text or block.file in commands, f"{where}: nobody runs these tests"
                (self._world.work / block.file).write_text(block.text)
            elif block.language == "python" and "def test_" in block.text:
                printed = self._pytest(where, block.text)
            elif block.language == "python":
                printed = self._script(where, block.text)
            elif block.language == "sh":
                printed = self._run(where, ["sh", "-euc", block.text])
            elif block.language == "console":
                printed = self._console(where, block.text)
            elif block.language == "text":
                shows(where, block.text.splitlines(), printed)
            else:
                pytest.fail(f"{where}: nobody runs a block of {block.language!r}")

    def _pytest(self, where: str, text: str) -> str:
        self._tests += 1
        file = self._world.work / f"test_page_{self._tests}.py"
        file.write_text(text)
        return self._run(where, [sys.executable, "-m", "pytest", file.name])

    def _script(self, where: str, text: str) -> str:
        # A file, because `multiprocessing` imports it again.
        file = self._world.work / "script.py"
        file.write_text(text)
        printed = self._run(where, [sys.executable, "-W", "always::ResourceWarning", file.name])
        for warning in ("ResourceWarning", "PortallocWarning"):
            assert warning not in printed, f"{where} leaves something open:\n{printed}"
        return printed

    def _console(self, where: str, text: str) -> str:
        commands = [part.splitlines() for part in re.split(r"^\$ ", text, flags=re.MULTILINE) if part]
        printed = ""
        for command, *lines in commands:
            printed = self._run(where, ["sh", "-euc", command])
            shows(where, lines, printed)
        return printed

    def _run(self, where: str, command: Sequence[str]) -> str:
        """To its end, and everything that it leaves running, too."""
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=self._world.work,
                env=self._variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        # Not reaped before its group has been ended, so that the number stays the group's.
        flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
        try:
            until(f"the end of {where}", lambda: os.waitid(os.P_PID, process.pid, flags), 5 * DEADLINE)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            status = process.wait()
        printed = self._log.read_text(errors="replace")
        assert status == self._expected, f"{where}: exit status {status}\n{printed}"
        return printed

    def is_clean(self) -> None:
        until(
            f"nobody listens on the ports of {self._name}",
            lambda: not any(one.listening for port in self._world.ports for one in portalloc.who(port).holders),
        )
        assert portalloc.environments() == []
        assert portalloc.leases() == []
        left = [name for name in self._world.left_behind() if name.startswith(("portalloc-", ".env.isolation"))]
        assert left == []


def is_rehearsed(where: str, block: page.Block) -> None:
    """The stranger of the rehearsal types each command of the block, word for word."""
    assert block.language == "console", f"{where}: the rehearsal types commands only"
    for line in block.text.splitlines():
        command = line.removeprefix("$ ")
        assert command != line, f"{where}: not a command: {line}"
        assert f'"{command}"' in STRANGER.read_text(), f"{where}: {STRANGER.name} does not type: {command}"


def comparable(line: str) -> str:
    for pattern, word in VARIABLE:
        line = pattern.sub(word, line)
    return line.strip()


def shows(where: str, lines: Sequence[str], printed: str) -> None:
    """Whether the lines are there, in that order."""
    rest = iter([comparable(line) for line in printed.splitlines()])
    for line in lines:
        assert not line.strip() or comparable(line) in rest, f"{where}: not printed: {line}\nbut this was:\n{printed}"


@pytest.mark.parametrize(("path", "section"), SECTIONS, ids=[f"{path.name}: {one.title}" for path, one in SECTIONS])
def test_snippets(world: World, path: Path, section: page.Section) -> None:
    scene = Scene(world, str(path.relative_to(ROOT)))
    scene.play(section.blocks)
    scene.is_clean()


# --- the tables say what is there


def table(title: str) -> list[list[str]]:
    """The rows of a section's tables, with the code spans of a row's cells stripped of their marks."""
    (section,) = [one for one in page.sections(MANUAL) if one.title == title]
    return [[cell.replace("`", "") for cell in row] for row in section.rows]


def test_the_table_of_errors_is_complete() -> None:
    rows = {row[0]: (row[1], row[2]) for row in table("Errors")[1:]}
    expected = {code: (kind.__name__, built_in_base(kind)) for code, kind in errors.BY_CODE.items()}
    assert rows == expected
    assert set(rows) == set(tools.ERROR_CODES)


def built_in_base(kind: type[BaseException]) -> str:
    """The most special built-in exception that catches it."""
    return next(base for base in inspect.getmro(kind)[1:] if base.__module__ == "builtins").__name__


def test_the_table_of_fixtures_is_complete() -> None:
    rows = {row[0]: row[1] for row in table("The fixtures")[1:]}
    expected: dict[str, str] = {}
    for value in vars(portalloc_pytest).values():
        marker = getattr(value, "_fixture_function_marker", None)
        name = str(marker and (marker.name or value.__name__))
        if marker is not None and not name.startswith("_"):
            expected[name] = "session" if marker.scope == "session" else "test"
    assert expected
    assert rows == expected


def test_the_table_of_options_is_complete() -> None:
    class Parser:
        """Notes what the plugin adds."""

        def __init__(self) -> None:
            self.names: set[str] = set()

        def getgroup(self, *_: str) -> Parser:
            return self

        def addoption(self, name: str, **_: Any) -> None:
            self.names.add(name)

        def addini(self, name: str, *_: Any, **__: Any) -> None:
            self.names.add(name)

    parser = Parser()
    add_options(cast("pytest.Parser", parser))
    words = {word.split()[0] for row in table("Options")[1:] for cell in row[:2] for word in cell.split(", ") if word}
    assert words == parser.names


@pytest.mark.parametrize("path", [MANUAL, README], ids=lambda path: path.name)
def test_names_that_the_text_mentions_exist(path: Path) -> None:
    for name in re.findall(r"\bportalloc\.([A-Za-z_]+)", path.read_text()):
        assert name == "toml" or hasattr(portalloc, name), f"there is no portalloc.{name}"


def test_the_stub_of_testcontainers_has_the_signatures_of_the_original() -> None:
    """Where that is installed; it is not among what the tests need."""
    original = pytest.importorskip(
        "testcontainers.core.container", reason="testcontainers is not installed"
    ).DockerContainer
    bind = inspect.signature(original.with_bind_ports)
    assert list(bind.parameters) == ["self", "container", "host"]
    assert all(hasattr(original, name) for name in ("start", "stop", "__enter__", "__exit__"))
