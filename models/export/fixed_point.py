"""Whole numbers in place of real ones, in units of 2^-F, and the neuron on them.

    fixed(x) = r(x * 2^F),   r(.) rounding half away from zero, of the exact product

A neuron with the potential u and the threshold V > 0, both whole numbers of units (design section 2):

    unsigned, B >= 2:  n = clip(floor((2u + V) / (2V)), 0, Q),               Q = 2^B - 1
    unsigned, B = 1:   n = 1 where 2u > V, else 0
    signed,   B >= 2:  n = clip(sign(u) * floor((2|u| + V) / (2V)), -Q, Q),  Q = 2^(B-1) - 1
    signed,   B = 1:   n = 1 where u > 0, else -1

A leak D in units of 2^-30 leaves floor((D x + 2^29) / 2^30) of a whole number x.
A mean of N values with the sum S is floor((2S + N) / (2N)).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.export.nodes import LEAK_BITS, NO_LEAK
from models.functional.levels import Levels, levels_at

Whole = NDArray[np.int64]
LEAK_SPLIT = 20


def rounded(value: Fraction) -> int:
    """r(value), exactly."""
    doubled = 2 * abs(value.numerator) + value.denominator
    return doubled // (2 * value.denominator) * (-1 if value < 0 else 1)


def fixed(value: float | Fraction, fraction_bits: int) -> int:
    """A real number in units of 2^-fraction_bits."""
    return rounded(Fraction(value) * 2**fraction_bits)


def spike_levels(u: Whole, threshold: int, bits: int, *, signed: bool) -> Whole:
    """n of the formulas above, for potentials of any shape."""
    levels: Levels = levels_at(bits, signed=signed)
    if levels.binary:
        return _binary(u, threshold, signed=signed)
    found = np.sign(u) * _floor(np.abs(u), threshold) if signed else _floor(u, threshold)
    clipped: Whole = np.clip(found, levels.low, levels.high)
    return clipped


def leaked(x: Any, leak: int) -> Any:
    """What a leak leaves of whole numbers below 2^51, NumPy's or torch's of 64 bits: x = h 2^20 + l, so that
    no product leaves 64 bits.
    """
    high, low = x >> LEAK_SPLIT, x & (2**LEAK_SPLIT - 1)
    return (high * leak + ((low * leak + NO_LEAK // 2) >> LEAK_SPLIT)) >> (LEAK_BITS - LEAK_SPLIT)


def mean_of(total: Whole, count: int | Whole) -> Whole:
    """The rounded mean of `count` values that add up to `total`."""
    return (2 * total + count) // (2 * count)


def _binary(u: Whole, threshold: int, *, signed: bool) -> Whole:
    above = u > 0 if signed else 2 * u > threshold
    return 2 * above.astype(np.int64) - 1 if signed else above.astype(np.int64)


def _floor(u: Whole, threshold: int) -> Whole:
    return (2 * u + threshold) // (2 * threshold)
