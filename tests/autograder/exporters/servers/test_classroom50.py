"""Classroom 50: the folder is published as there, and ``autograder.py`` grades as the runner starts it."""

from __future__ import annotations

import io
import json
import os
import re
import runpy
import subprocess
import sys
import tarfile
import time
import zipfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.course.thresholds import FILE as THRESHOLDS_FILE
from autograder.errors import ConfigError
from autograder.exporters.servers import points
from autograder.exporters.servers.classroom50 import SERVER
from autograder.exporters.servers.interface import Contents
from autograder.release.fingerprints import Index, course_fingerprints, normalize_words
from autograder.release.leaks import LeakCheck, LeakError
from autograder.release.parts import texts, walk
from tests.support import tiny
from tests.support.servers import classroom50, guides, made
from tests.support.servers.classroom50 import Classroom, Run, check_result
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[4]
SETTINGS = 'classroom = "deep-learning"'
TORCH_INDEX = os.environ.get("COURSEGRAD_TORCH_INDEX", "https://pypi.org/simple")
"""Where the tests take PyTorch from: PyPI has it, too, if with what only GPUs need."""
THRESHOLDS = """
[thresholds.accuracy]
threshold = 73.3125
mean = 84.0625
sd = 1.0
normal_p = 0.5
values = [83.4375, 85.1875]
"""
TAKES_OVER = """
import os, sys
FORGED = '{"schema": "classroom50/result/v1", "score": 44, "max-score": 44, "tests": []}'
places = ["result.json", "release-body.md", os.environ.get("GITHUB_OUTPUT", "/nowhere")]
for folder in [*sys.path, os.getcwd(), *PLACES]:
    places += [os.path.join(folder, name) for name in ("result.json", "autograder.py", "test_public.py")]
for place in places:
    try:
        with open(place, "w") as file:
            file.write(FORGED)
    except OSError:
        pass
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    course = made.write_course(tmp_path_factory.mktemp("course"), "classroom50", SETTINGS)
    (course.suite("tiny") / THRESHOLDS_FILE).write_text(THRESHOLDS)
    return made.make(course, "classroom50", planned=True)


@pytest.fixture(scope="module")
def room(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    found = Classroom(classroom50.publish(folder, "deep-learning", "tiny"), tmp_path_factory.mktemp("runner"))
    found.install()
    return found


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def gather(root: Path, settings: str, **parts: str) -> Contents:
    """Return what a bundle of the tiny course holds."""
    course = made.write_course(root, "classroom50", settings, **parts)
    return made.gather(course, "classroom50", planned=True)


def refusal(root: Path, settings: str, **parts: str) -> str:
    """Return the line in which a bundle is refused."""
    tiny.write_course(root, **parts)
    with (root / "course.toml").open("a") as file:
        file.write(f"\n[servers.classroom50]\n{settings}\n")
    done = made.run("bundle", "tiny", "classroom50", "--course", root)
    assert done.exit_code == 2, done.output
    assert not (root / "dist").exists()
    (line,) = done.stderr.strip().splitlines()
    return line


# The folder


def test_it_has_the_place_that_the_runner_looks_for(folder: Path) -> None:
    names = files_of(folder)
    assert {name.split("/")[:3][-1] for name in names} == {"tiny"}
    assert "deep-learning/autograders/tiny/autograder.py" in names
    assert "deep-learning/autograders/tiny/bundle/manifest.json" in names


def test_nothing_of_a_hidden_test_is_in_any_byte_of_it(folder: Path) -> None:
    course = Course.load(folder.parents[1])
    known = course_fingerprints(course)
    assert {"a hidden test", "a constant of a hidden test", "a solution"} <= {one.kind for one in known}
    index = Index(known)
    secrets = [course.secret(), course.secret().hex().encode(), course.key("tiny").hex().encode()]
    secrets += [course.secret_id().encode(), b"31337", b"73.3125", b"84.0625", b"83.4375", b"hidden_double"]
    for path, content in files_of(folder).items():
        of_kit = path.endswith(".whl")  # it has templates of suites, for courses that begin
        assert Path(path).name not in {"test_hidden.py", THRESHOLDS_FILE}
        assert of_kit or b"test_hidden.py" not in content
        for place, blob in walk(path, content):
            assert not [word for word in secrets if word in blob], place
            for text in texts(blob):
                assert not list(index.find_in(normalize_words(text))), place


def test_the_check_for_leaks_would_find_one(folder: Path) -> None:
    course = Course.load(folder.parents[1])
    check = LeakCheck(course)
    assert check.file("helper.py", tiny.HIDDEN.encode())
    assert check.file("helper.py", b"a = [31337.0, 4242.0]\n")
    assert not check.file("helper.py", tiny.PUBLIC.encode())


def test_a_public_test_that_shows_a_hidden_one_is_refused(tmp_path: Path) -> None:
    shows = tiny.PUBLIC + "\nVALUES = torch.tensor([31337.0, 4242.0])\n"
    contents = gather(tmp_path, SETTINGS, public=shows)
    with pytest.raises(LeakError, match=r"test_public.py:\d+: a constant of a hidden test"):
        SERVER.pack(contents)


def test_it_holds_the_public_tests_and_what_they_are_worth(folder: Path) -> None:
    suite = folder / "deep-learning/autograders/tiny/bundle/course/suites/tiny"
    assert sorted(path.name for path in suite.iterdir()) == ["test_public.py"]
    assert (suite / "test_public.py").read_text() == tiny.PUBLIC
    course = Course.load(suite.parents[1])
    loaded = assignments.load(course, "tiny")
    assert {task.id: float(task.points) for task in loaded.tasks} == {"double": 2.4, "table": 2}
    assert loaded.tiers == {"test_public.py": "public"}
    assert course.key("tiny") == bytes(32)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("", "`servers.classroom50.classroom` is missing; add it"),
        ('classroom = "Deep Learning"', "expected 2 to 39 small letters, digits and hyphens"),
        (f'{SETTINGS}\nhidden = "closed"', "expected 'never': everybody can read a bundle there"),
        (f"{SETTINGS}\nscale = 1.5", "`servers.classroom50.scale` is 1.5"),
        (f"{SETTINGS}\ncolour = 1", "unknown key `servers.classroom50.colour`"),
        (f'{SETTINGS}\nassignments = {{ tiny = "T" }}', "expected 2 to 39 small letters"),
    ],
)
def test_what_a_course_says_wrongly_is_one_line(tmp_path: Path, settings: str, said: str) -> None:
    assert said in refusal(tmp_path, settings)


def test_an_assignment_without_public_tests_is_refused(tmp_path: Path) -> None:
    only_rules = tiny.HIDDEN.partition("@pytest")[0] + (
        '@pytest.mark.task("double")\n@pytest.mark.constraint\ndef test_rule():\n    """Keeps a rule."""\n'
        "    constraints.require(tiny_module.double, loops=0)\n"
    )
    only_rules = only_rules.replace("31337.0, 4242.0", "1.0, 2.0")
    line = refusal(tmp_path, SETTINGS, public=only_rules)
    assert "has no public test that checks a value; add one: hidden tests stay out of a bundle" in line


def test_a_task_whose_public_tests_only_check_rules_is_refused(tmp_path: Path) -> None:
    rule = (
        '\n\n@pytest.mark.task("table")\n@pytest.mark.constraint\ndef test_rule():\n    """Keeps a rule."""\n'
        "    constraints.require(tiny_module.double, loops=0)\n"
    )
    public = tiny.PUBLIC.replace('@pytest.mark.task("table")', '@pytest.mark.task("double")') + rule
    public = public.replace("import checks", "import checks, constraints")
    line = refusal(tmp_path, SETTINGS, public=public)
    assert "task 'table' has no public test that checks a value, only test_public.py::test_rule" in line


# Points


def test_a_factor_that_leaves_fractions_is_refused(tmp_path: Path) -> None:
    contents = gather(tmp_path, f"{SETTINGS}\nscale = 3")
    with pytest.raises(ConfigError, match=r"servers.classroom50.scale: is 3, .* choose a multiple of 10, or"):
        SERVER.pack(contents)


def test_names_that_the_server_refuses_are_chosen_by_the_course(tmp_path: Path) -> None:
    contents = gather(tmp_path, f'{SETTINGS}\nassignments = {{ tiny = "homework-1" }}')
    packed = SERVER.pack(contents)
    assert {name.split("/")[2] for name in packed} == {"homework-1"}
    odd = replace(contents, assignment=replace(contents.assignment, name="Tiny"))
    with pytest.raises(ConfigError, match=r"takes no assignment called 'Tiny'; name it under \[servers"):
        SERVER.pack(odd)


def test_points_that_no_reasonable_factor_makes_whole_are_refused() -> None:
    with pytest.raises(ConfigError, match="ours are only when multiplied by 1009"):
        points.find_scale([Fraction(1, 1009)], None, "course.toml")


def test_a_factor_of_the_course_counts() -> None:
    assert points.find_scale([Fraction(12, 5)], 10, "course.toml") == 10


# Grading


TAG = "submit/2026-06-01T14-32-05Z-0123abc"


@pytest.fixture(scope="module")
def right(room: Classroom, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """Return how the reference ends, and how it ends when it is graded again."""
    checkout = tmp_path_factory.mktemp("right")
    files = {"tiny_module.py": tiny.REFERENCE.encode(), "README.md": b"# Tiny\n"}
    commit = room.commit(checkout, files)
    first = room.grade(checkout, commit, tag=TAG)
    time.sleep(1)  # times are told in seconds
    return first, room.grade(checkout, commit, tag=TAG)


def test_a_right_submission_gets_every_point(right: tuple[Run, Run]) -> None:
    run, _ = right
    assert run.result is not None, run.output
    assert run.status == "success"
    assert (run.result["score"], run.result["max-score"]) == (44, 44)  # ten times 2.4 and 2
    assert [(test["score"], test["max-score"]) for test in run.result["tests"]] == [(24, 24), (20, 20)]
    assert run.result["tests"][0]["test-name"] == "1.1 Double a tensor: Doubles a small tensor."
    assert "44 of 44" in run.body
    assert "Sandbox: full" in run.body


def test_a_regrade_keeps_the_time_of_the_submission_and_tells_its_own(right: tuple[Run, Run]) -> None:
    first, second = (run.written for run in right)
    assert first is not None
    assert second is not None
    assert first["datetime"] == second["datetime"] == "2026-06-01T14:32:05Z"
    assert first["graded_at"] < second["graded_at"]
    assert {**first, "graded_at": ""} == {**second, "graded_at": ""}


def test_results_that_a_student_committed_or_wrote_count_nothing(room: Classroom, tmp_path: Path) -> None:
    """Files, a link, and modules that an unwary Python would import from the checkout."""
    checkout, outside = tmp_path / "work", tmp_path / "outside.json"
    checkout.mkdir()
    trap = f"open({str(tmp_path / 'sprung')!r}, 'w').close()\n".encode()
    runtime = room.temp / "classroom50-runtime"
    places = [*map(str, (room.temp, runtime / "tiny", runtime / "tiny/bundle/course/suites/tiny", checkout))]
    source = tiny.STUB + TAKES_OVER.replace("PLACES", repr(places))
    forged = b'{"schema": "classroom50/result/v1", "score": 44, "max-score": 44, "tests": []}'
    names = ("autograder", "pip", "torch", "sitecustomize", "json", "helpers", "pytest", "conftest", "suite")
    commit = room.commit(
        checkout,
        {
            "tiny_module.py": source.encode(),
            "result.json": outside,
            "release-body.md": b"# 44 of 44\n",
            "setup.cfg": b"[tool:pytest]\naddopts = --collect-only\n",
            "course.toml": b"name = 1\n",
            "bundle/manifest.json": forged,
            **{f"{name}.py": trap for name in names},
        },
    )
    run = room.grade(checkout, commit)
    assert run.result is not None, run.output
    assert (run.status, run.result["score"], run.result["max-score"]) == ("failure", 0, 44)
    assert [(test["passed"], test["score"]) for test in run.result["tests"]] == [(False, 0)] * 2
    assert all(test["output"] for test in run.result["tests"])
    assert run.body.count("**not passed**") == 2
    assert not (checkout / "result.json").is_symlink()
    assert not outside.exists()
    assert not (tmp_path / "sprung").exists()
    assert "# 44 of 44" not in run.body
    with tarfile.open(fileobj=io.BytesIO(room.archive)) as archive:
        published = {one.name: archive.extractfile(one).read() for one in archive if one.isfile()}
    assert "tiny/bundle/course/suites/tiny/test_public.py" in published
    left = {name: content for name, content in files_of(runtime).items() if "__pycache__" not in name}
    assert left == published


def test_what_cannot_be_graded_leaves_no_result(room: Classroom, tmp_path: Path) -> None:
    commit = room.commit(tmp_path, {"tiny_module.py": b"x = 1\n", "result.json": tmp_path / "nowhere"})
    run = room.grade(tmp_path, commit, CLASSROOM="another-room")
    assert run.status == "error"
    assert not os.path.lexists(tmp_path / "result.json")
    assert "bundle: grades deep-learning/tiny, and this is another-room/tiny; put it into" in run.output
    assert "Traceback" not in run.output


def test_outside_a_job_it_is_one_line(room: Classroom, tmp_path: Path) -> None:
    commit = room.commit(tmp_path, {"tiny_module.py": tiny.STUB.encode()})
    run = room.grade(tmp_path, commit, SUBMISSION_TAG="", COMMIT_URL="")
    assert run.status == "error"
    assert "environment: SUBMISSION_TAG and COMMIT_URL are not set; let the runner" in run.output
    assert "Traceback" not in run.output


def test_the_emulator_refuses_what_classroom_50_refuses() -> None:
    good = {
        **dict.fromkeys(classroom50.REQUIRED, "x"),
        **{"schema": "classroom50/result/v1", "assignment_type": "individual", "submission": "submit/1"},
        **{"datetime": "2026-06-01T14:32:05Z", "score": 1, "max-score": 2, "tests": []},
    }
    check_result(good, "x", "x")
    test = {"test-name": "a", "passed": True, "score": 1, "max-score": 1}
    check_result({**good, "tests": [test]}, "x", "x")
    for change in (
        {"score": 1.0},
        {"score": 3},
        {"score": True},
        {"max_score": 2},
        {"datetime": "2026-06-01 14:32"},
        {"submission": "v1"},
        {"schema": "classroom50/result/v2"},
        {"tests": [{**test, "passed": 1}]},
        {"tests": [{**test, "test-name": ""}]},
    ):
        with pytest.raises(AssertionError):
            check_result({**good, **change}, "x", "x")


def test_whatever_has_the_name_of_a_result_goes(folder: Path, tmp_path: Path) -> None:
    """A folder too, which the runner does not remove."""
    program = runpy.run_path(str(folder / "deep-learning/autograders/tiny/autograder.py"))
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("kept")
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    (tmp_path / "file").write_text("gone")
    for name in ("folder", "link", "file", "missing"):
        program["remove"](tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept" / "file").read_text() == "kept"


# Installing


def start(
    script: Path, python: Path, checkout: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the autograder as if this Python were another one."""
    program = (
        f"import runpy, sys; sys.executable = {str(python)!r}; "
        f"runpy.run_path({str(script)!r}, run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def test_an_environment_is_made_once(folder: Path, tmp_path: Path) -> None:
    """With a Python that notes what it is asked to do, in place of pip and its gigabytes."""
    script = folder / "deep-learning/autograders/tiny/autograder.py"
    fake = tmp_path / "bin" / "python3.11"
    fake.parent.mkdir()
    fake.write_text(
        "#!/bin/sh\n"
        f'echo "$PWD $@" >> {tmp_path}/calls\n'
        'case "$*" in\n'
        "  *ensurepip*) echo 3.11 ;;\n"
        '  *venv*) for last; do :; done; mkdir -p "$last/bin"; cp "$0" "$last/bin/python" ;;\n'
        "esac\n"
    )
    fake.chmod(0o755)
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    environment = {"PATH": f"{fake.parent}:/usr/bin:/bin", "COURSEGRAD_CACHE": str(tmp_path / "cache")}
    for _ in range(2):
        done = start(script, fake, checkout, environment)
        assert done.returncode == 0, done.stderr
    calls = (tmp_path / "calls").read_text().splitlines()
    pips = [call for call in calls if " -m pip " in call]
    assert len(pips) == 3
    assert sum(" -m autograder run " in call for call in calls) == 2
    assert all(re.search(r" -I ", call) for call in calls)
    assert not any(call.startswith(str(checkout)) for call in calls)
    assert "https://download.pytorch.org/whl/cpu --no-deps" in pips[0]
    (environment_made,) = (tmp_path / "cache" / "coursegrad").iterdir()
    assert re.fullmatch(r"[0-9a-f]{16}", environment_made.name)


def test_without_a_python_that_fits_it_is_one_line(folder: Path, tmp_path: Path) -> None:
    fake = tmp_path / "python3.11"
    fake.write_text("#!/bin/sh\necho 3.10\n")
    fake.chmod(0o755)
    script = folder / "deep-learning/autograders/tiny/autograder.py"
    environment = {"PATH": str(tmp_path), "COURSEGRAD_CACHE": str(tmp_path / "cache")}
    done = start(script, fake, tmp_path, environment)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        '::error::there is no Python from 3.11 to 3.13; set "python": "3.11" in the runtime'
    )


# The guide

GH = """
import json, pathlib, sys
words = sys.argv[1:]
assert words[0] == "teacher"
if words[1] == "download":
    place = pathlib.Path(words[words.index("-d") + 1])
    assert words[-3:] == ["ORGANIZATION", "deep-learning", "knn"]
    student = place / "deep-learning-knn-ada"
    (student / ".git").mkdir(parents=True)
    (student / "tiny_module.py").write_text(SOURCE)
    (student / "result.json").write_text("{}")
    (place / "scores.csv").write_text("owner,score\\nada,44\\n")
else:
    assert words[1:6] == ["assignment", "add", "ORGANIZATION", "deep-learning", "knn"]
    runtime = json.loads(pathlib.Path(words[words.index("--runtime") + 1]).read_text())
    assert set(runtime) <= {"runs-on", "python", "node", "java", "go", "rust", "apt", "container"}
    assert runtime["python"] in {"3.11", "3.12", "3.13"}
"""


@pytest.mark.full
def test_the_commands_of_the_guide_do_what_it_says(tmp_path: Path) -> None:
    course, remote = tmp_path / "course", tmp_path / "remote" / "classroom50"
    guide = guides.read("classroom50")
    guides.write_course(course, guide)
    subprocess.run(["git", "init", "-q", "--bare", remote], check=True)
    identity = {
        f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    known = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{remote.parent}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/ORGANIZATION/",
    }
    programs = {"gh": f"SOURCE = {tiny.REFERENCE!r}\n{GH}"}
    ran = guides.run(guide, course, programs=programs, variables=identity | known)
    assert sum(command.startswith("autograder ") for command in ran) == 2
    assert sum(command.startswith("gh ") for command in ran) == 2
    shown = subprocess.run(
        ["git", "-C", remote, "show", "--name-only", "--format=%s", "HEAD"],
        check=True,
        capture_output=True,
        text=True,
    )
    title, _, *files = shown.stdout.splitlines()
    assert title == "Tests of knn"
    assert "deep-learning/autograders/knn/autograder.py" in files
    assert "deep-learning/autograders/knn/bundle/course/.coursegrad/bundle.json" in files
    assert all(name.startswith("deep-learning/autograders/knn/") for name in files)
    row = (course / "graded/knn/grades.csv").read_text().splitlines()[1]
    assert row.startswith("deep-learning-knn-ada,")
    assert ",10," in row


# With a network, and with the kit's own suites


@pytest.mark.full
def test_the_packages_are_installed_as_in_a_job(folder: Path, tmp_path: Path) -> None:
    found = Classroom(classroom50.publish(folder, "deep-learning", "tiny"), tmp_path / "runner")
    found.temp.mkdir()
    found.environment["RUNNER_TOOL_CACHE"] = str(tmp_path / "tools")
    found.environment |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    found.environment["COURSEGRAD_TORCH_INDEX"] = TORCH_INDEX
    checkout = tmp_path / "work"
    checkout.mkdir()
    run = found.grade(checkout, found.commit(checkout, {"tiny_module.py": tiny.REFERENCE.encode()}))
    assert run.result is not None, run.output
    assert run.result["score"] == 44


@pytest.mark.full
@pytest.mark.parametrize("name", Course.load(ROOT).assignments())
def test_the_kits_own_assignments_show_nothing_hidden(tmp_path: Path, name: str) -> None:
    """Their bundles are packed, with the check for leaks in it."""
    copy = tmp_path / "course"
    for folder in ("solutions", "autograder/suites", ".coursegrad"):
        if (ROOT / folder).is_dir():
            (copy / folder).parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-r", ROOT / folder, copy / folder], check=True, timeout=PATIENCE)
    (copy / "course.toml").write_text(
        (ROOT / "course.toml").read_text() + f"\n[servers.classroom50]\n{SETTINGS}\n"
    )
    done = made.run("bundle", name, "classroom50", "--course", copy)
    assert done.exit_code == 0, done.output
    folder = Path(done.stdout.strip()) / "deep-learning/autograders" / name.replace("_", "-")
    settings = json.loads((folder / "bundle/manifest.json").read_text())["settings"]
    assert settings["scale"] in {1, 2}
    hidden = {
        file for file, tier in assignments.load(Course.load(ROOT), name).tiers.items() if tier == "hidden"
    }
    assert hidden
    names = {Path(path).name for path in files_of(folder)}
    (wheel,) = (folder / "bundle").glob("*.whl")
    names |= {Path(path).name for path in zipfile.ZipFile(wheel).namelist()}
    assert not hidden & names
