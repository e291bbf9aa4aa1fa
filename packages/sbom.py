"""The bill of materials of what is published: every crate that is linked into it, as CycloneDX.

cargo knows what is linked; cyclonedx-python-lib knows the format, and checks what is written against its schema.
"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
import uuid
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from packages.common import ROOT, platforms, version

if TYPE_CHECKING:
    from pathlib import Path

# The crates whose binaries and sources are published.
PUBLISHED = ("portalloc", "portalloc-cli", "portalloc-c", "portalloc-python", "portalloc-node")
# With it and the time of the commit, the same sources have the same bill.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/portalloc/portalloc")


def write(path: Path) -> None:
    text = JsonV1Dot6(bill()).output_as_string(indent=2)
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise ValueError(f"the SBOM is not CycloneDX 1.6: {error}")
    path.write_text(text + "\n")


def bill() -> Bom:
    root = component("portalloc", version(), "MIT OR Apache-2.0", None, ComponentType.APPLICATION)
    bom = Bom(serial_number=uuid.uuid5(NAMESPACE, f"{version()} {lock()}"))
    bom.metadata.component = root
    bom.metadata.timestamp = committed()
    known: dict[str, Component] = {}
    needed: dict[str, set[str]] = {}
    roots: set[str] = set()
    for metadata in (cargo_metadata(platform.rust) for platform in platforms()):
        packages = {package["id"]: package for package in metadata["packages"]}
        links = {node["id"]: linked(node) for node in metadata["resolve"]["nodes"]}
        published = [each for each in metadata["workspace_members"] if packages[each]["name"] in PUBLISHED]
        roots |= {str(packages[each]["id"]) for each in published}
        waiting, seen = list(published), set(published)
        while waiting:
            each = waiting.pop()
            needed.setdefault(each, set()).update(links[each])
            known.setdefault(each, crate(packages[each]))
            waiting += [other for other in links[each] if other not in seen]
            seen.update(links[each])
    for each in known.values():
        bom.components.add(each)
    for each, others in needed.items():
        bom.register_dependency(known[each], [known[other] for other in sorted(others)])
    extras = [standard_library(), *go_modules()]
    for extra in extras:
        bom.components.add(extra)
    bom.register_dependency(root, [*(known[each] for each in sorted(roots)), *extras])
    return bom


def linked(node: dict[str, Any]) -> list[str]:
    """What a crate links; neither what only its build script needs nor what only its tests need."""
    return [each["pkg"] for each in node["deps"] if any(kind["kind"] is None for kind in each["dep_kinds"])]


def crate(package: dict[str, Any]) -> Component:
    name, number = package["name"], package["version"]
    return component(name, number, package["license"], checksums().get((name, number)))


def component(
    name: str,
    number: str,
    licence: str | None,
    sha256: str | None,
    kind: ComponentType = ComponentType.LIBRARY,
    ecosystem: str = "cargo",
) -> Component:
    namespace, _, base = name.rpartition("/")
    return Component(
        name=name,
        version=number,
        type=kind,
        bom_ref=f"{ecosystem}:{name}@{number}:{kind.value}",
        purl=PackageURL(ecosystem, namespace or None, base, number),
        licenses=[LicenseFactory().make_from_string(licence.replace("/", " OR "))] if licence else [],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else [],
    )


def standard_library() -> Component:
    said = subprocess.run(["rustc", "--version"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return component("std", said.split()[1], "MIT OR Apache-2.0", None, ecosystem="generic")


def go_modules() -> list[Component]:
    required = re.findall(r"^(?:require)?\s+(\S+\.\S+/\S+) (v\S+)", (ROOT / "go/go.mod").read_text(), re.M)
    return [component(name, number, None, None, ecosystem="golang") for name, number in required]


def cargo_metadata(triple: str) -> dict[str, Any]:
    words = ["cargo", "metadata", "--format-version=1", "--locked", "--filter-platform", triple]
    found: dict[str, Any] = json.loads(subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    return found


def lock() -> str:
    return (ROOT / "Cargo.lock").read_text()


@cache
def checksums() -> dict[tuple[str, str], str]:
    locked = tomllib.loads(lock())["package"]
    return {(package["name"], package["version"]): package["checksum"] for package in locked if "checksum" in package}


def committed() -> datetime:
    words = ["git", "log", "-1", "--format=%ct"]
    seconds = subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return datetime.fromtimestamp(int(seconds), UTC)
