"""What steers bits: when renewal ends, the rates of bits, and the states that are stored."""

import pytest
import torch

from models.budget import BudgetState
from models.cost import Limit
from models.layers import LayerOptions
from models.nets import build_network, layer_table
from models.targets import Targets, TargetsState
from search.recipe import TrainingSpec
from workers.steering import Steer, TowardTargets, UnderBudget, state_from_json, state_to_json

LIMIT = Limit(metric="bit_budget", maximum=4.0)
TOWARD = TowardTargets(
    limits=(LIMIT,),
    targets=Targets(weight=2.0, spike=2.0, steps=1.0),
    weights=Targets(weight=1.0, spike=1.0, steps=1.0),
    renewal_stop=0.5,
    renewal_min_epoch=2,
)


def steer(steering):
    network = build_network(
        "conv-net",
        {"width": 2},
        sample_shape=(1, 8, 8),
        classes=3,
        options=LayerOptions(),
        search_first_layer=False,
    )
    return Steer(steering, network, layer_table(network, (1, 8, 8)))


def with_bits(found, width):
    """Every weight and spike bit width at one value; they start at 4, and the targets are 2."""
    with torch.no_grad():
        for layer in found.network.searched.values():
            layer.quantizer.bits.real.fill_(width)
            layer.neuron.bits.real.fill_(width)
    return found


@pytest.mark.parametrize(("width", "epoch", "renews"), [(3, 2, False), (3, 1, True), (4, 2, True)])
def test_renewal_ends_near_the_targets_but_never_before_its_epoch(width, epoch, renews):
    found = steer(TOWARD)
    state = found.start()
    assert with_bits(found, width).renews(state, epoch) is renews


def test_under_a_budget_renewal_never_ends():
    found = steer(UnderBudget(limits=(LIMIT,)))
    state = found.start()
    assert with_bits(found, 2).renews(state, 99)


def test_towards_targets_the_rate_of_bits_falls_by_a_cosine():
    found = steer(TOWARD)
    bits = torch.optim.SGD(list(found.network.bit_parameters()), lr=1.0)
    rates = []
    for passed in (0.0, 0.5, 1.0):
        found.set_rate(bits, TrainingSpec(lr=0.2), passed)
        rates.append(bits.param_groups[0]["lr"])
    assert rates == pytest.approx([0.2, 0.1, 0.0])


@pytest.mark.parametrize(
    "state",
    [None, TargetsState(distances=(1.0, 2.0)), BudgetState(multipliers=(0.5,), initial_costs=(8.0,))],
)
def test_a_state_survives_storage(state):
    assert state_from_json(state_to_json(state)) == state
