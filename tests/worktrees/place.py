"""A place for one test: a registry, a pool, a home, and checkouts of the example. Whatever it starts ends with it.

If root runs the tests, everything in it runs as `nobody`: PostgreSQL refuses root, and for root nobody's process is a
closed book. Knows no expectation and no single test.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from processes import DEADLINE, end_descendants, is_alive, reap, until

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/worktrees"

#: `nobody`, on every Linux that has a name for it. PostgreSQL wants a user with a name.
UNPRIVILEGED = 65534

IS_ROOT = os.getuid() == 0


def give_away(path: Path) -> None:
    """To the user that everything runs as."""
    if IS_ROOT:
        subprocess.run(["chown", "--recursive", "--no-dereference", f"{UNPRIVILEGED}:{UNPRIVILEGED}", path], check=True)


class Finished:
    """What a command has done."""

    def __init__(self, status: int, output: str, errors: str) -> None:
        self.status = status
        self.output = output
        self.errors = errors

    def __repr__(self) -> str:
        return f"status {self.status}\n{self.output}\n{self.errors}"


class Place:
    """See above."""

    def __init__(self, scratch: Path, programs: Path, ports: Sequence[int]) -> None:
        self.scratch = scratch
        self.programs = programs
        self.ports = tuple(ports)
        self.pool = f"{self.ports[0]}-{self.ports[-1]}"
        # Short: TEMP_DIR lies in it.
        self.temp = scratch / "t"
        self._started: list[subprocess.Popen[str]] = []
        for directory in (self.temp, scratch / "home"):
            directory.mkdir()
        give_away(scratch)
        self.environment = {
            "PATH": f"{programs / 'bin'}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(scratch / "home"),
            "USER": "nobody",
            "SHELL": "/bin/bash",
            "TERM": "xterm",
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "TMPDIR": str(self.temp),
            "TMUX_TMPDIR": str(self.temp),
            "PORTALLOC_DIR": str(scratch / "registry"),
            "PORTALLOC_POOL": self.pool,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "me",
            "GIT_AUTHOR_EMAIL": "me@example.com",
            "GIT_COMMITTER_NAME": "me",
            "GIT_COMMITTER_EMAIL": "me@example.com",
            "npm_config_update_notifier": "false",
            "DO_NOT_TRACK": "1",
        }

    def start(self, command: str | Sequence[str], folder: Path, *, as_root: bool = False, **more: Any) -> Started:
        """Starts a program, or what a shell makes of a string, in a session of its own."""
        log = self.scratch / f"log-{len(self._started)}"
        user: dict[str, Any] = {}
        if IS_ROOT and not as_root:
            user = {"user": UNPRIVILEGED, "group": UNPRIVILEGED, "extra_groups": []}
        with log.open("w") as output, log.with_suffix(".err").open("w") as errors:
            process = subprocess.Popen(
                ["bash", "-c", command] if isinstance(command, str) else command,
                cwd=folder,
                env={**self.environment, **more.pop("env", {})},
                stdin=more.pop("stdin", subprocess.DEVNULL),
                stdout=output,
                stderr=errors,
                start_new_session=True,
                text=True,
                **user,
                **more,
            )
        self._started.append(process)
        return Started(process, log)

    def run(self, command: str | Sequence[str], folder: Path, **more: Any) -> Finished:
        """Runs one to its end. Daemons that it leaves behind have no pipe of ours that one would wait for."""
        return self.start(command, folder, **more).finish()

    def do(self, command: str | Sequence[str], folder: Path, **more: Any) -> str:
        """Runs one that must succeed. Returns its output."""
        finished = self.run(command, folder, **more)
        assert finished.status == 0, f"{command} in {folder}: {finished}"
        return finished.output

    def repository(self, name: str = "main") -> Worktree:
        """A new repository with the example, on the branch `main`."""
        folder = self.scratch / name
        installed = {"node_modules", ".venv"}
        shutil.copytree(EXAMPLE, folder, ignore=lambda _, names: installed.intersection(names))
        give_away(folder)
        worktree = Worktree(self, folder)
        worktree.say(name)
        self.do("git init -q -b main . && git add . && git commit -qm 'The example'", folder)
        worktree.install()
        return worktree

    def list(self) -> Any:
        """What `portalloc list --json` says."""
        return json.loads(self.do("portalloc list --json", self.temp))

    def reap(self) -> None:
        reap({process.pid for process in self._started})

    def is_alive(self, pid: int) -> bool:
        self.reap()
        return is_alive(pid)

    def end(self) -> None:
        """Ends what is left, and prints what all have said: pytest shows it if the test has failed."""
        end_descendants({process.pid for process in self._started})
        for number, process in enumerate(self._started):
            process.wait()
            log = self.scratch / f"log-{number}"
            said = log.read_text() + log.with_suffix(".err").read_text()
            if said:
                print(f"--- {process.args!r} ended with {process.returncode}\n{said}")


class Started:
    """A process that this test has started, and that its place ends."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.pid = process.pid
        self._log = log

    def output(self) -> str:
        return self._log.read_text()

    def errors(self) -> str:
        return self._log.with_suffix(".err").read_text()

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def finish(self) -> Finished:
        try:
            status = self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.process.args!r} does not end: {self.output()}{self.errors()}") from None
        return Finished(status, self.output(), self.errors())

    def interrupt(self) -> None:
        """What Ctrl-C does, to it and to what it has started."""
        os.killpg(self.pid, signal.SIGINT)


class Worktree:
    """A checkout of the example."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place = place
        self.folder = folder

    def say(self, name: str) -> None:
        (self.folder / "greeting.txt").write_text(f"Hello from {name}\n")

    def install(self) -> None:
        """What `npm install` and `pip install` do, from what is installed already."""
        installed = self.place.programs / "installed"
        # Hard links: Vite keeps a cache in its own directory, and each worktree has its own.
        self.place.do(["cp", "-dRl", str(installed / "node_modules"), "."], self.folder)
        (self.folder / ".venv").symlink_to(installed / "venv")

    def add(self, name: str, folder: str) -> Worktree:
        """Another worktree of the repository, on its own branch with its own text, at a path relative to this one."""
        self.do(f"git worktree add -q -b {name} {folder}")
        worktree = Worktree(self.place, Path(os.path.normpath(self.folder / folder)))
        worktree.say(name)
        worktree.do(f"git commit -qam 'Greetings from {name}'")
        worktree.install()
        return worktree

    def start(self, command: str | Sequence[str], **more: Any) -> Started:
        return self.place.start(command, self.folder, **more)

    def run(self, command: str | Sequence[str], **more: Any) -> Finished:
        return self.place.run(command, self.folder, **more)

    def do(self, command: str | Sequence[str], **more: Any) -> str:
        return self.place.do(command, self.folder, **more)

    def port(self, name: str) -> int:
        return int(self.do(f"portalloc port --ensure {name}"))

    def is_up(self, *names: str) -> None:
        """Waits until this worktree's own servers answer."""
        self.do(f"portalloc wait --mine --timeout 50s {' '.join(names)}")

    def is_free(self, port: int) -> None:
        """Waits until nobody listens on this port."""
        from processes import listeners

        until(f"port {port} is free", lambda: not listeners(port))
