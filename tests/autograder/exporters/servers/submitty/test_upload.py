"""An upload makes a gradeable that only staff see, leaves one that is there, and is refused in one line."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tests.support.servers import made
from tests.support.servers.submitty import unpack
from tests.support.servers.submitty_site import PASSWORD, UPLOAD_ONLY

if TYPE_CHECKING:
    from tests.autograder.exporters.servers.submitty.conftest import Instructor

NO_ACCESS = b'{"status": "fail", "message": "You don\'t have access to this endpoint."}'
Spoil = Callable[["Instructor"], object]


@pytest.fixture
def refused(instructor: Instructor) -> Iterator[Callable[..., str]]:
    """Return what uploads, and checks that this is refused in one line and changes nothing there."""

    def upload(*said: str) -> str:
        return made.refusal(instructor.upload(), *said, without=instructor.site.tokens["ada"])

    yield upload
    assert not instructor.site.gradeables


def answer(instructor: Instructor, content: bytes, code: int = 200) -> None:
    """Have the server answer everything with this."""
    instructor.site.answer, instructor.site.code = content, code


def page(instructor: Instructor, gradeable: str = "tiny") -> str:
    return f"{instructor.server.url}/courses/f26/dl/gradeable/{gradeable}/update"


# What an upload does


def test_a_first_upload_makes_a_gradeable_and_a_second_changes_nothing(instructor: Instructor) -> None:
    first = instructor.upload()
    assert first.exit_code == 0, first.output
    assert first.stdout == (
        f"tiny: created, and hidden from students; upload {instructor.config} on the second tab of its page, "
        f"and select it there; then set its dates: {page(instructor)}\n"
    )
    (gradeable,) = instructor.site.gradeables.values()
    before = json.dumps(gradeable)
    assert (gradeable["title"], gradeable["type"]) == ("Tiny", "Electronic File")
    assert gradeable["autograding_config_path"] == UPLOAD_ONLY
    second = instructor.upload()
    assert second.exit_code == 0
    assert second.stdout == (
        f"tiny: is there already, and nothing was changed; if the bundle is new, upload {instructor.config} "
        f"on the second tab of its page, and select it there: {page(instructor)}\n"
    )
    assert json.dumps(gradeable) == before
    assert len(instructor.site.gradeables) == 1


def test_students_do_not_see_a_new_gradeable_until_people_set_its_dates(instructor: Instructor) -> None:
    """Without dates Submitty would open it on the same day, when it does not grade yet."""
    assert instructor.upload().exit_code == 0
    dates = instructor.site.gradeables["tiny"]["dates"]
    assert dates["ta_view_start_date"] < "2000"
    assert all(value > "9995" for name, value in dates.items() if name != "ta_view_start_date")


def test_a_configuration_that_lies_on_the_server_is_chosen(instructor: Instructor) -> None:
    instructor.site.folders.add("/var/local/configurations/tiny")
    for folder in ("/var/local/configurations", "/var/local/configurations/"):
        instructor.site.gradeables.clear()
        instructor.say(*instructor.place, f'config = "{folder}"')
        first = instructor.upload()
        assert first.exit_code == 0, first.output
        chosen = instructor.site.gradeables["tiny"]["autograding_config_path"]
        assert chosen == "/var/local/configurations/tiny"
        assert f"check on its page that {chosen} was built, and set its dates there: {page(instructor)}" in (
            first.stdout
        )
        assert f"unpack {instructor.config} into {chosen} and rebuild it on its page" in (
            instructor.upload().stdout
        )


def test_a_gradeable_may_be_called_otherwise(instructor: Instructor) -> None:
    instructor.say(*instructor.place, 'gradeables = {tiny = "hw-1"}')
    assert page(instructor, "hw-1") in instructor.upload().stdout
    assert list(instructor.site.gradeables) == ["hw-1"]


def test_another_bundle_and_another_token_can_be_named(instructor: Instructor, tmp_path: Path) -> None:
    other = (tmp_path / "dist" / "tiny-submitty").rename(tmp_path / "other")
    instructor.token.rename(tmp_path / "keys")
    result = instructor.upload("--bundle", other, "--token", tmp_path / "keys")
    assert result.exit_code == 0, result.output
    assert str(other / "config.zip") in result.stdout


def test_where_a_course_is_has_no_say_in_its_bundle(instructor: Instructor) -> None:
    """It was made before the course said anything of that, and need not be made again."""
    with zipfile.ZipFile(instructor.config) as archive:
        graded = unpack(archive.read("test_input/coursegrad.zip"))
    assert json.loads(graded["manifest.json"])["settings"]["url"] is None
    assert instructor.upload().exit_code == 0


# The token


def test_the_token_is_nowhere_but_in_the_header(instructor: Instructor) -> None:
    token = instructor.token.read_text().strip()
    (instructor.root / ".netrc").write_text("machine 127.0.0.1\nlogin eve\npassword other\n")
    (instructor.root / ".netrc").chmod(0o600)
    result = instructor.upload()
    assert result.exit_code == 0
    assert token not in result.output
    assert set(instructor.site.seen) == {token}
    assert token not in repr(instructor.site.gradeables)
    for path in instructor.config.parent.rglob("*"):
        assert path.is_dir() or token.encode() not in path.read_bytes(), path


def test_no_proxy_reads_a_token_that_is_not_encrypted(
    instructor: Instructor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert instructor.upload().exit_code == 0


# What stands in the way


@pytest.mark.parametrize("key", ["url", "semester", "course"])
def test_what_the_course_does_not_say_is_named(
    instructor: Instructor, refused: Callable[..., str], key: str
) -> None:
    instructor.say(*(line for line in instructor.place if not line.startswith(key)))
    refused(f"course.toml: `servers.submitty.{key}` is missing; add it: an upload needs it")
    assert not instructor.site.seen


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('url = "http://submitty.example.org"', "a token needs https"),
        ('url = "https://submitty.example.org/f26"', "expected an address such as"),
        ('semester = "../f26"', "`servers.submitty.semester` is '../f26'; expected letters, digits"),
        ('course = "d l"', "`servers.submitty.course` is 'd l'; expected letters, digits"),
        ('gradeables = {tiny = "hw 1"}', "`servers.submitty.gradeables.tiny` is 'hw 1'; expected letters"),
        ('config = "configurations"', "expected the path of a folder there, such as"),
        ('config = "/var/../etc"', "expected the path of a folder there, such as"),
        ('token = "x"', "unknown key `servers.submitty.token`"),
    ],
)
def test_what_the_course_says_wrongly_is_named(
    instructor: Instructor, refused: Callable[..., str], line: str, said: str
) -> None:
    key = line.partition(" ")[0]
    instructor.say(*(one for one in instructor.place if not one.startswith(f"{key} ")), line)
    refused(said)
    assert not instructor.site.seen


def test_an_assignment_whose_name_submitty_does_not_take_is_named(
    instructor: Instructor, refused: Callable[..., str]
) -> None:
    for folder in ("solutions", "autograder/suites"):
        (instructor.root / folder / "tiny").rename(instructor.root / folder / "tiny.1")
    file = instructor.root / "solutions" / "tiny.1" / "assignment.toml"
    file.write_text(file.read_text().replace('name = "tiny"', 'name = "tiny.1"'))
    result = made.run("upload", "tiny.1", "submitty", "--course", instructor.root)
    made.refusal(result, "Submitty takes no gradeable called 'tiny.1'", "[servers.submitty.gradeables]")
    assert not instructor.site.seen


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda one: one.token.unlink(), ["there is no token of Submitty", "api/token", "save it there"]),
        (lambda one: one.token.write_text(""), ["does not hold one token"]),
        (lambda one: one.token.write_text(f"{'a' * 40}\n{'b' * 40}\n"), ["does not hold one token"]),
        (lambda one: one.token.write_text('{"status": "fail", "message": "x"}'), ["does not hold one token"]),
        (lambda one: one.token.write_bytes(b"\xff\xfe"), ["cannot be read"]),
        (lambda one: one.token.write_text("f" * 40), ["does not accept this token", ".submitty_token"]),
        (lambda one: one.site.issue_token("ada"), ["does not accept this token", "api/token"]),
        (
            lambda one: one.token.write_text(one.site.issue_token("bob")),
            ["the owner of the token is no instructor of f26 dl", "ask an instructor"],
        ),
        (lambda one: setattr(one.site, "code", 401), ["does not accept this token"]),
        (lambda one: answer(one, NO_ACCESS, 403), ["with 403", "You don't have access", "ask an instructor"]),
        (lambda one: setattr(one.site, "code", 429), ["with 429", "wait a while"]),
        (lambda one: setattr(one.site, "code", 500), ["with 500", "wait a while"]),
        (
            lambda one: setattr(one.site, "code", 400),
            ["answers POST /api/f26/dl/upload with: Not now, [token]"],
        ),
        (lambda one: setattr(one.site, "redirects", True), ["sends requests elsewhere", "`url`"]),
        (lambda one: answer(one, b"<html>"), ["something else than its API does", "`url`"]),
        (lambda one: answer(one, b"[]"), ["something else than its API does"]),
        (lambda one: answer(one, b"{}"), ["something else than its API does"]),
        (lambda one: answer(one, b'{"status": "new"}'), ["something else than its API does"]),
        (
            lambda one: setattr(one.site, "answer", b'{"status": "fail"}'),
            ["something else than its API does"],
        ),
        (
            lambda one: answer(one, b'{"status": "fail", "message": "Endpoint not found."}'),
            ["is of a version whose API makes no gradeables", "on the page of the course"],
        ),
        (
            lambda one: one.say(*one.place[:2], 'course = "other"'),
            ["has no course f26 other", "correct `semester` and `course`"],
        ),
        (
            lambda one: one.say(*one.place, 'config = "/var/local"'),
            ["An error has occurred: No configuration in that folder", "correct what it names"],
        ),
        (
            lambda one: one.say('url = "http://127.0.0.1:9"', *one.place[1:]),
            ["http://127.0.0.1:9: cannot be reached (no connection)"],
        ),
    ],
)
def test_what_stands_in_the_way_is_one_line_and_nothing_is_made(
    instructor: Instructor, refused: Callable[..., str], spoil: Spoil, said: list[str]
) -> None:
    spoil(instructor)
    assert "; " in refused(*said)


def test_a_server_without_a_valid_certificate_gets_no_token(
    instructor: Instructor, refused: Callable[..., str]
) -> None:
    """The one here does not even speak TLS."""
    instructor.say(f'url = "{instructor.server.url.replace("http", "https")}"', *instructor.place[1:])
    refused("cannot be reached (its certificate is not valid)")
    assert not instructor.site.seen


def rewrite(path: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change a file in the zip that lies in a zip."""
    files = unpack(path.read_bytes())
    graded = unpack(files["test_input/coursegrad.zip"])
    graded[name] = change(graded[name])
    for place, content in (("test_input/coursegrad.zip", graded), ("", files)):
        target = path.with_suffix(".part")
        with zipfile.ZipFile(target, "w") as archive:
            for one, text in content.items():
                archive.writestr(one, text)
        if place:
            files[place] = target.read_bytes()
    target.replace(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"kit": "0.1.0"', b'"kit": "0.0.9"', "made by version 0.0.9 of the kit, and this is 0.1.0"),
        (b'"assignment": "tiny"', b'"assignment": "knn"', "grades knn on submitty"),
        (b'"server": "submitty"', b'"server": "gradescope"', "grades tiny on gradescope"),
        (b'"format": 1', b'"format": 2', "is damaged, or of another version"),
    ],
)
def test_a_bundle_of_another_version_is_refused(
    instructor: Instructor, refused: Callable[..., str], old: bytes, new: bytes, said: str
) -> None:
    def change(content: bytes) -> bytes:
        assert old in content
        return content.replace(old, new)

    rewrite(instructor.config, "manifest.json", change)
    refused(said, "run: autograder bundle tiny submitty")
    assert not instructor.site.seen


def test_a_bundle_that_is_not_what_would_be_made_now_is_refused(
    instructor: Instructor, refused: Callable[..., str]
) -> None:
    for line, name in (('hidden = "shown"', "hidden"), ("scale = 10", "scale"), ("seconds = 900", "seconds")):
        instructor.say(*instructor.place, line)
        refused(f"something else of `servers.submitty.{name}`", "autograder bundle tiny submitty")
    instructor.say(*instructor.place)
    suite = instructor.root / "autograder" / "suites" / "tiny" / "test_hidden.py"
    suite.write_text(suite.read_text() + "\n# another test\n")
    refused("before the tests or the reference of tiny changed")
    assert not instructor.site.seen


def test_a_zip_that_is_damaged_anywhere_is_refused(
    instructor: Instructor, refused: Callable[..., str]
) -> None:
    whole = instructor.config.read_bytes()
    broken = [whole[:-100], whole[: len(whole) // 2], b"", b"no zip"]
    for place in range(40, len(whole), len(whole) // 12):
        broken.append(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
    for content in broken:
        instructor.config.write_bytes(content)
        refused("config.zip: is damaged, or of another version of the kit", "autograder bundle tiny submitty")
    instructor.config.unlink()
    refused("config.zip: there is no bundle", "autograder bundle tiny submitty")
    assert not instructor.site.seen


def test_scores_are_not_fetched(instructor: Instructor) -> None:
    for table in ([], instructor.place):
        instructor.say(*table)
        result = made.run("fetch", "tiny", "submitty", "--course", instructor.root)
        assert made.refusal(result) == (
            "error: submitty: gives the scores to no program; export them from the web page of the server"
        )
    assert not instructor.site.seen


# The server of these tests


def test_the_server_of_these_tests_refuses_what_submitty_refuses(instructor: Instructor) -> None:
    url = instructor.server.url
    token = {"Authorization": instructor.token.read_text().strip()}
    good = {"title": "One", "type": "Electronic File", "id": "one"}

    def post(path: str, **options: object) -> tuple[str, str]:
        answer = requests.post(f"{url}{path}", timeout=30, **options)  # type: ignore[arg-type]
        assert answer.status_code == 200
        said = answer.json()
        return said["status"], said.get("message", "")

    def create(**changes: object) -> str:
        body = {key: value for key, value in {**good, **changes}.items() if value is not None}
        return post("/api/f26/dl/upload", json=body, headers=token)[1]

    for missing in good:
        assert create(**{missing: None}).startswith("JSON requires id, title, and type")
    assert create(type="File") == "An error has occurred: Invalid type"
    assert "alpha-numeric" in create(id="one two")
    assert create(colour=1).startswith("Unknown keys")
    assert create(autograding_config_path="/nowhere") != ""
    assert "Date" in create(
        dates={"submission_open_date": "2026-01-02 00:00:00", "submission_due_date": "2026-01-01 00:00:00"}
    )
    assert "date" in create(dates={"submission_open_date": "tomorrow"})
    assert post("/api/f26/dl/upload", data=good, headers=token)[0] == "error"
    assert post("/api/f26/dl/upload", json=good) == ("fail", "Unauthenticated access. Please log in.")
    bearer = {"Authorization": f"Bearer {token['Authorization']}"}
    assert post("/api/f26/dl/upload", json=good, headers=bearer)[0] == "fail"
    assert post("/api/f26/other/upload", json=good, headers=token)[1].startswith("Failed to load course")
    assert post("/api/f26/dl/autograding_config", json=good, headers=token) == ("fail", "Endpoint not found.")
    assert not instructor.site.gradeables
    assert create() == ""
    assert create() == "An error has occurred: Gradeable already exists"
    user = {"user_id": "ada", "password": PASSWORD}
    assert post("/api/token", json={**user, "password": "wrong"})[0] == "fail"
    assert post("/api/token", json={"user_id": "ada"})[0] == "fail"
    assert post("/api/token", json=user)[0] == "success"
    assert create() == "Unauthenticated access. Please log in.", "a new token makes an old one invalid"
    assert post("/api/token/invalidate", json=user)[0] == "success"
    assert not instructor.site.tokens
