"""Publishing adds a commit and a tag to a public repository, and refuses whatever would leak or overwrite."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.errors import ReleaseError
from autograder.release import tree
from autograder.release.leaks import LeakError
from autograder.release.publishing import publish
from tests.support import planted

LEAK = "product = width * height\nreturn abs(product)\n"


@pytest.fixture(autouse=True)
def _identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Instructor")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "instructor@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    (tmp_path / "gitconfig").write_text("[init]\n\tdefaultBranch = main\n")


def git(folder: Path, *arguments: str, text: str = "") -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], input=text, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """Return an empty bare repository."""
    git(tmp_path, "init", "--quiet", "--bare", "public.git")
    return tmp_path / "public.git"


def settings(course: Course, **release: str) -> Course:
    lines = "".join(f'{key} = "{value}"\n' for key, value in release.items())
    (course.root / "course.toml").write_text(f'name = "Geometry"\ntimezone = "UTC"\n[release]\n{lines}')
    return Course.load(course.root)


@pytest.fixture
def course(tmp_path: Path, public: Path) -> Course:
    """Return a course in a git repository of its own that releases to ``../public.git``."""
    course = planted.write_course(tmp_path / "course")
    git(course.root, "init", "--quiet")
    git(course.root, "add", "course.toml", "solutions")
    git(course.root, "commit", "--quiet", "-m", "Solutions")
    return settings(course, remote="../public.git", tag="v1")


def release(course: Course) -> str:
    built = planted.build(course)
    tree.write(course, built)
    return publish(course, built)


def files(public: Path, reference: str) -> dict[str, bytes]:
    names = git(public, "ls-tree", "-r", "--name-only", reference).split("\n")
    show = ["git", "-C", str(public), "show"]
    return {name: subprocess.check_output([*show, f"{reference}:{name}"]) for name in names}


def test_the_first_release_is_one_commit_with_the_student_tree(course: Course, public: Path) -> None:
    commit = release(course)
    assert git(public, "rev-parse", "v1", "main").split() == [commit, commit]
    assert git(public, "rev-list", "--count", "main") == "1"
    assert git(public, "log", "-1", "--format=%s by %an", "main") == "Release v1 by Instructor"
    assert files(public, "v1") == planted.build(course).student


def test_the_next_release_builds_on_it_and_keeps_the_old_tag(course: Course, public: Path) -> None:
    first = release(course)
    path = course.root / "solutions" / "shapes" / "shapes.py"
    path.write_text(path.read_text().replace("of all kinds", "of many kinds"))
    second = release(settings(course, remote="../public.git", tag="v2"))
    assert git(public, "rev-parse", "v1", "v2", "main", "main^").split() == [first, second, second, first]
    assert b"of many kinds" in files(public, "v2")["assignments/shapes/shapes.py"]


def test_a_tag_is_never_moved(course: Course, public: Path) -> None:
    release(course)
    path = course.root / "solutions" / "shapes" / "shapes.py"
    path.write_text(path.read_text().replace("of all kinds", "of many kinds"))
    with pytest.raises(ReleaseError, match="the tag v1 exists already"):
        release(course)
    assert git(public, "rev-list", "--count", "main") == "1"


def test_a_leak_in_the_tree_stops_it(course: Course, public: Path) -> None:
    built = planted.build(course)
    tree.write(course, built)
    path = course.root / "dist" / "student" / "helpers" / "testing" / "checks.py"
    path.write_text(path.read_text() + LEAK)
    with pytest.raises(LeakError, match=r"^student/helpers/testing/checks\.py:\d+: a solution, of"):
        publish(course, built)
    assert git(public, "for-each-ref") == ""


def test_a_leak_in_the_history_stops_it(course: Course, public: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(public), str(clone))
    (clone / "old.py").write_text(f"import math\n{LEAK}")
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "-m", "First")
    leaked = git(clone, "rev-parse", "HEAD")
    git(clone, "rm", "--quiet", "old.py")
    git(clone, "commit", "--quiet", "--allow-empty", "-m", "Without it")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    with pytest.raises(LeakError, match=rf"^commit {leaked[:12]}!old\.py:2: a solution, of solutions"):
        release(course)
    assert git(public, "tag") == ""


@pytest.mark.parametrize("place", ["message", "branch", "tag", "note", "name"])
def test_leaks_elsewhere_in_the_history_stop_it(
    course: Course, public: Path, tmp_path: Path, place: str
) -> None:
    release(course)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(public), str(clone))
    if place == "message":
        git(clone, "commit", "--quiet", "--allow-empty", "-m", f"Fix\n\n{LEAK}")
        git(clone, "push", "--quiet", "origin", "HEAD:main")
    elif place == "branch":
        git(clone, "checkout", "--quiet", "--orphan", "old")
        (clone / "README.md").write_text("solved:\n123457\n")
        git(clone, "commit", "--quiet", "-a", "-m", "Old")
        git(clone, "push", "--quiet", "origin", "old")
    elif place == "tag":
        git(clone, "tag", "-a", "-m", LEAK, "old")
        git(clone, "push", "--quiet", "origin", "old")
    elif place == "note":
        git(clone, "notes", "add", "-m", LEAK)
        git(clone, "push", "--quiet", "origin", "refs/notes/commits")
    else:
        (clone / "test_hidden.py").write_text("")
        git(clone, "add", ".")
        git(clone, "commit", "--quiet", "-m", "More tests")
        git(clone, "push", "--quiet", "origin", "HEAD:main")
    with pytest.raises(LeakError):
        release(settings(course, remote="../public.git", tag="v2"))
    assert "v2" not in git(public, "tag").split()


def test_a_link_in_the_history_stops_it(course: Course, public: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(public), str(clone))
    (clone / "link").symlink_to("/etc/passwd")
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "-m", "First")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    with pytest.raises(ReleaseError, match="!link: a link"):
        release(course)


def test_a_stale_tree_stops_it(course: Course, public: Path) -> None:
    built = planted.build(course)
    tree.write(course, built)
    (course.root / "dist" / "student" / "README.md").write_text("edited")
    with pytest.raises(
        ReleaseError, match=r"student/README\.md differs from what the solutions produce; run: make release"
    ):
        publish(course, built)
    with pytest.raises(ReleaseError, match="is missing"):
        publish(planted.write_course(course.root.parent / "unreleased"), built)


@pytest.mark.parametrize(
    "spelling", [".", "{root}", "{root}/.git", "file://{root}", "../course/solutions/..", "../origin.git"]
)
def test_the_instructors_own_repository_is_refused(course: Course, tmp_path: Path, spelling: str) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    git(course.root, "remote", "add", "origin", str(tmp_path / "origin.git"))
    own = settings(course, remote=spelling.format(root=course.root), tag="v1")
    with pytest.raises(ReleaseError, match="is the instructor's own repository"):
        release(own)


@pytest.mark.parametrize(
    ("origin", "remote"),
    [
        ("git@github.com:Uni/Course.git", "https://github.com/uni/course"),
        ("https://github.com/uni/course.git", "ssh://git@github.com:22/uni/course/"),
        ("https://token@github.com/uni/course", "git@github.com:uni/course"),
    ],
)
def test_spellings_of_an_address_are_one(course: Course, origin: str, remote: str) -> None:
    git(course.root, "remote", "add", "origin", origin)
    with pytest.raises(ReleaseError, match="is the instructor's own repository"):
        release(settings(course, repository="uni/course", remote=remote))


def test_an_address_that_git_rewrites_is_seen_through(course: Course, public: Path, tmp_path: Path) -> None:
    git(course.root, "config", f"url.{public}.insteadOf", "own:")
    git(course.root, "remote", "add", "origin", "own:")
    with pytest.raises(ReleaseError, match="is the instructor's own repository"):
        release(course)


def test_a_copy_of_the_instructors_repository_is_refused(
    course: Course, public: Path, tmp_path: Path
) -> None:
    git(course.root, "push", "--quiet", str(public), "HEAD:main")
    with pytest.raises(ReleaseError, match="shares its history with the solutions"):
        release(course)


def test_badges_and_remote_must_agree(course: Course) -> None:
    for repository in ("", "uni/other"):
        with pytest.raises(ReleaseError, match="which the badges lead to"):
            release(settings(course, repository=repository, remote="git@github.com:uni/public.git"))


def test_without_an_address_there_is_nothing_to_publish_to(course: Course) -> None:
    with pytest.raises(ReleaseError, match=r"`release\.repository` is empty"):
        release(settings(course))


def test_a_repository_that_is_not_there_is_one_line(course: Course) -> None:
    with pytest.raises(ReleaseError, match=r"^git fetch: fatal: .*; check the address") as caught:
        release(settings(course, remote="../nowhere.git"))
    assert "\n" not in str(caught.value)


def test_publishing_from_a_hook_of_git_works_in_no_repository_but_its_own(
    course: Course, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(course.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(course.root / ".git" / "index"))
    commit = release(course)
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert git(public, "rev-parse", "v1") == commit
    assert git(course.root, "tag") == ""
    assert git(course.root, "status", "--short", "solutions") == ""


def listing(course: Course, tag: str, **statuses: str) -> Course:
    """List assignments in the settings, and copy those that are not there yet from the one that is."""
    lines = [f'[[assignments]]\nname = "{name}"\nstatus = "{status}"\n' for name, status in statuses.items()]
    settings(course, remote="../public.git", tag=tag)
    with (course.root / "course.toml").open("a") as file:
        file.write("\n".join(lines))
    for name in statuses:
        planted.copy_assignment(course.root, name)
    return Course.load(course.root)


def release_of(course: Course, *names: str) -> str:
    """Release and publish some assignments only."""
    built = tree.build(course, planted.plan, names)
    tree.write(course, built)
    return publish(course, built)


def published(public: Path, reference: str) -> set[str]:
    """Return the assignments that a release holds."""
    return {name.split("/")[1] for name in files(public, reference) if name.startswith("assignments/")}


def test_week_by_week(course: Course, public: Path) -> None:
    """Each week one more is published; the others stay as they were, and drafts are seen by nobody."""
    course = listing(course, "week-1", shapes="released", solids="draft", lines="draft")
    release_of(course, "shapes")
    assert published(public, "week-1") == {"shapes"}
    course = listing(course, "week-2", shapes="closed", solids="released", lines="draft")
    path = course.root / "solutions" / "shapes" / "shapes.py"
    path.write_text(path.read_text().replace("of all kinds", "of many kinds"))
    release_of(course, "solids")
    assert published(public, "week-2") == {"shapes", "solids"}
    first, second = files(public, "week-1"), files(public, "week-2")
    for name in ("checks.json", "shapes.ipynb", "shapes.py", "test_public.py"):
        assert second[f"assignments/shapes/{name}"] == first[f"assignments/shapes/{name}"]
    readme = second["README.md"].decode()
    assert "shapes.ipynb) (closed)" in readme
    assert "solids.ipynb) |" in readme
    assert "lines" not in readme
    course = listing(course, "week-3", shapes="draft", solids="released", lines="released")
    release_of(course, "lines")
    assert published(public, "week-3") == {"solids", "lines"}, "a draft again, it is taken back"
    course = listing(course, "week-4", shapes="draft", solids="released", lines="released")
    release(course)
    assert published(public, "week-4") == {"solids", "lines"}


def test_what_others_published_stays_where_it_was_never_released_here(
    course: Course, public: Path, tmp_path: Path
) -> None:
    course = listing(course, "v1", shapes="released", solids="released")
    release(course)
    shutil.rmtree(course.root / "dist")
    course = listing(course, "v2", shapes="released", solids="released")
    release_of(course, "solids")
    assert published(public, "v2") == {"shapes", "solids"}
    assert "shapes.ipynb" in files(public, "v2")["README.md"].decode()


def test_drafts_alone_are_not_published(course: Course) -> None:
    course = listing(course, "v1", shapes="draft")
    with pytest.raises(ReleaseError, match="no assignment is released: shapes is a draft; set its `status`"):
        release(course)
