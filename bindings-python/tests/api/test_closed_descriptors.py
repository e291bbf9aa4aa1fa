"""Programs that close descriptors that they do not know, as daemons do when they start, or that start without 0 to 2.

What they close of a lease's ends that lease, and `held` says so. Nothing of theirs is closed or written to for it, and
the next lease works.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import portalloc
import pytest
from portalloc import _portalloc
from support import DEADLINE, leased_by, run, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support import Actor, World

SLOT = 64

#: What a program may do after it has closed everything.
USES = {
    "lease": "with portalloc.lease(): pass",
    "a guarded lease": "with portalloc.lease(2, guard=True): pass",
    "a lease that waits": "with portalloc.lease(wait=1): pass",
    "port": "assert portalloc.give_back(portalloc.port())",
    "environment": "portalloc.environment(1).cleanup()",
    "kept environment": "portalloc.environment(1, kept=True).cleanup()",
    "who": "portalloc.who(1)",
    "is_free": "portalloc.is_free(65000)",
    "leases": "assert portalloc.leases() == []",
    "wait_until_free": "portalloc.wait_until_free(65000)",
    "cleanup_stale": "portalloc.cleanup_stale()",
}

#: The numbers of the descriptors that this process has of the file in which leases are held.
DESCRIPTORS = """
def descriptors():
    found = set()
    for number in os.listdir("/proc/self/fd"):
        try: link = os.readlink("/proc/self/fd/" + number)
        except OSError: continue
        if link.endswith("/ports"): found.add(int(number))
    return found
"""


# --- descriptors 0 to 2


class Silent:
    """A Python process that talks by pipes of its own, whatever becomes of 0 to 2: `code` has `tell` and `wait`."""

    def __init__(self, code: str, *arguments: object) -> None:
        told, tell = os.pipe()
        wait, self._go_on = os.pipe()
        prelude = (
            "import json, os, signal, sys\n"
            "TELL, WAIT, *arguments = sys.argv[1:]\n"
            "TELL, WAIT = int(TELL), int(WAIT)\n"
            "def tell(**facts): os.write(TELL, json.dumps(facts).encode() + b'\\n')\n"
            # Returns at the end of whoever started it, too.
            "def wait(): os.read(WAIT, 1)\n"
        )
        command = [sys.executable, "-c", prelude + code, str(tell), str(wait), *map(str, arguments)]
        self._process = subprocess.Popen(command, pass_fds=[tell, wait], stdin=subprocess.DEVNULL)
        os.close(tell)
        os.close(wait)
        self._told = os.fdopen(told, "rb", buffering=0)

    def told(self) -> dict[str, Any]:
        readable, _, _ = select.select([self._told], [], [], DEADLINE)
        assert readable, f"nothing told within {DEADLINE} s"
        line = self._told.readline()
        assert line, "it has ended without a word"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def go_on(self) -> None:
        os.write(self._go_on, b".")

    def end(self) -> None:
        """Until every process of it has ended: they all have the pipe."""
        os.close(self._go_on)
        try:
            readable = [self._told]
            while readable:
                readable, _, _ = select.select([self._told], [], [], DEADLINE)
                assert readable, f"it does not end within {DEADLINE} s"
                if not self._told.read(4096):
                    break
        finally:
            self._told.close()
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def silent(code: str, *arguments: object) -> Iterator[Silent]:
    process = Silent(code, *arguments)
    try:
        yield process
    finally:
        process.end()


def ports_file(world: World) -> Path:
    (file,) = world.registry.glob("*/ports")
    return file


@pytest.mark.parametrize("closed", [(0, 1, 2), (0,), (2,), (1, 2)], ids=str)
@pytest.mark.parametrize("take", ["portalloc.lease()", "portalloc.lease(2, guard=True)", "portalloc.port()"])
def test_a_lease_survives_that_the_standard_streams_are_set_up_later(take: str, closed: tuple[int, ...]) -> None:
    code = (
        "import portalloc\n"
        f"for number in {closed}: os.close(number)\n"
        f"taken = {take}\n"
        # As every recipe for daemons has it.
        "null = os.open(os.devnull, os.O_RDWR)\n"
        "for number in range(3): os.dup2(null, number)\n"
        "port = taken if isinstance(taken, int) else taken[0]\n"
        "tell(port=port, held=getattr(taken, 'held', True))\n"
        "wait()\n"
    )
    with silent(code) as process:
        told = process.told()
        assert told["held"] is True
        assert portalloc.who(told["port"]).leased
        assert not portalloc.is_free(told["port"])
    until("the port is free", lambda: portalloc.is_free(told["port"]))


def test_nothing_that_a_program_writes_to_a_standard_stream_lands_in_the_registry(world: World) -> None:
    code = (
        "import portalloc\n"
        "for number in range(3): os.close(number)\n"
        f"lease = portalloc.lease(exact=[{world.base}])\n"
        "tell()\n"
        "wait()\n"
        "for number in range(3):\n"
        "    try: os.write(number, b'secret ' * 1000)\n"
        "    except OSError: pass\n"
        "tell(held=lease.held)\n"
        "wait()\n"
    )
    with silent(code) as process:
        process.told()
        before = ports_file(world).read_bytes()
        process.go_on()
        assert process.told() == {"held": True}
        after = ports_file(world).read_bytes()
        assert len(after) == len(before) == 65536 * SLOT
        assert after[: 16 * SLOT] == before[: 16 * SLOT]
        assert after == before


# --- everything else


@pytest.mark.parametrize("use", USES)
def test_the_next_call_works_and_closes_nothing_of_the_programs(use: str, actor: Actor) -> None:
    # Whatever it opens and keeps.
    actor.do(USES[use])
    actor.do("os.closerange(3, 4096)")
    # As many as the library may have had.
    actor.do("logs = [open(f'own-{number}.log', 'w') for number in range(90)]")
    for _ in range(2):
        actor.do(USES[use])
    actor.do("for log in logs: log.write('a line'); log.close()")
    assert actor.ask("{open(log.name).read() for log in logs} == {'a line'}")


def test_a_lease_that_was_closed_says_so_and_the_next_one_is_held(actor: Actor) -> None:
    actor.do("first = portalloc.lease(); environment = portalloc.environment(1)")
    assert actor.ask("[first.held, environment.lease.held]") == [True, True]
    actor.do("os.closerange(3, 4096); second = portalloc.lease()")
    assert actor.ask("[first.held, first.released, second.held]") == [False, False, True]
    assert actor.ask("environment.lease.held") is False
    assert actor.ask("repr(first)") == f"<Lease port {actor.ask('first.port')}, lost>"
    assert portalloc.is_free(actor.ask("first.port"))
    assert leased_by(actor.ask("second.port")) == actor.pid
    actor.do("second.release()")
    assert actor.ask("[second.held, second.released]") == [False, True]


@pytest.mark.parametrize("end", ["first.release()", "del first; gc.collect()", "with first: pass"])
def test_the_end_of_a_lost_lease_closes_nothing_of_the_programs(end: str, actor: Actor) -> None:
    actor.do("portalloc.lease().release()" + DESCRIPTORS)
    actor.do("before = descriptors(); first = portalloc.lease(); (number,) = descriptors() - before")
    actor.do("second = portalloc.lease()")
    actor.do("log = open('own.log', 'w'); os.dup2(log.fileno(), number)")
    assert actor.ask("[first.held, second.held]") == [False, True]
    first, second = actor.ask("[first.port, second.port]")
    assert portalloc.is_free(first)
    actor.do(end)
    assert actor.ask("os.write(number, b'still there')") == len("still there")
    assert actor.ask("open('own.log').read()") == "still there"
    assert actor.ask("second.held")
    assert leased_by(second) == actor.pid
    # Whoever has the first one's port now is not disturbed, either.
    with portalloc.lease(exact=[first]) as other:
        assert other.held


def test_a_lease_whose_number_is_another_leases_now(actor: Actor) -> None:
    actor.do("portalloc.lease().release()" + DESCRIPTORS)
    actor.do("before = descriptors(); first = portalloc.lease(); (number,) = descriptors() - before")
    actor.do("second = portalloc.lease(); (other,) = descriptors() - before - {number}")
    actor.do("os.dup2(other, number)")
    assert actor.ask("[first.held, second.held]") == [False, True]
    actor.do("first.release()")
    assert actor.ask("second.held")
    assert leased_by(actor.ask("second.port")) == actor.pid


def test_a_forked_child_that_closes_everything(actor: Actor) -> None:
    actor.do("lease = portalloc.lease(); port = portalloc.port(); child = Fork()")
    actor.do(
        "child.do('''\n"
        'for number in map(int, os.listdir("/proc/self/fd")):\n'
        '    try: link = os.readlink(f"/proc/self/fd/{number}")\n'
        "    except OSError: continue\n"
        '    if number > 2 and not link.startswith("pipe:"): os.close(number)\n'
        'log = open("own.log", "w")\n'
        "''')"
    )
    assert actor.ask("child.ask('lease.held')") is False
    assert actor.ask("lease.held") is True
    actor.do("child.do('own = portalloc.lease()')")
    assert actor.ask("child.ask('own.held')") is True
    assert leased_by(actor.ask("child.ask('own.port')")) == actor.ask("child.pid")
    for end in ("lease.release()", "del lease; gc.collect()"):
        actor.do(f"child.do({end!r})")
    assert actor.ask("child.ask('portalloc.give_back(%d)' % port)") is False
    actor.do("child.do('log.write(\"a line\"); log.flush()')")
    assert actor.ask("open('own.log').read()") == "a line"
    for port in actor.ask("[lease.port, port]"):
        assert leased_by(port) == actor.pid


# --- daemons


@pytest.mark.parametrize("detach", [False, True], ids=["in the foreground", "detached"])
def test_python_daemon(detach: bool, world: World) -> None:
    pytest.importorskip("daemon", reason="python-daemon is not installed")
    code = (
        "import daemon, portalloc\n"
        "before = portalloc.lease()\n"
        f"context = daemon.DaemonContext(detach_process={detach}, working_directory=arguments[0], umask=0o077,\n"
        "    files_preserve=[TELL, WAIT])\n"
        "with context:\n"
        "    log = open('daemon.log', 'w')\n"
        "    held = before.held\n"
        "    after = portalloc.lease()\n"
        "    before.release()\n"
        "    log.write('a line'); log.flush()\n"
        "    tell(pid=os.getpid(), before=before.port, held=held, after=after.port, after_held=after.held)\n"
        "    wait()\n"
    )
    with silent(code, world.work) as process:
        told = process.told()
        assert told["held"] is False
        assert told["after_held"] is True
        assert leased_by(told["after"]) == told["pid"]
        # Nobody has it any more: a detached daemon's parent has ended.
        until("the lost port is free", lambda: portalloc.is_free(told["before"]))
        assert (world.work / "daemon.log").read_text() == "a line"
    until("the daemon's port is free", lambda: portalloc.is_free(told["after"]))


# --- two copies of the library, as where one is bundled into another package


TWO_COPIES = """
import importlib.util, os, sys
import portalloc
spec = importlib.util.spec_from_file_location("_portalloc", sys.argv[1])
other = importlib.util.module_from_spec(spec)
spec.loader.exec_module(other)
assert other.lease is not portalloc._portalloc.lease
first, second = portalloc.lease(), other.lease()
assert first.port != second.port and first.held and second.held
os.closerange(3, 4096)
log = open("own.log", "w")
assert not first.held and not second.held
third, fourth = portalloc.lease(), other.lease()
assert len({third.port, fourth.port}) == 2 and third.held and fourth.held
first.release(), second.release()
assert third.held and fourth.held
assert {portalloc.who(lease.port).lease.holder.pid for lease in (third, fourth)} == {os.getpid()}
log.write("a line"), log.flush()
try:
    other.lease(exact=[third.port])
except portalloc.PortInUseError as error:
    print(error.code, open("own.log").read())
third.release(), fourth.release()
print(portalloc.leases())
"""


def test_two_copies_of_the_library(world: World) -> None:
    copy = world.work / "bundled.so"
    shutil.copy(_portalloc.__file__, copy)
    done = run(TWO_COPIES, copy)
    assert (done.returncode, done.stdout) == (0, "port_in_use a line\n[]\n"), done.stderr


# --- what no program does on purpose: the limit


def test_a_program_with_few_descriptors_left_gets_its_leases(actor: Actor) -> None:
    """Numbers from 64 on are a wish: where the limit is lower, it is not refused."""
    actor.do("import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))")
    actor.do("lease = portalloc.lease()")
    assert actor.ask("lease.held")
    assert leased_by(actor.ask("lease.port")) == actor.pid
