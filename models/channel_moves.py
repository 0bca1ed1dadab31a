"""Move the weight bits of a layer's output channels, a group at a time.

With wishes x_c and widths b_c, the channels that can move by one stand in the order of

    d_c = x_c - (b_c - 1) when lowered,   (b_c + 1) - x_c when raised

which is how far beyond its wish each would land; ties go to the earlier channel. The first ceil(C / groups)
of C channels move together, and the mean of their d_c is the distance of the move. A channel that has moved
is further from its wish by one, so others follow before it moves again.

Groups bound the work: a network of many channels would take thousands of single moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GROUPS = 8
"""Moves in which all channels of a layer change by one bit."""
SINGLE = 1 << 30
"""So many groups that each is a single channel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelMove:
    """The widths of all channels after a move, and how far beyond their wishes the moved ones land."""

    distance: float
    widths: tuple[int, ...]


def channel_move(
    widths_O: Sequence[int], wished_O: Sequence[float], bounds: tuple[int, int], change: int, groups: int
) -> ChannelMove | None:
    """The move of one group by `change`, -1 or +1, inside inclusive bounds; None where none can move."""
    low, high = bounds
    movable = sorted(
        (change * (width + change - wished), place)
        for place, (width, wished) in enumerate(zip(widths_O, wished_O, strict=True))
        if low <= width + change <= high
    )
    group = movable[: -(-len(widths_O) // groups)]
    if not group:
        return None
    moved = list(widths_O)
    for _, place in group:
        moved[place] += change
    return ChannelMove(distance=sum(distance for distance, _ in group) / len(group), widths=tuple(moved))
