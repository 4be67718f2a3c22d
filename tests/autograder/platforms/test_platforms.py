"""What the kit knows of a platform is in its module alone, and each part of it is optional."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from autograder import platforms
from autograder.platforms.interface import Field, Platform
from tests.support import imports as sources

ROOT = Path(__file__).parents[3]
ROOM = ROOT / "autograder" / "platforms"
NAMES = {one.name for one in platforms.ALL}


def modules(name: str) -> list[Path]:
    """Return the file of a platform, or the files of its package."""
    folder = ROOM / name
    return sorted(folder.glob("*.py")) if folder.is_dir() else [ROOM / f"{name}.py"]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_each_platform_is_the_module_of_its_name() -> None:
    there = {path.stem for path in ROOM.iterdir() if path.name not in ("__pycache__", "__init__.py")}
    assert there == {name.casefold() for name in NAMES} | {"interface"}


@pytest.mark.parametrize("name", sorted(one.name.casefold() for one in platforms.ALL))
def test_a_platform_knows_neither_another_one_nor_who_asks(name: str) -> None:
    for path in modules(name):
        for module in (one for one in imports(path) if one.startswith("autograder.")):
            room, _, rest = module.removeprefix("autograder.").partition(".")
            own = room == "platforms" and rest.partition(".")[0] in (name, "interface")
            assert own or room in ("errors", "graded", "untrusted"), f"{path.name} imports {module}"


def words(source: str) -> set[str]:
    """Return the names and texts in a module's code, without its docstrings and comments."""
    nodes = list(ast.walk(ast.parse(source)))
    keys = ("id", "attr", "arg", "name", "asname", "module")
    names = {getattr(node, key, None) for node in nodes for key in keys} | sources.uses(source).texts
    return {name for name in names if isinstance(name, str)}


def test_words_are_those_of_code() -> None:
    source = '''
import a.b as c
from d import e
class F:
    """Docs."""
    g: str = f"h{i.j}"
    """Docs."""
    def k(self, l):  # comment
        return m(n=l)
'''
    assert words(source) == {*"cdeFghijklmn", "a.b", "self", "str"}


def test_no_other_module_names_a_platform() -> None:
    # But nbgrader, which is a format of releases and of points, too.
    names = {name.casefold() for name in NAMES - {"nbgrader"}}
    allowed = {
        ("autograder.course", "canvas"),  # what a table of course.toml was called before
        ("autograder.reports.charts", "FigureCanvasSVG"),  # Matplotlib's
        ("autograder.commands.servers", "Example: autograder bundle knn gradescope"),
    }
    servers = ROOT / "autograder" / "exporters" / "servers"  # Gradescope is a platform and a server
    kit = {name: ROOT / path for name, path in sources.modules(ROOT).items() if path.parts[0] != "tests"}
    found = {
        (module, word)
        for module, path in kit.items()
        if not path.is_relative_to(ROOM) and not path.is_relative_to(servers)
        for word in words(path.read_text(encoding="utf-8"))
        if any(name in word.casefold() for name in names)
    }
    assert found == allowed


def test_every_part_is_optional() -> None:
    nobody = platforms.find_platform("somebody's table")
    assert nobody == Platform("somebody's table")
    assert (nobody.download, nobody.export, nobody.roster, nobody.gradebook) == (None, None, None, None)
    assert platforms.find_platform("Canvas").gradebook is not None
    assert platforms.find_platform("Moodle").gradebook is None


def test_parts_are_told_apart() -> None:
    titles = [one.title for one in (*platforms.downloads(), *platforms.exports())]
    files = [one.FILE for one in platforms.gradebooks().values()]
    assert len(set(titles)) == len(titles)
    assert len(set(files)) == len(files)
    assert all(Field.role not in one.columns or one.roles for one in platforms.rosters().values())


@pytest.mark.parametrize(("name", "whose"), [("Canvas", "Canvas'"), ("Moodle", "Moodle's")])
def test_whose_export_it_is(name: str, whose: str) -> None:
    assert platforms.find_platform(name).possessive == whose
