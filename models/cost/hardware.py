"""A bit-serial neural integration unit: the cycles and the energy that a layer takes on it.

An array of rows x columns lanes works through the multiply-accumulates (MACs) of a layer. In a cycle each
lane multiplies one bit of a spike with one bit of a weight, shifts the product and adds it to its
accumulator, so that a MAC of Bs x Bw bits takes Bs * Bw cycles, whatever the widths are. Operands stream in
meanwhile: weights once, spikes at each step. With S = sum_t Bs_t of a layer:

    lanes         L = rows * columns
    compute       C = ceil(MACs / L) * S * Bw                                cycles
    traffic       W = weights * Bw,   A = inputs * S                          bits
    memory        M = (W + A) / (8 * bytes_per_cycle)                         cycles
    cycles        sum over layers of max(C, M)
    utilisation   MACs * S * Bw / (L * max(C, M))                             of a layer, 0 to 1
    energy_uj     sum over layers of
                  (e_op * MACs * S * Bw + e_add * 2 * inputs * T + e_sram * 2 * A + e_dram * W) / 10^6

e_op is the energy of one lane in one cycle, e_add that of one addition of a neuron (input in, spike out, at
each step), e_sram and e_dram those of moving a bit: each spike is written to and read from the memory on the
chip, each weight is read from the memory outside it. Layers follow each other.

M is not rounded up: a transfer goes on where the last one ended. Where channels have weight bits of their
own, Bw is their mean, as if channels of equal width shared a tile. The formulas take numbers and tensors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Self

import torch

from models.cost.layers import LayerLoad, Number
from models.errors import InvalidInputError

PICO_PER_MICRO = 1e6
NEURON_ADDS = 2
SRAM_ACCESSES = 2


def _check(name: str, value: float, *, zero: bool = False) -> None:
    """Raise InvalidInputError unless a number is finite and above 0, or 0 where that is allowed."""
    if not (0 < value < math.inf or (zero and value == 0)):
        raise InvalidInputError(f"{name} of the hardware is {value}.", fix="Use a finite number above 0.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Energies:
    """Picojoules per operation; the defaults are for 45 nm at 0.9 V (docs/hardware.md gives their source)."""

    bit_operation: float = 0.0047
    add: float = 0.1
    sram_bit: float = 0.31
    dram_bit: float = 20.3

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name), zero=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hardware:
    """The array, its clock and its memory port. `bytes_per_cycle` is what the port brings in a cycle."""

    rows: int = 16
    columns: int = 16
    clock_mhz: float = 200.0
    bytes_per_cycle: float = 16.0
    energies: Energies = Energies()

    def __post_init__(self) -> None:
        for name in ("rows", "columns", "clock_mhz", "bytes_per_cycle"):
            _check(name, getattr(self, name))

    @property
    def lanes(self) -> int:
        """How many bits of products the array forms in a cycle."""
        return self.rows * self.columns

    def seconds(self, cycles: float) -> float:
        """How long cycles last."""
        return cycles / (self.clock_mhz * 1e6)


STANDARD_HARDWARE = Hardware()


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerCycles:
    """The cycles of one layer: those of computing, those of moving operands, and the greater of the two."""

    compute: Number
    memory: Number
    total: Number

    @classmethod
    def of(cls, load: LayerLoad, hardware: Hardware) -> Self:
        """C, M and max(C, M) of the formulas above."""
        compute = math.ceil(load.shape.macs / hardware.lanes) * load.bit_operations
        memory = (_weight_bits(load) + _spike_bits(load)) / (8 * hardware.bytes_per_cycle)
        return cls(compute=compute, memory=memory, total=_greater(compute, memory))


def utilisation(load: LayerLoad, hardware: Hardware) -> float:
    """The share of the lanes' cycles that computes a product; for loads of numbers."""
    total = LayerCycles.of(load, hardware).total
    return float(load.shape.macs * load.bit_operations / (hardware.lanes * total)) if total else 0.0


def layer_energy_uj(load: LayerLoad, hardware: Hardware) -> Number:
    """Microjoules of one layer."""
    energies = hardware.energies
    return (
        energies.bit_operation * load.shape.macs * load.bit_operations
        + energies.add * NEURON_ADDS * load.shape.inputs * load.steps
        + energies.sram_bit * SRAM_ACCESSES * _spike_bits(load)
        + energies.dram_bit * _weight_bits(load)
    ) / PICO_PER_MICRO


def _weight_bits(load: LayerLoad) -> Number:
    return load.shape.weights * load.weight_bits


def _spike_bits(load: LayerLoad) -> Number:
    return load.shape.inputs * load.spike_bits


def _greater(first: Number, second: Number) -> Number:
    if isinstance(first, torch.Tensor) or isinstance(second, torch.Tensor):
        return torch.maximum(torch.as_tensor(first), torch.as_tensor(second))
    return max(first, second)
