"""The fixtures: their names, scopes and what they promise.

Loaded in every run, so a fixture imports what needs the native module when it is set up. `holding` takes, holds and
releases the ports of one test, `run` those of the whole run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portalloc_pytest.options import OPTIONS, Options

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    import portalloc

    from portalloc_pytest.holding import Holder
    from portalloc_pytest.leasing import FreePorts, PortLease
    from portalloc_pytest.run import RunIsolation


# The names with an underscore are hidden from `--fixtures`.


@pytest.fixture(scope="session", name="_portalloc")
def portalloc_options(pytestconfig: pytest.Config) -> Options:
    """The options of this run. Every fixture of portalloc depends on it, so the plugin knows that a test uses one."""
    return pytestconfig.stash[OPTIONS]


@pytest.fixture(name="_portalloc_test")
def portalloc_test(request: pytest.FixtureRequest, _portalloc: Options) -> Iterator[Holder]:
    """Holds what a test has leased, looks for leaks when the test is over, and gives it all back."""
    from portalloc_pytest.holding import HOLDER, holder_of

    with holder_of(request.node, _portalloc) as holder:
        request.node.stash[HOLDER] = holder
        yield holder
        del request.node.stash[HOLDER]


@pytest.fixture
def free_port(_portalloc_test: Holder) -> int:
    """A port (int) that only this test has until it ends.

    It was free on TCP and UDP, IPv4 and IPv6, when it was given out, and a kernel lock holds it: no other test, worker
    or project that uses portalloc is given it. Nothing is bound to it.

    Errors: portalloc.PoolExhaustedError (an OSError) if no port is free for `portalloc_timeout` seconds.
    """
    return _portalloc_test.lease().port


@pytest.fixture
def free_ports(_portalloc_test: Holder) -> FreePorts:
    """A function for several ports, which only this test has until it ends: free_ports(3) -> [port, port, port], and
    free_ports(names=["web", "db"]) -> {"web": port, "db": port}.

    The ports of one call are consecutive. May be called repeatedly; all its ports are held at the same time.

    Errors: portalloc.PoolExhaustedError (an OSError) if so many are not free for `portalloc_timeout` seconds.
    """
    from portalloc_pytest.leasing import FreePorts

    return FreePorts(_portalloc_test)


@pytest.fixture
def port_lease(_portalloc_test: Holder) -> PortLease:
    """A function for portalloc.Lease objects, with the arguments of portalloc.lease; released when the test ends.

    port_lease(3, scattered=True), port_lease(exact=[20500]), port_lease(guard=True). The options of pytest set `pool`,
    `exclude` and `wait` where they are not given. May be called repeatedly, and a lease may be released before the test
    ends.

    Errors: those of portalloc.lease.
    """
    from portalloc_pytest.leasing import PortLease

    return PortLease(_portalloc_test)


@pytest.fixture
def listening_socket(_portalloc_test: Holder) -> Iterator[socket.socket]:
    """A socket.socket that is bound to 127.0.0.1 on a leased port and listens (TCP): pass it to the server under test.

    There is no moment between lease and bind at which another program could take the port. It is closed when the test
    ends, if the test has not done so.

    Errors: portalloc.PoolExhaustedError (an OSError) if no port is free for `portalloc_timeout` seconds.
    """
    lease = _portalloc_test.lease(guard=True)
    with lease.socket() as listener:
        # The guard has kept foreign processes off until now. From here on the listener does, and a server that the test
        # starts in its place does not need SO_REUSEADDR.
        lease.drop_guard()
        yield listener


@pytest.fixture
def isolation(_portalloc_test: Holder, tmp_path: Path) -> portalloc.Environment:
    """A portalloc.Environment for this test alone: env["web"], .ports, .temp_dir, .variables, .id.

    `portalloc.toml` in the rootdir or above sets its ports. It is cleaned up when the test ends; what is then in
    .temp_dir is moved to `isolation-<id>` in the test's tmp_path, which pytest keeps or removes by its own
    rules (tmp_path_retention_policy, tmp_path_retention_count). Nothing is exported to os.environ.

    Errors: those of portalloc.environment.
    """
    return _portalloc_test.environment(keep_in=tmp_path)


@pytest.fixture(scope="session", name="_portalloc_run")
def portalloc_run(_portalloc: Options, pytestconfig: pytest.Config) -> RunIsolation:
    """The one environment of the run. Not cleaned up with this fixture: a forked child tears fixtures down, too."""
    from portalloc_pytest.run import run_of

    return run_of(pytestconfig)


@pytest.fixture(scope="session")
def run_isolation(_portalloc_run: RunIsolation) -> portalloc.Environment:
    """One portalloc.Environment for the whole run, the same in all workers of pytest-xdist.

    For servers that are started once and used by all tests. `portalloc.toml` in the rootdir or above sets its ports.
    It is made when the first test needs it, and cleaned up at the end of the run, also after Ctrl-C or the crash of a
    worker; if the process that was started as `pytest` is killed, the ports are free at once. Workers attach to it, so
    the end of a `with` block does not end it. Nothing is exported to os.environ.

    With plugins that fork for each test and without pytest-xdist, name it as an argument: request.getfixturevalue runs
    in the child, which then makes an environment of its own.

    Errors: those of portalloc.environment; in other workers, the tests fail with their text. Workers on another machine
    or in another container are refused.
    """
    return _portalloc_run.environment()
