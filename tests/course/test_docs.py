"""The documents are true: links, commands, names, rooms and their imports, levels, and the example suite."""

from __future__ import annotations

import ast
import functools
import json
import math
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from graphlib import TopologicalSorter
from pathlib import Path
from typing import get_args

import pytest
from typer.main import get_command

from autograder import sandbox
from autograder.commands.main import Level, app
from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.course.assignment import TestLimits
from autograder.engine import verdict
from autograder.engine.pool import Pool
from autograder.graded import results
from autograder.intake import Submission
from autograder.release import plans
from autograder.sandbox.plan import WEAK_OPTION
from autograder.sandbox.probe import LAYERS
from helpers.statuses import Status
from helpers.testing import causes
from tests.support import imports as sources

ROOT = Path(__file__).parents[2]
MAKEFILE = "autograder/authoring/templates/course/Makefile.txt"
SKIPPED = {"graded", "build", "dist", "solutions"}  # solutions are notebooks
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for path in ROOT.rglob("*.md")
    if SKIPPED.isdisjoint(path.relative_to(ROOT).parts)
    and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)  # what runs leave behind
)
TEXTS = {path.as_posix(): (ROOT / path).read_text(encoding="utf-8") for path in DOCUMENTS}

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


MODULES = {name: ROOT / path for name, path in sources.modules(ROOT).items() if path.parts[0] != "tests"}
"""Every module of the kit, suites included."""


def imports(name: str) -> set[str]:
    """Return the dotted names that a module imports, at any place in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively; write the whole name"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in MODULES else str(node.module))
    return found


@functools.cache
def graph() -> dict[str, set[str]]:
    """Return of each module of the kit the others that it imports."""
    return {
        name: {other for other in imports(name) if other in MODULES and other != name} for name in MODULES
    }


def table(document: str, column: str) -> list[list[str]]:
    """Return the rows of the first table of a document whose heading names `column`."""
    lines = TEXTS[document].splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("|") and f"| {column} |" in line)
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def rooms() -> dict[str, tuple[set[str], set[str]]]:
    """Return for each room of ARCHITECTURE.md its modules and the rooms that it may import."""
    rows = table("ARCHITECTURE.md", "responsibility")
    named: dict[str, set[str]] = {}
    whole: list[tuple[str, str]] = []
    for room, modules, *_ in rows:
        listed = CODE.findall(modules)
        named[room] = set() if "all in it" in modules else set(listed)
        whole += [(name, room) for name in listed if "all in it" in modules]
    for name in MODULES.keys() - set().union(*named.values()):
        owners = [
            (package, room)
            for package, room in whole
            if name == package or f"{name}.".startswith(f"{package}.")
        ]
        assert owners, f"{name} has no row in ARCHITECTURE.md"
        named[max(owners)[1]].add(name)
    return {
        room: (named[room], set() if allowed == "nothing" else set(allowed.split(", ")))
        for room, _, _, allowed in rows
    }


# The code is as ARCHITECTURE.md says


def test_every_module_is_in_one_room() -> None:
    listed = [name for modules, _ in rooms().values() for name in modules]
    assert sorted(listed) == sorted(MODULES)


def test_rooms_import_only_what_the_table_allows_and_nothing_in_it_is_stale() -> None:
    found = rooms()
    room_of = {name: room for room, (modules, _) in found.items() for name in modules}
    for room, (modules, allowed) in found.items():
        assert allowed <= found.keys(), f"{room} may import a room that is not there"
        used = {room_of[other] for name in modules for other in graph()[name]} - {room}
        assert used == allowed, room


def test_rooms_and_modules_import_without_a_cycle() -> None:
    TopologicalSorter({room: allowed for room, (_, allowed) in rooms().items()}).prepare()
    TopologicalSorter(graph()).prepare()


def test_helpers_need_nothing_of_the_instructor() -> None:
    for name in MODULES:
        if name.partition(".")[0] == "helpers":
            first = {other.partition(".")[0] for other in imports(name)}
            assert first.isdisjoint({"autograder", "benchmarks", "nbgrader"}), name


def test_the_command_line_starts_without_torch_and_pytest() -> None:
    code = (
        "import sys, autograder.commands.main, autograder.grading.loop, autograder.engine.pool;"
        "sys.exit(' '.join({'torch', 'pytest', 'numpy'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("document", TEXTS)
def test_modules_and_paths_that_a_document_names_exist(document: str) -> None:
    for word in set(CODE.findall(TEXTS[document])):
        if re.fullmatch(r"(autograder|helpers|benchmarks)(\.\w+)+", word):
            assert _resolves(word), f"{document} names {word}"
        if re.fullmatch(r"(autograder|helpers|tests|docs|solutions|examples|\.ci)/[\w./-]+", word):
            assert (ROOT / word).exists() or "NAME" in word, f"{document} names {word}"


def test_the_picture_names_modules() -> None:
    picture = next(block for language, block in FENCE.findall(TEXTS["ARCHITECTURE.md"]) if language == "text")
    for name in re.findall(r"\b(?:engine|sandbox|reports)\.\w+", picture):
        assert f"autograder.{name}" in MODULES, name


def test_module_names_in_strings_exist() -> None:
    """Lists of what is preloaded, refused or watched name modules that are there."""
    attacks = (ROOT / "tests/course/attacks").glob("*.py")
    for path in (*MODULES.values(), *attacks):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                word = node.value
                if word == "autograder.io":  # a server
                    continue
                if re.fullmatch(r"(autograder|helpers)(\.\w+)+", word) and ".suites." not in word:
                    assert _resolves(word), f"{path.relative_to(ROOT)} names {word}"


def test_parts_that_have_no_say_in_a_plan_exist() -> None:
    assert all((ROOT / "autograder" / name).is_dir() for name in plans.APART)


def test_attacks_shadow_modules_that_exist() -> None:
    corpus = tomllib.loads((ROOT / "tests/course/attacks/corpus.toml").read_text(encoding="utf-8"))
    shadowed = {path for attack in corpus["attack"] for path in attack.get("extras", ())}
    ours = {path for path in shadowed if path.startswith(("autograder/", "helpers/"))}
    assert len(ours) == 4
    assert [path for path in ours if not (ROOT / path).is_file()] == []


def _resolves(dotted: str) -> bool:
    """Tell whether a dotted name is a module, or something defined in one."""
    if dotted in MODULES:
        return True
    module, _, name = dotted.rpartition(".")
    return module in MODULES and re.search(rf"\b{name}\b", MODULES[module].read_text()) is not None


# Documents hang together


@pytest.mark.parametrize("document", TEXTS)
def test_relative_links_lead_somewhere(document: str) -> None:
    for target in LINK.findall(FENCE.sub("", TEXTS[document])):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        place = (ROOT / document).parent / path if path else ROOT / document
        assert place.exists(), f"{document} links to {target}"
        if anchor:
            assert anchor in _anchors(place.read_text(encoding="utf-8")), f"{document} links to {target}"


def _anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in HEADING.findall(FENCE.sub("", text))
    }


def commands(document: str) -> Iterator[str]:
    """Yield the shell commands of a document: lines of sh blocks, and code that looks like one."""
    for language, block in FENCE.findall(TEXTS[document]):
        if language == "sh":
            yield from (line.partition(" #")[0].strip() for line in block.splitlines())
    yield from CODE.findall(FENCE.sub("", TEXTS[document]))


@pytest.mark.parametrize("document", TEXTS)
def test_make_targets_exist(document: str) -> None:
    of_a_course = document == "docs/course.md"  # which is about the Makefile that `autograder start` writes
    makefile = (ROOT / (MAKEFILE if of_a_course else "Makefile")).read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z]+)\s*\?=", makefile, re.MULTILINE))
    for command in commands(document):
        words = command.split()
        if words[:1] == ["make"]:
            assert {word for word in words[1:] if "=" not in word} <= targets, command
            assert {word.partition("=")[0] for word in words[1:] if "=" in word} <= variables, command


@pytest.mark.parametrize("document", TEXTS)
def test_commands_and_options_exist(document: str) -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]
    for command in commands(document):
        words = command.split()
        if len(words) > 1 and words[0] == "autograder" and words[1] != "COMMAND":
            assert words[1] in known, command
            options = {name for parameter in known[words[1]].params for name in parameter.opts}
            assert {word for word in words if word.startswith("-")} <= options | {"--help"}, command


def test_every_command_is_in_the_documents() -> None:
    written = "\n".join(command for document in TEXTS for command in commands(document))
    for name in get_command(app).commands:  # type: ignore[attr-defined]
        assert f"autograder {name}" in written


def test_the_glossary_is_alphabetical_and_defines_each_term_once() -> None:
    terms = [term for term, *_ in table("ARCHITECTURE.md", "meaning")]
    assert terms == sorted(set(terms))


# What documents say of levels, limits and results


def test_levels_and_layers_are_those_of_the_code() -> None:
    levels = list(get_args(results.SandboxReport.model_fields["level"].annotation))
    for document in ("README.md", "SECURITY.md"):
        assert [row[0].strip("`") for row in table(document, "level")] == levels
        assert WEAK_OPTION in TEXTS[document]
    assert [row[0].strip("`") for row in table("SECURITY.md", "layer")] == list(LAYERS)
    assert {level.value for level in Level} <= set(levels)
    uids = sandbox.credentials.UIDS
    assert f"{uids[0]} to {uids[-1]}" in TEXTS["SECURITY.md"]


def test_what_a_hidden_test_may_leak_is_counted() -> None:
    text = " ".join(TEXTS["SECURITY.md"].split())
    exceptions, reasons = len(verdict._EXCEPTIONS), len(causes.CAUSES)
    bits = math.ceil(math.log2((exceptions + 1) * (reasons + 1)))
    told = f"Python's own {exceptions}, and the usual reason for its message, one of {reasons} | {bits} bits"
    assert told in text
    (place,) = re.findall(r"but the worker chooses \| (\d+) bits", text)
    most = bits + int(place)
    suite = ROOT / "autograder" / "suites" / "knn"
    hidden = sum(file.read_text().count("\ndef test_") for file in suite.glob("test_hidden*.py"))
    leak = round(hidden * most / 8, -1)
    assert f"at most some {most} bits per submission" in text
    assert f"the {hidden} hidden tests of kNN about {leak:.0f} bytes" in text


def test_limits_are_those_of_the_code() -> None:
    stated = {row[0].strip("`"): row[1] for row in table("SECURITY.md", "key")}
    assert stated == {field.name: str(getattr(TestLimits(), field.name)) for field in fields(TestLimits)}


def test_every_field_and_status_of_a_result_is_explained() -> None:
    words = set(CODE.findall(TEXTS["docs/results.md"]))
    models = (results.SubmissionResult, results.TestResult, results.TaskResult, results.Feedback)
    for model in (*models, results.Location, results.SandboxReport, results.Provenance):
        assert model.model_fields.keys() <= words, model.__name__
    explained = [row[0].strip("`") for row in table("docs/results.md", "status")]
    assert explained == [status.value for status in Status]


def test_the_example_of_a_result_is_one() -> None:
    (block,) = (block for language, block in FENCE.findall(TEXTS["docs/results.md"]) if language == "json")
    result = results.SubmissionResult.model_validate(json.loads(block))
    assert result.schema_version == 1
    failed = next(test for test in result.tests if test.detail)
    place, code, *_ = failed.detail.splitlines()
    path, _, function = re.fullmatch(r"(.+):(\d+): in (\w+)", place).groups()  # type: ignore[union-attr]
    test = (ROOT / path).read_text(encoding="utf-8").partition(f"\ndef {function}(")[2].partition("\n\n\n")[0]
    assert f'"""{failed.title}"""' in test
    assert code.strip() in map(str.strip, test.splitlines())
    shown = json.loads(block)
    assert shown.keys() == results.SubmissionResult.model_fields.keys()
    assert shown["provenance"].keys() == results.Provenance.model_fields.keys()


def test_the_example_of_a_suite_works(tmp_path: Path) -> None:
    blocks = [
        block for language, block in FENCE.findall(TEXTS["docs/suites.md"]) if language in ("toml", "python")
    ]
    named = {block.partition("\n")[0][2:]: block for block in blocks if block.startswith("# ")}
    for name, text in {**named, "course.toml": 'name = "Example"\ntimezone = "UTC"\n'}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    course = Course.load(tmp_path)
    warmup = assignments.load(course, "warmup")
    reference = (warmup.folder / "warmup.py").read_text()
    stub = re.sub(
        r"( *)### BEGIN SOLUTION.*### END SOLUTION",
        r'\1raise NotImplementedError("row_means")',
        reference,
        flags=re.DOTALL,
    )
    class_of_two = [
        Submission(student, tmp_path, {"warmup.py": source.encode()})
        for student, source in {"reference": reference, "stub": stub}.items()
    ]
    with Pool(warmup, course, jobs=2, sandbox="full") as pool:
        statuses = {
            graded.submission.student: {outcome.status.value for outcome in graded.outcomes}
            for graded in pool.grade(class_of_two)
        }
    assert statuses == {"reference": {"passed"}, "stub": {"not_implemented"}}


# Language


UNWANTED = re.compile(
    r"\b(TODO|FIXME|TBD|PLACEHOLDER|simply|easily|effortless\w*|seamless\w*|blazing\w*|powerful|cutting-edge"
    r"|state-of-the-art|leverag\w+|world-class|game-chang\w+|best-in-class|robust)\b",
    re.IGNORECASE,
)
HOMES = re.compile(r"(?<![\w.~])/(home|Users|root|work|workspace|mnt|opt)/\w+")


@pytest.mark.parametrize("document", TEXTS)
def test_documents_are_plain_and_name_nobodys_folders(document: str) -> None:
    assert not UNWANTED.search(TEXTS[document])
    assert not HOMES.search(TEXTS[document])
    assert TEXTS[document].startswith("# ")
    assert max(len(line) for line in FENCE.sub("", TEXTS[document]).splitlines() if "|" not in line) <= 120


@pytest.mark.parametrize("name", Course.load(ROOT).assignments())
def test_a_notebook_goes_through_the_tasks_in_the_order_of_the_gradebook(name: str) -> None:
    one = assignments.load(Course.load(ROOT), name)
    checked = re.findall(r'check\(.*task="(\w+)"', (one.folder / f"{name}.md").read_text(encoding="utf-8"))
    assert checked == [task.id for task in one.tasks if task.id in checked]
    assert {task.id for task in one.tasks if not task.extra} <= set(checked)
