"""Ctrl-C during each call that waits, by a real SIGINT; and handlers after which the wait goes on."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import portalloc
import pytest
from support import ActorError, until

if TYPE_CHECKING:
    from support import Actor, World

#: Each waits for something that does not happen: `leased` is leased by another process, on `bound` is a server of it.
WAITS = {
    "wait_until_open": "portalloc.wait_until_open({free}, 3600)",
    "wait_until_free": "portalloc.wait_until_free({bound}, 3600)",
    "lease": "portalloc.lease(exact=[{leased}], wait=3600)",
    "lease of a pool": "portalloc.lease(pool='{leased}', wait=float('inf'))",
    "create": "portalloc.environment(1, pool='{leased}', wait=3600)",
    "current": "portalloc.current(1, pool='{leased}', wait=3600)",
    "worktree": "portalloc.worktree_environment(1, pool='{leased}', wait=3600)",
}

#: Answers once the main thread waits: the handler of an alarm runs within the wait, between its looks.
READY = """
ready_fd = os.dup(1)
def ready(*_):
    os.write(ready_fd, b'waiting\\n')
signal.signal(signal.SIGALRM, ready)
signal.setitimer(signal.ITIMER_REAL, 0.01)
"""


@pytest.fixture
def obstacles(world: World) -> dict[str, int]:
    return {"leased": world.base, "bound": world.base + 1, "free": world.base + 2}


def begin(actor: Actor, wait: str, obstacles: dict[str, int]) -> None:
    # In one go, so that no signal meets the actor when it is not at work.
    actor.begin(READY + wait.format(**obstacles))
    assert actor.line() == "waiting"


@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_wait(wait: str, actor: Actor, obstacles: dict[str, int], world: World) -> None:
    with portalloc.lease(exact=[obstacles["leased"], obstacles["bound"]]) as lease, lease.socket(1):
        begin(actor, WAITS[wait], obstacles)
        actor.signal(signal.SIGINT)
        with pytest.raises(ActorError, match=r"^KeyboardInterrupt"):
            actor.finish()
        # It has taken nothing, left nothing, and goes on.
        assert [info.ports for info in portalloc.leases()] == [tuple(lease)]
        assert portalloc.environments() == []
        assert world.left_behind() == []
    actor.do(f"with portalloc.lease(exact=[{obstacles['leased']}], wait=60): pass")


@pytest.mark.parametrize("wait", WAITS)
def test_an_exception_of_a_handler_is_raised(wait: str, actor: Actor, obstacles: dict[str, int]) -> None:
    actor.do("def handler(*_): raise LookupError('handled')\nsignal.signal(signal.SIGUSR1, handler)")
    with portalloc.lease(exact=[obstacles["leased"], obstacles["bound"]]) as lease, lease.socket(1):
        begin(actor, WAITS[wait], obstacles)
        actor.signal(signal.SIGUSR1)
        with pytest.raises(ActorError, match=r"^LookupError: handled"):
            actor.finish()


@pytest.mark.parametrize("wait", WAITS)
def test_after_a_handler_that_does_not_raise_the_wait_goes_on(
    wait: str, actor: Actor, obstacles: dict[str, int], world: World
) -> None:
    handled = world.scratch / "handled"
    actor.do(f"signal.signal(signal.SIGUSR1, lambda *_: open({str(handled)!r}, 'w').close())")
    with portalloc.lease(exact=list(obstacles.values())) as lease:
        with lease.socket(1):
            begin(actor, WAITS[wait], obstacles)
            actor.signal(signal.SIGUSR1)
            # In the middle of the wait, which still lasts, because what it waits for has not happened.
            until("the handler has run", handled.exists)
        with lease.socket(2) if wait == "wait_until_open" else lease:
            lease.release()
            actor.finish()
    assert Path(f"/proc/{actor.pid}").exists()


def test_a_wait_in_another_thread_leaves_signals_to_the_main_one(actor: Actor, obstacles: dict[str, int]) -> None:
    """It ends when what it waits for happens, and not before; Ctrl-C belongs to the main thread."""
    with portalloc.lease(exact=[obstacles["leased"]]):
        actor.do(
            "done, over = [], threading.Event()\n"
            "def wait():\n"
            f"    with portalloc.lease(exact=[{obstacles['leased']}], wait=3600) as lease: done.append(lease.port)\n"
            "    over.set()\n"
            "threading.Thread(target=wait).start()"
        )
        begin(actor, "over.wait()", obstacles)
        actor.signal(signal.SIGINT)
        with pytest.raises(ActorError, match=r"^KeyboardInterrupt"):
            actor.finish()
        assert actor.ask("done") == []
    actor.do("over.wait()")
    assert actor.ask("done") == [obstacles["leased"]]
