"""However a process ends, its ports are free afterwards, and its environments stale or gone."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import portalloc
import pytest
from support import exists, run, until

if TYPE_CHECKING:
    from support import Actor, World

ENDS = {
    "the end of the script": ("pass", 0),
    "sys.exit": ("sys.exit(3)", 3),
    "os._exit": ("os._exit(4)", 4),
    "an exception": ("raise ValueError('meant')", 1),
    "an exception in a thread": ("threading.Thread(target=lambda: 1 / 0).start()", 0),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM)", -15),
    "SIGKILL": ("os.kill(os.getpid(), signal.SIGKILL)", -9),
    "abort": ("os.abort()", -6),
    "exec": ("os.execv('/bin/sh', ['sh', '-c', 'exit 6'])", 6),
}


@pytest.mark.parametrize("how", ENDS)
def test_ports_are_free_after(how: str, world: World) -> None:
    end, status = ENDS[how]
    done = run(
        "import os, portalloc, signal, sys, threading\n"
        f"lease = portalloc.lease(exact=[{world.base}], guard=True)\n"
        f"environment = portalloc.environment(exact=[{world.base + 1}])\n"
        f"assert not portalloc.is_free({world.base})\n"
        f"{end}\n"
    )
    assert done.returncode == status, done.stderr
    until("the ports are free", lambda: portalloc.is_free(world.base) and portalloc.is_free(world.base + 1))
    assert portalloc.leases() == []
    assert [info.status for info in portalloc.environments()] in ([], ["stale"])
    portalloc.cleanup_stale()
    assert portalloc.environments() == []
    assert world.left_behind() == []


def test_a_subprocess_does_not_inherit_a_lease(actor: Actor, world: World) -> None:
    """So that the port is free once the holder is killed, although its child lives."""
    actor.do(f"lease = portalloc.lease(exact=[{world.base}], guard=True)")
    actor.do("child = subprocess.Popen(['sleep', '1000'], close_fds=False)")
    child = actor.ask("child.pid")
    actor.kill()
    until("the port is free", lambda: portalloc.is_free(world.base))
    assert exists(child)


def test_nor_does_a_program_that_takes_the_place_of_this_one(actor: Actor, world: World) -> None:
    actor.do(f"lease = portalloc.lease(exact=[{world.base}])")
    actor.begin("os.execvp('sleep', ['sleep', '1000'])")
    until("the port is free", lambda: portalloc.is_free(world.base))
    assert exists(actor.pid)


def test_descriptors_are_closed_on_exec(world: World) -> None:
    with (
        portalloc.lease(2, guard=True),
        portalloc.environment(1, guard=True),
    ):
        code = (
            "import os\n"
            "for fd in os.listdir('/proc/self/fd'):\n"
            "    try: print(os.readlink(f'/proc/self/fd/{fd}'))\n"
            "    except OSError: pass\n"
        )
        shown = subprocess.check_output(
            [sys.executable, "-c", code],
            close_fds=False,
            text=True,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    assert "/dev/null" in shown
    assert str(world.registry) not in shown
    assert "socket:" not in shown
