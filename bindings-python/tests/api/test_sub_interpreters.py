"""A second interpreter in the process is refused clearly, and does the first no harm."""

from __future__ import annotations

import importlib.util

import pytest
from support import run

SUB = next(
    (name for name in ("_interpreters", "_xxsubinterpreters") if importlib.util.find_spec(name) is not None), None
)


@pytest.mark.skipif(SUB is None, reason="this Python cannot make sub-interpreters from Python")
def test_a_second_interpreter_is_told_that_it_cannot() -> None:
    done = run(
        f"import {SUB} as interpreters\n"
        "import portalloc\n"
        "lease = portalloc.lease(2)\n"
        "code = '''\n"
        "try:\n"
        "    import portalloc\n"
        "    portalloc.lease(0)\n"
        "except ImportError as error:\n"
        "    print(f'ImportError: {error}', flush=True)\n"
        "'''\n"
        "for _ in range(2):\n"
        "    second = interpreters.create()\n"
        "    failed = interpreters.run_string(second, code)\n"
        "    assert failed is None, failed\n"
        "    interpreters.destroy(second)\n"
        "# The first goes on, with errors and sockets, which it has made of Python's own objects.\n"
        "assert not lease.released and not portalloc.is_free(lease[0])\n"
        "try:\n"
        "    portalloc.lease(0)\n"
        "except portalloc.InvalidArgumentError as error:\n"
        "    print(error.code)\n"
        "lease.socket().close()\n"
        "lease.release()\n"
        "print(portalloc.leases())\n"
    )
    assert done.returncode == 0, done.stderr
    first, second, *rest = done.stdout.splitlines()
    for refused in (first, second):
        assert refused.startswith("ImportError: ")
        assert "interpreter" in refused
    assert rest == ["invalid_argument", "[]"]
