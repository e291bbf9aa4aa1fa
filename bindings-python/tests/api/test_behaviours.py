"""What every language must do alike, from the data that all of them share: `tests/behaviours/README.md`."""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import portalloc
import pytest
from portalloc import tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from support import World

FOLDER = Path(__file__).resolve().parents[3] / "tests" / "behaviours"
Json = dict[str, Any]


def cases() -> list[Any]:
    files = sorted(FOLDER.glob("*.json"))
    return [
        pytest.param(case, id=f"{file.stem}: {case['name']}")
        for file in files
        for case in json.loads(file.read_text(encoding="utf-8"))
    ]


def given(arguments: Json, *names: str) -> Json:
    """Those arguments that are not missing."""
    return {name: arguments[name] for name in names if name in arguments}


def pool(arguments: Json) -> Json:
    settings = tools.settings(**given(arguments, "pool", "exclude"))
    return {"ports": settings.ports, "count": settings.count}


def leased(arguments: Json) -> ExitStack:
    """What somebody has before, until the end of its block."""
    stack = ExitStack()
    if "leased" in arguments:
        stack.enter_context(portalloc.lease(exact=arguments["leased"]))
    return stack


def lease(arguments: Json) -> Json:
    asked = given(arguments, "pool", "exclude", "count", "prefer")
    if "ports" in arguments:
        asked["exact"] = arguments["ports"]
    if "wait_ms" in arguments:
        asked["wait"] = arguments["wait_ms"] / 1000
    with leased(arguments), portalloc.lease(**asked) as held:
        return {"count": len(held), "ports": list(held)}


def check(arguments: Json) -> Json:
    with leased(arguments):
        return {"free": [portalloc.is_free(port) for port in arguments["ports"]]}


ENVIRONMENT = ("pool", "exclude", "count", "names", "instance_id", "worktree", "prefer")


def described(arguments: Json, environment: portalloc.Environment) -> Json:
    """What an environment is, with the values of the variables that the case wants to see."""
    shown = [environment.variables[name] for name in arguments.get("show", ())]
    return {
        "count": len(environment.ports),
        "ports": list(environment.ports),
        "variables": list(environment.variables),
        "values": [int(value) if value.isdecimal() else value for value in shown],
    }


def create_environment(arguments: Json) -> Json:
    asked = given(arguments, *ENVIRONMENT, "kept", "owner_pid", "env_file")
    if "ttl_ms" in arguments:
        asked["ttl"] = arguments["ttl_ms"] / 1000
    with leased(arguments):
        environment = portalloc.environment(**asked)
    try:
        return described(arguments, environment)
    finally:
        environment.cleanup()


def first(arguments: Json, *, create: bool = True, repair: bool = False) -> portalloc.Environment:
    """The call that a case makes first, where it makes it."""
    with chdir(arguments.get("from", ".")):
        found = portalloc.worktree_environment(**given(arguments, *ENVIRONMENT), create=create, repair=repair)
    if found is None:
        raise portalloc.NotFoundError("there is none")
    return found


def again(arguments: Json) -> portalloc.Environment:
    """The second call, in the worktree."""
    asked = given(arguments, *ENVIRONMENT)
    asked.pop("worktree", None)
    if "instance_id_again" in arguments:
        asked["instance_id"] = arguments["instance_id_again"]
    environment: portalloc.Environment = portalloc.worktree_environment(**asked)
    return environment


def worktree_environment(arguments: Json) -> Json:
    with leased(arguments):
        environment, second = first(arguments), again(arguments)
    answer = described(arguments, environment)
    answer["same"] = second.id == environment.id
    answer["found"] = first(arguments, create=False).id == environment.id
    removed = [one.down().removed for one in {environment.id: environment, second.id: second}.values()]
    answer["removed"] = all(removed)
    try:
        first(arguments, create=False)
        answer["found_after"] = True
    except portalloc.NotFoundError:
        answer["found_after"] = False
    return answer


def find_worktree_environment(arguments: Json) -> Json:
    return described(arguments, first(arguments, create=False))


def repair_worktree_environment(arguments: Json) -> Json:
    with leased(arguments):
        before = first(arguments)
        write(arguments.get("project_after", {}))
        after = first(arguments, repair=True)
    return {**described(arguments, after), "same": before.id == after.id}


def stop(arguments: Json) -> Json:
    report = first(arguments).stop(dry_run=True)
    return {"processes": len(report.processes), "foreign": len(report.foreign), "removed": report.removed}


def write(files: dict[str, str]) -> None:
    """Writes the files of a project into the worktree, which is the current directory."""
    for path, text in files.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")


def tidy(project: Iterable[str]) -> None:
    """Removes the files of a project, among which may be one with a mistake, and then what a case that failed left."""
    for name in {Path(path).parts[0] for path in project}:
        if Path(name).is_dir():
            shutil.rmtree(name)
        else:
            Path(name).unlink()
    for info in portalloc.environments():
        portalloc.cleanup(info.isolation_id)


@contextmanager
def chdir(directory: str) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)


OPERATIONS: dict[str, Callable[[Json], Json]] = {
    "pool": pool,
    "lease": lease,
    "check": check,
    "create_environment": create_environment,
    "worktree_environment": worktree_environment,
    "find_worktree_environment": find_worktree_environment,
    "repair_worktree_environment": repair_worktree_environment,
    "stop": stop,
    "parse_id": lambda arguments: {"id": tools.parse_id(arguments["text"])},
    "validate": lambda arguments: {"valid": portalloc.validate(arguments["id"]).valid},
    "cleanup": lambda arguments: {"removed": int(portalloc.cleanup(arguments["id"]))},
    "render": lambda arguments: {"text": tools.render(arguments["variables"], arguments["syntax"])},
    "error_codes": lambda _: {"codes": list(tools.ERROR_CODES)},
}


def filled(value: Any, base: int, *, in_list: bool = False) -> Any:
    """Puts ports in the place of `$N`; in a list, what is nothing but that becomes a number."""
    if isinstance(value, str):
        alone = re.fullmatch(r"\$(\d+)", value) if in_list else None
        if alone:
            return base + int(alone[1])
        return re.sub(r"\$(\d+)", lambda found: str(base + int(found[1])), value)
    if isinstance(value, list):
        return [filled(item, base, in_list=True) for item in value]
    if isinstance(value, dict):
        return {name: filled(item, base) for name, item in value.items()}
    return value


def perform(case: Json) -> None:
    operation = OPERATIONS[case["operation"]]
    if "error" in case:
        with pytest.raises(portalloc.Error) as raised:
            operation(case["arguments"])
        assert raised.value.code == case["error"]
        assert [part for part in map(str, case.get("message", ())) if part not in raised.value.message] == []
    else:
        done = operation(case["arguments"])
        assert {name: done[name] for name in case["expect"]} == case["expect"]


@pytest.mark.parametrize("case", cases())
def test_behaviour(case: Json, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTALLOC_POOL")
    case = filled(case, world.base)
    if case["operation"] == "render":
        # Pairs are texts, whatever they hold.
        case["arguments"]["variables"] = [tuple(map(str, pair)) for pair in case["arguments"]["variables"]]
    write(case.get("project", {}))
    try:
        perform(case)
    finally:
        if "project" in case:
            tidy([*case["project"], *case["arguments"].get("project_after", ())])
    assert world.left_behind() == []
    assert portalloc.leases() == []


def test_there_are_cases() -> None:
    assert len(cases()) > 160
    assert set(OPERATIONS) == {case.values[0]["operation"] for case in cases()}
