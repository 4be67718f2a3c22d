"""Notebooks: both forms, the same bytes on every build, and metadata that nbgrader accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import ReleaseError
from autograder.graded.answers import ANSWER
from autograder.release.notebook import NotebookPair, build, dumps
from autograder.release.stripper import stub_line
from tests.support.oracle import cleared

ROOT = Path(__file__).parents[3]
HEADER = "---\njupytext:\n  text_representation:\n    format_name: myst\n---\n\n"
VALUES = {"repository": "uni/course", "tag": "v1"}
MYST = (
    HEADER
    + """\
# A toy

[badge](https://colab.research.google.com/github/{{repository}}/blob/{{tag}}/toy.ipynb)

+++

{{repository}}

```{code-cell} ipython3
:tags: [setup]

REPOSITORY, TAG = "{{repository}}", "{{tag}}"
other = "{{unknown}}"
```

+++ {"nbgrader": {"grade": true, "solution": true, "grade_id": "why", "points": 5}}

**Why?**

### BEGIN SOLUTION
Because the reference says so,
and so does the lecture.
### END SOLUTION

```{code-cell} ipython3
---
nbgrader: {solution: true, grade_id: double}
---
%matplotlib inline
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
```

```{code-cell} ipython3
---
nbgrader: {grade: true, locked: true, grade_id: test_double, points: 2}
---
assert double(2) == 4
```

+++ {"nbgrader": {"grade": true, "solution": true, "grade_id": "free", "points": 1.5}}

All of this is the answer.
"""
)


@pytest.fixture
def toy() -> NotebookPair:
    return build(MYST, "toy.md", "toy", VALUES)


def sources(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells]


def test_students_get_stubs_and_no_solution(toy: NotebookPair) -> None:
    link = "https://colab.research.google.com/github/uni/course/blob/v1/toy.ipynb"
    assert sources(toy.release) == [
        f"# A toy\n\n[badge]({link})",
        "uni/course",
        'REPOSITORY, TAG = "uni/course", "v1"\nother = "{{unknown}}"',
        f"**Why?**\n\n{ANSWER}",
        '%matplotlib inline\ndef double(x):\n    raise NotImplementedError("toy: double")',
        "assert double(2) == 4",
        ANSWER,
    ]
    assert "Because the reference says so" in sources(toy.source)[3]
    assert "return 2 * x" in sources(toy.source)[4]


def test_the_set_up_cell_is_the_same_everywhere() -> None:
    text = f"{HEADER}# A toy\n\n```{{code-cell}} ipython3\n# {{{{set_up}}}}\n```\n"
    first, second = (
        build(text, "x.md", name, VALUES | {"assignment": name}).release.cells[1].source
        for name in ("toy", "knn")
    )
    assert first.replace("toy", "knn") == second
    assert 'repository, tag = "uni/course", "v1"' in second
    assert second.endswith('colab.setup("knn", drive=keep_on_drive)')
    assert "{{" not in second
    for path in (ROOT / "solutions").glob("*/*.md"):
        assert path.read_text().count("```{code-cell} ipython3\n# {{set_up}}\n```\n") == 1, path


def test_without_a_repository_no_link_leads_nowhere() -> None:
    toy = build(MYST, "toy.md", "toy", {"repository": "", "tag": "v1"})
    assert sources(toy.release)[:2] == ["# A toy\n", 'REPOSITORY, TAG = "", "v1"\nother = "{{unknown}}"']


def test_two_builds_are_the_same_bytes_and_valid(toy: NotebookPair) -> None:
    again = build(MYST, "toy.md", "toy", VALUES)
    for ours, theirs in ((toy.source, again.source), (toy.release, again.release)):
        assert dumps(ours) == dumps(theirs)
        plain = json.loads(dumps(ours))
        nbformat.validate(nbformat.from_dict(plain))
        assert (plain["nbformat"], plain["nbformat_minor"]) == (4, 5)
        assert set(plain["metadata"]) == {"kernelspec", "language_info"}
        for cell in plain["cells"]:
            assert cell.get("outputs", []) == []
            assert cell.get("execution_count") is None


def test_ids_are_of_the_content_so_that_an_edit_changes_one(toy: NotebookPair) -> None:
    edited = build(MYST.replace("assert double(2) == 4", "assert double(3) == 6"), "toy.md", "toy", VALUES)
    ids, new = ([cell.id for cell in one.release.cells] for one in (toy, edited))
    assert len(set(ids)) == len(ids)
    assert [a == b for a, b in zip(ids, new, strict=True)] == [True] * 5 + [False, True]
    assert ids == [cell.id for cell in toy.source.cells]
    solved = build(MYST.replace("return 2 * x", "return x + x"), "toy.md", "toy", VALUES)
    assert dumps(solved.release) == dumps(toy.release)


def test_lines_are_those_of_the_file(toy: NotebookPair) -> None:
    first = [source.split("\n")[-1] for source in sources(toy.source)]
    lines = MYST.split("\n")
    for cell, line, last in zip(toy.source.cells, toy.lines, first, strict=True):
        end = line - 1 + cell.source.count("\n")
        assert last == lines[end] or "{{" in lines[end]


CELLS = st.lists(
    st.tuples(
        st.sampled_from(["code", "markdown"]),
        st.lists(
            st.sampled_from(
                [
                    "x = 1",
                    "text = '''\n   a'''",
                    "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n    return 2",
                    "### BEGIN SOLUTION\ny = [1,\n 2]\n### END SOLUTION",
                    "for i in []:\n  # BEGIN SOLUTION\n  pass\n\n  # END SOLUTION",
                    "é = 'ü'",
                ]
            ),
            min_size=1,
            max_size=4,
        ).map("\n".join),
    ),
    min_size=1,
    max_size=4,
)


@given(CELLS)
def test_cells_of_any_notebook_are_those_of_nbgrader(cells: list[tuple[str, str]]) -> None:
    text = HEADER
    for number, (kind, source) in enumerate(cells):
        if kind == "code":
            details = f"nbgrader: {{solution: true, grade_id: c{number}}}"
            text += f"```{{code-cell}}\n---\n{details}\n---\n{source}\n```\n\n"
        else:
            meta = {"nbgrader": {"grade": True, "solution": True, "points": 1, "grade_id": f"c{number}"}}
            text += f"+++ {json.dumps(meta)}\n\n{source}\n\n"
    released = build(text, "x.md", "toy", {}).release
    for number, ((kind, source), cell) in enumerate(zip(cells, released.cells, strict=True)):
        stub = stub_line("toy", f"c{number}") if kind == "code" else ANSWER
        assert cell.source == cleared(source, kind, [stub] * (source.count("BEGIN SOLUTION") or 1))


def cell(meta: str, source: str = "text", kind: str = "markdown") -> str:
    if kind == "markdown":
        return f"{HEADER}# Title\n\n+++ {meta}\n\n{source}\n"
    return f"{HEADER}# Title\n\n```{{code-cell}}\n---\n{meta}\n---\n{source}\n```\n"


SOLUTION = "### BEGIN SOLUTION\n1\n### END SOLUTION"
REFUSED = {
    "not marked as one": (cell("", SOLUTION), 11),
    "never ends": (cell("", "### BEGIN SOLUTION"), 11),
    "looks like": (cell("", "Text.\n\n### Begin solution"), 13),
    "only one of grade and solution": (cell('{"nbgrader": {"solution": true, "grade_id": "a"}}'), 11),
    "without points": (cell('{"nbgrader": {"solution": true, "grade": true, "grade_id": "a"}}'), 11),
    "without a grade_id": (cell('{"nbgrader": {"locked": true}}'), 11),
    "a grade_id": (cell('{"nbgrader": {"locked": true, "grade_id": "a b"}}'), 11),
    "unknown nbgrader metadata": (cell('{"nbgrader": {"marks": 1}}'), 11),
    "malformed nbgrader metadata": (cell('{"nbgrader": {"locked": 1, "grade_id": "a"}}'), 11),
    "not Markdown": (cell("nbgrader: {task: true, points: 1, grade_id: a}", "x = 1", "code"), 13),
    "not valid Python": (cell("nbgrader: {solution: true, grade_id: a}", "x = (", "code"), 13),
    "the stub does not compile": (
        cell(
            "nbgrader: {solution: true, grade_id: a}", "if 1:\n" + SOLUTION.replace("1", "    x = 1"), "code"
        ),
        14,
    ),
}


@pytest.mark.parametrize("says", REFUSED)
def test_what_nbgrader_could_not_grade_is_refused_with_its_line(says: str) -> None:
    text, line = REFUSED[says]
    with pytest.raises(ReleaseError, match=says) as caught:
        build(text, "x.md", "x", {})
    assert caught.value.where == f"x.md:{line}"
    assert "\n" not in str(caught.value)


def test_a_second_cell_of_the_same_grade_id_is_refused() -> None:
    meta = '+++ {"nbgrader": {"locked": true, "grade_id": "a"}}'
    with pytest.raises(ReleaseError, match="grade_id 'a' is taken"):
        build(f"{HEADER}{meta}\n\none\n\n{meta}\n\ntwo\n", "x.md", "x", {})
