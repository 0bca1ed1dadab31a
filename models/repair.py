"""Fit an allocation under its limits: the one rounding, repair and spending that every method shares.

A method wishes for real-valued bits (models.wish): learned ones, or sampled ones scaled down. `fit` rounds
the wish to integers, lowers single knobs while a limit is broken (always the one whose lowered value stays
nearest to the wish), then raises spike and weight bits while every limit still holds (nearest to the wish
first; models.bit_moves). Where single bits leave much of every limit, bits are exchanged and, if that does
not help, steps added (models.slack), and the rest is spent again. Ties go to the earlier layer of the table,
so equal wishes give equal allocations. A layer without weights has steps and spike bits alone; its weight
bits are held.

Where output channels have weight bits of their own, each is rounded by itself, and the weight knob of a layer
moves a group of them (models.channel_moves). What slack is left is then spent on single channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from models.allocation import Allocation, Bounds, LayerBits
from models.bit_moves import Knobs
from models.channel_moves import GROUPS, SINGLE
from models.cost import LayerShape, Limit, in_scope, limit_cost, within
from models.errors import InfeasibleError
from models.slack import fuller
from models.wish import Wish, rounded, scaled

SCALE_ROUNDS = 24


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
    """Round, repair, spend, then use what is left. Raises InfeasibleError where nothing keeps the limits.

    Wishes for channels go with bounds that are per channel.
    """
    check_feasible(layers, bounds, limits)
    wish = {layer.name: wish[layer.name] for layer in in_scope(layers, "searched")}
    knobs = Knobs.of(wish, layers, bounds, GROUPS)
    found = _spend(_repair(rounded(wish, layers, bounds), knobs, layers, limits), knobs, layers, limits)
    while (better := fuller(found, knobs, layers, limits)) is not None:
        found = _spend(better, knobs, layers, limits)
    per_channel = any(isinstance(layer.weight_bits, tuple) for layer in wish.values())
    return _spend(found, replace(knobs, groups=SINGLE), layers, limits) if per_channel else found


def shrink(wish: Wish, layers: Sequence[LayerShape], bounds: Bounds, limits: Sequence[Limit]) -> Wish:
    """Scale a wish towards the least bits until its rounding keeps the limits (by bisection)."""
    if within(limits, layers, rounded(wish, layers, bounds)):
        return wish
    low, high = 0.0, 1.0
    for _ in range(SCALE_ROUNDS):
        middle = (low + high) / 2
        if within(limits, layers, rounded(scaled(wish, bounds, middle), layers, bounds)):
            low = middle
        else:
            high = middle
    return scaled(wish, bounds, low)


def _repair(
    allocation: Allocation, knobs: Knobs, layers: Sequence[LayerShape], limits: Sequence[Limit]
) -> Allocation:
    while not within(limits, layers, allocation):
        allocation = min(knobs.lowerings(allocation), key=lambda move: move.distance).on(allocation)
    return allocation


def _spend(
    allocation: Allocation, knobs: Knobs, layers: Sequence[LayerShape], limits: Sequence[Limit]
) -> Allocation:
    while True:
        for move in sorted(knobs.raisings(allocation), key=lambda move: move.distance):
            richer = move.on(allocation)
            if within(limits, layers, richer):
                allocation = richer
                break
        else:
            return allocation
