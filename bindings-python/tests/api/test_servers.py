"""Real servers on sockets passed to them answer real requests, and no foreign process gets their port."""

from __future__ import annotations

import asyncio
import http.server
import importlib.util
import sys
import threading
import urllib.request
from typing import TYPE_CHECKING

import portalloc
import pytest
from support import DEADLINE, can_bind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support import Child, World

ASGI = """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})
"""
WSGI = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]
"""


def answer(port: int) -> bytes:
    # No proxy that the environment of the test may name.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/", timeout=DEADLINE) as response:
        body: bytes = response.read()
        return body


def serves(port: int) -> None:
    portalloc.wait_until_open(port, DEADLINE)
    assert answer(port) == b"hello"
    assert not can_bind(port, reuse=False)
    assert not can_bind(port, reuse=True)
    assert not portalloc.is_free(port)


class Hello(http.server.BaseHTTPRequestHandler):
    """Answers with one word."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Says nothing."""


def test_http_server() -> None:
    with portalloc.lease(guard=True) as lease:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", lease.port), Hello, bind_and_activate=False)
        server.socket.close()
        server.socket = lease.socket()
        with server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                serves(lease.port)
            finally:
                server.shutdown()
                thread.join()


def test_http_server_over_an_share_guard() -> None:
    """It binds for itself, and sets `SO_REUSEADDR` as nearly all do."""
    with portalloc.lease(guard=True) as lease:
        with pytest.raises(OSError, match="in use"):
            http.server.HTTPServer(("127.0.0.1", lease.port), Hello)
        lease.share_guard()
        with http.server.HTTPServer(("127.0.0.1", lease.port), Hello) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                serves(lease.port)
            finally:
                server.shutdown()
                thread.join()


def test_asyncio() -> None:
    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nhello")
        await writer.drain()
        writer.close()

    async def serve() -> None:
        with portalloc.lease(guard=True) as lease:
            server = await asyncio.start_server(hello, sock=lease.socket(listen=False))
            async with server:
                assert await asyncio.to_thread(answer, lease.port) == b"hello"
                assert not can_bind(lease.port, reuse=True)

    asyncio.run(serve())


def wrote(directory: Path, code: str) -> None:
    (directory / "hello_app.py").write_text(code)


@pytest.mark.skipif(importlib.util.find_spec("uvicorn") is None, reason="uvicorn is not installed")
def test_uvicorn_by_descriptor(children: Callable[..., Child], world: World) -> None:
    wrote(world.work, ASGI)
    with portalloc.lease(guard=True) as lease, lease.socket() as listener:
        descriptor = str(listener.fileno())
        command = [sys.executable, "-m", "uvicorn", "--log-level", "warning", "--fd", descriptor, "hello_app:app"]
        children(command, pass_fds=[listener.fileno()])
        serves(lease.port)


@pytest.mark.skipif(importlib.util.find_spec("uvicorn") is None, reason="uvicorn is not installed")
def test_uvicorn_by_socket(children: Callable[..., Child], world: World) -> None:
    code = (
        "import portalloc, uvicorn\n"
        "with portalloc.lease(guard=True) as lease:\n"
        "    print(lease.port, flush=True)\n"
        "    config = uvicorn.Config('hello_app:app', log_level='warning')\n"
        "    uvicorn.Server(config).run(sockets=[lease.socket()])\n"
    )
    wrote(world.work, ASGI)
    child = children([sys.executable, "-c", code])
    serves(int(child.line()))


@pytest.mark.skipif(importlib.util.find_spec("gunicorn") is None, reason="gunicorn is not installed")
def test_gunicorn_by_descriptor(children: Callable[..., Child], world: World) -> None:
    wrote(world.work, WSGI)
    with portalloc.lease(guard=True) as lease, lease.socket() as listener:
        command = [
            sys.executable, "-m", "gunicorn", "--workers", "2", "--log-level", "error", "--worker-tmp-dir",
            str(world.scratch), "--bind", f"fd://{listener.fileno()}", "hello_app:app",
        ]  # fmt: skip
        children(command, pass_fds=[listener.fileno()])
        for _ in range(4):
            serves(lease.port)
