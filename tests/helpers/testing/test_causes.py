"""Tests of what usually leads to an exception: PyTorch's own messages, provoked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from helpers.testing import causes

X = torch.ones(2, 3)
PLACES = torch.tensor([0, 1])


def moved() -> object:
    if torch.cuda.is_available():
        raise RuntimeError("Torch not compiled with CUDA enabled")
    return X.cuda()


def hidden_away() -> object:
    raise RuntimeError("No CUDA GPUs are available")  # PyTorch with CUDA, on a machine without a GPU


@pytest.mark.parametrize(
    ("call", "cause"),
    [
        (moved, "to a GPU, and there is none"),
        (hidden_away, "to a GPU, and there is none"),
        (lambda: X + torch.ones(4, 2), "do not fit"),
        (lambda: X @ X, "do not fit"),
        (lambda: X @ X.T.double(), "float32 and float64 are mixed"),
        (lambda: X[0] @ X[0].double(), "float32 and float64 are mixed"),
        (lambda: X[None] @ X.T[None].double(), "float32 and float64 are mixed"),
        (lambda: X @ X[0].double(), "float32 and float64 are mixed"),
        (lambda: torch.einsum("ij,kj->ik", X, X.double()), "float32 and float64 are mixed"),
        (lambda: torch.addmm(X[0, :2], X, X.T.double()), "float32 and float64 are mixed"),
        (lambda: torch.baddbmm(X[None], X[None].double(), X[None].double()), "float32 and float64 are mixed"),
        (lambda: torch.tensordot(X, X.T.double(), 1), "float32 and float64 are mixed"),
        (lambda: torch.lerp(X, X.double(), 0.5), "float32 and float64 are mixed"),
        (lambda: X.clone().index_put_((X > 0,), X.double().flatten()), "float32 and float64 are mixed"),
        (lambda: X.clone().index_add_(0, PLACES, X.double()), "float32 and float64 are mixed"),
        (lambda: X.clone().scatter_add_(0, PLACES[:, None], X.double()), "float32 and float64 are mixed"),
        (lambda: torch.linalg.multi_dot([X, X.T.double()]), "float32 and float64 are mixed"),
        (lambda: torch.allclose(X, X.double()), "float32 and float64 are mixed"),
        (lambda: X @ X.T.long(), "integers or truth values meet"),
        (lambda: X @ (X.T > 0), "integers or truth values meet"),
        (lambda: X.clone().index_put_((X > 0,), X.long().flatten()), "integers or truth values meet"),
        (lambda: X[5], "index is too large"),
        (lambda: X.gather(1, torch.tensor([[7]])), "index is too large"),
        (lambda: X.T.view(6), "not contiguous"),
        (lambda: X.clone().requires_grad_().numpy(), "records gradients"),
        (lambda: X + torch.ones(2, 3, device="meta"), "without device="),
    ],
)
def test_messages_of_pytorch(call: Callable[[], object], cause: str) -> None:
    with pytest.raises((RuntimeError, IndexError, AssertionError)) as caught:
        call()
    found = causes.likely_cause(str(caught.value))
    assert found is not None
    assert cause in found


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (PermissionError(13, "Permission denied", "notes.txt"), "neither write files nor read yours"),
        (OSError(30, "Read-only file system", "notes.txt"), "neither write files nor read yours"),
        (FileNotFoundError(2, "No such file or directory", "data.npy"), "neither write files nor read yours"),
        (PermissionError(1, "Operation not permitted"), "no process and reach no network"),
        (BlockingIOError(11, "Resource temporarily unavailable"), "no process and reach no network"),
    ],
)
def test_messages_of_the_system(error: OSError, cause: str) -> None:
    assert cause in (causes.likely_cause(str(error)) or "")


def test_other_messages_say_nothing() -> None:
    assert causes.likely_cause("a message of the student's own") is None
