"""What a method would like a layer to have, in real-valued bits, and the integers nearest to that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.allocation import Allocation, Bounds, LayerBits
from models.cost import LayerShape


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerWish:
    """Real-valued bits that a method would like a layer to have; spike bits for every possible step.

    `weight_bits` is one width, or one for each output channel.
    """

    steps: float
    spike_bits: tuple[float, ...]
    weight_bits: float | tuple[float, ...]


Wish = Mapping[str, LayerWish]


def scaled(wish: Wish, bounds: Bounds, factor: float) -> Wish:
    """The wish at a share of the way from the least bits: 1 leaves it as it is."""

    def toward(value: float, least: int) -> float:
        return least + (value - least) * factor

    return {
        name: LayerWish(
            steps=toward(layer.steps, bounds.steps[0]),
            spike_bits=tuple(toward(bits, bounds.spike[0]) for bits in layer.spike_bits),
            weight_bits=tuple(toward(bits, bounds.weight[0]) for bits in layer.weight_bits)
            if isinstance(layer.weight_bits, tuple)
            else toward(layer.weight_bits, bounds.weight[0]),
        )
        for name, layer in wish.items()
    }


def rounded(wish: Wish, layers: Sequence[LayerShape], bounds: Bounds) -> Allocation:
    """The integers nearest to the wish within the bounds, whatever they cost."""
    shapes = {layer.name: layer for layer in layers}
    return Allocation(
        layers={name: shapes[name].held(_rounded_layer(layer, bounds)) for name, layer in wish.items()}
    )


def _rounded_layer(layer: LayerWish, bounds: Bounds) -> LayerBits:
    steps = _nearest(layer.steps, bounds.steps)
    spike_bits = tuple(_nearest(bits, bounds.spike) for bits in layer.spike_bits[:steps])
    if isinstance(layer.weight_bits, tuple):
        channels = [_nearest(bits, bounds.weight) for bits in layer.weight_bits]
        return LayerBits(steps=steps, spike_bits=spike_bits, weight_bits=1).with_channels(channels)
    return LayerBits(
        steps=steps, spike_bits=spike_bits, weight_bits=_nearest(layer.weight_bits, bounds.weight)
    )


def _nearest(value: float, limits: tuple[int, int]) -> int:
    """Round half away from zero (bits are positive), then clip."""
    return min(max(int(value + 0.5), limits[0]), limits[1])
