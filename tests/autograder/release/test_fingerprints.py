"""What must not reach students: runs of lines, names and numbers; and what the course allows."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import Course
from autograder.errors import ReleaseError
from autograder.release import fingerprints
from autograder.release.fingerprints import normalize_words
from tests.support import planted

WHY = 'reason = "shown in the lecture"'


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return planted.write_course(tmp_path / "course")


def found(course: Course) -> dict[str, tuple[str, str]]:
    return {
        f.words.strip(): (f.kind, f.place.rpartition("/")[2])
        for f in fingerprints.course_fingerprints(Course.load(course.root))
    }


def test_space_punctuation_and_capitals_make_no_difference() -> None:
    assert (
        normalize_words("  Return x_1[ i ]+=2;")
        == normalize_words("return x_1 [i] += 2")
        == " return x_1 i 2 "
    )
    assert normalize_words("größe") == " größe "


def test_solutions_are_runs_of_two_lines_with_and_without_comments(course: Course) -> None:
    all_found = found(course)
    bare = "product width height return abs product"
    commented = "product width height the sides are at right angles rounding would lose what later steps need"
    assert all_found[bare] == ("a solution", "shapes.py:7")
    assert all_found[commented] == ("a solution", "shapes.py:7")


def test_a_solution_of_one_line_counts_if_it_says_enough(course: Course) -> None:
    assert found(course)["self rows_of_shapes append tuple shape"] == ("a solution", "shapes.py:20")
    path = course.root / "solutions" / "shapes" / "shapes.py"
    path.write_text(path.read_text().replace("self.rows_of_shapes.append(tuple(shape))", "return 2 * x"))
    assert "return 2 x" not in found(course)


def test_answers_in_the_notebook_count(course: Course) -> None:
    answer = normalize_words(planted.NOTEBOOK.partition("SOLUTION -->")[2].partition("<!--")[0]).strip()
    line = planted.NOTEBOOK[: planted.NOTEBOOK.index("The area grows")].count("\n") + 1
    assert found(course)[answer] == ("a solution", f"shapes.md:{line}")


def test_hidden_tests_are_names_runs_and_numbers(course: Course) -> None:
    all_found = found(course)
    assert all_found["test_area_of_large_sides"][0] == "a hidden test"
    assert all_found["for label in labels assert shapes area label 1 label"] == (
        "a hidden test",
        "test_hidden.py:14",
    )
    assert all_found["3 1 4 1 5 9 2 6"] == ("a constant of a hidden test", "test_hidden.py:6")
    assert all_found["123457"][0] == all_found["1234570"][0] == "a constant of a hidden test"
    assert "10" not in all_found
    assert not [text for text in all_found if text.startswith("import")]
    assert "test_area" not in all_found


def test_numbers_that_anyone_would_take_are_no_secret(course: Course) -> None:
    path = course.root / "autograder" / "suites" / "shapes" / "test_hidden.py"
    path.write_text(
        "A = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]\nB = 20_000_000\nC = 0.001\nD = [0, 1]\nE = [True]\n"
    )
    assert not [text for text, (kind, _) in found(course).items() if kind == "a constant of a hidden test"]


def test_a_word_alone_counts_with_the_next_line(course: Course) -> None:
    path = course.root / "solutions" / "shapes" / "shapes.py"
    path.write_text(
        path.read_text().replace(
            "    return abs(product)", "    if product:\n        pass\n    else:\n        return 7"
        )
    )
    runs = {text for text, (kind, _) in found(course).items() if kind == "a solution"}
    assert "if product pass else return 7" in runs
    assert "pass else" not in runs


@pytest.mark.parametrize("place", ["course.toml", "solutions/shapes/assignment.toml"])
def test_what_is_allowed_is_no_leak(course: Course, place: str) -> None:
    path = course.root / place
    lines = "product = width * height\\nreturn abs(product)"
    path.write_text(f'{path.read_text()}\n[[release.allow]]\nlines = "{lines}"\n{WHY}\n')
    assert "product width height return abs product" not in found(course)
    assert "self rows_of_shapes append tuple shape" in found(course)


def test_an_allowance_that_allows_nothing_is_refused(course: Course) -> None:
    path = course.root / "course.toml"
    path.write_text(f'{path.read_text()}\n[[release.allow]]\nlines = "return abs(product)"\n{WHY}\n')
    with pytest.raises(ReleaseError, match="allows nothing: 'return abs"):
        found(course)
