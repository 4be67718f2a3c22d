"""`make quick` finds the tests of what changed, takes those that fit, and says what it leaves out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import quick, timing
from tests.support.imports import ImportGraph, uses

ROOT = Path(__file__).parents[2]
FILES = {
    "autograder/__init__.py": "",
    "autograder/errors.py": "class KitError(Exception): ...\n",
    "autograder/engine/__init__.py": "",
    "autograder/engine/pool.py": "from autograder.errors import KitError\nHOST = 'autograder.engine.host'\n",
    "autograder/engine/host.py": "def main(): ...\n",
    "autograder/reports/__init__.py": "",
    "autograder/reports/page.py": "TEMPLATE = 'page.html'\n",
    "autograder/reports/templates/page.html": "<p>",
    "docs/wire.md": "# Wire\n",
    "tests/conftest.py": "",
    "tests/support/tiny.py": "from autograder.engine import pool\n",
    "tests/test_docs.py": "FOUND = '*.md'\n",
    "tests/test_errors.py": "from autograder import errors\n",
    "tests/test_pool.py": "from autograder.engine.pool import HOST\n",
    "tests/test_page.py": "from autograder.reports import page\n",
    "tests/test_tiny.py": "from tests.support import tiny\n",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a small kit with tests, all of it committed on ``main``."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    commit(tmp_path)
    return tmp_path


def git(root: Path, *words: str) -> str:
    author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(
        ["git", "-C", str(root), *author, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=A change")


def reached(root: Path, *files: str) -> dict[str, int]:
    """Return the tests that reach files, with their distances."""
    found = ImportGraph.read(root).distances([Path(file) for file in files])
    return {name: steps for name, steps in found.items() if name.startswith("tests.test_")}


# What uses what


def test_a_change_reaches_tests_over_imports(repository: Path) -> None:
    assert reached(repository, "autograder/errors.py") == {
        "tests.test_errors": 1,
        "tests.test_pool": 2,
        "tests.test_tiny": 3,
    }


def test_a_process_that_is_started_by_name_is_used(repository: Path) -> None:
    assert reached(repository, "autograder/engine/host.py") == {"tests.test_pool": 2, "tests.test_tiny": 3}


def test_a_program_in_a_text_uses_what_it_imports_and_documentation_uses_nothing() -> None:
    assert "helpers.fresh" in uses("BOOT = 'import sys; from helpers import fresh; fresh.main()'").modules
    assert uses('def f():\n    """Like autograder.errors."""\n').modules == set()
    assert uses("def (") == uses("")


def test_other_files_are_used_where_their_names_stand(repository: Path) -> None:
    assert reached(repository, "docs/wire.md") == {"tests.test_docs": 1}
    assert reached(repository, "autograder/reports/templates/page.html") == {"tests.test_page": 2}


def test_a_package_reaches_what_imports_from_it_for_one_step_only(repository: Path) -> None:
    assert reached(repository, "autograder/engine/__init__.py") == {
        "tests.test_pool": 1,
        "tests.test_tiny": 2,
    }
    every = {f"tests.test_{name}" for name in ("docs", "errors", "pool", "page", "tiny")}
    assert reached(repository, "tests/conftest.py") == dict.fromkeys(every, 1)


def test_a_module_that_is_gone_still_reaches_who_imports_it(repository: Path) -> None:
    (repository / "autograder/errors.py").unlink()
    assert reached(repository, "autograder/errors.py")["tests.test_errors"] == 1


def test_the_kit_itself_is_read() -> None:
    found = ImportGraph.read(ROOT).distances([Path("autograder/engine/wire/frames.py")])
    assert found["tests.autograder.engine.wire.test_frames"] == 1
    assert found["autograder.engine.worker"] <= 2


# What changed


def test_changes_are_counted_from_where_the_branch_left_main(repository: Path) -> None:
    start = git(repository, "rev-parse", "HEAD")
    git(repository, "switch", "--quiet", "--create", "topic")
    (repository / "autograder/errors.py").write_text("")
    commit(repository)
    (repository / "autograder/reports/page.py").write_text("")
    (repository / "autograder/new one.py").write_text("")
    git(repository, "switch", "--quiet", "--create", "other", "main")
    (repository / "docs/wire.md").write_text("# Another\n")
    git(repository, "commit", "--quiet", "--message=Elsewhere", "--", "docs/wire.md")
    git(repository, "branch", "--force", "main", "other")
    git(repository, "switch", "--quiet", "topic")
    files = ["autograder/errors.py", "autograder/new one.py", "autograder/reports/page.py"]
    assert quick.changed(repository) == (start, [Path(file) for file in files])


def test_without_a_change_and_without_git_nothing_is_known(repository: Path, tmp_path: Path) -> None:
    assert quick.changed(repository) == (git(repository, "rev-parse", "HEAD"), [])
    (repository / ".git").rename(repository / "elsewhere")
    assert quick.changed(repository) is None


# What is taken


def test_the_test_of_a_module_comes_first_then_what_is_near_and_fast(repository: Path) -> None:
    (repository / "tests/test_all.py").write_text("from autograder import errors\n")
    graph = ImportGraph.read(repository)
    seconds = quick.estimates(graph) | {"tests/test_all.py": 0.1}
    assert seconds["tests/test_pool.py"] == quick.STARTING
    assert seconds["tests/test_errors.py"] == quick.PLAIN
    names = ["errors", "all", "pool", "tiny"]
    expected = [f"tests/test_{name}.py" for name in names]
    assert quick.ranked(graph, [Path("autograder/errors.py")], seconds) == expected
    assert quick.fastest(graph, seconds)[0] == "tests/test_all.py"


def test_what_does_not_fit_is_left_out_and_named() -> None:
    seconds = {"a": quick.SECONDS + 1, "b": quick.SECONDS - 1, "c": 2.0, "d": 0.5}
    choice = quick.choose(list(seconds), seconds, processes=1)
    assert (choice.taken, choice.left) == (["b", "d"], ["a", "c"])
    assert quick.choose(list(seconds), seconds, processes=2).left == ["a"]
    said = "\n".join(quick.summary(choice, quick.Tally({"one"}, collected=3)))
    assert "2 of 3 tests did not run" in said
    assert "2 files: a, c." in said
    assert "`full`" in said


MAIN = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from tests.support import quick
sys.exit(quick.main(Path.cwd()))
"""
CLOCK = """
from tests.support import timing
def pytest_addoption(parser):
    timing.add_option(parser)
def pytest_configure(config):
    timing.register(config)
"""


@pytest.mark.parametrize(("holds", "status"), [("True", 0), ("False", 1)])
def test_the_tests_of_what_changed_run_and_decide(repository: Path, holds: str, status: int) -> None:
    (repository / "pytest.ini").write_text("[pytest]\nmarkers = full\n")
    (repository / "tests/conftest.py").write_text(CLOCK)
    (repository / "tests/test_page.py").write_text(
        f"PAGE = 'autograder.reports.page'\ndef test_page(): assert {holds}\n"
    )
    (repository / "tests/test_errors.py").write_text("def test_errors(): assert False, 'nobody changed it'\n")
    commit(repository)
    (repository / "autograder/reports/page.py").write_text("TEMPLATE = 'another.html'\n")
    done = subprocess.run(
        [sys.executable, "-c", MAIN], cwd=repository, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Files changed since" in done.stdout
    assert "nobody changed it" not in done.stdout
    assert "Tests that ran: 1, of 1 files" in done.stdout


# How long tests take, and how long they may


def run_pytest(folder: Path, test: str, *options: str, more: str = "") -> subprocess.CompletedProcess[str]:
    """Run pytest on a file in a folder of its own, whose ``conftest`` has the kit's clock."""
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = full\n")
    (folder / "conftest.py").write_text(CLOCK + more)
    (folder / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", *options, "test_it.py"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


TESTS = (
    "import pytest, time\ndef test_a(): time.sleep(0.02)\n@pytest.mark.full\ndef test_b(): time.sleep(0.02)\n"
)


@pytest.mark.parametrize("processes", ["0", "1"])
def test_the_seconds_of_tests_are_noted_but_not_of_long_ones(tmp_path: Path, processes: str) -> None:
    assert run_pytest(tmp_path, TESTS, "-n", processes).returncode == 0
    noted = timing.seconds_of_files(tmp_path)
    assert noted.keys() == {"test_it.py"}
    assert noted["test_it.py"] >= 0.02
    run_pytest(tmp_path, "def test_of_another_name(): pass\n")
    assert timing.seconds_of_files(tmp_path)["test_it.py"] >= noted["test_it.py"]


@pytest.mark.parametrize("processes", ["0", "1"])
def test_no_test_begins_when_time_is_up(tmp_path: Path, processes: str) -> None:
    done = run_pytest(tmp_path, "def test_a(): assert False\n", "--seconds=0", "-n", processes)
    assert done.returncode == pytest.ExitCode.INTERRUPTED, done.stdout + done.stderr
    assert "FAILED" not in done.stdout
    assert timing.OVER in done.stdout


@pytest.mark.parametrize("processes", ["0", "1"])
def test_a_test_that_goes_on_and_on_is_interrupted(tmp_path: Path, processes: str) -> None:
    forever = "import time\ndef test_a():\n    time.sleep(3600)\ndef test_b(): assert False\n"
    done = run_pytest(tmp_path, forever, "--seconds=2", "-n", processes, more="timing.GRACE = 0")
    assert done.returncode == pytest.ExitCode.INTERRUPTED, done.stdout + done.stderr
    assert "1 skipped" in done.stdout
    assert "failed" not in done.stdout
