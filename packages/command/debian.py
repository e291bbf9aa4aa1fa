"""A .deb with the static command. It depends on nothing, so any Debian or Ubuntu of the architecture can install it."""

from __future__ import annotations

import hashlib
import re
import tempfile
from email.utils import formatdate
from pathlib import Path
from string import Template

from packages.archives import compressed, put, source_date
from packages.common import ROOT, Platform, run, version
from packages.third_party import notices

SOURCES = ROOT / "packages/command/debian"
# The number of the package among those of one version, as Debian has it.
REVISION = 1


def debian_version() -> str:
    return f"{version()}-{REVISION}"


def filled(name: str, **values: object) -> bytes:
    return Template((SOURCES / name).read_text()).substitute(version=debian_version(), **values).encode()


def changes() -> str:
    """Debian's changelog is about the package; that of the project is beside it."""
    date = formatdate(source_date())
    maintainer = re.findall(r"^Maintainer: (.*)$", (SOURCES / "control").read_text(), re.MULTILINE)[0]
    return (
        f"portalloc ({debian_version()}) stable; urgency=medium\n\n"
        f"  * Version {version()} of portalloc; changelog.gz says what is new.\n\n"
        f" -- {maintainer}  {date}\n"
    )


def files(platform: Platform, program: Path, said: dict[str, bytes]) -> dict[str, bytes]:
    """The files of the package beside the program, by path."""
    pages = {Path(path).name: text for path, text in said.items() if path.startswith("man/")}
    completions = {
        "bash-completion/completions/portalloc": "portalloc.bash",
        "zsh/vendor-completions/_portalloc": "_portalloc",
        "fish/vendor_completions.d/portalloc.fish": "portalloc.fish",
    }
    return {
        "usr/bin/portalloc": program.read_bytes(),
        **{f"usr/share/man/man1/{name}.gz": compressed(text) for name, text in pages.items()},
        **{f"usr/share/{path}": said[f"completions/{name}"] for path, name in completions.items()},
        "usr/share/doc/portalloc/copyright": (SOURCES / "copyright").read_bytes(),
        "usr/share/doc/portalloc/third-party.gz": compressed(notices("portalloc-cli", platform)),
        "usr/share/doc/portalloc/changelog.gz": compressed((ROOT / "CHANGELOG.md").read_bytes()),
        "usr/share/doc/portalloc/changelog.Debian.gz": compressed(changes().encode()),
        "usr/share/lintian/overrides/portalloc": (SOURCES / "lintian-overrides").read_bytes(),
    }


def build(platform: Platform, program: Path, said: dict[str, bytes], into: Path) -> None:
    content = files(platform, program, said)
    sums = "".join(f"{hashlib.md5(data).hexdigest()}  {path}\n" for path, data in sorted(content.items()))
    size = sum(-(-len(data) // 1024) for data in content.values())
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch) / "portalloc"
        for path, data in content.items():
            put(top / path, data, 0o755 if path == "usr/bin/portalloc" else 0o644)
        put(top / "DEBIAN/control", filled("control", architecture=platform.debian, size=size))
        put(top / "DEBIAN/md5sums", sums.encode())
        for script in ["postinst", "prerm"]:
            put(top / "DEBIAN" / script, (SOURCES / script).read_bytes(), 0o755)
        for directory in [top, *(path for path in top.rglob("*") if path.is_dir())]:
            directory.chmod(0o755)
        package = into / f"portalloc_{debian_version()}_{platform.debian}.deb"
        # dpkg-deb gives the archive's members this time.
        options = {"SOURCE_DATE_EPOCH": str(source_date())}
        # xz, because Debian before 12 cannot read zstd, with which Ubuntu's dpkg-deb would compress.
        run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", top, package, env=options)
    print(f"{package.name}: {package.stat().st_size} bytes")
