"""Fit an allocation under its limits: the one rounding, repair and spending that every method shares.

A method wishes for real-valued bits (learned ones, or sampled ones scaled down). `fit` rounds the wish
to integers, lowers single knobs while a limit is broken (always the one whose lowered value stays
nearest to the wish), then raises spike and weight bits while every limit still holds (nearest to the
wish first). Steps are never raised: one more step changes the network's timing, a bit only refines it.
Ties go to the earlier layer of the table, so equal wishes give equal allocations. A layer without weights
has steps and spike bits alone; its weight bits are held.

Where output channels have weight bits of their own, each is rounded by itself, and the weight knob of a layer
moves a group of them (models.channel_moves). What slack is left is then spent on single channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from models.allocation import Allocation, Bounds, LayerBits
from models.channel_moves import GROUPS, SINGLE, channel_move
from models.cost import LayerShape, Limit, in_scope, limit_cost, within
from models.errors import InfeasibleError

SCALE_ROUNDS = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerWish:
    """Real-valued bits that a method would like a layer to have; spike bits for every possible step.

    `weight_bits` is one width, or one for each output channel.
    """

    steps: float
    spike_bits: tuple[float, ...]
    weight_bits: float | tuple[float, ...]


Wish = Mapping[str, LayerWish]


def least_allocation(layers: Sequence[LayerShape], bounds: Bounds) -> Allocation:
    """The cheapest allocation of the space."""
    return _end(layers, bounds, bounds.least())


def greatest_allocation(layers: Sequence[LayerShape], bounds: Bounds) -> Allocation:
    """The dearest allocation of the space."""
    return _end(layers, bounds, bounds.greatest())


def uniform_allocation(layers: Sequence[LayerShape], bits: LayerBits) -> Allocation:
    """The same bits in every searched layer, held where a layer has no weights."""
    return Allocation(layers={layer.name: layer.held(bits) for layer in in_scope(layers, "searched")})


def _end(layers: Sequence[LayerShape], bounds: Bounds, bits: LayerBits) -> Allocation:
    """The same bits in every searched layer, in each of its output channels where the space is of those."""
    alike = uniform_allocation(layers, bits)
    if bounds.weight_per == "layer":
        return alike
    weighted = {layer.name: layer.biases for layer in layers if layer.weights}
    return Allocation(
        layers={
            name: one.with_channels((one.weight_bits,) * weighted[name]) if name in weighted else one
            for name, one in alike
        }
    )


def check_feasible(layers: Sequence[LayerShape], bounds: Bounds, limits: Sequence[Limit]) -> None:
    """Raise InfeasibleError, naming the bound, when even the cheapest allocation breaks a limit."""
    cheapest = least_allocation(layers, bounds)
    for limit in limits:
        least = limit_cost(limit, layers, cheapest)
        if least > limit.maximum:
            raise InfeasibleError(
                f"{limit.metric} <= {limit.maximum:g} cannot be reached: the least achievable is {least:g}.",
                fix=f"Raise the limit to at least {least:g} or lower the bounds of the bits.",
            )


def fit(wish: Wish, layers: Sequence[LayerShape], bounds: Bounds, limits: Sequence[Limit]) -> Allocation:
    """Round, repair and spend. Raises InfeasibleError when no allocation of the space keeps the limits.

    Wishes for channels go with bounds that are per channel.
    """
    check_feasible(layers, bounds, limits)
    wish = {layer.name: wish[layer.name] for layer in in_scope(layers, "searched")}
    rounded = _rounded(wish, layers, bounds)
    found = _spend(
        _repair(rounded, wish, layers, bounds, limits), wish, layers, bounds, limits, groups=GROUPS
    )
    per_channel = any(isinstance(layer.weight_bits, tuple) for layer in wish.values())
    return _spend(found, wish, layers, bounds, limits, groups=SINGLE) if per_channel else found


def shrink(wish: Wish, layers: Sequence[LayerShape], bounds: Bounds, limits: Sequence[Limit]) -> Wish:
    """Scale a wish towards the least bits until its rounding keeps the limits (by bisection)."""
    if within(limits, layers, _rounded(wish, layers, bounds)):
        return wish
    low, high = 0.0, 1.0
    for _ in range(SCALE_ROUNDS):
        middle = (low + high) / 2
        if within(limits, layers, _rounded(_scaled(wish, bounds, middle), layers, bounds)):
            low = middle
        else:
            high = middle
    return _scaled(wish, bounds, low)


def _scaled(wish: Wish, bounds: Bounds, factor: float) -> Wish:
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


def _rounded(wish: Wish, layers: Sequence[LayerShape], bounds: Bounds) -> Allocation:
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


def _repair(
    allocation: Allocation, wish: Wish, layers: Sequence[LayerShape], bounds: Bounds, limits: Sequence[Limit]
) -> Allocation:
    weighted = _weighted(layers)
    while not within(limits, layers, allocation):
        _, name, lowered = min(_lowerings(allocation, wish, bounds, weighted), key=lambda move: move[0])
        allocation = _with_layer(allocation, name, lowered)
    return allocation


def _spend(
    allocation: Allocation,
    wish: Wish,
    layers: Sequence[LayerShape],
    bounds: Bounds,
    limits: Sequence[Limit],
    *,
    groups: int,
) -> Allocation:
    weighted = _weighted(layers)
    while True:
        raisings = _raisings(allocation, wish, bounds, weighted, groups)
        for _, name, raised in sorted(raisings, key=lambda move: move[0]):
            richer = _with_layer(allocation, name, raised)
            if within(limits, layers, richer):
                allocation = richer
                break
        else:
            return allocation


def _weighted(layers: Sequence[LayerShape]) -> frozenset[str]:
    return frozenset(layer.name for layer in layers if layer.weights)


def _lowerings(
    allocation: Allocation, wish: Wish, bounds: Bounds, weighted: frozenset[str]
) -> Iterator[tuple[float, str, LayerBits]]:
    """Every single knob that can be lowered, with how far below the wish it would land."""
    for name, bits in allocation:
        if bits.steps > bounds.steps[0]:
            fewer = replace(bits, steps=bits.steps - 1, spike_bits=bits.spike_bits[:-1])
            yield wish[name].steps - fewer.steps, name, fewer
        moves = _bit_moves(bits, wish[name], bounds, -1, weighted=name in weighted, groups=GROUPS)
        yield from ((distance, name, layer) for distance, layer in moves)


def _raisings(
    allocation: Allocation, wish: Wish, bounds: Bounds, weighted: frozenset[str], groups: int
) -> Iterator[tuple[float, str, LayerBits]]:
    """Every bit width that can be raised, with how far above the wish it would land."""
    for name, bits in allocation:
        moves = _bit_moves(bits, wish[name], bounds, 1, weighted=name in weighted, groups=groups)
        yield from ((distance, name, layer) for distance, layer in moves)


def _bit_moves(
    bits: LayerBits, wish: LayerWish, bounds: Bounds, change: int, *, weighted: bool, groups: int
) -> Iterator[tuple[float, LayerBits]]:
    """(distance beyond the wish, new layer bits) for each bit width that may move by `change`."""
    if weighted:
        yield from _weight_move(bits, wish, bounds, change, groups)
    for step, old in enumerate(bits.spike_bits):
        new = old + change
        if bounds.spike[0] <= new <= bounds.spike[1]:
            spike_bits = (*bits.spike_bits[:step], new, *bits.spike_bits[step + 1 :])
            yield change * (new - wish.spike_bits[step]), replace(bits, spike_bits=spike_bits)


def _weight_move(
    bits: LayerBits, wish: LayerWish, bounds: Bounds, change: int, groups: int
) -> Iterator[tuple[float, LayerBits]]:
    if isinstance(wish.weight_bits, tuple):
        moved = channel_move(bits.channel_bits or (), wish.weight_bits, bounds.weight, change, groups)
        if moved is not None:
            yield moved.distance, bits.with_channels(moved.widths)
        return
    new = bits.weight_bits + change
    if bounds.weight[0] <= new <= bounds.weight[1]:
        yield change * (new - wish.weight_bits), replace(bits, weight_bits=new)


def _with_layer(allocation: Allocation, name: str, bits: LayerBits) -> Allocation:
    return Allocation(layers={**allocation.layers, name: bits})
