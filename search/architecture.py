"""The architectures of a job: what its `search_space` lets a trial choose beside bits.

    search_space    {setting: values}
    architecture    one value for each setting, so there are  product over settings of |values|  of them

They are in the order of the product over the names, which are sorted; the first one takes the first value of
every setting. Chosen settings are pairs in that order, so that equal choices are equal however they were
stored. A job without a search space has one architecture, for which nothing is chosen.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from itertools import product

from search.fields import Setting

Chosen = tuple[tuple[str, Setting], ...]
"""The settings of one architecture of a search space; empty for the one that a job names."""
SearchSpace = Mapping[str, Sequence[Setting]]

MOST_SETTINGS = 6
LEAST_VALUES, MOST_VALUES = 2, 16
MOST_ARCHITECTURES = 256
"""Each one is built and measured before a job is stored."""


def architectures_of(space: SearchSpace) -> tuple[Chosen, ...]:
    """Every architecture of a search space."""
    names = sorted(space)
    return tuple(
        tuple(zip(names, values, strict=True)) for values in product(*(space[name] for name in names))
    )


def space_of(architectures: Collection[Chosen]) -> dict[str, list[Setting]]:
    """The inverse of `architectures_of`."""
    found: dict[str, list[Setting]] = {}
    for name, value in (pair for chosen in architectures for pair in chosen):
        values = found.setdefault(name, [])
        if value not in values:
            values.append(value)
    return found


def chosen_of(settings: Mapping[str, Setting]) -> Chosen:
    """Settings as they are stored, in the one order."""
    return tuple(sorted(settings.items()))


def nearest(wanted: Chosen, among: Sequence[Chosen], space: SearchSpace) -> Chosen:
    """The one with the fewest other settings, then the nearest values by place, then the first."""

    def distance(other: Chosen) -> tuple[int, int]:
        places = (
            abs(space[name].index(value) - space[name].index(mine))
            for (name, value), (_, mine) in zip(other, wanted, strict=True)
        )
        apart = [place for place in places if place]
        return len(apart), sum(apart)

    return min(among, key=distance)


def words(chosen: Chosen) -> str:
    """Chosen settings as people read them: `kernel 3, width 8`."""
    return ", ".join(f"{name} {value}" for name, value in chosen)


def checked_space(space: Mapping[str, tuple[Setting, ...]]) -> dict[str, tuple[Setting, ...]]:
    """A search space by sorted names. Raises ValueError where values repeat or are too many."""
    for name, values in space.items():
        if len(set(values)) != len(values):
            raise ValueError(f"{name} has the same value twice; name each once")
    count = math.prod(map(len, space.values()))
    if count > MOST_ARCHITECTURES:
        raise ValueError(
            f"there are {count} architectures; leave out settings or values until "
            f"there are at most {MOST_ARCHITECTURES}"
        )
    return {name: space[name] for name in sorted(space)}
