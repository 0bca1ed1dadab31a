"""Any module of convolutions and linear layers becomes a network; what cannot is refused by name."""

import copy

import pytest
import torch
from torch import nn

from models.allocation import FIRST_LAYER_BITS, Bounds, LayerBits
from models.errors import InvalidInputError
from models.layers import AdaptiveLayer, LayerOptions
from models.nets import adapt, float_twin, layer_table

SHAPE = (2, 6, 4)
IMAGES = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(0))
EVENTS = torch.randn(3, 4, *SHAPE, generator=torch.Generator().manual_seed(0))


class Residual(nn.Module):
    """A user's network: layers registered in another order than they run, and a sum of branches."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 5)
        self.body = nn.Conv2d(4, 4, 3, padding="same", groups=2)
        self.stem = nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x):
        x = self.norm(self.stem(x)).relu()
        return self.head((x + self.body(x)).mean((2, 3)))


class Words(nn.Module):
    """A map read as a sequence, for a convolution of one dimension."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 3, 3, stride=2)
        self.head = nn.Linear(3 * 11, 5)

    def forward(self, x):
        return self.head(self.conv(x.flatten(2)).flatten(1))


def adapted(module, **settings):
    given = {"sample_shape": SHAPE, "options": LayerOptions()}
    return adapt(module, **(given | settings))


def trained(network, x):
    """A few steps of training; the layers are then set and every parameter has had its gradient."""
    rate = torch.optim.SGD(network.parameters(), lr=0.01)
    for _ in range(3):
        rate.zero_grad()
        network(x).square().mean().backward()
        rate.step()
        network.constrain()
    return network


def test_the_layers_are_those_of_the_module_and_keep_their_weights():
    module = Residual()
    network = adapted(module)
    assert set(network.layers) == {"head", "body", "stem"}
    for name, layer in network.layers.items():
        operator = layer.operator
        assert torch.equal(operator.weight, module.get_submodule(name).weight)
        assert operator.weight is not module.get_submodule(name).weight
    assert not any(isinstance(part, AdaptiveLayer) for part in module.modules())
    assert module.training
    assert module.norm.num_batches_tracked == 0


def test_the_first_layer_is_the_first_that_runs():
    network = adapted(Residual())
    assert {name: layer.fixed for name, layer in network.layers.items()} == {
        "head": None,
        "body": None,
        "stem": FIRST_LAYER_BITS,
    }
    assert [name for name, layer in network.layers.items() if layer.neuron.signed] == ["stem"]
    assert set(adapted(Residual(), search_first_layer=True).searched) == {"head", "body", "stem"}


def test_the_layer_table_against_counts_by_hand():
    stem, body, head = layer_table(adapted(Residual()), SHAPE)
    assert (stem.macs, stem.weights, stem.inputs) == (6 * 4 * 4 * 2 * 9, 4 * 2 * 9, 2 * 6 * 4)
    assert (body.macs, body.weights, body.inputs) == (6 * 4 * 4 * 2 * 9, 4 * 2 * 9, 4 * 6 * 4)
    assert (head.macs, head.weights, head.inputs) == (4 * 5, 4 * 5, 4)
    conv, last = layer_table(adapted(Words()), SHAPE)
    assert (conv.kind, conv.macs, conv.inputs) == ("conv", 3 * 11 * 2 * 3, 2 * 24)
    assert last.macs == 33 * 5


@pytest.mark.parametrize("make", [Residual, Words])
@pytest.mark.parametrize("frames", [0, 3])
def test_it_trains_on_images_and_on_events(make, frames):
    x = EVENTS if frames else IMAGES
    network = trained(adapted(make(), frames=frames, search_first_layer=True), x)
    assert network(x).shape == (4, 5)
    assert network.frame_logits(x).shape == (frames or 1, 4, 5)
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert all(parameter.isfinite().all() for parameter in network.parameters())
    assert layer_table(network, SHAPE, frames)[0].inputs == 48


def test_layers_of_an_event_network_have_steps_of_their_own():
    network = trained(adapted(Residual(), frames=3), EVENTS)
    steps = dict.fromkeys(network.searched, LayerBits.uniform(steps=1, spike_bits=3, weight_bits=3))
    steps["body.layer"] = LayerBits.uniform(steps=4, spike_bits=3, weight_bits=3)
    for name, layer in network.searched.items():
        layer.freeze(steps[name])
    assert network.frame_logits(EVENTS).shape == (3, 4, 5)
    with pytest.raises(InvalidInputError, match="2 frames"):
        network(EVENTS[:2])


@pytest.mark.parametrize("frames", [0, 3])
def test_with_many_bits_it_computes_what_the_module_computes(frames):
    module = nn.Sequential(nn.Flatten(), nn.Linear(48, 8), nn.ReLU(), nn.Linear(8, 5))
    many = Bounds(weight=(14, 14), spike=(14, 14), steps=(frames or 1, frames or 1))
    network = adapted(
        copy.deepcopy(module), options=LayerOptions(bounds=many), frames=frames, search_first_layer=True
    )
    x = EVENTS if frames else IMAGES
    expected = torch.stack([module(frame) for frame in x]).mean(0) if frames else module(x)
    torch.testing.assert_close(float_twin(network)(x), expected)
    torch.testing.assert_close(network(x), expected, atol=0.02, rtol=0.02)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.head = nn.Linear(2, 5)

    def forward(self, x):
        return self.head(self.conv(self.conv(x)).mean((2, 3)))


def tied():
    first, second = nn.Linear(48, 48), nn.Linear(48, 48)
    second.weight = first.weight
    return nn.Sequential(nn.Flatten(), first, second)


def unused():
    module = nn.Sequential(nn.Flatten(), nn.Linear(48, 5))
    module[1].register_module("spare", nn.Linear(2, 2))
    return module


def shared():
    layer = nn.Linear(48, 48)
    return nn.Sequential(nn.Flatten(), layer, layer)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Twice(), r"conv runs 2 times in one pass\. Give each use"),
        (tied(), r"2 shares its weight with 1\."),
        (shared(), r"2 shares its weight with 1\."),
        (unused(), r"1\.spare is never run\."),
        (nn.Sequential(nn.ConvTranspose2d(2, 2, 3)), "0 is a ConvTranspose2d.*upsampling"),
        (nn.Sequential(nn.MultiheadAttention(4, 2)), "0 is a MultiheadAttention"),
        (nn.Sequential(nn.LSTM(4, 4)), "0 is a LSTM"),
        (nn.Sequential(nn.LazyLinear(4)), "0 is a LazyLinear"),
        (nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular"), "the module pads with 'circular'"),
        (nn.Conv2d(2, 2, 3), "no logits"),
        (nn.Flatten(), "no layer to adapt"),
    ],
)
def test_what_cannot_be_adapted_is_named_with_what_to_do(module, message):
    with pytest.raises(InvalidInputError, match=message):
        adapted(module)


def test_an_adapted_network_is_not_adapted_again():
    with pytest.raises(InvalidInputError, match="before it was adapted"):
        adapted(adapted(Residual()))
