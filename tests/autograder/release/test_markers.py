"""Solution regions are those of nbgrader; what it would misread is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import ReleaseError
from autograder.release import markers
from autograder.release.markers import Kind, Region
from tests.support.oracle import cleared


def stripped(text: str, kind: Kind) -> tuple[str, list[str]]:
    """Return the text without its solutions, and the stubs that stand in their places."""
    stubs: list[str] = []

    def stub(region: Region) -> str:
        stubs.insert(0, f"stub of line {region.first}")
        return stubs[0]

    return markers.replace(text, markers.regions(text, "x.py", kind), stub), stubs


LINES = st.one_of(
    st.sampled_from(
        [
            *("### BEGIN SOLUTION", "### END SOLUTION") * 6,
            *("    ### BEGIN SOLUTION", "    ### END SOLUTION") * 3,
            *("\t# BEGIN SOLUTION  ", "#END SOLUTION", "<!-- BEGIN SOLUTION -->", "<!-- END SOLUTION -->"),
            *("x = 1  ### BEGIN SOLUTION", "### BEGIN SOLUTION here", "### begin solution", "# End Solution"),
            *("BEGIN SOLUTION", "print('END SOLUTION')", "### BEGIN SOLUTION ### END SOLUTION", "\x0c"),
            *("### BEGIN SOLUTIONS", "### BEGINSOLUTION", "### BEGIN_SOLUTION", "\xa0### BEGIN SOLUTION"),
        ]
    ),
    st.sampled_from(["", "    ", "def f():", "    return 1", "# a comment", "prose", "\r", "é = 'ü'"]),
    st.text(max_size=8),
)


@given(st.lists(LINES, max_size=12).map("\n".join), st.sampled_from(["code", "markdown"]))
def test_text_is_stripped_as_nbgrader_does_or_refused(text: str, kind: Kind) -> None:
    try:
        found, stubs = stripped(text, kind)
    except ReleaseError:
        return
    if not stubs:
        assert found == text
    else:
        assert found == cleared(text, kind, stubs)


@given(st.lists(LINES, max_size=12).map("\n".join), st.sampled_from(["code", "markdown"]))
def test_what_nbgrader_refuses_is_refused(text: str, kind: Kind) -> None:
    try:
        cleared(text, kind, [""] * 99)
    except RuntimeError:
        with pytest.raises(ReleaseError):
            stripped(text, kind)
    except AssertionError:
        pass  # nbgrader found fewer than 99 solutions


BODY = st.lists(st.sampled_from(["return 1", "  nested", "", "# why", "while x:", "'text'"]), max_size=4)


@given(
    st.lists(st.tuples(BODY, st.sampled_from(["", "    ", "\t", "        "]), BODY), min_size=1, max_size=4),
    st.sampled_from(["#", "##", "###", "####"]),
    st.sampled_from(["", " ", "\t"]),
)
def test_every_well_formed_region_is_accepted(
    parts: list[tuple[list[str], str, list[str]]], marks: str, end: str
) -> None:
    lines: list[str] = []
    for before, indent, solution in parts:
        lines += [*before, f"{indent}{marks} BEGIN SOLUTION{end}"]
        lines += [*solution, f"{indent}{marks} END SOLUTION{end}"]
    text = "\n".join(lines)
    for kind in ("code", "markdown"):
        found, stubs = stripped(text, kind)
        assert found == cleared(text, kind, stubs)
        assert len(stubs) == len(parts)


def test_a_region_knows_its_lines() -> None:
    text = "def f():\n    ### BEGIN SOLUTION\n    # why\n\n    return 1\n    ### END SOLUTION"
    (region,) = markers.regions(text, "x.py", "code")
    assert region == Region(1, 5, "    ", ("    # why", "", "    return 1"))
    assert region.code == [4]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("### begin solution", "looks like"),
        ("### Begin Solution", "looks like"),
        ("### BEGIN SOLUTIONS", "shares its line"),
        ("### BEGIN SOLUTON", "looks like"),
        ("### BEGN SOLUTION", "looks like"),
        ("### BEGIN  SOLUTION", "looks like"),
        ("### BEGIN_SOLUTION", "looks like"),
        ("### BeginSolution", "looks like"),
        ("### BEGIN THE SOLUTION", "looks like"),
        ("### START SOLUTION", "looks like"),
        ("### SOLUTION BEGIN", "looks like"),
        ("### END OF SOLUTION", "looks like"),
        ("### end solution", "looks like"),
        ("x = 1  # end solution", "looks like"),
        ("### BEGIN SOLUTION (3 lines)", "shares its line"),
        ("### BEGIN SOLUTION ### END SOLUTION", "shares its line"),
        ("x = 1  ### BEGIN SOLUTION", "shares its line"),
        ("BEGIN SOLUTION", "shares its line"),
        ("### BEGIN SOLUTION\r", "shares its line"),
        ("print('END SOLUTION')", "shares its line"),
        ("### BEGIN HIDDEN TESTS", "nbgrader would rewrite"),
        ("=== BEGIN MARK SCHEME ===", "nbgrader would rewrite"),
        ("### AUTOTEST f(1)", "nbgrader would rewrite"),
    ],
)
def test_what_only_resembles_a_marker_is_refused_with_its_line(line: str, says: str) -> None:
    for lines in (["a = 1", line], ["### BEGIN SOLUTION", line, "### END SOLUTION"]):
        with pytest.raises(ReleaseError, match=says) as caught:
            markers.regions("\n".join(lines), "knn.py", "code", line=10)
        assert caught.value.where == "knn.py:11"
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "place", "says"),
    [
        (["### END SOLUTION"], "knn.py:1", "but never began"),
        (["### BEGIN SOLUTION", "### BEGIN SOLUTION", "### END SOLUTION"], "knn.py:2", "inside another"),
        (["x", "### BEGIN SOLUTION", "y"], "knn.py:2", "but never ends"),
        (["### BEGIN SOLUTION", "### END SOLUTION", "### END SOLUTION"], "knn.py:3", "but never began"),
    ],
)
def test_unpaired_markers_are_refused_with_their_line(lines: list[str], place: str, says: str) -> None:
    with pytest.raises(ReleaseError, match=says) as caught:
        markers.regions("\n".join(lines), "knn.py", "code")
    assert caught.value.where == place


@pytest.mark.parametrize(
    "line",
    [
        "# the solution is unique",
        "# in solution space",
        "# beginning with the second fold",
        "# end points and solutions",
        "# one solution",
        "#: ends",
        "end_solution = begin_solution",
        '"""Begin solution."""',
    ],
)
def test_ordinary_comments_and_code_pass(line: str) -> None:
    assert markers.regions(line, "knn.py", "code") == ()


def test_html_comments_are_markers_in_markdown_only() -> None:
    text = "Why?\n<!-- BEGIN SOLUTION -->\nBecause.\n<!-- END SOLUTION -->"
    assert stripped(text, "markdown")[0] == "Why?\nstub of line 1"
    with pytest.raises(ReleaseError, match="shares its line"):
        stripped(text, "code")
    with pytest.raises(ReleaseError, match="looks like"):
        stripped("<!-- begin solution -->", "markdown")


def test_markers_in_any_file_are_recognized() -> None:
    assert markers.is_marker("  ### BEGIN SOLUTION ")
    assert markers.is_marker("<!-- END SOLUTION -->")
    assert not markers.is_marker("`### BEGIN SOLUTION` starts one")
