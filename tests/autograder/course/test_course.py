"""The course is found from anywhere inside it, and its secret is made once and kept private."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder import course as course_module
from autograder.course import ROOT_VARIABLE, Course
from autograder.errors import ConfigError


def test_found_from_a_folder_below(course: Course) -> None:
    assert Course.find(course.root / "solutions" / "toy") == course


def test_found_from_the_environment_and_the_current_folder(
    course: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(course.root / "autograder")
    assert Course.find() == course
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(ROOT_VARIABLE, str(course.root))
    assert Course.find() == course


def test_no_course(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no course\.toml here.*--course"):
        Course.find(tmp_path)


def test_unknown_zone_is_refused(course: Course) -> None:
    (course.root / "course.toml").write_text('name = "a"\ntimezone = "Berlin"\n')
    with pytest.raises(ConfigError, match="`timezone` is 'Berlin'"):
        Course.load(course.root)


def test_assignments_are_listed(course: Course) -> None:
    (course.root / "solutions" / "draft").mkdir()
    assert course.assignments() == ("toy",)


def with_list(course: Course, *entries: tuple[str, str]) -> Course:
    """Make assignments, list some, and load the course again."""
    for name in ("alpha", "beta"):
        (course.root / "solutions" / name).mkdir()
        (course.root / "solutions" / name / "assignment.toml").write_text("")
    lines = [f'[[assignments]]\nname = "{name}"\nstatus = "{status}"\n' for name, status in entries]
    with (course.root / "course.toml").open("a") as file:
        file.write("\n".join(lines))
    return Course.load(course.root)


def test_the_list_gives_order_and_status(course: Course) -> None:
    course = with_list(course, ("toy", "released"), ("beta", "closed"))
    assert course.assignments() == ("toy", "beta", "alpha")
    assert [course.status(name) for name in course.assignments()] == ["released", "closed", "draft"]
    assert course.unlisted_assignments() == ("alpha",)


def test_without_a_list_everything_is_released(course: Course) -> None:
    course = with_list(course)
    assert {course.status(name) for name in course.assignments()} == {"released"}
    assert course.unlisted_assignments() == ()


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        (
            (("toy", "hidden"),),
            r"`assignments\[1\]\.status` is 'hidden'; expected 'draft', 'released' or 'closed'",
        ),
        ((("toy", "draft"), ("toy", "closed")), "expected every assignment once"),
    ],
)
def test_mistakes_in_the_list_are_told(
    course: Course, entries: tuple[tuple[str, str], ...], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        with_list(course, *entries)


def test_secret_is_made_once_and_private(course: Course) -> None:
    secret = course.secret()
    assert len(secret) == 32
    assert course.secret() == secret
    assert stat.S_IMODE(course.secret_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(course.secret_file.parent.stat().st_mode) == 0o700
    assert list(course.secret_file.parent.iterdir()) == [course.secret_file]


def test_racing_first_runs_agree(course: Course) -> None:
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: course.secret(), range(32)))
    assert len(secrets) == 1


def test_secret_id_reveals_nothing(course: Course) -> None:
    assert len(course.secret_id()) == 12
    assert course.secret_id() not in course.secret().hex()


def test_secret_that_others_can_read_is_refused(course: Course) -> None:
    course.secret()
    course.secret_file.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        course.secret()


@pytest.mark.parametrize("content", ["", "ab" * 31, "ab" * 33, "zz" * 32, "é" * 64])
def test_malformed_secret_is_refused_and_kept(course: Course, content: str) -> None:
    course.secret()
    course.secret_file.write_text(content)
    with pytest.raises(ConfigError, match="64 hexadecimal digits"):
        course.secret()
    assert course.secret_file.read_text() == content


def test_secret_behind_a_link_or_a_pipe_is_refused(course: Course, tmp_path: Path) -> None:
    course.secret_file.parent.mkdir()
    course.secret_file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="cannot be opened"):
        course.secret()
    course.secret_file.unlink()
    os.mkfifo(course.secret_file, 0o600)
    with pytest.raises(ConfigError, match="not a regular file"):
        course.secret()


def test_every_assignment_has_a_key_of_its_own_that_lasts(course: Course) -> None:
    keys = [course.key(name) for name in ("knn", "linear", "knn")]
    assert keys[0] == keys[2] != keys[1]
    assert {len(key) for key in keys} == {32}
    assert course.secret() not in keys
    course.secret_file.unlink()
    assert course.key("knn") != keys[0]


def test_current_course(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course_module, "_current", None)
    monkeypatch.chdir(course.root)
    assert course_module.current() == course
    course_module.set_current(course)
    monkeypatch.chdir("/")
    assert course_module.current() == course


def test_releases_go_to_the_repository_or_the_remote(course: Course) -> None:
    path = course.root / "course.toml"
    assert course.release.url == ""
    path.write_text(path.read_text() + '[release]\nrepository = "uni/course"\ntag = "2026-autumn"\n')
    release = Course.load(course.root).release
    assert (release.tag, release.url) == ("2026-autumn", "https://github.com/uni/course.git")
    path.write_text(path.read_text() + 'remote = "../public.git"\n')
    assert Course.load(course.root).release.url == "../public.git"


@pytest.mark.parametrize(
    "line",
    [
        'repository = "https://github.com/uni/course"',
        'tag = "v 1"',
        'tag = "--force"',
        'tag = "a..b"',
        'branch = ""',
        'allow = [{lines = "x = 1", reason = "ok"}]',
    ],
)
def test_a_malformed_release_is_refused(course: Course, line: str) -> None:
    path = course.root / "course.toml"
    path.write_text(f"{path.read_text()}[release]\n{line}\n")
    with pytest.raises(ConfigError, match="`release"):
        Course.load(course.root)


def test_a_course_says_what_stands_for_modules_of_other_kits(course: Course) -> None:
    path = course.root / "course.toml"
    assert course.imports == {}
    text = path.read_text()
    path.write_text(
        text + '[imports]\nmine = "a3_helper"\nold = "helpers.training.layers"\n'
        'few = { f = "helpers.training.layers.adam" }\n'
    )
    few = {"f": "helpers.training.layers.adam"}
    assert Course.load(course.root).imports == {
        "mine": "a3_helper",
        "old": "helpers.training.layers",
        "few": few,
    }
    for line in (
        'a-b = "a3_helper"',
        'mine = "os"',
        'few = { f = "a3_helper" }',
        'json = "a3_helper"',
        "x = 3",
    ):
        path.write_text(f"{text}[imports]\n{line}\n")
        with pytest.raises(ConfigError, match="`imports"):
            Course.load(course.root)


@pytest.mark.parametrize("table", ["gradebook", "canvas"])
def test_a_course_says_what_a_gradebook_calls_its_assignments(course: Course, table: str) -> None:
    path = course.root / "course.toml"
    assert course.gradebook_names == {}
    plain = path.read_text()
    path.write_text(f'{plain}[{table}]\ntoy = 78\nother = "Exercise 1"\n')
    assert Course.load(course.root).gradebook_names == {"toy": "78", "other": "Exercise 1"}
    path.write_text(f"{plain}[{table}]\ntoy = 1.5\n")
    with pytest.raises(ConfigError, match=rf"`{table}\.toy"):
        Course.load(course.root)


def test_a_table_and_its_former_name_are_refused_together(course: Course) -> None:
    path = course.root / "course.toml"
    path.write_text(f"{path.read_text()}[gradebook]\ntoy = 78\n\n[canvas]\n")
    with pytest.raises(ConfigError) as caught:
        Course.load(course.root)
    assert str(caught.value) == (
        f"{path}: has both [gradebook] and [canvas], as that was called before; "
        "put all of it into [gradebook], and remove [canvas]"
    )
