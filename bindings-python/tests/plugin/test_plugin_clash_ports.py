"""Which port a message or a traceback means. The messages are those of the programs named, as they print them."""

from __future__ import annotations

import re
import types
from typing import TYPE_CHECKING

import pytest
from portalloc_pytest import clash_ports

if TYPE_CHECKING:
    from collections.abc import Callable

PHRASE = re.compile("address already in use|EADDRINUSE", re.IGNORECASE)

MESSAGES: dict[str, tuple[str, list[int]]] = {
    "asyncio": (
        "[Errno 98] error while attempting to bind on address ('127.0.0.1', 8080): address already in use",
        [8080],
    ),
    "asyncio, IPv6": (
        "[Errno 98] error while attempting to bind on address ('::1', 8080, 0, 0): address already in use",
        [8080],
    ),
    "socket.create_server": (
        "[Errno 98] Address already in use (while attempting to bind on address ('127.0.0.1', 8080))",
        [8080],
    ),
    "socket.bind": ("OSError: [Errno 98] Address already in use", []),
    "node": (
        """node:net:1937
        throw er; // Unhandled 'error' event

Error: listen EADDRINUSE: address already in use 127.0.0.1:8080
    at Server.setupListenHandle [as _listen2] (node:net:1937:16)
  code: 'EADDRINUSE',
  errno: -98,
  syscall: 'listen',
  address: '127.0.0.1',
  port: 8080
""",
        [8080],
    ),
    "node, any address": ("Error: listen EADDRINUSE: address already in use :::8080", [8080]),
    "Go": ("listen tcp 127.0.0.1:8080: bind: address already in use", [8080]),
    "Go, any address": ("2026/01/31 14:32:27 listen tcp :8080: bind: address already in use", [8080]),
    "Go, IPv6": ("listen tcp [::1]:8080: bind: address already in use", [8080]),
    "nginx": ("nginx: [emerg] bind() to 0.0.0.0:8080 failed (98: Address already in use)", [8080]),
    "redis": (
        "# Warning: Could not create server TCP listening socket *:8080: bind: Address already in use",
        [8080],
    ),
    "postgres": (
        'LOG:  could not bind IPv4 address "127.0.0.1": Address already in use\n'
        "HINT:  Is another postmaster already running on port 8080? If not, wait a few seconds and retry.",
        [8080],
    ),
    "flask": ("Address already in use\nPort 8080 is in use by another program.", [8080]),
    "at the end of a sentence": ("Address already in use: 127.0.0.1:8080.", [8080]),
    "a number too great for a port": ("address already in use 127.0.0.1:80801", []),
    "port 0": ("address already in use 127.0.0.1:0", []),
}


@pytest.mark.parametrize(("message", "ports"), MESSAGES.values(), ids=list(MESSAGES))
def test_the_first_port_is_the_one_that_is_meant(message: str, ports: list[int]) -> None:
    assert clash_ports.near(PHRASE, message)[:1] == ports


def test_far_away_lines_are_not_read() -> None:
    lines = ["listening on port 7001", *["quiet"] * 20, "bind: Address already in use", *["quiet"] * 20, "port 7002"]
    assert clash_ports.near(PHRASE, "\n".join(lines)) == []


def test_a_time_is_no_port() -> None:
    assert clash_ports.in_text("at 14:32:27.236") == []


def frames_of(work: Callable[[], object]) -> list[list[int]]:
    with pytest.raises(OSError, match="nothing") as caught:
        work()
    return list(clash_ports.in_frames(caught.value.__traceback__))


def fail() -> None:
    raise OSError("nothing")


def test_the_innermost_frame_is_first() -> None:
    def inner(address: tuple[str, int]) -> None:
        raise OSError(f"nothing {len(address)}")

    def outer() -> None:
        db_port = 7001
        inner(("127.0.0.1", 7002 + 0 * db_port))

    groups = frames_of(outer)
    assert groups[0] == [7002]
    assert 7001 in groups[1]


def test_variables_that_can_mean_a_port() -> None:
    class Server:
        def __init__(self) -> None:
            self.server_address = ("127.0.0.1", 7101)

    class Configuration:
        def __init__(self) -> None:
            self.port = 7102
            self.retries = 7999

    def work(**options: int) -> None:
        server, configuration = Server(), Configuration()
        http_port, ports, bind = 7103, [7104, 7105], "0.0.0.0:7106"
        count = len(options) + 7998
        assert server, configuration
        assert http_port + len(ports) + len(bind) + count
        fail()

    found = frames_of(lambda: work(port=7107))[1]
    assert sorted(found) == [7101, 7102, 7103, 7104, 7105, 7106, 7107]


def test_a_number_in_the_line_that_failed() -> None:
    def work() -> None:
        fail_at(("127.0.0.1", 7201))

    def fail_at(_address: tuple[str, int]) -> None:
        del _address
        fail()

    assert any(7201 in group for group in frames_of(work))


def test_objects_that_bite_are_left_alone() -> None:
    def bite(_self: object, *_: object) -> object:
        raise RuntimeError("outside of any context")

    # As the proxies of some web frameworks.
    Biting = type(
        "Biting",
        (),
        {"port": property(bite), "__getattr__": bite, **{n: property(bite) for n in ("__dict__", "__class__")}},
    )

    def work() -> None:
        biting, http_port = [Biting()], 7301
        one = biting[0]
        fail_with(one, http_port)

    def fail_with(_one: object, _port: int) -> None:
        fail()

    assert 7301 in frames_of(work)[1]


def test_a_traceback_of_code_without_source() -> None:
    code = compile("def work(port):\n    raise OSError('nothing')\n", "<no file>", "exec")
    module = types.ModuleType("nowhere")
    exec(code, module.__dict__)
    assert frames_of(lambda: module.work(7401))[0] == [7401]
