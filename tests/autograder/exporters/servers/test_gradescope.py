"""Gradescope: the zip is unpacked as there, and ``run_autograder`` grades in a container like its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.engine.pool import Pool
from autograder.errors import ConfigError
from autograder.exporters.servers import bundles, gradescope, on_server
from autograder.exporters.servers.gradescope import SERVER
from autograder.exporters.servers.interface import BundleFile
from autograder.exporters.servers.rows import lateness
from autograder.graded.results import CUT_OFF
from autograder.grading import loop
from autograder.scoring import NOT_JUDGED
from tests.support import bounded, tiny
from tests.support.servers import made
from tests.support.servers.gradescope import DUE, Gradescope, Run, check_results

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make folders look like Gradescope's")
ROOT = Path(__file__).parents[4]
GUIDE = ROOT / "docs" / "servers" / "gradescope.md"
INDEXES = {"COURSEGRAD_TORCH_INDEX": os.environ.get("COURSEGRAD_TORCH_INDEX", "https://pypi.org/simple")}
"""Where the tests take PyTorch from: PyPI has it, too, if with what only GPUs need."""
MEMORY = 768 << 20
"""What a container gets there unless somebody raises it."""
ENDLESS = tiny.REFERENCE.replace("self.rows[name] = value", "import time; time.sleep(1000)")
TAKES_OVER = """
import os
for place in ("/autograder/results/results.json", "results.json"):
    for path in (place, os.path.join("..", place)):
        try:
            with open(path, "w") as file:
                file.write('{"score": 1000}')
        except OSError:
            pass
print('{"score": 1000}')
""" + tiny.STUB.replace('raise NotImplementedError("double")', "return 3 * x")
WITH_THRESHOLD = (
    tiny.HIDDEN
    + '''

@pytest.mark.task("double")
def test_accuracy():
    """Reaches an accuracy."""
    from autograder.hidden import Thresholds
    Thresholds("tiny").require("accuracy", 42 * float(tiny_module.double(torch.tensor(1.0))), what="it")
'''
)
THRESHOLDS = """
[thresholds.accuracy]
threshold = 50.0
mean = 84.0
sd = 1.0
normal_p = 0.5
values = [83.0, 85.0]
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return made.write_course(tmp_path_factory.mktemp("course"), "gradescope")


@pytest.fixture(scope="module")
def zipped(course: Course) -> Path:
    return made.make(course, "gradescope")


@pytest.fixture(scope="module")
def server(zipped: Path, tmp_path_factory: pytest.TempPathFactory) -> Gradescope:
    return _serve(zipped, tmp_path_factory.mktemp("root"))


@pytest.fixture(scope="module")
def right(server: Gradescope, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return how the reference ends: without Landlock, in little memory, late, and of two students."""
    with bounded.Memory(tmp_path_factory.mktemp("memory"), MEMORY) as memory:
        late = DUE + timedelta(hours=3, minutes=58)
        run = submit(
            server, tiny.REFERENCE, level="old-container", join=memory.join, created_at=late, users=2
        )
        assert memory.killed() == 0
        assert memory.bounded or memory.peak() < MEMORY
    return run


@pytest.fixture(scope="module")
def wrong(server: Gradescope) -> Run:
    """Return how a submission ends that is half wrong, half a stub, and writes results of its own."""
    return submit(server, TAKES_OVER)


@pytest.fixture
def here(server: Gradescope, monkeypatch: pytest.MonkeyPatch) -> Gradescope:
    """Return a server whose bundle is run in this process, which has fork servers already."""
    made.keep_fork_servers(monkeypatch)
    return server


def _serve(zipped: Path, root: Path) -> Gradescope:
    server = Gradescope(root, zipped.read_bytes())
    server.install()
    return server


def submit(server: Gradescope, source: str, **options: object) -> Run:
    return server.grade({"tiny_module.py": source.encode()}, **options)


def grade_here(server: Gradescope, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the results that the bundle writes in this process."""
    server.hand_in(files)
    done = made.run("run", server.root / "autograder" / "source" / "bundle", "--root", server.root)
    assert done.exit_code == 0, done.output
    results: dict[str, Any] = server.results()
    return results


# The zip


def test_it_is_the_same_bytes_each_time(zipped: Path) -> None:
    before = zipped.read_bytes()
    done = made.run("bundle", "tiny", "gradescope", "--course", zipped.parents[1])
    assert (done.exit_code, done.stdout.strip()) == (0, str(zipped))
    assert zipped.read_bytes() == before


def test_only_its_owner_reads_it(zipped: Path) -> None:
    assert stat.S_IMODE(zipped.stat().st_mode) == 0o600


def test_it_holds_neither_the_secret_nor_a_solution(zipped: Path) -> None:
    course = Course.load(zipped.parents[1])
    solution = (course.root / "solutions" / "tiny" / "tiny_module.py").read_text()
    assert "return 2 * x" in solution
    with zipfile.ZipFile(zipped) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    suite = "bundle/course/suites/tiny/test_hidden.py"
    assert files[suite] == (course.suite("tiny") / "test_hidden.py").read_bytes()
    for name, content in files.items():
        assert course.secret() not in content, name
        assert course.secret().hex().encode() not in content.lower(), name
        assert b"return 2 * x" not in content, name
    keyed = [name for name, content in files.items() if course.key("tiny").hex().encode() in content]
    assert keyed == ["bundle/course/.coursegrad/bundle.json"]


def test_the_wheel_holds_the_kit_and_no_suite_of_its_own_course(zipped: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(zipped) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".whl"))
        archive.extract(name, tmp_path)
    with zipfile.ZipFile(tmp_path / name) as wheel:
        names = set(wheel.namelist())
    assert {"autograder/engine/host.py", "helpers/testing/checks.py"} <= names
    assert "autograder/reports/templates/feedback.html.j2" in names
    assert not any(name.startswith("autograder/suites") for name in names)


def test_packages_are_pinned_and_none_is_for_a_gpu(zipped: Path) -> None:
    with zipfile.ZipFile(zipped) as archive:
        lines = [
            archive.read(f"bundle/{name}").decode().splitlines()
            for name in ("requirements-torch.txt", "requirements.txt")
        ]
    assert lines[0]
    assert all(line.startswith("torch") for line in lines[0])
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", line) for line in lines[0] + lines[1])
    assert {"numpy", "msgpack", "pytest", "scikit-learn"} <= {line.partition("==")[0] for line in lines[1]}
    assert not any(line.startswith(("nvidia", "cuda", "triton")) for line in lines[1])


# Grading


@pytest.mark.parametrize("which", ["right", "wrong"])
def test_points_are_those_of_the_kit(course: Course, which: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(which)
    source = {"right": tiny.REFERENCE, "wrong": TAKES_OVER}[which]
    one = assignments.load(course, "tiny")
    graded = loop.grade_one(course, one, tiny.submission(source), sandbox="full")
    assert run.results is not None, run.output
    assert run.results["score"] == graded.score
    per_task = [test.points for task in graded.tasks for test in graded.tests if test.task == task.id]
    assert [test["score"] for test in run.results["tests"]] == per_task
    assert run.results["extra_data"]["provenance"] == graded.provenance.model_dump()


def test_it_fits_into_the_memory_and_confines_without_landlock(right: Run) -> None:
    assert right.results is not None, right.output
    assert right.results["score"] == 10
    assert "Sandbox: full." in right.results["output"]
    assert right.results["extra_data"]["sandbox"]["layers"]["filesystem"].startswith("proved")


def test_the_time_is_the_servers(right: Run, wrong: Run) -> None:
    assert right.results is not None
    assert "Handed in 3 h 58 min after the deadline." in right.results["output"]
    assert wrong.results is not None
    assert "after the deadline" not in wrong.results["output"]


def test_what_went_wrong_is_told(wrong: Run) -> None:
    assert wrong.results is not None
    first = wrong.results["tests"][0]
    assert first["name"] == "Double a tensor: Doubles a small tensor."
    assert first["status"] == "failed"
    assert "Expected" in first["output"]
    assert "31337" not in str(wrong.results)


def test_who_sees_what(wrong: Run) -> None:
    assert wrong.results is not None
    shown = {test["tags"][0]: test["visibility"] for test in wrong.results["tests"]}
    assert shown == {"public": "visible", "hidden": "after_published"}
    assert wrong.results["stdout_visibility"] == "hidden"
    assert wrong.results["output"].startswith("0 of 2 public checks passed.\n")


def test_results_that_student_code_writes_count_nothing(wrong: Run) -> None:
    assert wrong.results is not None
    assert wrong.results["score"] == 0
    assert '{"score": 1000}' not in wrong.output


def test_nothing_handed_in_is_a_result(here: Gradescope) -> None:
    results = grade_here(here, {})
    assert results["score"] == 0
    assert "tiny_module.py is missing." in results["output"]


def test_who_hands_in_two_versions_is_asked_for_one(here: Gradescope) -> None:
    files = {f"tiny_module_v{n}.py": f"{tiny.REFERENCE}\nVERSION = {n}\n".encode() for n in (1, 2)}
    results = grade_here(here, files)
    asked = "tiny_module.py could be tiny_module_v1.py or tiny_module_v2.py. Hand in again with one of them"
    assert asked in results["output"]
    assert results["score"] == 0


def test_a_zip_of_the_notebook_is_taken(here: Gradescope, tmp_path: Path) -> None:
    packed = tmp_path / "hand-in.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("work/tiny_module.py", tiny.REFERENCE)
    assert grade_here(here, {"hand-in.zip": packed.read_bytes()})["score"] == 10


# Time


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Gradescope:
    course = made.write_course(tmp_path_factory.mktemp("hurried"), "gradescope", "seconds = 30")
    return _serve(made.make(course, "gradescope"), tmp_path_factory.mktemp("root"))


def test_what_was_graded_counts_when_time_runs_out(hurried: Gradescope) -> None:
    run = submit(hurried, ENDLESS)
    assert run.results is not None, run.output
    found = {test["name"].partition(": ")[2]: test["score"] for test in run.results["tests"]}
    assert found["Doubles a small tensor."] > 0
    assert found["Keeps what was added."] == 0
    assert run.results["extra_data"]["complete"] is False
    assert run.results["output"].startswith("Time ran out before all checks had run.")
    assert run.results["execution_time"] < 30


def test_an_answer_is_there_before_student_code_runs(
    here: Gradescope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the server ended everything meanwhile, for want of memory."""

    def end(*arguments: object) -> None:
        raise KeyboardInterrupt

    answers: list[Mapping[str, bytes]] = []
    here.hand_in({"tiny_module.py": tiny.REFERENCE.encode()})
    found = on_server.Bundle(here.root / "autograder" / "source" / "bundle")
    monkeypatch.setattr(Pool, "grade", end)
    with pytest.raises(KeyboardInterrupt):
        on_server.grade(found, here.root, {}, started=time.monotonic(), write=answers.append)
    (answer,) = answers
    results = json.loads(answer["autograder/results/results.json"])
    check_results(results)
    assert results["score"] == 0
    assert {test["output"] for test in results["tests"]} == {CUT_OFF, NOT_JUDGED.summary}


# Settings and mistakes


def test_hidden_checks_are_shown_where_the_course_says_so(tmp_path: Path) -> None:
    found = on_server.Bundle(_unpack(tmp_path, 'hidden = "shown"'))
    assert found.settings.hidden == "shown"


def test_a_leaderboard_shows_what_was_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made.keep_fork_servers(monkeypatch)
    settings = 'leaderboard = { "accuracy in percent" = "accuracy" }'
    course = made.write_course(tmp_path / "course", "gradescope", settings, hidden=WITH_THRESHOLD)
    (course.suite("tiny") / "thresholds.toml").write_text(THRESHOLDS)
    server = Gradescope(tmp_path / "root", made.make(course, "gradescope").read_bytes())
    for source, value in ((tiny.REFERENCE, 84.0), (tiny.STUB, "-")):
        results = grade_here(server, {"tiny_module.py": source.encode()})
        board = [{"name": "accuracy in percent", "value": value, "order": "desc"}]
        assert results["leaderboard"] == board


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ("memory = 512", "unknown key `servers.gradescope.memory`"),
        ('hidden = "sometimes"', "`servers.gradescope.hidden` is 'sometimes'; expected 'shown', 'closed' or"),
        ('index = "pypi.org; rm -rf /"', "`servers.gradescope.index` is 'pypi.org; rm -rf /'"),
        ("seconds = 5", "`servers.gradescope.seconds` is 5"),
        ('leaderboard = { accuracy = "none" }', "shows 'none', no threshold of the suite"),
    ],
)
def test_a_setting_that_is_wrong_is_named(tmp_path: Path, settings: str, error: str) -> None:
    tiny.write_course(tmp_path)
    with (tmp_path / "course.toml").open("a") as file:
        file.write(f"\n[servers.gradescope]\n{settings}\n")
    done = made.run("bundle", "tiny", "gradescope", "--course", tmp_path)
    assert done.exit_code == 2
    assert error in done.output
    assert done.output.count("\n") == 1
    assert not (tmp_path / "dist").exists()


def test_an_unknown_server_is_named(tmp_path: Path) -> None:
    tiny.write_course(tmp_path)
    done = made.run("bundle", "tiny", "gradscope", "--course", tmp_path)
    assert done.exit_code == 2
    assert done.output.startswith("error: gradscope: the kit knows no such server; did you mean gradescope?")


def test_a_suite_that_the_reference_fails_is_not_bundled(tmp_path: Path) -> None:
    tiny.write_course(tmp_path, hidden=tiny.HIDDEN.replace("2 * SECRET", "3 * SECRET"))
    done = made.run("bundle", "tiny", "gradescope", "--course", tmp_path)
    assert done.exit_code == 2
    assert "the reference fails this test" in done.output
    assert not (tmp_path / "dist").exists()


def test_a_bundle_of_another_version_is_refused(tmp_path: Path) -> None:
    folder = _unpack(tmp_path)
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"kit": "', '"kit": "9.'))
    done = made.run("run", folder, "--root", tmp_path)
    assert done.exit_code == 2
    assert "was made by version 9." in done.output
    assert done.output.count("\n") == 1


@pytest.mark.parametrize(
    "damage",
    [None, "", "{", "[]", "null", '{"users": 3}', '{"users": {}}', pytest.param("[" * 100_000, id="deep")],
)
def test_metadata_that_are_damaged_cost_nobody_the_grade(
    tmp_path: Path, damage: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "autograder").mkdir()
    if damage is not None:
        (tmp_path / "autograder" / "submission_metadata.json").write_text(damage)
    delivery = gradescope.receive(tmp_path, {})
    assert (delivery.student, delivery.submitted_at) == ("", None)
    assert delivery.folder == tmp_path / "autograder" / "submission"
    said = capsys.readouterr().err
    assert "submission_metadata.json: " in said or damage == '{"users": {}}'
    assert said.count("\n") <= 1


@pytest.mark.parametrize("moment", ["yesterday", "99999-01-01", "2026-10-01 14:22:32", "2026-10-01T14:22:32"])
def test_a_time_that_could_be_any_is_none(
    tmp_path: Path, moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "autograder").mkdir()
    known = {
        "users": [{"email": "a@b.edu"}],
        "created_at": moment,
        "assignment": {"due_date": DUE.isoformat()},
    }
    (tmp_path / "autograder" / "submission_metadata.json").write_text(json.dumps(known))
    delivery = gradescope.receive(tmp_path, {})
    assert delivery.student == "a@b.edu"
    assert delivery.submitted_at is None
    assert lateness(delivery) is None
    assert f"`created_at` is {moment!r}" in capsys.readouterr().err


def test_a_bundle_that_has_lost_or_changed_a_file_grades_nobody(tmp_path: Path) -> None:
    folder = _unpack(tmp_path)
    for path in sorted((folder / "course").rglob("*")):
        if path.is_file():
            kept = path.read_bytes()
            for damage in (None, b"", kept[: len(kept) // 2], kept.replace(b"assert", b"assert True or")):
                if damage != kept:
                    path.unlink() if damage is None else path.write_bytes(damage)
                    done = made.run("run", folder, "--root", tmp_path)
                    path.write_bytes(kept)
                    assert done.exit_code == 2, (path, damage)
                    assert done.output.startswith(f"error: {path}: ")
                    assert done.output.count("\n") == 1
                    assert "make the bundle again" in done.output


def test_settings_in_a_manifest_that_nobody_knows_are_damage(tmp_path: Path) -> None:
    folder = _unpack(tmp_path)
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"settings": {', '"settings": {"colour": 1,', 1))
    done = made.run("run", folder, "--root", tmp_path)
    assert done.exit_code == 2
    assert "manifest.json: is damaged" in done.output
    assert done.output.count("\n") == 1


@pytest.mark.parametrize("place", [".", "", "/"])
@pytest.mark.parametrize("server", ["gradescope", "autolab"])
def test_a_folder_is_no_place_for_an_archive(tmp_path: Path, server: str, place: str) -> None:
    course = made.write_course(tmp_path / "course", server)
    done = made.run("bundle", "tiny", server, "--course", course.root, "--output", place)
    assert done.exit_code == 2
    assert "is a folder" in done.output
    assert done.output.count("\n") == 1


def test_a_table_of_no_server_is_named(tmp_path: Path) -> None:
    course = made.write_course(tmp_path / "course", "gradescope")
    file = course.root / "course.toml"
    file.write_text(file.read_text() + "\n[servers.gradscope]\nmemory_mb = 300\n")
    done = made.run("bundle", "tiny", "gradescope", "--course", course.root)
    assert done.exit_code == 2
    assert done.output == f"error: {file}: unknown table `servers.gradscope`; did you mean gradescope?\n"


def test_half_a_folder_is_removed_and_what_was_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a": BundleFile(b"a"), "b/c": BundleFile(b"c")}
    server = replace(SERVER, archive="")
    bundles.write(files, server, tmp_path / "old")

    def fail(path: Path, content: bytes) -> None:
        if path.name == "c":
            raise ConfigError(str(path), "cannot be written", "")
        path.write_bytes(content)

    monkeypatch.setattr(bundles, "write_private", fail)
    for name in ("old", "new"):
        with pytest.raises(ConfigError):
            bundles.write(files, server, tmp_path / name)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "c", "old"]
    with pytest.raises(ConfigError, match="name a folder"):
        bundles.require_place(tmp_path / "old" / "a", server)


def test_the_zip_itself_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "knn.zip").write_bytes(b"PK")
    done = made.run("run", tmp_path / "knn.zip")
    assert done.exit_code == 2
    assert done.output == f"error: {tmp_path / 'knn.zip'}: is no folder; name that of an unpacked bundle\n"


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    done = made.run("run", tmp_path)
    assert done.exit_code == 2
    assert (
        done.output
        == f"error: {tmp_path}/manifest.json: there is no such file; name the folder of a bundle\n"
    )


def test_a_bundle_is_no_course_to_work_in(tmp_path: Path) -> None:
    folder = _unpack(tmp_path)
    done = made.run("bundle", "tiny", "gradescope", "--course", folder / "course")
    assert done.exit_code == 2
    assert "is part of a bundle for a submission server" in done.output


def _unpack(place: Path, settings: str = "") -> Path:
    """Make a bundle and unpack it; return the folder with its manifest."""
    course = made.write_course(place / "course", "gradescope", settings)
    with zipfile.ZipFile(made.make(course, "gradescope")) as archive:
        archive.extractall(place / "source")
    return place / "source" / "bundle"


# The guide, and the real installation


@pytest.fixture
def knn(tmp_path: Path) -> Path:
    """Return the course's own folder with one assignment in it, as an instructor has it."""
    root = tmp_path / "course"
    for name in ("solutions/knn", "autograder/suites/knn", "assignments/knn"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "course.toml", root)
    return root


def test_the_guides_settings_are_taken(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    course, _ = tiny.write_course(tmp_path)
    (tmp_path / "course.toml").write_text(tiny.COURSE + block)
    found = bundles.settings_of(Course.load(course.root), SERVER)
    assert found.hidden == "shown"
    for key in re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", GUIDE.read_text(), re.MULTILINE))):
        assert key in type(found).model_fields


@pytest.mark.full
def test_the_guide_from_the_zip_to_a_grade(knn: Path, tmp_path: Path) -> None:
    """The real suite, and the real ``setup.sh``, which installs PyTorch and all other packages."""
    (block,) = re.findall(r"```console\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    command, said, printed = block.splitlines()
    assert command.startswith("$ autograder ")
    done = subprocess.run(
        [sys.executable, "-P", "-m", *command[2:].split()],
        cwd=knn,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(printed)
    pattern = re.sub(r"\d+ of", r"\\d+ of", re.escape(said).replace("\\ ", " "))
    assert re.search(pattern, done.stderr), (pattern, done.stderr)
    server = Gradescope(tmp_path / "root", (knn / printed).read_bytes())
    server.set_up({name: value for name, value in os.environ.items() if name.startswith("PIP_")} | INDEXES)
    solution = (knn / "solutions" / "knn" / "knn.py").read_bytes()
    stub = (knn / "assignments" / "knn" / "knn.py").read_bytes()
    for content, points in ((solution, 100), (stub, 0)):
        run = server.grade({"knn.py": content}, level="old-container")
        assert run.results is not None, run.output
        assert run.results["score"] == points
        assert "Sandbox: full." in run.results["output"]
