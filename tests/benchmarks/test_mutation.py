"""Tests of the mutants that measure suites."""

from __future__ import annotations

from benchmarks import mutation

TEXT = '''def given(x):
    return x + 1


class Net:
    def forward(self, x):
        """Add two."""
        ### BEGIN SOLUTION
        y = x + 2
        return y
        ### END SOLUTION
'''


def test_mutants_change_what_students_write() -> None:
    found = list(mutation.mutants("net.py", TEXT))
    assert {one.function for one in found} == mutation.functions("net.py", TEXT) == {"Net.forward"}
    assert {(one.old, one.new) for one in found} >= {("y = x + 2", "y = x - 2"), ("y = x + 2", "y = x + 3")}
    for one in found:
        assert one.code != TEXT
        assert one.code.startswith("def given(x):\n    return x + 1\n")


def test_every_explanation_names_a_function_and_a_reason() -> None:
    for path in mutation.SURVIVORS.glob("*.toml"):
        known = {
            function
            for file in (mutation.ROOT / "solutions" / path.stem).glob("*.py")
            for function in mutation.functions(file.name, file.read_text(encoding="utf-8"))
        }
        for (function, _, _), reason in mutation.read_explanations(path.stem).items():
            assert function in known, path
            assert len(reason) > 12, path
