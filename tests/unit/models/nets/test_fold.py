"""Folded networks compute what the networks compute, with no norms."""

import pytest
import torch
from torch import nn

from models.layers import LayerOptions
from models.nets import adapt, build_network, folded

IMAGES = torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(0))
EVENTS = torch.randn(3, 4, 2, 8, 8, generator=torch.Generator().manual_seed(0))
NETS = {
    "conv-net": {"width": 4},
    "resnet18": {"width": 2},
    "resnet20": {"width": 2},
    "sew-resnet18": {"width": 2},
    "vggsnn": {"width": 2},
    "spikformer": {"width": 8, "heads": 2, "depth": 1},
    "shd-net": {"hidden": 8},
}


def trained(network, x):
    """Statistics, step sizes and weights that are those of no start."""
    optimiser = torch.optim.SGD(network.parameters(), lr=0.05)
    for _ in range(3):
        optimiser.zero_grad()
        network(x).square().mean().backward()
        optimiser.step()
        network.constrain()
    return network


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("frames", [0, 3], ids=["images", "events"])
def test_a_folded_network_computes_the_same_without_norms(name, frames):
    torch.manual_seed(0)
    x = EVENTS if frames else IMAGES
    network = build_network(
        name,
        NETS[name],
        sample_shape=(2, 8, 8),
        classes=5,
        options=LayerOptions(),
        search_first_layer=False,
        frames=frames,
    ).double()
    trained(network, x.double())
    result = folded(network, x.double())
    torch.testing.assert_close(result(x.double()), network.eval()(x.double()))
    assert not any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in result.modules())
    assert result.allocation() == network.allocation()
    assert list(result.layers) == list(network.layers)


def test_weights_quantized_per_channel_are_folded_too():
    torch.manual_seed(0)
    network = build_network(
        "resnet20",
        {"width": 2},
        sample_shape=(2, 8, 8),
        classes=5,
        options=LayerOptions(weight_per="channel"),
        search_first_layer=False,
    ).double()
    for layer in network.searched.values():
        with torch.no_grad():
            layer.quantizer.bits.real.copy_(torch.arange(len(layer.quantizer.bits.real)) % 8 + 1)
    trained(network, IMAGES.double())
    result = folded(network, IMAGES.double())
    torch.testing.assert_close(result(IMAGES.double()), network.eval()(IMAGES.double()))
    assert not any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in result.modules())
    assert result.allocation() == network.allocation()


def test_the_network_itself_is_left_alone():
    network = trained(
        build_network(
            "conv-net",
            {"width": 2},
            sample_shape=(2, 8, 8),
            classes=5,
            options=LayerOptions(),
            search_first_layer=False,
        ),
        IMAGES,
    )
    before = {name: value.clone() for name, value in network.state_dict().items()}
    result = folded(network, IMAGES[:1])
    assert network.training
    assert not result.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


class ReadTwice(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 5)

    def forward(self, x):
        x = self.conv(x)
        return self.head((self.norm(x) + x).mean((2, 3)))


@pytest.mark.parametrize("frames", [0, 3])
def test_a_norm_that_is_not_the_only_reader_stays(frames):
    torch.manual_seed(0)
    x = EVENTS if frames else IMAGES
    network = adapt(ReadTwice(), sample_shape=(2, 8, 8), options=LayerOptions(), frames=frames)
    trained(network, x)
    result = folded(network, x)
    assert any(isinstance(part, nn.BatchNorm2d) for part in result.modules())
    assert torch.equal(result(x), network.eval()(x))


def test_the_bias_of_an_adapted_layer_is_folded_too():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4, affine=False), nn.Flatten(), nn.Linear(144, 5)
    )
    network = trained(adapt(module, sample_shape=(2, 8, 8), options=LayerOptions()), IMAGES).double()
    result = folded(network, IMAGES.double())
    assert not any(isinstance(part, nn.BatchNorm2d) for part in result.modules())
    torch.testing.assert_close(result(IMAGES.double()), network.eval()(IMAGES.double()))
