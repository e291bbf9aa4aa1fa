"""crates.io and GitHub at their own names and port, by TLS: for cargo-binstall, which takes no other protocol.

So what is tried is what is published: nothing in the crate's metadata is overridden. /etc/hosts of the stranger's room
leads the names to the loopback, on which port 443 is free, because the rehearsal's network is its own. The contents are
those of the rehearsal's registries. A certificate authority of this moment vouches for the names.
"""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import trustme

from packages.common import DIST, version
from packages.publish.github import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOSTS = ("index.crates.io", "static.crates.io", "github.com", "api.github.com")
ADDRESS = "127.0.0.1"
# A proxy of the caller's leads out of this network.
DIRECTLY = build_opener(ProxyHandler({}))


class Public:
    """Who has what. `addresses` are those of `Registries`."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        index = addresses["PORTALLOC_REHEARSAL_CRATES"]
        self.index = index.removeprefix("sparse+").rstrip("/")
        self.crates = self.index.removesuffix("/index")
        self.files = addresses["PORTALLOC_REHEARSAL_FILES"]

    def source(self, host: str, path: str) -> str | dict[str, Any] | None:
        """The address of a registry that has it, or a document of the service itself."""
        tag = f"v{version()}"
        match host, path.strip("/").split("/"):
            case "index.crates.io", ["config.json"]:
                return {"dl": "https://static.crates.io/crates", "api": "https://crates.io"}
            case "index.crates.io", words:
                return f"{self.index}/{'/'.join(words)}"
            case "static.crates.io", ["crates", crate, number, "download"]:
                return f"{self.crates}/crates/{crate}/{number}"
            case "github.com", ["portalloc", "portalloc"]:
                return {}  # a page for people
            case "github.com", ["portalloc", "portalloc", "releases", "download", that, name] if that == tag:
                return f"{self.files}/{found}" if (found := released().get(name)) else None
            case "api.github.com", ["repos", "portalloc", "portalloc", "releases", "tags", that] if that == tag:
                assets = f"https://api.github.com{path.removesuffix(f'tags/{tag}')}assets"
                return {"assets": [{"name": name, "url": f"{assets}/{name}"} for name in released()]}
        return None


def released() -> dict[str, str]:
    """The files of GitHub's release, which has no folders, and where they lie in dist/."""
    paths = (path for part in PARTS for path in (DIST / part, *(DIST / part).rglob("*")) if path.is_file())
    return {path.name: str(path.relative_to(DIST)) for path in paths}


@contextmanager
def public(addresses: Mapping[str, str]) -> Iterator[str]:
    """Serves all of it meanwhile. Yields the certificate that a client must trust."""
    authority = trustme.CA(organization_name="The rehearsal's public services")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*HOSTS).configure_cert(context)
    with ThreadingHTTPServer((ADDRESS, 443), partial(PublicHandler, Public(addresses))) as server:
        # The handshake is left to the thread of the connection, so that nobody waits for another one's.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield authority.cert_pem.bytes().decode()
        finally:
            server.shutdown()
            thread.join()


class PublicHandler(BaseHTTPRequestHandler):
    def __init__(self, services: Public, *arguments: Any) -> None:
        self.services = services
        super().__init__(*arguments)

    def do_GET(self) -> None:
        source = self.services.source(self.headers["Host"], self.path)
        if source is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        elif isinstance(source, str):
            self._pass_on(source)
        else:
            body = json.dumps(source).encode()
            self._answer(body, str(len(body)))

    do_HEAD = do_GET

    def log_message(self, *_: Any) -> None:
        pass

    def _pass_on(self, source: str) -> None:
        try:
            # A registry notes by the method what was fetched.
            with DIRECTLY.open(Request(source, method=self.command), timeout=60) as found:
                self._answer(found.read(), found.headers["Content-Length"])
        except HTTPError as error:
            self.send_error(error.code)

    def _answer(self, body: bytes, length: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
