"""What is on autograder.io, and what each request of its API does there, with the checks of the real one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.servers import autograder_io_schema as schemas

MAX_FILE = 15_000_000
MAX_SECONDS = 90
NOW = "2026-09-01T12:00:00Z"


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, said: object) -> None:
        super().__init__(said)
        self.status = status
        self.said = said


@dataclass
class Site:
    """What is on the server. Objects are as the API returns them, by their number.

    Attributes
    ----------
    changes : list of str
        Requests that were to change something, such as ``"PATCH /api/projects/{id}/"``.
    seen : list of str
        The header ``Authorization`` of every request.
    faults : list of str
        Answers of this very server that do not fit the schema.
    breaks_after : int or None
        After so many changes the connection breaks off.
    status : int or None
        Answer everything with this status.
    answer : object
        Answer everything with this.
    """

    objects: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    contents: dict[int, bytes] = field(default_factory=dict)
    queued: int = 0
    results: list[dict[str, Any]] = field(default_factory=list)
    is_admin: bool = True
    changes: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    breaks_after: int | None = None
    status: int | None = None
    answer: object = None
    redirects: bool = False
    page_size: int = 200
    last: int = 100

    def add(self, kind: str, **values: Any) -> dict[str, Any]:
        """Make an object with a number of its own."""
        self.last += 1
        made = schemas.empty(kind) | {"last_modified": NOW} | values | {"pk": self.last}
        self.objects.setdefault(kind, {})[self.last] = made
        return made

    def all(self, kind: str, **values: Any) -> list[dict[str, Any]]:
        """Return the objects of a kind that have these values."""
        found = self.objects.get(kind, {}).values()
        return [one for one in found if all(one[key] == value for key, value in values.items())]

    def one(self, kind: str, pk: str) -> dict[str, Any]:
        """Return an object by its number."""
        try:
            return self.objects[kind][int(pk)]
        except (KeyError, ValueError):
            raise Refused(404, {"detail": "Not found."}) from None


# What is behind each path


def _course(site: Site, name: str, semester: str, year: str) -> dict[str, Any]:
    for one in site.all("Course"):
        if (one["name"], str(one["semester"]), str(one["year"])) == (name, semester, year):
            return one
    raise Refused(404, {"detail": "Not found."})


def _roles(site: Site, pk: str) -> dict[str, Any]:
    site.one("Course", pk)
    return dict.fromkeys(("is_student", "is_handgrader"), False) | {
        "is_admin": site.is_admin,
        "is_staff": True,
    }


def _require_admin(site: Site) -> None:
    if not site.is_admin:
        raise Refused(403, {"detail": "You do not have permission to perform this action."})


def _require_name(site: Site, kind: str, body: Mapping[str, Any], pk: int | None = None, **of: Any) -> None:
    if "name" not in body:
        return
    if not 1 <= len(body["name"]) <= 255:
        raise Refused(400, {"name": ["Ensure this value has at least 1 and at most 255 characters."]})
    if any(one["name"] == body["name"] and one["pk"] != pk for one in site.all(kind, **of)):
        raise Refused(400, {"__all__": [f"{kind} with this name already exists."]})


def _projects(site: Site, pk: str) -> list[dict[str, Any]]:
    return [_project_of(site, one) for one in site.all("Project", course=site.one("Course", pk)["pk"])]


def _project_of(site: Site, project: dict[str, Any]) -> dict[str, Any]:
    return project | {
        "instructor_files": site.all("InstructorFile", project=project["pk"]),
        "expected_student_files": site.all("ExpectedStudentFile", project=project["pk"]),
    }


def _create_project(site: Site, pk: str, body: dict[str, Any]) -> dict[str, Any]:
    _require_admin(site)
    course = site.one("Course", pk)
    _require_name(site, "Project", body, course=course["pk"])
    fresh = {"min_group_size": 1, "max_group_size": 1, "timezone": "UTC", "soft_closing_time": None}
    return _project_of(site, site.add("Project", course=course["pk"], **(fresh | body)))


def _change_project(site: Site, pk: str, body: dict[str, Any]) -> dict[str, Any]:
    _require_admin(site)
    project = site.one("Project", pk)
    _require_name(site, "Project", body, project["pk"], course=project["course"])
    project |= body
    return _project_of(site, project)


def _below(kind: str, key: str, above: str) -> Callable[[Site, str], list[dict[str, Any]]]:
    def serve(site: Site, pk: str) -> list[dict[str, Any]]:
        return site.all(kind, **{key: site.one(above, pk)["pk"]})

    return serve


def _create_pattern(site: Site, pk: str, body: dict[str, Any]) -> dict[str, Any]:
    _require_admin(site)
    project = site.one("Project", pk)["pk"]
    if site.all("ExpectedStudentFile", project=project, pattern=body["pattern"]):
        raise Refused(400, {"__all__": ["Expected student file with this pattern already exists."]})
    fresh = {"min_num_matches": 1, "max_num_matches": 1}
    return _sound_pattern(site.add("ExpectedStudentFile", project=project, **(fresh | body)))


def _change_pattern(site: Site, pk: str, body: dict[str, Any]) -> dict[str, Any]:
    _require_admin(site)
    pattern = site.one("ExpectedStudentFile", pk)
    pattern |= body
    return _sound_pattern(pattern)


def _sound_pattern(pattern: dict[str, Any]) -> dict[str, Any]:
    if "/" in pattern["pattern"] or not 0 <= pattern["min_num_matches"] <= pattern["max_num_matches"]:
        raise Refused(400, {"pattern": ["Enter a legal UNIX filename, and a range of matches."]})
    return pattern


def _create_file(site: Site, pk: str, uploaded: tuple[str, bytes]) -> dict[str, Any]:
    _require_admin(site)
    project, (name, content) = site.one("Project", pk)["pk"], uploaded
    if site.all("InstructorFile", project=project, name=name) or "/" in name or not name:
        raise Refused(400, {"filename": [f"File name {name!r} is taken or not legal."]})
    made = site.add("InstructorFile", project=project, name=name, size=len(content))
    site.contents[made["pk"]] = content
    return made


def _change_file(site: Site, pk: str, uploaded: tuple[str, bytes]) -> dict[str, Any]:
    _require_admin(site)
    made = site.one("InstructorFile", pk)
    made["size"] = len(uploaded[1])
    site.contents[made["pk"]] = uploaded[1]
    return made


def _content(site: Site, pk: str) -> bytes:
    return site.contents[site.one("InstructorFile", pk)["pk"]]


def _suite_of(site: Site, suite: dict[str, Any]) -> dict[str, Any]:
    cases = sorted(site.all("AGTestCase", ag_test_suite=suite["pk"]), key=lambda one: one["_place"])
    return _public(suite) | {"ag_test_cases": [_case_of(site, case) for case in cases]}


def _case_of(site: Site, case: dict[str, Any]) -> dict[str, Any]:
    return _public(case) | {"ag_test_commands": site.all("AGTestCommand", ag_test_case=case["pk"])}


def _public(one: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if not key.startswith("_")}


def suites(site: Site, pk: str) -> list[dict[str, Any]]:
    found = site.all("AGTestSuite", project=site.one("Project", pk)["pk"])
    return [_suite_of(site, suite) for suite in sorted(found, key=lambda one: one["_place"])]


def _create_suite(site: Site, pk: str, body: dict[str, Any]) -> dict[str, Any]:
    _require_admin(site)
    project = site.one("Project", pk)["pk"]
    _require_name(site, "AGTestSuite", body, project=project)
    place = len(site.all("AGTestSuite", project=project))
    _require_sound_suite(site, project, place, body)
    return _suite_of(site, site.add("AGTestSuite", project=project, _place=place, **body))


def _change_suite(site: Site, pk: str, body: dict[str, Any]) -> dict[str, Any]:
    _require_admin(site)
    suite = site.one("AGTestSuite", pk)
    _require_name(site, "AGTestSuite", body, suite["pk"], project=suite["project"])
    _require_sound_suite(site, suite["project"], suite["_place"], body)
    suite |= body
    return _suite_of(site, suite)


def _require_sound_suite(site: Site, project: int, place: int, body: dict[str, Any]) -> None:
    if body.get("reject_submission_if_setup_fails") and place != 0:
        said = "Only the first suite of a project may reject submissions."
        raise Refused(400, {"reject_submission_if_setup_fails": [said]})
    image = body.get("sandbox_docker_image")
    if image is not None and site.one("SandboxDockerImage", str(image["pk"])) != image:
        raise Refused(400, {"sandbox_docker_image": ["is another one"]})
    for key, kind in (
        ("student_files_needed", "ExpectedStudentFile"),
        ("instructor_files_needed", "InstructorFile"),
    ):
        for one in body.get(key, ()):
            if site.one(kind, str(one["pk"]))["project"] != project:
                raise Refused(400, {key: ["belongs to another project"]})


def _order(kind: str, above: str, key: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def read(site: Site, pk: str) -> list[int]:
        found = site.all(kind, **{key: site.one(above, pk)["pk"]})
        return [one["pk"] for one in sorted(found, key=lambda one: one["_place"])]

    def write(site: Site, pk: str, body: list[int]) -> list[int]:
        _require_admin(site)
        if sorted(body) != sorted(read(site, pk)):
            raise Refused(400, {"detail": "expected every one, once"})
        for place, one in enumerate(body):
            site.objects[kind][one]["_place"] = place
        return body

    return read, write


def _create_case(site: Site, pk: str, body: dict[str, Any]) -> dict[str, Any]:
    _require_admin(site)
    suite = site.one("AGTestSuite", pk)["pk"]
    _require_name(site, "AGTestCase", body, ag_test_suite=suite)
    place = len(site.all("AGTestCase", ag_test_suite=suite))
    return _case_of(site, site.add("AGTestCase", ag_test_suite=suite, _place=place, **body))


def _change_case(site: Site, pk: str, body: dict[str, Any]) -> dict[str, Any]:
    _require_admin(site)
    case = site.one("AGTestCase", pk)
    _require_name(site, "AGTestCase", body, case["pk"], ag_test_suite=case["ag_test_suite"])
    case |= body
    return _case_of(site, case)


def _create_command(site: Site, pk: str, body: dict[str, Any]) -> dict[str, Any]:
    _require_admin(site)
    case = site.one("AGTestCase", pk)["pk"]
    _require_name(site, "AGTestCommand", body, ag_test_case=case)
    fresh = {"time_limit": 10, "virtual_memory_limit": 500_000_000, "cmd": "true"}
    _require_sound_command(fresh | body)
    return site.add("AGTestCommand", ag_test_case=case, **(fresh | body))


def _change_command(site: Site, pk: str, body: dict[str, Any]) -> dict[str, Any]:
    _require_admin(site)
    command = site.one("AGTestCommand", pk)
    _require_sound_command(command | body)
    command |= body
    return command


def _require_sound_command(body: Mapping[str, Any]) -> None:
    if not 1 <= body["time_limit"] <= MAX_SECONDS:
        raise Refused(400, {"time_limit": [f"Ensure this value is at most {MAX_SECONDS} and above 0."]})
    if not 1 <= len(body["cmd"]) <= 1000:
        raise Refused(400, {"cmd": ["Ensure this value has at most 1000 characters."]})
    source = body.get("custom_scoring_source", "none")
    if source != "none" and body.get(f"expected_{source}_source", "none") != "none":
        raise Refused(400, {"custom_scoring_source": [f"{source} is compared already"]})
    if body.get("max_points_for_custom_scoring", 0) < 0:
        raise Refused(400, {"max_points_for_custom_scoring": ["Ensure this value is at least 0."]})


def results(site: Site, pk: str, *, query: dict[str, list[str]]) -> dict[str, Any]:
    _require_admin(site)
    site.one("Project", pk)
    if any(
        one["ultimate_submission"]["status"] == "being_graded"
        for one in site.results
        if one["ultimate_submission"]
    ):
        raise Refused(400, {"detail": "Some submissions are still being graded."})
    size, page = int(query.get("groups_per_page", ["100"])[0]), int(query.get("page", ["1"])[0])
    size = min(size, site.page_size)
    shown = site.results[(page - 1) * size : page * size]
    if not shown and page > 1:
        raise Refused(404, {"detail": "Invalid page."})
    more = page * size < len(site.results)
    return {
        "count": len(site.results),
        "next": f"http://elsewhere.example/?page={page + 1}" if more else None,
        "previous": None,
        "results": shown,
    }


_SUITE_ORDER = _order("AGTestSuite", "Project", "project")
_CASE_ORDER = _order("AGTestCase", "AGTestSuite", "ag_test_suite")
ROUTES: dict[tuple[str, str], Callable[..., Any]] = {
    ("GET", "/api/course/{name}/{semester}/{year}/"): _course,
    ("GET", "/api/courses/{id}/my_roles/"): _roles,
    ("GET", "/api/courses/{id}/projects/"): _projects,
    ("POST", "/api/courses/{id}/projects/"): _create_project,
    ("PATCH", "/api/projects/{id}/"): _change_project,
    ("GET", "/api/projects/{id}/num_queued_submissions/"): lambda site, pk: site.queued,
    ("GET", "/api/projects/{id}/instructor_files/"): _below("InstructorFile", "project", "Project"),
    ("POST", "/api/projects/{id}/instructor_files/"): _create_file,
    ("GET", "/api/instructor_files/{id}/content/"): _content,
    ("PUT", "/api/instructor_files/{id}/content/"): _change_file,
    ("GET", "/api/projects/{id}/expected_student_files/"): _below(
        "ExpectedStudentFile", "project", "Project"
    ),
    ("POST", "/api/projects/{id}/expected_student_files/"): _create_pattern,
    ("PATCH", "/api/expected_student_files/{id}/"): _change_pattern,
    ("GET", "/api/sandbox_docker_images/"): lambda site: site.all("SandboxDockerImage", course=None),
    ("GET", "/api/courses/{id}/sandbox_docker_images/"): _below("SandboxDockerImage", "course", "Course"),
    ("GET", "/api/projects/{project_pk}/ag_test_suites/"): suites,
    ("POST", "/api/projects/{project_pk}/ag_test_suites/"): _create_suite,
    ("GET", "/api/projects/{project_pk}/ag_test_suites/order/"): _SUITE_ORDER[0],
    ("PUT", "/api/projects/{project_pk}/ag_test_suites/order/"): _SUITE_ORDER[1],
    ("PATCH", "/api/ag_test_suites/{id}/"): _change_suite,
    ("POST", "/api/ag_test_suites/{ag_test_suite_pk}/ag_test_cases/"): _create_case,
    ("PUT", "/api/ag_test_suites/{ag_test_suite_pk}/ag_test_cases/order/"): _CASE_ORDER[1],
    ("PATCH", "/api/ag_test_cases/{id}/"): _change_case,
    ("POST", "/api/ag_test_cases/{ag_test_case_pk}/ag_test_commands/"): _create_command,
    ("PATCH", "/api/ag_test_commands/{id}/"): _change_command,
    ("GET", "/api/projects/{project_pk}/mutation_test_suites/"): _below(
        "MutationTestSuite", "project", "Project"
    ),
    ("PUT", "/api/projects/{project_pk}/mutation_test_suites/order/"): _order(
        "MutationTestSuite", "Project", "project"
    )[1],
    ("GET", "/api/projects/{project_pk}/all_ultimate_submission_results/"): results,
}
