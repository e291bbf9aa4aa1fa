"""`run_isolation` in a run of pytest-xdist: the first worker that needs it makes it, all workers attach to it, and the
controller ends it.

It is a kept environment, so it outlives the worker that made it, and the controller owns it: if that is killed, its
ports are free at once. Controller and workers meet at a `Board`, on which a worker tells three things, under its lock:

- `before`: the controller's kept environments, before the worker makes one. If the worker is killed before it tells
  which one it has made, it is the one that is not among those.
- `id`: the environment.
- `error`: why there is none. Told once, because the worker may have waited for `portalloc_timeout` seconds.

The controller loads the native module only if a worker has begun to make one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from portalloc_pytest.board import Board, look_up
from portalloc_pytest.run import RunIsolation, not_cleaned_up
from portalloc_pytest.run_leaks import RunLeaks

if TYPE_CHECKING:
    import portalloc

    from portalloc_pytest.options import Options

# Under this name the controller tells its workers where the board is, or `{"error": ...}`.
_KEY = "portalloc_run"

_NOT_TOLD = "the controller, the process that was started as pytest, does not have the plugin portalloc"
_ELSEWHERE = (
    "run_isolation is one environment for all workers, and this worker cannot see the process that was started as "
    "pytest: it runs on another machine, in another container or as another user. Take `isolation`, or make a fixture "
    "of the session with portalloc.environment(), of which each worker has its own"
)


class Worker(RunIsolation):
    def __init__(self, options: Options, workerinput: dict[str, Any]) -> None:
        super().__init__()
        self._options = options
        self._address = _address(workerinput)

    def _make(self) -> portalloc.Environment:
        if "error" in self._address:
            pytest.fail(f"run_isolation cannot be shared by the workers: {self._address['error']}", pytrace=False)
        with look_up(self._address) as board:
            if board is None:
                pytest.fail(_ELSEWHERE, pytrace=False)
            with board.locked():
                identifier = self._shared(board)
        import portalloc

        # Also in the worker that has made it, where a `with` block would end what it has made.
        return portalloc.attach(identifier)

    def _shared(self, board: Board) -> str:
        """The ID of the environment, which this worker makes if there is none."""
        owner = self._address["pid"]
        facts = board.facts()
        if "error" in facts:
            pytest.fail(f"run_isolation: another worker could not make it: {facts['error']}", pytrace=False)
        identifier = _made(facts, owner)
        if identifier is None:
            from portalloc_pytest.holding import create_environment

            board.tell(before=_kept_by(owner))
            try:
                identifier = create_environment(self._options, owner_pid=owner).id
            except Exception as error:
                board.tell(error=f"{type(error).__name__}: {error}")
                raise
        board.tell(id=identifier)
        return identifier


def tell_header(workerinput: dict[str, Any], lines: list[str]) -> None:
    """In a worker, for the controller, whose terminal it is."""
    address = _address(workerinput)
    if "error" not in address:
        with look_up(address) as board:
            if board is not None:
                board.tell(header=lines)


def _address(workerinput: dict[str, Any]) -> dict[str, Any]:
    address: dict[str, Any] = workerinput.get(_KEY, {"error": _NOT_TOLD})
    return address


class Controller:
    """A plugin of its own. It makes nothing, and ends what the workers have made."""

    def __init__(self, config: pytest.Config, options: Options) -> None:
        self._config = config
        self._leaks = RunLeaks(options.leak)
        self._pid = os.getpid()
        self._board: Board | None = None
        self._header_is_due = True
        try:
            self._board = Board.put_up()
            self._address = self._board.address
        except OSError as error:
            self._address = {"error": f"the controller has no file for them: {type(error).__name__}: {error}"}

    def offer(self, workerinput: dict[str, Any]) -> None:
        workerinput[_KEY] = self._address

    # The first test starts when all workers know their tests, and so whether they need a port.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        if self._header_is_due:
            self._header_is_due = False
            reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
            for line in self._facts().get("header", ()) if reporter else ():
                reporter.write_line(line)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        # Last, because before it the workers are ended.
        try:
            identifier = self._made()
            if identifier is None:
                return
            import portalloc

            ports = portalloc.attach(identifier).ports
        except Exception:  # noqa: BLE001 - it is said when it is to be cleaned up
            return
        self._leaks.look_for(ports, session)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        self._leaks.summarize(terminalreporter)

    def pytest_unconfigure(self) -> None:
        try:
            identifier = self._made()
            if identifier is not None:
                import portalloc

                portalloc.cleanup(identifier)
        except Exception as error:  # noqa: BLE001 - the run is over
            not_cleaned_up(error)
        if self._board is not None:
            self._board.close()
            self._board = None

    def _made(self) -> str | None:
        """Nothing in a forked child."""
        return _made(self._facts(), self._pid) if os.getpid() == self._pid else None

    def _facts(self) -> dict[str, Any]:
        return {} if self._board is None else self._board.facts()


def _made(facts: dict[str, Any], owner: int) -> str | None:
    """The ID of the environment, if there is one."""
    if "id" in facts:
        return str(facts["id"])
    if "error" in facts or "before" not in facts:
        return None
    return next((one for one in _kept_by(owner) if one not in facts["before"]), None)


def _kept_by(owner: int) -> list[str]:
    import portalloc

    return [
        one.isolation_id
        for one in portalloc.environments()
        if one.status == "active" and one.lifetime == "kept" and one.holder is not None and one.holder.pid == owner
    ]
