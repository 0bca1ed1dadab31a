"""Mean bits and the state of an ablation; the spread over seeds is held by the store's contract."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from models.allocation import Allocation, LayerBits
from models.cost import LayerShape, costs
from service.ablations.results import mean_bits_of
from service.ablations.views import state_of

LAYERS = (
    LayerShape(name="a", kind="conv", macs=10, weights=300, inputs=10, biases=1),
    LayerShape(name="b", kind="linear", macs=10, weights=100, inputs=30, biases=1),
)
ROWS = [asdict(layer) for layer in LAYERS]
ALLOCATION = Allocation(
    layers={
        "a": LayerBits(steps=2, spike_bits=(1, 3), weight_bits=4),
        "b": LayerBits.uniform(steps=1, spike_bits=4, weight_bits=2),
    }
)


def test_mean_bits_are_weighted_as_in_the_bit_budget():
    found = mean_bits_of(ROWS, ALLOCATION.to_json())
    assert found is not None
    assert (found.weight, found.spike, found.steps) == (3.5, 3.5, 1.25)
    budget = costs(LAYERS, ALLOCATION, "searched")["bit_budget"]
    assert found.weight * found.spike * found.steps == pytest.approx(budget)


def test_without_a_layer_table_there_are_no_mean_bits():
    assert mean_bits_of([], ALLOCATION.to_json()) is None
    assert mean_bits_of(ROWS, {}) is None


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (["queued", "queued"], "queued"),
        (["queued", "succeeded"], "running"),
        (["running", "failed"], "running"),
        (["cancelling", "queued"], "running"),
        (["succeeded", "failed", "cancelled"], "failed"),
        (["succeeded", "cancelled"], "cancelled"),
        (["succeeded", "succeeded"], "succeeded"),
    ],
)
def test_the_state_follows_from_the_jobs(states, state):
    assert state_of(states) == state
