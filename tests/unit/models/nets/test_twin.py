"""The float twin is the same network with ReLU and without quantizers."""

import pytest
import torch
from torch import nn

from models.allocation import Bounds
from models.layers import AdaptiveLayer, LayerOptions
from models.nets import build_network, float_twin

IMAGES = torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))


FRAMES = 3
EVENTS = torch.randn(FRAMES, 8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
NETS = {
    "conv-net": {"width": 4},
    "resnet18": {"width": 2},
    "resnet19": {"width": 2},
    "resnet20": {"width": 4},
    "sew-resnet18": {"width": 2},
    "vggsnn": {"width": 2},
    "spikformer": {"width": 8, "heads": 2, "depth": 1},
    "shd-net": {"hidden": 8},
}


def network_of(name, frames=0):
    """A network of so many bits, and so little memory, that nothing but ReLU is left of its neurons."""
    torch.manual_seed(0)
    steps = max(frames, 1)
    bounds = Bounds(weight=(14, 14), spike=(14, 14), steps=(steps, steps))
    return build_network(
        name,
        NETS[name],
        sample_shape=(3, 8, 8),
        classes=5,
        options=LayerOptions(bounds=bounds, leak=0.0),
        search_first_layer=True,
        frames=frames,
    )


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("frames", [0, FRAMES], ids=["images", "events"])
def test_at_many_bits_the_network_computes_what_its_twin_computes(name, frames):
    network, x = network_of(name, frames), EVENTS if frames else IMAGES
    torch.testing.assert_close(network(x), float_twin(network)(x), rtol=0.02, atol=0.02)


def test_it_shares_nothing_with_the_network():
    network = network_of("conv-net")
    twin = float_twin(network)
    assert not any(isinstance(module, AdaptiveLayer) for module in twin.modules())
    assert not {id(p) for p in twin.parameters()} & {id(p) for p in network.parameters()}
    assert sum(isinstance(module, nn.ReLU) for module in twin.modules()) == len(network.layers) - 1
