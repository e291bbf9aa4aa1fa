"""Which port a traceback means. Which one a message means is tested in the core."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING

import pytest
from portalloc_pytest import conflict_ports

if TYPE_CHECKING:
    from collections.abc import Callable


def frames_of(work: Callable[[], object]) -> list[list[int]]:
    with pytest.raises(OSError, match="nothing") as caught:
        work()
    return list(conflict_ports.in_frames(caught.value.__traceback__))


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
