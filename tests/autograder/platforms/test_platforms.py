"""What the kit knows of a platform is in its module alone, and each part of it is optional."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import autograder
from autograder import platforms
from autograder.platforms.interface import Field, Platform

PACKAGE = Path(autograder.__path__[0])
ROOM = PACKAGE / "platforms"
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


def test_no_other_module_compares_with_the_name_of_a_platform() -> None:
    for path in PACKAGE.rglob("*.py"):
        if not path.is_relative_to(ROOM) and not path.is_relative_to(PACKAGE / "suites"):
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
            assert texts.isdisjoint(NAMES - {"nbgrader"}), path


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
