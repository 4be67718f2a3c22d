"""Saved weights: read as bytes, loaded as tensors alone, and only where student code runs."""

from __future__ import annotations

import dataclasses
import io
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from autograder import intake
from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.course.assignment import Assignment
from autograder.engine.interface import Graded
from autograder.engine.pool import Pool
from autograder.errors import ConfigError
from autograder.intake import Submission
from helpers.statuses import Status
from helpers.submission import sizes
from tests.support import tiny

WEIGHTS = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.zeros(3, dtype=torch.float16)}
TEST = '''

@pytest.mark.task("weights")
def test_weights():
    """Loads what was saved."""
    found = load_weights(tiny_module, "best.pt")
    checks.equal(found["w"], torch.arange(6.0).reshape(2, 3), what="w")
    checks.equal(found["b"], torch.zeros(3, dtype=torch.float16), what="b")
'''
TASK = '\n[[tasks]]\nid = "weights"\ntitle = "Saved weights"\npoints = 2\nextra = true\n'


class Trap:
    """An object that touches a file as it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (open, (str(self.path), "w"))


def saved(value: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, Assignment]:
    course, tiny_assignment = tiny.write_course(tmp_path_factory.mktemp("course"))
    settings, public = tiny_assignment.file, tiny_assignment.suite / "test_public.py"
    text = settings.read_text().replace('["tiny_module"]', '["tiny_module"]\nweights = ["best.pt"]')
    settings.write_text(text + TASK)
    line = "from helpers.testing import checks"
    importing = public.read_text().replace(line, f"{line}, load_weights")
    public.write_text(importing + TEST)
    (tiny_assignment.folder / "best.pt").write_bytes(saved(WEIGHTS))
    return course, assignments.load(course, "tiny")


@pytest.fixture(scope="module", params=["full", "none"])
def pool(request: pytest.FixtureRequest, course: tuple[Course, Assignment]) -> Iterator[Pool]:
    with Pool(course[1], course[0], jobs=1, sandbox=request.param) as pool:
        yield pool


def graded(pool: Pool, content: bytes | None) -> Graded:
    plain = tiny.submission(tiny.REFERENCE)
    files = plain.files if content is None else {**plain.files, "best.pt": content}
    (found,) = pool.grade([dataclasses.replace(plain, files=files)])
    return found


def problem(pool: Pool, content: bytes | None) -> str:
    """Return what the student reads about the weights; everything else must have passed."""
    (outcome,) = (found for found in graded(pool, content).outcomes if found.status is not Status.passed)
    assert outcome.id == "test_public.py::test_weights"
    assert outcome.status is Status.failed
    assert outcome.feedback is not None
    return outcome.feedback.summary


def test_weights_arrive_as_they_were_saved(pool: Pool) -> None:
    assert {outcome.status for outcome in graded(pool, saved(WEIGHTS)).outcomes} == {Status.passed}


def test_whoever_hands_in_none_loses_nothing_else(pool: Pool) -> None:
    assert "not handed in" in problem(pool, None)


def test_pickled_code_does_not_run(pool: Pool, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    for content in (saved({"w": Trap(touched)}), pickle.dumps(Trap(touched))):
        assert "cannot be loaded as plain weights" in problem(pool, content)
    assert not touched.exists()


@pytest.mark.parametrize("content", [b"", b"no weights", saved(WEIGHTS)[:-200]])
def test_damaged_weights(pool: Pool, content: bytes) -> None:
    assert "cannot be loaded as plain weights" in problem(pool, content)


def test_something_else_than_a_dict_of_tensors(pool: Pool) -> None:
    assert "not a dict of tensors" in problem(pool, saved([WEIGHTS["w"]]))
    assert "not a dict of tensors" in problem(pool, saved({1: WEIGHTS["w"]}))
    assert "not a tensor" in problem(pool, saved({"w": 3.0}))


def test_weights_are_read_from_folders_and_zips(course: tuple[Course, Assignment], tmp_path: Path) -> None:
    content = saved(WEIGHTS)
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "tiny_module.py").write_text(tiny.REFERENCE)
    (tmp_path / "ada" / "best.pt").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "bob.zip", "w") as archive:
        archive.writestr("tiny_module.py", tiny.REFERENCE)
        archive.writestr("best.pt", content)
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / "best.pt").write_bytes(content)
    ada, bob, eve = intake.read_class(tmp_path, course[1]).submissions
    assert ada.files["best.pt"] == bob.files["best.pt"] == content
    assert ada.notes == bob.notes == ()
    assert str(eve.problem).startswith("tiny_module.py is missing. Handed in: best.pt;")


def test_weights_that_are_too_large_are_left_out(course: tuple[Course, Assignment], tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "tiny_module.py").write_text(tiny.REFERENCE)
    with (tmp_path / "ada" / "best.pt").open("wb") as file:
        file.truncate(sizes.MAX_WEIGHTS_BYTES + 1)
    (ada,) = intake.read_class(tmp_path, course[1]).submissions
    assert ada.problem is None
    assert ada.files.keys() == {"tiny_module.py"}
    assert ada.notes == ("best.pt is larger than 10 MB. It was left out.",)


def test_an_assignment_names_weights_that_it_has(course: tuple[Course, Assignment]) -> None:
    file = course[1].file
    text = file.read_text()
    file.write_text(text.replace("best.pt", "other.pt"))
    with pytest.raises(ConfigError, match=r"names other.pt"):
        assignments.load(course[0], "tiny")
    file.write_text(text.replace("best.pt", "../best.pt"))
    with pytest.raises(ConfigError):
        assignments.load(course[0], "tiny")
    file.write_text(text)


def test_a_submission_hashes_its_weights() -> None:
    one = Submission("ada", Path("ada"), {"tiny_module.py": b"", "best.pt": b"x"})
    assert one.hashes.keys() == {"tiny_module.py", "best.pt"}
