"""Whether this commit may be released under a tag: the tag is the version, and the changelog has a date for it."""

from __future__ import annotations

import re
import sys

from packages import common


def mistakes(tag: str, version: str, changelog: str) -> list[str]:
    found = []
    if tag != f"v{version}":
        found.append(f"the tag is {tag}, but the version is {version}; run `make version VERSION={tag.lstrip('v')}`")
    heading = re.search(rf"^## \[?{re.escape(version)}\]? - (.*)$", changelog, re.MULTILINE)
    if heading is None:
        found.append(f"CHANGELOG.md has no section `## {version} - YYYY-MM-DD`")
    elif not re.fullmatch(r"\d{4}-\d\d-\d\d", heading[1]):
        found.append(f"CHANGELOG.md says `{heading[1]}` in place of the date of {version}; write the date")
    return found


def main() -> None:
    (tag,) = sys.argv[1:]
    found = mistakes(tag, common.version(), (common.ROOT / "CHANGELOG.md").read_text())
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
