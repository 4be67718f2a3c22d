"""Every kind of leak is planted into a clean release, and refused with file and line."""

from __future__ import annotations

import base64
import io
import json
import os
import py_compile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder.course import Course
from autograder.release.leaks import Leak, LeakCheck, LeakError
from autograder.release.tree import Tree
from helpers.submission import archives
from tests.support import planted

SOLUTION = "product = width * height\nreturn abs(product)\n"
NOTEBOOK = "dist/student/assignments/shapes/shapes.ipynb"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return planted.write_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def built(course: Course) -> Tree:
    return planted.build(course)


@pytest.fixture(scope="module")
def check(course: Course) -> LeakCheck:
    return LeakCheck(course)


def test_a_clean_release_passes(check: LeakCheck, built: Tree) -> None:
    check.require_clean(built.public)


def only(findings: tuple[Leak, ...]) -> Leak:
    (finding,) = findings
    return finding


TEXTS = {
    "a solution": (SOLUTION, "a solution, of solutions/shapes/shapes.py:7"),
    "a solution, reformatted": ("PRODUCT=width*height ; return abs( product )", "a solution, of"),
    "a solution, commented out": ("# product = width * height\n# return abs(product)", "a solution, of"),
    "a solution of one line": (
        "self.rows_of_shapes.append(tuple(shape))",
        "a solution, of solutions/shapes/shapes.py:20",
    ),
    "an answer": (
        "The area grows with both of its sides, so that doubling\nthem makes it four times as large.",
        "shapes.md",
    ),
    "lines of a hidden test": (
        "for label in LABELS:\n    assert shapes.area(label, 1) == label",
        "a hidden test, of",
    ),
    "the name of a hidden test": ("test_area_of_large_sides", "a hidden test, of"),
    "a hidden constant": ("width = 123457", "a constant of a hidden test, of"),
    "hidden labels": ("labels = (3, 1, 4,\n  1, 5, 9, 2, 6)", "a constant of a hidden test, of"),
    "a marker": ("    ### BEGIN SOLUTION", "a solution marker"),
    "an end marker": ("<!-- END SOLUTION -->", "a solution marker"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_text_that_must_not_be_there_is_refused_with_its_line(
    check: LeakCheck, built: Tree, kind: str
) -> None:
    text, says = TEXTS[kind]
    path = "dist/student/helpers/testing/checks.py"
    content = built.public[path].decode()
    line = content.count("\n") + 1
    with pytest.raises(LeakError) as caught:
        check.require_clean({**built.public, path: f"{content}{text}\n".encode()})
    assert caught.value.where == f"{path}:{line}"
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", [SOLUTION.split("\n")[0], "return abs(product)", "width, height = 12345, 10", "test_area"]
)
def test_what_says_too_little_is_no_leak(check: LeakCheck, text: str) -> None:
    assert check.file("notes.txt", text.encode()) == ()


SECRETS: dict[str, Callable[[bytes], bytes]] = {
    "in hexadecimal": lambda secret: b"key = " + secret.hex().encode(),
    "in capitals": lambda secret: secret.hex().upper().encode(),
    "raw": lambda secret: b"\xff" + secret,
    "in Base64": base64.b64encode,
    "in a zip": lambda secret: archives.pack({"x": secret.hex().encode() * 40}),
}


@pytest.mark.parametrize("form", SECRETS)
def test_the_course_secret_is_refused(check: LeakCheck, course: Course, form: str) -> None:
    findings = check.file("x.bin", SECRETS[form](course.secret()))
    assert "the course secret" in {finding.says for finding in findings}


def edited(built: Tree, edit: Callable[[dict[str, Any]], None]) -> bytes:
    notebook = json.loads(built.public[NOTEBOOK])
    edit(notebook)
    return json.dumps(notebook, indent=1).encode()


def attach(notebook: dict[str, Any]) -> None:
    image = b"\x89PNG\r\n\x1a\n" + SOLUTION.encode()
    notebook["cells"][0]["attachments"] = {"plot.png": {"image/png": base64.b64encode(image).decode()}}


def attach_archive(notebook: dict[str, Any]) -> None:
    packed = base64.encodebytes(archives.pack({"shapes.py": planted.MODULE.encode()})).decode()
    notebook["cells"][0]["attachments"] = {"files.zip": {"application/zip": packed}}


def put_into_metadata(notebook: dict[str, Any]) -> None:
    notebook["cells"][1]["metadata"]["notes"] = {"draft": [SOLUTION]}


def put_into_notebook_metadata(notebook: dict[str, Any]) -> None:
    notebook["metadata"]["draft"] = json.dumps({"cells": SOLUTION})


def put_into_a_cell(notebook: dict[str, Any]) -> None:
    notebook["cells"][1]["source"] = SOLUTION.splitlines(keepends=True)


def put_into_an_output(notebook: dict[str, Any]) -> None:
    trace = [f"\x1b[0;32m----> {n}\x1b[0m {line}" for n, line in enumerate(SOLUTION.splitlines(), 9)]
    output = {"output_type": "error", "ename": "E", "evalue": "", "traceback": ["\n".join(trace)]}
    notebook["cells"][1]["outputs"] = [output]


IN_NOTEBOOKS = (
    attach,
    attach_archive,
    put_into_metadata,
    put_into_notebook_metadata,
    put_into_a_cell,
    put_into_an_output,
)


@pytest.mark.parametrize("edit", IN_NOTEBOOKS)
def test_solutions_anywhere_in_a_notebook_are_refused(
    check: LeakCheck, built: Tree, edit: Callable[[dict[str, Any]], None]
) -> None:
    content = edited(built, edit)
    findings = [
        f for f in check.file(NOTEBOOK, content) if "a solution, of solutions/shapes/shapes.py" in f.says
    ]
    assert findings
    assert all(finding.place.startswith(f"{NOTEBOOK}") for finding in findings)
    line = int(findings[0].place.rpartition(":")[2])
    if edit not in (attach, attach_archive):
        assert "product" in content.decode().split("\n")[line - 1]


def test_outputs_counts_and_widgets_are_refused(check: LeakCheck, built: Tree) -> None:
    def output(notebook: dict[str, Any]) -> None:
        notebook["cells"][2]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["1"]}]

    def count(notebook: dict[str, Any]) -> None:
        notebook["cells"][1]["execution_count"] = 3

    def widgets(notebook: dict[str, Any]) -> None:
        notebook["metadata"]["widgets"] = {"state": {}}

    finding = only(check.file(NOTEBOOK, edited(built, output)))
    assert finding.says == "cell 3 holds outputs"
    lines = edited(built, output).decode().split("\n")
    assert json.loads(built.public[NOTEBOOK])["cells"][2]["id"] in lines[int(finding.place.split(":")[1]) - 1]
    assert only(check.file(NOTEBOOK, edited(built, count))).says == "cell 2 holds outputs"
    assert only(check.file(NOTEBOOK, edited(built, widgets))).says == "the notebook holds widget states"
    packed = archives.pack({"a/x.ipynb": edited(built, output)})
    assert only(check.file("a.zip", packed)).place.startswith("a.zip!a/x.ipynb:")


def zipped(edit: Callable[[zipfile.ZipFile, zipfile.ZipInfo], None], content: bytes = b"x = 1\n") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        entry = zipfile.ZipInfo("shapes.py")
        edit(packed, entry)
        packed.writestr(entry, content)
    return buffer.getvalue()


def comment(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    packed.comment = SOLUTION.encode()


def entry_comment(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    entry.comment = SOLUTION.encode()


def extra(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    entry.extra = b"\xfe\xca" + len(SOLUTION).to_bytes(2, "little") + SOLUTION.encode()


def packed_comment(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    packed.comment = base64.b64encode(archives.pack({"a": SOLUTION.encode()}))


def long_name(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    entry.filename = SOLUTION.replace("\n", " ")


@pytest.mark.parametrize("edit", [comment, entry_comment, extra, packed_comment, long_name])
def test_solutions_in_what_surrounds_an_archive_are_refused(
    check: LeakCheck, edit: Callable[[zipfile.ZipFile, zipfile.ZipInfo], None]
) -> None:
    findings = check.file("dist/shapes.zip", zipped(edit))
    assert findings
    assert all(f.place.startswith("dist/shapes.zip") for f in findings)
    assert all("a solution, of solutions/shapes/shapes.py" in f.says for f in findings)


def test_archives_are_refused_for_what_is_in_them(check: LeakCheck) -> None:
    inner = archives.pack({"notes.txt": f"one\n{SOLUTION}".encode()})
    outer = archives.pack({"inner.zip": inner, "test_hidden.py": b"", "a/__pycache__/x": b""})
    says = {finding.place: finding.says for finding in check.file("dist/shapes.zip", outer)}
    assert "a solution, of" in says["dist/shapes.zip!inner.zip!notes.txt:2"]
    assert says["dist/shapes.zip!test_hidden.py"] == "a file of hidden tests"
    assert "compiled Python" in says["dist/shapes.zip!a/__pycache__/x"]
    damaged = bytearray(inner)
    damaged[50] ^= 255
    assert "cannot be inspected" in only(check.file("x.zip", bytes(damaged))).says


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("helpers/__pycache__/checks.cpython-313.pyc", "compiled Python, which may hold solutions"),
        ("helpers/checks.pyc", "a compiled file, which cannot be inspected"),
        ("assignments/shapes/test_hidden.py", "a file of hidden tests"),
        ("assignments/shapes/assignment.toml", "the settings of an assignment"),
        ("solutions/notes.txt", "a folder for instructors only"),
        (".coursegrad/secret", "the folder of the course secret"),
        ("a/.ipynb_checkpoints/x.txt", "copies of notebooks, outputs included"),
        (".git/config", "a git repository with its own history"),
    ],
)
def test_files_that_do_not_belong_there_are_refused_by_name(check: LeakCheck, path: str, says: str) -> None:
    assert says in {finding.says for finding in check.file(path, b"harmless")}


def test_a_folder_is_checked_as_it_is_on_disk(check: LeakCheck, course: Course, tmp_path: Path) -> None:
    folder = tmp_path / "student"
    (folder / "helpers").mkdir(parents=True)
    (folder / "helpers" / "fine.py").write_text("x = 1\n")
    assert check.folder(folder) == ()
    (folder / "shapes.py").write_text(planted.MODULE)
    py_compile.compile(str(folder / "shapes.py"), doraise=True)
    (folder / "shapes.py").unlink()
    (folder / "link").symlink_to(course.root / "solutions" / "shapes" / "shapes.py")
    os.mkfifo(folder / "pipe")
    found = {finding.place.rpartition(".cpython")[0] or finding.place for finding in check.folder(folder)}
    assert found == {"student/__pycache__/shapes", "student/link", "student/pipe"}


def test_all_findings_are_kept_and_the_first_is_the_message(check: LeakCheck) -> None:
    files = {"a.txt": SOLUTION.encode(), "b.txt": b"fine", "c.txt": b"123457"}
    with pytest.raises(
        LeakError, match=r"^a\.txt:1: a solution.*\(and 1 more\); .*\[\[release\.allow\]\]"
    ) as caught:
        check.require_clean(files)
    assert [finding.place for finding in caught.value.findings] == ["a.txt:1", "c.txt:1"]


def test_a_course_whose_secret_was_never_made_gets_none(tmp_path: Path) -> None:
    course = planted.write_course(tmp_path)
    course.secret_file.unlink()
    assert LeakCheck(course).file("x", b"") == ()
    assert not course.secret_file.exists()


SHARED = '''\
"""What hidden tests share."""

SIDES = 86753, 9


def right_area(width, height):
    return sum(height for _ in range(width))
'''


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        ("dist/student/helpers/more.py", SHARED, "a hidden test, of autograder/suites/shapes/regions.py:3"),
        ("dist/student/helpers/more.py", "x = 86753", "a constant of a hidden test, of autograder/suites"),
        ("dist/student/helpers/regions.py", "x = 1", "the name of a module that hidden tests share"),
        ("dist/student/suites/shapes/regions.py", "x = 1", "a folder for instructors only"),
    ],
)
def test_modules_that_hidden_tests_share_are_refused(tmp_path: Path, path: str, text: str, says: str) -> None:
    course = planted.write_course(tmp_path)
    assert LeakCheck(course).file("dist/student/helpers/more.py", text.encode()) == ()
    (tmp_path / "autograder" / "suites" / "shapes" / "regions.py").write_text(SHARED)
    assert any(says in finding.says for finding in LeakCheck(course).file(path, text.encode()))
