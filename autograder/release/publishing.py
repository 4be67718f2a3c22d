"""Publish a release: one commit with the student tree, and a tag, in the public repository."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

from autograder.course import Course
from autograder.errors import ReleaseError
from autograder.release import student
from autograder.release.leaks import LeakCheck, LeakError
from autograder.release.repository import Repository, identity, location
from autograder.release.student import README, Files
from autograder.release.tree import Tree, differences

_FETCHED = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", "+refs/notes/*:refs/notes/*")


def publish(course: Course, tree: Tree, stage: Callable[[str], None] = lambda text: None) -> str:
    """Push what ``dist/student`` holds of some assignments under the tag of the release; return the commit.

    What was published before of others stays, unless the course calls them drafts by now. What is pushed, and
    all history that it joins, passes the leak check first.

    Parameters
    ----------
    tree : Tree
        What the solutions make now; ``dist/student`` must be the same.
    stage : callable
        Is told what is being done.

    Raises
    ------
    LeakError
        The tree, or the history of the repository, holds what students must not get.
    ReleaseError
        There is nothing to push or to push to, the tree is stale, the tag exists, the remote is the
        instructor's own repository, or git fails.
    """
    release = course.release
    require_publishable(course, tree.names)
    check = LeakCheck(course)
    stage("Looking for leaks")
    folder = course.root / "dist" / "student"
    findings = check.folder(folder)
    if findings:
        raise LeakError(findings)
    _require_fresh(folder, tree)
    url = location(release.url, course.root)
    with tempfile.TemporaryDirectory(prefix="coursegrad-") as scratch:
        stage("Fetching the public repository")
        public = Repository(Path(scratch))
        public.git("init", "--quiet", "--bare")
        public.git("fetch", "--quiet", "--no-tags", "--", url, *_FETCHED)
        if public.lines("rev-parse", "--verify", "--quiet", f"refs/tags/{release.tag}"):
            remedy = "choose a new `release.tag` in course.toml, and run: make release"
            raise ReleaseError(release.url, f"the tag {release.tag} exists already", remedy)
        _require_other_history(course, public)
        parent = public.lines("rev-parse", "--verify", "--quiet", f"refs/heads/{release.branch}")
        files = _files(course, tree, public, parent[0] if parent else None)
        commit = public.commit(files, f"Release {release.tag}", parent[0] if parent else None)
        public.git("update-ref", f"refs/heads/{release.branch}", commit)
        stage("Looking for leaks in everything published")
        check.require_clean(public.history())
        stage("Pushing")
        targets = (f"{commit}:refs/heads/{release.branch}", f"{commit}:refs/tags/{release.tag}")
        public.git("push", "--quiet", "--atomic", "--", url, *targets)
    return commit


def require_publishable(course: Course, names: Collection[str]) -> None:
    """Refuse, before anything is built, what cannot be published at all; raises ReleaseError."""
    where = str(course.root / "course.toml")
    if not course.release.url:
        raise ReleaseError(where, "`release.repository` is empty", "name the public repository there")
    _require_foreign(course)
    if not student.released_names(course, names):
        drafts = f"{', '.join(names)} {'are drafts' if len(names) > 1 else 'is a draft'}"
        raise ReleaseError(
            where,
            f"no assignment is released: {drafts}",
            'set its `status` to "released" under [[assignments]]',
        )


def _require_fresh(folder: Path, tree: Tree) -> None:
    stale = differences(folder, tree.student)
    if stale:
        more = f" (and {len(stale) - 1} more)" if len(stale) > 1 else ""
        raise ReleaseError("dist/student", f"{stale[0]}{more}", "run: make release")


def _files(course: Course, tree: Tree, public: Repository, parent: str | None) -> Files:
    """Return the tree to publish: the chosen assignments, and what was published before of others."""
    chosen = [f"assignments/{name}/" for name in tree.names]
    files = {
        path: content
        for path, content in tree.student.items()
        if not path.startswith("assignments/") or path.startswith(tuple(chosen))
    }
    before = public.files(parent, "assignments") if parent else {}
    others = {path.split("/")[1] for path in before}.difference(tree.names)
    for name in student.released_names(course, others):
        files |= {path: content for path, content in before.items() if path.split("/")[1] == name}
    inside = {path.split("/")[1] for path in files if path.startswith("assignments/")}
    return files | {README: student.readme(course, inside)}


def _require_foreign(course: Course) -> None:
    """Refuse to publish to the repository that holds the solutions, however it is written."""
    url = course.release.url
    target = identity(url, course.root)
    own = Repository(course.root)
    urls = [line.partition(" ")[2] for line in own.lines("config", "--get-regexp", r"remote\..*\.(push)?url")]
    urls += [found for one in urls for found in own.lines("ls-remote", "--get-url", one)]
    places = own.lines("rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir")
    if target in {identity(one, course.root) for one in (*urls, *places, str(course.root))}:
        remedy = "publish to another one, which students may read; see `release` in course.toml"
        raise ReleaseError(url, "is the instructor's own repository, with the solutions", remedy)
    host, _, name = target.partition("/")
    if host == "github.com" and name != course.release.repository.lower():
        found = f"is not `release.repository`, {course.release.repository!r}, which the badges lead to"
        raise ReleaseError(url, found, "make them agree in course.toml")


def _require_other_history(course: Course, public: Repository) -> None:
    """Refuse a repository that has grown from the same first commit as the instructor's."""
    own = Repository(course.root).lines("rev-list", "--max-parents=0", "--branches", "HEAD")
    if set(own) & set(public.lines("rev-list", "--max-parents=0", "--all")):
        remedy = "make an empty repository for releases and name it in course.toml"
        raise ReleaseError(course.release.url, "shares its history with the solutions", remedy)
