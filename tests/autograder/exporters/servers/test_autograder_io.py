"""autograder.io: bundles as its models read them, uploads and scores by its API, grading in a container."""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from autograder.commands.main import app
from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.engine.pool import Pool
from autograder.errors import ConfigError
from autograder.exporters.servers import bundles, find_server
from autograder.exporters.servers.autograder_io import config, points
from autograder.exporters.servers.autograder_io.api import Token, find_token
from autograder.exporters.servers.interface import Contents, Files
from autograder.scoring import PlannedTest
from tests.support import tiny
from tests.support.servers import autograder_io, autograder_io_schema
from tests.support.servers.autograder_io import TOKEN, Server
from tests.support.servers.autograder_io_grading import Grading, Ran, entry_of, grade, score_of
from tests.support.servers.autograder_io_site import Site, suites

TABLE = """
[servers.autograder_io]
course = "Deep Learning"
semester = "Fall"
year = 2026
url = "{url}"
"""
CASES = {
    "1 Double a tensor": 24,
    "1 Double a tensor: hidden checks": 36,
    "2 Keep a table": 20,
    "2 Keep a table: hidden checks": 20,
}
"""Of the tiny assignment, and what they are worth at ten points for one."""
NUMBERS = {"pk", "course", "project", "ag_test_suite", "ag_test_case"}
"""Keys of the API whose values number objects."""


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """Return what a bundle of the tiny assignment holds, whose reference has passed."""
    root = tmp_path_factory.mktemp("io")
    course, assignment = tiny.write_course(root)
    (root / "course.toml").write_text(tiny.COURSE + TABLE.format(url="https://autograder.io"))
    course = Course.load(root)
    server = find_server("autograder.io")
    return bundles.gather(course, assignment, server, sandbox="weak", open_engine=Pool)


@pytest.fixture(scope="module")
def made(contents: Contents) -> Files:
    """Return the files of the bundle."""
    return find_server("autograder_io").pack(contents)


@dataclass
class Instructor:
    """An instructor with a course, a bundle of its assignment and a token, beside a server."""

    root: Path
    site: Site
    server: Server

    def run(self, *words: object) -> Result:
        """Run the command line in the course."""
        return CliRunner().invoke(app, [*map(str, words), "--course", str(self.root)])

    def upload(self) -> Result:
        return self.run("upload", "tiny", "autograder_io")

    def fetch(self) -> Result:
        return self.run("fetch", "tiny", "autograder_io")

    @property
    def bundle(self) -> Path:
        return self.root / "dist" / "tiny-autograder_io"

    @property
    def suite(self) -> dict[str, Any]:
        (found,) = self.site.all("AGTestSuite")
        return found

    @property
    def state(self) -> dict[str, Any]:
        """What there is on the server, its objects numbered from zero, for comparison."""
        places: dict[int, int] = {}
        for found in self.site.objects.values():
            for pk in found:
                places[pk] = len(places)

        def renumber(value: Any) -> Any:
            if isinstance(value, dict):
                return {
                    key: places[one] if key in NUMBERS and one is not None else renumber(one)
                    for key, one in value.items()
                }
            return [renumber(one) for one in value] if isinstance(value, list) else value

        return {kind: [renumber(one) for one in of.values()] for kind, of in self.site.objects.items()}


@pytest.fixture
def instructor(made: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Instructor]:
    """Return an instructor who has made a bundle, and its course and image on autograder.io."""
    tiny.write_course(tmp_path)
    site = Site()
    course = site.add("Course", name="Deep Learning", semester="Fall", year=2026)
    image = yaml.safe_load(made["agproject.yml"].content)["project"]["test_suites"][0]["sandbox_docker_image"]
    site.add("SandboxDockerImage", display_name="Default", course=None)
    site.add("SandboxDockerImage", display_name=image, course=course["pk"])
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".agtoken").write_text(f"{TOKEN}\n")
    with autograder_io.serve(site) as server:
        (tmp_path / "course.toml").write_text(tiny.COURSE + TABLE.format(url=server.url))
        found = Instructor(tmp_path, site, server)
        bundles.write(made, find_server("autograder_io"), found.bundle)
        yield found


def is_refused(result: Result, *said: str) -> bool:
    """Check that a command ended with one line, status 2 and no trace of the token; say yes."""
    assert result.exit_code == 2, (result.output, result.exception)
    assert result.stderr.count("\n") == 1, result.stderr
    line = result.stderr
    assert line.startswith("error: "), line
    assert "; " in line
    for words in said:
        assert words in line
    assert TOKEN not in result.output
    return True


# The bundle


def members(made: Files) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(made["coursegrad.tar"].content)) as archive:
        found = {one.name: archive.extractfile(one) for one in archive.getmembers()}
        return {name: file.read() for name, file in found.items() if file is not None}


def test_a_bundle_has_the_project_one_archive_and_an_image(made: Files) -> None:
    assert set(made) == {
        "agproject.yml",
        "coursegrad.tar",
        "image/Dockerfile",
        "image/requirements.txt",
        "image/requirements-torch.txt",
    }
    project = yaml.safe_load(made["agproject.yml"].content)["project"]
    (suite,) = project["test_suites"]
    assert {case["name"]: case["custom_scoring"]["max_points"] for case in suite["test_cases"]} == CASES
    assert all(case["custom_scoring"]["source"] == "stderr" for case in suite["test_cases"])
    assert suite["student_files_needed"] == ["tiny_module.py", "tiny.ipynb", "tiny-submission.zip"]


def test_neither_the_secret_nor_a_solution_is_in_it(contents: Contents, made: Files) -> None:
    everything = {**{path: file.content for path, file in made.items()}, **members(made)}
    assert b"31337.0" in everything["bundle/course/suites/tiny/test_hidden.py"]
    secret = contents.course.secret()
    for path, content in everything.items():
        assert b"return 2 * x\n" not in content, path
        assert secret not in content, path
        assert secret.hex().encode() not in content, path
    assert b"raise NotImplementedError" in everything["bundle/course/solutions/tiny/tiny_module.py"]


def test_the_same_course_makes_the_same_bundle_again(contents: Contents, made: Files) -> None:
    assert find_server("autograder_io").pack(contents) == made
    assert sorted(one for one in members(made) if "/" not in one) == ["grade.sh", "setup.sh", "show.sh"]


def test_an_image_with_other_packages_has_another_name() -> None:
    from autograder.exporters.servers.autograder_io.bundle import _name

    one, other = (_name({"Dockerfile": b"", "requirements.txt": text}, "3.11") for text in (b"a==1", b"a==2"))
    assert one != other
    assert one.startswith("coursegrad-3.11-")


def refuse(text: str) -> str:
    """Return why an ``agproject.yml`` is refused."""
    with pytest.raises(ConfigError) as caught:
        config.parse(text, Path("agproject.yml"))
    assert caught.value.where == "agproject.yml"
    return caught.value.found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("time_limit: 90", "time_limit: 91", "test_cases[1].resources.time_limit`: expected 1 to 90"),
        ("time_limit: 90", "time_limit: 500", "expected 1 to 90"),
        ("time_limit: 90", "time_limit: 0", "expected 1 to 90"),
        ("time_limit: 90", "time_limt: 90", "resources.time_limt`: unknown key"),
        ("time_limit: 90", "time_limit: 45.0", "expected a whole number, not 45.0"),
        ("time_limit: 90", "time_limit: '45'", "expected a whole number, not '45'"),
        ("max_points: 24", "max_points: 2.5", "custom_scoring.max_points`"),
        ("max_points: 24", "max_points: 24.0", "expected a whole number, not 24.0"),
        ("max_points: 24", "max_points: true", "expected a whole number, not True"),
        ("max_points: 24", "max_points: -1", "expected 0 or more"),
        ("source: stderr", "source: stdin", "custom_scoring.source`"),
        ("source: stderr", "origin: stderr", "custom_scoring"),
        ("block_process_spawn: false", "block_process_spawn: true", "expected false"),
        ("block_process_spawn: false", "block_process_spawn: 'no'", "expected true or false, not 'no'"),
        ("setup_cmd: rm", "setup_comand: rm", "test_suites[1].setup_comand`: unknown key"),
        ("test_suites:", "test_suits:", "project.test_suits`: unknown key"),
        ("project:", "projekt:", "project`"),
        ("name: 2 Keep a table", "name: 1 Double a tensor", "1 Double a tensor is there twice"),
        ("name: 2 Keep a table", "name: ''", "expected 1 to 255 characters, not 0"),
        ("normal: shown", "normal: shwon", "there is no preset 'shwon'"),
        ("show_points: true", "show_point: true", "show_points"),
        ("  - coursegrad.tar", "  - other.tar", "other.tar is no file of the project"),
        ("    - tiny.ipynb", "    - tiny2.ipynb", "tiny2.ipynb is no file of the project"),
        ("semester: Fall", "semester: Autumn", "project.course.semester"),
        ("timezone: UTC", "timezone: Mars", "timezone"),
        ("project:", "project: [", "is not valid YAML"),
    ],
)
def test_what_the_models_let_through_is_refused(made: Files, old: str, new: str, said: str) -> None:
    text = made["agproject.yml"].content.decode()
    assert old in text
    assert said in refuse(text.replace(old, new, 1))


def test_what_the_kit_cannot_upload_is_refused(made: Files) -> None:
    content = yaml.safe_load(made["agproject.yml"].content)
    case = content["project"]["test_suites"][0]["test_cases"][0]
    case["repeat"] = [{"$x": 1}]
    assert "written out one by one" in refuse(yaml.safe_dump(content))
    del case["repeat"]
    content["project"]["mutation_suites"] = [{"name": "Mutants"}]
    assert "ag project save" in refuse(yaml.safe_dump(content))


def test_without_autograder_cli_one_line_says_how_to_install_it(
    made: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "autograder_cli.config.models", None)
    with pytest.raises(ConfigError, match=r"pip install 'coursegrad\[servers\]'"):
        config.parse(made["agproject.yml"].content.decode(), Path("agproject.yml"))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "`servers.autograder_io.course` is missing; add it"),
        ('course = "A"\nsemester = "Autumn"', "`servers.autograder_io.semester` is 'Autumn'"),
        ('course = "A"\nseconds = 120', "`servers.autograder_io.seconds` is 120"),
        ('course = "A"\nurl = "http://example.org"', "a token needs https"),
        ('course = "A"\nscale = 0.5', "`servers.autograder_io.scale` is 0.5"),
        ('course = "A"\ntoken = "x"', "unknown key `servers.autograder_io.token`"),
    ],
)
def test_settings_of_the_course_are_checked(instructor: Instructor, table: str, said: str) -> None:
    (instructor.root / "course.toml").write_text(f"{tiny.COURSE}\n[servers.autograder_io]\n{table}\n")
    assert is_refused(instructor.upload(), said)
    assert not instructor.site.seen


# Points


def plan_of(*weights: str) -> tuple[PlannedTest, ...]:
    """Return hidden tests of both tiny tasks with weights such as ``"double 1/3"``."""
    return tuple(
        PlannedTest(f"t{n}", "T", task, "hidden", "value", Fraction(weight), 1, 256)
        for n, (task, _, weight) in enumerate(one.partition(" ") for one in weights)
    )


def load(root: Path, table: str = 'course = "A"') -> tuple[Any, Any]:
    tiny.write_course(root)
    (root / "course.toml").write_text(f"{tiny.COURSE}\n[servers.autograder_io]\n{table}\n")
    course = Course.load(root)
    settings = bundles.settings_of(course, find_server("autograder_io"))
    return assignments.load(course, "tiny"), settings


def test_points_become_whole_numbers_by_the_smallest_factor(tmp_path: Path) -> None:
    assignment, settings = load(tmp_path)
    # Six points in thirds and halves of thirds, and what a slip costs at most: 3/2 of six, 1 of four.
    plan = plan_of("double 1", "double 2", "table 1", "table 1", "table 1")
    assert points.choose_scale(assignment, plan, settings) == 6
    assert points.possible(assignment, plan, 6) == {("double", "hidden"): 36, ("table", "hidden"): 24}
    assert points.earned([1.3333, 1.3333, 2], 6) == 28


def test_fractions_that_need_too_large_a_factor_are_refused_unless_rounding_is_chosen(tmp_path: Path) -> None:
    plan = plan_of("double 1", "table 1", "table 1/1013")
    assignment, settings = load(tmp_path)
    with pytest.raises(ConfigError, match="scale = 100 below") as caught:
        points.choose_scale(assignment, plan, settings)
    assert caught.value.where == str(assignment.file)
    assignment, settings = load(tmp_path, 'course = "A"\nscale = 100')
    assert points.choose_scale(assignment, plan, settings) == 100
    assert points.possible(assignment, plan, 100)["table", "hidden"] == 400


# Uploads


def test_a_first_upload_makes_everything_and_a_second_changes_nothing(instructor: Instructor) -> None:
    first = instructor.upload()
    assert first.exit_code == 0, first.output
    (project,) = instructor.site.all("Project")
    assert (project["name"], project["visible_to_students"]) == ("Tiny", False)
    assert project["hide_ultimate_submission_fdbk"]
    cases = {
        one["name"]: one["max_points_for_custom_scoring"] for one in instructor.site.all("AGTestCommand")
    }
    assert cases == CASES
    (file,) = instructor.site.all("InstructorFile")
    assert instructor.site.contents[file["pk"]] == (instructor.bundle / "coursegrad.tar").read_bytes()
    made, changes = instructor.state, list(instructor.site.changes)
    assert (
        first.stdout
        == f"Tiny: {len(changes)} created; see {instructor.server.url}/web/project_admin/{project['pk']}\n"
    )
    second = instructor.upload()
    assert second.exit_code == 0
    assert "nothing to change" in second.stdout
    assert (instructor.state, instructor.site.changes) == (made, changes)


def test_an_upload_that_breaks_off_goes_on_at_the_next_run(instructor: Instructor) -> None:
    assert instructor.upload().exit_code == 0
    whole, steps = instructor.state, len(instructor.site.changes)
    assert steps > 10
    for kind in (
        "Project",
        "ExpectedStudentFile",
        "InstructorFile",
        "AGTestSuite",
        "AGTestCase",
        "AGTestCommand",
    ):
        instructor.site.objects[kind].clear()
    instructor.site.changes.clear()
    for done in range(steps):
        instructor.site.breaks_after = done
        assert is_refused(instructor.upload(), "cannot be reached", "run it again")
        assert len(instructor.site.changes) == done
    instructor.site.breaks_after = None
    assert instructor.upload().exit_code == 0
    assert (instructor.state, len(instructor.site.changes)) == (whole, steps)


def test_what_differs_is_changed_and_what_people_have_set_stays(instructor: Instructor) -> None:
    assert instructor.upload().exit_code == 0
    (project,) = instructor.site.all("Project")
    published = {"visible_to_students": True, "hide_ultimate_submission_fdbk": False}
    project |= published
    project |= {"closing_time": "2026-12-24T00:00:00Z", "max_group_size": 2}
    command = instructor.site.all("AGTestCommand")[0]
    command |= {"time_limit": 10, "cmd": "true"}
    (file,) = instructor.site.all("InstructorFile")
    instructor.site.contents[file["pk"]] = b"x" * file["size"]
    instructor.site.changes.clear()
    assert "2 changed" in instructor.upload().stdout
    assert sorted(instructor.site.changes) == [
        "PATCH /api/ag_test_commands/{id}/",
        "PUT /api/instructor_files/{id}/content/",
    ]
    assert command["time_limit"] == 90
    assert published.items() <= project.items()
    assert project["max_group_size"] == 2


def test_a_suite_that_was_there_before_stays_and_ours_comes_first(instructor: Instructor) -> None:
    (course,) = instructor.site.all("Course")
    project = instructor.site.add("Project", course=course["pk"], name="Tiny", timezone="UTC")
    own = instructor.site.add("AGTestSuite", project=project["pk"], name="Style", _place=0)
    assert instructor.upload().exit_code == 0
    suites = {one["name"]: one for one in instructor.site.all("AGTestSuite")}
    assert (suites["CourseGrad"]["_place"], suites["Style"]["_place"]) == (0, 1)
    assert suites["CourseGrad"]["reject_submission_if_setup_fails"]
    assert own["name"] == "Style"
    assert "nothing to change" in instructor.upload().stdout


@pytest.mark.parametrize("words", [("upload",), ("fetch",)])
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda one: (one.root / ".agtoken").write_text("f" * 40),
            ["does not accept this token", ".agtoken"],
        ),
        (lambda one: (one.root / ".agtoken").unlink(), ["there is no token", "__apitoken__"]),
        (lambda one: (one.root / ".agtoken").write_text("two words"), ["does not hold one token"]),
        (lambda one: (one.root / ".agtoken").write_bytes(b"\xff\xfe"), ["cannot be read"]),
        (lambda one: setattr(one.site, "status", 503), ["with 503", "wait a while"]),
        (
            lambda one: setattr(one.site, "status", 429),
            ["with 429", "Not now, Token [token]", "wait a while"],
        ),
        (lambda one: setattr(one.site, "redirects", True), ["sends requests elsewhere", "`url`"]),
        (lambda one: setattr(one.site, "is_admin", False), ["no admin of Deep Learning Fall 2026"]),
        (
            lambda one: one.site.objects["Course"].clear(),
            ["has no course Deep Learning Fall 2026", "make it"],
        ),
    ],
)
def test_what_stands_in_the_way_is_one_line_and_nothing_is_changed(
    instructor: Instructor, words: tuple[str], spoil: Callable[[Instructor], object], said: list[str]
) -> None:
    spoil(instructor)
    before = instructor.state
    assert is_refused(instructor.run(*words, "tiny", "autograder_io"), *said)
    assert not instructor.site.changes
    assert instructor.state == before


def test_a_server_that_is_down_is_one_line(instructor: Instructor) -> None:
    (instructor.root / "course.toml").write_text(tiny.COURSE + TABLE.format(url="http://127.0.0.1:9"))
    assert is_refused(instructor.upload(), "http://127.0.0.1:9: cannot be reached (no connection)")
    assert is_refused(instructor.fetch(), "cannot be reached")


def test_an_image_that_is_not_there_is_named_with_what_builds_it(instructor: Instructor) -> None:
    instructor.site.objects["SandboxDockerImage"].popitem()
    assert is_refused(
        instructor.upload(), "has no sandbox image coursegrad-", str(instructor.bundle / "image")
    )
    assert not instructor.site.changes


def test_a_test_case_that_the_bundle_lacks_is_refused_before_anything_changes(instructor: Instructor) -> None:
    assert instructor.upload().exit_code == 0
    instructor.site.add("AGTestCase", ag_test_suite=instructor.suite["pk"], name="3 More", _place=4)
    instructor.site.all("AGTestCommand")[0]["time_limit"] = 10
    instructor.site.changes.clear()
    assert is_refused(instructor.upload(), "not in the bundle: 3 More", "delete or rename")
    assert not instructor.site.changes


def replace_in_tar(path: Path, change: Callable[[bytes], bytes], name: str = "bundle/manifest.json") -> None:
    found = {}
    with tarfile.open(path) as archive:
        for one in archive.getmembers():
            file = archive.extractfile(one)
            assert file is not None
            found[one.name] = file.read()
    found[name] = change(found[name])
    with tarfile.open(path, "w") as archive:
        for member, content in found.items():
            entry = tarfile.TarInfo(member)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"kit": "0.1.0"', b'"kit": "0.0.9"', "made by version 0.0.9 of the kit, and this is 0.1.0"),
        (b'"assignment": "tiny"', b'"assignment": "knn"', "grades knn on autograder_io"),
        (b'"server": "autograder_io"', b'"server": "gradescope"', "grades tiny on gradescope"),
        (b'"format": 1', b'"format": 2', "is damaged, or of another version"),
    ],
)
def test_a_bundle_of_another_version_is_refused(
    instructor: Instructor, old: bytes, new: bytes, said: str
) -> None:
    def change(content: bytes) -> bytes:
        assert old in content
        return content.replace(old, new)

    replace_in_tar(instructor.bundle / "coursegrad.tar", change)
    assert is_refused(instructor.upload(), said, "autograder bundle tiny autograder_io")
    assert not instructor.site.seen


def test_bundles_that_cannot_be_used_are_refused(instructor: Instructor) -> None:
    archive = instructor.bundle / "coursegrad.tar"
    archive.write_bytes(b"x" * 15_000_001)
    assert is_refused(instructor.upload(), "has 15000001 bytes, and autograder.io takes 15000000")
    archive.write_bytes(b"no archive")
    assert is_refused(instructor.upload(), "is damaged")
    archive.unlink()
    assert is_refused(instructor.upload(), "cannot be read")
    (instructor.bundle / "agproject.yml").write_text("project: {}")
    assert is_refused(instructor.upload(), "`project.name`: Field required")
    (instructor.bundle / "agproject.yml").unlink()
    assert is_refused(instructor.upload(), "there is no bundle", "autograder bundle tiny autograder_io")
    assert not instructor.site.seen


def test_a_server_without_an_api_is_refused(instructor: Instructor) -> None:
    assert is_refused(instructor.run("upload", "tiny", "gradescope"), "lets no program upload")


# The token


def test_a_token_is_found_as_autograder_cli_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from autograder_cli.utils import get_api_token

    home, deep = tmp_path / "home", tmp_path / "home" / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(deep)
    for folder in (home, home / "a", deep):
        (folder / ".agtoken").write_text(f"token-of-{folder.name}\n")
        assert find_token().secret == get_api_token(".agtoken") == f"token-of-{folder.name}"
    (tmp_path / "other").write_text("token-elsewhere")
    assert find_token(str(tmp_path / "other")).secret == "token-elsewhere"
    (tmp_path / ".agtoken").write_text("token-of-nobody")
    monkeypatch.chdir(tmp_path)
    assert find_token().secret == "token-of-home", "above the home folder there may be anybody's files"


def test_the_token_is_nowhere_but_in_the_header(instructor: Instructor) -> None:
    result = instructor.upload()
    assert set(instructor.site.seen) == {f"Token {TOKEN}"}
    assert TOKEN not in result.output
    assert TOKEN not in repr(Token(Path("x"), TOKEN))
    for path in instructor.bundle.rglob("*"):
        assert path.is_dir() or TOKEN.encode() not in path.read_bytes(), path
    assert TOKEN not in repr(instructor.state)


def test_a_netrc_takes_nothing_in_its_place(instructor: Instructor) -> None:
    (instructor.root / ".netrc").write_text("machine 127.0.0.1\nlogin eve\npassword other\n")
    (instructor.root / ".netrc").chmod(0o600)
    assert instructor.upload().exit_code == 0
    assert set(instructor.site.seen) == {f"Token {TOKEN}"}


# The server


def test_the_server_of_these_tests_refuses_what_the_real_one_refuses(instructor: Instructor) -> None:
    import requests

    assert instructor.upload().exit_code == 0
    (project,), command = instructor.site.all("Project"), instructor.site.all("AGTestCommand")[0]
    url, header = instructor.server.url, {"Authorization": f"Token {TOKEN}"}

    def patch(path: str, body: object) -> int:
        return requests.patch(url + path, json=body, headers=header, timeout=30).status_code

    own = f"/api/ag_test_commands/{command['pk']}/"
    assert patch(own, {"time_limit": 90}) == 200
    assert patch(own, {"time_limit": 91}) == 400
    assert patch(own, {"time_limt": 90}) == 400
    assert patch(own, {"max_points_for_custom_scoring": 2.5}) == 400
    assert patch(own, {"max_points_for_custom_scoring": True}) == 400
    assert patch(own, {"custom_scoring_source": "both"}) == 400
    assert patch(own, {"normal_fdbk_config": {"visible": True}}) == 400
    assert patch(f"/api/projects/{project['pk']}/", {"ultimate_submission_policy": "first"}) == 400
    assert patch("/api/ag_test_commands/999999/", {"time_limit": 90}) == 404
    file = {"file_obj": ("more.bin", b"x" * 15_000_001)}
    path = f"/api/projects/{project['pk']}/instructor_files/"
    assert requests.post(url + path, files=file, headers=header, timeout=30).status_code == 400
    second = {"name": "Second", "reject_submission_if_setup_fails": True}
    path = f"/api/projects/{project['pk']}/ag_test_suites/"
    assert requests.post(url + path, json=second, headers=header, timeout=30).status_code == 400
    assert requests.get(url + path, timeout=30).status_code == 401
    assert autograder_io_schema.operation("DELETE", "/api/users/current/") is None


# Scores


GOOD = {"tiny_module.py": tiny.REFERENCE.encode()}


def enter(instructor: Instructor, student: str, **earned: int) -> dict[str, Any]:
    """Add the result of a student's final submission, by the first words of the test cases' names."""
    (project,) = instructor.site.all("Project")
    suite = suites(instructor.site, str(project["pk"]))[0]
    scores = dict(zip(CASES, earned.values(), strict=False))
    ran = {name: Ran(0, "", "") for name in scores}
    nowhere = instructor.root / "container"
    grading = Grading("finished_grading", nowhere, suite, Ran(0, "", ""), ran, scores, {})
    entry = entry_of(project, student, grading)
    instructor.site.results.append(entry)
    return entry


def test_scores_come_back_as_points_of_the_course(instructor: Instructor) -> None:
    assert instructor.upload().exit_code == 0
    instructor.site.page_size = 2
    enter(instructor, "eve@umich.edu", a=24, b=36, c=20, d=20)
    enter(instructor, "ada@umich.edu", a=24, b=7, c=0, d=20)
    enter(instructor, "=bob@umich.edu", a=24, b=36)
    enter(instructor, "zoe@umich.edu")["ultimate_submission"] = None
    broken = enter(instructor, "dan@umich.edu", a=24, b=36, c=20, d=0)["ultimate_submission"]["results"]
    cases = broken["ag_test_suite_results"][0]["ag_test_case_results"]
    cases[3]["ag_test_command_results"][0]["custom_scoring_error"] = "no score was found"
    result = instructor.fetch()
    assert result.exit_code == 0, result.output
    rows = {row["student"]: row for row in csv.DictReader(io.StringIO(result.stdout))}
    assert list(rows) == [
        "'=bob@umich.edu",
        "ada@umich.edu",
        "dan@umich.edu",
        "eve@umich.edu",
        "zoe@umich.edu",
    ]
    assert [rows["eve@umich.edu"][key] for key in ("score", "max_score", "double", "table")] == [
        "10",
        "10",
        "6",
        "4",
    ]
    assert [rows["ada@umich.edu"][key] for key in ("score", "double", "table")] == ["5.1", "3.1", "2"]
    states = {student: (row["status"], row["score"]) for student, row in rows.items()}
    assert states["eve@umich.edu"] == ("graded", "10")
    assert states["zoe@umich.edu"] == ("nothing handed in", "")
    assert states["dan@umich.edu"] == states["'=bob@umich.edu"] == ("not finished", "")


def test_scores_go_to_a_file_of_the_instructor_alone(instructor: Instructor) -> None:
    assert instructor.upload().exit_code == 0
    enter(instructor, "ada@umich.edu", a=24, b=36, c=20, d=20)
    target = instructor.root / "scores.csv"
    result = instructor.run("fetch", "tiny", "autograder_io", "--output", target)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{target}: the scores of 1 students\n"
    assert target.stat().st_mode & 0o777 == 0o600
    assert target.read_text().startswith("student,name,score,max_score,double,table,status,")


def test_no_scores_while_submissions_are_graded(instructor: Instructor) -> None:
    assert instructor.upload().exit_code == 0
    entry = enter(instructor, "ada@umich.edu", a=24, b=36, c=20, d=20)
    for status in ("waiting_for_deferred", "queued"):
        entry["ultimate_submission"]["status"] = status
        assert is_refused(instructor.fetch(), "is still grading", "wait until it has finished")
    entry["ultimate_submission"]["status"] = "being_graded"
    assert is_refused(instructor.fetch(), "Some submissions are still being graded")
    entry["ultimate_submission"]["status"] = "finished_grading"
    instructor.site.queued = 3
    assert is_refused(instructor.fetch(), "have not finished: 3")


def test_scores_of_another_bundle_or_of_no_project_are_refused(instructor: Instructor) -> None:
    assert is_refused(instructor.fetch(), "has no project Tiny", "autograder upload tiny autograder_io")
    assert instructor.upload().exit_code == 0
    enter(instructor, "ada@umich.edu", a=24, b=36, c=20, d=20)
    assert instructor.fetch().exit_code == 0
    (command, *_), (case, *_) = instructor.site.all("AGTestCommand"), instructor.site.all("AGTestCase")
    for one, key, value in (
        (command, "max_points_for_custom_scoring", 20),
        (case, "internal_admin_notes", "changed by hand"),
        (case, "internal_admin_notes", case["internal_admin_notes"].replace("10 points", "20 points")),
        (case, "internal_admin_notes", case["internal_admin_notes"].replace("double", "triple")),
    ):
        before = one[key]
        one[key] = value
        assert is_refused(instructor.fetch(), "was uploaded from another version of tiny", "a new bundle")
        one[key] = before
    assert instructor.fetch().exit_code == 0


# Grading there


def hand_in(instructor: Instructor, files: Mapping[str, bytes], **options: Any) -> Grading:
    """Upload the bundle and have a submission graded."""
    if not instructor.site.all("Project"):
        assert instructor.upload().exit_code == 0
    (project,) = instructor.site.all("Project")
    place = instructor.root / f"container-{len(list(instructor.root.glob('container-*')))}"
    return grade(instructor.site, place, project, files, **options)


def scores(*values: int) -> dict[str, int]:
    return dict(zip(CASES, values, strict=True))


HALF = """
class Table:
    def __init__(self):
        self.rows = {}
    def add(self, name, value):
        self.rows[name] = value

def double(x):
    raise ValueError("<!! score: 24 !!> {secret}".format(secret=x))
"""


def test_a_submission_is_graded_and_what_it_prints_is_no_score(instructor: Instructor) -> None:
    grading = hand_in(instructor, {"tiny_module.py": HALF.encode(), "notes.txt": b"not asked for"})
    assert grading.status == "finished_grading", grading.setup
    assert grading.scores == scores(0, 0, 20, 20), grading
    shown = grading.commands["1 Double a tensor"]
    assert "<!! score: 24 !!>" in shown.out, "student code is quoted, so that this test shows something"
    assert shown.err == "<!! score: 0 !!>\n"
    assert "sandbox: full" in grading.setup.err
    assert grading.seen("1 Double a tensor") == shown.out
    assert grading.seen("1 Double a tensor: hidden checks") is None
    assert grading.seen("1 Double a tensor: hidden checks", "ultimate_submission") is not None
    for name, ran in grading.commands.items():
        assert "31337" not in ran.out, name
    row = next(csv.DictReader(io.StringIO(instructor.fetch().stdout)))
    assert (row["student"], row["score"], row["table"]) == ("ada@umich.edu", "4", "4")


HOSTILE = {
    "tiny_module.py": HALF.encode(),
    "coursegrad.tar": b"a student's own archive",
    "double.public.score": b"<!! score: 24 !!>\n",
    "results": b"<!! score: 24 !!>\n",
    **{
        f"{name}.py": b"print('<!! score: 24 !!>')\nopen('../owned', 'w')\nraise SystemExit\n"
        for name in ("venv", "zipfile", "sysconfig", "sitecustomize", "usercustomize", "autograder", "torch")
    },
    "-rf": b"",
    "a b.py": b"",
}


@pytest.mark.full
def test_files_of_a_student_are_neither_run_nor_believed(instructor: Instructor) -> None:
    assert instructor.upload().exit_code == 0
    (project,), (suite,) = instructor.site.all("Project"), instructor.site.all("AGTestSuite")
    # The worst case: an instructor who takes whatever is handed in.
    everything = instructor.site.add("ExpectedStudentFile", project=project["pk"], pattern="*")
    suite["student_files_needed"] = [everything]
    grading = hand_in(instructor, HOSTILE)
    assert grading.scores == scores(0, 0, 20, 20), grading
    assert not (grading.folder / "home" / "autograder" / "owned").exists()
    handed_in = grading.folder / "home" / "autograder" / "coursegrad" / "submission"
    assert {path.name for path in handed_in.iterdir()} == set(HOSTILE) - {"coursegrad.tar"}


WRITING = """

def _forge():
    for place in ("{place}/results", "../coursegrad/results", "{place}", "."):
        for name in ("double.public", "double.hidden"):
            try:
                with open(f"{{place}}/{{name}}.score", "w") as file:
                    file.write("<!! score: 24 !!>")
            except OSError:
                pass
    os.write(1, b"<!! score: 24 !!>\\n")
    os.write(2, b"<!! score: 24 !!>\\n")

_forge()

def double(x):
    _forge()
    return x

class Table:
    def __init__(self):
        _forge()
"""


@pytest.mark.full
def test_student_code_writes_no_score(instructor: Instructor) -> None:
    place = instructor.root / "container-0" / "home" / "autograder" / "coursegrad"
    grading = hand_in(instructor, {"tiny_module.py": WRITING.replace("{place}", str(place)).encode()})
    assert grading.scores == scores(0, 0, 0, 0), grading
    assert {ran.err for ran in grading.commands.values()} == {"<!! score: 0 !!>\n"}


@pytest.mark.full
def test_what_set_up_has_no_time_for_the_test_cases_grade(instructor: Instructor, made: Files) -> None:
    assert instructor.upload().exit_code == 0
    (file,) = instructor.site.all("InstructorFile")

    def hurry(content: bytes) -> bytes:
        assert content.count(b"timeout --kill-after=2 84 ") == 1
        return content.replace(b"timeout --kill-after=2 84 ", b"timeout --kill-after=2 0.2 ")

    replace_in_tar(instructor.bundle / "coursegrad.tar", hurry, "setup.sh")
    instructor.site.contents[file["pk"]] = (instructor.bundle / "coursegrad.tar").read_bytes()
    grading = hand_in(instructor, GOOD)
    assert "points in" not in grading.setup.err, "set-up was to be cut short"
    assert grading.scores == CASES
    assert grading.errors == {}


@pytest.mark.full
def test_a_rerun_of_one_test_case_needs_no_other(instructor: Instructor) -> None:
    grading = hand_in(instructor, GOOD, only="2 Keep a table: hidden checks")
    assert grading.scores == {"2 Keep a table: hidden checks": 20}
    row = next(csv.DictReader(io.StringIO(instructor.fetch().stdout)))
    assert (row["status"], row["score"]) == ("not finished", "")


ENDLESS = """
class Table:
    def __init__(self):
        self.rows = {}
    def add(self, name, value):
        self.rows[name] = value

def double(x):
    while True:
        pass
"""


@pytest.mark.full
def test_a_loop_without_end_costs_its_task_alone(instructor: Instructor) -> None:
    grading = hand_in(instructor, {"tiny_module.py": ENDLESS.encode()})
    assert grading.scores == scores(0, 0, 20, 20)


@pytest.mark.full
@pytest.mark.parametrize(
    "files", [{}, {"tiny_module.py": b"def double(x:\n"}, {"tiny.ipynb": b"no notebook"}]
)
def test_what_cannot_be_graded_earns_nothing_and_is_told_why(
    instructor: Instructor, files: dict[str, bytes]
) -> None:
    grading = hand_in(instructor, files)
    assert grading.status == "finished_grading", grading.setup
    assert grading.scores == scores(0, 0, 0, 0)
    assert "tiny_module.py" in grading.commands["1 Double a tensor"].out, grading


@pytest.mark.full
@pytest.mark.parametrize(
    "spoil",
    [
        lambda one: {"python": str(one.root / "nothing")},
        lambda one: (
            replace_in_tar(
                one.bundle / "coursegrad.tar", lambda content: content.replace(b'"0.1.0"', b'"0.0.9"')
            )
            or {}
        ),
    ],
)
def test_a_server_that_can_grade_nothing_rejects_the_submission(
    instructor: Instructor, spoil: Callable[[Instructor], dict[str, str]]
) -> None:
    assert instructor.upload().exit_code == 0
    options = spoil(instructor)
    (file,) = instructor.site.all("InstructorFile")
    instructor.site.contents[file["pk"]] = (instructor.bundle / "coursegrad.tar").read_bytes()
    grading = hand_in(instructor, GOOD, **options)
    assert grading.status == "rejected"
    assert grading.setup.code not in (0, None)
    assert len(grading.setup.err.splitlines()) == 1, grading.setup
    assert grading.scores == {}


def test_scores_in_another_form_are_no_scores() -> None:
    command = {
        "custom_scoring_source": "stderr",
        "custom_scoring_regex": r"(?i)<!!\s*score:\s*(-?\d+)\s*!!>",
        "max_points_for_custom_scoring": 5,
    }
    assert score_of(command, Ran(0, "<!! score: 5 !!>", "<!! score: 1 !!>\n<!! score: 3 !!>")) == 3
    for text in ("", "<!! score: 2.5 !!>", "score: 3", "<!! score: 6 !!>", "<!! score: -1 !!>"):
        with pytest.raises(ValueError, match="score"):
            score_of(command, Ran(0, "<!! score: 5 !!>", text))
