"""How far right answers may differ: one table, by operation and dtype, with the reasons.

``python -m helpers.testing.tolerances`` prints it as ``docs/tolerances.md``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch

Operation = Literal[
    "arithmetic",
    "float64",
    "gradient",
    "deep gradient",
    "cancellation",
    "large numbers",
    "steps",
    "rounded",
    "small start",
]
"""Names of the rows."""

Bounds = tuple[float, float]
"""Relative and absolute tolerance: ``|actual - expected| <= atol + rtol * |expected|``."""


@dataclass(frozen=True)
class Row:
    """What one kind of operation may be off by.

    Attributes
    ----------
    reason : str
        Why right answers differ by so much, and not by more.
    bounds : dict
        `Bounds` by dtype; `float` stands for plain numbers. A dtype that is not listed must agree exactly.
    """

    reason: str
    bounds: dict[torch.dtype | type[float], Bounds]


TABLE: dict[Operation, Row] = {
    "arithmetic": Row(
        "Sums of up to some thousand products, in any order. float64 would need less than 1e-12; its bounds "
        "only have to tell it from float32. Plain numbers usually come out of float32 through .item().",
        {
            torch.float16: (1e-2, 1e-3),
            torch.bfloat16: (4e-2, 1e-2),
            torch.float32: (1e-4, 1e-5),
            torch.float64: (1e-8, 1e-10),
            torch.complex64: (1e-4, 1e-5),
            torch.complex128: (1e-8, 1e-10),
            float: (1e-4, 1e-5),
        },
    ),
    "float64": Row(
        "A plain number that comes out of float64: an answer computed in float32 on the way must not pass.",
        {torch.float64: (1e-8, 1e-10), float: (1e-8, 1e-10)},
    ),
    "gradient": Row(
        "Terms of both signs add up to something smaller than each of them, which costs a digit.",
        {torch.float32: (1e-3, 1e-4), torch.float64: (1e-8, 1e-10), float: (1e-3, 1e-4)},
    ),
    "deep gradient": Row(
        "A chain of layers, each of which rounds its own way; batch normalization divides by small numbers.",
        {torch.float32: (1e-3, 1e-4), torch.float64: (1e-7, 1e-9), float: (1e-7, 1e-9)},
    ),
    "cancellation": Row(
        "a² - 2ab + b² subtracts numbers that agree in most digits; of float32's seven, four remain.",
        {torch.float32: (1e-4, 1e-3), torch.float64: (1e-8, 1e-8), float: (1e-8, 1e-8)},
    ),
    "large numbers": Row(
        "The same around 10,000: float32 is spaced by 0.001 there, float64 by 2e-12.",
        {torch.float32: (1e-4, 1e-2), torch.float64: (1e-6, 1e-8), float: (1e-4, 1e-2)},
    ),
    "steps": Row(
        "Many steps of training, each of which starts from the rounding errors of the one before.",
        {torch.float32: (1e-3, 1e-4), torch.float64: (1e-6, 1e-8), float: (1e-6, 1e-8)},
    ),
    "rounded": Row(
        "The expected number is worked out by hand and written down with five digits.",
        {torch.float32: (1e-4, 2e-4), torch.float64: (1e-4, 2e-4), float: (1e-4, 2e-4)},
    ),
    "small start": Row(
        "The loss is log C for scores of 0; with small random weights the scores are only close to it.",
        {torch.float32: (1e-2, 0.0), torch.float64: (1e-2, 0.0), float: (1e-2, 0.0)},
    ),
}


def bounds(operation: Operation, kind: torch.dtype | type[float]) -> Bounds | None:
    """Return the tolerance of an operation for a dtype or for plain numbers; None where it must be exact."""
    return TABLE[operation].bounds.get(kind)


def page() -> str:
    """Return the table as a page of Markdown."""
    lines = [
        "# Tolerances",
        "",
        "What `checks.close` lets pass: `|actual - expected| <= atol + rtol * |expected|`, by operation and",
        "dtype. Whole numbers, truth values and texts must agree exactly. Made of",
        "`helpers/testing/tolerances.py` by `make tolerances`.",
        "",
        "| operation | dtype | rtol | atol | why |",
        "|---|---|---|---|---|",
    ]
    for operation, row in TABLE.items():
        for place, (kind, (rtol, atol)) in enumerate(row.bounds.items()):
            name = "number" if kind is float else str(kind).removeprefix("torch.")
            title, reason = (operation, row.reason) if place == 0 else ("", "")
            lines.append(f"| {title} | {name} | {_plain(rtol)} | {_plain(atol)} | {reason} |")
    return "\n".join(lines) + "\n"


def _plain(value: float) -> str:
    """Return 0.2, 0 or 1e-8, whichever reads best."""
    if value == 0 or value >= 0.1:
        return f"{value:g}"
    exponent = math.floor(math.log10(value) + 1e-9)
    return f"{value / 10**exponent:g}e{exponent}"


if __name__ == "__main__":
    print(page(), end="")
