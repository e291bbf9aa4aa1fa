"""Many tests at the same time: with leases no two of them share a port, and by asking the kernel for one they do.

The same suite is run both ways, a file of it in each of four workers. They go through it in step: each takes its port,
waits until all have one, and binds it. By asking (bind to port 0, close, use the number) from a range of three ports,
four of them cannot have four different ones; so the control fails with certainty, not by luck.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from plugin_support import unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from plugin_support import Inner

WORKERS = 4
ROUNDS = 50

FILE = f"""
import os, pathlib, socket, time
import pytest

MEETING = pathlib.Path(os.environ["MEETING"])
GROUP = int(pathlib.Path(__file__).stem[-1])

def meet(name):
    (MEETING / f"{{name}}-{{GROUP}}").touch()
    end = time.monotonic() + 60
    while any(not (MEETING / f"{{name}}-{{other}}").exists() for other in range({WORKERS})):
        assert time.monotonic() < end, "the other workers do not come"
        time.sleep(0.0005)

@pytest.mark.parametrize("turn", range({ROUNDS}))
def test_serves(turn, port, record):
    record(port=port, turn=turn)
    meet(f"{{turn}}-have-a-port")
    try:
        with socket.socket() as server:
            server.bind(("", port))
            server.listen()
            meet(f"{{turn}}-have-bound")
    finally:
        meet(f"{{turn}}-have-bound")
"""

LEASED = """
@pytest.fixture
def port(free_port):
    return free_port
"""

ASKED_FOR = """
import socket, time

@pytest.fixture
def port():
    end = time.monotonic() + 60
    while True:
        with socket.socket() as one:
            try:
                one.bind(("", 0))
                return one.getsockname()[1]
            except OSError:  # the others have all three just now
                assert time.monotonic() < end
"""

# In a network of its own, whose ephemeral ports are three.
NARROW = 'echo 40000 40002 > /proc/sys/net/ipv4/ip_local_port_range && exec "$@"'


def narrow_network() -> list[str]:
    """The command before a command that runs it in such a network."""
    prefix = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    command = [*prefix, "sh", "-c", NARROW, "narrow"]
    try:
        probe = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        unavailable("there is no program unshare")
    if probe.returncode != 0:
        unavailable(f"no network namespace to be had: {probe.stderr.strip()}")
    return command


@pytest.fixture
def meeting(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path_factory.mktemp("meeting")
    monkeypatch.setenv("MEETING", str(directory))
    return directory


def ports_of_each_turn(inner: Inner) -> list[list[int]]:
    turns: dict[int, list[int]] = {}
    for record in inner.records():
        turns.setdefault(record["turn"], []).append(record["port"])
    assert len(turns) == ROUNDS
    assert all(len(ports) == WORKERS for ports in turns.values())
    return list(turns.values())


@pytest.mark.usefixtures("meeting")
@pytest.mark.parametrize("narrow", [False, True])
def test_leased_ports_never_collide(inner: Inner, *, narrow: bool) -> None:
    inner.conftest(LEASED)
    inner.pytester.makepyfile(**{f"test_inner{group}": FILE for group in range(WORKERS)})
    result = inner.run(f"-n{WORKERS}", "--dist=loadfile", prefix=narrow_network() if narrow else ())
    result.assert_outcomes(passed=WORKERS * ROUNDS)
    assert all(len(set(ports)) == WORKERS for ports in ports_of_each_turn(inner))


@pytest.mark.usefixtures("meeting")
def test_ports_asked_for_do_collide(inner: Inner) -> None:
    """The control: the suite notices, and would notice if leases collided."""
    inner.conftest(ASKED_FOR)
    inner.pytester.makepyfile(**{f"test_inner{group}": FILE for group in range(WORKERS)})
    result = inner.run(f"-n{WORKERS}", "--dist=loadfile", prefix=narrow_network())
    assert result.parseoutcomes()["failed"] >= ROUNDS, "at least one of each turn"
    assert any("Address already in use" in line for line in result.outlines)
    assert all(len(set(ports)) < WORKERS for ports in ports_of_each_turn(inner))


@pytest.mark.parametrize("arguments", [("-n8",), ("-n4", "--dist=worksteal"), ("-n4", "--dist=loadgroup"), ("-n0",)])
def test_two_hundred_tests_with_all_kinds_of_ports(inner: Inner, arguments: tuple[str, ...]) -> None:
    source = """
        import socket
        import pytest

        @pytest.mark.parametrize("number", range(100))
        def test_binds(number, free_port, free_ports, port_lease, listening_socket):
            ports = [free_port, *free_ports(2), *port_lease(2, scattered=True)]
            servers = [socket.create_server(("", port)) for port in ports]
            for server in servers:
                socket.create_connection(("127.0.0.1", server.getsockname()[1]), timeout=10).close()
                server.close()
        """
    inner.suite(source)
    inner.pytester.makepyfile(test_another=source)
    inner.run("--portalloc-leak=error", *arguments).assert_outcomes(passed=200)


def test_two_runs_at_the_same_time_share_a_machine(inner: Inner) -> None:
    inner.suite(
        """
        import pytest

        @pytest.mark.parametrize("number", range(10))
        def test_holds(number, free_ports, record):
            record(ports=free_ports(20))
        """
    )
    command = inner.arguments("-n2", "-pno:cacheprovider")
    command = [one if not one.startswith("--basetemp") else one + "-other" for one in command]
    with inner.start("-n2") as running:
        subprocess.run(command, cwd=inner.path, check=True, capture_output=True, timeout=120)
        assert running.wait() == 0, running.output
    assert len(inner.records()) == 20
    assert sys.executable in command
