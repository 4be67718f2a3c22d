"""Tolerances for right answers: one table by operation and dtype, with reasons.

``python -m helpers.testing.tolerances`` prints it as ``docs/tolerances.md``.
"""

from __future__ import annotations

import math
from contextvars import ContextVar
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
class Tolerances:
    """The tolerances of one kind of operation.

    Attributes
    ----------
    reason : str
        Why right answers differ by this much, but not more.
    bounds : dict
        `Bounds` by dtype; `float` stands for plain numbers. A dtype that is not listed must agree exactly.
    """

    reason: str
    bounds: dict[torch.dtype | type[float], Bounds]


TABLE: dict[Operation, Tolerances] = {
    "arithmetic": Tolerances(
        "Sums of up to a few thousand products, in any order. float64 would need less than 1e-12; its bounds "
        "only have to distinguish it from float32. Plain numbers usually come from float32 through .item().",
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
    "float64": Tolerances(
        "A plain number that comes from float64: an answer that was computed in float32 must not pass.",
        {torch.float64: (1e-8, 1e-10), float: (1e-8, 1e-10)},
    ),
    "gradient": Tolerances(
        "Terms of both signs add up to something smaller than each of them, which costs one digit.",
        {torch.float32: (1e-3, 1e-4), torch.float64: (1e-8, 1e-10), float: (1e-3, 1e-4)},
    ),
    "deep gradient": Tolerances(
        "A chain of layers, each with its own rounding errors; batch normalization divides by small numbers.",
        {torch.float32: (1e-3, 1e-4), torch.float64: (1e-7, 1e-9), float: (1e-7, 1e-9)},
    ),
    "cancellation": Tolerances(
        "a² - 2ab + b² subtracts numbers that agree in most digits; of float32's seven digits, four remain.",
        {torch.float32: (1e-4, 1e-3), torch.float64: (1e-8, 1e-8), float: (1e-8, 1e-8)},
    ),
    "large numbers": Tolerances(
        "The same with numbers around 10,000, where float32 is spaced by 0.001 and float64 by 2e-12.",
        {torch.float32: (1e-4, 1e-2), torch.float64: (1e-6, 1e-8), float: (1e-4, 1e-2)},
    ),
    "steps": Tolerances(
        "Many training steps, each of which inherits the rounding errors of the one before.",
        {torch.float32: (1e-3, 1e-4), torch.float64: (1e-6, 1e-8), float: (1e-6, 1e-8)},
    ),
    "rounded": Tolerances(
        "The expected number is computed by hand and written with five digits.",
        {torch.float32: (1e-4, 2e-4), torch.float64: (1e-4, 2e-4), float: (1e-4, 2e-4)},
    ),
    "small start": Tolerances(
        "The loss is log C for scores of 0; with small random weights the scores are only close to it.",
        {torch.float32: (1e-2, 0.0), torch.float64: (1e-2, 0.0), float: (1e-2, 0.0)},
    ),
}


coarse: ContextVar[bool] = ContextVar("coarse", default=False)
"""Whether answers come from float32 where float64 was asked for; see `helpers.testing.asking`."""


def bounds(operation: Operation, kind: torch.dtype | type[float]) -> Bounds | None:
    """Return the tolerance of an operation for a dtype or for plain numbers; None where it must be exact."""
    row = TABLE[operation].bounds
    if coarse.get() and kind in (torch.float64, float):
        return row.get(torch.float32) or TABLE["arithmetic"].bounds[torch.float32]
    return row.get(kind)


def page() -> str:
    """Return the table as a page of Markdown."""
    lines = [
        "# Tolerances",
        "",
        "`checks.close` accepts values with `|actual - expected| <= atol + rtol * |expected|`. The",
        "tolerances depend on operation and dtype. Integers, booleans and strings must agree exactly.",
        "`make tolerances` generates this page from `helpers/testing/tolerances.py`.",
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
