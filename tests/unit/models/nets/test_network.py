"""What a trainer asks of a network: allocations, loads, parameters and states."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.allocation import Allocation, Bounds, LayerBits
from models.cost import STATIC_METRICS, costs, static_cost
from models.errors import InvalidInputError
from models.layers import LayerOptions
from models.nets import build_network, layer_table

SHAPE = (3, 8, 8)
BOUNDS = Bounds(weight=(1, 6), spike=(1, 5), steps=(1, 3))
IMAGES = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(0))


def network_of(name="conv-net", **changes):
    torch.manual_seed(0)
    given_ = {
        "sample_shape": SHAPE,
        "classes": 7,
        "options": LayerOptions(bounds=BOUNDS),
        "search_first_layer": False,
    }
    return build_network(name, {"width": 4}, **(given_ | changes))


NETWORK = network_of()
TABLE = layer_table(NETWORK, SHAPE)


@st.composite
def layer_bits(draw):
    steps = draw(st.integers(1, 3))
    spike_bits = tuple(draw(st.lists(st.integers(1, 5), min_size=steps, max_size=steps)))
    return LayerBits(steps=steps, spike_bits=spike_bits, weight_bits=draw(st.integers(1, 6)))


allocations = st.fixed_dictionaries(dict.fromkeys(NETWORK.searched, layer_bits())).map(
    lambda layers: Allocation(layers=layers)
)


@given(allocation=allocations)
@settings(max_examples=20)  # each builds a network
def test_a_frozen_allocation_is_the_allocation(allocation):
    network = network_of()
    network.freeze(allocation)
    assert network.allocation() == allocation
    assert not any(parameter.requires_grad for parameter in network.bit_parameters())


@given(allocation=allocations, scope=st.sampled_from(["searched", "all"]))
@settings(max_examples=20)  # each builds a network
def test_the_costs_of_the_loads_are_those_of_the_allocation(allocation, scope):
    network = network_of()
    network.freeze(allocation)
    expected = costs(TABLE, allocation, scope)
    for metric in STATIC_METRICS:
        found = static_cost(metric, network.loads(TABLE, scope))
        assert float(found) == pytest.approx(expected[metric], rel=1e-5)


def test_an_allocation_of_other_layers_is_refused():
    bits = LayerBits.uniform(steps=1, spike_bits=1, weight_bits=1)
    missing = Allocation(layers=dict.fromkeys(list(NETWORK.searched)[1:], bits))
    foreign = Allocation(layers=dict.fromkeys([*NETWORK.searched, "other"], bits))
    for allocation in (missing, foreign):
        with pytest.raises(InvalidInputError, match="disagree"):
            network_of().freeze(allocation)


@pytest.mark.parametrize("name", ["conv-net", "resnet20"])
@pytest.mark.parametrize("search_first_layer", [True, False])
def test_every_parameter_is_of_one_kind_and_gets_a_gradient(name, search_first_layer):
    network = network_of(name, search_first_layer=search_first_layer)
    network(IMAGES).square().sum().backward()
    kinds = [
        list(network.weight_parameters()),
        list(network.step_size_parameters()),
        list(network.bit_parameters()),
    ]
    fixed = [p for layer in network.layers.values() if layer.fixed for p in layer.bit_parameters()]
    ids = [id(parameter) for kind in (*kinds, fixed) for parameter in kind]
    assert sorted(ids) == sorted(map(id, network.parameters()))
    assert all(parameter.grad is not None for kind in kinds for parameter in kind)


@pytest.mark.parametrize("name", ["conv-net", "resnet20"])
def test_the_first_layer_is_fixed_unless_it_is_searched(name):
    first = next(iter(network_of(name).layers))
    assert first not in network_of(name).searched
    assert first in network_of(name, search_first_layer=True).searched


def test_a_searched_first_layer_takes_as_many_steps_as_any_other():
    network = network_of(search_first_layer=True)
    network.freeze(Allocation(layers=dict.fromkeys(network.searched, BOUNDS.greatest())))
    network(IMAGES).sum().backward()
    assert network.allocation()["convs.0"].steps == 3


@pytest.mark.parametrize("name", ["conv-net", "resnet20"])
def test_a_state_restores_outputs_bits_and_step_sizes(name):
    network = network_of(name)
    network(IMAGES)
    with torch.no_grad():
        for parameter in network.bit_parameters():
            parameter.mul_(0.7)
    network.renew("closed_form")
    copy = network_of(name)
    copy.load_state_dict({key: value.clone() for key, value in network.state_dict().items()})
    assert copy.allocation() == network.allocation()
    assert copy.wish() == network.wish()
    assert torch.equal(copy.eval()(IMAGES), network.eval()(IMAGES))


def test_renewal_keeps_the_clipping_range_of_every_layer():
    network = network_of()
    network(IMAGES)
    before = [layer.quantizer.step_size.item() * 7 for layer in network.searched.values()]
    with torch.no_grad():
        for layer in network.searched.values():
            layer.quantizer.bits.real.fill_(3.0)
    assert network.renew("closed_form") == dict.fromkeys(network.searched, 1)
    after = [layer.quantizer.step_size.item() * 3 for layer in network.searched.values()]
    assert after == pytest.approx(before)


def test_weights_come_from_torchs_random_state():
    assert torch.equal(network_of().eval()(IMAGES), network_of().eval()(IMAGES))


@pytest.mark.parametrize("name", ["conv-net", "resnet20"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (2, 9, 12)])
def test_images_of_many_shapes_become_logits(name, shape):
    network = network_of(name, sample_shape=shape)
    assert network(torch.randn(2, *shape)).shape == (2, 7)
