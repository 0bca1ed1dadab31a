"""The bars of a trial are medians of finished rounds, of trials that cost no more."""

from __future__ import annotations

import json
from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from models.allocation import Allocation, LayerBits
from models.cost import Limit
from search.stopping import (
    LEAST_PEERS,
    Peer,
    bars_for,
    bars_of,
    why_stopped,
    with_bars,
    without_bars,
)
from search.strategy import FixedBits, LearnBits, proposal_from_json, proposal_to_json

BITS = Allocation(layers={"body": LayerBits.uniform(steps=1, spike_bits=2, weight_bits=2)})
FIXED = FixedBits(allocation=BITS, note={"budget": 4.0})
PLACE = {"min_epoch": 1, "epochs": 4}
peers = st.lists(
    st.builds(
        Peer,
        budget=st.sampled_from([2.0, 4.0, 8.0]),
        scores=st.lists(st.floats(0, 1), max_size=4).map(tuple),
    ),
    max_size=9,
)


def at(budget: float, *firsts: float, epochs: int = 4) -> list[Peer]:
    """Peers whose scores stay what they are after the first epoch."""
    return [Peer(budget=budget, scores=(first,) * epochs) for first in firsts]


def test_a_bar_is_the_median_of_the_same_budget() -> None:
    found = bars_for(4.0, [*at(4.0, 0.2, 0.6, 0.5), *at(2.0, 0.1, 0.1)], **PLACE)
    assert found == {1: 0.5, 2: 0.5, 3: 0.5}


def test_with_too_few_of_the_same_budget_cheaper_ones_count_and_dearer_ones_never() -> None:
    few = at(4.0, *[0.6] * (LEAST_PEERS - 1))
    assert bars_for(4.0, [*few, *at(8.0, 0.9, 0.9, 0.9)], **PLACE) == {}
    assert bars_for(4.0, [*few, *at(2.0, 0.3), *at(8.0, 0.9)], **PLACE)[1] == median([0.6, 0.6, 0.3])


def test_a_peer_counts_as_far_as_it_came() -> None:
    found = bars_for(4.0, [*at(4.0, 0.5, 0.6, 0.7), *at(4.0, 0.1, 0.2, epochs=1)], **PLACE)
    assert found == {1: 0.5, 2: 0.6, 3: 0.6}


@given(peers=peers, min_epoch=st.integers(1, 5), epochs=st.integers(1, 5))
def test_no_bar_stands_before_the_least_epoch_or_at_the_last(
    peers: list[Peer], min_epoch: int, epochs: int
) -> None:
    found = bars_for(4.0, peers, min_epoch=min_epoch, epochs=epochs)
    assert all(min_epoch <= epoch < epochs for epoch in found)
    assert found == bars_for(4.0, peers[::-1], min_epoch=min_epoch, epochs=epochs)


@given(peers=peers)
def test_bars_survive_storage_to_the_last_digit_and_can_be_taken_off(peers: list[Peer]) -> None:
    proposal = with_bars(FIXED, peers, **PLACE)
    stored = json.loads(json.dumps(proposal_to_json(proposal)))
    assert bars_of(proposal_from_json(stored).note) == bars_for(4.0, peers, **PLACE)
    assert proposal_from_json(without_bars(stored)) == FIXED


def test_what_learns_its_bits_has_no_bars() -> None:
    learning = LearnBits(budget=Limit(metric="bit_budget", maximum=4.0), note={"budget": 4.0})
    assert with_bars(learning, at(4.0, 0.5, 0.5, 0.5), **PLACE) is learning


def test_a_trial_goes_on_where_it_is_level_or_nothing_is_known() -> None:
    assert why_stopped({2: 0.5}, 2, 0.5) is None
    assert why_stopped({2: 0.5}, 1, 0.1) is None
    why = why_stopped({2: 0.5}, 2, 0.4)
    assert why is not None
    assert "after epoch 2" in why
