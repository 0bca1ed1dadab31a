"""Single moves of an allocation: a knob up or down by one, and how far beyond its wish it would land.

With a wish x and a value b, a move to b + c (c = -1 or +1) lands at the distance

    d = c * (b + c - x)

beyond the wish: below 0 where it lands short of it. Moves come in the order of the layer table, so that of
equal distances the earlier layer is found first. Where output channels have weight bits of their own, the
weight knob of a layer moves a group of them (models.channel_moves).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from models.allocation import Allocation, Bounds, LayerBits
from models.channel_moves import channel_move
from models.cost import LayerShape
from models.wish import Wish


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """New bits for a layer, at a distance beyond its wish."""

    distance: float
    layer: str
    bits: LayerBits

    def on(self, allocation: Allocation) -> Allocation:
        """The allocation after the move."""
        return Allocation(layers={**allocation.layers, self.layer: self.bits})


@dataclass(frozen=True, kw_only=True, slots=True)
class Knobs:
    """What may be moved: the knobs of a wish within bounds, channels of a layer in so many groups."""

    wish: Wish
    bounds: Bounds
    weighted: frozenset[str]
    groups: int

    @classmethod
    def of(cls, wish: Wish, layers: Sequence[LayerShape], bounds: Bounds, groups: int) -> Knobs:
        """Those of a layer table; a layer without weights has no weight knob."""
        weighted = frozenset(layer.name for layer in layers if layer.weights)
        return cls(wish=wish, bounds=bounds, weighted=weighted, groups=groups)

    def lowerings(self, allocation: Allocation) -> Iterator[Move]:
        """Every single knob that can be lowered, steps among them."""
        for name, bits in allocation:
            if bits.steps > self.bounds.steps[0]:
                fewer = replace(bits, steps=bits.steps - 1, spike_bits=bits.spike_bits[:-1])
                yield Move(distance=self.wish[name].steps - fewer.steps, layer=name, bits=fewer)
            yield from self.widths(name, bits, -1)

    def raisings(self, allocation: Allocation) -> Iterator[Move]:
        """Every bit width that can be raised."""
        for name, bits in allocation:
            yield from self.widths(name, bits, 1)

    def longer(self, allocation: Allocation) -> Iterator[Move]:
        """One more step, of the least spike bits, for each layer that may have it."""
        for name, bits in allocation:
            if bits.steps < self.bounds.steps[1]:
                spike_bits = (*bits.spike_bits, self.bounds.spike[0])
                longer = replace(bits, steps=bits.steps + 1, spike_bits=spike_bits)
                yield Move(distance=longer.steps - self.wish[name].steps, layer=name, bits=longer)

    def widths(self, name: str, bits: LayerBits, change: int) -> Iterator[Move]:
        """The moves of one layer's bit widths: its weights, then its spikes step by step."""
        if name in self.weighted:
            yield from self.weight(name, bits, change)
        yield from self.spikes(name, bits, change)

    def weight(self, name: str, bits: LayerBits, change: int) -> Iterator[Move]:
        """The move of a layer's weight bits, if there is one."""
        wished = self.wish[name].weight_bits
        if isinstance(wished, tuple):
            moved = channel_move(bits.channel_bits or (), wished, self.bounds.weight, change, self.groups)
            if moved is not None:
                yield Move(distance=moved.distance, layer=name, bits=bits.with_channels(moved.widths))
            return
        new = bits.weight_bits + change
        if self.bounds.weight[0] <= new <= self.bounds.weight[1]:
            yield Move(distance=change * (new - wished), layer=name, bits=replace(bits, weight_bits=new))

    def spikes(self, name: str, bits: LayerBits, change: int) -> Iterator[Move]:
        """The moves of a layer's spike bits, one for each step where there is one."""
        wished = self.wish[name]
        for step, old in enumerate(bits.spike_bits):
            new = old + change
            if self.bounds.spike[0] <= new <= self.bounds.spike[1]:
                spike_bits = (*bits.spike_bits[:step], new, *bits.spike_bits[step + 1 :])
                distance = change * (new - wished.spike_bits[step])
                yield Move(distance=distance, layer=name, bits=replace(bits, spike_bits=spike_bits))
