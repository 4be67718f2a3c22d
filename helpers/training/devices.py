"""Where networks are trained: on a GPU, if there is one."""

from __future__ import annotations

import torch


def best() -> str:
    """Return "cuda" if PyTorch can use a GPU, and "cpu" otherwise.

    Convolutions then keep all digits of float32 there. Unless told so, newer GPUs round the numbers that they
    multiply to ten binary digits (TensorFloat-32: PyTorch's documentation, "CUDA semantics"), and layers that
    are equal on a CPU would differ in the third digit.
    """
    torch.backends.cudnn.allow_tf32 = False
    return "cuda" if torch.cuda.is_available() else "cpu"
