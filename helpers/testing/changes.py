"""How a call modified an argument, probably: arithmetic, sorting, or entries of a list or a dict."""

from __future__ import annotations

from collections import Counter

from helpers.testing.comparison import DICTS, REALS, Tolerance, difference, has_type

IN_PLACE = "an operation in place, such as x -= 1 or x.sub_(1), changes the caller's data; write x = x - 1"
SORTED = "x.sort() and x.reverse() change the caller's list; sorted(x) makes a new one"
OF_LIST = "an entry of the caller's list was set, added or removed; work on a copy, list(x)"
OF_DICT = "an entry of the caller's dict was set, added or removed; work on a copy, dict(x)"
_PLAIN = (*REALS, bool, str, type(None))


def change_cause(before: object, after: object) -> str:
    """Return what probably made of an argument what it is after the call.

    Parameters
    ----------
    before, after : object
        As for `helpers.testing.checks.unchanged`, which differ.

    Examples
    --------
    >>> change_cause([3, 1], [1, 3]) == SORTED
    True
    """
    if isinstance(before, (list, tuple)) and type(after) is type(before):
        assert isinstance(after, (list, tuple))
        if all(has_type(one, _PLAIN) for one in (*before, *after)):
            return SORTED if Counter(before) == Counter(after) else OF_LIST
        pairs, of_entries = list(zip(before, after, strict=False)), OF_LIST
        same_form = len(before) == len(after)
    elif isinstance(before, dict) and has_type(after, DICTS):
        assert isinstance(after, dict)
        same_form, of_entries = before.keys() == after.keys(), OF_DICT
        pairs = [(value, after[key]) for key, value in before.items()] if same_form else []
    else:
        return IN_PLACE
    if not same_form:
        return of_entries
    for one, other in pairs:
        if difference(other, one, Tolerance(exact=True)) is not None:
            return of_entries if has_type(one, _PLAIN) else change_cause(one, other)
    return IN_PLACE
