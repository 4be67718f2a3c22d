"""The report of a check that does not hold."""

from __future__ import annotations


class CheckFailure(AssertionError):
    """Say which check failed, what was expected, what was found and what probably caused it.

    Values of tensors and numbers stand only in `expected_value` and `actual_value`, so that feedback on a
    hidden test can leave them out. The other texts name counts, indices, types, dtypes and shapes. A failure
    that reports on an exception of student code is raised from it, and feedback names its line.

    Parameters
    ----------
    what : str
        What was checked, in the author's words: ``"the squared distances"``.
    problem : str
        What is wrong with it: ``"wrong shape"``.
    expected, actual : str, optional
        Type, dtype and shape of what was expected and of what came.
    first_wrong : str, optional
        Index of the first wrong entry and how many are wrong.
    likely_cause : str, optional
        The mistake that usually leads here.
    expected_dims, actual_dims : tuple of int, optional
        The shapes that `expected` and `actual` mention.
    expected_value, actual_value : str, optional
        The values at the first wrong entry.
    slip : bool
        Whether one mistake explains the answer, or the answer is nearly right; see `helpers.credit`.
    """

    def __init__(
        self,
        what: str,
        problem: str,
        *,
        expected: str | None = None,
        actual: str | None = None,
        first_wrong: str | None = None,
        likely_cause: str | None = None,
        expected_dims: tuple[int, ...] | None = None,
        actual_dims: tuple[int, ...] | None = None,
        expected_value: str | None = None,
        actual_value: str | None = None,
        slip: bool = False,
    ) -> None:
        super().__init__(what, problem)
        self.what = what
        self.problem = problem
        self.expected = expected
        self.actual = actual
        self.first_wrong = first_wrong
        self.likely_cause = likely_cause
        self.expected_dims = expected_dims
        self.actual_dims = actual_dims
        self.expected_value = expected_value
        self.actual_value = actual_value
        self.slip = slip

    def __str__(self) -> str:
        """Return the whole report, values included, one fact per line."""
        facts = (
            ("first wrong", self.first_wrong),
            ("expected", value_in_form(self.expected_value, self.expected)),
            ("found", value_in_form(self.actual_value, self.actual)),
            ("likely cause", self.likely_cause),
        )
        lines = [f"  {name}: {fact}" for name, fact in facts if fact is not None]
        return "\n".join([f"{self.what}: {self.problem}", *lines])


def value_in_form(value: str | None, form: str | None) -> str | None:
    """Return a value with what it stands in, as students read both, or the one of them that is given.

    Examples
    --------
    >>> value_in_form("3", "int64 tensor of shape (2,)")
    '3 in an int64 tensor of shape (2,)'
    >>> value_in_form(None, "int64 tensor of shape (2,)")
    'int64 tensor of shape (2,)'
    """
    if value is None or form is None:
        return value or form
    return f"{value} in {'an' if form[0] in 'aeiou' else 'a'} {form}"
