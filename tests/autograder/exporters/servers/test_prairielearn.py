"""Questions for PrairieLearn: they keep to its rules, and students get what they have earned."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from autograder.course import Course
from autograder.errors import ConfigError
from autograder.exporters.servers import bundles, on_server, prairielearn
from autograder.exporters.servers.rows import TIME_UP
from autograder.sandbox import kernel
from helpers.submission import packed as handins
from tests.support import bounded, tiny
from tests.support.servers import guides, made
from tests.support.servers import prairielearn as emulator
from tests.support.servers.made import keep_fork_servers
from tests.support.servers.prairielearn import Grade, Question, Refused

pytestmark = pytest.mark.skipif(not kernel.LINUX, reason="servers run Linux")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can take what a container lacks")

IMAGE = 'image = "university/coursegrad:2026"'
MODULE, ZIP = "tiny_module.py", "tiny-submission.zip"
HOSTILE = """
import os, sys
FAKE = '{"score": 1, "gradable": true}'

def cheat():
    print(FAKE)
    for place in ("/grade/results/results.json", "../results/results.json", "results.json"):
        try:
            os.makedirs(os.path.dirname(place) or ".", exist_ok=True)
            with open(place, "w") as file:
                file.write(FAKE)
        except OSError:
            pass

cheat()

def double(x):
    cheat()
    raise ValueError("\\x00\\x1b[2J</pre><script>alert(1)</script>")

class Table:
    def __init__(self):
        cheat()
        os._exit(0)
"""
ASLEEP = "import time\ntime.sleep(3600)\n"
"""No check of it ends before its time on the clock is over."""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return made.write_course(tmp_path_factory.mktemp("prairielearn"), "prairielearn", IMAGE)


@pytest.fixture(scope="module")
def folder(course: Course) -> Path:
    """Return the folder of a question."""
    return made.make(course, "prairielearn")


@pytest.fixture(scope="module")
def question(folder: Path) -> Question:
    return Question(folder)


@pytest.fixture
def run(question: Question, tmp_path: Path) -> Callable[..., Grade]:
    """Return what grades files by the entrypoint, with this interpreter instead of the image's."""

    def run(files: Mapping[str, bytes], *, level: str = "", env: Mapping[str, str] | None = None) -> Grade:
        job = tmp_path / "job"
        job.mkdir()
        return question.grade(
            job, files, level=level, env={"COURSEGRAD_PYTHON": sys.executable} | (env or {})
        )

    return run


Answer = Callable[..., Grade]


@pytest.fixture
def answer(question: Question, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Return what grades as the question does, in this process."""
    keep_fork_servers(monkeypatch)

    def answer(
        files: Mapping[str, bytes],
        *,
        of: Question = question,
        started: float | None = None,
        **settings: object,
    ) -> Grade:
        of.fill(tmp_path, files)
        found = on_server.Bundle(tmp_path / "grade" / "tests" / "bundle")
        found.settings = found.settings.model_copy(update=settings)
        begun = time.monotonic() if started is None else started
        on_server.grade(found, tmp_path, {}, started=begun, write=on_server.write_below(tmp_path))
        return emulator.read(tmp_path, 0, "")

    return answer


# The folder of the question


def test_a_question_is_graded_externally_without_a_network(question: Question) -> None:
    assert (question.info["title"], question.info["topic"]) == ("Tiny", "Programming")
    assert question.options == {
        "image": "university/coursegrad:2026",
        "entrypoint": "/grade/tests/run.sh",
        "timeout": 600,
        "enableNetworking": False,
    }
    assert question.uploads == ["*.zip", "*.py", "*.ipynb"]


def test_the_same_course_gives_the_same_files_and_identity(
    course: Course, folder: Path, tmp_path: Path
) -> None:
    again = {path: file.content for path, file in made.pack(course, "prairielearn").items()}
    assert again == made.files_in(folder)
    other = made.pack(made.write_course(tmp_path, "prairielearn", IMAGE), "prairielearn")
    assert json.loads(other["info.json"].content)["uuid"] != json.loads(again["info.json"])["uuid"]


def test_a_question_holds_neither_the_secret_nor_a_solution(course: Course, folder: Path) -> None:
    held = dict(made.unpack_all(made.files_in(folder)))
    assert "tests/bundle/course/suites/tiny/test_hidden.py" in held
    for name, content in held.items():
        for word in (course.secret(), course.secret().hex().encode(), b"return 2 * x", b"self.rows[name] ="):
            assert word not in content, name


def test_what_goes_to_a_registry_holds_packages_alone(folder: Path) -> None:
    image = made.files_in(folder / "image")
    assert image.keys() == {"Dockerfile", "requirements.txt", "requirements-torch.txt"}
    copied = re.findall(rb"^COPY (.*)$", image["Dockerfile"], re.MULTILINE)
    assert copied == [b"requirements-torch.txt requirements.txt /usr/local/share/coursegrad/"]


# Results


def test_the_reference_gets_every_point(run: Callable[..., Grade]) -> None:
    """A browser that has downloaded the zip before calls it otherwise."""
    grade = run({"tiny-submission (1).zip": handins.pack("tiny", {MODULE: tiny.REFERENCE.encode()})})
    assert (grade.failure, grade.gradable, grade.results.get("score")) == ("", True, 1.0), grade.log
    assert "2 of 2 public checks passed." in grade.results["message"]
    assert "Sandbox: full." in grade.results["message"]
    assert sum(test["points"] for test in grade.results["tests"]) == pytest.approx(10)


@as_root
def test_no_student_writes_the_results(run: Callable[..., Grade]) -> None:
    """As PrairieLearn runs it: as the root of a container, whose folder only that root can enter."""
    grade = run({MODULE: HOSTILE.encode()}, level="container")
    assert (grade.failure, grade.gradable, grade.results.get("score")) == ("", True, 0.0), grade.log
    assert "Sandbox: full." in grade.results["message"]
    shown = json.dumps(grade.results)
    assert "\\u001b" not in shown
    assert "\\u0000" not in shown


@pytest.mark.full
@as_root
@pytest.mark.parametrize("level", ["container", "old-container"])
def test_a_real_assignment_is_graded_in_the_memory_of_a_container(tmp_path: Path, level: str) -> None:
    course = made.copy_course(tmp_path / "course", "knn", "prairielearn", IMAGE)
    question = Question(made.make(course, "prairielearn", "knn"))
    job = tmp_path / "job"
    job.mkdir()
    files = {"knn.py": (made.ROOT / "solutions" / "knn" / "knn.py").read_bytes()}
    with bounded.Memory(job, prairielearn.SERVER.limits.memory_mb << 20) as memory:
        env = {"COURSEGRAD_PYTHON": sys.executable}
        grade = question.grade(job, files, level=level, env=env, memory=memory)
        assert memory.killed() == 0
        assert memory.peak() < prairielearn.SERVER.limits.memory_mb << 20
    assert (grade.failure, grade.results.get("score")) == ("", 1), grade.log


def test_each_check_has_points_and_says_what_is_wrong(answer: Answer) -> None:
    grade = answer({MODULE: made.WRONG.encode()}, hidden="shown")
    assert grade.results["score"] == pytest.approx(0.4)
    assert len(grade.tests) == 5
    check = grade.tests["1.1 Double a tensor: Doubles a small tensor."]
    assert (check["points"], check["max_points"]) == (0, 2.4)
    assert "wrong values" in check["message"]
    assert sum(test["points"] for test in grade.tests.values()) == pytest.approx(4)
    assert sum(test["max_points"] for test in grade.tests.values()) == pytest.approx(10)


@pytest.mark.parametrize("hidden", ["closed", "never"])
def test_hidden_checks_are_one_sum_unless_they_may_be_seen(answer: Answer, hidden: str) -> None:
    grade = answer({MODULE: made.WRONG.encode()}, hidden=hidden)
    assert list(grade.tests) == [
        "1.1 Double a tensor: Doubles a small tensor.",
        "2.1 Keep a table: Keeps what was added.",
        prairielearn.NOT_LISTED,
    ]
    assert "another tensor" not in json.dumps(grade.results)
    rest = grade.tests[prairielearn.NOT_LISTED]
    assert (rest["points"], rest["max_points"]) == (pytest.approx(2), pytest.approx(5.6))
    assert sum(test["points"] for test in grade.tests.values()) == pytest.approx(4)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "tiny_module.py is missing."),
        ({ZIP: b"no zip"}, "not a zip file"),
        ({ZIP: handins.pack("tiny", {"notes.txt": b"nothing else"})}, "tiny_module.py"),
        ({MODULE: made.BROKEN.encode()}, "tiny_module.py"),
        ({MODULE: b"import nowhere\n"}, "nowhere"),
    ],
    ids=["nothing", "no zip", "no module", "no Python", "no import"],
)
def test_what_cannot_run_costs_no_attempt(answer: Answer, files: dict[str, bytes], why: str) -> None:
    grade = answer(files)
    assert (grade.failure, grade.gradable) == ("", False)
    (error,) = grade.results["format_errors"]
    assert why in error


def test_an_untouched_stub_is_graded(answer: Answer) -> None:
    """It runs, and earns nothing: that is no error of form."""
    grade = answer({MODULE: tiny.STUB.encode()})
    assert (grade.gradable, grade.results["score"]) == (True, 0)


def test_when_time_is_up_the_results_say_so(answer: Answer) -> None:
    grade = answer({MODULE: ASLEEP.encode()}, started=time.monotonic() - 10_000)
    assert (grade.gradable, grade.results["score"]) == (True, 0)
    assert grade.results["message"].startswith(TIME_UP)


def test_extra_credit_makes_no_score_above_1(answer: Answer, tmp_path: Path) -> None:
    extra = tiny.ASSIGNMENT.replace("points = 4", "points = 4\nextra = true")
    course = made.write_course(tmp_path / "course", "prairielearn", IMAGE, extra)
    grade = answer({MODULE: tiny.REFERENCE.encode()}, of=Question(made.make(course, "prairielearn")))
    assert grade.results["score"] == 1
    assert sum(test["points"] for test in grade.tests.values()) == pytest.approx(10)


def test_results_stay_below_a_megabyte() -> None:
    row = prairielearn.Row("1.1", "a", "A", "b", "public", False, 0, 1, "ä" * 10_000_000)
    tests = [prairielearn._test(row, prairielearn._MOST_TEXT // 100) for _ in range(100)]
    assert len(json.dumps(tests, ensure_ascii=False).encode()) < emulator.MOST_RESULTS


# What is wrong with the grading machine: the student loses nothing


def test_an_image_without_python_fails_in_one_line(run: Callable[..., Grade], tmp_path: Path) -> None:
    grade = run({MODULE: tiny.REFERENCE.encode()}, env={"COURSEGRAD_PYTHON": str(tmp_path / "none")})
    assert (grade.failure, grade.gradable) == ("Grading failed", False)
    (line,) = grade.log.splitlines()
    assert line.startswith(f"image: has no Python at {tmp_path}/none; build the image again")


def test_a_damaged_bundle_fails_in_one_line(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "question")
    (tmp_path / "question" / "tests" / "bundle" / "manifest.json").write_text("{}")
    job = tmp_path / "job"
    job.mkdir()
    env = {"COURSEGRAD_PYTHON": sys.executable}
    grade = Question(tmp_path / "question").grade(job, {MODULE: tiny.REFERENCE.encode()}, env=env)
    assert grade.failure == "Grading failed"
    (line,) = grade.log.splitlines()
    assert "manifest.json: is damaged, or of another version of the kit; make the bundle again" in line


# What is refused before a bundle is made


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ("", "`servers.prairielearn.image` is ''; expected the name of an image in a registry, such as"),
        (
            f"{IMAGE}\nseconds = 601",
            "`servers.prairielearn.seconds` is 601; expected less than or equal to 600",
        ),
        (f"{IMAGE}\ntopic = ''", "`servers.prairielearn.topic` is ''"),
        (f"{IMAGE}\ntopics = 'x'", "unknown key `servers.prairielearn.topics`"),
    ],
)
def test_settings_that_are_wrong_are_one_line(tmp_path: Path, settings: str, line: str) -> None:
    course = made.write_course(tmp_path, "prairielearn", settings)
    done = made.run("bundle", "tiny", "prairielearn", "--course", course.root)
    assert done.exit_code == 2
    assert line in done.output
    assert done.output.count("\n") == 1
    assert not (tmp_path / "dist").exists()


def test_other_files_in_the_folder_of_the_question_are_left_alone(course: Course, tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text("mine")
    with pytest.raises(ConfigError, match=r"server.py: is in the way of the bundle; remove it, or choose"):
        bundles.write(made.pack(course, "prairielearn"), prairielearn.SERVER, tmp_path)
    assert made.files_in(tmp_path) == {"server.py": b"mine"}


# The guide


@pytest.mark.full
def test_the_commands_of_the_guide_work(course: Course, folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "course"
    shutil.copytree(course.root, own, ignore=shutil.ignore_patterns("dist"))
    (own / ZIP).write_bytes(handins.pack("tiny", {MODULE: tiny.REFERENCE.encode()}))
    (own / "pl-course" / "questions").mkdir(parents=True)
    guide = guides.read("prairielearn")
    assert IMAGE in guide
    printed = guides.run(guide, own, {"knn": "tiny"})
    assert emulator.check_results(json.loads(printed["cat grade/results/results.json"]))["score"] == 1
    assert "docker push university/coursegrad:2026" in printed
    added = Question(own / "pl-course" / "questions" / "tiny")
    assert made.files_in(added.folder) == made.files_in(folder)


def test_the_guide_knows_every_setting() -> None:
    assert guides.settings_of(guides.read("prairielearn")) == set(prairielearn.Settings.model_fields)


# The emulator is as strict as it says


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (("gradingMethood",), "External", "unknown keys in info.json"),
        (("uuid",), "1234", "`uuid` in info.json is '1234'"),
        (("externalGradingOptions", "timeout"), 601, "`timeout` in externalGradingOptions is 601"),
        (("externalGradingOptions", "timeout"), 30.5, "`timeout` in externalGradingOptions is 30.5"),
        (("externalGradingOptions", "timout"), 30, "unknown keys in externalGradingOptions"),
        (("sharePublicly",), True, "`sharePublicly` in info.json is True"),
    ],
)
def test_the_emulator_refuses_settings(
    folder: Path, tmp_path: Path, path: tuple[str, ...], value: object, why: str
) -> None:
    shutil.copytree(folder, tmp_path / "question")
    file = tmp_path / "question" / "info.json"
    info = json.loads(file.read_bytes())
    table = info
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    file.write_text(json.dumps(info))
    with pytest.raises(Refused, match=re.escape(why)):
        Question(tmp_path / "question")


@pytest.mark.parametrize(
    ("results", "why"),
    [
        ({"score": 1.1}, "`score` in results.json is 1.1"),
        ({"score": True}, "`score` in results.json is True"),
        ({"gradable": True}, "score was not provided"),
        ({"gradable": False}, "nobody is told why"),
        ({"gradable": False, "format_errors": ["x"], "score": 1}, "what cannot be graded has points"),
        ({"score": 1, "tests": [{"name": "a", "points": 1}]}, "missing in a test: {'max_points'}"),
        ({"score": 1, "tests": [{"name": "a", "points": 2, "max_points": 1}]}, "earns more than it is worth"),
        ({"score": 1, "test": []}, "unknown keys in results.json"),
    ],
)
def test_the_emulator_refuses_results(results: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=re.escape(why)):
        emulator.check_results(results)
