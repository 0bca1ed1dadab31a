"""The float twin is the same network with ReLU and without quantizers."""

import torch
from torch import nn

from models.allocation import Allocation, Bounds, LayerBits
from models.layers import AdaptiveLayer, LayerOptions
from models.nets import build_network, float_twin

IMAGES = torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
BITS = LayerBits.uniform(steps=1, spike_bits=14, weight_bits=14)
BOUNDS = Bounds(weight=(14, 14), spike=(14, 14), steps=(1, 1))


def network_of(name):
    torch.manual_seed(0)
    return build_network(
        name,
        {"width": 4},
        sample_shape=(3, 8, 8),
        classes=5,
        options=LayerOptions(bounds=BOUNDS),
        search_first_layer=True,
    )


def test_at_many_bits_the_network_computes_what_its_twin_computes():
    for name in ("conv-net", "resnet20"):
        network = network_of(name)
        network.freeze(Allocation(layers=dict.fromkeys(network.searched, BITS)))
        torch.testing.assert_close(network(IMAGES), float_twin(network)(IMAGES), rtol=0.02, atol=0.02)


def test_it_shares_nothing_with_the_network():
    network = network_of("conv-net")
    twin = float_twin(network)
    assert not any(isinstance(module, AdaptiveLayer) for module in twin.modules())
    assert not {id(p) for p in twin.parameters()} & {id(p) for p in network.parameters()}
    assert sum(isinstance(module, nn.ReLU) for module in twin.modules()) == len(network.layers) - 1
