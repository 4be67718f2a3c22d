"""Publish a release: one commit with the student tree, and a tag, in the public repository."""

from __future__ import annotations

import tempfile
from pathlib import Path

from autograder.course import Course
from autograder.errors import ReleaseError
from autograder.release.leaks import LeakCheck, LeakError
from autograder.release.repository import Repository, identity, location
from autograder.release.tree import Tree, differences

_FETCHED = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", "+refs/notes/*:refs/notes/*")


def publish(course: Course, tree: Tree) -> str:
    """Push ``dist/student`` under the tag of the release and return the commit.

    What is pushed, and all history that it joins, passes the leak check first.

    Parameters
    ----------
    tree : Tree
        What the solutions make now; ``dist/student`` must be the same.

    Raises
    ------
    LeakError
        The tree, or the history of the repository, holds what students must not get.
    ReleaseError
        There is nothing to push to, the tree is stale, the tag exists, the remote is the instructor's own
        repository, or git fails.
    """
    where, release = str(course.root / "course.toml"), course.release
    if not release.url:
        raise ReleaseError(where, "`release.repository` is empty", "name the public repository there")
    _require_foreign(course)
    check = LeakCheck(course)
    folder = course.root / "dist" / "student"
    findings = check.folder(folder)
    if findings:
        raise LeakError(findings)
    stale = differences(folder, tree.student)
    if stale:
        raise ReleaseError("dist/student", stale[0], "run: make release")
    url = location(release.url, course.root)
    with tempfile.TemporaryDirectory(prefix="coursegrad-") as scratch:
        public = Repository(Path(scratch))
        public.git("init", "--quiet", "--bare")
        public.git("fetch", "--quiet", "--no-tags", "--", url, *_FETCHED)
        if public.lines("rev-parse", "--verify", "--quiet", f"refs/tags/{release.tag}"):
            mend = "choose a new `release.tag` in course.toml, and run: make release"
            raise ReleaseError(release.url, f"the tag {release.tag} exists already", mend)
        _require_other_history(course, public)
        parent = public.lines("rev-parse", "--verify", "--quiet", f"refs/heads/{release.branch}")
        commit = public.commit(tree.student, f"Release {release.tag}", parent[0] if parent else None)
        public.git("update-ref", f"refs/heads/{release.branch}", commit)
        check.require_clean(public.history())
        targets = (f"{commit}:refs/heads/{release.branch}", f"{commit}:refs/tags/{release.tag}")
        public.git("push", "--quiet", "--atomic", "--", url, *targets)
    return commit


def _require_foreign(course: Course) -> None:
    """Refuse to publish to the repository that holds the solutions, however it is written."""
    url = course.release.url
    target = identity(url, course.root)
    own = Repository(course.root)
    urls = [line.partition(" ")[2] for line in own.lines("config", "--get-regexp", r"remote\..*\.(push)?url")]
    urls += [found for one in urls for found in own.lines("ls-remote", "--get-url", one)]
    places = own.lines("rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir")
    if target in {identity(one, course.root) for one in (*urls, *places, str(course.root))}:
        mend = "publish to another one, which students may read; see `release` in course.toml"
        raise ReleaseError(url, "is the instructor's own repository, with the solutions", mend)
    host, _, name = target.partition("/")
    if host == "github.com" and name != course.release.repository.lower():
        found = f"is not `release.repository`, {course.release.repository!r}, which the badges lead to"
        raise ReleaseError(url, found, "make them agree in course.toml")


def _require_other_history(course: Course, public: Repository) -> None:
    """Refuse a repository that has grown from the same first commit as the instructor's."""
    own = Repository(course.root).lines("rev-list", "--max-parents=0", "--branches", "HEAD")
    if set(own) & set(public.lines("rev-list", "--max-parents=0", "--all")):
        mend = "make an empty repository for releases and name it in course.toml"
        raise ReleaseError(course.release.url, "shares its history with the solutions", mend)
