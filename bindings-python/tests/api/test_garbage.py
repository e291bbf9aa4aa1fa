"""What is forgotten is given back, and the line that took it is named: a `PortallocWarning`, which Python shows."""

from __future__ import annotations

import gc
import warnings
from typing import TYPE_CHECKING

import portalloc
import pytest
from support import run

if TYPE_CHECKING:
    from support import Actor, World


@pytest.fixture(autouse=True)
def _no_garbage_of_others() -> None:
    """What earlier tests have left for the collector is not to be told of here."""
    gc.collect()


LOST_LEASE = (
    "the lease taken here was not released, and ended because nothing refers to its Lease object any more: "
    "keep the object for as long as the ports are needed, or take a port with portalloc.port(), which holds it until "
    "the process ends"
)
LOST_ENVIRONMENT = (
    "the environment made here was not cleaned up, and ended because nothing refers to its Environment object any "
    "more: keep the object for as long as the environment is needed, then call cleanup() or leave its with block"
)


def line_of(code: str) -> int:
    """The number of the first line of this file that is this code."""
    with open(__file__) as file:  # noqa: PTH123
        return next(number for number, line in enumerate(file, 1) if line.strip() == code)


def test_a_forgotten_lease_is_released_and_its_line_named(world: World) -> None:
    with pytest.warns(portalloc.PortallocWarning) as caught:  # noqa: PT031
        portalloc.lease(exact=[world.base, world.base + 1])
        gc.collect()
    (warning,) = caught
    assert str(warning.message) == LOST_LEASE
    assert warning.filename == __file__
    assert warning.lineno == line_of("portalloc.lease(exact=[world.base, world.base + 1])")
    assert portalloc.is_free(world.base)
    assert portalloc.leases() == []


def test_a_forgotten_environment_is_cleaned_up_and_its_line_named(world: World) -> None:
    with pytest.warns(portalloc.PortallocWarning) as caught:  # noqa: PT031
        portalloc.environment(2, instance_id="forgotten")
        gc.collect()
    (warning,) = caught
    assert str(warning.message) == LOST_ENVIRONMENT
    assert (warning.filename, warning.lineno) == (
        __file__,
        line_of('portalloc.environment(2, instance_id="forgotten")'),
    )
    assert portalloc.environments() == []
    assert world.left_behind() == []


def test_one_in_a_cycle_too() -> None:
    with pytest.warns(portalloc.PortallocWarning, match="was not released"):  # noqa: PT031
        holder: list[object] = [portalloc.lease()]
        holder.append(holder)
        del holder
        gc.collect()
    assert portalloc.leases() == []


def test_nothing_is_said_of_what_was_given_back(actor: Actor) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with portalloc.lease():
            pass
        portalloc.lease().release()
        with portalloc.environment(1) as environment:
            _ = environment.lease
        portalloc.environment(1).cleanup()
        # A kept one is meant to stay.
        kept = portalloc.environment(1, kept=True).id
        portalloc.attach(kept)
        assert portalloc.cleanup(kept)
        actor.do("environment = portalloc.environment(1)")
        portalloc.attach(actor.ask("environment.id"))
        del environment
        gc.collect()


@pytest.mark.filterwarnings("error::portalloc.PortallocWarning", "error::pytest.PytestUnraisableExceptionWarning")
def test_a_view_of_the_lease_of_an_environment_is_no_lease() -> None:
    with portalloc.environment(1) as environment:
        assert environment.lease is not environment.lease
        gc.collect()
        assert not portalloc.is_free(environment.base_port)


def test_a_view_keeps_its_environment() -> None:
    with pytest.warns(portalloc.PortallocWarning, match="was not cleaned up"):  # noqa: PT031
        view = portalloc.environment(1).lease
        gc.collect()
        assert view is not None
        assert not portalloc.is_free(view.port)
        port = view.port
        del view
        gc.collect()
    assert portalloc.is_free(port)


FORGETFUL = """
import gc, portalloc, sys
{what}
gc.collect()
print(portalloc.leases(), portalloc.environments())
"""


@pytest.mark.parametrize("what", ["portalloc.lease()", "portalloc.environment(1)"])
def test_a_warning_that_is_an_error_is_reported_and_it_ends_all_the_same(what: str, world: World) -> None:
    done = run(FORGETFUL.format(what=what), flags=["-W", "error::UserWarning"])
    assert (done.returncode, done.stdout) == (0, "[] []\n"), done.stderr
    assert "Exception ignored in: <code object " in done.stderr
    assert "PortallocWarning: the " in done.stderr
    assert world.left_behind() == []


@pytest.mark.parametrize(
    ("what", "message"), [("portalloc.lease()", LOST_LEASE), ("portalloc.environment(1)", LOST_ENVIRONMENT)]
)
def test_it_is_said_without_being_asked(what: str, message: str) -> None:
    done = run(FORGETFUL.format(what=what))
    assert (done.returncode, done.stdout) == (0, "[] []\n")
    assert done.stderr.splitlines()[0] == f"<string>:3: PortallocWarning: {message}"


def test_the_mistake_that_everybody_makes_is_shown_with_its_line(world: World) -> None:
    script = world.work / "script.py"
    script.write_text("import portalloc\np = portalloc.lease().port\nprint(portalloc.who(p).leased)\n")
    done = run("import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')", script)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
    assert done.stderr.splitlines() == [
        f"{script}:2: PortallocWarning: {LOST_LEASE}",
        "  p = portalloc.lease().port",
    ]


def test_each_line_is_named_once() -> None:
    code = (
        "import portalloc\n"
        "def take(): portalloc.lease()\n"
        "def take_elsewhere(): portalloc.lease()\n"
        "for _ in range(5):\n"
        "    take()\n"
        "    take_elsewhere()\n"
        # The same line of another file.
        "exec(compile('\\nportalloc.lease()', 'other', 'exec'))\n"
    )
    done = run(code)
    assert done.returncode == 0
    lines = [line.partition(": PortallocWarning: ")[0] for line in done.stderr.splitlines() if "Warning" in line]
    assert lines == ["<string>:2", "<string>:3", "other:2"]
    # Python can be told otherwise.
    assert run(code, flags=["-W", "always"]).stderr.count("PortallocWarning") == 11
    assert run(code, flags=["-W", "ignore::UserWarning"]).stderr == ""


@pytest.mark.parametrize("what", ["portalloc.lease()", "portalloc.environment(1)"])
def test_nothing_is_said_in_a_forked_child(what: str) -> None:
    done = run(
        "import gc, os, portalloc\n"
        f"with {what} as held:\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        del held\n"
        "        gc.collect()\n"
        "        os._exit(0)\n"
        "    print(os.waitpid(pid, 0)[1])\n",
        flags=["-W", "always"],
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


@pytest.mark.filterwarnings("ignore::portalloc.PortallocWarning")
def test_an_exception_in_flight_survives() -> None:
    def fail() -> None:
        _lease = portalloc.lease()
        raise LookupError("in flight")

    with pytest.raises(LookupError, match="in flight") as raised:
        fail()
    raised.value.__traceback__ = None
    del raised
    gc.collect()
    assert portalloc.leases() == []


def test_an_exception_in_flight_survives_a_warning_that_is_an_error() -> None:
    done = run(
        "import portalloc\n"
        "class Holder:\n"
        "    def __del__(self):\n"
        "        del self.lease\n"
        "def fail():\n"
        "    holder = Holder()\n"
        "    holder.lease = portalloc.lease()\n"
        "    try:\n"
        "        raise LookupError('in flight')\n"
        "    finally:\n"
        "        del holder\n"
        "try:\n"
        "    fail()\n"
        "except LookupError as error:\n"
        "    print(error, error.__context__, portalloc.leases())\n",
        flags=["-W", "error"],
    )
    assert (done.returncode, done.stdout) == (0, "in flight None []\n"), done.stderr
    assert "PortallocWarning" in done.stderr


def test_the_origin_does_not_keep_the_variables_of_its_frame() -> None:
    import weakref

    class Local:
        pass

    def take() -> tuple[portalloc.Lease, weakref.ref[Local]]:
        local = Local()
        return portalloc.lease(), weakref.ref(local)

    lease, reference = take()
    with lease:
        assert reference() is None


def test_a_forgotten_current_one_leaves_no_variables_of_a_dead_environment() -> None:
    """Whoever asks for the current one afterwards gets a live one."""
    done = run(
        "import gc, os, portalloc\n"
        "first = portalloc.current(1).id\n"
        "gc.collect()\n"
        "with portalloc.current(1) as second:\n"
        "    print(first != second.id, os.environ['ISOLATION_ID'] == second.id)\n"
    )
    assert (done.returncode, done.stdout) == (0, "True True\n"), done.stderr
