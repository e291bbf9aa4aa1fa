"""What every language must do alike, from the data that all of them share: `tests/behaviours/README.md`."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import portalloc
import pytest
from portalloc import tools

if TYPE_CHECKING:
    from collections.abc import Callable

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


def lease(arguments: Json) -> Json:
    asked = given(arguments, "pool", "exclude", "count")
    if "ports" in arguments:
        asked["exact"] = arguments["ports"]
    if "wait_ms" in arguments:
        asked["wait"] = arguments["wait_ms"] / 1000
    with ExitStack() as stack:
        if "leased" in arguments:
            stack.enter_context(portalloc.lease(exact=arguments["leased"]))
        held = stack.enter_context(portalloc.lease(**asked))
        return {"count": len(held), "ports": list(held)}


def check(arguments: Json) -> Json:
    with ExitStack() as stack:
        if "leased" in arguments:
            stack.enter_context(portalloc.lease(exact=arguments["leased"]))
        return {"free": [portalloc.is_free(port) for port in arguments["ports"]]}


def create_environment(arguments: Json) -> Json:
    asked = given(arguments, "pool", "count", "names", "instance_id", "kept", "owner_pid", "worktree", "env_file")
    if "ttl_ms" in arguments:
        asked["ttl"] = arguments["ttl_ms"] / 1000
    environment = portalloc.environment(**asked)
    try:
        return {"variables": list(environment.variables), "count": len(environment.ports)}
    finally:
        environment.cleanup()


OPERATIONS: dict[str, Callable[[Json], Json]] = {
    "pool": pool,
    "lease": lease,
    "check": check,
    "create_environment": create_environment,
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


@pytest.mark.parametrize("case", cases())
def test_behaviour(case: Json, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTALLOC_POOL")
    case = filled(case, world.base)
    if case["operation"] == "render":
        # Pairs are texts, whatever they hold.
        case["arguments"]["variables"] = [tuple(map(str, pair)) for pair in case["arguments"]["variables"]]
    operation = OPERATIONS[case["operation"]]
    if "error" in case:
        with pytest.raises(portalloc.Error) as raised:
            operation(case["arguments"])
        assert raised.value.code == case["error"]
        assert [part for part in map(str, case.get("message", ())) if part not in raised.value.message] == []
    else:
        done = operation(case["arguments"])
        assert {name: done[name] for name in case["expect"]} == case["expect"]
    assert world.left_behind() == []
    assert portalloc.leases() == []


def test_there_are_cases() -> None:
    assert len(cases()) > 80
    assert set(OPERATIONS) == {case.values[0]["operation"] for case in cases()}
