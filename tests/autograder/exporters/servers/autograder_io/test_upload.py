"""An upload makes what is missing, changes what differs, and can be run again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support import tiny
from tests.support.servers import autograder_io_schema
from tests.support.servers.autograder_io import TOKEN
from tests.support.servers.autograder_io_class import CASES, TABLE, Instructor, is_refused, replace_in_tar


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


def test_autograder_cli_makes_the_same_of_a_bundle(instructor: Instructor) -> None:
    from autograder_cli.config.save_project import save_project

    file = str(instructor.bundle / "agproject.yml")
    save_project(file, base_url=f"{instructor.server.url}/", token_file=".agtoken")
    commands = {one["name"]: one for one in instructor.site.all("AGTestCommand")}
    assert {name: one["max_points_for_custom_scoring"] for name, one in commands.items()} == CASES
    instructor.site.changes.clear()
    assert "nothing to change" in instructor.upload().stdout
    assert instructor.site.changes == []


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
        (lambda one: setattr(one.site, "status", 403), ["does not accept this token"]),
        (lambda one: setattr(one.site, "answer", b"<html>"), ["something else than its API does", "`url`"]),
        (lambda one: setattr(one.site, "answer", {}), ["something else than its API does"]),
        (lambda one: setattr(one.site, "answer", []), ["something else than its API does"]),
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


def test_a_bundle_that_is_not_what_would_be_made_now_is_refused(instructor: Instructor) -> None:
    file = instructor.root / "course.toml"
    for line, name in (('hidden = "shown"', "hidden"), ("scale = 7", "scale"), ('image = "Mine"', "image")):
        text = file.read_text()
        file.write_text(f"{text}{line}\n")
        assert is_refused(instructor.upload(), f"something else of `servers.autograder_io.{name}`")
        file.write_text(text)
    suite = instructor.root / "autograder" / "suites" / "tiny" / "test_hidden.py"
    suite.write_text(suite.read_text() + "\n# another test\n")
    assert is_refused(instructor.upload(), "before the tests or the reference of tiny changed")
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


# The server of these tests


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
