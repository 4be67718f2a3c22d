"""A module that is edited while in use is loaded anew, wholly, also where names were imported from it."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from helpers.notebook import frontend, reload

FIRST = "def f():\n    return 1\n\ndef gone():\n    pass\n\nclass C:\n    def m(self):\n        return f()\n"
SECOND = "def f():\n    return 2\n\nclass C:\n    def m(self):\n        return -f()\n"
BROKEN = "def f():\n    return (\n"
RAISING = "def f():\n    return 3\n\nint('x')\n"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """Return the file of a followed module, ``edited``."""
    file = tmp_path / "edited.py"
    file.write_text(FIRST)
    reload.follow({"edited": file})
    yield file
    sys.modules.pop("edited", None)
    del reload._finder.files["edited"]


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the module in which a notebook's cells run."""
    notebook = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", notebook)
    return notebook


@pytest.fixture
def run_cell(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what a shell does before it runs a cell."""
    callbacks: list[Callable[[object], None]] = []
    events = SimpleNamespace(register=lambda event, callback: callbacks.append(callback))
    shell = SimpleNamespace(events=events)
    monkeypatch.setattr(frontend, "shell", lambda: shell)
    reload.watch()
    return lambda: [callback(None) for callback in callbacks] and None


def edited() -> ModuleType:
    return importlib.import_module("edited")


def test_it_is_found_without_sys_path(file: Path) -> None:
    assert edited().f() == 1
    assert edited().__file__ == str(file)


def test_two_edits_within_one_second_and_of_one_size(file: Path) -> None:
    moment = time.time()
    edited()
    for number in range(2, 6):
        file.write_text(FIRST.replace("1", str(number)))
        os.utime(file, (moment, moment))
        assert reload.refresh("edited").fresh
        assert edited().f() == number
    assert not reload.refresh("edited").fresh
    assert not list(file.parent.rglob("*.pyc"))


def test_names_that_left_the_file_are_gone(file: Path) -> None:
    assert hasattr(edited(), "gone")
    file.write_text(SECOND)
    reload.refresh("edited")
    assert not hasattr(edited(), "gone")


def test_what_the_notebook_imported_is_exchanged(file: Path, notebook: ModuleType) -> None:
    module = edited()
    mine = vars(notebook)
    mine.update(f=module.f, g=module.f, C=module.C, gone=module.gone, number=1, own=lambda: None)
    own = mine["own"]
    file.write_text(SECOND)
    reload.refresh("edited")
    assert mine["f"]() == mine["g"]() == 2
    assert mine["C"]().m() == -2
    assert mine["gone"].__name__ == "gone"
    assert mine["own"] is own
    assert mine["number"] == 1


def test_objects_keep_their_class_and_see_the_new_functions(file: Path) -> None:
    thing = edited().C()
    file.write_text(SECOND)
    reload.refresh("edited")
    assert thing.m() == 2


@pytest.mark.parametrize(("text", "error", "line"), [(BROKEN, SyntaxError, 2), (RAISING, ValueError, 4)])
def test_a_version_that_cannot_be_loaded_changes_nothing(
    file: Path, text: str, error: type[Exception], line: int
) -> None:
    before = reload.refresh("edited")
    assert before.runs
    file.write_text(text)
    version = reload.refresh("edited")
    assert type(version.error) is error
    assert version.since == before.since
    assert reload.locate_error(version.error, [file]) == (str(file), line, "")
    assert edited().f() == 1
    assert hasattr(edited(), "gone")
    assert reload.running_digest("edited") == before.digest != version.digest
    file.write_text(SECOND)
    assert reload.refresh("edited").error is None
    assert edited().f() == 2


def test_a_first_version_that_cannot_be_loaded(file: Path) -> None:
    file.write_text(BROKEN)
    version = reload.refresh("edited")
    assert isinstance(version.error, SyntaxError)
    assert not version.runs
    assert "edited" not in sys.modules


def test_a_module_from_elsewhere_is_replaced(file: Path, tmp_path: Path) -> None:
    other = ModuleType("edited")
    other.__file__ = str(tmp_path / "other" / "edited.py")
    sys.modules["edited"] = other
    assert reload.running_digest("edited") is None
    assert reload.refresh("edited").fresh
    assert edited().f() == 1
    assert edited().__file__ == str(file)


def test_a_file_that_is_gone(file: Path) -> None:
    file.unlink()
    with pytest.raises(FileNotFoundError):
        reload.refresh("edited")


def test_exit_on_import_is_an_error_of_the_file(file: Path) -> None:
    file.write_text("raise SystemExit(1)")
    assert isinstance(reload.refresh("edited").error, SystemExit)


def test_cells_run_what_is_saved(
    file: Path, run_cell: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    run_cell()
    edited()
    run_cell()
    assert capsys.readouterr().out == ""
    file.write_text(SECOND)
    run_cell()
    assert capsys.readouterr().out.startswith("edited.py: loaded the version saved at ")
    assert edited().f() == 2
    file.write_text(BROKEN)
    run_cell()
    said = capsys.readouterr().out
    assert said.startswith("edited.py, line 2: SyntaxError: '(' was never closed\nUntil you fix that, the ")
    assert edited().f() == 2
    file.unlink()
    run_cell()


def test_without_a_notebook_nothing_is_watched() -> None:
    reload.watch()


def test_the_place_of_an_exception_is_the_named_function(file: Path) -> None:
    file.write_text("def f(xs):\n    return [\n        1 / x for x in xs\n    ]\n")
    with pytest.raises(ZeroDivisionError) as caught:
        edited().f([1, 0])
    assert reload.locate_error(caught.value, [file]) == (str(file), 3, "f")
    assert reload.locate_error(caught.value, []) is None


def test_times_of_other_days_have_a_date() -> None:
    assert len(reload.format_time(time.time())) == 8
    assert reload.format_time(0).startswith(("1970-01-01 ", "1969-12-31 "))


def test_another_module_that_imported_from_it_gets_the_new_version(file: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer.py"
    outer.write_text("from edited import f\n\ndef g():\n    return f()\n")
    reload.follow({"outer": outer})
    try:
        assert importlib.import_module("outer").g() == 1
        file.write_text(SECOND)
        reload.refresh("edited")
        assert importlib.import_module("outer").g() == 2
    finally:
        sys.modules.pop("outer", None)
        del reload._finder.files["outer"]
