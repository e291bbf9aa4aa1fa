"""What docs/worktrees.md says of other tools, tried with these tools and with the files that stand on the page."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

from conftest import INSTALLED, need, not_checked
from place import ROOT, give_away
from processes import listeners

if TYPE_CHECKING:
    from pathlib import Path

    from place import Place, Worktree

PAGE = ROOT / "docs/worktrees.md"
TOOLS = INSTALLED / "tools"


def from_page(name: str) -> str:
    """The file that the page shows under this name."""
    [text] = re.findall(rf"^```\w* {re.escape(name)}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert isinstance(text, str)
    return text


def tool(place: Place, package: str) -> Path:
    """What is installed of a package, where everybody can run it."""
    source = TOOLS / "node_modules" / package
    if not source.exists():
        not_checked(f"{package} is not in {TOOLS}")
    copy = place.scratch / "tools/node_modules" / package
    shutil.copytree(source, copy, symlinks=True)
    give_away(place.scratch / "tools")
    return copy


def write(worktree: Worktree, name: str, text: str) -> None:
    path = worktree.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    give_away(path)


def two(place: Place) -> tuple[Worktree, Worktree]:
    """Two worktrees of the example, which have an environment each."""
    need("git")
    main = place.repository("main")
    other = main.add("other", "../other")
    assert main.port("web") != other.port("web")
    return main, other


SHOW = """sh -c 'echo "got=$WEB_PORT id=$ISOLATION_ID temp=$TEMP_DIR url=$DATABASE_URL"'"""


def test_direnv(place: Place) -> None:
    need("direnv")
    for worktree in two(place):
        write(worktree, ".envrc", from_page(".envrc"))
        worktree.do("direnv allow")
        (worktree.folder / "src").mkdir()
        assert f"got={worktree.port('web')} " in place.do(f"direnv exec . {SHOW}", worktree.folder / "src")
        # What fails must not load an empty environment.
        write(worktree, "portalloc.toml", "nonsense = 1\n")
        assert worktree.run(f"direnv exec . {SHOW}").status != 0


def test_mise(place: Place) -> None:
    mise = tool(place, "@jdxcode/mise-linux-x64") / "bin/mise"
    for worktree in two(place):
        for name in ("mise.toml", "mise-env.sh"):
            write(worktree, name, from_page(name))
        worktree.do(f"{mise} trust --yes")
        assert f"got={worktree.port('web')} " in worktree.do(f"{mise} exec -- {SHOW}")
        write(worktree, "portalloc.toml", "nonsense = 1\n")
        assert worktree.run(f"{mise} exec -- {SHOW}").status != 0


def test_yarn_wants_quotes(place: Place) -> None:
    yarn = f"node {tool(place, '@yarnpkg/cli-dist')}/bin/yarn.js"
    main, _ = two(place)
    package = json.loads(from_page("package.json"))
    assert "'{web}'" in package["scripts"]["dev"]
    package["scripts"] = {
        "quoted": "portalloc exec -- echo port '{web}'",
        "bare": "portalloc exec -- echo port {web}",
    }
    write(main, "package.json", json.dumps(package))
    write(main, "yarn.lock", "")
    environment = {"YARN_ENABLE_TELEMETRY": "0", "YARN_ENABLE_NETWORK": "0", "YARN_NODE_LINKER": "node-modules"}
    main.do(f"{yarn} install", env=environment)
    assert main.do(f"{yarn} quoted", env=environment) == f"port {main.port('web')}\n"
    assert "Syntax Error" in main.run(f"{yarn} bare", env=environment).output, "the page says that this is an error"


def test_turbo_passes_what_it_is_told_to(place: Place) -> None:
    tool(place, "@turbo")
    turbo = tool(place, "turbo") / "bin/turbo"
    main, _ = two(place)
    write(
        main, "package.json", '{"name": "all", "private": true, "packageManager": "npm@11.0.0", "workspaces": ["one"]}'
    )
    main.do("mkdir one")
    scripts = {"dev": f"portalloc exec -- {SHOW}", "bare": SHOW}
    write(main, "one/package.json", json.dumps({"name": "one", "version": "1.0.0", "scripts": scripts}))
    main.do("rm -rf node_modules package-lock.json && npm install --offline --no-audit --no-fund")
    configuration = json.loads(from_page("turbo.json"))
    configuration["tasks"]["dev"]["persistent"] = False
    configuration["tasks"]["bare"] = {"cache": False}
    write(main, "turbo.json", json.dumps(configuration))
    got = f"got={main.port('web')} "
    assert got in main.do(f"{turbo} run dev")
    finished = main.do(f"portalloc exec -- {turbo} run bare")
    assert re.search(rf"{got}id=\w+ temp=/\S+ url=postgres://", finished), finished
    # As the page has it: else it drops them all.
    del configuration["globalPassThroughEnv"]
    write(main, "turbo.json", json.dumps(configuration))
    assert "got= id= temp= url=" in main.do(f"portalloc exec -- {turbo} run bare")


def test_tox_passes_what_it_is_told_to(place: Place) -> None:
    tox = TOOLS / "tox/bin/tox"
    if not tox.exists():
        not_checked(f"tox is not in {TOOLS}")
    main, _ = two(place)
    environment = {"PYTHONPATH": str(copy_of_tox(place))}
    rest = f"skip_install = true\nallowlist_externals = sh\ncommands = {SHOW}\n"
    head = "[tox]\nenv_list = one\n"
    write(main, "tox.ini", head + from_page("tox.ini") + rest)
    run = "portalloc exec -- /usr/bin/env python3 -m tox -q"
    finished = main.do(run, env=environment)
    assert re.search(rf"got={main.port('web')} id=\w+ temp=/\S+ url=postgres://", finished), finished
    write(main, "tox.ini", f"{head}[testenv]\n{rest}")
    assert "got= id= temp= url=" in main.do(run, env=environment)


def copy_of_tox(place: Place) -> Path:
    [packages] = (TOOLS / "tox/lib").glob("python3*/site-packages")
    copy = place.scratch / "tox"
    shutil.copytree(packages, copy)
    give_away(copy)
    return copy


def test_the_tasks_of_vs_code(place: Place) -> None:
    """Its commands, as it runs them: by a shell, in the workspace folder. VS Code itself is not to be had in tests."""
    need("npm")
    main, other = two(place)
    tasks = {task["label"]: task for task in json.loads(from_page("tasks.json"))["tasks"]}
    for worktree in (main, other):
        write(worktree, "portalloc.toml", 'names = ["web"]\n')
    # The example has three servers, and the page's tasks one.
    for worktree in (main, other):
        worktree.do("portalloc down && portalloc env")
        worktree.start(tasks["dev"]["command"])
        worktree.do(tasks["ready"]["command"])
    port = other.port("web")
    main.do(tasks["stop"]["command"])
    main.is_free(main.port("web"))
    assert listeners(port)
    other.do(tasks["stop"]["command"])


def test_the_text_for_agents_names_commands_that_exist(place: Place) -> None:
    main, _ = two(place)
    [text] = re.findall(r"^```text\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    commands = set(re.findall(r"`portalloc (\w+)", text))
    assert {"exec", "port", "wait", "stop", "down"} <= commands
    for command in commands:
        main.do(f"portalloc {command} --help")
