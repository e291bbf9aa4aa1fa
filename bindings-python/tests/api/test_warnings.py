"""What the core wants to be said: a `PortallocWarning` about the caller's line, once in a process."""

from __future__ import annotations

import pickle

import portalloc
import pytest
from support import run

#: Calls that open a pool.
CALLS = {
    "lease": "portalloc.lease(pool=POOL).release()",
    "a lease that waits": "portalloc.lease(pool=POOL, wait=1).release()",
    "port": "portalloc.give_back(portalloc.port(pool=POOL))",
    "settings": "__import__('portalloc.tools').tools.settings(pool=POOL)",
    "an environment": "portalloc.environment(1, pool=POOL).cleanup()",
    "a kept environment": "portalloc.environment(1, pool=POOL, kept=True).cleanup()",
}


@pytest.fixture
def pool() -> str:
    """One that is used with a warning: all of it is what the kernel gives to whoever connects."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:  # noqa: PTH123
        last = int(file.read().split()[1])
    return f"{last - 29}-{last}"


def test_the_category() -> None:
    assert issubclass(portalloc.PortallocWarning, UserWarning)
    assert not issubclass(portalloc.PortallocWarning, portalloc.Error)
    warning = pickle.loads(pickle.dumps(portalloc.PortallocWarning("text")))
    assert (type(warning), str(warning)) == (portalloc.PortallocWarning, "text")


@pytest.mark.parametrize("call", CALLS)
def test_it_is_shown_once_with_the_line_that_called(call: str, pool: str) -> None:
    done = run(f"import portalloc\nPOOL = '{pool}'\nfor _ in range(3):\n    {CALLS[call]}\n{CALLS[call]}")
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert [line for line in lines if "Warning" in line] == lines[:1]
    assert lines[0].startswith(f"<string>:4: PortallocWarning: the pool {pool} lies inside the ephemeral range")


@pytest.mark.parametrize("call", CALLS)
def test_one_that_is_an_error_is_raised_and_nothing_stays_leased(call: str, pool: str) -> None:
    done = run(
        f"import portalloc\nPOOL = '{pool}'\n"
        f"try:\n    {CALLS[call]}\n"
        "except portalloc.PortallocWarning:\n"
        "    print(portalloc.leases(), portalloc.environments())\n"
        # Said once.
        f"{CALLS[call]}\n",
        flags=["-W", "error"],
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[] []\n", "")


def test_it_does_not_hide_the_error_of_the_same_call(pool: str) -> None:
    done = run(
        "import portalloc, socket\n"
        "with portalloc.lease() as lease:\n"
        "    try:\n"
        f"        portalloc.lease(exact=[lease.port], pool='{pool}')\n"
        "    except portalloc.PortInUseError as error:\n"
        "        print(type(error.__context__).__name__)\n",
        flags=["-W", "error"],
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "PortallocWarning\n", "")


def test_it_is_said_in_a_forked_child_anew(pool: str) -> None:
    done = run(
        "import os, portalloc\n"
        "from portalloc import tools\n"
        f"def ask(): tools.settings(pool='{pool}')\n"
        "ask()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    ask()\n"
        "    os._exit(0)\n"
        "print(os.waitpid(child, 0)[1])\n",
        flags=["-W", "always"],
    )
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
    assert done.stderr.count("PortallocWarning") == 2
