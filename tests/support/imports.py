"""Which modules of the repository use which, read off their source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

PACKAGES = ("autograder", "helpers", "benchmarks", "tests")
DOTTED = re.compile(rf"\b(?:{'|'.join(PACKAGES)})(?:\.\w+)*")

PATTERN = re.compile(r"(?=.*[a-z])\*[\w.*-]+$")
"""What files are looked for by, such as ``*.md``."""


@dataclass(frozen=True)
class Uses:
    """What one module uses.

    Attributes
    ----------
    modules : set of str
        Dotted names that it imports anywhere, or names in a text: processes are started by such names.
    texts : set of str
        All its texts but docstrings. Among them are the names of files that it reads.
    """

    modules: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)


def dotted(path: Path) -> str:
    """Return the name of the module in a file, given below the root of the repository."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules(root: Path) -> dict[str, Path]:
    """Return every module below a root by its dotted name, with its path below the root."""
    paths = [path.relative_to(root) for package in PACKAGES for path in (root / package).rglob("*.py")]
    return {dotted(path): path for path in paths}


def uses(source: str) -> Uses:
    """Read a module's source; what is not Python uses nothing."""
    found = Uses()
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return found
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        found.modules.update(_imported(node))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            found.texts.add(node.value)
            found.modules.update(_named(node.value))
    return found


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _named(text: str) -> set[str]:
    """Return the modules that a text names; it may be a program that another process runs."""
    if "import " in text:
        return uses(text).modules
    return set(DOTTED.findall(text))


@dataclass(frozen=True)
class ImportGraph:
    """Who uses what in a repository.

    Attributes
    ----------
    paths : dict of str to Path
        Every module with its path below the root.
    uses : dict of str to Uses
        What each uses.
    """

    paths: dict[str, Path]
    uses: dict[str, Uses]

    @classmethod
    def read(cls, root: Path) -> ImportGraph:
        """Read all modules below a root."""
        paths = modules(root)
        found = {name: uses((root / path).read_text(encoding="utf-8")) for name, path in paths.items()}
        return cls(paths, found)

    def distances(self, changed: Iterable[Path]) -> dict[str, int]:
        """Return the modules that changed files reach, and over how many imports.

        A module that changed is at distance 0, and one that imports it at 1. Any other file is at 1 from the
        modules that name it in a text, and at 2 from those that name its folder. Importing a module runs the
        ``__init__`` of its packages, and each test uses each ``conftest`` above it: both are followed for one
        step only, since they would connect everything with everything.
        """
        reached: dict[str, int] = {}
        for path in changed:
            name = dotted(path)
            if path.suffix == ".py" and path.parts[0] in PACKAGES:
                reached[name] = 0
                reached |= {user: 1 for user in self._run_by(name) if user not in reached}
            for user, steps in self._readers(path):
                reached[user] = min(steps, reached.get(user, steps))
        users = self._users()
        for step in range(1, len(self.paths)):
            ring = [name for name, steps in reached.items() if steps == step - 1]
            if not ring and all(steps < step for steps in reached.values()):
                break
            for user in {user for name in ring for user in users.get(name, ())}:
                reached[user] = min(step, reached.get(user, step))
        return reached

    def _users(self) -> dict[str, set[str]]:
        users: dict[str, set[str]] = {}
        for name, used in self.uses.items():
            for other in used.modules - {name}:
                users.setdefault(other, set()).add(name)
        return users

    def _run_by(self, name: str) -> Iterator[str]:
        """Yield the modules that run another one without naming it."""
        package, _, last = name.rpartition(".")
        if last == "conftest":
            yield from (other for other in self.paths if other.startswith(f"{package}."))
        for other, used in self.uses.items():
            if any(one.startswith(f"{name}.") for one in used.modules):
                yield other

    def _readers(self, path: Path) -> Iterator[tuple[str, int]]:
        """Yield the modules that name a file in a text, or the folder that it is in."""
        names = {path.name, path.as_posix()}
        for user, used in self.uses.items():
            if names & used.texts or any(
                fnmatch(path.name, text) for text in filter(PATTERN.match, used.texts)
            ):
                yield user, 1
            elif path.parent.name and path.parent.name in used.texts:
                yield user, 2
