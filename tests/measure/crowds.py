"""Crowds of features with a known truth, instead of pictures."""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
DIMENSIONS = 24


def crowd(
    count: int, seed: int, *, mean: float = 0.0, spread: float = 1.0, dimensions: int = DIMENSIONS
) -> Matrix:
    """`count` points of one normal distribution."""
    rng = np.random.default_rng(seed)
    return (mean + spread * rng.standard_normal((count, dimensions))).astype(np.float32)


def true_kid(mean: float, dimensions: int = DIMENSIONS) -> float:
    """KID between N(0, 1) and N(mean, 1) in every dimension, from the moments.

    E k(x, y) with s = x.y / D is 1 + 3 E s + 3 E s^2 + E s^3. For independent x ~ N(a, 1) and
    y ~ N(b, 1) in each of D dimensions, one dimension's x y has cumulants ab, 1 + a^2 + b^2 and
    6 ab, which add up over dimensions.
    """

    def expected(a: float, b: float) -> float:
        first = a * b
        second = (1 + a * a + b * b) / dimensions
        third = 6 * a * b / dimensions**2
        square = second + first**2
        cube = third + 3 * first * second + first**3
        return 1 + 3 * first + 3 * square + cube

    return expected(0, 0) + expected(mean, mean) - 2 * expected(0, mean)
