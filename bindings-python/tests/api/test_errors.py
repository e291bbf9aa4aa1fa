"""Every stable code has its one class, which existing handlers of built-in exceptions catch."""

from __future__ import annotations

import builtins
import copy
import errno
import multiprocessing
import pickle
from typing import TYPE_CHECKING

import portalloc
import pytest
from portalloc import errors, tools

if TYPE_CHECKING:
    from support import World

#: The contract: code, built-in class, `errno`.
TABLE: list[tuple[str, type[Exception], int | None]] = [
    ("invalid_argument", ValueError, None),
    ("invalid_id", ValueError, None),
    ("pool_exhausted", OSError, errno.EADDRNOTAVAIL),
    ("port_in_use", OSError, errno.EADDRINUSE),
    ("not_found", LookupError, None),
    ("in_use", OSError, errno.EBUSY),
    ("env_file_exists", FileExistsError, errno.EEXIST),
    ("id_exhausted", OSError, errno.EAGAIN),
    ("registry_unusable", OSError, errno.EIO),
    ("permission_denied", PermissionError, errno.EACCES),
    ("timeout", TimeoutError, errno.ETIMEDOUT),
    ("unsupported", NotImplementedError, None),
    ("io", OSError, errno.EIO),
    ("internal", RuntimeError, None),
]


def class_of(code: str) -> type[portalloc.Error]:
    names = {"in_use": "EnvironmentInUseError", "timeout": "WaitTimeout", "io": "SystemCallError"}
    return getattr(portalloc, names.get(code, code.title().replace("_", "") + "Error"))  # type: ignore[no-any-return]


def test_the_table_is_that_of_all_codes() -> None:
    assert tuple(code for code, _, _ in TABLE) == tools.ERROR_CODES
    classes = [cls for cls in vars(portalloc).values() if isinstance(cls, type) and issubclass(cls, portalloc.Error)]
    classes.remove(portalloc.Error)
    assert sorted(cls.code for cls in classes) == sorted(tools.ERROR_CODES)
    assert {cls.__name__ for cls in classes} | {"Error", "PortallocWarning", "PortLeakWarning"} == set(errors.__all__)
    assert set(errors.__all__) <= set(portalloc.__all__)


@pytest.mark.parametrize(("code", "base", "number"), TABLE, ids=[row[0] for row in TABLE])
def test_a_class(code: str, base: type[Exception], number: int | None) -> None:
    cls = class_of(code)
    assert issubclass(cls, portalloc.Error)
    assert issubclass(cls, base)
    assert not issubclass(portalloc.Error, base)
    census = {"held": 1}
    error = cls("what happened", "what to do", (1, 2), census)
    for one in (error, pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(one) is cls
        assert one.code == code
        assert (one.message, one.remedy, one.ports, one.census) == ("what happened", "what to do", (1, 2), census)
        assert str(one) == "what happened; what to do"
        assert getattr(one, "errno", None) == number
        if isinstance(one, OSError):
            assert one.strerror == "what happened"
            assert one.filename is None
    assert str(cls("alone")) == "alone"


@pytest.mark.parametrize("code", tools.ERROR_CODES)
def test_the_core_s_error_is_of_that_class(code: str) -> None:
    error = errors.error_of(code, "message", "remedy", [7], None)
    assert type(error) is class_of(code)
    assert (error.code, error.ports, error.census) == (code, (7,), None)


def test_a_code_of_a_newer_core_is_a_plain_error() -> None:
    error = errors.error_of("brand_new", "message", "", [], None)
    assert type(error) is portalloc.Error
    vars(error)["__notes__"] = ["of the caller"]  # what `add_note` of Python 3.11 sets
    for one in (error, pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(one) is portalloc.Error
        assert (one.code, one.message, vars(one)["__notes__"]) == ("brand_new", "message", ["of the caller"])


def test_every_error_says_what_to_do(world: World) -> None:
    with portalloc.lease(exact=[world.base]):
        for call in (
            lambda: portalloc.lease(exact=[world.base]),
            lambda: portalloc.lease(0),
            lambda: tools.parse_id("x"),
            lambda: portalloc.validate("0" * 12),
            lambda: portalloc.wait_until_open(world.base, 0),
        ):
            with pytest.raises(portalloc.Error) as raised:
                call()
            error = raised.value
            assert error.message
            assert error.remedy
            assert str(error) == f"{error.message}; {error.remedy}"
            assert error.args == (error.message,)
            assert error.__cause__ is None
            assert type(error).__module__ == "portalloc.errors"


def raise_in_a_worker(port: int) -> None:
    portalloc.lease(exact=[port])


def test_an_error_comes_through_a_pool_of_processes(world: World) -> None:
    with (
        portalloc.lease(exact=[world.base]),
        multiprocessing.get_context("spawn").Pool(1) as pool,
        pytest.raises(portalloc.PortInUseError) as raised,
    ):
        pool.apply(raise_in_a_worker, (world.base,))
    assert raised.value.ports == (world.base,)
    assert raised.value.errno == errno.EADDRINUSE
    assert str(world.base) in str(raised.value)


def test_handlers_of_built_in_exceptions_catch_them(world: World) -> None:
    with portalloc.lease(exact=[world.base]):
        caught = []
        for call in (
            lambda: portalloc.lease(exact=[world.base]),
            lambda: portalloc.lease(0),
            lambda: portalloc.wait_until_open(world.base, 0),
            lambda: portalloc.attach("0" * 12),
        ):
            try:
                call()
            except TimeoutError:
                caught.append("timeout")
            except OSError as error:
                caught.append(errno.errorcode[error.errno or 0])
            except ValueError:
                caught.append("value")
            except LookupError:
                caught.append("lookup")
    assert caught == ["EADDRINUSE", "value", "timeout", "lookup"]


def test_star_import_shadows_no_built_in() -> None:
    names: dict[str, object] = {}
    exec("from portalloc import *", names)
    assert {name for name in names if not name.startswith("__") and hasattr(builtins, name)} == set()
