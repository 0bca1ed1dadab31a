"""Attainment fronts against their definition, place by place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInputError
from search.attainment import Place, attainment_front
from search.pareto import is_on_front

seeds_of_places = st.lists(
    st.lists(
        st.tuples(st.integers(0, 6).map(float), st.integers(0, 6).map(lambda a: a / 6)),
        min_size=0,
        max_size=6,
    ),
    min_size=1,
    max_size=5,
)


def attained_by(place: Place, seeds: list[list[Place]]) -> int:
    cost, accuracy = place
    return sum(any(c <= cost and a >= accuracy for c, a in places) for places in seeds)


@given(seeds_of_places, st.sampled_from([0.2, 0.5, 1.0]))
def test_the_front_is_that_of_the_places_that_enough_seeds_attain(
    seeds: list[list[Place]], share: float
) -> None:
    grid = [(float(c), a / 6) for c in range(7) for a in range(7)]
    enough = [place for place in grid if attained_by(place, seeds) >= share * len(seeds) - 1e-9]
    chosen = is_on_front([c for c, _ in enough], [a for _, a in enough])
    expected = sorted(place for place, on in zip(enough, chosen, strict=True) if on)
    assert attainment_front(seeds, share) == expected


@given(seeds_of_places)
def test_more_seeds_never_attain_more(seeds: list[list[Place]]) -> None:
    for cost, accuracy in attainment_front(seeds, 1.0):
        assert any(c <= cost and a >= accuracy - 1e-12 for c, a in attainment_front(seeds, 0.5))


@pytest.mark.parametrize("share", [0.0, -0.5, 1.1])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(InvalidInputError, match="no share"):
        attainment_front([[(1.0, 0.5)]], share)
