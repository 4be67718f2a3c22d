"""Random numbers that are the same on every machine, in every release of NumPy."""

from __future__ import annotations

import hashlib
import json

import numpy as np
from numpy.typing import NDArray


class Draws:
    """A stream of random numbers that a key and names select.

    NumPy keeps the integers of a bit generator the same for ever, but not what `numpy.random.Generator` makes
    of them, nor the last bit of its sines and exponentials. So numbers are taken from the integers here, with
    arithmetic that IEEE 754 rounds in one way only.

    Parameters
    ----------
    key : bytes
        A secret, or any public bytes.
    *names : str or int
        What the numbers are for.

    Examples
    --------
    >>> Draws(b"public", "example").uniform(0, 1, 2).tolist()
    [0.29444557428359985, 0.21295887231826782]
    """

    def __init__(self, key: bytes, *names: str | int) -> None:
        digest = hashlib.blake2b(json.dumps(names).encode(), key=hashlib.sha256(key).digest(), digest_size=16)
        self._integers = np.random.Philox(key=int.from_bytes(digest.digest(), "big"))

    def uniform(self, low: float, high: float, *shape: int) -> NDArray[np.float32]:
        """Return numbers evenly spread from low to high, float32."""
        fractions = (self._raw(*shape) >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)
        return np.float32(low) + np.float32(high - low) * fractions

    def chance(self, probability: float, *shape: int) -> NDArray[np.float32]:
        """Return 1 with this probability and 0 otherwise, float32."""
        return (self.uniform(0, 1, *shape) < np.float32(probability)).astype(np.float32)

    def signs(self, *shape: int) -> NDArray[np.float32]:
        """Return -1 or 1, evenly, float32."""
        return 1 - 2 * self.chance(0.5, *shape)

    def noise(self, *shape: int) -> NDArray[np.float32]:
        """Return numbers from -1 to 1, most of them near 0 (the density is a triangle), float32."""
        pairs = self._raw(-(-int(np.prod(shape)) // 4)).astype("<u8").view(np.uint8).astype(np.float32)
        both = (pairs[::2] + pairs[1::2])[: int(np.prod(shape))].reshape(shape)
        return both * np.float32(1 / 255) - np.float32(1)

    def order(self, count: int) -> NDArray[np.int64]:
        """Return the numbers from 0 to count - 1 in random order, int64."""
        return np.argsort(self._raw(count), kind="stable")

    def _raw(self, *shape: int) -> NDArray[np.uint64]:
        """Return integers from 0 to 2**64 - 1."""
        return self._integers.random_raw(int(np.prod(shape))).reshape(shape)
