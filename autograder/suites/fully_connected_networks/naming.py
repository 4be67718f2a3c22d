"""What students call the parameters of their networks."""

from typing import Any

FROM_ZERO = "names begin at W1 and b1, not at W0 and b0"


def counts_from_zero(net: Any) -> bool:
    """Return whether the layers of a student's network are W0, b0, W1, b1 and so on."""
    return "W0" in net.params


def own_name(net: Any, name: str) -> str:
    """Return what a student's network calls a parameter."""
    return f"{name[0]}{int(name[1:]) - counts_from_zero(net)}"
