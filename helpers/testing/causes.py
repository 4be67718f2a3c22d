"""The usual causes of exceptions in student code, recognized by their messages."""

from __future__ import annotations

import re

RENAMED = "it was renamed or deleted; what is graded keeps its name"
"""Why a name that students are given is not there."""
MIXED = "float32 and float64 are mixed; make new tensors with dtype=x.dtype"
"""Why an operation refuses two dtypes of floating-point numbers."""
NO_DTYPE = "a new tensor was made without dtype=; x.new_zeros(...) keeps the dtype of x"
"""Why a result has another dtype, or values in float64 are right as in float32 only."""
NO_INTEGERS = "integers are asked for: make the tensor with dtype=torch.int64, or convert it by .long()"
"""Why a result has a floating-point dtype where integers are asked for."""
FORGOTTEN_IMPORT = "a module is used that this file does not import; put the import at its top"
_OTHER_DTYPE = (
    r"(?:same dtypes?|same scalar type|expected scalar type|expected dtype|dtypes must be the same"
    r"|dtypes? match|dtype to be equal|(?:Float|Double) did not match)"
)
CAUSES = {
    r"not compiled with CUDA|NVIDIA driver|CUDA-capable|CUDA error|No CUDA": (
        "a tensor is moved to a GPU, and there is none; make tensors with device=x.device instead"
    ),
    r"tensors to be on the same device|not on the expected device": (
        "a new tensor was made without device=; x.new_zeros(...) keeps the device of x"
    ),
    rf"(?s)\A(?=.*\b(?:[Ll]ong|[Ii]nt|[Bb]ool)\b).*{_OTHER_DTYPE}": (
        "integers or truth values meet floating-point numbers; convert them with .to(x.dtype)"
    ),
    _OTHER_DTYPE: MIXED,
    r"must match the size of tensor|shapes cannot be multiplied|size mismatch|not broadcastable": (
        "the shapes of two tensors do not fit; print both just before this line"
    ),
    r"out of bounds for (dimension|axis)|index out of range": (
        "an index is too large; indices start at 0, and dimensions may be in another order"
    ),
    r"Dimension out of range|not enough values to unpack": (
        "a tensor has another number of dimensions than this line takes for granted; print its shape"
    ),
    r"stack expects each tensor to be equal size": (
        "torch.stack takes tensors of one size; torch.cat joins parts that differ, and a list keeps them"
    ),
    r"name '(np|numpy|torch|math|random|time|plt)' is not defined": FORGOTTEN_IMPORT,
    r"view size is not compatible": "the tensor is not contiguous; use reshape instead of view",
    r"cannot access (local|free) variable|referenced before assignment": (
        "a variable is used before it has a value; is it set only in an `if`, or in a part that you have not "
        "written yet?"
    ),
    r"Permission denied|Read-only file system|No such file or directory|Parent directory .* does not exist": (
        "graded code can neither write files nor read yours; what a function needs is passed to it"
    ),
    r"Operation not permitted|Resource temporarily unavailable": (
        "graded code can start no process and reach no network"
    ),
    r"division by zero": "this line divides by 0; which of its numbers may be 0, as p, a count or a sum?",
    r"that requires grad": "the tensor records gradients; use x.detach() where they are not wanted",
}
"""Part of the message, as a regular expression, to its cause."""


_UNFINISHED = re.compile(
    r"NoneType|cannot access (local|free) variable|referenced before assignment|name '\w+' is not defined"
)
"""Part of what exceptions say where something has no value yet."""


def is_unfinished(message: str) -> bool:
    """Tell whether an exception with this message comes of work that is not done rather than of a mistake.

    Examples
    --------
    >>> is_unfinished("name 'dx' is not defined"), is_unfinished("name 'np' is not defined")
    (True, False)
    """
    return bool(_UNFINISHED.search(message)) and likely_cause(message) != FORGOTTEN_IMPORT


def likely_cause(message: str) -> str | None:
    """Return the usual cause of an exception with this message, or None.

    Examples
    --------
    >>> likely_cause("Torch not compiled with CUDA enabled")
    'a tensor is moved to a GPU, and there is none; make tensors with device=x.device instead'
    """
    return next((cause for part, cause in CAUSES.items() if re.search(part, message[:2000])), None)
