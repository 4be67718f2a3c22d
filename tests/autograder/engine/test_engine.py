"""The engine end to end on a tiny course: honest, broken and hostile submissions."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.engine.interface import Graded
from autograder.engine.pool import Pool
from autograder.errors import EngineError, SuiteError
from autograder.graded.results import Provenance, SubmissionResult
from autograder.intake import Submission
from autograder.scoring import score
from benchmarks.processes import by_role, census
from helpers.statuses import Status
from tests.support import tiny
from tests.support.waiting import until

MODES = ["full", "none"]
PROVENANCE = Provenance(kit="", suite="", python="", torch="", numpy="", machine="", secret="", limits={})


def replaced(body: str) -> Submission:
    """Return the reference with another body of `double`."""
    return tiny.submission(tiny.REFERENCE.replace("return 2 * x", body))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, Assignment]:
    return tiny.write_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def pool(course: tuple[Course, Assignment]) -> Iterator[Pool]:
    with Pool(course[1], course[0], jobs=1, sandbox="full") as pool:
        yield pool


@pytest.fixture(scope="module", params=MODES)
def either_pool(request: pytest.FixtureRequest, course: tuple[Course, Assignment]) -> Iterator[Pool]:
    with Pool(course[1], course[0], jobs=2, sandbox=request.param) as pool:
        yield pool


def graded(pool: Pool, submission: Submission) -> Graded:
    (result,) = pool.grade([submission])
    return result


def scored(pool: Pool, assignment: Assignment, submission: Submission) -> SubmissionResult:
    found = graded(pool, submission)
    return score(
        assignment, pool.plan, submission, found.outcomes, sandbox=pool.sandbox, provenance=PROVENANCE
    )


def statuses(found: Graded) -> dict[str, Status]:
    return {outcome.id.partition("::")[2]: outcome.status for outcome in found.outcomes}


def test_the_reference_earns_everything_and_the_stub_nothing(
    either_pool: Pool, course: tuple[Course, Assignment]
) -> None:
    reference = scored(either_pool, course[1], tiny.submission(tiny.REFERENCE))
    assert (reference.score, reference.max_score) == (10, 10)
    stub = scored(either_pool, course[1], tiny.submission(tiny.STUB))
    assert (stub.score, stub.max_score) == (0, 10)
    assert {test.feedback.summary for test in stub.tests if test.feedback} == {
        "Not implemented yet.",
        "Not judged: it counts once half of the points for right values in this task are earned.",
    }


def test_the_plan_is_known_before_any_submission(pool: Pool) -> None:
    assert [(test.task, test.tier, test.kind, test.weight) for test in pool.plan] == [
        ("double", "public", "value", 2),
        ("table", "public", "value", 1),
        ("double", "hidden", "value", 2),
        ("double", "hidden", "constraint", 1),
        ("table", "hidden", "value", 1),
    ]
    assert pool.plan[0].title == "Doubles a small tensor."
    assert set(pool.versions) == {"python", "torch", "numpy"}


def test_a_broken_constraint_costs_its_own_points_only(
    either_pool: Pool, course: tuple[Course, Assignment]
) -> None:
    body = "if x.dim() > 1: return 2 * x\n    return x.new_tensor([2 * float(v) for v in x])"
    found = scored(either_pool, course[1], replaced(body))
    failed = [test for test in found.tests if test.status is not Status.passed]
    assert [test.id for test in failed] == ["test_hidden.py::test_no_loop"]
    assert found.score == pytest.approx(10 - 6 / 5)


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ("open('notes.txt', 'w').write('2')", "neither write files nor read yours"),
        ("open('data.npy').read()", "neither write files nor read yours"),
        ("__import__('torch').save(x, 'kept/x.pt')", "neither write files nor read yours"),
        ("__import__('os').fork()", "no process and reach no network"),
        ("__import__('subprocess').run(['true'])", "no process and reach no network"),
        ("__import__('socket').create_connection(('127.0.0.1', 9))", "no process and reach no network"),
    ],
)
def test_what_a_graded_function_cannot_do_is_named(pool: Pool, body: str, cause: str) -> None:
    found = graded(pool, replaced(f"{body}\n    return 2 * x"))
    first = found.outcomes[0]
    assert first.status is Status.raised
    assert first.feedback is not None
    assert cause in (first.feedback.likely_cause or ""), first.feedback


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ("while True: pass", Status.timeout, "CPU time"),
        ("import torch; return torch.zeros(10**10)", Status.memory, "ran out of memory"),
        ("return [0] * 10**10", Status.memory, "ran out of memory"),
        ("import ctypes; ctypes.string_at(0)", Status.crashed, "signal 11"),
        ("import os; os._exit(0)", Status.crashed, "exit status 0"),
        ("import sys; sys.exit(0)", Status.raised, "SystemExit"),
        ("raise KeyboardInterrupt", Status.raised, "KeyboardInterrupt"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", Status.crashed, "signal 15"),
        ("x.hidden()", Status.raised, "AttributeError"),
        ("return 2 * x + float('nan')", Status.failed, ""),
        ("return x.double() * 2", Status.failed, ""),
        ("return None", Status.failed, ""),
        ("import torch.nn as nn; return nn.Parameter(2 * x)", Status.failed, "checks cannot accept"),
    ],
)
def test_misbehavior_costs_the_tests_that_meet_it_and_no_other(
    pool: Pool, body: str, status: Status, word: str
) -> None:
    found = graded(pool, replaced(body))
    assert found.note is None
    assert statuses(found) == {
        "test_double": status,
        "test_double_hidden": status,
        "test_no_loop": found.outcomes[3].status,
        "test_table": Status.passed,
        "test_table_hidden": Status.passed,
    }
    assert found.outcomes[3].status is not Status.passed or status is Status.failed
    assert found.outcomes[0].feedback is not None
    assert word in found.outcomes[0].feedback.summary


def test_a_flood_of_output_is_dropped_and_costs_nothing(pool: Pool) -> None:
    body = "[print('x' * 1000) for _ in range(20_000)] if x.dim() == 1 else 0\n    return 2 * x"
    found = graded(pool, replaced(body))
    assert statuses(found)["test_double"] is Status.passed
    assert len(found.outcomes[0].output) < 70_000
    assert "more bytes were dropped" in found.outcomes[0].output


def test_printing_reaches_the_instructor_only(either_pool: Pool) -> None:
    found = graded(either_pool, replaced("print('debug', x)\n    return x"))
    assert "debug" in found.outcomes[0].output
    assert found.outcomes[0].feedback is not None
    assert "debug" not in found.outcomes[0].feedback.model_dump_json()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def double(x:", ("tiny_module.py, line 1", "SyntaxError")),
        ("import torch\nimport no_such_module_at_all\n", ("line 2", "ModuleNotFoundError")),
        ("raise SystemExit(0)", ("line 1", "SystemExit")),
        ("import os; os._exit(0)", ("exit status 0",)),
        ("while True: pass", ("CPU time",)),
        ("x = " + "(" * 100_000, ("could not be imported",)),
        ("x = '\x00'", ("could not be imported",)),
        ("import ctypes; ctypes.string_at(0)", ("signal 11",)),
    ],
    ids=["syntax", "import", "exit", "_exit", "loop", "deep", "null", "segv"],
)
def test_a_file_that_cannot_be_imported_fails_every_test_at_once(
    pool: Pool, source: str, words: tuple[str, ...]
) -> None:
    found = graded(pool, tiny.submission(source))
    assert {outcome.status for outcome in found.outcomes} == {Status.not_run}
    assert len(found.outcomes) == len(pool.plan)
    assert found.outcomes[0].feedback is not None
    for word in words:
        assert word in found.outcomes[0].feedback.summary


def test_hidden_values_and_student_text_stay_out_of_hidden_feedback(pool: Pool) -> None:
    bodies = [
        "raise ValueError(f'{x.tolist()}')",
        "raise type('E' + str(int(x.flatten()[0])), (Exception,), {})",
        "return x.new_empty((0, int(x.flatten()[0])))",
        "return 3 * x",
        "print(x.tolist()); return str(x.tolist())",
    ]
    for body in bodies:
        found = graded(pool, replaced(body))
        shown = [outcome.feedback.model_dump_json() for outcome in found.outcomes[2:4] if outcome.feedback]
        assert shown
        for canary in ("31337", "4242", "62674", "94011"):
            assert canary not in "".join(shown)


def test_a_byte_order_mark_and_foreign_line_ends_are_no_mistake(either_pool: Pool) -> None:
    source = "\ufeff" + tiny.REFERENCE.replace("\n", "\r\n")
    assert {o.status for o in graded(either_pool, tiny.submission(source)).outcomes} == {Status.passed}


def test_student_code_may_import_the_helpers_of_the_notebooks(pool: Pool) -> None:
    found = graded(
        pool,
        tiny.submission(
            "from helpers.training import gradients; from helpers.testing import checks\n" + tiny.REFERENCE
        ),
    )
    assert {outcome.status for outcome in found.outcomes} == {Status.passed}


def test_the_kit_is_the_installed_one_where_the_current_folder_holds_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course, assignment = tiny.write_course(tmp_path)
    for package in ("autograder", "helpers"):
        (tmp_path / package).mkdir(exist_ok=True)
        (tmp_path / package / "__init__.py").write_text("raise ImportError('another kit')\n")
    monkeypatch.chdir(tmp_path)
    with Pool(assignment, course, jobs=1, sandbox="full") as pool:
        found = graded(pool, tiny.submission("import helpers.training.layers\n" + tiny.REFERENCE))
    assert {outcome.status for outcome in found.outcomes} == {Status.passed}


def test_another_kit_than_the_installed_one_is_refused_before_grading(
    course: tuple[Course, Assignment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "autograder"
    other.mkdir()
    monkeypatch.setattr("autograder.__path__", [str(other)])
    with (
        pytest.raises(EngineError, match=f"is not the installed kit.*pip install -e {tmp_path}"),
        Pool(course[1], course[0], jobs=1, sandbox="full"),
    ):
        pass


def test_a_worker_holds_no_module_of_the_grader(pool: Pool) -> None:
    body = "import sys; print(sorted(sys.modules)); return 2 * x"
    modules = set(ast.literal_eval(graded(pool, replaced(body)).outcomes[0].output))
    ours = {name for name in modules if name.startswith("autograder.") and "sandbox" not in name}
    assert ours == {
        "autograder.engine",
        "autograder.engine.tracebacks",
        "autograder.engine.forkserver",
        "autograder.engine.pages",
        "autograder.engine.preload",
        "autograder.engine.wire",
        "autograder.engine.wire.decoder",
        "autograder.engine.wire.encoder",
        "autograder.engine.wire.frames",
        "autograder.engine.wire.items",
        "autograder.engine.wire.values",
        "autograder.engine.worker",
        "autograder.errors",
    }
    assert not modules & {"pytest", "_pytest", "pydantic", "typer", "jinja2"}


def test_every_test_gets_a_fresh_worker(pool: Pool) -> None:
    source = tiny.REFERENCE + "\nCALLS = []\n"
    source = source.replace("return 2 * x", "CALLS.append(1)\n    return 2 * x if len(CALLS) == 1 else x")
    found = statuses(graded(pool, tiny.submission(source)))
    assert found["test_double"] is found["test_double_hidden"] is Status.passed


def test_random_numbers_are_the_same_on_a_regrade_and_for_everybody(pool: Pool) -> None:
    source = tiny.REFERENCE.replace(
        "return 2 * x",
        "import random, torch, numpy\n"
        "    print(random.random(), torch.rand(1).item(), numpy.random.rand())\n"
        "    print(hash('a'), list({'a', 'b', 'c'}))\n"
        "    return 2 * x",
    )
    first, second = (graded(pool, tiny.submission(source, name)) for name in ("ada", "bob"))
    assert [o.output for o in first.outcomes] == [o.output for o in second.outcomes]
    assert first.outcomes[0].output.strip()


def test_submissions_come_back_as_they_end_and_all_of_them(course: tuple[Course, Assignment]) -> None:
    slow = replaced("import time; time.sleep(0.3); return 2 * x")
    submissions = [slow, *(tiny.submission(tiny.REFERENCE, f"s{n}") for n in range(6))]
    with Pool(course[1], course[0], jobs=2, sandbox="full") as pool:
        order = [found.submission.student for found in pool.grade(submissions)]
    assert sorted(order) == sorted(s.student for s in submissions)
    assert order[0] != slow.student


@pytest.mark.parametrize(
    ("public", "words"),
    [
        ("import no_such_module_at_all\n", "test_public.py, line 1: ModuleNotFoundError"),
        ("def broken(:\n", "test_public.py, line 1: SyntaxError"),
        (tiny.PUBLIC.replace('@pytest.mark.task("table")\n', ""), "test_public.py::test_table: no task"),
        (tiny.PUBLIC.replace('"table"', '"chair"'), "unknown task 'chair'"),
        (tiny.PUBLIC.replace('    """Keeps what was added."""\n', ""), "no docstring"),
        (tiny.PUBLIC.replace("weight=2", "points=2"), "malformed task marker"),
        (tiny.PUBLIC.replace("weight=2", "weight=-2"), "weight is -2"),
        (tiny.PUBLIC + "\ntiny_module.double(1)\n", "outside a test"),
        (tiny.PUBLIC.replace('("table")', '("table")\n@pytest.mark.limits(seconds=3)'), "malformed limits"),
    ],
)
def test_a_suite_with_an_error_is_one_clear_line(tmp_path: Path, public: str, words: str) -> None:
    course, assignment = tiny.write_course(tmp_path, public=public)
    with pytest.raises(SuiteError) as caught, Pool(assignment, course, jobs=1, sandbox="none"):
        pass
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("victim", ["zygote", "grading child"])
def test_a_submission_whose_process_dies_is_graded_again(
    course: tuple[Course, Assignment], victim: str
) -> None:
    slow = tiny.submission("import time\ntime.sleep(0.4)\n" + tiny.REFERENCE)
    with Pool(course[1], course[0], jobs=1, sandbox="full") as pool:

        def kill() -> None:
            until(lambda: by_role(os.getpid())["grading child"], "the submission is being graded")
            for pid in by_role(os.getpid())[victim]:
                os.kill(pid, signal.SIGKILL)

        thread = threading.Thread(target=kill)
        thread.start()
        found = graded(pool, slow)
        thread.join()
    assert found.note is None
    assert {outcome.status for outcome in found.outcomes} == {Status.passed}


def test_the_end_of_the_host_is_one_clear_line(course: tuple[Course, Assignment]) -> None:
    slow = tiny.submission("import time\ntime.sleep(0.4)\n" + tiny.REFERENCE)
    with Pool(course[1], course[0], jobs=1, sandbox="full") as pool:

        def kill() -> None:
            until(lambda: by_role(os.getpid())["grading child"], "the submission is being graded")
            os.kill(pool.pid, signal.SIGKILL)

        thread = threading.Thread(target=kill)
        thread.start()
        with pytest.raises(EngineError, match="was killed by signal 9"):
            graded(pool, slow)
        thread.join()


def test_warnings_about_what_a_submission_returned_stay_out_of_the_terminal(tmp_path: Path) -> None:
    hidden = tiny.HIDDEN + (
        '\n\n@pytest.mark.task("double")\ndef test_transposed():\n    """Can be transposed."""\n'
        "    import warnings\n    warnings.warn('about the suite')\n    tiny_module.double(torch.ones(3)).T\n"
    )
    tiny.write_course(tmp_path, hidden=hidden)
    file = tmp_path / "tiny_module.py"
    file.write_text(tiny.REFERENCE)
    words = [sys.executable, "-m", "autograder", "check", str(file), "--course", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Warning" not in done.stdout


def settled() -> tuple[int, int]:
    """Count the processes and descriptors of the engine, once neither changes any more."""
    readings = [(0, -number) for number in range(5)]
    while len(set(readings[-5:])) > 1:
        time.sleep(0.05)
        now = census(os.getpid())
        readings.append((now.processes, now.descriptors))
    return readings[-1]


def test_nothing_is_left_behind(course: tuple[Course, Assignment], pool: Pool) -> None:
    """Of a pool nothing is left; what forks the next one's processes stays as it was."""
    graded(pool, tiny.submission(tiny.REFERENCE))
    descriptors, before = set(Path("/proc/self/fd").iterdir()), settled()
    with Pool(course[1], course[0], jobs=2, sandbox="full") as own:
        for _ in own.grade([tiny.submission(tiny.REFERENCE), replaced("while True: pass")]):
            pass
        assert census(os.getpid()).processes > before[0]
    assert set(Path("/proc/self/fd").iterdir()) == descriptors
    assert settled() == before
