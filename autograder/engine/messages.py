"""What a student may read of an exception in a hidden test: known messages of Python and PyTorch.

A message is text of student code, which could write hidden values into it. It is repeated only if it has one
of a few forms and every name in it stands in the student's own files; sizes are masked. That tells no more
than does the line in which the exception was raised.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable

_NAME = r"([A-Za-z_]\w{0,60})"
_SHAPE = r"\[[-\d, ]{0,40}\]"


def _compile(forms: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(form.replace("NAME", _NAME).replace("SHAPE", _SHAPE)) for form in forms)


_OF_PYTHON = _compile(
    (
        r"name 'NAME' is not defined",
        r"cannot access (?:local|free) variable 'NAME' where it is not associated with a value",
        r"(?:'NAME' object|module 'NAME') has no attribute 'NAME'",
        r"'NAME' object is not (?:callable|iterable|subscriptable|reversible)",
        r"'NAME' object does not support item (?:assignment|deletion)",
        r"'NAME' object cannot be interpreted as an integer",
        r"object of type 'NAME' has no len\(\)",
        r"cannot unpack non-iterable NAME object",
        r"(?:NAME\.)?NAME\(\) missing \d required (?:positional|keyword-only) arguments?: 'NAME'"
        r"(?: and 'NAME')?",
        r"(?:NAME\.)?NAME\(\) got an unexpected keyword argument 'NAME'",
        r"(?:NAME\.)?NAME\(\) got multiple values for argument 'NAME'",
        r"(?:NAME\.)?NAME\(\) takes \d positional arguments? but \d (?:was|were) given",
        r"unsupported operand type\(s\) for [^\w\s']{1,3}: 'NAME' and 'NAME'",
        r"(?:list|tuple) indices must be integers or slices, not NAME",
        r"int\(\) argument must be a string, a bytes-like object or a real number, not 'NAME'",
        r"too many values to unpack \(expected \d\)",
        r"not enough values to unpack \(expected \d, got \d\)",
        r"(?:list|tuple) index out of range",
        r"(?:float |integer )?(?:division|modulo|division or modulo) by zero",
        r"expected scalar type NAME but found NAME",
        r"expected m1 and m2 to have the same dtype, but got: NAME(?: int)? != NAME(?: int)?",
        r"result type NAME can't be cast to the desired output type NAME",
        r"Index put requires the source and destination dtypes match, got NAME for the destination and NAME "
        r"for the source\.",
        r"tensors used as indices must be long, int, byte or bool tensors",
        r"scatter\(\): Expected dtype int32/int64 for index",
        r"batch\d must be a \dD tensor",
        r"1D tensors expected, but got \dD and \dD tensors",
        r"Boolean value of Tensor with more than one value is ambiguous",
        r"only one element tensors can be converted to Python scalars",
        r"only integer tensors of a single element can be converted to an index",
        r"a leaf Variable that requires grad is being used in an in-place operation\.",
        r"Can't call numpy\(\) on Tensor that requires grad\. Use tensor\.detach\(\)\.numpy\(\) instead\.",
        r"view size is not compatible with input tensor's size and stride \(at least one dimension spans "
        r"across two contiguous subspaces\)\. Use \.reshape\(\.\.\.\) instead\.",
    )
)
"""Messages that are told whole."""
_OF_SIZES = _compile(
    (
        r"mat1 and mat2 shapes cannot be multiplied \(\d+x\d+ and \d+x\d+\)",
        r"The size of tensor a \(\d+\) must match the size of tensor b \(\d+\) at non-singleton dimension "
        r"\d+",
        r"The expanded size of the tensor \(\d+\) must match the existing size \(\d+\) at non-singleton "
        r"dimension \d+\.  Target sizes: SHAPE\.  Tensor sizes: SHAPE",
        r"shape 'SHAPE' is invalid for input of size \d+",
        r"shape mismatch: value tensor of shape SHAPE cannot be broadcast to indexing result of shape SHAPE",
        r"shape mismatch: indexing tensors could not be broadcast together with shapes SHAPE, SHAPE",
        r"index -?\d+ is out of bounds for (?:dimension|axis) \d+ with size \d+",
        r"Dimension out of range \(expected to be in range of SHAPE, but got -?\d+\)",
        r"too many indices for tensor of dimension \d+",
        r"zero-dimensional tensor \(at position \d+\) cannot be concatenated",
        r"stack expects each tensor to be equal size, but got SHAPE at entry \d+ and SHAPE at entry \d+",
        r"Sizes of tensors must match except in dimension \d+\. Expected size \d+ but got size \d+ for "
        r"tensor number \d+ in the list\.",
        r"Tensors must have same number of dimensions: got \d+ and \d+",
        r"a Tensor with \d+ elements cannot be converted to Scalar",
        r"element \d+ of tensors does not require grad and does not have a grad_fn",
    )
)
"""Messages whose numbers are masked: they are sizes of hidden inputs, or could be anything."""
_KEY = re.compile(f"'{_NAME}'")
_TYPES = frozenset(
    [
        *(
            "int",
            "float",
            "complex",
            "bool",
            "str",
            "bytes",
            "list",
            "tuple",
            "dict",
            "set",
            "range",
            "slice",
        ),
        *("function", "method", "module", "type", "generator", "NoneType", "builtin_function_or_method"),
        *("Tensor", "ndarray", "torch", "numpy", "Float", "Double", "Half", "BFloat16", "Long", "Int"),
        *("Short", "Char", "Byte", "Bool", "double", "long", "short"),
    ]
)
"""Names in messages that are nobody's own."""
_NUMBER = re.compile(r"(?<![A-Za-z_])\d+|(?<=\dx)\d+")


def shown_message(type_name: str, message: str, words: Container[str]) -> str:
    """Return what a student may read of an exception's message, or nothing.

    Parameters
    ----------
    type_name : str
        The exception's class.
    message : str
        As a worker reports it.
    words : container of str
        The names in the student's own files.

    Examples
    --------
    >>> shown_message("NameError", "name 'trian' is not defined", {"trian"})
    "name 'trian' is not defined"
    >>> shown_message("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (4x5 and 4x3)", set())
    'mat1 and mat2 shapes cannot be multiplied (?x? and ?x?)'
    >>> shown_message("ValueError", "the first label is 3", {"label"})
    ''
    """
    if any(form.fullmatch(message) for form in _OF_SIZES):
        return _NUMBER.sub("?", message)
    for form in (_KEY,) if type_name == "KeyError" else _OF_PYTHON:
        found = form.fullmatch(message)
        if found is not None:
            names = [name for name in found.groups() if name is not None]
            return message if all(name in _TYPES or name in words for name in names) else ""
    return ""
