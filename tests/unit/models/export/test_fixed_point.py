"""Whole numbers against exact rational arithmetic, and the two forms of the neuron against each other."""

import math
from fractions import Fraction

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.export.arithmetic import whole_levels
from models.export.fixed_point import fixed, mean_of, rounded, spike_levels
from models.functional.levels import levels_at

FINITE = st.floats(-(2.0**20), 2.0**20)
POTENTIALS = st.integers(-(2**49), 2**49)
THRESHOLDS = st.integers(1, 2**49)
KINDS = ((False, False), (False, True), (True, False), (True, True))


def half_away(value):
    return math.floor(value + Fraction(1, 2)) if value >= 0 else -math.floor(-value + Fraction(1, 2))


@given(FINITE, st.integers(0, 48))
def test_fixed_is_within_half_a_unit_and_breaks_ties_away_from_zero(value, bits):
    exact = Fraction(value) * 2**bits
    found = fixed(value, bits)
    assert abs(found - exact) <= Fraction(1, 2)
    assert found == half_away(exact)


@given(st.integers(-99, 99))
def test_halves_go_away_from_zero(number):
    assert rounded(Fraction(2 * number + 1, 2)) == (number + 1 if number >= 0 else number)


@given(st.integers(-(2**60), 2**60), st.integers(1, 4096))
def test_a_mean_is_within_half_a_unit(total, count):
    assert abs(mean_of(np.int64(total), count) - Fraction(total, count)) <= Fraction(1, 2)


def rational(u, V, bits, signed):
    v, levels = Fraction(u, V), levels_at(bits, signed=signed)
    if levels.binary:
        return (1 if v > 0 else -1) if signed else int(v > Fraction(1, 2))
    return min(max(half_away(v), levels.low), levels.high)


@given(POTENTIALS, THRESHOLDS, st.integers(1, 8), st.booleans())
def test_levels_are_those_of_the_formulas(u, V, bits, signed):
    expected = rational(u, V, bits, signed)
    assert spike_levels(np.array([u]), V, bits, signed=signed)[0] == expected
    potential = torch.tensor([float(u)], dtype=torch.float64)
    assert whole_levels(potential, float(V), levels_at(bits, signed=signed)).item() == expected


@given(THRESHOLDS, st.integers(0, 255), st.integers(-2, 2), st.integers(1, 8), st.sampled_from(KINDS))
def test_levels_beside_a_border(V, level, beside, bits, kind):
    signed, negative = kind
    u = (2 * level + 1) * V // 2 + beside
    if not abs(u) < 2**50:
        return
    u = -u if negative else u
    expected = rational(u, V, bits, signed)
    assert spike_levels(np.array([u]), V, bits, signed=signed)[0] == expected
    potential = torch.tensor([float(u)], dtype=torch.float64)
    assert whole_levels(potential, float(V), levels_at(bits, signed=signed)).item() == expected
