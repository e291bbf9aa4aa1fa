"""The end of the interpreter with everything still alive: silent, clean, and nothing stays leased."""

from __future__ import annotations

from typing import TYPE_CHECKING

import portalloc
import pytest
from support import run, until

if TYPE_CHECKING:
    from support import World

#: What may be alive at the end.
ALIVE = {
    "a lease in the module": "lease = portalloc.lease()",
    "a guarded lease": "lease = portalloc.lease(2, guard=True)",
    "an environment": "environment = portalloc.environment(1)",
    "the current environment": "environment = portalloc.current(1)",
    "a view": "view = portalloc.environment(1).lease",
    "an inheritable copy": "lease = portalloc.lease(); copy = lease.inheritable()",
    "one in a cycle": "class A: pass\na = A(); a.a = a; a.lease = portalloc.lease()",
    "one in a builtin module": "import sys\nsys.kept = portalloc.lease()",
    "a report": "from portalloc import tools; report = portalloc.who(1); settings = tools.settings()",
    "an entered block": "lease = portalloc.lease().__enter__()",
    "a thread that waits": (
        "import threading\nlease = portalloc.lease()\n"
        "started = threading.Event()\n"
        "def wait():\n"
        "    started.set()\n"
        "    portalloc.lease(exact=[lease.port], wait=3600)\n"
        "threading.Thread(target=wait, daemon=True).start(); started.wait()"
    ),
    "a thread that waits for a server": (
        "import threading\nlease = portalloc.lease()\n"
        "started = threading.Event()\n"
        "def wait():\n"
        "    started.set()\n"
        "    portalloc.wait_until_open(lease.port, 3600)\n"
        "threading.Thread(target=wait, daemon=True).start(); started.wait()"
    ),
    "a port": "port = portalloc.port()",
    "a default argument": "def serve(lease=portalloc.lease()): pass",
    "what another module keeps": (
        "import sys, types\nmodule = types.ModuleType('settings')\nsys.modules['settings'] = module\n"
        "exec('import portalloc; lease = portalloc.lease(); made = portalloc.environment(1)', module.__dict__)\n"
        "del module"
    ),
    "a lease that the last exit handler lets go of": (
        "import atexit\nleases = [portalloc.lease()]\natexit.register(lambda: leases[0].release() or leases.clear())"
    ),
    "a lease in an exit handler": "import atexit\natexit.register(lambda: portalloc.lease().release())",
}


@pytest.mark.parametrize(
    "flags", [(), ("-X", "dev"), ("-W", "error"), ("-I",)], ids=lambda flags: " ".join(flags) or "plain"
)
@pytest.mark.parametrize("alive", ALIVE)
def test_the_end_is_clean(alive: str, flags: tuple[str, ...], world: World) -> None:
    done = run(f"import portalloc\n{ALIVE[alive]}", flags=flags)
    assert done.returncode == 0, done.stderr
    # Whatever is still alive has lived as long as the process, so that nothing was lost.
    assert done.stderr == ""
    until("nothing is leased", lambda: portalloc.leases() == [])
    portalloc.cleanup_stale()
    assert world.left_behind() == []


def test_a_use_while_the_interpreter_ends() -> None:
    done = run(
        "import os, portalloc\n"
        "class Late:\n"
        "    def __init__(self):\n"
        "        self.lease = portalloc.lease()\n"
        "    def __del__(self, write=os.write):\n"
        "        self.lease.release()\n"
        "        write(1, b'released' if self.lease.released else b'held')\n"
        "late = Late()\n",
        flags=["-X", "dev"],
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "released", "")
