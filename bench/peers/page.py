"""Makes docs/benchmarks.md and its pictures from the figures of a run. Measures nothing, has no figure of its own.

The text is in page.md; each `$name` in it is a section of `sections`.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from string import Template

from figures import Results
from sections import Sections

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"


def text(sections: Sections) -> str:
    template = (HERE / "page.md").read_text()
    names = set(re.findall(r"\$(\w+)", template))
    return Template(template).substitute({name: getattr(sections, name)() for name in names})


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--results", type=Path, default=DOCS / "benchmarks/peers.json")
    options.add_argument("--docs", type=Path, default=DOCS)
    given = options.parse_args()
    results = Results(given.results)
    sections = Sections(results)
    (given.docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    (given.docs / "benchmarks.md").write_text(text(sections))
    # Only here: it needs what draws, and the text does not.
    from pictures import draw

    draw(results, sections, given.docs / "benchmarks")


if __name__ == "__main__":
    main()
