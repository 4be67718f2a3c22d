"""Grading gives the same again, whatever runs beside it; and another course has other inputs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from autograder.engine.pool import Pool
from tests.support import tiny

ROOT = Path(__file__).parents[3]
TELLING = '''
import pytest
import torch

import tiny_module
from autograder.course.hidden_generators import hidden_generator


@pytest.mark.task("double")
def test_telling():
    """Hands in hidden numbers."""
    tiny_module.double(torch.rand(4, generator=hidden_generator("tiny", "telling")))


@pytest.mark.task("table")
def test_table():
    """Keeps what was added."""
    tiny_module.Table().add("a", 1)
'''


@contextmanager
def load(count: int) -> Iterator[None]:
    """Keep cores busy meanwhile."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def graded(folder: Path, name: str, submissions: Path, course: Path, jobs: int) -> dict[str, Any]:
    """Grade a class by the command line; return results and pages without what measures time."""
    output = folder / f"jobs-{jobs}"
    words = ["grade", name, str(submissions), "-o", str(output), "-j", str(jobs), "--course", str(course)]
    subprocess.run([sys.executable, "-m", "autograder", *words], check=True, capture_output=True)
    results = {}
    for path in sorted((output / "results").iterdir()):
        result = json.loads(path.read_text())
        del result["seconds"]
        for test in result["tests"]:
            del test["cpu_seconds"]
        results[path.stem] = result
    pages = {path.name: path.read_bytes() for path in sorted((output / "feedback").iterdir())}
    return {"results": results, "pages": pages, "grades": (output / "grades.csv").read_bytes()}


def require_the_same(folder: Path, name: str, submissions: Path, course: Path) -> None:
    first = graded(folder, name, submissions, course, 1)
    assert list(differences(first, graded(folder, name, submissions, course, 2))) == []
    with load(2):
        assert list(differences(first, graded(folder, name, submissions, course, 4))) == []


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Yield where two nested values differ."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from differences(one[key], other[key], f"{path}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, two in enumerate(zip(one, other, strict=True)):
            yield from differences(*two, f"{path}/{number}")
    elif one != other:
        yield f"{path}: {str(one)[:200]} is not {str(other)[:200]}"


def test_workers_and_load_change_nothing(tmp_path: Path) -> None:
    tiny.write_course(tmp_path / "course")
    sources = {
        "right": tiny.REFERENCE,
        "wrong": tiny.REFERENCE.replace("2 * x", "3 * x"),
        "raises": tiny.REFERENCE.replace("return 2 * x", "return {}[str(x)]"),
        "stub": tiny.STUB,
        "exits": tiny.REFERENCE.replace("return 2 * x", "__import__('os')._exit(3)"),
        "prints": tiny.REFERENCE.replace(
            "return 2 * x", "print(hash('x'), sorted({'a', 'b'}))\n    return x"
        ),
        "random": "import random, torch\n" + tiny.REFERENCE.replace("2 * x", "x * random.choice([2, 3])"),
    }
    for name, source in sources.items():
        path = tmp_path / "class" / name / "tiny_module.py"
        path.parent.mkdir(parents=True)
        path.write_text(source)
    require_the_same(tmp_path, "tiny", tmp_path / "class", tmp_path / "course")


@pytest.mark.full
def test_workers_and_load_change_nothing_for_knn(tmp_path: Path) -> None:
    for student in sorted((ROOT / "examples" / "submissions" / "knn").iterdir())[::2]:
        shutil.copytree(student, tmp_path / "class" / student.name)
    require_the_same(tmp_path, "knn", tmp_path / "class", ROOT)


def hidden_numbers(folder: Path) -> str:
    """Return what a submission prints that prints its hidden inputs."""
    course, assignment = tiny.write_course(folder, public=TELLING, hidden="")
    spy = tiny.submission(tiny.REFERENCE.replace("return 2 * x", "print(x.tolist())\n    return x"))
    with Pool(assignment, course, jobs=1, sandbox="full") as pool:
        (found,) = pool.grade([spy])
    output = next(one.output for one in found.outcomes if one.id.endswith("test_telling"))
    assert re.fullmatch(r"\[(0\.\d+(, )?){4}\]\n", output), output
    return output


def test_another_secret_gives_other_inputs_and_the_same_secret_the_same(tmp_path: Path) -> None:
    first = hidden_numbers(tmp_path / "one")
    assert hidden_numbers(tmp_path / "one") == first
    assert hidden_numbers(tmp_path / "two") != first
