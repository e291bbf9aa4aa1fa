"""What becomes of an environment whose worktree is removed, moved or copied, with its servers running or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import need
from processes import listeners

if TYPE_CHECKING:
    from place import Place

SERVER = "python3 -m http.server --bind 127.0.0.1"


@pytest.mark.parametrize("start", ["exec", "env"])
def test_a_worktree_that_is_removed_with_its_servers_running(place: Place, start: str) -> None:
    need("git")
    main = place.repository("main")
    other = main.add("other", "../other")
    port = other.port("web")
    if start == "exec":
        server = other.start(["portalloc", "exec", "--", *SERVER.split(), "{web}"])
    else:
        server = other.start(f'eval "$(portalloc env)"; exec {SERVER} $WEB_PORT')
    other.is_up("web")
    main.do(f"git worktree remove --force {other.folder}")

    listed = place.do("portalloc list", place.temp)
    assert "stale" in listed, listed
    # Nothing but a cleanup gives its ports out again.
    other_again = main.add("again", "../again")
    assert other_again.port("web") != port
    assert listeners(port) == [server.pid]

    finished = main.run("portalloc cleanup --stale")
    print(finished)
    assert listeners(port) == [server.pid], "a cleanup ends no processes"
    if start == "exec":
        # The server holds the environment by what it inherited.
        assert finished.status == 5, finished
        assert "stale" in place.do("portalloc list", place.temp)
        server.interrupt()
        server.finish()
        main.do("portalloc cleanup --stale")
    assert "stale" not in place.do("portalloc list", place.temp)


def test_a_worktree_that_is_moved_is_a_new_one(place: Place) -> None:
    need("git")
    main = place.repository("main")
    other = main.add("other", "../other")
    port = other.port("web")
    server = other.start(["portalloc", "exec", "--", *SERVER.split(), "{web}"])
    other.is_up("web")
    main.do(f"git worktree move {other.folder} {place.scratch / 'moved'}")
    other.folder = place.scratch / "moved"

    assert other.port("web") != port
    # The server that it left on the old port is no longer this worktree's.
    other.do("portalloc stop")
    assert listeners(port) == [server.pid]
    assert "stale" in place.do("portalloc list", place.temp)


def test_a_copy_has_its_own_environment(place: Place) -> None:
    need("git")
    main = place.repository("main")
    port = main.port("web")
    main.do("portalloc env --write .env.local")
    before = (main.folder / ".env.local").read_text()
    place.do(f"cp -r {main.folder} {place.scratch / 'copy'}", place.scratch)
    copy = place.do("portalloc port --ensure web", place.scratch / "copy")
    assert int(copy) != port
    written = place.run("portalloc env --write .env.local", place.scratch / "copy")
    assert written.status == 0, written
    assert str(main.folder) in written.errors, "it says that the block was another worktree's"
    assert f"WEB_PORT={copy.strip()}" in (place.scratch / "copy/.env.local").read_text()
    assert (main.folder / ".env.local").read_text() == before
