"""The loss of a network that student code is only to make, and may train nevertheless."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

MOST = 20
"""So many steps are taken at most by solvers that go on where the loss is not finite."""


class Untrained:
    """Stands for the loss of a network; a `Solver` that trains with it is done after one step.

    All scores are 0. The gradients of the first step are 0, and the loss of the second is not finite, where a
    solver stops. So what it reports of its training is there, and training takes no time.

    Parameters
    ----------
    params : mapping of str to Tensor
        The parameters of the network.
    classes : int, optional
        How many scores there are for each example.

    Attributes
    ----------
    steps : int
        How often loss and gradients were asked for: 0 if nobody trained.

    Examples
    --------
    >>> untrained = Untrained({"W1": torch.ones(2)}, classes=3)
    >>> untrained.loss(torch.ones(2, 5)).shape, untrained.steps
    (torch.Size([2, 3]), 0)
    >>> labels = torch.tensor([0, 2])
    >>> untrained.loss(torch.ones(2, 5), labels), untrained.loss(torch.ones(2, 5), labels)[0]
    ((0.0, {'W1': tensor([0., 0.])}), nan)
    """

    def __init__(self, params: Mapping[str, Tensor], classes: int = 10) -> None:
        self.steps = 0
        self._gradients = {name: torch.zeros_like(value) for name, value in params.items()}
        self._classes = classes

    def loss(self, X: Tensor, y: Tensor | None = None) -> object:
        """Return scores, or loss and gradients.

        Raises
        ------
        RuntimeError
            If somebody goes on training where the loss is not finite.
        """
        if y is None:
            return torch.zeros(len(X), self._classes, dtype=X.dtype)
        self.steps += 1
        if self.steps > MOST:
            raise RuntimeError("this function only makes the Solver; whoever called it will train")
        return 0.0 if self.steps == 1 else math.nan, dict(self._gradients)
