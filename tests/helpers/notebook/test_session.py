"""The public tests run with pytest in this process, again and again, and leave nothing behind."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.notebook import reload
from helpers.notebook.session import run_tests
from helpers.submission.handout import HandoutError
from tests.support.handouts import SOLUTION, write_toy

ALL = [f"test_public.py::{name}" for name in ("test_double", "test_short", "test_total[2]", "test_total[3]")]


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[Path]:
    """Return the file of the toy module, which tests can import."""
    file = write_toy(tmp_path / "toy")
    reload.follow({"toy": file})
    yield file
    sys.modules.pop("toy", None)
    del reload._finder.files["toy"]


def test_every_test_has_its_outcome(toy: Path, capfd: pytest.CaptureFixture[str]) -> None:
    errors = run_tests(toy.parent / "test_public.py", ALL)
    assert list(errors) == ALL
    assert {type(error) for id, error in errors.items() if id != ALL[1]} == {NotImplementedError}
    assert errors[ALL[1]] is None
    assert capfd.readouterr() == ("", "")


def test_only_what_is_wanted_runs(toy: Path) -> None:
    assert list(run_tests(toy.parent / "test_public.py", ALL[3:])) == ALL[3:]


def test_the_test_file_is_read_anew(toy: Path) -> None:
    toy.write_text(SOLUTION)
    tests = toy.parent / "test_public.py"
    assert set(run_tests(tests, ALL).values()) == {None}
    tests.write_text(tests.read_text().replace("6, what", "7, what"))
    assert run_tests(tests, ALL[:1])[ALL[0]] is not None
    assert "test_public" not in sys.modules
    assert not list(toy.parent.rglob("__pycache__"))


def test_plain_asserts_show_their_values(toy: Path) -> None:
    toy.write_text(SOLUTION.replace("sum(values)", "max(values)"))
    error = run_tests(toy.parent / "test_public.py", ALL[2:3])[ALL[2]]
    assert "assert 1 == 2" in str(error)


def test_tests_get_the_conventions_of_the_release(toy: Path) -> None:
    toy.write_text(SOLUTION)
    tests, released = toy.parent / "test_public.py", toy.parent / "checks.json"
    ask = "from helpers.testing import convention\n    checks.holds(convention('half') == 0.5,"
    tests.write_text(tests.read_text().replace("checks.holds(True,", ask, 1))
    assert isinstance(run_tests(tests, ALL[1:2])[ALL[1]], LookupError)
    released.write_text(json.dumps(json.loads(released.read_text()) | {"conventions": {"half": 0.5}}))
    assert run_tests(tests, ALL[1:2]) == {ALL[1]: None}


def test_an_interruption_ends_the_run(toy: Path) -> None:
    toy.write_text(SOLUTION.replace("return 2 * x", "raise KeyboardInterrupt"))
    errors = run_tests(toy.parent / "test_public.py", ALL)
    assert list(errors) == ALL[:1]
    assert isinstance(errors[ALL[0]], KeyboardInterrupt)
    importlib.import_module("toy")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import no_such_module", "cannot be loaded: ModuleNotFoundError"),
        ("def f(:", "cannot be loaded: SyntaxError"),
        ("import toy", r"lacks test_public\.py::test_double and .* from the release again"),
    ],
)
def test_a_damaged_test_file(toy: Path, text: str, found: str) -> None:
    tests = toy.parent / "test_public.py"
    tests.write_text(text)
    with pytest.raises(HandoutError, match=found):
        run_tests(tests, ALL)


def test_neither_plugins_nor_settings_around_it_matter(toy: Path) -> None:
    (toy.parent / "conftest.py").write_text("raise SystemExit('a conftest ran')")
    (toy.parent / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    assert len(run_tests(toy.parent / "test_public.py", ALL)) == 4


def test_pytest_is_imported_when_a_check_runs() -> None:
    code = (
        "import sys, helpers, helpers.submission.handout;"
        "print(sorted({'torch', 'pytest', 'numpy', 'matplotlib', 'IPython'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
