"""Who is compared with whom, and how each worker is started. Knows no cell, and no figure."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

HERE = Path(__file__).parent
HOME = Path(os.environ.get("PEERS_HOME", "target/peers")).absolute()

Language = Literal["Rust", "Python", "Node", "C", "Go", "command"]
Kind = Literal["portalloc", "bare", "peer"]
# Whose range can be made small: the tool's own, the kernel's (for what asks the kernel), or nobody's.
Range = Literal["own", "kernel", "none"]


@dataclass(frozen=True)
class Contestant:
    key: str
    title: str
    language: Language
    kind: Kind
    range: Range
    # In contrast to several single ones.
    consecutive: bool = False
    server: bool = False
    # With more processes it would take minutes, and tell no more.
    most: int = 128
    # How it was asked, for the page.
    asked: str = ""

    def command(self) -> list[str]:
        """The worker, without its arguments for the count of ports and the journal."""
        if self.key == "go-portalloc":
            return [str(HOME / "bin/peers-go-portalloc"), self.key]
        worker = {
            "Rust": [str(HOME / "rust/release/portalloc-peers")],
            "command": [str(HOME / "rust/release/portalloc-peers")],
            "Python": [str(HOME / "python/bin/python"), str(HERE / "python/worker.py")],
            "Node": [os.environ.get("NODE", "node"), str(HOME / "node/worker.mjs")],
            "C": [str(HOME / "bin/peers-c")],
            "Go": [str(HOME / "bin/peers-go")],
        }
        return [*worker[self.language], self.key]

    def missing(self) -> str | None:
        """Why it cannot be compared here, if it cannot: only go-portalloc may be unavailable."""
        if not self.key.startswith("go-portalloc") or (HOME / "bin/go-portalloc").exists():
            return None
        log = HOME / "go-portalloc.log"
        return " ".join(log.read_text().split()) if log.exists() else "not installed"


def ours(language: Language) -> str:
    """The key of portalloc in this language."""
    return "portalloc-cli" if language == "command" else f"portalloc-{language.lower()}"


CONTESTANTS = [
    Contestant("portalloc-rust", "portalloc, Rust", "Rust", "portalloc", "own", True, asked="`allocator.lease(n)`"),
    Contestant(
        "portalloc-python", "portalloc, Python", "Python", "portalloc", "own", True, asked="`portalloc.lease(n)`"
    ),
    Contestant("portalloc-node", "portalloc, Node", "Node", "portalloc", "own", True, asked="`lease(n)`"),
    Contestant("portalloc-c", "portalloc, C", "C", "portalloc", "own", True, asked="`portalloc_lease_new()`"),
    Contestant("portalloc-go", "portalloc, Go", "Go", "portalloc", "own", True, asked="`portalloc.Acquire(ctx, n)`"),
    Contestant(
        "portalloc-cli",
        "portalloc, command",
        "command",
        "portalloc",
        "own",
        True,
        asked="`portalloc create --json --ports n`, given back by `portalloc cleanup --id`",
    ),
    Contestant(
        "bind0-rust", "bind(0), Rust", "Rust", "bare", "kernel", asked="`TcpListener::bind` to port 0, n at once"
    ),
    Contestant("bind0-python", "bind(0), Python", "Python", "bare", "kernel", asked="`bind` to port 0, n at once"),
    Contestant("bind0-node", "bind(0), Node", "Node", "bare", "kernel", asked="`listen(0)`, n at once"),
    Contestant("bind0-go", "bind(0), Go", "Go", "bare", "kernel", asked="`net.Listen` to port 0, n at once"),
    Contestant(
        "portpicker",
        "portpicker",
        "Python",
        "peer",
        "kernel",
        asked="`pick_unused_port()`, then `return_port()`; no server",
    ),
    Contestant(
        "portpicker-server",
        "portpicker, portserver",
        "Python",
        "peer",
        "own",
        server=True,
        asked="the same, with its portserver running",
    ),
    Contestant("ephemeral-port-reserve", "ephemeral-port-reserve", "Python", "peer", "kernel", asked="`reserve()`"),
    Contestant("port-for", "port-for", "Python", "peer", "own", most=32, asked="`select_random()`, squeezed: of a set"),
    Contestant("get-port", "get-port", "Node", "peer", "own", asked="`getPort()`, squeezed: of `portNumbers()`"),
    Contestant(
        "get-port-please",
        "get-port-please",
        "Node",
        "peer",
        "own",
        asked="`getPort()`, squeezed and for more than one: with `portRange`",
    ),
    Contestant("detect-port", "detect-port", "Node", "peer", "none", asked="`detect(3000)`, then from the last one on"),
    Contestant(
        "portfinder",
        "portfinder",
        "Node",
        "peer",
        "own",
        asked="`getPortsPromise(n)`, squeezed: with `port` and `stopPort`",
    ),
    Contestant("portpicker-rust", "portpicker, Rust", "Rust", "peer", "none", asked="`pick_unused_port()`"),
    Contestant("openport-random", "openport, random", "Rust", "peer", "none", asked="`pick_random_unused_port()`"),
    Contestant(
        "openport-range",
        "openport, range",
        "Rust",
        "peer",
        "own",
        asked="`pick_unused_port(15000..=24999)`, then from the last one on",
    ),
    Contestant("go-portalloc", "go-portalloc", "Go", "peer", "own", True, asked="`AllocateRange(n)`"),
    Contestant(
        "go-portalloc-cli",
        "go-portalloc, command",
        "command",
        "peer",
        "none",
        True,
        asked="`go-portalloc create --json --ports n`, and `cleanup --id`",
    ),
]
BY_KEY = {contestant.key: contestant for contestant in CONTESTANTS}
