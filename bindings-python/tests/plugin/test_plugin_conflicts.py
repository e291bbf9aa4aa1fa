"""A test that fails because an address is in use gets told who is there; no other test is told anything."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

import portalloc
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plugin_support import Inner

SECTION = "*- portalloc -*"


@pytest.fixture
def taken(inner: Inner) -> Iterator[int]:
    """A port on which this process listens, and which nobody has leased."""
    with socket.create_server(("127.0.0.1", inner.ports[-1])) as server:
        yield server.getsockname()[1]


def section(result: pytest.RunResult) -> list[str]:
    """The lines of the one section of portalloc in the output."""
    starts = [number for number, line in enumerate(result.outlines) if line.strip("-") == " portalloc "]
    if not starts:
        return []
    (start,) = starts
    lines = result.outlines[start + 1 :]
    end = next(number for number, line in enumerate(lines) if line[:3] in ("---", "===", "___"))
    return lines[:end]


def explained(inner: Inner, source: str, *arguments: str, failed: int = 1, errors: int = 0) -> Sequence[str]:
    inner.suite(source)
    result = inner.run(*arguments)
    result.assert_outcomes(failed=failed, errors=errors)
    return section(result)


WAYS = {
    "a plain bind, with a variable": """
        import socket
        def test_clash():
            port = {port}
            with socket.socket() as server:
                server.bind(("127.0.0.1", port))
    """,
    "a plain bind, with a literal": """
        import socket
        def test_clash():
            with socket.socket() as server:
                server.bind(("127.0.0.1", {port}))
    """,
    "a plain bind, with a global": """
        import socket
        HTTP_PORT = {port}
        def test_clash():
            with socket.socket() as server:
                server.bind(("127.0.0.1", HTTP_PORT))
    """,
    "asyncio": """
        import asyncio
        def test_clash():
            async def serve():
                await asyncio.start_server(lambda *_: None, "127.0.0.1", int("{port}"))
            asyncio.run(serve())
    """,
    "http.server": """
        import http.server
        def test_clash():
            http.server.HTTPServer(("127.0.0.1", int("{port}")), http.server.BaseHTTPRequestHandler)
    """,
    "a cause": """
        import socket
        def start(port):
            try:
                socket.socket().bind(("127.0.0.1", port))
            except OSError as error:
                raise RuntimeError("the application does not start") from error
        def test_clash():
            start(int("{port}"))
    """,
    "a cause that is no context": """
        import socket
        def test_clash():
            port = int("{port}")
            try:
                socket.socket().bind(("127.0.0.1", port))
            except OSError as error:
                reason = error
            raise RuntimeError("the application does not start") from reason
    """,
    "a cause, caught below the variable": """
        import socket
        SETTINGS = iter([int("{port}")])
        def start():
            try:
                socket.socket().bind(("127.0.0.1", next(SETTINGS)))
            except OSError as error:
                raise RuntimeError("the application does not start") from error
        def test_clash():
            expected_port = int("{port}")
            start()
    """,
    "an error that knows its ports": """
        import errno
        class Taken(OSError):
            ports = (int("{port}"),)
        def test_clash():
            raise Taken(errno.EADDRINUSE, "taken")
    """,
    "a context, suppressed": """
        import socket
        def test_clash():
            port = int("{port}")
            try:
                socket.socket().bind(("127.0.0.1", port))
            except OSError:
                raise RuntimeError("the application does not start") from None
    """,
    "a subprocess, its error output inherited": """
        import subprocess, sys
        def test_clash():
            port = {port}
            subprocess.run([sys.executable, "-m", "http.server", "-b", "127.0.0.1", str(port)], timeout=60)
            assert False, "no server"
    """,
    "a subprocess, its error output in the exception": """
        import subprocess, sys
        def test_clash():
            program = "import asyncio; asyncio.run(asyncio.start_server(print, '127.0.0.1', int('{port}')))"
            subprocess.run([sys.executable, "-c", program], timeout=60, check=True, capture_output=True)
    """,
    "a message without a traceback": """
        import pytest
        def test_clash():
            pytest.fail("listen tcp 127.0.0.1:{port}: bind: address already in use", pytrace=False)
    """,
    "an assertion about an output": """
        def test_clash():
            output = "Error: listen EADDRINUSE: address already in use 127.0.0.1:{port}"
            assert output == ""
    """,
    "a log": """
        import logging
        def test_clash():
            logging.error("[Errno 98] Address already in use: ('127.0.0.1', %d)", {port})
            assert False
    """,
    "an attribute of a server": """
        import socket
        class Server:
            def __init__(self):
                self.port = int("{port}")
            def start(self):
                with socket.socket() as server:
                    server.bind(("127.0.0.1", self.port))
        def test_clash():
            Server().start()
    """,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_says_who_is_on_the_port(inner: Inner, taken: int, way: str) -> None:
    (line,) = explained(inner, way.format(port=taken))
    assert f"port {taken} is in use by PID {os.getpid()} " in line
    assert "not leased" in line


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with Python 3.11")
def test_an_exception_group(inner: Inner, taken: int) -> None:
    lines = explained(
        inner,
        f"""
        import asyncio
        def test_clash():
            async def serve():
                async with asyncio.TaskGroup() as group:
                    group.create_task(asyncio.start_server(lambda *_: None, "127.0.0.1", int("{taken}")))
            asyncio.run(serve())
        """,
    )
    assert len(lines) == 1
    assert f"port {taken} is in use by PID {os.getpid()} " in lines[0]


def test_a_fixture_and_a_teardown_that_fail(inner: Inner, taken: int) -> None:
    for place in ("yield", "server.bind(address)\n            yield", "yield\n            server.bind(address)"):
        source = f"""
        import pytest, socket
        @pytest.fixture
        def server():
            address = ("127.0.0.1", {taken})
            server = socket.socket()
            {place}
        def test_uses(server):
            pass
        """
        inner.suite(source)
        result = inner.run()
        if place == "yield":
            result.assert_outcomes(passed=1)
            assert section(result) == []
        else:
            result.assert_outcomes(errors=1, passed=int(place.startswith("yield")))
            assert len(section(result)) == 1
            assert f"port {taken} is in use by PID {os.getpid()} " in section(result)[0]


def test_says_whose_lease_it_is(inner: Inner) -> None:
    lease = portalloc.lease(exact=[inner.ports[3]])
    with lease, socket.create_server(("127.0.0.1", lease.port)):
        (line,) = explained(
            inner,
            f"""
            import socket
            def test_clash():
                socket.socket().bind(("127.0.0.1", {lease.port}))
            """,
        )
        assert line.startswith(f"port {lease.port} is in use by PID {os.getpid()} ")
        assert f"held by PID {os.getpid()}" in line


def test_a_server_of_the_test_before_is_told_with_its_socket(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    inner.suite(
        """
        import socket
        open_servers = []

        def test_forgets(port_lease):
            open_servers.append(socket.create_server(("127.0.0.1", port_lease().port)))

        def test_meets_it():
            socket.create_server(open_servers[0].getsockname())
        """
    )
    for traced, opened in (("0", " (python -X tracemalloc=25 tells where it was opened)"), ("25", "test_inner.py:5")):
        monkeypatch.setenv("PYTHONTRACEMALLOC", traced)
        (line,) = section(inner.run())
        assert " is in use by this process, PID " in line, line
        assert "; its socket is <socket.socket " in line, line
        assert opened in line


def test_says_where_this_process_leased_it(inner: Inner) -> None:
    (line,) = explained(
        inner,
        """
        import portalloc, socket

        def test_conflict():
            lease = portalloc.lease()
            server = socket.create_server(("127.0.0.1", lease.port))
            socket.create_server(server.getsockname())
        """,
    )
    assert "held by this process, leased at " in line, line
    assert "test_inner.py:4, since" in line, line


def test_says_for_which_test_a_fixture_leased_it(inner: Inner) -> None:
    (line,) = explained(
        inner,
        """
        import socket

        def test_conflict(free_port):
            with socket.create_server(("127.0.0.1", free_port)):
                socket.create_server(("127.0.0.1", free_port))
        """,
    )
    assert "leased at test_inner.py::test_conflict, since" in line, line


def test_says_which_environment_it_is(inner: Inner) -> None:
    with portalloc.environment(1) as environment:
        (port,) = environment.ports
        with socket.create_server(("127.0.0.1", port)):
            (line,) = explained(
                inner, f"import socket\ndef test_clash():\n    socket.socket().bind(('127.0.0.1', {port}))\n"
            )
        assert environment.id in line


def test_a_lease_that_portalloc_refuses(inner: Inner) -> None:
    with portalloc.lease(exact=[inner.ports[3]]) as lease:
        (line,) = explained(inner, f"def test_clash(port_lease):\n    port_lease(exact=[{lease.port}])\n")
        assert line.startswith(f"port {lease.port} is held by PID {os.getpid()} ")


def test_ports_that_nobody_is_on_are_not_named(inner: Inner, taken: int) -> None:
    lines = explained(
        inner,
        f"""
        import errno
        def test_clash(free_port):
            db_port, admin_port, my_port = {inner.ports[1]}, {inner.ports[2]}, {taken}
            raise OSError(errno.EADDRINUSE, "Address already in use")
        """,
    )
    assert len(lines) == 1
    assert f"port {taken} " in lines[0]


def test_a_clash_of_which_nothing_is_left_has_no_section(inner: Inner) -> None:
    lines = explained(
        inner,
        f"""
        import socket
        def test_clash():
            port = {inner.ports[5]}
            with socket.create_server(("127.0.0.1", port)):
                socket.create_server(("127.0.0.1", port))
        """,
    )
    assert lines == []


def test_the_frames_of_the_clash_count_more_than_those_around_it(inner: Inner, taken: int) -> None:
    with socket.create_server(("127.0.0.1", inner.ports[-2])) as other:
        lines = explained(
            inner,
            f"""
            import socket
            def start(port):
                try:
                    socket.socket().bind(("127.0.0.1", port))
                except OSError as error:
                    raise RuntimeError("the application does not start") from error
            def test_clash():
                db_port = {other.getsockname()[1]}
                start(int("{taken}"))
            """,
        )
    assert len(lines) == 1
    assert f"port {taken} " in lines[0]


def test_a_test_that_is_no_function(inner: Inner, taken: int) -> None:
    inner.conftest(
        f"""
class Item(pytest.Item):
    def runtest(self):
        raise ValueError("exit status 1")

    def repr_failure(self, excinfo):
        return "Error: listen EADDRINUSE: address already in use 127.0.0.1:{taken}"

class File(pytest.File):
    def collect(self):
        yield Item.from_parent(self, name="of a file")

def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".scenario":
        return File.from_parent(parent, path=file_path)
"""
    )
    (inner.path / "test.scenario").touch()
    result = inner.run()
    result.assert_outcomes(failed=1)
    assert len(section(result)) == 1
    assert f"port {taken} is in use by PID {os.getpid()} " in section(result)[0]


def test_the_message_counts_more_than_variables(inner: Inner, taken: int) -> None:
    with socket.create_server(("127.0.0.1", inner.ports[-2])) as other:
        lines = explained(
            inner,
            f"""
            def test_clash():
                db_port = {other.getsockname()[1]}
                raise RuntimeError("listen tcp 127.0.0.1:{taken}: bind: address already in use")
            """,
        )
    assert len(lines) == 1
    assert f"port {taken} " in lines[0]


@pytest.mark.parametrize(
    "body",
    [
        "raise ValueError(f'nothing is wrong with {port}')",
        "raise ConnectionRefusedError(111, f'127.0.0.1:{port}')",
        "print(f'127.0.0.1:{port}'); assert False",
    ],
)
def test_other_failures_are_told_nothing(inner: Inner, taken: int, body: str) -> None:
    inner.suite(
        f"""
        def test_fails():
            port = {taken}
            {body}
        """
    )
    result = inner.run()
    result.assert_outcomes(failed=1)
    assert section(result) == []


def test_passing_and_expected_failures_are_told_nothing(inner: Inner, taken: int) -> None:
    inner.suite(
        f"""
        import socket, sys, pytest
        def bind():
            with socket.socket() as server:
                server.bind(("127.0.0.1", {taken}))
        def test_passes():
            with pytest.raises(OSError):
                bind()
            print("Address already in use: 127.0.0.1:{taken}")
        @pytest.mark.xfail
        def test_is_expected():
            bind()
        def test_did_not_even_load():
            assert "portalloc" not in sys.modules
        """
    )
    result = inner.run("-rA")
    result.assert_outcomes(passed=2, xfailed=1)
    assert section(result) == []


def test_trouble_of_our_own_is_one_line(inner: Inner, taken: int) -> None:
    inner.conftest(
        """
        from portalloc import _portalloc

        def explain_conflict(**failure):
            raise RuntimeError("the kernel is on holiday")

        _portalloc.explain_conflict = explain_conflict
        """.replace("\n        ", "\n")
    )
    (line,) = explained(inner, f"import socket\ndef test_clash():\n    socket.socket().bind(('', {taken}))\n")
    assert "RuntimeError: the kernel is on holiday" in line


def test_exceptions_that_cannot_be_printed(inner: Inner, taken: int) -> None:
    (line,) = explained(
        inner,
        f"""
        import socket
        class Unprintable(Exception):
            def __str__(self):
                raise RuntimeError("no")
        def test_clash():
            try:
                socket.socket().bind(("127.0.0.1", {taken}))
            except OSError as error:
                raise Unprintable from error
        """,
    )
    assert f"port {taken} is in use" in line


@pytest.mark.parametrize("arguments", [("-n1",), ("--tb=short",), ("--tb=native",), ("--show-capture=no",)])
def test_the_section_survives(inner: Inner, taken: int, arguments: tuple[str, ...]) -> None:
    source = f"import socket\ndef test_clash():\n    socket.socket().bind(('127.0.0.1', {taken}))\n"
    (line,) = explained(inner, source, *arguments)
    assert f"port {taken} is in use" in line


def test_the_section_is_in_junit_xml(inner: Inner, taken: int) -> None:
    source = f"import socket\ndef test_clash():\n    socket.socket().bind(('127.0.0.1', {taken}))\n"
    explained(inner, source, "--junitxml=junit.xml")
    assert f"port {taken} is in use by PID {os.getpid()} " in (inner.path / "junit.xml").read_text()
