"""One bad module of several costs its own tasks; packages, newer Python and hostile imports, end to end."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.course import assignment as assignments
from autograder.engine import newer
from autograder.engine.interface import Graded
from autograder.engine.pool import Pool, Sandbox
from autograder.errors import ConfigError
from autograder.intake import Submission
from autograder.release.handout import stubs
from helpers.statuses import Status
from tests.support import pair
from tests.support.command import run_command

PASSED, NOT_RUN, FAILED = Status.passed, Status.not_run, Status.failed


@pytest.fixture(scope="module", params=["full", "none"])
def pool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    course = pair.write(tmp_path_factory.mktemp("course"))
    own = assignments.load(course, "pair")
    with Pool(own, course, jobs=1, sandbox=request.param, stubs=stubs(own)) as pool:
        yield pool


def graded(pool: Pool, files: dict[str, str | bytes], broken: dict[str, str] | None = None) -> Graded:
    content = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    (found,) = pool.grade([Submission("ada", Path("ada"), content, broken=broken or {})])
    return found


def ended(found: Graded) -> dict[str, Status]:
    return {outcome.id.partition("::")[2]: outcome.status for outcome in found.outcomes}


def test_right_work_passes(pool: Pool) -> None:
    found = graded(pool, {"layers.py": pair.LAYERS, "network.py": pair.NETWORK})
    assert set(ended(found).values()) == {PASSED}
    assert found.remarks.notes == ()


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (b"def f(:\n", "layers.py cannot be imported: line 1: SyntaxError: invalid syntax."),
        (
            b"X = 1\nY = '\xe4'\n",
            "layers.py cannot be imported: line 2: SyntaxError: a byte that is not utf-8",
        ),
        (pair.LAYERS.encode() + b"\nx = torch.ones(1)\n", "NameError: name 'torch' is not defined."),
        (b"while True:\n    pass\n", "layers.py cannot be imported: line 1: Your code used up its 1 second"),
        (b"", "layers.py cannot be imported: line 1: SyntaxError: the file is empty."),
    ],
    ids=["syntax", "latin-1", "name", "loop", "empty"],
)
def test_a_bad_module_costs_its_own_tasks(pool: Pool, bad: bytes, says: str) -> None:
    if b"while" in bad and pool.sandbox.level == "none":
        pytest.skip("nothing ends an import without a sandbox")
    found = graded(pool, {"layers.py": bad, "network.py": pair.NETWORK})
    assert ended(found) == {
        "test_forward": NOT_RUN,
        "test_size": PASSED,
        "test_run": NOT_RUN,
        "test_rules": PASSED,
    }
    feedback = next(outcome.feedback for outcome in found.outcomes if outcome.status is NOT_RUN)
    assert feedback is not None
    assert says in feedback.summary
    (note,) = found.remarks.notes
    assert note.startswith(feedback.summary)
    assert "the others were graded" in note


def test_a_bad_module_is_told_on_the_page_and_in_the_gradebook(tmp_path: Path) -> None:
    pair.write(tmp_path / "course")
    folder = tmp_path / "class" / "ada"
    folder.mkdir(parents=True)
    (folder / "layers.py").write_text("def f(:\n")
    (folder / "network.py").write_text(pair.NETWORK)
    words = ["grade", "pair", folder.parent, "--output", tmp_path / "graded", "--course", tmp_path / "course"]
    done = run_command(words)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "graded" / "feedback" / "ada.html").read_text(encoding="utf-8")
    told = "layers.py cannot be imported: line 1: SyntaxError: invalid syntax."
    assert f"{told} Checks that need it earn no points; the others were graded." in page
    (row,) = csv.DictReader((tmp_path / "graded" / "grades.csv").read_text(encoding="utf-8").splitlines())
    assert (row["layer"], row["net"]) == ("0", "2.6667")
    assert told in row["notes"]


def test_a_module_that_is_missing_costs_its_own_tasks(pool: Pool) -> None:
    found = graded(pool, {"layers.py": pair.LAYERS}, broken={"network.py": "network.py is missing."})
    assert ended(found)["test_forward"] is PASSED
    assert {ended(found)[name] for name in ("test_size", "test_run")} == {NOT_RUN}
    assert "network.py is missing" in found.remarks.notes[0]


def test_the_one_that_is_imported_is_to_blame_and_not_the_one_that_imports_it(pool: Pool) -> None:
    found = graded(
        pool, {"layers.py": "import nets.deep\n", "nets/deep.py": "1 / 0\n", "network.py": pair.NETWORK}
    )
    assert ended(found)["test_size"] is PASSED
    assert found.remarks.notes[0].startswith(
        "layers.py cannot be imported: nets/deep.py, line 1: ZeroDivision"
    )


def test_all_bad_is_nothing_to_grade(pool: Pool) -> None:
    found = graded(pool, {"layers.py": "1 / 0\n", "network.py": "def f(:\n"})
    assert set(ended(found).values()) == {NOT_RUN}


@pytest.mark.parametrize("inherits", [True, False])
def test_a_loop_in_a_file_beside_the_module_counts_and_one_of_another_task_does_not(
    pool: Pool, inherits: bool
) -> None:
    own = pair.NETWORK.replace("return Layer().forward(x)", "return looped(x)")
    beside = {"deep.py": "def looped(x):\n    return [2 * one for one in x]\n"}
    if inherits:
        own = "from deep import looped\n" + own
    else:
        own, beside = own.replace("looped(x)", "layers.looped(x)"), {}
        own = "import layers\n" + own
    layers = pair.LAYERS + "\n\ndef looped(x):\n    return [2 * one for one in x]\n"
    found = graded(pool, {"layers.py": layers, "network.py": own, **beside})
    assert ended(found) == {
        "test_forward": PASSED,
        "test_size": PASSED,
        "test_run": PASSED,
        "test_rules": FAILED,
    }
    feedback = next(one.feedback for one in found.outcomes if one.status is FAILED)
    assert feedback is not None
    assert feedback.first_wrong is not None
    assert ("deep.py, line 2" if inherits else "layers.py, line") in feedback.first_wrong


NEWER = [
    'NAME = f"{"a"}"\n',
    "type Numbers = list[int]\n",
    "def first[T](x: list[T]) -> T:\n    return x[0]\n",
]


@pytest.mark.parametrize("source", NEWER)
@pytest.mark.skipif(not newer.find_pythons(), reason="no newer Python is installed here")
def test_a_newer_python_is_asked(pool: Pool, source: str) -> None:
    found = graded(pool, {"layers.py": source + pair.LAYERS, "network.py": pair.NETWORK})
    assert found.remarks.needs_python == next(iter(newer.find_pythons()))
    assert "and Python 3." in found.remarks.notes[-1]


@pytest.mark.parametrize("source", NEWER)
def test_without_one_a_line_that_looks_like_it_is_put_before_the_instructor(
    pool: Pool, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from helpers.submission.problems import Problem

    monkeypatch.setattr(newer, "find_pythons", dict)
    problem = Problem("layers.py", "SyntaxError: invalid syntax", "layers.py", 1, source.split("\n")[0])
    assert newer.find_python(source.encode(), problem) == newer.NEWER
    other = Problem("layers.py", "SyntaxError: invalid syntax", "layers.py", 1, "def f(:")
    assert newer.find_python(b"def f(:", other) == ""


def test_what_no_python_understands_waits_for_nobody(pool: Pool) -> None:
    found = graded(pool, {"layers.py": "def f(:\n", "network.py": pair.NETWORK})
    assert found.remarks.needs_python == ""


def test_a_package_that_the_course_names_and_the_grader_lacks_stops_grading(tmp_path: Path) -> None:
    course = pair.write(tmp_path, 'packages = ["torch", "no-such-package", "scikit-learn"]\n')
    assert course.importable == ("torch", "no_such_package", "sklearn")
    with pytest.raises(ConfigError, match=r"pip install no_such_package") as caught:
        course.require_packages()
    assert caught.value.where.endswith("course.toml")
    pair.write(tmp_path, 'packages = ["torch"]\n').require_packages()


@pytest.mark.parametrize("sandbox", ["full", "none"])
def test_a_course_says_what_stands_for_modules_of_other_kits(tmp_path: Path, sandbox: Sandbox) -> None:
    course = pair.write(tmp_path, '[imports]\nmine = "a3_helper"\n')
    own = assignments.load(course, "pair")
    source = "from mine import softmax_loss\nimport eecs598\neecs598.reset_seed(1)\n"
    with Pool(own, course, jobs=1, sandbox=sandbox, stubs=stubs(own)) as pool:
        found = graded(pool, {"layers.py": source + pair.LAYERS, "network.py": pair.NETWORK})
    assert set(ended(found).values()) == {PASSED}, found
