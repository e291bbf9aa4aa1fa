"""The environment of a worktree: one for all who ask, its own servers, and their end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import portalloc
import pytest
from support import ActorError, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support import Actor, Child, World


@pytest.fixture(autouse=True)
def _end(world: World) -> Iterator[None]:  # noqa: ARG001 - it is of that world
    """No environment outlives its test, so that its temp directory does not."""
    yield
    for info in portalloc.environments():
        portalloc.cleanup(info.isolation_id)


@pytest.fixture
def serve(children: Callable[..., Child]) -> Callable[..., Child]:
    """Starts a server on a port, and returns once it listens."""

    def start(port: int, **options: Any) -> Child:
        command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
        child = children(command, stderr=subprocess.DEVNULL, **options)
        portalloc.wait_until_open(port)
        return child

    return start


def test_it_is_the_same_from_everywhere(world: World, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.work / ".git").mkdir()
    below = world.work / "src" / "deep"
    below.mkdir(parents=True)
    made = portalloc.worktree_environment(names=["web", "db"])
    assert (made.names, made.lifetime, made.worktree_path) == (("web", "db"), "kept", world.work)
    monkeypatch.chdir(below)
    assert portalloc.worktree_environment().id == made.id
    assert portalloc.worktree_environment(worktree=world.work).id == made.id
    assert actor.ask("portalloc.worktree_environment().id") == made.id
    assert portalloc.worktree_environment(instance_id="other").id != made.id


def test_many_who_ask_at_once_get_one(world: World) -> None:
    (world.work / ".git").mkdir()
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: portalloc.worktree_environment(2, wait=30).id, range(64)))
    assert len(set(made)) == 1
    assert [info.isolation_id for info in portalloc.environments()] == made[:1]


def test_it_is_not_made_where_it_only_is_asked_for() -> None:
    assert portalloc.worktree_environment(create=False) is None
    assert portalloc.environments() == []
    made = portalloc.worktree_environment()
    found = portalloc.worktree_environment(create=False)
    assert found is not None
    assert found.id == made.id
    with pytest.raises(portalloc.InvalidArgumentError, match="repair"):
        portalloc.worktree_environment(create=False, repair=True)


def test_no_object_and_no_block_ends_it(actor: Actor) -> None:
    with portalloc.worktree_environment() as made:
        pass
    assert made.temp_dir.is_dir()
    actor.do("with portalloc.worktree_environment(instance_id='a'): pass")
    actor.do("portalloc.worktree_environment(instance_id='b')")
    actor.kill()
    assert portalloc.worktree_environment(instance_id="a", create=False) is not None
    assert portalloc.worktree_environment(instance_id="b", create=False) is not None
    made.cleanup()
    assert portalloc.worktree_environment(create=False) is None


def test_a_repair_follows_the_project_file(world: World) -> None:
    declare(world, 'names = ["web"]')
    first = portalloc.worktree_environment()
    assert portalloc.worktree_environment(repair=True).id == first.id
    declare(world, 'names = ["web", "api"]')
    with pytest.warns(portalloc.PortallocWarning, match="--repair"):
        assert portalloc.worktree_environment().id == first.id
    moved = portalloc.worktree_environment(repair=True)
    assert (moved.names, moved.id == first.id) == (("web", "api"), False)
    assert [info.isolation_id for info in portalloc.environments()] == [moved.id]


def test_a_hold_keeps_it(children: Callable[..., Child]) -> None:
    environment = portalloc.worktree_environment()
    with environment.hold() as hold, hold.inheritable() as descriptor:
        child = children(["sleep", "1000"], pass_fds=[descriptor])
    assert hold.released
    assert repr(hold) == "<Hold released>"
    with pytest.raises(portalloc.InvalidArgumentError, match="released"):
        hold.inheritable()
    hold.release()
    for end in (environment.cleanup, environment.down):
        with pytest.raises(portalloc.EnvironmentInUseError):
            end()
    child.kill()
    environment.cleanup()
    with pytest.raises(portalloc.NotFoundError):
        environment.hold()
    with portalloc.environment() as held, pytest.raises(portalloc.InvalidArgumentError):
        held.hold()


def test_the_loop(serve: Callable[..., Child], world: World) -> None:
    environment = portalloc.worktree_environment(names=["web", "api"])
    with environment.hold() as hold, hold.inheritable() as descriptor:
        # It has neither its variables nor its directory: only the hold tells.
        web = serve(environment["web"], pass_fds=[descriptor], cwd="/")
    api = serve(environment["api"], env={**os.environ, **environment.variables}, cwd="/")
    environment.wait_until_ours(wait=0)
    environment.wait_until_ours("web", http="/", status=200)
    environment.wait_until_ours([environment["api"], "web"], http="/nowhere", status=404)

    would_end = environment.stop(dry_run=True)
    assert would_end
    assert {(process.pid, process.outcome) for process in would_end.processes} == {
        (web.pid, "would_end"),
        (api.pid, "would_end"),
    }
    [ended] = environment.stop("web").processes
    assert (ended.pid, ended.ports, ended.reason, ended.outcome) == (
        web.pid,
        (environment["web"],),
        "hold",
        "ended",
    )
    assert web.status() == -signal.SIGTERM
    report = environment.down(timeout=30)
    assert (report.removed, [process.pid for process in report.processes]) == (True, [api.pid])
    assert portalloc.environments() == []
    assert world.left_behind() == []
    assert isinstance(report, portalloc.StopReport)


def test_somebody_elses_server(serve: Callable[..., Child], world: World) -> None:
    elsewhere = world.scratch / "elsewhere"
    elsewhere.mkdir()
    environment = portalloc.worktree_environment(names=["web"])
    foreign = serve(environment["web"], cwd=elsewhere)
    with pytest.raises(portalloc.PortInUseError, match=str(elsewhere)):
        environment.wait_until_ours(wait=3600)
    for end in (environment.stop, environment.down):
        report = end()
        assert not report
        assert (report.processes, report.removed) == ((), False)
        assert [(left.pid, left.directory) for left in report.foreign] == [(foreign.pid, elsewhere)]


def test_what_cannot_be() -> None:
    environment = portalloc.worktree_environment(names=["web"])
    with pytest.raises(portalloc.WaitTimeout, match=str(environment["web"])):
        environment.wait_until_ours(wait=0)
    refused: list[Callable[[], object]] = [
        lambda: environment.stop("db"),
        lambda: environment.stop(1),
        lambda: environment.stop(timeout=-1),
        lambda: environment.wait_until_ours("db"),
        lambda: environment.wait_until_ours(0),
        lambda: environment.wait_until_ours(http="health"),
        lambda: environment.wait_until_ours(status=99999),
        lambda: environment.wait_until_ours(status=-1),
    ]
    for call in refused:
        with pytest.raises(portalloc.InvalidArgumentError):
            call()
    for wrong in (True, [True], 1.5, b"web"):
        with pytest.raises(TypeError):
            environment.stop(wrong)  # type: ignore[arg-type]


#: Listens, and does not end when it is asked to.
STUBBORN = """
import signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: print("asked", flush=True))
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    signal.pause()
"""


def test_ctrl_c_ends_the_wait_for_our_servers(actor: Actor) -> None:
    actor.do("environment = portalloc.worktree_environment(names=['web'])")
    actor.begin(
        "ready_fd = os.dup(1)\n"
        "signal.signal(signal.SIGALRM, lambda *_: os.write(ready_fd, b'waiting\\n'))\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.01)\n"
        "environment.wait_until_ours(wait=3600)"
    )
    assert actor.line() == "waiting"
    actor.signal(signal.SIGINT)
    with pytest.raises(ActorError, match=r"^KeyboardInterrupt"):
        actor.finish()
    assert actor.ask("environment.stop().processes") == []


@pytest.mark.parametrize("end", ["stop", "down"])
def test_ctrl_c_ends_the_wait_for_their_end(end: str, actor: Actor, children: Callable[..., Child]) -> None:
    environment = portalloc.worktree_environment(names=["web"])
    server = children([sys.executable, "-c", STUBBORN, str(environment["web"])])
    portalloc.wait_until_open(environment["web"])
    actor.begin(f"portalloc.worktree_environment().{end}(timeout=3600)")
    assert server.line() == "asked"
    actor.signal(signal.SIGINT)
    with pytest.raises(ActorError, match=r"^KeyboardInterrupt"):
        actor.finish()
    # It was not killed, and the environment is there.
    environment.wait_until_ours("web", 0)
    [process] = environment.stop(timeout=0).processes
    assert (process.pid, process.outcome) == (server.pid, "killed")


def test_a_block_in_a_file_that_people_edit(world: World) -> None:
    file = world.work / ".env.local"
    file.write_text("MINE=1\n")
    environment = portalloc.worktree_environment(names=["web"])
    environment.write_block(file)
    environment.write_block(".env.local")
    lines = file.read_text().splitlines()
    assert lines[0] == "MINE=1"
    assert lines.count(f"WEB_PORT={environment['web']}") == 1
    environment.cleanup()
    assert file.read_text() == "MINE=1\n"
    with pytest.raises(portalloc.Error):
        environment.write_block(file)
    assert file.read_text() == "MINE=1\n"
    with portalloc.environment() as held, pytest.raises(portalloc.InvalidArgumentError):
        held.write_block(file)


def test_variables_of_the_project_file(world: World) -> None:
    declare(world, 'names = ["web"]\n[env]\nBASE_URL = "http://localhost:{web}/"')
    environment = portalloc.worktree_environment()
    url = f"http://localhost:{environment['web']}/"
    assert environment.variables["BASE_URL"] == url
    assert f"BASE_URL={url}" in environment.render("dotenv")
    found = portalloc.worktree_environment(create=False)
    assert found is not None
    assert found.variables == environment.variables
    with portalloc.current() as current:
        assert os.environ["BASE_URL"] == current.variables["BASE_URL"] != url
    assert "BASE_URL" not in os.environ


def test_ports_to_try_first(world: World) -> None:
    third, second = world.ports[3], world.ports[2]
    with portalloc.lease(prefer=third) as first, portalloc.lease(prefer=[third, second]) as other:
        assert (first.port, other.port) == (third, second)
    with portalloc.environment(1, prefer=third) as environment:
        assert environment.ports == (third,)
    with portalloc.current(1, prefer=[second]) as current:
        assert current.ports == (second,)
    assert portalloc.worktree_environment(2, prefer=iter([second])).ports == (second, third)
    with pytest.raises(portalloc.InvalidArgumentError):
        portalloc.lease(prefer=0)


def declare(world: World, text: str) -> None:
    (world.work / "portalloc.toml").write_text(text)


def test_a_forked_child_has_its_own_part(actor: Actor) -> None:
    """What a child does to its copy of a hold is nothing to its parent's."""
    actor.do("environment = portalloc.worktree_environment(); hold = environment.hold()")
    actor.do("child = Fork(); child.do('hold.release()')")
    environment = portalloc.worktree_environment()
    with pytest.raises(portalloc.EnvironmentInUseError):
        environment.cleanup()
    actor.do("child.kill(); hold.release()")
    until("nobody has a hold", lambda: ended(environment))


def ended(environment: portalloc.Environment) -> bool:
    try:
        environment.cleanup()
    except portalloc.EnvironmentInUseError:
        return False
    return True


def test_a_path_is_text(tmp_path: Path) -> None:
    made = portalloc.worktree_environment(worktree=tmp_path)
    assert made.worktree_path == tmp_path.resolve()
