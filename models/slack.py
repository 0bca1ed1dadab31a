"""Use what single bits leave of a budget: exchange bits, then add steps.

Of an allocation with the costs c_i under limits m_i, the used share is

    u = max_i c_i / m_i

Where every single bit more breaks a limit or is at its bound and still u < NEAR, two things are tried.

Exchanges, where costs are coarse. Of those that keep every limit, the one nearest to the wish (by the sum of
its moves' distances) that uses NEAR or more is taken; where none does, the one that uses the most, if that is
GAIN more than before. One width goes up for one that goes down, and in networks of at most FEW layers, if
that is not enough, also two for one and one for two. No exchange changes a layer's steps, and none raises

    n = sum over layers of (mean over channels of 4^-Bw + mean over steps of 4^-Bs)

the quantization noise, of which a bit more leaves a quarter: a used budget is worth little to a network whose
two-bit weights have become binary for it.

Steps, where no exchange helps: the one nearest to the wish that keeps every limit and uses STEP_GAIN more. It
has the least spike bits; what is left then is spent on bits again. A step changes the timing of the network,
so it comes last; in a space of binary spikes, and for costs that count steps alone, nothing else is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

from models.allocation import Allocation
from models.bit_moves import Knobs, Move
from models.cost import LayerShape, Limit, limit_cost

NEAR = 0.99
"""The share of a limit from which on it counts as used."""
GAIN = 0.01
"""How much more of a limit an exchange short of NEAR has to use."""
FEW = 8
"""Layers for which exchanges of three moves are few enough to try: four thousand of each kind."""
STEP_GAIN = 0.001
"""How much more of a limit one more step has to use: its step size alone is not worth it in `weight_kib`."""
PAIR, TRIPLES = ((1, -1),), ((1, 1, -1), (1, -1, -1))
"""Kinds of exchanges: the changes of the widths that move."""

Exchange = tuple[float, Allocation]
"""An allocation, and how far beyond the wish its moves have landed together."""


def fuller(
    allocation: Allocation, knobs: Knobs, layers: Sequence[LayerShape], limits: Sequence[Limit]
) -> Allocation | None:
    """One that uses more, by exchanged bits or else by a step; None where enough is used or neither helps."""
    used = used_share(allocation, layers, limits)
    if used >= NEAR:
        return None
    exchanged = _exchanged(allocation, used, knobs, layers, limits)
    return _lengthened(allocation, used, knobs, layers, limits) if exchanged is None else exchanged


def _exchanged(
    allocation: Allocation, used: float, knobs: Knobs, layers: Sequence[LayerShape], limits: Sequence[Limit]
) -> Allocation | None:
    best, most, loud = None, used + GAIN, noise(allocation)
    for kinds in (PAIR, TRIPLES) if len(allocation.layers) <= FEW else (PAIR,):
        found = [one for kind in kinds for one in _exchanges(allocation, knobs, kind)]
        for _, other in sorted(found, key=lambda one: one[0]):
            share = used_share(other, layers, limits) if noise(other) <= loud else inf
            if NEAR <= share <= 1:
                return other
            if most <= share <= 1:
                best, most = other, share
    return best


def _lengthened(
    allocation: Allocation, used: float, knobs: Knobs, layers: Sequence[LayerShape], limits: Sequence[Limit]
) -> Allocation | None:
    for move in sorted(knobs.longer(allocation), key=lambda move: move.distance):
        other = move.on(allocation)
        if used + STEP_GAIN <= used_share(other, layers, limits) <= 1:
            return other
    return None


def noise(allocation: Allocation) -> float:
    """n: what quantization adds to the weights and spikes of all layers, relative to their ranges."""
    return sum(
        _noise(bits.spike_bits) + _noise(bits.channel_bits or (bits.weight_bits,)) for _, bits in allocation
    )


def _noise(widths: Sequence[int]) -> float:
    return sum(4.0**-width for width in widths) / len(widths)


def used_share(allocation: Allocation, layers: Sequence[LayerShape], limits: Sequence[Limit]) -> float:
    """u: above 1 exactly where a limit is broken; rounded division keeps the order of cost and limit."""
    return max(limit_cost(limit, layers, allocation) / limit.maximum for limit in limits)


def _exchanges(allocation: Allocation, knobs: Knobs, changes: Sequence[int]) -> Iterator[Exchange]:
    """Every exchange of a kind."""
    if not changes:
        yield 0.0, allocation
        return
    for move in _moves(allocation, knobs, changes[0]):
        for distance, other in _exchanges(move.on(allocation), knobs, changes[1:]):
            yield move.distance + distance, other


def _moves(allocation: Allocation, knobs: Knobs, change: int) -> Iterator[Move]:
    """Of each layer the move of its weights and the nearest one of its spikes: other steps cost the same."""
    for name, bits in allocation:
        if name in knobs.weighted:
            yield from knobs.weight(name, bits, change)
        yield from sorted(knobs.spikes(name, bits, change), key=lambda move: move.distance)[:1]
