"""A bit-serial unit in plain Python, cycle by cycle: it computes a layer's outputs and counts its cycles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product


def planes(value: int, bits: int, *, signed: bool) -> list[tuple[int, int]]:
    """(bit, weight of its place) from the lowest; two's complement, and one bit that says +1 or -1."""
    if signed and bits == 1:
        return [(1, value)]
    pattern = value & ((1 << bits) - 1)
    places = [1 << place for place in range(bits)]
    if signed:
        places[-1] = -places[-1]
    return [((pattern >> place) & 1, worth) for place, worth in enumerate(places)]


@dataclass(kw_only=True)
class Operand:
    """An integer in its bit planes."""

    value: int
    bits: int
    signed: bool

    def plane(self, place: int) -> tuple[int, int]:
        return planes(self.value, self.bits, signed=self.signed)[place]


@dataclass(kw_only=True)
class BitSerialUnit:
    """Lanes that reach the accumulator of every output, and a port that brings `port_bits` a cycle."""

    lanes: int
    port_bits: int
    cycles: int = 0
    busy: int = 0  # lane-cycles in which a lane had a product to form
    moved: int = field(default=0)
    transfer_cycles: int = 0

    def layer(
        self,
        weights: Sequence[Sequence[int]],
        weight_bits: int,
        steps: Sequence[tuple[Sequence[int], int]],
        *,
        signed_spikes: bool,
    ) -> list[list[int]]:
        """Outputs of each step: weights [O][K] times spikes [K], each step with a width of its own."""
        self._transfer(len(weights) * len(weights[0]) * weight_bits)
        outputs = [[0] * len(weights) for _ in steps]
        macs = list(product(range(len(weights)), range(len(weights[0]))))
        for first in range(0, len(macs), self.lanes):
            for step, (spikes, spike_bits) in enumerate(steps):
                tile = [
                    (
                        output,
                        Operand(value=spikes[k], bits=spike_bits, signed=signed_spikes),
                        Operand(value=weights[output][k], bits=weight_bits, signed=True),
                    )
                    for output, k in macs[first : first + self.lanes]
                ]
                self._tile(tile, spike_bits, weight_bits, outputs[step])
        for spikes, spike_bits in steps:
            self._transfer(len(spikes) * spike_bits)
        self._finish_transfer()
        return outputs

    def _tile(
        self,
        tile: Sequence[tuple[int, Operand, Operand]],
        spike_bits: int,
        weight_bits: int,
        accumulators: list[int],
    ) -> None:
        for spike_plane, weight_plane in product(range(spike_bits), range(weight_bits)):
            self.cycles += 1
            for output, spike, weight in tile:
                self.busy += 1
                (one, spike_worth), (two, weight_worth) = spike.plane(spike_plane), weight.plane(weight_plane)
                accumulators[output] += (one & two) * spike_worth * weight_worth

    def _transfer(self, bits: int) -> None:
        """One port, one stream: a transfer goes on in the cycle in which the last one ended."""
        self.moved += bits
        while self.moved >= self.port_bits:
            self.moved -= self.port_bits
            self.transfer_cycles += 1

    def _finish_transfer(self) -> None:
        if self.moved:
            self.moved = 0
            self.transfer_cycles += 1
