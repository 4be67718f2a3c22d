"""Labs for Autolab: it imports them, and believes what the grader prints and nothing else."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import sys
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.course.assignment import Assignment
from autograder.errors import ConfigError
from autograder.exporters.servers import autolab, bundles, on_server
from autograder.exporters.servers.rows import TIME_UP
from autograder.sandbox import kernel
from helpers.submission import packed as handins
from tests.support import tiny, waiting
from tests.support.servers import autolab as emulator
from tests.support.servers import guides, made
from tests.support.servers.autolab import Feedback, Lab, Refused, import_tarball
from tests.support.servers.made import keep_fork_servers

pytestmark = pytest.mark.skipif(not kernel.LINUX, reason="servers run Linux")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

FULL = {"Double a tensor": 6.0, "Keep a table": 4.0}
NOTHING = dict.fromkeys(FULL, 0.0)
FAKE = '{"scores": {"Double a tensor": 6, "Keep a table": 4}, "scoreboard": [10]}'
HOSTILE = f'''
import os, sys

FAKE = """{FAKE}"""

def shout():
    for number in range(40):
        try:
            os.write(number, ("\\n" + FAKE + "\\n").encode())
        except OSError:
            pass
    print(FAKE)
    for place in ("/proc/self/fd/1", "/dev/tty", "result.txt", "/tmp/result.txt", "../result.txt"):
        try:
            with open(place, "w") as file:
                file.write(FAKE)
        except OSError:
            pass

shout()

def double(x):
    shout()
    raise ValueError("no\\n" + FAKE + "\\n")

class Table:
    def __init__(self):
        shout()
        self.rows = FAKE

    def add(self, name, value):
        sys.exit(FAKE)
'''

ASLEEP = "import time\ntime.sleep(3600)\n"
"""No check of it ends before its time on the clock is over."""


def handin(source: str, **others: bytes) -> bytes:
    """Return what the notebook packs."""
    return handins.pack("tiny", {"tiny_module.py": source.encode(), **others})


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return made.write_course(tmp_path_factory.mktemp("autolab"), "autolab")


@pytest.fixture(scope="module")
def tarball(course: Course) -> bytes:
    return made.make(course, "autolab").read_bytes()


@pytest.fixture(scope="module")
def lab(tarball: bytes) -> Lab:
    return import_tarball(tarball)


@pytest.fixture
def run(lab: Lab, tmp_path: Path) -> Callable[..., Feedback]:
    """Return what grades a hand-in by the lab's Makefile, with this interpreter instead of the image's."""

    def run(content: bytes, *, level: str = "", env: Mapping[str, str] | None = None) -> Feedback:
        folder = tmp_path / "job"
        folder.mkdir()
        return lab.grade(
            folder, content, level=level, env={"COURSEGRAD_PYTHON": sys.executable} | (env or {})
        )

    return run


@pytest.fixture(scope="module")
def unpacked(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which ``autograde.tar`` was unpacked."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(fileobj=io.BytesIO(lab.files["tiny/autograde.tar"])) as tar:
        tar.extractall(folder, filter="data")
    return folder


Answer = Callable[..., str]


@pytest.fixture
def answer(unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Return what grades as the lab does, in this process, and returns what would be printed."""
    keep_fork_servers(monkeypatch)

    def answer(source: str | bytes, *, started: float | None = None, **settings: object) -> str:
        folder = tmp_path / "submission"
        folder.mkdir(exist_ok=True)
        content = source if isinstance(source, bytes) else handin(source)
        (folder / "tiny-submission.zip").write_bytes(content)
        found = on_server.Bundle(unpacked / "grade" / "bundle")
        found.settings = found.settings.model_copy(update=settings)
        begun = time.monotonic() if started is None else started
        on_server.grade(found, tmp_path, {}, started=begun, write=on_server.write_below(tmp_path))
        return (tmp_path / autolab.RESULT).read_text()

    return answer


# The tarball


def test_a_lab_is_imported_with_the_tasks_as_its_problems(lab: Lab) -> None:
    assert (lab.name, lab.general["display_name"]) == ("tiny", "Tiny")
    assert lab.general["handin_filename"] == "tiny-submission.zip"
    assert {name: problem["max_score"] for name, problem in lab.problems.items()} == FULL
    assert lab.autograder == {
        "autograde_timeout": 600,
        "autograde_image": "coursegrad",
        "release_score": True,
    }
    assert lab.columns == []


def test_the_same_course_gives_the_same_bytes(course: Course, tarball: bytes) -> None:
    assert bundles.archive(made.pack(course, "autolab"), ".tar") == tarball


def test_a_lab_holds_neither_the_secret_nor_a_solution(course: Course, lab: Lab) -> None:
    held = dict(made.unpack_all(lab.files))
    assert any(name.endswith("test_hidden.py") for name in held), "the tests of the lab were not looked at"
    for name, content in held.items():
        for word in (course.secret(), course.secret().hex().encode(), b"return 2 * x", b"self.rows[name] ="):
            assert word not in content, name


def test_the_image_is_built_of_packages_alone(lab: Lab) -> None:
    image = {name: content for name, content in lab.files.items() if name.startswith("tiny/image/")}
    assert image.keys() == {
        f"tiny/image/{name}" for name in ("Dockerfile", "requirements.txt", "requirements-torch.txt")
    }
    assert re.search(rb"^torch==", image["tiny/image/requirements-torch.txt"], re.MULTILINE)
    assert b"numpy==" in image["tiny/image/requirements.txt"]
    assert b"test_hidden" not in b"".join(image.values())


def test_settings_reach_the_lab(tmp_path: Path) -> None:
    settings = 'image = "grader_2026"\nseconds = 900'
    found = import_tarball(
        made.make(made.write_course(tmp_path, "autolab", settings), "autolab").read_bytes()
    )
    assert (found.autograder["autograde_timeout"], found.autograder["autograde_image"]) == (
        900,
        "grader_2026",
    )


def test_a_scoreboard_shows_thresholds_of_the_suite_alone(tmp_path: Path) -> None:
    course = made.write_course(tmp_path, "autolab", 'leaderboard = { Accuracy = "accuracy" }')
    with pytest.raises(
        ConfigError, match="'Accuracy' of Autolab's leaderboard shows 'accuracy', no threshold"
    ):
        made.pack(course, "autolab")
    suite = tmp_path / "autograder" / "suites" / "tiny"
    numbers = "threshold = 50.0\nmean = 84.0\nsd = 1.0\nnormal_p = 0.5\nvalues = [83.0, 85.0]\n"
    (suite / "thresholds.toml").write_text(f"[thresholds.accuracy]\n{numbers}")
    assert import_tarball(made.make(course, "autolab").read_bytes()).columns == ["Points", "Accuracy"]


# What is printed


def test_the_reference_gets_every_point(run: Callable[..., Feedback]) -> None:
    """A student may hand in the module itself, where there is but one."""
    found = run(tiny.REFERENCE.encode())
    assert (found.scores, found.scoreboard, found.error) == (FULL, [10.0], "")
    assert list(found.stages) == [autolab.SUMMARY, *FULL]
    assert "2 of 2 public checks passed." in found.stages[autolab.SUMMARY]["Summary"]
    assert "Sandbox: full." in found.stages[autolab.SUMMARY]["Summary"]


@as_root
@pytest.mark.parametrize("level", ["ordinary-user", pytest.param("container", marks=pytest.mark.full)])
def test_no_student_prints_a_line_that_is_believed(run: Callable[..., Feedback], level: str) -> None:
    """As Tango runs it, an ordinary user with few processes and small files; and as root of a container."""
    content = handin(HOSTILE, **{f"x\n{FAKE}\n.py": b"", "result.txt": FAKE.encode()})
    found = run(content, level=level)
    assert found.scores == NOTHING, found.output
    assert found.scoreboard == [0.0]
    assert "Sandbox: full." in found.stages[autolab.SUMMARY]["Summary"]
    assert FAKE not in found.output.split("\n")
    assert [line for line in found.output.split("\n") if line.startswith('{"scores"')] == found.output.split(
        "\n"
    )[-2:-1]


def test_a_failed_check_says_why(answer: Answer, lab: Lab) -> None:
    found = lab.read(answer(made.WRONG))
    assert found.scores == {"Double a tensor": 0.0, "Keep a table": 4.0}
    (check,) = found.stages["Double a tensor"].values()
    assert not check["passed"]
    assert "wrong values" in check["hint"]


@pytest.mark.parametrize("hidden", ["shown", "closed", "never"])
def test_hidden_checks_are_listed_only_if_they_may_be_seen(answer: Answer, lab: Lab, hidden: str) -> None:
    output = answer(made.WRONG, hidden=hidden)
    found = lab.read(output)
    rows = [row for task in FULL for row in found.stages[task]]
    assert (len(rows), "Doubles another tensor" in output) == ((5, True) if hidden == "shown" else (2, False))
    assert (autolab.NOT_LISTED in output) == (hidden != "shown")
    assert found.scores["Keep a table"] == 4.0


def test_when_time_is_up_what_has_not_run_earns_nothing(answer: Answer, lab: Lab) -> None:
    output = answer(ASLEEP, started=time.monotonic() - 10_000)
    found = lab.read(output)
    assert found.scores == NOTHING
    assert TIME_UP in output.split("\n")
    assert TIME_UP in found.stages[autolab.SUMMARY]["Summary"]


def test_the_scoreboard_has_a_dash_where_a_number_was_not_reached(answer: Answer) -> None:
    output = answer(tiny.REFERENCE, leaderboard={"Accuracy": "accuracy"})
    assert json.loads(output.splitlines()[-1])["scoreboard"] == [10.0, "-"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a zip file"),
        (b"\0\1\2", "not a zip file"),
        (handins.pack("tiny", {"notes.txt": b"nothing else"}), "tiny_module.py"),
        (handin(made.BROKEN), "tiny_module.py"),
    ],
    ids=["empty file", "no zip", "no module", "no Python"],
)
def test_what_cannot_run_earns_nothing_and_says_why(
    answer: Answer, lab: Lab, content: bytes, why: str
) -> None:
    found = lab.read(answer(content))
    assert found.scores == NOTHING
    assert why in found.stages[autolab.SUMMARY]["Summary"]


@pytest.mark.full
@as_root
def test_a_real_assignment_is_graded_as_tango_does(tmp_path: Path) -> None:
    course = made.copy_course(tmp_path / "course", "knn", "autolab")
    lab = import_tarball(made.make(course, "autolab", "knn").read_bytes())
    folder = tmp_path / "job"
    folder.mkdir()
    content = handins.pack("knn", {"knn.py": (made.ROOT / "solutions" / "knn" / "knn.py").read_bytes()})
    found = lab.grade(folder, content, level="ordinary-user", env={"COURSEGRAD_PYTHON": sys.executable})
    assert found.scores == {name: problem["max_score"] for name, problem in lab.problems.items()}, (
        found.output
    )
    assert found.scoreboard == [100.0]


@pytest.mark.full
def test_when_time_is_up_what_has_run_counts(tmp_path: Path) -> None:
    """The first check of six points doubles, and the second one never ends."""
    patient = tiny.ASSIGNMENT.replace("wall_seconds = 10", "wall_seconds = 3600")
    course = made.write_course(tmp_path / "course", "autolab", "seconds = 45", patient)
    lab = import_tarball(made.make(course, "autolab").read_bytes())
    sleepy = tiny.REFERENCE.replace("self.rows = {}", "import time; time.sleep(3600)")
    folder = tmp_path / "job"
    folder.mkdir()
    found = lab.grade(folder, handin(sleepy), env={"COURSEGRAD_PYTHON": sys.executable})
    assert found.scores == {"Double a tensor": pytest.approx(2.4), "Keep a table": 0.0}, found.output
    assert TIME_UP in found.output


@pytest.mark.full
def test_a_killed_grader_leaves_the_result_that_nothing_passed(lab: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    lab.fill(folder, handin("while True: pass\n"))
    job = emulator.start(folder, env={"COURSEGRAD_PYTHON": sys.executable})
    waiting.until((folder / autolab.RESULT).exists, "the first result is written")
    graders = [
        int(path.name)
        for path in Path("/proc").glob("[0-9]*")
        if f"--root\0{folder}\0".encode() in _command_line(path)
    ]
    assert len(graders) == 1
    os.kill(graders[0], signal.SIGKILL)
    found = lab.read(emulator.finish(job, folder, waiting.PATIENCE))
    assert found.scores == NOTHING
    assert TIME_UP in found.output


def _command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


# What is wrong with the grading machine


def test_an_image_without_python_is_said_in_one_line(run: Callable[..., Feedback], tmp_path: Path) -> None:
    found = run(handin(tiny.REFERENCE), env={"COURSEGRAD_PYTHON": str(tmp_path / "none")})
    assert found.scores == {}
    assert f"image: has no Python at {tmp_path}/none; build the image again" in found.output
    assert "Traceback" not in found.output


def test_an_image_of_other_packages_is_said_in_one_line(run: Callable[..., Feedback], tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy==1.0\n")
    found = run(handin(tiny.REFERENCE), env={"COURSEGRAD_IMAGE": str(tmp_path)})
    assert found.scores == {}
    assert "image: holds other packages than this bundle needs (requirements.txt); build" in found.output


def test_a_damaged_lab_prints_an_error_and_no_points(lab: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    lab.fill(folder, handin(tiny.REFERENCE))
    with tarfile.open(folder / "autograde.tar", "a") as tar:
        damage = tarfile.TarInfo("grade/bundle/manifest.json")
        tar.addfile(damage)
    job = emulator.start(folder, env={"COURSEGRAD_PYTHON": sys.executable})
    found = lab.read(emulator.finish(job, folder, waiting.PATIENCE))
    assert found.scores == {}
    assert (
        "manifest.json: is damaged, or of another version of the kit; make the bundle again" in found.output
    )
    assert "Traceback" not in found.output


# What Autolab would not take


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ("seconds = 901", "`servers.autolab.seconds` is 901; expected less than or equal to 900"),
        (
            'image = "uni/grader:2026"',
            "`servers.autolab.image` is 'uni/grader:2026'; expected a name of letters",
        ),
        ('imege = "x"', "unknown key `servers.autolab.imege`; check its spelling, or remove it"),
    ],
)
def test_settings_that_are_wrong_are_one_line(tmp_path: Path, settings: str, line: str) -> None:
    course = made.write_course(tmp_path, "autolab", settings)
    done = made.run("bundle", "tiny", "autolab", "--course", course.root)
    assert done.exit_code == 2
    assert line in done.output
    assert done.output.count("\n") == 1
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize(
    ("titles", "found"),
    [
        (
            ("Double", "double"),
            "the title of task 'table' is 'double'; give it another title: another task has it",
        ),
        (("Double: a tensor", "Double - a tensor"), "another task has it"),
        (
            ("stages", "Table"),
            "the title of task 'double' is 'stages'; give it another title: Autolab takes no",
        ),
        (("_order", "Table"), "Autolab takes no such name"),
    ],
)
def test_titles_that_autolab_would_mix_up_are_refused(
    tmp_path: Path, titles: tuple[str, str], found: str
) -> None:
    _, one = _titled(tmp_path, *titles)
    with pytest.raises(ConfigError, match=re.escape(found)):
        autolab.problem_names(one)


def test_a_title_with_a_colon_is_read_as_json(tmp_path: Path) -> None:
    """Autolab would put quotes around `tensor` in the title, and read nothing."""
    _, one = _titled(tmp_path, "A tensor: double it", "Größe: 1")
    names = autolab.problem_names(one)
    assert names == {"double": "A tensor - double it", "table": "Größe - 1"}
    problems = {name: {"max_score": 9.0, "optional": False} for name in names.values()}
    found = Lab("tiny", {}, {}, problems, {}, []).read(json.dumps({"scores": dict.fromkeys(problems, 1)}))
    assert found.scores == dict.fromkeys(problems, 1)
    with pytest.raises(json.JSONDecodeError):
        json.loads(re.sub(r"([a-zA-Z0-9]+):", r'"\1":', json.dumps({"A tensor: double it": 1})))


def test_a_name_that_is_no_ruby_identifier_is_refused(tmp_path: Path) -> None:
    course, _ = tiny.write_course(tmp_path)
    shutil.move(tmp_path / "solutions" / "tiny", tmp_path / "solutions" / "1st.tiny")
    shutil.move(tmp_path / "autograder" / "suites" / "tiny", tmp_path / "autograder" / "suites" / "1st.tiny")
    file = tmp_path / "solutions" / "1st.tiny" / "assignment.toml"
    file.write_text(file.read_text().replace('name = "tiny"', 'name = "1st.tiny"'))
    with pytest.raises(ConfigError, match=r"Autolab takes no assignment called '1st\.tiny'; rename it"):
        made.pack(course, "autolab", "1st.tiny")


def _titled(root: Path, first: str, second: str) -> tuple[Course, Assignment]:
    """Return the tiny course with other titles."""
    course, _ = tiny.write_course(root)
    file = root / "solutions" / "tiny" / "assignment.toml"
    text = file.read_text().replace('"Double a tensor"', json.dumps(first, ensure_ascii=False))
    file.write_text(text.replace('"Keep a table"', json.dumps(second, ensure_ascii=False)))
    return course, assignments.load(course, "tiny")


# The guide


@pytest.mark.full
def test_the_commands_of_the_guide_work(course: Course, tarball: bytes, tmp_path: Path) -> None:
    shutil.copytree(course.root, tmp_path / "course", ignore=shutil.ignore_patterns("dist"))
    (tmp_path / "course" / "tiny-submission.zip").write_bytes(handin(tiny.REFERENCE))
    printed = guides.run(guides.read("autolab"), tmp_path / "course", {"knn": "tiny"})
    assert (tmp_path / "course" / "dist" / "tiny-autolab.tar").read_bytes() == tarball
    (tried,) = (output for command, output in printed.items() if command.endswith(" make)"))
    assert import_tarball(tarball).read(tried).scores == FULL
    assert any(command.startswith("docker build --tag coursegrad ") for command in printed)


def test_the_guide_knows_every_setting() -> None:
    assert guides.settings_of(guides.read("autolab")) == set(autolab.Settings.model_fields)


# The emulator is as strict as it says


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (b"max_submissions: -1", b"max_submisions: -1", "unknown keys in general"),
        (b"max_submissions: -1", b"max_submissions: '1'", "`max_submissions` in general is '1'"),
        (b"autograde_timeout: 600", b"autograde_timeout: 901", "the time limit is 901"),
        (b"name: Keep a table", b"name: double A tensor", "double A tensor comes twice"),
        (b"category_name: Assignments", b"category_name: ''", "`category_name` is blank"),
        (b"max_score: 4.0", b"max_score: 2026-01-01", "`max_score` in a problem is"),
    ],
)
def test_the_emulator_refuses_settings(lab: Lab, before: bytes, after: bytes, why: str) -> None:
    yml = lab.files["tiny/tiny.yml"]
    assert before in yml
    with pytest.raises(Refused, match=re.escape(why)):
        import_tarball(_pack(lab.files | {"tiny/tiny.yml": yml.replace(before, after)}))


def test_the_emulator_refuses_a_tarball_without_folders(lab: Lab) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in lab.files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    with pytest.raises(Refused, match="no folder at the root comes first"):
        import_tarball(buffer.getvalue())


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ({"scores": {"Double a tensor": 6, "Keep a tabel": 4}}, "unknown problems"),
        ({"scores": {"Double a tensor": 6}}, "not every problem"),
        ({"scores": {"Double a tensor": "6", "Keep a table": 4}}, "the points of Double a tensor are '6'"),
        ({"scores": {"Double a tensor": 7, "Keep a table": 4}}, "is worth less than 7"),
        ({"scores": FULL, "scorebord": []}, "unknown keys"),
    ],
)
def test_the_emulator_refuses_scores(lab: Lab, line: object, why: str) -> None:
    with pytest.raises(Refused, match=re.escape(why)):
        lab.read(json.dumps(line))


def _pack(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        folder = tarfile.TarInfo("tiny")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
