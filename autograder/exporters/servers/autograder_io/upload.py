"""Take a bundle to autograder.io: make what is missing there, change what differs, and leave all else alone.

Everything is looked up and checked before anything is sent. What is sent can be sent again: if an upload
breaks off, the next one goes on where it stopped, and one that finds nothing to do changes nothing.
"""

from __future__ import annotations

import io
import tarfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.errors import ConfigError, ServerError
from autograder.exporters.servers.autograder_io import bodies
from autograder.exporters.servers.autograder_io import project as projects
from autograder.exporters.servers.autograder_io.api import Api
from autograder.exporters.servers.autograder_io.config import MAX_FILE, parse
from autograder.exporters.servers.autograder_io.settings import Settings
from autograder.exporters.servers.identity import Identity
from autograder.untrusted import line


@dataclass(frozen=True)
class Bundle:
    """A bundle in a folder, checked.

    Attributes
    ----------
    config : AGConfig
        Of ``agproject.yml``.
    files : dict of str to bytes
        The instructor files by name.
    """

    folder: Path
    config: Any
    files: Mapping[str, bytes]

    @classmethod
    def load(cls, folder: Path, assignment: Assignment, settings: Settings) -> Bundle:
        """Read a bundle.

        Raises
        ------
        ConfigError
            There is none, it is damaged, or it is not what would be made now: it is of another assignment or
            version of the kit, or suite or settings have changed since.
        """
        path = folder / projects.FILE
        again = f"run: autograder bundle {assignment.name} autograder_io"
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            raise ConfigError(str(path), "there is no bundle", again) from None
        config = parse(text, path)
        files = {one.name: _read(folder / one.local_path) for one in config.project.instructor_files}
        archive = folder / projects.ARCHIVE
        if projects.ARCHIVE not in files:
            raise ConfigError(str(path), f"`project.instructor_files` lacks {projects.ARCHIVE}", again)
        identity = _identity(archive, files[projects.ARCHIVE], again)
        apart = {"url"} if settings.scale is not None else {"url", "scale"}
        identity.require_current(archive, "autograder_io", assignment, settings, apart=apart)
        return cls(folder, config, files)


def _read(path: Path) -> bytes:
    remedy = "make the bundle again: autograder bundle"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})", remedy) from None
    if len(content) > MAX_FILE:
        found = f"has {len(content)} bytes, and autograder.io takes {MAX_FILE}"
        raise ConfigError(str(path), found, "make it smaller")
    return content


def _identity(path: Path, content: bytes, remedy: str) -> Identity:
    """Return what an archive says about itself."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            return Identity.read(lambda name: _member(archive, f"bundle/{name}"))
    except (tarfile.TarError, KeyError, ValueError, OSError):
        raise ConfigError(str(path), "is damaged, or of another version of the kit", remedy) from None


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file.read()


def upload(course: Course, assignment: Assignment, settings: Settings, folder: Path, token_file: str) -> str:
    """Take the bundle in a folder to autograder.io, and return what that has changed there, in words.

    Raises
    ------
    ConfigError
        The bundle or the token cannot be used.
    ServerError
        The server cannot be reached, refuses something, or lacks what only people can make there.
    """
    bundle = Bundle.load(folder, assignment, settings)
    with Api.open(settings.url, token_file) as api:
        place = _look_up(api, bundle)
        done = Counter(_Upload(api, bundle, place).run())
    address = f"{settings.url}/web/project_admin/{place.project['pk']}"
    made = ", ".join(f"{number} {verb}" for verb, number in done.items())
    return f"{line(bundle.config.project.name)}: {made or 'nothing to change'}; see {address}"


@dataclass
class Place:
    """What there is on the server already.

    Attributes
    ----------
    course, project : dict
        As the API returns them; the project is empty as long as there is none.
    images : dict of str to dict
        Images by name.
    suites : dict of str to dict
        Suites of the project by name, in their order.
    """

    course: dict[str, Any]
    images: dict[str, dict[str, Any]]
    project: dict[str, Any] = field(default_factory=dict)
    suites: dict[str, dict[str, Any]] = field(default_factory=dict)


def find_project(api: Api, selection: Any, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a course and its project, which is empty if it is not there.

    Parameters
    ----------
    selection
        What has the `name`, the `semester` and the `year` of the course.

    Raises
    ------
    ServerError
        There is no such course, or its settings are not for the owner of the token.
    """
    parts = [selection.name, selection.semester, selection.year]
    shown = " ".join(str(part) for part in parts if part)
    missing = f"has no course {shown}; make it there, or correct [servers.autograder_io] in course.toml"
    course = api.get(
        f"/api/course/{'/'.join(quote(str(part), safe='') for part in parts)}/", "pk", missing=missing
    )
    roles = api.get(f"/api/courses/{course['pk']}/my_roles/")
    if not roles.get("is_admin"):
        found = f"the owner of the token is no admin of {shown}"
        raise ServerError(api.url, found, "ask an admin of the course to make you one")
    listed = api.get_all(f"/api/courses/{course['pk']}/projects/", "pk", "name")
    return course, next((one for one in listed if one["name"] == name), {})


def get_suites(api: Api, project: int) -> list[dict[str, Any]]:
    """Return the suites of a project with their test cases and commands."""
    path = f"/api/projects/{project}/ag_test_suites/"
    suites = api.get_all(path, "pk", "name", "ag_test_cases")
    for suite in suites:
        for case in suite["ag_test_cases"]:
            if not isinstance(case, dict) or not case.keys() >= {"pk", "name", "ag_test_commands"}:
                raise api.strange(path)
    return suites


def _look_up(api: Api, bundle: Bundle) -> Place:
    """Find everything that an upload needs, and refuse what it cannot change."""
    wanted = bundle.config.project
    course, project = find_project(api, wanted.course, wanted.name)
    listed = [
        *api.get_all("/api/sandbox_docker_images/", "pk", "display_name"),
        *api.get_all(f"/api/courses/{course['pk']}/sandbox_docker_images/", "pk", "display_name"),
    ]
    place = Place(course, {image["display_name"]: image for image in listed}, project)
    for suite in wanted.test_suites:
        if suite.sandbox_docker_image not in place.images:
            found = f"{wanted.course.name} has no sandbox image {suite.sandbox_docker_image}"
            remedy = f"build it on the page of the course from {bundle.folder / 'image'}, and name it so"
            raise ServerError(api.url, found, remedy)
    if project:
        place.suites = {suite["name"]: suite for suite in get_suites(api, project["pk"])}
    for suite in wanted.test_suites:
        ours = {case.name for case in suite.test_cases}
        for case in place.suites.get(suite.name, {}).get("ag_test_cases", ()):
            if case["name"] not in ours:
                found = f"suite {suite.name} has a test case that is not in the bundle: {line(case['name'])}"
                raise ServerError(api.url, found, "delete or rename it on the page of the project")
    return place


class _Upload:
    """One upload."""

    def __init__(self, api: Api, bundle: Bundle, place: Place) -> None:
        self._api = api
        self._bundle = bundle
        self._wanted = bundle.config.project
        self._place = place
        self._done: list[str] = []

    def run(self) -> list[str]:
        """Make and change what is needed, files first, and return what was done to each part, in a word."""
        self._save_project()
        students = self._save_student_files()
        instructors = self._save_instructor_files()
        for suite in self._wanted.test_suites:
            self._save_suite(suite, students, instructors)
        return self._done

    def _save_project(self) -> None:
        place, wanted = self._place, bodies.project(self._wanted)
        if not place.project:
            body = bodies.NEW_PROJECT | wanted
            place.project = self._create(f"/api/courses/{place.course['pk']}/projects/", body)
            return
        self._update(f"/api/projects/{place.project['pk']}/", place.project, wanted)

    def _save_student_files(self) -> dict[str, dict[str, Any]]:
        path = self._below("expected_student_files")
        found = {one["pattern"]: one for one in self._api.get_all(path, "pk", "pattern")}
        for body in map(bodies.student_file, self._wanted.student_files):
            there = found.get(body["pattern"])
            if there is None:
                found[body["pattern"]] = self._create(path, body)
            else:
                self._update(f"/api/expected_student_files/{there['pk']}/", there, body)
        return found

    def _save_instructor_files(self) -> dict[str, dict[str, Any]]:
        path = self._below("instructor_files")
        found = {one["name"]: one for one in self._api.get_all(path, "pk", "name", "size")}
        for name, content in self._bundle.files.items():
            there = found.get(name)
            if there is None:
                found[name] = self._api.create_file(path, name, content)
                self._done.append("created")
                continue
            own = f"/api/instructor_files/{there['pk']}/content/"
            if there["size"] != len(content) or self._api.content(own) != content:
                self._api.change_file(own, name, content)
                self._done.append("changed")
        return found

    def _save_suite(self, suite: Any, students: Mapping[str, Any], instructors: Mapping[str, Any]) -> None:
        body = bodies.suite(
            suite,
            image=self._place.images[suite.sandbox_docker_image],
            students=[students[name] for name in suite.student_files_needed],
            instructors=[instructors[name] for name in suite.instructor_files_needed],
            presets=self._bundle.config.feedback_presets_test_suite_setup,
        )
        there = self._place.suites.get(suite.name)
        if there is None:
            # Only the first suite may reject submissions, and a new one is the last.
            later = {"reject_submission_if_setup_fails": False} if self._place.suites else {}
            there = self._create(self._below("ag_test_suites"), body | later, "ag_test_cases")
            self._place.suites[suite.name] = there
        self._put_first(suite)
        self._update(f"/api/ag_test_suites/{there['pk']}/", there, body)
        path = f"/api/ag_test_suites/{there['pk']}/ag_test_cases/"
        cases = {case["name"]: case for case in there["ag_test_cases"]}
        for case in suite.test_cases:
            cases[case.name] = self._save_case(path, case, cases.get(case.name))
        order = [cases[case.name]["pk"] for case in suite.test_cases]
        if order != [case["pk"] for case in cases.values()]:
            self._api.change_order(f"{path}order/", order)
            self._done.append("changed")

    def _put_first(self, suite: Any) -> None:
        """Move a suite that rejects submissions to the front, as the server asks."""
        path = f"{self._below('ag_test_suites')}order/"
        order = self._api.get_numbers(path)
        own = self._place.suites[suite.name]["pk"]
        if suite.reject_submission_if_setup_fails and order[:1] != [own]:
            self._api.change_order(path, [own, *(pk for pk in order if pk != own)])
            self._done.append("changed")

    def _save_case(self, path: str, case: Any, there: dict[str, Any] | None) -> dict[str, Any]:
        body = bodies.case(case)
        if there is None:
            there = self._create(path, body, "ag_test_commands")
        else:
            self._update(f"/api/ag_test_cases/{there['pk']}/", there, body)
        wanted = bodies.command(case, self._bundle.config.feedback_presets)
        command = next((one for one in there["ag_test_commands"] if one["name"] == case.name), None)
        if command is None:
            self._create(f"/api/ag_test_cases/{there['pk']}/ag_test_commands/", wanted)
        else:
            self._update(f"/api/ag_test_commands/{command['pk']}/", command, wanted)
        return there

    def _below(self, name: str) -> str:
        return f"/api/projects/{self._place.project['pk']}/{name}/"

    def _create(self, path: str, body: Mapping[str, Any], *keys: str) -> dict[str, Any]:
        self._done.append("created")
        return self._api.create(path, body, "pk", *keys)

    def _update(self, path: str, there: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        """Send those keys whose value is another one there."""
        differing = {key: value for key, value in wanted.items() if not bodies.is_same(value, there.get(key))}
        if differing:
            self._api.change(path, differing)
            self._done.append("changed")
