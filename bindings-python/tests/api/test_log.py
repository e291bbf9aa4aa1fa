"""`PORTALLOC_LOG`: a log on standard error, also from forked children, and nothing without it."""

from __future__ import annotations

import pytest
from support import run

LEASE = "import portalloc\nportalloc.lease().release()\nportalloc.lease().release()\n"


def test_it_tells_what_is_leased() -> None:
    done = run(LEASE, env={"PORTALLOC_LOG": "debug"})
    lines = done.stderr.splitlines()
    assert done.returncode == 0
    assert sum("] debug: leased [" in line for line in lines) == 2
    assert all(line.startswith("portalloc[") for line in lines)


def test_a_forked_child_logs_under_its_own_number() -> None:
    code = f"{LEASE}import os\nif os.fork() == 0:\n    portalloc.lease()\n    os._exit(0)\nos.wait()\n"
    done = run(code, env={"PORTALLOC_LOG": "debug"})
    assert done.returncode == 0, done.stderr
    assert len({line.split("]")[0] for line in done.stderr.splitlines() if "debug: leased" in line}) == 2


@pytest.mark.parametrize("level", ["", "off", "error"])
def test_it_is_silent_unless_it_is_asked_for(level: str) -> None:
    done = run(LEASE, env={"PORTALLOC_LOG": level})
    assert (done.returncode, done.stderr) == (0, "")


def test_a_level_that_does_not_exist_is_a_warning() -> None:
    done = run(LEASE, env={"PORTALLOC_LOG": "loud"})
    assert done.returncode == 0
    assert done.stderr.count('PortallocWarning: PORTALLOC_LOG="loud" is not a level') == 1
