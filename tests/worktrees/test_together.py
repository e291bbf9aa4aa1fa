"""Many at once in one worktree. `ROUNDS=1000` is the long form: `make test-worktrees-long`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from conftest import need

if TYPE_CHECKING:
    from place import Place

ROUNDS = int(os.environ.get("ROUNDS", "40"))

#: Beside `down`, a command has a whole environment for as long as it runs.
EXEC = """
for _ in $(seq "$ROUNDS"); do
    portalloc exec -- sh -c '
        portalloc validate --id "$ISOLATION_ID" >&2 || exit 10
        [ "$(portalloc port web)" = "$WEB_PORT" ] || exit 11
        portalloc validate --id "$ISOLATION_ID" >&2 || exit 12
    ' || exit
done
"""

#: It makes what `down` has removed, and prints one that is whole.
ENV = """
for _ in $(seq "$ROUNDS"); do
    said=$(portalloc env) || exit
    eval "$said"
    [ -n "$ISOLATION_ID" ] && [ -n "$WEB_PORT" ] && [ "$PGPORT" = "$POSTGRES_PORT" ] || exit 20
done
"""

#: Refused while a command runs, and else it leaves nothing.
DOWN = """
for _ in $(seq "$ROUNDS"); do
    status=0
    portalloc down --timeout 0s || status=$?
    case $status in 0|4|5) ;; *) exit "$status" ;; esac
done
"""


def test_down_beside_exec_and_env(place: Place) -> None:
    need("git")
    main = place.repository()
    started = [main.start(script, env={"ROUNDS": str(ROUNDS)}) for script in (EXEC, ENV, DOWN, EXEC, ENV)]
    finished = [process.process.wait(60 + ROUNDS) for process in started]
    assert finished == [0] * 5, [(process.output()[-2000:], process.errors()[-2000:]) for process in started]
    # One environment or none, with all of its claims; and after `down` none.
    main.do("portalloc env")
    [environment] = place.list()["environments"]
    main.do(f"portalloc validate --id {environment['isolation_id']}")
    main.do("portalloc down")
    assert place.list() == {"environments": [], "leases": []}
    assert list(place.temp.iterdir()) == []
    assert place.do("portalloc reconcile", place.temp) == "0 labels repaired\n"


def test_two_hundred_at_once_make_one_environment(place: Place) -> None:
    need("git")
    main = place.repository()
    read, write = os.pipe()
    ask = 'read -r _; eval "$(portalloc env)"; echo "$ISOLATION_ID $WEB_PORT"'
    started = [main.start(["sh", "-c", ask], stdin=read) for _ in range(200)]
    os.close(read)
    os.close(write)
    finished = [process.finish() for process in started]
    assert {answer.status for answer in finished} == {0}, [answer for answer in finished if answer.status][:3]
    assert len({answer.output for answer in finished}) == 1
    assert len(place.list()["environments"]) == 1
