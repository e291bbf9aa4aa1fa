"""`port()`: a number, held until the process ends. `give_back()`: earlier."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import portalloc
import pytest
from support import SLICES, SLICES_POOL, leased_by, run, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support import Actor, World

THREADS = 8
PORTS_OF_A_THREAD = 50


def test_a_port_is_held_until_the_process_ends(actor: Actor, world: World) -> None:
    actor.do("port = portalloc.port(); gc.collect()")
    port = actor.ask("port")
    assert port in world.ports
    assert leased_by(port) == actor.pid
    assert not portalloc.is_free(port)
    actor.kill()
    until("the port is free", lambda: portalloc.is_free(port))


@pytest.mark.parametrize("end", ["sys.exit(3)", "os._exit(3)", "os.kill(os.getpid(), 9)", "raise ValueError"])
def test_whatever_ends_the_process_frees_the_port(end: str) -> None:
    done = run(f"import os, portalloc, sys\nprint(portalloc.port(), flush=True)\n{end}")
    assert done.returncode != 0
    assert "Warning" not in done.stderr
    until("the port is free", lambda: portalloc.is_free(int(done.stdout)))


def test_one_that_is_given_back_is_free() -> None:
    port = portalloc.port()
    assert type(port) is int
    assert portalloc.give_back(port) is True
    assert portalloc.is_free(port)
    assert portalloc.give_back(port) is False


def test_only_what_port_has_returned_is_given_back(world: World) -> None:
    assert portalloc.give_back(0) is False
    assert portalloc.give_back(world.base) is False
    with portalloc.lease() as lease:
        assert portalloc.give_back(lease.port) is False
        assert not portalloc.is_free(lease.port)


def test_not_what_another_process_has(actor: Actor) -> None:
    port = actor.ask("portalloc.port()")
    assert portalloc.give_back(port) is False
    assert leased_by(port) == actor.pid


@pytest.mark.parametrize("port", [-1, 65536, 1 << 70])
def test_numbers_that_are_no_port(port: int) -> None:
    with pytest.raises(portalloc.InvalidArgumentError, match=str(port)):
        portalloc.give_back(port)


@pytest.mark.parametrize("port", ["8080", 8080.0, True, None])
def test_what_is_no_number(port: object) -> None:
    with pytest.raises(TypeError):
        portalloc.give_back(port)  # type: ignore[arg-type]


def test_pool_and_exclude(world: World) -> None:
    port = portalloc.port(pool=f"{world.base}-{world.base + 1}", exclude=str(world.base))
    assert port == world.base + 1
    assert portalloc.give_back(port)
    with pytest.raises(portalloc.InvalidArgumentError, match="nonsense"):
        portalloc.port(pool="nonsense")
    with pytest.raises(TypeError):
        portalloc.port("20000-29999")  # type: ignore[call-arg]


def test_leases_and_ports_exclude_each_other(world: World) -> None:
    pool = f"{world.base}-{world.base + 1}"
    with portalloc.lease(pool=pool) as lease:
        port = portalloc.port(pool=pool)
        assert port != lease.port
        with pytest.raises(portalloc.PortInUseError):
            portalloc.lease(exact=[port])
    assert portalloc.give_back(port)


# --- fork


def test_a_child_gives_back_none_of_its_parents(actor: Actor) -> None:
    actor.do("port = portalloc.port(); child = Fork()")
    port = actor.ask("port")
    assert actor.ask("child.ask('portalloc.give_back(port)')") is False
    assert leased_by(port) == actor.pid
    own = actor.ask("child.ask('portalloc.port()')")
    assert own != port
    assert leased_by(own) == actor.ask("child.pid")
    assert actor.ask(f"portalloc.give_back({own})") is False
    assert actor.ask(f"child.ask('portalloc.give_back({own})')") is True
    assert portalloc.is_free(own)
    assert actor.ask("portalloc.give_back(port)") is True
    assert portalloc.is_free(port)


def test_a_childs_copy_keeps_the_port_of_a_parent_that_died(actor: Actor) -> None:
    actor.do("port = portalloc.port(); child = Fork()")
    port, child = actor.ask("[port, child.pid]")
    actor.kill()
    assert not portalloc.is_free(port)
    os.kill(child, 9)
    until("the port is free", lambda: portalloc.is_free(port))


# --- threads


@pytest.fixture
def _many_ports() -> Iterator[None]:
    """A pool that is large enough for all threads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORTALLOC_DIR", str(SLICES))
        lease = portalloc.lease(THREADS * PORTS_OF_A_THREAD, pool=SLICES_POOL, scattered=True, wait=120)
    with lease, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORTALLOC_POOL", ",".join(map(str, lease.ports)))
        yield


@pytest.mark.usefixtures("_many_ports")
def test_threads_get_distinct_ports(actor: Actor) -> None:
    actor.do(
        "taken = []\n"
        f"start = threading.Barrier({THREADS})\n"
        "def take():\n"
        "    start.wait()\n"
        f"    for _ in range({PORTS_OF_A_THREAD}): taken.append(portalloc.port())\n"
        f"threads = [threading.Thread(target=take) for _ in range({THREADS})]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
    )
    taken = actor.ask("taken")
    assert len(set(taken)) == len(taken) == THREADS * PORTS_OF_A_THREAD
    actor.do(
        "given_back = []\n"
        "def give_back():\n"
        "    for port in taken: given_back.append(portalloc.give_back(port))\n"
        f"threads = [threading.Thread(target=give_back) for _ in range({THREADS})]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
    )
    # Each of them by one thread.
    assert actor.ask("given_back.count(True)") == len(taken)
    assert portalloc.leases() == []


# --- the end of what there is


def test_an_exhausted_pool_names_the_lines_that_took_the_most(world: World) -> None:
    script = world.work / "app.py"
    script.write_text(
        "import portalloc\n"
        "def one(): return portalloc.port()\n"
        "for _ in range(3): portalloc.port()\n"
        "one()\n"
        "try:\n"
        "    portalloc.port()\n"
        "except portalloc.PoolExhaustedError as error:\n"
        "    print(error.code, error.census['held'])\n"
        "    print(error)\n"
    )
    done = run(
        "import runpy, sys; runpy.run_path(sys.argv[1])",
        script,
        env={"PORTALLOC_POOL": f"{world.base}-{world.base + 3}"},
    )
    assert done.returncode == 0, done.stderr
    code, message = done.stdout.splitlines()
    assert code == "pool_exhausted 4"
    assert "this process holds 4 ports that it has not given back" in message
    assert f"3 at {script}:3" in message
    assert f"1 at {script}:2" in message


def test_a_process_without_descriptors_is_told_which_line_took_them(actor: Actor) -> None:
    actor.do(
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))\n"
        "code = compile('ports.append(portalloc.port())', 'server.py', 'exec')\n"
        "ports, told = [], None\n"
        "while told is None:\n"
        "    try: exec(code)\n"
        "    except portalloc.Error as error: told = [error.code, str(error)]\n"
    )
    ports, (code, message) = actor.ask("[ports, told]")
    assert 10 < len(ports) < 30
    assert code == "io"
    assert f"{len(ports)} at server.py:1" in message
    # What is given back makes room.
    assert actor.ask("portalloc.give_back(ports.pop())") is True
    actor.do("exec(code)")
    assert actor.ask("len(set(ports))") == len(ports)
