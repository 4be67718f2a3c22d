"""How a solution may go about it: names that are off limits, and no loop over the entries."""

from helpers.testing import Measurement, checks

GRADIENTS = ("torch.autograd", "torch.func", "torch.enable_grad", ".requires_grad", ".requires_grad_")
"""What works out gradients. Not .backward: that is what the layers call their own."""
IN_NETWORKS = ("torch.nn", "torch.optim", *GRADIENTS, ".cuda", "helpers.training.layers")
BANNED = (*IN_NETWORKS, ".grad")
"""Also what PyTorch's .backward leaves its results in; networks may call something of theirs so."""


def check_operations(few: Measurement, many: Measurement, of: str, likely_cause: str) -> None:
    """Check that hardly more tensor operations are taken where there is much more of something."""
    checks.holds(
        many.operations < 2.5 * max(1, few.operations),  # 1 without a loop, 6 or more with one
        what="the number of tensor operations",
        problem=f"grows with the number of {of}, as that of a loop does",
        likely_cause=likely_cause,
    )


def check_entries(few: Measurement, many: Measurement) -> None:
    """Check that hardly more tensor operations are taken for a larger parameter."""
    cause = "a loop over the entries of w; one tensor operation takes them all at once"
    check_operations(few, many, "entries", cause)
