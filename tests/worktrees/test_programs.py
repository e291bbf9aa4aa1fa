"""Real programs: each is ended by `stop` in its own worktree, and spared by `stop` in the other one."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import need
from processes import listeners, started, until, words

if TYPE_CHECKING:
    from place import Place

HERE = Path(__file__).parent

REDIS = "redis-server --bind 127.0.0.1 --save '' --dir \"$TEMP_DIR\""

NGINX = r"""
cat >"$TEMP_DIR/nginx.conf" <<END
worker_processes 2;
pid $TEMP_DIR/nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path $TEMP_DIR/body;
    proxy_temp_path $TEMP_DIR/proxy;
    fastcgi_temp_path $TEMP_DIR/fastcgi;
    uwsgi_temp_path $TEMP_DIR/uwsgi;
    scgi_temp_path $TEMP_DIR/scgi;
    server { listen 127.0.0.1:$WEB_PORT; location / { return 200 "nginx"; } }
}
END
nginx -p "$TEMP_DIR" -e "$TEMP_DIR/nginx.log" -c "$TEMP_DIR/nginx.conf"
"""

NODE = "require('http').createServer((_, answer) => answer.end('node')).listen(process.env.WEB_PORT, '127.0.0.1')"


@dataclasses.dataclass(frozen=True)
class Program:
    """How one is started by somebody who has the environment's variables, and on which of its ports it listens."""

    name: str
    command: str
    needs: tuple[str, ...]
    port: str = "web"
    #: What is left of it, and serves again only when somebody changes a file.
    watcher: str | None = None


PROGRAMS = (
    Program("redis", f'{REDIS} --port "$WEB_PORT"', ("redis-server",)),
    Program("redis as a daemon", f'{REDIS} --port "$WEB_PORT" --daemonize yes', ("redis-server",)),
    Program("nginx", NGINX, ("nginx",)),
    Program("PostgreSQL", "db/start", ("psql",), "postgres"),
    Program("npm run dev", "npm run dev", ("npm",)),
    Program(
        "Flask with its reloader",
        ".venv/bin/python -m flask --app api/app.py --debug run --port $API_PORT",
        (),
        "api",
    ),
    Program("node --watch", "node --watch server.cjs", ("node",), watcher="node"),
    Program("a shell that restarts its child", "while :; do node server.cjs; done", ("node",)),
    Program("a daemon by two forks", f'python3 {HERE / "daemon.py"} "$WEB_PORT"', ("python3",)),
)


def servers(port: int) -> list[tuple[int, str]]:
    return sorted(started(pid) for pid in listeners(port))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_it_is_ended_in_its_own_worktree_and_spared_in_the_other(place: Place, program: Program) -> None:
    need("git", *program.needs)
    main = place.repository("main")
    other = main.add("other", "../other")
    for worktree in (main, other):
        (worktree.folder / "server.cjs").write_text(NODE)
    # In one it inherits a hold on the environment, in the other it has nothing but the variables.
    runs = main.start(["portalloc", "exec", "--", "bash", "-c", program.command])
    other.start(f'eval "$(portalloc env)"\n{program.command}')
    ports = {}
    for worktree in (main, other):
        worktree.is_up(program.port)
        ports[worktree] = worktree.port(program.port)

    before = servers(ports[other])
    assert before
    report = main.do("portalloc stop")
    print(report)
    main.is_free(ports[main])
    assert servers(ports[other]) == before, "the other worktree's is spared"
    other.is_up(program.port)

    print(other.do("portalloc stop"))
    other.is_free(ports[other])
    until("all of it has ended", lambda: not any(place.is_alive(pid) for pid, _ in before))
    assert not listeners(ports[main]), "nobody has started it again"
    if program.watcher:
        # It holds the environment and has no server any more: whoever has started it ends it.
        refused = main.run("portalloc down")
        assert refused.status == 5, refused
        assert f"({program.watcher})" in refused.errors, refused
        runs.interrupt()
        runs.finish()
    for worktree in (main, other):
        # Once more, with nothing left to end; and it gives everything back.
        worktree.do("portalloc stop")
        worktree.do("portalloc down")
    assert place.list()["environments"] == []


@pytest.mark.parametrize(
    "program", [PROGRAMS[0], PROGRAMS[1], PROGRAMS[2], PROGRAMS[6]], ids=lambda program: program.name
)
def test_its_folder_says_whose_it_is_where_its_variables_do_not(place: Place, program: Program) -> None:
    """As somebody starts it who has read the number."""
    need("git", *program.needs)
    main = place.repository("main")
    other = main.add("other", "../other")
    (main.folder / "server.cjs").write_text(NODE)
    main.do("portalloc env")
    other.do("portalloc env")
    port = main.port("web")
    scratch = main.folder / "scratch"
    main.do(f"mkdir {scratch}")
    # redis and nginx write over their environment, anyway.
    main.start(
        f'env -i PATH="$PATH" WEB_PORT={port} TEMP_DIR={scratch} bash -c "$COMMAND"', env={"COMMAND": program.command}
    )
    main.is_up("web")
    before = servers(port)
    other.do("portalloc stop")
    assert servers(port) == before
    main.do("portalloc stop web")
    main.is_free(port)


def test_a_reloader_that_is_just_restarting_its_child(place: Place) -> None:
    need("git")
    main = place.repository()
    main.start("portalloc exec -- .venv/bin/python -m flask --app api/app.py --debug run --port '{api}'")
    main.is_up("api")
    port = main.port("api")
    source = main.folder / "api/app.py"
    until("its first child serves, too", lambda: len(listeners(port)) == 2)
    before = set(listeners(port))

    def is_restarted() -> bool:
        # More than once: it serves before it looks at the files for the first time, and sees only later changes.
        os.utime(source)
        return set(listeners(port)) not in (before, set())

    until("Flask has another child", is_restarted)
    os.utime(source, (1, 1))
    main.do("portalloc stop")
    main.is_free(port)


def test_shell_tmux_and_editors_are_spared(place: Place) -> None:
    """All of them have the variables, and their working directory in the worktree."""
    need("git", "tmux", "vim")
    main = place.repository()
    tmux = "tmux -L worktrees -f /dev/null"
    main.do(f'eval "$(portalloc env)"; {tmux} new-session -d -s work -x 120 -y 40 -n shell bash')
    main.do(f"{tmux} new-window -d -n vim 'vim greeting.txt'")
    editors = ["vim"]
    if main.run("command -v nano").status == 0:
        main.do(f"{tmux} new-window -d -n nano 'nano greeting.txt'")
        editors.append("nano")
    # Not only a shell's child: the program is the session's leader, and the terminal is its own.
    main.do(f"{tmux} new-window -d -n leader 'exec portalloc exec -- python3 -m http.server --bind 127.0.0.1 {{api}}'")
    pids = main.do(f"{tmux} list-panes -a -F '#{{pid}} #{{pane_pid}}'").split()
    spared = [started(int(pid)) for pid in set(pids)]
    assert len(spared) == len(editors) + 3
    until("the editors are up", lambda: all(any(name in words(pid) for pid, _ in spared) for name in editors))

    def type_(line: str) -> None:
        main.do([*tmux.split(), "send-keys", "-t", "work:shell", line, "Enter"])

    type_("portalloc exec -- python3 -m http.server --bind 127.0.0.1 {web} &")
    main.is_up("web", "api")
    web, api = main.port("web"), main.port("api")
    type_("portalloc stop >said 2>&1; echo $? >status")
    until("stop has ended", lambda: (main.folder / "status").exists() and (main.folder / "status").read_text())
    print((main.folder / "said").read_text())
    main.is_free(web)
    assert [started(pid) for pid, _ in spared] == spared, "tmux, its shells and the editors are the same as before"
    assert listeners(api), "a program that has the terminal is the user's to end"
    type_("echo still here >alive")
    until("the shell is there", lambda: (main.folder / "alive").exists())


def test_the_agent_that_calls_is_spared(place: Place) -> None:
    """Also if it listens on a port of the environment itself, and so does a server that it has started."""
    need("git")
    main = place.repository()
    agent = main.start(["portalloc", "exec", "--", "python3", str(HERE / "agent.py")])
    until("the agent has asked", lambda: "ended with" in agent.output() or agent.has_ended())
    print(agent.output(), agent.errors())
    assert not agent.has_ended()
    assert listeners(main.port("api")) == [agent.pid]
    assert not listeners(main.port("web"))
