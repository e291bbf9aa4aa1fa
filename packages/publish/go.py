"""Publishes the Go module: a commit that has its libraries, which are never on main, and the tag `go/vX.Y.Z` for it.

The commit stands on the one that is released, and only the tag leads to it. Its directory `go/` has what the module's
zip has, so that Go computes the same checksum from the tag as from dist/go.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from packages import common
from packages.publish import files

MODULE = "github.com/portalloc/portalloc/go"


def git(*words: str | Path, **variables: str | Path) -> str:
    environment = {**os.environ, **{name: str(value) for name, value in variables.items()}}
    run = subprocess.run(["git", *words], cwd=common.ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    if run.returncode != 0:
        sys.exit(f"git {words[0]} failed with status {run.returncode}")
    return run.stdout.strip()


def commit(archive: Path, version: str) -> str:
    """Makes the commit, without touching the working tree or the index; the same one from the same zip and release."""
    released = git("rev-parse", "HEAD")
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, "tree")
        with zipfile.ZipFile(archive) as module:
            for name in module.namelist():
                path = tree / "go" / name.removeprefix(f"{MODULE}@v{version}/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(module.read(name))
        index = {"GIT_INDEX_FILE": Path(scratch, "index"), "GIT_WORK_TREE": tree}
        git("read-tree", released, **index)
        git("rm", "-r", "-q", "--cached", "go", **index)
        # By force: .gitignore keeps libraries off main. Bytes as they are, whatever this machine's git converts.
        git("-c", "core.autocrlf=false", "add", "--force", "go", **index)
        contents = git("write-tree", **index)
    # By whom and when is copied, so that whoever runs this makes the same commit.
    name, email, date = git("show", "-s", "--format=%an%n%ae%n%cI", released).split("\n")
    identity: dict[str, str] = {}
    for role in ("AUTHOR", "COMMITTER"):
        identity |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": email, f"GIT_{role}_DATE": date}
    return git("commit-tree", contents, "-p", released, "-m", f"Go module {version}, with its libraries", **identity)


def main() -> None:
    version = common.version()
    [archive] = [path for path in files("go") if path.name == f"v{version}.zip" and MODULE in str(path)]
    tag = f"refs/tags/go/v{version}"
    made = commit(archive, version)
    remote = os.environ.get("PORTALLOC_GIT_REMOTE", "origin")
    there = git("ls-remote", remote, tag).split()
    if there and there[0] == made:
        print(f"{tag} is published already")
    elif there:
        # The proxy and the checksum database of Go never forget what a tag once was.
        sys.exit(f"{tag} exists in {remote} for another commit ({there[0]}, not {made}); release a new version")
    else:
        git("push", remote, f"{made}:{tag}")
        print(f"{tag} is {made}")


if __name__ == "__main__":
    main()
