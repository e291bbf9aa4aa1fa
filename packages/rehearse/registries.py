"""The registries of this machine: each on a port of the loopback that the kernel chose, and each with real software.

`Registries` starts them, and ends them with its block. Their addresses are all that strangers are told.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from contextlib import ExitStack, suppress
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_UNIX, SHUT_WR, socket
from socketserver import BaseRequestHandler, ThreadingMixIn, ThreadingTCPServer
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from packages.common import DIST, ROOT
from packages.rehearse.crates import CratesHandler, CratesIndex
from packages.rehearse.network import outside

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import HTTPServer
    from pathlib import Path
    from socketserver import TCPServer

VERDACCIO = ROOT / "target/rehearse/verdaccio"
OURS = ("portalloc", "@portalloc/*")


class Registries:
    """All of them. `own` gets what is published here, and is empty before; `shelf` has public packages."""

    def __init__(self, own: Path, shelf: Path) -> None:
        self.own = own
        self.shelf = shelf
        # What of dist/ clients have fetched, as paths there.
        self.fetched: set[str] = set()
        self.stack = ExitStack()

    def __enter__(self) -> Registries:
        with self.stack as stack:
            self.pypi = self._serve(pypi_server(self.own / "pypi", self.shelf / "pypi", self.fetched))
            self.files = self._serve(ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, self.fetched)))
            index = CratesIndex(self.own / "crates", self.shelf / "crates", self.fetched)
            self.crates = self._serve(ThreadingHTTPServer(("127.0.0.1", 0), partial(CratesHandler, index)))
            self.npm = self._verdaccio()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def addresses(self) -> dict[str, str]:
        """The variables by which clients are told where their registries are, and nothing else."""
        host = f"//127.0.0.1:{self.npm}/"
        return {
            "PIP_INDEX_URL": f"http://127.0.0.1:{self.pypi}/simple/",
            "UV_DEFAULT_INDEX": f"http://127.0.0.1:{self.pypi}/simple/",
            "NPM_CONFIG_REGISTRY": f"http:{host}",  # npm, pnpm up to 10, bun, deno
            "PNPM_CONFIG_REGISTRY": f"http:{host}",
            "YARN_REGISTRY": f"http:{host}",
            "YARN_NPM_REGISTRY_SERVER": f"http:{host}",
            "YARN_UNSAFE_HTTP_WHITELIST": "127.0.0.1",
            # Folders are registries for go. No public checksum database knows what has not been published.
            "GOPROXY": f"file://{DIST}/go,file://{self.shelf}/go",
            "GONOSUMDB": "github.com/portalloc",
            "GOSUMDB": "off",
            "GOTOOLCHAIN": "local",
            "PORTALLOC_REHEARSAL_CRATES": f"sparse+http://127.0.0.1:{self.crates}/index/",
            "PORTALLOC_REHEARSAL_FILES": f"http://127.0.0.1:{self.files}",
        }

    def _serve(self, server: TCPServer) -> int:
        """Serves in a thread. The socket listens already, so there is nothing to wait for."""
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.stack.callback(thread.join)
        self.stack.callback(server.server_close)
        self.stack.callback(server.shutdown)
        return int(server.server_address[1])

    def _verdaccio(self) -> int:
        """npm's registry: what is published here, and whatever else npm has, fetched when somebody asks and then kept.

        What strangers need depends on the client, so nobody can say before what must be on the shelf. verdaccio
        therefore stays in the network from which the rehearsal was started, and is reached through a socket of the
        file system.
        """
        everybody = {"access": "$all", "publish": "$all", "unpublish": "$all"}
        storage = self.shelf / "npm"
        configuration = {
            "storage": str(storage),
            "packages": {
                # `..` leads from the shelf's storage to that of what is published here.
                **{name: {**everybody, "storage": os.path.relpath(self.own / "npm", storage)} for name in OURS},
                "**": {"access": "$all", "proxy": "public"},
            },
            "uplinks": {"public": {"url": public_npm(), "maxage": "1h", "timeout": "120s"}},
            "auth": {"htpasswd": {"file": str(self.own / "htpasswd"), "max_users": -1}},
            "log": {"type": "stdout", "format": "json", "level": "warn"},
            "web": {"enable": False},
            "max_body_size": "100mb",
        }
        for directory in (storage, self.own / "npm"):
            directory.mkdir(parents=True, exist_ok=True)
        path = self.own / "verdaccio.yaml"
        path.write_text(json.dumps(configuration))  # JSON is YAML
        log = self.stack.enter_context((self.own / "verdaccio.log").open("wb"))
        # The path of a socket may have 107 bytes, so neither side names the whole of it.
        here = os.open(self.own, os.O_PATH | os.O_DIRECTORY)
        self.stack.callback(os.close, here)
        words = ["node", str(ROOT / "packages/rehearse/verdaccio/serve.cjs"), str(path), "npm.socket", str(VERDACCIO)]
        process = outside(words, cwd=self.own, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
        self.stack.callback(end, process)
        assert process.stdout is not None
        for line in process.stdout:
            if line == "ready\n":
                # What it says later must not fill the pipe.
                threading.Thread(target=drain, args=(process.stdout, path.with_suffix(".out")), daemon=True).start()
                return self._serve(Forwarder(f"/proc/self/fd/{here}/npm.socket", self.fetched))
        raise RuntimeError(f"verdaccio did not start; see {log.name}")


def public_npm() -> str:
    """The registry that this machine's npm uses."""
    words = ["npm", "config", "get", "registry"]
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def end(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def drain(source: Any, path: Path) -> None:
    with path.open("w") as target:
        target.writelines(source)


class Forwarder(ThreadingTCPServer):
    """A port of the loopback that leads to a socket of the file system. It sees which of our archives are asked for."""

    daemon_threads = True
    archive = re.compile(rb"GET /(?:@portalloc(?:/|%2[fF]))?[\w-]+/-/([\w.-]+\.tgz) ")

    def __init__(self, path: str, fetched: set[str]) -> None:
        self.path = path
        self.fetched = fetched
        super().__init__(("127.0.0.1", 0), Forward)

    def sees(self, request: bytes) -> None:
        for name in self.archive.findall(request):
            # The registry names a scoped archive without its scope, `npm pack` with it.
            for path in (f"npm/{name.decode()}", f"npm/portalloc-{name.decode()}"):
                if (DIST / path).is_file():
                    self.fetched.add(path)


class Forward(BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Forwarder)
        with socket(AF_UNIX) as target:
            target.connect(self.server.path)
            back = threading.Thread(target=pump, args=(target, self.request), daemon=True)
            back.start()
            pump(self.request, target, self.server.sees)
            back.join()


def pump(source: socket, target: socket, sees: Callable[[bytes], None] = lambda _: None) -> None:
    before = b""
    # Either side may end the connection at any time, which is no concern of the other requests.
    with suppress(OSError):
        while piece := source.recv(1 << 16):
            # A request may come in two pieces.
            sees(before + piece)
            before = piece[-200:]
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(SHUT_WR)


class Files(SimpleHTTPRequestHandler):
    """dist/ as static files, for whatever is downloaded without a registry."""

    def __init__(self, fetched: set[str], *arguments: Any) -> None:
        self.fetched = fetched
        super().__init__(*arguments, directory=str(DIST))

    def log_request(self, code: int | str = "-", *_: Any) -> None:
        if self.command == "GET" and code == HTTPStatus.OK:
            self.fetched.add(self.path.lstrip("/"))

    def log_message(self, *_: Any) -> None:
        pass


class Wsgi(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        path = f"python/{self.path.rpartition('/')[2]}"
        if self.command == "GET" and self.path.startswith("/packages/") and (DIST / path).is_file():
            self.server.fetched.add(path)  # type: ignore[attr-defined]


class ThreadingWsgiServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def pypi_server(own: Path, shelf: Path, fetched: set[str]) -> HTTPServer:
    """pypiserver: it takes uploads into the first directory, and serves both."""
    from pypiserver import app

    for directory in (own, shelf):
        directory.mkdir(parents=True, exist_ok=True)
    application: Callable[..., Any] = app(roots=[own, shelf], disable_fallback=True, authenticate=[], password_file=".")
    server = make_server("127.0.0.1", 0, application, ThreadingWsgiServer, Wsgi)
    server.fetched = fetched  # type: ignore[attr-defined]
    return server
