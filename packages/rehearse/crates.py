"""A crates registry with a sparse index, which cargo can publish to and install from.

The protocol is cargo's own: doc.rust-lang.org/cargo/reference, registry-index.html and registry-web-api.html. One
directory has public crates, and another one what is published here; beside each .crate file lies its line of the index.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

CRATES_IO = "https://github.com/rust-lang/crates.io-index"


class CratesIndex:
    """Crates by their names; what is published here hides public crates of the same name."""

    def __init__(self, own: Path, shelf: Path, fetched: set[str]) -> None:
        self.own = own
        self.shelf = shelf
        self.fetched = fetched
        for directory in (own, shelf):
            directory.mkdir(parents=True, exist_ok=True)

    def lines(self, name: str) -> list[str]:
        for directory in (self.own, self.shelf):
            found = [path.read_text() for path in sorted(directory.glob("*.json"))]
            if lines := [line for line in found if json.loads(line)["name"].lower() == name.lower()]:
                return lines
        return []

    def crate(self, name: str, version: str) -> bytes | None:
        for directory in (self.own, self.shelf):
            path = directory / f"{name}-{version}.crate"
            if path.is_file():
                if directory == self.own:
                    self.fetched.add(f"rust/{path.name}")
                return path.read_bytes()
        return None

    def publish(self, described: dict[str, Any], crate: bytes) -> None:
        store(self.own, entry(described, hashlib.sha256(crate).hexdigest()), crate)


def store(directory: Path, line: dict[str, Any], crate: bytes) -> None:
    stem = f"{line['name']}-{line['vers']}"
    (directory / f"{stem}.crate").write_bytes(crate)
    (directory / f"{stem}.json").write_text(json.dumps(line))


def entry(described: dict[str, Any], checksum: str) -> dict[str, Any]:
    """What cargo says when it publishes, as the index says it."""
    dependencies = [
        {
            "name": each.get("explicit_name_in_toml") or each["name"],
            "package": each["name"] if each.get("explicit_name_in_toml") else None,
            "req": each["version_req"],
            "features": each["features"],
            "optional": each["optional"],
            "default_features": each["default_features"],
            "target": each["target"],
            "kind": each["kind"],
            "registry": each.get("registry"),
        }
        for each in described["deps"]
    ]
    return line(described, described["vers"], dependencies, checksum)


def line(package: dict[str, Any], version: str, dependencies: list[dict[str, Any]], checksum: str) -> dict[str, Any]:
    # Features with `dep:` or `?` belong into features2 for old cargos, which this registry does not have.
    return {
        "name": package["name"],
        "vers": version,
        "deps": dependencies,
        "cksum": checksum,
        "features": {},
        "features2": package["features"],
        "yanked": False,
        "links": package.get("links"),
        "rust_version": package.get("rust_version"),
        "v": 2,
    }


def fill(shelf: Path, metadata: dict[str, Any], lock: Path, caches: list[Path]) -> None:
    """Puts the public crates of a lock file on the shelf: files from cargo's cache, lines from cargo's metadata."""
    shelf.mkdir(parents=True, exist_ok=True)
    locked = tomllib.loads(lock.read_text())["package"]
    checksums = {(package["name"], package["version"]): package.get("checksum") for package in locked}
    for package in metadata["packages"]:
        checksum = checksums.get((package["name"], package["version"]))
        if not package["source"] or not checksum:
            continue
        stem = f"{package['name']}-{package['version']}.crate"
        crate = next(cache / stem for cache in caches if (cache / stem).is_file()).read_bytes()
        dependencies = [
            {
                "name": each["rename"] or each["name"],
                "package": each["name"] if each["rename"] else None,
                "req": each["req"],
                "features": each["features"],
                "optional": each["optional"],
                "default_features": each["uses_default_features"],
                "target": each["target"],
                "kind": each["kind"] or "normal",
                # Null would mean crates.io for this index, too: it stands in for crates.io.
                "registry": CRATES_IO,
            }
            for each in package["dependencies"]
        ]
        store(shelf, line(package, package["version"], dependencies, checksum), crate)


class CratesHandler(BaseHTTPRequestHandler):
    """config.json, the index, downloads, and `cargo publish`."""

    def __init__(self, index: CratesIndex, *arguments: Any) -> None:
        self.index = index
        super().__init__(*arguments)

    def do_GET(self) -> None:
        words = self.path.strip("/").split("/")
        if self.path == "/index/config.json":
            here = f"http://{self.headers['Host']}"
            self._answer({"dl": f"{here}/crates/{{crate}}/{{version}}", "api": here})
        elif words[0] == "index" and (lines := self.index.lines(words[-1])):
            self._answer("".join(f"{line}\n" for line in lines).encode())
        elif words[0] == "crates" and len(words) == 3 and (crate := self.index.crate(words[1], words[2])):
            self._answer(crate)
        else:
            self.send_error(404)

    def do_PUT(self) -> None:
        if self.path != "/api/v1/crates/new":
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        described, rest = take(body)
        crate, _ = take(rest)
        self.index.publish(json.loads(described), crate)
        self._answer({"warnings": {"invalid_categories": [], "invalid_badges": [], "other": []}})

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self, content: bytes | dict[str, Any]) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def take(body: bytes) -> tuple[bytes, bytes]:
    """A length of four bytes, little-endian, and so many bytes after it; and the rest."""
    end = 4 + int.from_bytes(body[:4], "little")
    return body[4:end], body[end:]
