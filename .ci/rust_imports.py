"""Which file of a Rust crate imports which: read from its text, without a compiler.

A path counts for the file that defines what it names: re-exports are followed, and re-exporting alone imports nothing.
Items under `#[cfg(test)]` do not count. Knows modules, `use` and paths; neither types nor macros. What a method is
called on is unknown, so a call counts only if the crate has one method of that name, outside of its type's file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pathlib

TOKEN = re.compile(
    r"""
    (?P<skip>\s+ | //[^\n]*)
  | (?P<comment>/\*)
  | (?P<text>b?c?r(?P<hashes>\#*)"[\s\S]*?"(?P=hashes) | [bc]?"(?:\\[\s\S]|[^"\\])*" | b?'(?:\\[^\n]+?|[^\\'\n])')
  | (?P<lifetime>'\w+)
  | (?P<word>(?:r\#)?[A-Za-z_]\w*)
  | (?P<mark>::|->|=>|[^\w\s])
  | (?P<number>\d\w*)
    """,
    re.VERBOSE,
)
# Methods of the standard library whose names methods of ours have, too.
STANDARD = {"fill", "spawn"}
DEFINES = {"fn", "struct", "enum", "trait", "type", "const", "static", "union"}
Path = tuple[str, ...]


@dataclass
class Token:
    text: str
    line: int
    is_word: bool


def tokens(text: str) -> list[Token]:
    """The text without comments; strings are one token each, without what is in them."""
    found: list[Token] = []
    at, line = 0, 1
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"line {line}: unreadable: {text[at : at + 20]!r}")
        end = end_of_comment(text, at) if match["comment"] else match.end()
        if match["word"]:
            found.append(Token(match["word"].removeprefix("r#"), line, is_word=True))
        elif match["mark"]:
            found.append(Token(match["mark"], line, is_word=False))
        elif match["text"] or match["number"]:
            found.append(Token('""', line, is_word=False))
        line += text.count("\n", at, end)
        at = end
    return found


def end_of_comment(text: str, at: int) -> int:
    depth = 0
    for mark in re.compile(r"/\*|\*/").finditer(text, at):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    raise ValueError("a comment without an end")


@dataclass
class Use:
    """One leaf of a `use`: the name it brings into its module, and the path it stands for."""

    name: str
    path: Path
    line: int
    is_public: bool


@dataclass
class Module:
    path: Path
    file: pathlib.Path
    children: set[str] = field(default_factory=set)
    items: set[str] = field(default_factory=set)
    uses: list[Use] = field(default_factory=list)


@dataclass
class Mention:
    """A path in code, as it is written, in the module that it is written in."""

    module: Path
    path: Path
    line: int


@dataclass
class File:
    path: pathlib.Path
    header: str
    words: set[str] = field(default_factory=set)
    mentions: list[Mention] = field(default_factory=list)
    methods: list[tuple[str, str]] = field(default_factory=list)  # of an `impl`: type and name
    calls: list[tuple[str, int]] = field(default_factory=list)
    platform: list[tuple[str, int]] = field(default_factory=list)  # paths and cfgs, those of tests too


def header(text: str) -> str:
    lines = []
    for line in text.splitlines():
        if not line.startswith("//!"):
            break
        lines.append(line.removeprefix("//!").strip())
    return " ".join(lines)


class Reader:
    """Reads one file into modules (itself and those inside it) and what they mention."""

    def __init__(self, path: pathlib.Path, module: Path) -> None:
        text = path.read_text()
        self.file = File(path, header(text))
        self.tokens = tokens(text)
        self.modules = {module: Module(module, path)}
        self.everything = self.expanded()
        self.read(0, len(self.tokens), module)

    def text(self, at: int) -> str:
        return self.tokens[at].text if 0 <= at < len(self.tokens) else ""

    def closing(self, at: int) -> int:
        """Where the bracket that opens at `at` closes."""
        depth = 0
        for index in range(at, len(self.tokens)):
            if self.text(index) in ("(", "[", "{"):
                depth += 1
            elif self.text(index) in (")", "]", "}"):
                depth -= 1
                if depth == 0:
                    return index
        raise ValueError(f"{self.file.path}: line {self.tokens[at].line}: a bracket without an end")

    def is_import(self, at: int) -> bool:
        """Whether a `use` is there that imports; `use<...>` in a bound names what a type captures."""
        return self.text(at) == "use" and self.text(at - 1) not in ("::", ".") and self.text(at + 1) != "<"

    def end_of_item(self, at: int) -> int:
        """Behind the item that begins at `at`, its attributes among it."""
        while at < len(self.tokens):
            if self.text(at) == ";":
                return at + 1
            if self.text(at) in ("(", "[", "{"):
                close = self.closing(at)
                if self.text(at) == "{" and self.text(close + 1) != ";":
                    return close + 1
                at = close
            at += 1
        return at

    def expanded(self) -> list[tuple[Path, int]]:
        """Every path of the file with `use` written out, and the words of every `cfg`."""
        found: list[tuple[Path, int]] = []
        at = 0
        while at < len(self.tokens):
            if self.is_import(at):
                at, leaves = self.tree(at + 1, ())
                found += [(path, line) for _, path, line in leaves]
            elif self.is_head(at):
                path, after = self.path_at(at)
                found.append((path, self.tokens[at].line))
                at = after
            else:
                if self.text(at) in ("cfg", "cfg_attr") and self.text(at + 1) in ("(", "!"):
                    start = at + (2 if self.text(at + 1) == "!" else 1)
                    for index in range(start, self.closing(start)):
                        if self.tokens[index].is_word:
                            found.append((("cfg", self.text(index)), self.tokens[index].line))
                at += 1
        return found

    def is_head(self, at: int) -> bool:
        return self.tokens[at].is_word and self.text(at + 1) == "::" and self.text(at - 1) not in ("::", ".")

    def path_at(self, at: int) -> tuple[Path, int]:
        path = [self.text(at)]
        at += 1
        while self.text(at) == "::" and at + 1 < len(self.tokens) and self.tokens[at + 1].is_word:
            path.append(self.text(at + 1))
            at += 2
        return tuple(path), at

    def tree(self, at: int, before: Path) -> tuple[int, list[tuple[str, Path, int]]]:
        """The leaves of a tree of `use` from `at` on: name, path and line of each."""
        leaves: list[tuple[str, Path, int]] = []
        path = before
        if self.text(at) == "::":
            at += 1
        while at < len(self.tokens):
            token = self.tokens[at]
            if token.text == "{":
                close = self.closing(at)
                at += 1
                while at < close:
                    at, inner = self.tree(at, path)
                    leaves += inner
                    if self.text(at) == ",":
                        at += 1
                return close + 1, leaves
            if token.text == "*":
                leaves.append(("*", path, token.line))
                return at + 1, leaves
            if token.is_word and token.text != "as":
                path = path if token.text == "self" and path else (*path, token.text)
                at += 1
                if self.text(at) == "::":
                    at += 1
                    continue
            name = path[-1]
            if self.text(at) == "as":
                name = self.text(at + 1)
                at += 2
            leaves.append((name, path, token.line))
            return at, leaves
        return at, leaves

    def is_public(self, at: int) -> bool:
        if self.text(at - 1) == ")":
            while self.text(at) != "(":
                at -= 1
        return self.text(at - 1) == "pub"

    def is_for_tests(self, at: int, close: int) -> bool:
        inside = [self.text(index) for index in range(at + 2, close)]
        return inside[:3] == ["cfg", "(", "test"] or inside[:5] == ["cfg", "(", "all", "(", "test"]

    def read(self, at: int, end: int, module: Path) -> None:
        here = self.modules[module]
        depth = 0
        while at < end:
            token = self.tokens[at]
            if token.text == "#" and self.text(at + 1) == "[":
                close = self.closing(at + 1)
                at = self.end_of_item(close + 1) if self.is_for_tests(at, close) else close + 1
                continue
            if token.text in ("{", "}"):
                depth += 1 if token.text == "{" else -1
            elif token.text == "mod" and self.text(at + 2) == "{":
                close = self.closing(at + 2)
                inner = (*module, self.text(at + 1))
                here.children.add(inner[-1])
                self.modules.setdefault(inner, Module(inner, self.file.path))
                self.read(at + 3, close, inner)
                at = close
            elif token.text == "mod" and self.text(at + 2) == ";":
                here.children.add(self.text(at + 1))
                at += 2
            elif self.is_import(at):
                public = self.is_public(at)
                at, leaves = self.tree(at + 1, ())
                here.uses += [Use(name, path, line, public) for name, path, line in leaves]
            elif token.text == "impl" and depth == 0:
                at = self.read_impl(at)
                continue
            elif self.is_head(at):
                path, after = self.path_at(at)
                self.file.mentions.append(Mention(module, path, token.line))
                self.file.words.add(path[0])
                at = after
                continue
            elif token.text == "." and self.text(at + 2) in ("(", "::") and self.tokens[at + 1].is_word:
                self.file.calls.append((self.text(at + 1), token.line))
            elif token.is_word:
                self.file.words.add(token.text)
                if depth == 0 and token.text in DEFINES and self.tokens[at + 1].is_word:
                    here.items.add(self.text(at + 1))
                elif depth == 0 and token.text == "macro_rules":
                    here.items.add(self.text(at + 2))
            at += 1

    def read_impl(self, at: int) -> int:
        """Notes the methods of an `impl TYPE {`, not of a trait, and goes on behind the word `impl`."""
        start = at + 1
        while self.text(at) not in ("{", ";", ""):
            at += 1
        head = [self.text(index) for index in range(start, at)]
        if "for" not in head and self.text(at) == "{":
            names = [word for word in head if re.fullmatch(r"[A-Z]\w+", word)]
            for index in range(at, self.closing(at)):
                if names and self.text(index) == "fn":
                    self.file.methods.append((names[0], self.text(index + 1)))
        return start


@dataclass
class Arrow:
    """One import: from a file to a file of the crate."""

    source: pathlib.Path
    target: pathlib.Path
    line: int
    what: str


class Crate:
    """All files of one crate, and their imports."""

    def __init__(self, root: pathlib.Path, source: str) -> None:
        self.root = root
        self.source = root / source
        self.files: dict[pathlib.Path, File] = {}
        self.modules: dict[Path, Module] = {}
        self.paths: dict[pathlib.Path, list[tuple[Path, int]]] = {}
        for path in sorted(self.source.rglob("*.rs")):
            reader = Reader(path, self.module_of(path))
            self.files[path] = reader.file
            self.paths[path] = reader.everything
            self.modules.update(reader.modules)
        self.arrows: list[Arrow] = []
        self.foreign: dict[pathlib.Path, list[tuple[Path, int]]] = {path: [] for path in self.files}
        self.draw()

    def module_of(self, path: pathlib.Path) -> Path:
        parts = path.relative_to(self.source).with_suffix("").parts
        return () if parts == ("lib",) else parts[:-1] if parts[-1] == "mod" else parts

    def name(self, path: pathlib.Path) -> str:
        return path.relative_to(self.root).as_posix()

    def resolve(
        self, module: Path, path: Path, seen: frozenset[tuple[Path, Path]] = frozenset()
    ) -> Module | pathlib.Path | None:
        """What a path written in `module` names: a module, or an item's file; None outside of the crate."""
        if (module, path) in seen:
            return None
        seen |= {(module, path)}
        head, rest = path[0], path[1:]
        if head == "crate":
            at: Module | None = self.modules.get(())
        elif head == "self":
            at = self.modules.get(module)
        elif head == "super":
            at, up = None, module
            while up and path and path[0] == "super":
                up, path = up[:-1], path[1:]
                at = self.modules.get(up)
            rest = path
        else:
            return self.member(module, path, seen)
        if at is None:
            return None
        return self.member(at.path, rest, seen) or at.file if rest else at

    def member(self, module: Path, path: Path, seen: frozenset[tuple[Path, Path]]) -> Module | pathlib.Path | None:
        """What `path` names from inside `module`: a module of it, an item of it, or what it imports."""
        here = self.modules.get(module)
        if here is None:
            return None
        name, rest = path[0], path[1:]
        child = self.modules.get((*module, name))
        if child and name in here.children:
            return self.member(child.path, rest, seen) or child.file if rest else child
        if name in here.items:
            return here.file
        found = [self.resolve(module, use.path, seen) for use in here.uses if use.name == name and use.path != (name,)]
        found += [
            self.resolve(module, (*use.path, name), seen)
            for use in here.uses
            if use.name == "*"
            and isinstance(target := self.resolve(module, use.path, seen), Module)
            and self.has(target, name, seen)
        ]
        modules = [one for one in found if isinstance(one, Module)]
        if rest and modules:
            return self.member(modules[0].path, rest, seen) or modules[0].file
        return next((one for one in found if one is not None), None)

    def has(self, module: Module, name: str, seen: frozenset[tuple[Path, Path]]) -> bool:
        return name in module.items or name in module.children or self.member(module.path, (name,), seen) is not None

    def draw(self) -> None:
        for module in self.modules.values():
            for use in module.uses:
                self.draw_use(module, use)
        for file in self.files.values():
            for mention in file.mentions:
                self.draw_mention(file, mention)
        self.draw_calls()

    def draw_use(self, module: Module, use: Use) -> None:
        target = self.resolve(module.path, use.path)
        if target is None:
            self.foreign[module.file].append((self.outside(module.path, use.path), use.line))
        elif not use.is_public or use.name in self.files[module.file].words:
            # An imported module counts by what is used of it, unless nothing is.
            through = any(mention.path[0] == use.name for mention in self.files[module.file].mentions)
            if not (isinstance(target, Module) and through):
                self.add(module.file, target, use.line, "::".join(use.path))

    def draw_mention(self, file: File, mention: Mention) -> None:
        target = self.resolve(mention.module, mention.path)
        if target is None:
            self.foreign[file.path].append((self.outside(mention.module, mention.path), mention.line))
        else:
            self.add(file.path, target, mention.line, "::".join(mention.path))

    def outside(self, module: Path, path: Path) -> Path:
        """A path that leads out of the crate, with the first part's `use` written out."""
        here = self.modules.get(module)
        for use in here.uses if here else []:
            if use.name == path[0] and use.path != path and use.path[0] not in ("crate", "self", "super"):
                return (*use.path, *path[1:])
        return path

    def draw_calls(self) -> None:
        """Calls of methods that somebody else's room adds to a type."""
        owners: dict[str, set[pathlib.Path]] = {}
        apart: set[str] = set()
        for file in self.files.values():
            for kind, method in file.methods:
                owners.setdefault(method, set()).add(file.path)
                if not any(kind in module.items for module in self.modules.values() if module.file == file.path):
                    apart.add(method)
        for file in self.files.values():
            for method, line in file.calls:
                if method in apart - STANDARD and len(owners[method]) == 1:
                    self.add(file.path, next(iter(owners[method])), line, f".{method}()")

    def add(self, source: pathlib.Path, target: Module | pathlib.Path, line: int, what: str) -> None:
        path = target.file if isinstance(target, Module) else target
        if path != source:
            self.arrows.append(Arrow(source, path, line, what))
