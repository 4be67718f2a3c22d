"""Whatever a student has can be handed in, and what is wrong with it is told before the path of the zip."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from helpers.notebook import document as notebook
from helpers.notebook import frontend, reload, runner, stubs, submit
from helpers.notebook.submit import SubmissionRefused
from helpers.submission import handout
from tests.support import fake_colab, handouts
from tests.support.fake_colab import FakeShell
from tests.support.handouts import QUESTION, SOLUTION, STUB, write_toy

ANSWER = QUESTION.replace("YOUR ANSWER HERE", "Because it is a sum of two equal numbers.")
HALF = STUB.replace('raise NotImplementedError("toy: double")', "return 2 * x")


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the student's file, solved, with its notebook beside it and saved weights."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    file = write_toy(tmp_path)
    file.write_text(SOLUTION)
    write_notebook(tmp_path, c_why=ANSWER)
    write_weights(tmp_path / "toy_weights.pt")
    yield file
    sys.modules.pop("toy", None)
    reload._finder.files.clear()
    runner._last.clear()
    runner._checked.clear()
    notebook._ended.clear()
    stubs._files.clear()
    submit._zips.clear()


def write_notebook(folder: Path, **sources: str) -> None:
    (folder / "toy.ipynb").write_text(json.dumps(handouts.notebook(**sources)))


def write_weights(file: Path) -> None:
    import torch

    torch.save({"W": torch.zeros(2)}, file)


def built(capsys: pytest.CaptureFixture[str]) -> str:
    """Build, and return in one line what was said."""
    submit.build("toy")
    said = capsys.readouterr().out
    assert said.endswith(f"Hand in this file: {Path.cwd() / 'toy-submission.zip'}\n"), "the path comes last"
    return " ".join(said.split())


def members(folder: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(folder / "toy-submission.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def refusal() -> str:
    with pytest.raises(SubmissionRefused) as caught:
        submit.build("toy")
    (line,) = caught.value._render_traceback_()
    assert "\n" not in line
    assert not Path("toy-submission.zip").exists()
    return line


def test_finished_work(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    submit.build("toy")
    said = capsys.readouterr().out
    assert re.fullmatch(
        r"Running 4 public checks on the files in toy-submission.zip; this can take a minute.\n"
        r"A toy: 4 of 4 public checks passed\n"
        r"5.5 of the 5.5 points that public checks give; (?:.*\n)+"
        r"\nIn the zip:\n"
        r"  toy.py +1 kB  saved at [\d:]+\n"
        r"  toy_weights.pt +\d+ kB  saved weights\n"
        r"  toy.ipynb +\d+ kB  saved at [\d:]+\n"
        r"\nHand in this file: .*toy-submission.zip\n",
        said,
    ), said
    assert members(toy.parent).keys() == {"manifest.json", "toy.py", "toy_weights.pt", "toy.ipynb"}


def test_the_same_files_give_the_same_bytes(toy: Path) -> None:
    target = toy.parent / "toy-submission.zip"
    submit.build("toy")
    first = target.read_bytes()
    os.utime(toy, (0, 0))
    target.unlink()
    submit.build("toy")
    assert target.read_bytes() == first
    assert [path.name for path in toy.parent.glob(".*")] == []


def test_half_of_the_work(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.write_text(HALF)
    said = built(capsys)
    assert "A toy: 2 of 4 public checks passed" in said
    assert "Not started: task 2, Adding up (4 points)." in said


def test_work_that_is_wrong(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.write_text(SOLUTION.replace("2 * x", "3 * x"))
    said = built(capsys)
    assert "A toy: 3 of 4 public checks passed" in said
    assert (
        'Task 1, Doubling (6 points): 1 public check does not pass; check("toy", task="double") says why.'
    ) in said


@pytest.mark.parametrize("text", [STUB, STUB.replace("\n", "\r\n")])
def test_nothing_but_what_was_received(toy: Path, text: str) -> None:
    toy.write_bytes(text.encode())
    write_notebook(toy.parent)
    (toy.parent / "toy_weights.pt").unlink()
    assert refusal() == (
        f"toy.py in {toy.parent} is as you received it, and no question is answered: there is nothing to "
        "hand in yet. If you did write something, save it first."
    )


def test_a_stub_with_an_answer_can_be_handed_in(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.write_text(STUB)
    said = built(capsys)
    assert "Not started: task 1, Doubling (6 points); task 2, Adding up (4 points)." in said
    assert "as you received it" in said


def test_a_syntax_error_is_named(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.write_text(SOLUTION.replace("return sum(values)", "return sum(values"))
    runner.run("toy")
    said = built(capsys)
    assert "A toy: no public check could run" in said
    assert "! toy.py cannot be imported: line 11: SyntaxError: '(' was never closed." in said
    assert "As it is, toy.py earns no points." in said
    assert "return sum(values" in said
    assert members(toy.parent)["toy.py"] == toy.read_bytes()


def test_a_file_that_cannot_be_imported(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.write_text("import no_such_module\n" + SOLUTION)
    said = built(capsys)
    assert "! toy.py cannot be imported: line 1: " in said
    assert "no_such_module" in said


def test_no_check_is_needed_before(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One check of one task, or none: the summary is of everything, as packed."""
    toy.write_text(HALF)
    assert "2 of 4 public checks passed" in built(capsys)
    runner.run("toy", "double")
    assert "2 of 4 public checks passed" in built(capsys)


def test_what_was_checked_is_not_what_is_packed(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runner.run("toy")
    toy.write_text(SOLUTION + "\n")
    os.utime(toy, (time.time() + 1,) * 2)
    assert "the result above is for the version in the zip." in built(capsys)
    os.utime(toy, (time.time() - 3600,) * 2)
    said = built(capsys)
    assert "Look at this before you hand it in" in said
    assert "it is older than the version that was checked." in said
    runner.run("toy")
    assert "was checked" not in built(capsys)


def test_a_graded_function_that_was_renamed(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.write_text(SOLUTION.replace("def total", "def totals"))
    said = built(capsys)
    assert "total is not in toy.py; is it the one that is called totals there? Give it its name back." in said
    assert "Task 2, Adding up (4 points): 2 public checks do not pass" in said


def test_a_graded_function_that_is_gone(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.write_text(SOLUTION[: SOLUTION.index("def total")])
    assert "total is not in toy.py; its checks cannot find it." in built(capsys)


def test_a_function_in_the_notebook_alone(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.write_text(SOLUTION[: SOLUTION.index("def total")])
    write_notebook(toy.parent, c_why=ANSWER, c_setup="def total(values):\n    return sum(values)")
    said = built(capsys)
    assert "4 of 4 public checks passed" in said
    assert "· total of toy.py comes from the cells of toy.ipynb, here and when your work is graded." in said
    assert "total is not in toy.py" not in said


@pytest.mark.parametrize("is_there", [True, False])
def test_everything_in_the_notebook(toy: Path, is_there: bool, capsys: pytest.CaptureFixture[str]) -> None:
    toy.write_text(STUB)
    if not is_there:
        toy.unlink()
    write_notebook(toy.parent, c_why=ANSWER, c_setup=SOLUTION)
    said = built(capsys)
    assert "4 of 4 public checks passed" in said
    assert "double and total of toy.py come from the cells of toy.ipynb, here and when your" in said
    assert "Not started" not in said
    assert "missing from" not in said
    submit.preview("toy")
    said = " ".join(capsys.readouterr().out.split())
    assert "4 of 4 public checks passed" in said
    assert "Note: double and total of toy.py come from the cells of toy.ipynb" in said


def test_what_the_module_has_counts_more_than_cells(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_notebook(toy.parent, c_why=ANSWER, c_setup=SOLUTION.replace("2 * x", "0"))
    said = built(capsys)
    assert "4 of 4 public checks passed" in said
    assert "from the cells" not in said


def test_a_notebook_that_writes_the_module(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.write_text(STUB)
    write_notebook(toy.parent, c_why=ANSWER, c_setup=f"%%writefile toy.py\n{SOLUTION}")
    said = built(capsys)
    assert "4 of 4 public checks passed" in said
    assert "toy.py comes from the cell of toy.ipynb that writes it" in said


def test_names_of_the_notebook_that_the_module_uses(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.write_text(SOLUTION.replace("return sum(values)", "return np.sum(values)"))
    write_notebook(toy.parent, c_why=ANSWER, c_setup="import numpy as np")
    assert "toy.py uses np, which is defined only in the notebook." in built(capsys)


def test_files_that_are_imported_are_packed(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.write_text("from utils import twice\n" + SOLUTION.replace("2 * x", "twice(x)"))
    (toy.parent / "utils.py").write_text("def twice(x):\n    return x + x\n")
    said = built(capsys)
    assert "4 of 4 public checks passed" in said
    assert "utils.py 1 kB imported by your code" in said
    assert members(toy.parent)["utils.py"].startswith(b"def twice")


def test_a_missing_module(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.unlink()
    assert f"toy.py is missing from {toy.parent}; without it" in built(capsys)
    write_notebook(toy.parent)
    (toy.parent / "toy_weights.pt").unlink()
    (toy.parent / "toy-submission.zip").unlink()
    assert refusal().startswith(f"toy.py is missing from {toy.parent}, and there is no other work")


def test_one_bad_module_costs_only_its_own_checks(
    toy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = json.loads((toy.parent / "checks.json").read_text())
    checks["modules"].append("more")
    checks["released"]["more.py"] = checks["released"]["toy.py"]
    checks["stubs"]["more.py"] = checks["stubs"]["toy.py"]
    checks["tests"][-1]["id"] = "test_public.py::test_more"
    (toy.parent / "checks.json").write_text(json.dumps(checks))
    with (toy.parent / "test_public.py").open("a") as tests:
        tests.write("\n\ndef test_more():\n    import more\n    assert more.total([1]) == 1\n")
    (toy.parent / "more.py").write_text(SOLUTION + "x = (\n")
    said = built(capsys)
    assert "A toy: 3 of 4 public checks passed" in said
    assert "! more.py cannot be imported: line 12: SyntaxError: '(' was never closed." in said
    (toy.parent / "more.py").unlink()
    said = built(capsys)
    assert "A toy: 3 of 4 public checks passed" in said
    assert f"more.py is missing from {toy.parent}; without it, its tasks get no points." in said


def test_leftovers_of_notebooks_are_told(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.write_text("from google.colab import drive\n" + SOLUTION)
    said = built(capsys)
    assert "4 of 4 public checks passed" in said
    assert "Good to know: · toy.py, line 1: google.colab does nothing when your work is graded." in said


def test_a_folder_that_cannot_be_written(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder of the zip's name stands for any reason: root may write everywhere."""
    (toy.parent / "toy-submission.zip").mkdir()
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    submit.build("toy")
    assert capsys.readouterr().out.endswith(f"Hand in this file: {home / 'toy-submission.zip'}\n")
    submit.preview("toy")
    assert "4 of 4 public checks passed" in capsys.readouterr().out
    monkeypatch.setenv("HOME", str(tmp_path / "none"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(handout.HandoutError, match="The zip cannot be written"):
        submit.build("toy")


def test_weights_that_are_absent_or_damaged(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (toy.parent / "toy_weights.pt").write_bytes(b"weights")
    assert "! toy_weights.pt cannot be loaded as tensors" in built(capsys)
    assert members(toy.parent)["toy_weights.pt"] == b"weights"
    (toy.parent / "toy_weights.pt").unlink()
    assert "○ toy_weights.pt is missing, so the zip holds no saved weights." in built(capsys)


def test_a_question_without_an_answer(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_notebook(toy.parent)
    said = built(capsys)
    assert "The question under “Think about it” (2 points) is not answered" in said


@pytest.mark.parametrize(("content", "word"), [(b"", "is empty (0 bytes)"), (b'{"cells": [', "is damaged")])
def test_a_damaged_notebook_is_packed_as_it_is(
    toy: Path, capsys: pytest.CaptureFixture[str], content: bytes, word: str
) -> None:
    (toy.parent / "toy.ipynb").write_bytes(content)
    assert f"! toy.ipynb {word}" in built(capsys)
    assert members(toy.parent)["toy.ipynb"] == content


def test_a_notebook_that_was_not_saved(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = FakeShell()
    monkeypatch.setattr(frontend, "shell", lambda: shell)
    notebook.observe()
    document = toy.parent / "toy.ipynb"
    os.utime(document, (time.time() - 60,) * 2)
    shell.start("experiment")
    shell.end()
    shell.start("submission")
    submit.build("toy")
    assert "toy.ipynb has changed since it was saved at " in shell.published[-1]["text/plain"]
    os.utime(document)
    submit.build("toy")
    assert "toy.ipynb has changed" not in shell.published[-1]["text/plain"]
    assert shell.published[-1]["text/html"].startswith('<div class="coursegrad">')


def test_without_a_notebook(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (toy.parent / "toy.ipynb").unlink()
    assert "answers in the notebook are not in the zip" in built(capsys)


def test_on_colab(toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    runtime = fake_colab.install(monkeypatch, toy.parent)
    runtime.notebook = handouts.notebook(c_why=QUESTION.replace("YOUR ANSWER HERE", "as in the browser"))
    submit.build("toy")
    assert runtime.downloads == [str(toy.parent / "toy-submission.zip")]
    assert b"as in the browser" in members(toy.parent)["toy.ipynb"]
    assert "as it is in your browser now" in capsys.readouterr().out


def test_a_browser_that_does_not_answer(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_colab.install(monkeypatch, toy.parent).notebook = None
    said = built(capsys)
    assert f"Your browser did not answer, so the notebook in the zip is the one in {toy.parent}" in said
    assert members(toy.parent)["toy.ipynb"] == (toy.parent / "toy.ipynb").read_bytes()


def test_damaged_public_tests_keep_nobody_from_handing_in(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (toy.parent / "test_public.py").write_text("def (")
    assert "no public check could run" in built(capsys)


def test_preview_runs_what_is_in_the_zip(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.write_text(HALF)
    submit.build("toy")
    toy.write_text(SOLUTION)
    capsys.readouterr()
    submit.preview("toy")
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("Running 4 public checks on the files in toy-submission.zip;")
    assert "minute. A toy: 2 of 4 public checks passed The files in toy-submission.zip, saved at " in said
    assert "Note: toy.py in the zip is not the one in" in said
    assert "○ not implemented" in said
    assert said.endswith("Their points: task 1: 3 of 6; task 2: 1.5 of 4.")


def test_preview_of_another_zip(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile("mine.zip", "w") as archive:
        archive.writestr("homework/toy.py", SOLUTION)
    submit.preview("toy", "mine.zip")
    assert "\nA toy: 4 of 4 public checks passed\n" in capsys.readouterr().out
    with pytest.raises(handout.HandoutError, match=r"There is no toy-submission\.zip"):
        submit.preview("toy")
