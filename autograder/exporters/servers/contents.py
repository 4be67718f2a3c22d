"""What every bundle holds, whatever the server: the kit, one suite, its key, and what has to be installed."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

import tomlkit

import autograder
from autograder.course import COURSE_FILE, Course, bundle_key, provenance
from autograder.course.assignment import ASSIGNMENT_FILE, Assignment
from autograder.course.bundle_key import BundleKey
from autograder.errors import ConfigError
from autograder.exporters.servers import requirements, wheel
from autograder.exporters.servers.interface import BundleFile, Contents, Files, Manifest, Server
from autograder.exporters.servers.points import share_by_tier
from autograder.release import handout
from autograder.scoring import PlannedTest

COURSE, MANIFEST = "course", "manifest.json"
TORCH_REQUIREMENTS, REQUIREMENTS = "requirements-torch.txt", "requirements.txt"
_SUITES: Final = "suites"
_NOT_NEEDED: Final = frozenset({"right.toml", "weak.toml"})
"""What only calibration reads: settings of solutions."""


def collect(
    course: Course, assignment: Assignment, server: Server, settings: Any, plan: tuple[PlannedTest, ...]
) -> Contents:
    """Gather what a bundle holds.

    Raises
    ------
    ConfigError
        A package is not installed here, or a bundle without hidden tests cannot be made of the assignment.
    ReleaseError
        What students got of a module cannot be made.
    """
    python = "{}.{}".format(*sys.version_info)
    graded = {f"{COURSE}/{path}": file for path, file in _course(course, assignment, plan, server).items()}
    manifest = Manifest(
        server=server.name,
        assignment=assignment.name,
        kit=autograder.__version__,
        python=python,
        settings=settings.model_dump(mode="json"),
        files={path: hashlib.sha256(content).hexdigest() for path, content in graded.items()},
    )
    torch, others = requirements.pin(course.packages or ())
    files = {
        MANIFEST: (manifest.model_dump_json(indent=2) + "\n").encode(),
        TORCH_REQUIREMENTS: "".join(f"{line}\n" for line in torch).encode(),
        REQUIREMENTS: "".join(f"{line}\n" for line in others).encode(),
        wheel.file_name(): wheel.build(),
        **graded,
    }
    return Contents(course, assignment, plan, wrap(files), settings, python)


def decide(contents: Contents, **settings: Any) -> Contents:
    """Return contents with settings that the server's program is told, though the course leaves them open."""
    decided = contents.settings.model_copy(update=settings)
    manifest = Manifest.model_validate_json(contents.files[MANIFEST].content)
    told = manifest.model_copy(update={"settings": decided.model_dump(mode="json")})
    files = contents.files | wrap({MANIFEST: (told.model_dump_json(indent=2) + "\n").encode()})
    return replace(contents, settings=decided, files=files)


def package_lists(contents: Contents) -> Files:
    """Return the files that say which packages an image installs."""
    return {name: contents.files[name] for name in (TORCH_REQUIREMENTS, REQUIREMENTS)}


def wrap(files: dict[str, bytes]) -> Files:
    """Return files of a bundle that nobody runs."""
    return {path: BundleFile(content) for path, content in files.items()}


def _course(
    course: Course, assignment: Assignment, plan: tuple[PlannedTest, ...], server: Server
) -> dict[str, bytes]:
    """Return a course that holds one assignment, without its solution and without the secret.

    For a server on which everybody reads bundles it has the public tests alone, and nothing that comes from
    the secret or the hidden tests: neither the key nor a hash.
    """
    public = server.public_only
    folder = f"solutions/{assignment.name}"
    stubs = {f"{module}.py": handout.stub(assignment, module) for module in assignment.modules}
    suite = _suite(assignment, public=public)
    key = BundleKey(
        assignment=assignment.name,
        key="00" * 32 if public else course.key(assignment.name).hex(),
        secret_id="0" * 12 if public else course.secret_id(),
        suite=_hash(suite) if public else provenance.suite_hash(assignment),
    )
    return {
        COURSE_FILE: _course_file(course).encode(),
        f".coursegrad/{bundle_key.FILE}": (key.model_dump_json(indent=2) + "\n").encode(),
        f"{folder}/{ASSIGNMENT_FILE}": _assignment_file(assignment, plan, public=public).encode(),
        **{f"{folder}/{name}": content for name, content in stubs.items()},
        **{f"{_SUITES}/{assignment.name}/{name}": content for name, content in suite.items()},
    }


def _course_file(course: Course) -> str:
    known: dict[str, Any] = {"name": course.name, "timezone": course.timezone, "suites": _SUITES}
    if course.packages is not None:
        known["packages"] = list(course.packages)
    if course.imports:
        known["imports"] = dict(course.imports)
    return tomlkit.dumps(known)


def _assignment_file(assignment: Assignment, plan: tuple[PlannedTest, ...], *, public: bool) -> str:
    """Return the settings of an assignment without what tells solutions: allowances of releases, rubrics.

    If it has the public tests alone, each task is worth what these are worth.
    """
    table: dict[str, Any] = tomlkit.parse(assignment.file.read_text(encoding="utf-8")).unwrap()
    table.pop("release", None)
    for question in table.get("questions", ()):
        question.pop("rubric", None)
    if public:
        table["tiers"] = {name: tier for name, tier in table["tiers"].items() if tier == "public"}
        points = _public_points(assignment, plan)
        table["tasks"] = [
            task | {"points": float(points[task["id"]])} for task in table["tasks"] if task["id"] in points
        ]
    return tomlkit.dumps(table)


def _public_points(assignment: Assignment, plan: tuple[PlannedTest, ...]) -> dict[str, Fraction]:
    """Return what the public tests of each task are worth; a task without any is left out.

    Raises
    ------
    ConfigError
        There are none, or those of a task check no value, so that a stub would earn their points.
    """
    public = [test for test in plan if test.tier == "public"]
    checked = {test.task for test in public if test.kind == "value"}
    why = "hidden tests stay out of a bundle that everybody can read"
    if not checked:
        found = "has no public test that checks a value"
        raise ConfigError(str(assignment.file), found, f"add one: {why}")
    for test in public:
        if test.task not in checked:
            found = f"task {test.task!r} has no public test that checks a value, only {test.id}"
            raise ConfigError(str(assignment.file), found, f"add one, or hide that test: {why}")
    parts = share_by_tier(assignment, plan)
    return {task: part for (task, tier), part in parts.items() if tier == "public"}


def _suite(assignment: Assignment, *, public: bool) -> dict[str, bytes]:
    """Return the test files and what they read."""
    found = sorted([*assignment.suite.glob("*.py"), *assignment.suite.glob("*.toml")])
    if public:
        found = [path for path in found if assignment.tiers.get(path.name) == "public"]
    return {path.name: path.read_bytes() for path in found if path.name not in _NOT_NEEDED}


def _hash(files: dict[str, bytes]) -> str:
    """Return the SHA-256 over names and contents."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
