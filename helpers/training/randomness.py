"""Random numbers that are the same in every run."""

from __future__ import annotations

import random

import numpy as np
import torch


def reset_seed(number: int) -> None:
    """Let Python, NumPy and PyTorch draw the same random numbers from here on, on every device.

    Parameters
    ----------
    number : int
        What they begin with, from 0 on.
    """
    random.seed(number)
    np.random.seed(number % 2**32)
    torch.manual_seed(number)
