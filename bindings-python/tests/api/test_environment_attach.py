"""One environment for many processes: found by its ID, or by the variable that its maker has exported."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import portalloc
import pytest
from support import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from support import Actor, World


def test_attached_by_id(actor: Actor) -> None:
    actor.do("environment = portalloc.environment(names=['web', 'api'], instance_id='one')")
    identifier = actor.ask("environment.id")
    attached = portalloc.attach(identifier)
    assert attached.id == identifier
    assert list(attached.ports) == actor.ask("environment.ports")
    assert attached.names == ("web", "api")
    assert attached.instance_id == "one"
    assert str(attached.temp_dir) == actor.ask("str(environment.temp_dir)")
    assert attached.variables == actor.ask("environment.variables")
    assert attached.lifetime == "held"
    assert attached.lease is None


def test_nothing_that_happens_to_an_attached_one_ends_it(actor: Actor, world: World) -> None:
    actor.do("environment = portalloc.environment(1)")
    identifier = actor.ask("environment.id")
    with portalloc.attach(identifier):
        pass
    portalloc.attach(identifier)
    assert [info.status for info in portalloc.environments()] == ["active"]
    assert len(world.left_behind()) == 1


def test_an_attached_kept_one_can_be_cleaned_up(actor: Actor, world: World) -> None:
    actor.do("environment = portalloc.environment(1, kept=True)")
    attached = portalloc.attach(actor.ask("environment.id"))
    attached.cleanup()
    attached.cleanup()
    assert portalloc.environments() == []
    assert world.left_behind() == []


def test_attached_by_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    with portalloc.environment(1) as environment:
        monkeypatch.setenv("ISOLATION_ID", environment.id)
        assert portalloc.attach().id == environment.id


@pytest.mark.parametrize("named", [None, ""])
def test_without_the_variable_there_is_nothing_to_attach_to(monkeypatch: pytest.MonkeyPatch, named: str | None) -> None:
    if named is not None:
        monkeypatch.setenv("ISOLATION_ID", named)
    with pytest.raises(portalloc.NotFoundError, match="ISOLATION_ID"):
        portalloc.attach()


def test_one_that_does_not_live_cannot_be_attached_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(portalloc.NotFoundError, match="0123456789ab"):
        portalloc.attach("0123456789ab")
    monkeypatch.setenv("ISOLATION_ID", "not an ID")
    for attach in (portalloc.attach, portalloc.current):
        with pytest.raises(portalloc.InvalidIdError) as raised:
            attach()
        assert isinstance(raised.value, ValueError)


def exported() -> str | None:
    return os.environ.get("ISOLATION_ID")


def test_the_current_one_is_made_and_exported(world: World) -> None:
    before = dict(os.environ)
    with portalloc.current(names=["web"]) as environment:
        assert environment.lifetime == "held"
        assert environment.lease is not None
        assert dict(os.environ) == {**before, **environment.variables}
        child = run("import os, portalloc; print(portalloc.current().id, os.environ['WEB_PORT'])")
        assert child.stdout.split() == [environment.id, str(environment.port("web"))]
        assert child.returncode == 0, child.stderr
    assert dict(os.environ) == before
    assert world.left_behind() == []


def test_the_current_one_is_attached_to_from_then_on() -> None:
    with portalloc.current(1) as environment:
        with portalloc.current(3) as again:
            assert (again.id, again.ports) == (environment.id, environment.ports)
            assert again.lease is None
        assert exported() == environment.id
        assert portalloc.validate(environment.id)


def test_children_neither_end_nor_unexport_it(actors: Callable[..., Actor]) -> None:
    with portalloc.current(1) as environment:
        actor = actors()
        actor.do("environment = portalloc.current()")
        assert actor.ask("environment.id") == environment.id
        actor.do("with environment: pass")
        actor.do("del environment; gc.collect()")
        assert actor.ask("os.environ['ISOLATION_ID']") == environment.id
        actor.kill()
        assert portalloc.validate(environment.id)


def test_a_variable_that_was_set_before_gets_its_value_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMP_DIR", "/mine")
    with portalloc.current(1) as environment:
        assert os.environ["TEMP_DIR"] == str(environment.temp_dir)
    assert os.environ["TEMP_DIR"] == "/mine"


def test_a_variable_that_was_changed_meanwhile_stays() -> None:
    done = run(
        "import os, portalloc\n"
        "with portalloc.current(1):\n"
        "    os.environ['TEMP_DIR'] = '/mine'\n"
        "    del os.environ['PORT_BASE']\n"
        "names = {'ISOLATION_ID', 'PORT_COUNT', 'PORT_BASE', 'TEMP_DIR'}\n"
        "print(names & set(os.environ), os.environ['TEMP_DIR'])\n"
    )
    assert (done.returncode, done.stdout) == (0, "{'TEMP_DIR'} /mine\n"), done.stderr


def test_a_name_left_over_from_a_run_that_has_ended(actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    actor.do("environment = portalloc.environment(1)")
    over = actor.ask("environment.id")
    actor.do("environment.cleanup()")
    monkeypatch.setenv("ISOLATION_ID", over)
    with portalloc.current(1) as environment:
        assert environment.id != over
        assert exported() == environment.id
    assert exported() == over


def test_what_current_takes(world: World) -> None:
    other = world.scratch / "other"
    other.mkdir()
    with portalloc.current(
        2,
        names=["web"],
        instance_id="gw0",
        worktree=other,
        env_file=world.scratch / "my.env",
        pool=f"{world.base}-{world.base + 9}",
        exclude=f"{world.base + 2}-{world.base + 9}",
        sticky=True,
        wait=60,
    ) as environment:
        assert environment.ports == world.ports[:2]
        assert environment.instance_id == "gw0"
        assert environment.worktree_path == other
        assert environment.env_file == world.scratch / "my.env"


def test_a_current_one_that_is_forgotten_ends_with_its_process(world: World) -> None:
    child = run("import portalloc; kept = portalloc.current(1); print(kept.id)")
    assert child.returncode == 0, child.stderr
    assert [info.status for info in portalloc.environments() if info.isolation_id == child.stdout.strip()] in (
        [],
        ["stale"],
    )
    portalloc.cleanup_stale()
    assert world.left_behind() == []


def test_the_parent_of_a_current_one_may_be_any_process() -> None:
    code = (
        "import os, portalloc, subprocess, sys\n"
        "with portalloc.current(1) as environment:\n"
        "    child = 'import portalloc; print(portalloc.attach().id)'\n"
        "    answer = subprocess.check_output([sys.executable, '-c', child], text=True).strip()\n"
        "    print(answer == environment.id)\n"
        "print('ISOLATION_ID' in os.environ)\n"
    )
    child = run(code)
    assert child.stdout.split() == ["True", "False"], child.stderr
