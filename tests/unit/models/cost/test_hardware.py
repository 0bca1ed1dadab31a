"""The cycle model against a unit simulated cycle by cycle, and what must hold of cycles and energy."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.allocation import Allocation, LayerBits
from models.cost import (
    STANDARD_BASIS,
    CostBasis,
    Energies,
    Hardware,
    LayerLoad,
    LayerShape,
    Limit,
    limit_cost,
)
from models.cost.hardware import LayerCycles, layer_energy_uj, utilisation
from models.cost.metrics import layer_costs
from models.errors import InvalidInputError
from tests.unit.models.cost.bit_serial import BitSerialUnit


@st.composite
def small_layers(draw):
    """Integer weights [O, K] of a width, and the spikes [K] of each step in widths of their own."""
    outputs, inputs = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    weight_bits, signed_spikes = draw(st.integers(1, 5)), draw(st.booleans())
    weights = draw(matrices(outputs, inputs, values(weight_bits, signed=True)))
    widths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    spikes = [draw(matrices(1, inputs, values(bits, signed=signed_spikes)))[0] for bits in widths]
    return weights, weight_bits, list(zip(spikes, widths, strict=True)), signed_spikes


def values(bits, *, signed):
    """What a quantizer of that width gives: -Q to Q, 0 to Q, or +1 and -1."""
    if not signed:
        return st.integers(0, 2**bits - 1)
    greatest = 2 ** (bits - 1) - 1
    return st.sampled_from([-1, 1]) if bits == 1 else st.integers(-greatest, greatest)


def matrices(rows, columns, entries):
    row = st.lists(entries, min_size=columns, max_size=columns)
    return st.lists(row, min_size=rows, max_size=rows)


@given(layer=small_layers(), rows=st.integers(1, 4), columns=st.integers(1, 3), port=st.integers(1, 5))
@settings(max_examples=80, deadline=None)
def test_the_formulas_count_what_a_simulated_unit_counts_while_it_computes_the_outputs(
    layer, rows, columns, port
):
    weights, weight_bits, steps, signed_spikes = layer
    unit = BitSerialUnit(lanes=rows * columns, port_bits=8 * port)
    outputs = unit.layer(weights, weight_bits, steps, signed_spikes=signed_spikes)
    assert outputs == [(np.array(weights) @ np.array(spikes)).tolist() for spikes, _ in steps]

    macs, inputs = len(weights) * len(weights[0]), len(weights[0])
    shape = LayerShape(name="a", kind="linear", macs=macs, weights=macs, inputs=inputs, biases=len(weights))
    widths = tuple(bits for _, bits in steps)
    bits = LayerBits(steps=len(widths), spike_bits=widths, weight_bits=weight_bits)
    hardware = Hardware(rows=rows, columns=columns, bytes_per_cycle=port)
    (costs,) = layer_costs([shape], Allocation(layers={"a": bits}), CostBasis(hardware=hardware))
    assert costs.compute_cycles == pytest.approx(unit.cycles)
    assert math.ceil(costs.memory_cycles - 1e-9) == unit.transfer_cycles
    assert costs.cycles == max(costs.compute_cycles, costs.memory_cycles)
    assert costs.utilisation == pytest.approx(unit.busy / (unit.lanes * costs.cycles))
    assert 0 < costs.utilisation <= 1


SHAPE = LayerShape(name="a", kind="conv", macs=2000, weights=300, inputs=400, biases=8)
NARROW = Hardware(bytes_per_cycle=1)


def load(steps, spike, weight, shape=SHAPE):
    return LayerLoad(shape=shape, steps=steps, mean_spike_bits=spike, weight_bits=weight)


def test_a_layer_waits_for_the_slower_of_computing_and_moving():
    fast = LayerCycles.of(load(2, 3.0, 4), Hardware())
    assert (fast.compute, fast.memory, fast.total) == (8 * 6 * 4, (300 * 4 + 400 * 6) / 128, 192)
    slow = LayerCycles.of(load(2, 3.0, 4), NARROW)
    assert (slow.compute, slow.memory, slow.total) == (192, 450, 450)
    assert utilisation(load(2, 3.0, 4), NARROW) == 2000 * 24 / (256 * 450)


def test_spikes_without_products_are_only_moved():
    shape = LayerShape(name="s", kind="spikes", macs=0, weights=0, inputs=64, biases=0)
    found = LayerCycles.of(load(2, 3.0, 1, shape), Hardware())
    assert (found.compute, found.total) == (0, 64 * 6 / 128)
    assert utilisation(load(2, 3.0, 1, shape), Hardware()) == 0.0


def test_energy_is_the_sum_of_what_each_operation_takes():
    for one, operations in (
        ("bit_operation", 2000 * 6 * 4),
        ("add", 2 * 400 * 2),
        ("sram_bit", 2 * 400 * 6),
        ("dram_bit", 300 * 4),
    ):
        energies = Energies(**{**dict.fromkeys(Energies.__slots__, 0.0), one: 1.5})
        found = layer_energy_uj(load(2, 3.0, 4), Hardware(energies=energies))
        assert found == pytest.approx(1.5 * operations / 1e6), one


def test_cycles_last_as_long_as_the_clock_says():
    assert Hardware(clock_mhz=200).seconds(1e6) == pytest.approx(0.005)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Hardware(rows=0),
        lambda: Hardware(bytes_per_cycle=0.0),
        lambda: Hardware(clock_mhz=math.nan),
        lambda: Hardware(bytes_per_cycle=math.inf),
        lambda: Energies(add=-0.1),
        lambda: Energies(sram_bit=math.nan),
    ],
)
def test_hardware_that_cannot_be_is_refused(make):
    with pytest.raises(InvalidInputError, match="of the hardware is"):
        make()


@pytest.mark.parametrize("metric", ["cycles", "energy_uj"])
def test_another_unit_gives_another_cost(metric):
    basis = CostBasis(hardware=replace(NARROW, energies=Energies(dram_bit=40.0)))
    allocation = Allocation(layers={"a": LayerBits.uniform(steps=2, spike_bits=3, weight_bits=4)})
    own, standard = (
        limit_cost(Limit(metric=metric, maximum=1, scope="all", basis=one), [SHAPE], allocation)
        for one in (basis, STANDARD_BASIS)
    )
    assert own > standard


reals = st.floats(1.05, 5.95)


@given(bits=st.tuples(reals, reals, reals), port=st.sampled_from([1.0, 16.0]))
@settings(max_examples=60, deadline=None)
def test_gradients_are_those_of_finite_differences(bits, port):
    hardware = Hardware(bytes_per_cycle=port)
    cycles = LayerCycles.of(load(*bits), hardware)
    assume(abs(cycles.compute - cycles.memory) > 1e-3 * cycles.total)  # equal ones are a kink
    for formula in (
        lambda *bits: LayerCycles.of(load(*bits), hardware).total,
        lambda *bits: layer_energy_uj(load(*bits), hardware),
    ):
        leaves = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in bits]
        cost = formula(*leaves)
        cost.backward()
        assert cost.item() == pytest.approx(formula(*bits))
        for place, leaf in enumerate(leaves):
            less, more = (
                formula(*bits[:place], bits[place] + shift, *bits[place + 1 :]) for shift in (-1e-6, 1e-6)
            )
            assert leaf.grad.item() == pytest.approx((more - less) / 2e-6, rel=1e-4, abs=1e-9)
