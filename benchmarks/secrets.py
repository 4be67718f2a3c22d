"""What a grade owes to chance: the outcomes of tests that differ from one course secret to another.

Grades the reference, the right students of an example class, its typical mistakes and other settings of
training under many secrets. A right submission must pass every test under each of them; a mistake must fail
the same tests under each, with the likely cause that is written down. Mistakes and settings are graded in
their own task alone.

    python -m benchmarks.secrets convolutional_networks --secrets 50
    python -m benchmarks.secrets convolutional_networks --task overfit --student talia-ferro

Secrets are numbered and the same in every run, so ``--first 17 --secrets 1`` repeats the one of number 17.
Exit status 1 where anything depends on the secret.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from autograder import files
from autograder.course import COURSE_FILE, Course
from autograder.course import assignment as assignments
from autograder.engine.interface import Graded
from autograder.engine.pool import Pool
from autograder.grading import specimens
from autograder.intake import Submission
from benchmarks import example_classes as classes
from benchmarks.example_classes import Expected

RIGHT = Expected(0, "right: the reference", None, ())
Group = tuple[frozenset[str], list[Submission]]
"""Tasks, and the submissions that are graded in them."""


@dataclass
class Trials:
    """What happened to one submission.

    Attributes
    ----------
    wanted : Expected
        What should happen.
    runs : int
        Under how many secrets it was graded.
    failed : dict of str to list of int
        The numbers of the secrets under which a test failed, by the test's id.
    misnamed : list of int
        The numbers of the secrets under which a likely cause was not as written down.
    """

    wanted: Expected
    runs: int = 0
    failed: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    misnamed: list[int] = field(default_factory=list)

    def add(self, number: int, graded: Graded) -> None:
        """Add what happened under one secret."""
        self.runs += 1
        failed = [outcome for outcome in graded.outcomes if outcome.status not in ("passed", "not_judged")]
        for outcome in failed:
            self.failed[outcome.id].append(number)
        said = {outcome.feedback.likely_cause for outcome in failed if outcome.feedback is not None} - {None}
        if not self.wanted.right and not classes.is_right({str(cause) for cause in said}, self.wanted):
            self.misnamed.append(number)

    def problems(self) -> Iterator[str]:
        """Yield what depends on the secret, or is wrong under each of them."""
        for test, numbers in self.failed.items():
            if self.wanted.right or len(numbers) < self.runs:
                yield f"fails {test} {_times(numbers, self.runs)}"
        if not self.wanted.right and not self.failed:
            yield "fails no test"
        if self.misnamed:
            yield f"is not told the likely cause {_times(self.misnamed, self.runs)}"


def _times(numbers: list[int], runs: int) -> str:
    return f"{len(numbers)} of {runs} times: secrets {', '.join(map(str, numbers[:8]))}"


@contextlib.contextmanager
def copy_course(name: str) -> Iterator[Course]:
    """Yield a course with one assignment as it is now, so that it can be worked on meanwhile."""
    with TemporaryDirectory(prefix="coursegrad-") as place:
        root = Path(place)
        shutil.copy(classes.ROOT / COURSE_FILE, root)
        course = Course.load(root)
        for part in (f"solutions/{name}", f"{course.suites}/{name}"):
            shutil.copytree(classes.ROOT / part, root / part)
        yield course


def change_secret(course: Course, number: int) -> None:
    """Give a course the secret of a number."""
    secret = hashlib.sha256(f"secret {number}".encode()).hexdigest()
    files.private_folder(course.secret_file.parent)
    files.write_private(course.secret_file, secret + "\n")


def find_wanted(name: str) -> dict[str, Expected]:
    """Return what each submission must get."""
    students = classes.read_expected(name) | classes.read_mistakes(name)
    return {specimens.REFERENCE: RIGHT} | students | classes.read_settings(name)


def groups(name: str, tasks: Collection[str], students: Collection[str]) -> Iterator[Group]:
    """Yield what is right in all `tasks`, and mistakes and settings in the task that each is about."""
    chosen, wanted = assignments.load(Course.load(classes.ROOT), name), find_wanted(name)
    own = [specimens.reference(chosen), *classes.students(name)]
    everyone = [
        one
        for one in [*own, *classes.make_mistaken(name), *classes.with_settings(name)]
        if not students or one.student in students
    ]
    every_task = [task.id for task in chosen.tasks]
    about = {task: [one for one in everyone if wanted[one.student].task == task] for task in every_task}
    right = [one for one in everyone if wanted[one.student].right and wanted[one.student].task is None]
    if right:
        yield frozenset(tasks or every_task), right
    for task in tasks or every_task:
        if about[task]:
            yield frozenset({task}), about[task]


def try_secrets(name: str, found: Iterable[Group], secrets: Iterable[int], jobs: int) -> dict[str, Trials]:
    """Grade groups of submissions under secrets; return what happened to each submission."""
    wanted = find_wanted(name)
    trials = {one.student: Trials(wanted[one.student]) for _, members in found for one in members}
    with copy_course(name) as course:
        chosen = assignments.load(course, name)
        for number in secrets:
            change_secret(course, number)
            for tasks, members in found:
                with Pool(chosen, course, jobs=jobs, sandbox="full", tasks=tasks) as pool:
                    for graded in pool.grade(members):
                        trials[graded.submission.student].add(number, graded)
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return trials


def main() -> int:
    """Print what depends on the secret."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.secrets", description=__doc__.split("\n")[0])
    parser.add_argument("assignment", choices=classes.NAMES)
    parser.add_argument("--secrets", type=int, default=50, help="how many")
    parser.add_argument("--first", type=int, default=0, help="number of the first secret")
    parser.add_argument("--task", action="append", default=[], help="grade this task alone; may be repeated")
    parser.add_argument(
        "--student", action="append", default=[], help="grade this one alone; may be repeated"
    )
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    found = list(groups(options.assignment, options.task, options.student))
    secrets = range(options.first, options.first + options.secrets)
    trials = try_secrets(options.assignment, found, secrets, options.jobs)
    problems = {student: list(one.problems()) for student, one in trials.items()}
    for student, lines in problems.items():
        for line in lines:
            print(f"{student} {line}")
    kinds = Counter("right" if one.wanted.right else "wrong" for one in trials.values())
    wrong = sum(bool(lines) for lines in problems.values())
    print(
        f"{kinds['right']} right and {kinds['wrong']} wrong submissions, {options.secrets} secrets:", end=" "
    )
    print(f"{wrong} depend on the secret" if wrong else "nothing depends on the secret")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
