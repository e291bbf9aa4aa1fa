"""`wait --mine` and `--http`: it is not enough that something answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import need
from processes import listeners, until

if TYPE_CHECKING:
    from place import Place

SERVER = "python3 -m http.server --bind 127.0.0.1"

#: Answers a second request as it does the first: /ok with 200, /moved with 302, /broken with 500.
STATUSES = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({"/ok": 200, "/moved": 302, "/broken": 500}[self.path])
        self.send_header("Location", "/broken")
        self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["WEB_PORT"])), Handler).serve_forever()
"""


def test_a_server_of_another_checkout_is_named_at_once(place: Place) -> None:
    need("git")
    main = place.repository("main")
    other = main.add("other", "../other")
    port = main.port("web")
    # As with a number that somebody has copied.
    stranger = other.start(f'eval "$(portalloc env)"; exec {SERVER} {port}')
    until("the stranger listens", lambda: listeners(port))
    # A deadline that this test would not live to see.
    finished = main.run("portalloc wait --mine --timeout 1h web")
    print(finished)
    assert finished.status == 3
    for part in (str(port), "python3", str(stranger.pid), str(other.folder)):
        assert part in finished.errors, part
    # It is somebody else's, and nothing ends it.
    stopped = main.run("portalloc stop")
    print(stopped)
    assert stopped.status == 5
    assert str(other.folder) in stopped.errors + stopped.output
    assert listeners(port) == [stranger.pid]
    # In the other checkout it is not on a port of its environment.
    other.do("portalloc stop")
    assert listeners(port) == [stranger.pid]


def test_a_server_of_this_worktree_that_starts_later_is_waited_for(place: Place) -> None:
    need("git")
    main = place.repository()
    main.do("portalloc env")
    waiting = main.start("portalloc wait --mine --timeout 50s web")
    until("it waits", lambda: not waiting.has_ended())
    main.start(["portalloc", "exec", "--", *SERVER.split(), "{web}"])
    finished = waiting.finish()
    assert finished.status == 0, finished


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ("--http /ok", 0),
        ("--http /moved", 0),
        ("--http /moved --status 302", 0),
        ("--http /broken --status 500", 0),
        ("--http /broken", 3),
        ("--http /ok --status 204", 3),
    ],
)
def test_http(place: Place, options: str, status: int) -> None:
    need("git")
    main = place.repository()
    main.start(["portalloc", "exec", "--", "python3", "-c", STATUSES])
    main.is_up("web")
    limit = "50s" if status == 0 else "300ms"
    finished = main.run(f"portalloc wait --mine --timeout {limit} {options} web")
    assert finished.status == status, finished


@pytest.mark.usefixtures("root")
def test_a_server_of_root_cannot_be_inspected_and_is_waited_for(place: Place) -> None:
    """As one that was started by sudo."""
    need("git")
    main = place.repository()
    port = main.port("web")
    started = main.start(f'eval "$(portalloc env)"; exec {SERVER} {port}', as_root=True)
    until("root's server listens", lambda: listeners(port))
    finished = main.run("portalloc wait --mine --timeout 1s web")
    print(finished)
    assert finished.status == 3
    assert "waited 1s" in finished.errors, "it could not know whose server this is, and so had to wait"
    assert "belongs to user 0 (root), whose processes only that user and root may inspect" in finished.errors
    # Without --mine, whatever answers is enough.
    main.do("portalloc wait --timeout 50s web")
    stopped = main.run("portalloc stop --timeout 1s")
    print(stopped)
    assert stopped.status != 0
    assert not started.has_ended()
