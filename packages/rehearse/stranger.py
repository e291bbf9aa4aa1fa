"""Somebody who has never seen this project, in an empty directory, and types what the page says."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from packages.common import DIST
from packages.rehearse.case import FailedError
from packages.rehearse.pages import Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packages.rehearse.case import Case

# What clients keep for their next download, below HOME. It is neither installed nor left behind.
CACHES = (
    ".cache",
    ".npm",
    ".bun/install/cache",
    ".yarn/berry/cache",
    ".cargo/registry",
    "go/pkg/mod/cache",
    ".local/state",
)


class Ground(Protocol):
    """Where a stranger types: a chroot, or a fresh directory of this machine."""

    home: Path  # as this process sees it
    home_inside: str  # as the stranger sees it
    written: Path  # the directory below which all lies that the stranger has written
    path: list[str]
    env: dict[str, str]  # the addresses of the registries, and what else this ground needs

    def words(self, command: str, env: Mapping[str, str], directory: str, root: bool) -> list[str]:
        """What to execute so that bash runs the command there."""
        ...


@dataclass
class Typed:
    """One command, and how it went."""

    command: str
    on_page: bool
    seconds: float
    grown: int | None = None


class Stranger:
    """What a case may do. Every command has a time limit, and one that fails ends the case."""

    def __init__(self, case: Case, ground: Ground, log: IO[bytes]) -> None:
        self.case = case
        self.ground = ground
        self.page = Page(case.page)
        self.env = dict(ground.env)
        self.typed: list[Typed] = []
        # What the client installed, in bytes.
        self.size: int | None = None
        self.project = ground.home / "project"
        self.log = log
        # What of dist/ this case has installed without a registry that could tell.
        self.used: set[str] = set()
        self.living: list[subprocess.Popen[bytes]] = []

    # --- What a stranger types

    def types(self, command: str, *, limit: float = 120, fails: bool = False) -> str:
        """A command that is on the page, word for word. Returns what it printed."""
        self.page.require(command)
        return self._run(command, True, limit, fails)

    def installs(self, command: str, *, limit: float = 300) -> str:
        """The same, for the command that installs: the table has what it added to the disk, caches left out."""
        before = self.bytes()
        output = self.types(command, limit=limit)
        self.size = (self.size or 0) + self.bytes() - before
        self.typed[-1].grown = self.size
        return output

    def runs(self, number: int, *, limit: float = 120) -> str:
        """A script of the page, by its place among those that are marked `sh`."""
        return self._run(self.page.example("sh", number), True, limit, False)

    def downloads(self, name: str) -> None:
        """A file of `dist/`, which the page fetches by `curl -LO` from the release."""
        file = name.rsplit("/", 1)[-1]
        if not any(
            command.startswith("curl -LO ") and command.endswith(f"/{file}") for command in self.page.commands()
        ):
            raise LookupError(f"{self.page.name} does not fetch {file} by `$ curl -LO`")
        self.is_given(name)

    def is_given(self, name: str) -> None:
        """A file of `dist/` that the page only mentions."""
        path = self.project / name.rsplit("/", 1)[-1]
        shutil.copyfile(DIST / name, path)
        give(path, self.project)
        self.used.add(name)

    def does(self, command: str, *, limit: float = 120, fails: bool = False, root: bool = False) -> str:
        """What the page takes for granted (`git init`, `python -m venv`), or what only the rehearsal wants to know."""
        return self._run(command, False, limit, fails, root=root)

    def starts(self, command: str) -> subprocess.Popen[bytes]:
        """A command that goes on while others run, with pipes for input and output. The end of the case kills it."""
        self.log.write(f"\n& {command}\n".encode())
        self.log.flush()
        process = subprocess.Popen(
            self._words(command),
            bufsize=0,  # so that what can be read waits in the pipe, where `reads` sees it
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            start_new_session=True,
        )
        self.living.append(process)
        return process

    def reads(self, process: subprocess.Popen[bytes], *, limit: float = 60) -> str:
        """The next line of a command that goes on."""
        assert process.stdout
        if not select.select([process.stdout], [], [], limit)[0]:
            raise FailedError(f"what was started said nothing for {limit:.0f} s")
        return process.stdout.readline().decode(errors="replace")

    def kills(self, process: subprocess.Popen[bytes]) -> None:
        """By SIGKILL, with all that it has started."""
        kill(process)

    # --- What a stranger's editor does

    def writes(self, name: str, text: str) -> None:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        give(path, self.project)

    def copies_example(self, name: str, language: str, number: int = 0) -> None:
        """The page's example, word for word, into a file."""
        self.writes(name, self.page.example(language, number))

    def uses(self, pattern: str) -> list[str]:
        """Says that this case installs files of dist/ that no registry sees: Go reads them as they are."""
        found = [str(path.relative_to(DIST)) for path in sorted(DIST.glob(pattern))]
        if not found:
            raise FailedError(f"dist/ has nothing like {pattern}")
        self.used.update(found)
        return found

    # --- What is there

    def files(self) -> dict[str, tuple[int, int]]:
        """Every file below HOME except for caches and Python's compiled files: its mode and size, by its path."""
        return {
            str(path.relative_to(self.ground.home)): (path.lstat().st_mode, path.lstat().st_size)
            for path in self._walk(self.ground.home)
        }

    @contextmanager
    def leaving_nothing(self, *, but: tuple[str, ...] = ()) -> Iterator[None]:
        """Fails if the block leaves more files than there were, or fewer; `but` names what is the client's own."""
        before = self.files()
        yield
        after = self.files()
        kept = {name for name in after.keys() - before.keys() if not name.startswith(but)}
        gone = {name for name in before.keys() - after.keys() if not name.startswith(but)}
        if kept or gone:
            raise FailedError(f"uninstalling left {sorted(kept)} and took away {sorted(gone)}")

    def expects(self, wanted: str, output: str) -> None:
        if wanted not in output:
            raise FailedError(f"expected {wanted!r} in:\n{output}")

    def bytes(self) -> int:
        """Of all that was written, wherever that is: packages of Debian lie in /usr."""
        return sum(path.lstat().st_size for path in self._walk(self.ground.written))

    def leaves(self) -> None:
        """Ends what the case has started."""
        for process in self.living:
            if process.poll() is None:
                kill(process)

    def _walk(self, top: Path) -> list[Path]:
        caches = tuple(f"{self.ground.home_inside}/{cache}" for cache in CACHES)
        found = []
        for directory, names, files in os.walk(top):
            names[:] = [name for name in names if name != "__pycache__" and not f"{directory}/{name}".endswith(caches)]
            found += [Path(directory, name) for name in files]
            found += [Path(directory, name) for name in names if Path(directory, name).is_symlink()]
        return found

    def _words(self, command: str, root: bool = False) -> list[str]:
        env = {
            "HOME": self.ground.home_inside,
            "PATH": ":".join(self.ground.path),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            **self.env,
        }
        return self.ground.words(command, env, f"{self.ground.home_inside}/project", root)

    def _run(self, command: str, on_page: bool, limit: float, fails: bool, root: bool = False) -> str:
        self.log.write(f"\n{'$' if on_page else '+'} {command}\n".encode())
        self.log.flush()
        start = self.log.tell()
        began = time.monotonic()
        # Into the file, not into a pipe: what a command leaves in the background must not make this wait.
        process = subprocess.Popen(
            self._words(command, root),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        try:
            status: int | None = process.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            kill(process)
        seconds = time.monotonic() - began
        self.typed.append(Typed(command, on_page, seconds))
        with Path(self.log.name).open("rb") as log:
            log.seek(start)
            output = log.read().decode(errors="replace")
        self.log.seek(0, os.SEEK_END)
        if status is None:
            raise FailedError(f"`{command}` took more than {limit:.0f} s:\n{output}")
        if (status != 0) != fails:
            raise FailedError(f"`{command}` ended with status {status}:\n{output}")
        return output


def kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that leads a session, alive or reaped just now, and what it has started in that session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def give(path: Path, like: Path) -> None:
    """A file and the directories above it belong to whoever owns `like`."""
    owner = like.stat()
    for each in [path, *path.parents]:
        if each == like:
            return
        os.chown(each, owner.st_uid, owner.st_gid)
