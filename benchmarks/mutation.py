"""Mutation score of a suite: how many small changes of the reference it notices.

mutmut makes the mutants, small changes of the lines that students write; the suite grades them as it grades
submissions. A mutant that passes every test of the tasks that its function belongs to has survived.
Survivors that are no mistakes are explained in ``benchmarks/survivors/ASSIGNMENT.toml``; the score at the end
of a row leaves them out.

    python -m benchmarks.mutation knn
    python -m benchmarks.mutation two_layer_net --function nn_train --jobs 1

Exit status 1 where a survivor has no explanation, or an explanation no survivor.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libcst
from rich.console import Console
from rich.table import Table

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.course.assignment import Assignment
from autograder.engine.pool import Pool
from autograder.grading import specimens
from autograder.intake import Submission

ROOT = Path(__file__).parents[1]
KEYS = ("function", "old", "new")
SURVIVORS = Path(__file__).parent / "survivors"


@dataclass(frozen=True)
class Mutant:
    """The reference with one change.

    Attributes
    ----------
    function : str
        ``KnnClassifier.predict``.
    file : str
        ``knn.py``.
    old, new : str
        What changed: the lines before and after it, without the white space around them.
    code : str
        The whole file.
    """

    function: str
    file: str
    old: str
    new: str
    code: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What an explanation names."""
        return self.function, self.old, self.new


def mutants(file: str, text: str) -> Iterator[Mutant]:
    """Yield the mutants of the lines that students write."""
    from mutmut.mutation.file_mutation import create_mutations  # it brings a parser that takes long to import

    lines = {line + 1 for line in specimens.solution_lines(text, file)}
    module, mutations, _, _ = create_mutations(file, text, covered_lines=lines)
    names = _names_of_lines(text)
    for mutation in mutations:
        if mutation.contained_by_top_level_function is None:
            continue
        changed = module.deep_replace(mutation.original_node, mutation.mutated_node)
        code = changed.code if isinstance(changed, libcst.Module) else text
        old, new, line = _change(text, code)
        if (old or new) and line in lines:
            yield Mutant(names.get(line, "?"), file, old, new, code)


def functions(file: str, text: str) -> set[str]:
    """Return the functions and methods in which students write lines."""
    names = _names_of_lines(text)
    return {names[line + 1] for line in specimens.solution_lines(text, file) if line + 1 in names}


def _change(before: str, after: str) -> tuple[str, str, int]:
    """Return the lines that went and those that came, and the first of them, counted from 1."""
    old, new = before.split("\n"), after.split("\n")
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    changes = [block for block in matcher.get_opcodes() if block[0] != "equal"]
    if not changes:
        return "", "", 0
    first, last = changes[0], changes[-1]
    went = "\n".join(line.strip() for line in old[first[1] : last[2]])
    came = "\n".join(line.strip() for line in new[first[3] : last[4]])
    return went, came, first[1] + 1


def _names_of_lines(text: str) -> dict[int, str]:
    """Return the function or method, with its class, that each line belongs to."""
    names: dict[int, str] = {}

    def visit(nodes: Iterable[ast.AST], prefix: str) -> None:
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                visit(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.FunctionDef):
                last = node.end_lineno or node.lineno
                names.update(dict.fromkeys(range(node.lineno, last + 1), prefix + node.name))

    visit(ast.parse(text).body, "")
    return names


def tasks_of(chosen: Assignment, course: Course, names: set[str], jobs: int) -> dict[str, frozenset[str]]:
    """Return the tasks that each function belongs to: those that fail where it raises."""
    raising = [
        specimens.with_body(chosen, function, 'raise ValueError("mutant")')
        for function in specimens.find_student_functions(chosen)
        if function.name in names
    ]
    with Pool(chosen, course, jobs=jobs, sandbox="full") as pool:
        task = {test.id: test.task for test in pool.plan}
        return {
            graded.submission.student: frozenset(
                task[outcome.id]
                for outcome in graded.outcomes
                if outcome.status not in ("passed", "not_judged")
            )
            for graded in pool.grade(raising)
        }


def survivors(
    chosen: Assignment, course: Course, found: list[Mutant], tasks: dict[str, frozenset[str]], jobs: int
) -> list[Mutant]:
    """Return the mutants that pass every test of the tasks of their function."""
    groups: dict[frozenset[str], list[Mutant]] = defaultdict(list)
    everything = frozenset(task.id for task in chosen.tasks)
    for mutant in found:
        groups[tasks.get(mutant.function) or everything].append(mutant)
    reference = specimens.sources(chosen)
    alive: list[Mutant] = []
    for wanted, group in groups.items():
        submissions = [
            Submission(
                str(number),
                chosen.folder,
                {name: text.encode() for name, text in (reference | {one.file: one.code}).items()},
            )
            for number, one in enumerate(group)
        ]
        with Pool(chosen, course, jobs=jobs, sandbox="full", tasks=wanted) as pool:
            for graded in pool.grade(submissions):
                if all(outcome.status == "passed" for outcome in graded.outcomes):
                    alive.append(group[int(graded.submission.student)])
                print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return sorted(alive, key=lambda one: one.key)


def read_explanations(name: str) -> dict[tuple[str, ...], str]:
    """Return why survivors of an assignment survive."""
    path = SURVIVORS / f"{name}.toml"
    if not path.is_file():
        return {}
    entries: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8")).get("survivor", [])
    return {tuple(entry[key] for key in KEYS): entry["reason"] for entry in entries}


def main() -> int:
    """Print the score of each function, and every survivor that is not explained."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation", description=__doc__.split("\n")[0])
    parser.add_argument("assignment")
    parser.add_argument("--function", help="mutate this function alone, such as KnnClassifier.predict")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    course = Course.load(ROOT)
    chosen = assignments.load(course, options.assignment)
    found = [one for file, text in specimens.sources(chosen).items() for one in mutants(file, text)]
    if options.function:
        found = [one for one in found if one.function == options.function]
    names = {one.function for one in found}
    tasks = tasks_of(chosen, course, names, options.jobs)
    alive = survivors(chosen, course, found, tasks, options.jobs)
    reasons = read_explanations(chosen.name)
    open_ones = [one for one in alive if one.key not in reasons]
    stale = [key for key in reasons if key[0] in names and key not in {one.key for one in alive}]
    report(found, alive, open_ones)
    for one in open_ones:
        print("\n[[survivor]]")
        for key, text in zip(KEYS, one.key, strict=True):
            print(f"{key} = {json.dumps(text, ensure_ascii=False)}")
        print('reason = ""')
    for key in stale:
        print(f"\nexplained, and killed or gone: {key}")
    return 1 if open_ones or stale else 0


def report(found: list[Mutant], alive: list[Mutant], open_ones: list[Mutant]) -> None:
    """Print a row for each function, and the sum."""
    table = Table("function", "mutants", "killed", "", "explained", "open", "score")
    everyone = [(name, name) for name in dict.fromkeys(one.function for one in found)]
    for name, label in [*everyone, (None, "all")]:
        total, survived, left = (
            sum(name in (None, one.function) for one in group) for group in (found, alive, open_ones)
        )
        killed = total - survived
        table.add_row(
            label,
            str(total),
            str(killed),
            f"{100 * killed / max(total, 1):.0f} %",
            str(survived - left),
            str(left),
            f"{100 * killed / max(killed + left, 1):.0f} %",
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    sys.exit(main())
