"""Servers that outlive their test are named, and nothing else is."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from plugin_support import is_alive, until

if TYPE_CHECKING:
    from plugin_support import Inner

# A server in a process of its own, which the suite leaves behind. It tells when it listens by its output.
SERVER = """
import subprocess, sys

COMMAND = [sys.executable, "-c", '''
import signal, socket, sys, time
if sys.argv[3:]:
    signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.2), sys.exit()))
kind = socket.SOCK_DGRAM if sys.argv[2] == "udp" else socket.SOCK_STREAM
server = socket.socket(socket.AF_INET, kind)
server.bind(("127.0.0.1", int(sys.argv[1])))
if kind == socket.SOCK_STREAM:
    server.listen()
print("up", flush=True)
time.sleep(1000)
''']

def serve(port, kind="tcp", slowly=False):
    arguments = [str(port), kind, *["slowly"][:slowly]]
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert process.stdout.readline() == b"up\\n"
    return process
"""


@pytest.fixture
def serving(inner: Inner) -> Inner:
    inner.pytester.makepyfile(serving=SERVER)
    return inner


def end(inner: Inner) -> None:
    """Ends the servers that the suite has left behind; they are in its records."""
    servers: list[int] = [record["server"] for record in inner.records()]
    for server in servers:
        os.kill(server, signal.SIGKILL)
    until(lambda: not any(is_alive(server) for server in servers), "the servers are gone")


LEAKS_A_PROCESS = """
from serving import serve

def test_leaks(free_port, record):
    record(server=serve(free_port).pid, port=free_port)
"""

LEAKS_A_SOCKET = """
import socket

kept = []

def test_leaks(free_port, record):
    kept.append(socket.create_server(("127.0.0.1", free_port)))
    record(port=free_port)
"""


def test_a_process_is_named_by_default(serving: Inner) -> None:
    serving.suite(LEAKS_A_PROCESS)
    try:
        result = serving.run()
        result.assert_outcomes(passed=1, warnings=1)
        seen = serving.record()
        (line,) = [line for line in result.outlines if "PortLeakWarning" in line]
        assert "test_inner.py:" in line
        assert f"port {seen['port']} " in line
        assert f"PID {seen['server']} " in line
        assert sys.executable in line, "the command line is told"
    finally:
        end(serving)


def test_a_socket_of_the_suite_itself_is_named(inner: Inner) -> None:
    inner.suite(LEAKS_A_SOCKET)
    result = inner.run()
    result.assert_outcomes(passed=1, warnings=1)
    seen = inner.record()
    result.stdout.fnmatch_lines([f"*PortLeakWarning: port {seen['port']} *this process, PID {seen['pid']}:*"])


@pytest.mark.parametrize("way", ["--portalloc-leak=error", "ini"])
def test_error_fails_the_teardown(inner: Inner, way: str) -> None:
    inner.suite(LEAKS_A_SOCKET)
    arguments = [way]
    if way == "ini":
        inner.pytester.makeini("[pytest]\nportalloc_leak = error")
        arguments = []
    result = inner.run(*arguments)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_leaks*", f"*port {inner.record()['port']} is given back*"])


def test_off_says_nothing(inner: Inner) -> None:
    inner.pytester.makeini("[pytest]\nportalloc_leak = error")
    inner.suite(LEAKS_A_SOCKET)
    inner.run("--portalloc-leak=off").assert_outcomes(passed=1, warnings=0)


def test_the_warning_can_be_made_an_error_and_ports_are_released_all_the_same(inner: Inner) -> None:
    inner.suite(LEAKS_A_SOCKET + "\n\ndef test_after():\n    import portalloc\n    assert portalloc.leases() == []\n")
    inner.run("-Werror::portalloc.PortLeakWarning").assert_outcomes(passed=2, errors=1)


@pytest.mark.parametrize(
    ("fixture", "port"),
    [
        ("free_ports", "free_ports(3)[2]"),
        ("port_lease", "port_lease(2)[1]"),
        ("port_lease", "opened(port_lease(guard=True)).port"),
        ("isolation", "isolation.ports[-1]"),
        ("unused_tcp_port", "unused_tcp_port"),
        ("unused_tcp_port_factory", "unused_tcp_port_factory()"),
    ],
)
def test_every_leasing_fixture_looks(inner: Inner, fixture: str, port: str) -> None:
    inner.pytester.makeini("[pytest]\nportalloc_asyncio_fixtures = true")
    inner.suite(
        f"""
        import socket

        kept = []

        def opened(lease):
            lease.share_guard()
            return lease

        def test_leaks({fixture}, record):
            port = {port}
            kept.append(socket.create_server(("127.0.0.1", port)))
            record(port=port)
        """
    )
    result = inner.run()
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines([f"*PortLeakWarning: port {inner.record()['port']} is given back*"])


def test_a_listening_socket_that_was_passed_on_is_named(serving: Inner) -> None:
    serving.suite(
        """
        import os, subprocess, sys

        def test_hands_off(listening_socket, record):
            number = listening_socket.fileno()
            server = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"], pass_fds=[number])
            record(server=server.pid, port=listening_socket.getsockname()[1])
        """
    )
    try:
        result = serving.run()
        result.assert_outcomes(passed=1, warnings=1)
        seen = serving.record()
        result.stdout.fnmatch_lines([f"*port {seen['port']} *PID {seen['server']} (*"])
    finally:
        end(serving)


def test_udp_servers_count(serving: Inner) -> None:
    serving.suite(LEAKS_A_PROCESS.replace("serve(free_port)", "serve(free_port, 'udp')"))
    try:
        serving.run().assert_outcomes(passed=1, warnings=1)
    finally:
        end(serving)


def test_what_is_not_a_leak(serving: Inner) -> None:
    """Each of these has a server that is gone, or about to go, or no server at all, when the test is over."""
    # However slow this machine is: the server that was told to end does so in time.
    serving.conftest(
        """
        import time
        import portalloc_pytest.leaks

        ask = portalloc_pytest.leaks.leaks

        def patiently(ports, ours_too, patient):
            end = time.monotonic() + (60 if patient else 0)
            while (found := ask(ports, ours_too, patient)) and time.monotonic() < end:
                pass
            return found

        portalloc_pytest.leaks.leaks = patiently
        """.replace("\n        ", "\n")
    )
    serving.suite(
        """
        import asyncio, socket
        import pytest
        from serving import serve

        def test_closed(free_port):
            socket.create_server(("127.0.0.1", free_port)).close()

        def test_out_of_scope(free_port):
            server = socket.create_server(("127.0.0.1", free_port))

        def test_garbage_in_a_cycle(free_port):
            server = [socket.create_server(("127.0.0.1", free_port))]
            server.append(server)

        def test_asyncio_without_close(free_port):
            async def serve():
                await asyncio.start_server(lambda *_: None, "127.0.0.1", free_port)
            asyncio.run(serve())

        def test_bound_but_not_listening(free_port):
            test_bound_but_not_listening.kept = socket.socket()
            test_bound_but_not_listening.kept.bind(("127.0.0.1", free_port))

        def test_only_a_client_is_left(free_port):
            with socket.create_server(("127.0.0.1", free_port)) as server:
                test_only_a_client_is_left.client = socket.create_connection(("127.0.0.1", free_port))
                test_only_a_client_is_left.accepted = server.accept()

        def test_closed_connections_linger(free_port):
            with socket.create_server(("127.0.0.1", free_port)) as server:
                with socket.create_connection(("127.0.0.1", free_port)):
                    server.accept()[0].close()

        def test_ended_but_not_waited_for(free_port):
            serve(free_port, slowly=True).terminate()

        def test_guards_are_ours(port_lease):
            port_lease(guard=True)
            port_lease(guard=True).share_guard()

        @pytest.fixture
        def servers():
            running = []
            yield running
            for server in running:
                server.close()

        # The fixture that closes the server is set up before the port is leased, and knows nothing of it.
        def test_closed_by_an_earlier_fixture(servers, free_port):
            servers.append(socket.create_server(("127.0.0.1", free_port)))

        class TestXUnit:
            def teardown_method(self):
                self.server.close()

            def test_closed_by_teardown_method(self, free_port):
                self.server = socket.create_server(("127.0.0.1", free_port))
        """
    )
    serving.run("-Werror::portalloc.PortLeakWarning").assert_outcomes(passed=11)


def test_the_server_of_a_failed_test_is_not_held_against_it(inner: Inner) -> None:
    """Its socket lives on in pytest's traceback only."""
    inner.suite(
        """
        import socket

        def test_fails(free_port):
            server = socket.create_server(("127.0.0.1", free_port))
            assert False

        kept = []

        def test_leaks(free_port):
            kept.append(socket.create_server(("127.0.0.1", free_port)))
        """
    )
    inner.run("--portalloc-leak=error").assert_outcomes(failed=1, passed=1, errors=1)


def test_a_process_left_by_a_failed_test_is_named(serving: Inner) -> None:
    serving.suite(LEAKS_A_PROCESS + "    assert False\n")
    try:
        serving.run().assert_outcomes(failed=1, warnings=1)
    finally:
        end(serving)


def test_leaks_of_workers_reach_the_controller(inner: Inner) -> None:
    inner.suite(LEAKS_A_SOCKET)
    result = inner.run("-n1")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines([f"*PortLeakWarning: port {inner.record()['port']} *"])


def test_closed_connections_that_linger_are_no_leak(inner: Inner) -> None:
    inner.suite(
        """
        import socket

        def test_lingers(free_port):
            with socket.create_server(("127.0.0.1", free_port)) as server:
                with socket.create_connection(("127.0.0.1", free_port)):
                    server.accept()[0].close()
        """
    )
    inner.run("-Werror::portalloc.PortLeakWarning").assert_outcomes(passed=1)
