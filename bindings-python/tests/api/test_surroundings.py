"""What a process may be started with or get into: no HOME, a directory that is gone, few descriptors, any umask."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import portalloc
import pytest
from support import DEADLINE, run

if TYPE_CHECKING:
    from support import World

NOBODY = 65534

# Each with everything that it makes, to its end.
USES = """
import os, portalloc, socket

def use():
    with portalloc.lease(2, guard=True) as lease:
        lease.socket().close()
        assert portalloc.who(lease.port).leased
    assert portalloc.give_back(portalloc.port())
    for arguments in ({}, {"kept": True}, {"env_file": True}):
        environment = portalloc.environment(2, worktree=WORKTREE, **arguments)
        (environment.temp_dir / "file").write_text("text")
        assert portalloc.validate(environment.id)
        assert portalloc.attach(environment.id).ports == environment.ports
        environment.cleanup()
    portalloc.cleanup_stale()
    assert portalloc.leases() == portalloc.environments() == []
"""


def passes(world: World, code: str) -> None:
    done = run(f"WORKTREE = {str(world.work)!r}\n{USES}\n{code}", flags=["-W", "error"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert world.left_behind() == []


def test_without_a_home(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    passes(world, "assert 'HOME' not in os.environ\nuse()")


def test_without_any_variable_but_its_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if not name.startswith("PORTALLOC_") and name != "TMPDIR":
            monkeypatch.delenv(name)
    passes(world, "use()")


def test_in_a_directory_that_is_gone(world: World) -> None:
    passes(world, "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')\nuse()")


def test_an_environment_of_a_directory_that_is_gone_is_refused(world: World) -> None:
    done = run(
        "import os, portalloc\n"
        "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')\n"
        "try:\n"
        "    portalloc.environment(1)\n"
        "except portalloc.Error as error:\n"
        "    print(error.code, '|', error)\n"
    )
    code, _, text = done.stdout.partition(" | ")
    assert code == "invalid_argument", done.stderr
    assert "worktree" in text
    assert portalloc.leases() == []
    assert world.left_behind() == []


FEW = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))\n"


def test_with_sixteen_descriptors(world: World) -> None:
    passes(world, FEW + "use()")


def test_more_leases_than_descriptors_are_an_error_and_the_others_stay() -> None:
    done = run(
        "import portalloc, socket\n" + FEW + "taken = []\n"
        "try:\n"
        "    while True:\n"
        "        taken.append(portalloc.lease())\n"
        "except OSError as error:\n"
        "    print(error.code, len(taken) > 4, all(lease.held for lease in taken))\n"
        "    print(str(error))\n"
        "taken.pop().release()\n"
        # One is free again, and it is enough for a lease.
        "with portalloc.lease() as lease:\n"
        "    print(lease.held)\n"
        "for lease in taken: lease.release()\n"
        "print(portalloc.leases())\n"
    )
    first, message, *rest = done.stdout.splitlines()
    assert first == "io True True", done.stderr
    assert "descriptor" in message
    assert rest == ["True", "[]"]
    assert done.stderr == ""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_without_standard_streams(world: World, closed: str) -> None:
    # What it says of itself it says by its exit status.
    code = f"WORKTREE = {str(world.work)!r}\n{USES}\nuse()\nuse()"
    command = ["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert world.left_behind() == []


@pytest.mark.parametrize("umask", ["000", "077", "777"])
def test_under_any_umask(world: World, umask: str) -> None:
    if os.getuid() == 0:
        for path in (world.scratch, world.temp, world.work):
            os.chown(path, NOBODY, NOBODY)
    passes(
        world,
        "import portalloc.summaries\n"
        # Root may read and write whatever its mode is.
        f"if os.getuid() == 0: os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        f"os.umask(0o{umask})\n"
        "use()",
    )
    # What that process has made of the registry serves this one.
    with portalloc.environment(1) as environment:
        assert portalloc.validate(environment.id)
