"""Three worktrees of the example at once, one of them nested in another, with nine shells that begin together."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import urllib.request
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from conftest import IS_CI, need
from place import EXAMPLE, Worktree
from processes import DEADLINE, listeners

if TYPE_CHECKING:
    from place import Place

PAGES = Path(__file__).with_name("pages.mjs")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

ASK = """
read -r _
eval "$(portalloc env)"
echo "$ISOLATION_ID $WEB_PORT $API_PORT $POSTGRES_PORT $PGPORT $VITE_API_URL"
"""


def shown(*worktrees: Worktree) -> list[list[str]]:
    """The three texts that each one's page shows, or would show."""
    ports = [worktree.port("web") for worktree in worktrees]
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser:
        command = ["node", str(PAGES), browser, *(f"http://127.0.0.1:{port}/" for port in ports)]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
        assert answer.returncode == 0, answer.stderr
        pages: list[list[str]] = json.loads(answer.stdout)
        return pages
    message = "NOT CHECKED: there is no Chromium here, so nobody looks at the pages, only at what they are made of"
    assert not IS_CI, message
    warnings.warn(message, stacklevel=2)
    return [pieces(worktree) for worktree in worktrees]


def pieces(worktree: Worktree) -> list[str]:
    """What the page is made of, fetched without a browser."""

    def get(url: str) -> str:
        with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
            text: bytes = answer.read()
            return text.decode()

    source = get(f"http://127.0.0.1:{worktree.port('web')}/greeting.txt?import&raw")
    page = source.split('"')[1].replace("\\n", "").strip()
    greeting = json.loads(get(f"http://127.0.0.1:{worktree.port('api')}/greeting"))
    return [page, greeting["api"].strip(), greeting["database"].strip()]


def test_nine_shells_in_three_worktrees(place: Place) -> None:
    need("git", "npm", "psql")
    main = place.repository("main")
    other = main.add("other", "../other")
    nested = main.add("nested", ".worktrees/nested")
    worktrees = {"main": main, "other": other, "nested": nested}

    # All wait for the end of the same pipe.
    read, write = os.pipe()
    asked = [
        (name, place.start([shell, "-c", ASK], worktree.folder / folder, stdin=read))
        for name, worktree in worktrees.items()
        for shell, folder in (("bash", "."), ("sh", "web"), ("sh", "api"))
    ]
    os.close(read)
    os.close(write)
    answers = [(name, shell.finish()) for name, shell in asked]
    assert all(answer.status == 0 for _, answer in answers), answers
    environments = {name: {answer.output for who, answer in answers if who == name} for name in worktrees}
    assert all(len(found) == 1 for found in environments.values()), environments
    fields = {name: found.pop().split() for name, found in environments.items()}
    assert len({field[0] for field in fields.values()}) == 3, fields
    ports = {port for field in fields.values() for port in field[1:4]}
    assert len(ports) == 9, fields
    for field in fields.values():
        assert field[4] == field[3], "PGPORT is the port of PostgreSQL"
        assert field[5] == f"http://127.0.0.1:{field[2]}", "VITE_API_URL names the port of the API"
    assert len(place.list()["environments"]) == 3

    # The README's loop, in all three at once.
    started = [
        worktree.start(f"npm run {script}") for worktree in worktrees.values() for script in ("db", "api", "dev")
    ]
    for worktree in worktrees.values():
        worktree.is_up()
    assert shown(*worktrees.values()) == [[f"Hello from {name}"] * 3 for name in worktrees]

    # Ending one leaves two.
    stopped = nested.do("portalloc stop")
    print(stopped)
    for port in fields["nested"][1:4]:
        nested.is_free(int(port))
    assert shown(main, other) == [["Hello from main"] * 3, ["Hello from other"] * 3]
    main.do("portalloc stop")
    assert shown(other) == [["Hello from other"] * 3]

    for worktree in worktrees.values():
        worktree.do("portalloc down")
    assert not any(listeners(int(port)) for port in ports)
    assert place.list() == {"environments": [], "leases": []}, place.list()
    assert list(place.temp.iterdir()) == []
    for process in started:
        process.finish()


def test_the_readme(place: Place) -> None:
    """Its commands, as they stand there; but what they install is there already."""
    need("git", "npm", "psql")
    loop, two = re.findall(r"^```sh\n(.*?)^```$", (EXAMPLE / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    install, *commands = loop.splitlines()
    assert install.startswith("npm install; ")
    main = place.repository("main")
    main.do(f"set -e\n{two}\ngit commit -qam 'Another text'")
    other = Worktree(place, main.folder / ".worktrees/other")
    other.install()
    for name, worktree in (("main", main), ("other", other)):
        said = worktree.do("\n".join(["set -e", *commands]))
        assert f"Hello from {name}\n" in said, said
        assert re.search(r"^http://127\.0\.0\.1:\d+$", said, re.MULTILINE), said
    assert place.list() == {"environments": [], "leases": []}
    assert list(place.temp.iterdir()) == []
