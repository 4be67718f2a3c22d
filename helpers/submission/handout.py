"""The assignment as students received it: its folder, and the checks listed in ``checks.json``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHECKS_FILE = "checks.json"
TEST_FILE = "test_public.py"
EXTRA = "(extra credit)"
"""What the titles of tasks for extra credit end with."""
FORMAT = 2
_RELEASE = Path(__file__).resolve().parents[2]
"""The folder of the release that these helpers belong to."""


class HandoutError(Exception):
    """An assignment's files are missing or damaged; the message is one sentence that says what to do."""

    def _render_traceback_(self) -> list[str]:
        """Have notebooks show the sentence alone; IPython asks for this."""
        return [str(self)]


@dataclass(frozen=True)
class ReleasedTask:
    """One task and what it is worth."""

    id: str
    title: str
    points: float

    @property
    def extra(self) -> bool:
        """Whether it is for extra credit; such tasks have no number in the notebook."""
        return self.title.endswith(EXTRA)


@dataclass(frozen=True)
class PublicTest:
    """One public check.

    Attributes
    ----------
    id : str
        File and function, ``"test_public.py::test_ties"``.
    title : str
        What it checks, in a sentence.
    task : str
        Id of its task.
    points : float
        What it is worth when the work is graded; hidden checks hold the rest of the task's points.
    kind : str
        ``"value"``, or ``"constraint"``: a rule that counts once half of the points for right values in its
        task are earned.
    """

    id: str
    title: str
    task: str
    points: float
    kind: str


@dataclass(frozen=True)
class Function:
    """A function or method that students write.

    Attributes
    ----------
    file : str
        Of its module, ``"knn.py"``.
    name : str
        ``"predict_labels"`` or ``"KnnClassifier.predict"``.
    task : str or None
        Id of its task, where it is known.
    """

    file: str
    name: str
    task: str | None


@dataclass(frozen=True)
class ReleasedQuestion:
    """A question that students answer in words: id and digest without an answer, points, and the section."""

    id: str
    title: str
    points: float
    digest: str


@dataclass(frozen=True)
class ReleasedCell:
    """A cell of the notebook as released: id, digest of its words, and the question that it asks."""

    id: str
    digest: str
    question: ReleasedQuestion | None = None


@dataclass(frozen=True)
class Handout:
    """An assignment as students have it.

    Attributes
    ----------
    folder : Path
        Where ``checks.json``, ``test_public.py`` and, as a rule, the notebook and the modules lie.
    name, title : str
        Such as ``"knn"``, and the name that people read.
    modules : tuple of str
        Modules to hand in, each as ``<module>.py``.
    weights : tuple of str
        Files of saved weights that may be handed in with them.
    tasks : tuple of ReleasedTask
        In the order of the notebook.
    tests : tuple of PublicTest
        In the order in which they run.
    stubs : dict of str to str
        File name of each module to the SHA-256 of its content as released.
    repository : str
        Owner and name of the public repository that it was released to; empty if there is none.
    released : dict of str to str
        File name of each module to its text as released.
    packages : tuple of str
        Import names of the packages that can be imported when work is graded.
    imports : dict
        What stands for modules of other kits, as `helpers.other_kits.use` takes it.
    grader : dict of str to str
        ``"python"`` and ``"torch"`` to the versions that grade, such as ``"3.11"``.
    cpu_seconds, memory_mb : int
        Limits of a check that has none of its own.
    functions : tuple of Function
        What students write, in the order of the modules; empty in releases that do not tell.
    cells : tuple of ReleasedCell
        The notebook as released; empty in releases that do not tell.
    conventions : dict of str to number or str
        What the assignment states of things in which courses differ.
    """

    folder: Path
    name: str
    title: str
    modules: tuple[str, ...]
    weights: tuple[str, ...]
    tasks: tuple[ReleasedTask, ...]
    tests: tuple[PublicTest, ...]
    stubs: dict[str, str]
    repository: str = ""
    released: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    imports: dict[str, Any] = field(default_factory=dict)
    grader: dict[str, str] = field(default_factory=dict)
    cpu_seconds: int = 10
    memory_mb: int = 512
    functions: tuple[Function, ...] = ()
    cells: tuple[ReleasedCell, ...] = ()
    conventions: dict[str, float | int | bool | str] = field(default_factory=dict)

    def file(self, module: str) -> Path:
        """Return the file of a module: beside the running notebook, else in the assignment's folder."""
        beside = Path.cwd() / f"{module}.py"
        return beside if beside.is_file() else self.folder / f"{module}.py"


def find(name: str) -> Handout:
    """Find an assignment near the current folder, else in the release that these helpers belong to.

    Near is the folder itself, the folders above, and ``assignments`` in each of them.

    Raises
    ------
    HandoutError
        There is none of that name, or its ``checks.json`` cannot be read.
    """
    here = Path.cwd()
    if not name or not isinstance(name, str):
        near = next((one.name for folder in (here, *here.parents) if (one := read(folder))), "knn")
        raise HandoutError(f'Name the assignment between the brackets: "{near}".')
    seen = set()
    for folder in _places(name, (here, *here.parents, _RELEASE)):
        handout = read(folder)
        if handout is not None and handout.name == name:
            return handout
        seen |= {handout.name} if handout is not None else set()
    others = f" Nearby is {' and '.join(sorted(seen))}." if seen else ""
    raise HandoutError(
        f"There is no assignment {name!r} in {Path.cwd()} or around it.{others} "
        f"Open the notebook in the assignment's own folder, with {CHECKS_FILE} and {TEST_FILE} beside it."
    )


def find_released(name: str) -> Handout | None:
    """Return an assignment of the release that these helpers belong to, if that lies elsewhere.

    Returns
    -------
    Handout or None
        None where the current folder is part of the release, and where the release lacks the assignment.
    """
    if Path.cwd().is_relative_to(_RELEASE):
        return None
    found = (read(folder) for folder in _places(name, (_RELEASE,)))
    return next((one for one in found if one is not None and one.name == name), None)


def read(folder: Path) -> Handout | None:
    """Return the assignment that the ``checks.json`` of a folder describes.

    Returns
    -------
    Handout or None
        None if there is no such file, or if it is some other program's.

    Raises
    ------
    HandoutError
        The file is damaged, or of another release than these helpers.
    """
    path = folder / CHECKS_FILE
    if not path.is_file():
        return None
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(plain, dict) or "format" not in plain:
            return None
        if plain["format"] != FORMAT:
            raise HandoutError(
                f"{path} is from another release than helpers/; take both from the same release."
            )
        return _parse(path.parent, plain)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HandoutError(f"{path} is damaged ({error}); get it from the release again.") from None


def _places(name: str, folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for place in (folder, folder / name, folder / "assignments" / name):
            if (place / CHECKS_FILE).is_file():
                yield place


def _parse(folder: Path, plain: dict[str, Any]) -> Handout:
    return Handout(
        folder=folder,
        name=plain["name"],
        title=plain["title"],
        modules=tuple(plain["modules"]),
        weights=tuple(plain["weights"]),
        tasks=tuple(ReleasedTask(task["id"], task["title"], task["points"]) for task in plain["tasks"]),
        tests=tuple(
            PublicTest(test["id"], test["title"], test["task"], test["points"], test["kind"])
            for test in plain["tests"]
        ),
        stubs=dict(plain["stubs"]),
        repository=plain.get("repository", ""),
        released=dict(plain["released"]),
        packages=tuple(plain["packages"]),
        imports=dict(plain.get("imports", {})),
        grader=dict(plain["grader"]),
        cpu_seconds=plain["limits"]["cpu_seconds"],
        memory_mb=plain["limits"]["memory_mb"],
        functions=tuple(Function(**function) for function in plain.get("functions", ())),
        cells=tuple(_cell(cell) for cell in plain.get("cells", ())),
        conventions=dict(plain.get("conventions", {})),
    )


def _cell(plain: dict[str, Any]) -> ReleasedCell:
    question = plain.get("question")
    return ReleasedCell(
        plain["id"], plain["digest"], None if question is None else ReleasedQuestion(**question)
    )
