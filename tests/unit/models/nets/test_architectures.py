"""Every architecture on every kind of input: shapes, training, gradients, freezing and renewal."""

import pytest
import torch

from models.allocation import Allocation, Bounds, LayerBits
from models.cost import STATIC_METRICS, costs, static_cost
from models.errors import InvalidInputError
from models.layers import LayerOptions
from models.nets import architectures, build_network, float_twin, layer_table

SMALL = {
    "conv-net": {"width": 4},
    "resnet18": {"width": 2},
    "resnet19": {"width": 2},
    "resnet20": {"width": 2},
    "resnet34": {"width": 2},
    "sew-resnet18": {"width": 2},
    "sew-resnet34": {"width": 2},
    "vggsnn": {"width": 2},
    "spikformer": {"width": 8, "heads": 2, "depth": 1, "patch_stages": 1},
    "shd-net": {"hidden": 8},
}
WITH_STEM = [name for name in SMALL if "resnet" in name]
SHAPE = (2, 6, 5)
FRAMES = 3
IMAGES = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(0))
EVENTS = torch.rand(FRAMES, 4, *SHAPE, generator=torch.Generator().manual_seed(0)).round()
BOUNDS = Bounds(weight=(1, 6), spike=(1, 5), steps=(1, 4))

every_net = pytest.mark.parametrize("name", SMALL)
every_kind = pytest.mark.parametrize("name", [name for name in SMALL if "34" not in name])  # 34 as 18
every_input = pytest.mark.parametrize("frames", [0, FRAMES], ids=["images", "events"])


def network_of(name, frames, **changes):
    torch.manual_seed(0)
    given = {
        "sample_shape": SHAPE,
        "classes": 5,
        "options": LayerOptions(bounds=BOUNDS),
        "search_first_layer": True,
        "frames": frames,
    }
    settings = SMALL[name] | changes.pop("settings", {})
    return build_network(name, settings, **(given | changes))


def sample_of(frames):
    return EVENTS if frames else IMAGES


def staggered(network):
    """An allocation in which neighbouring layers differ in all their bits."""
    layers = {}
    for number, (name, layer) in enumerate(network.searched.items()):
        steps = 1 + number % 4
        widths = tuple(1 + (number + step) % 5 for step in range(steps))
        weight_bits = layer.bits().weight_bits if not hasattr(layer, "quantizer") else 1 + number % 6
        layers[name] = LayerBits(steps=steps, spike_bits=widths, weight_bits=weight_bits)
    return Allocation(layers=layers)


def test_every_architecture_is_tested_here():
    assert set(SMALL) == set(architectures())


@every_net
@every_input
def test_a_few_steps_of_training_reach_every_parameter(name, frames):
    network, x = network_of(name, frames), sample_of(frames)
    table = layer_table(network, SHAPE, frames)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01)
    for _ in range(2):
        optimiser.zero_grad()
        logits_BK = network(x)
        loss = logits_BK.square().mean() + 1e-3 * static_cost("bit_budget", network.loads(table, "searched"))
        loss.backward()
        optimiser.step()
        network.constrain()
        network.renew("closed_form")
    assert logits_BK.shape == (4, 5)
    assert not [key for key, value in network.named_parameters() if value.grad is None]
    assert not [key for key, value in network.state_dict().items() if not value.isfinite().all()]


@every_kind
@every_input
def test_layers_of_different_steps_meet(name, frames):
    network, x = network_of(name, frames), sample_of(frames)
    network(x)
    chosen = staggered(network)
    network.freeze(chosen)
    assert network.allocation() == chosen
    assert {key: layer.steps for key, layer in network.wish().items()} == {
        key: float(bits.steps) for key, bits in chosen
    }
    last = network.frame_logits(x)
    steps_of_last = list(chosen.layers.values())[-1].steps
    assert last.shape == (steps_of_last if frames else 1, 4, 5)
    torch.testing.assert_close(network.eval()(x), network.frame_logits(x).mean(0))


@every_kind
@every_input
def test_the_costs_of_the_loads_are_those_of_the_allocation(name, frames):
    network = network_of(name, frames, search_first_layer=False)
    table = layer_table(network, SHAPE, frames)
    allocation = staggered(network)
    network.freeze(allocation)
    for scope in ("searched", "all"):
        expected = costs(table, allocation, scope)
        for metric in STATIC_METRICS:
            found = static_cost(metric, network.loads(table, scope))
            assert float(found) == pytest.approx(expected[metric], rel=1e-5)


@every_kind
def test_the_table_of_events_is_that_of_one_frame(name):
    images, events = (layer_table(network_of(name, frames), SHAPE, frames) for frames in (0, FRAMES))
    assert images == events


@every_kind
@every_input
def test_the_twin_has_the_same_weights_and_no_bits(name, frames):
    network = network_of(name, frames)
    twin = float_twin(network)
    state = network.state_dict()
    assert not twin.layers
    assert all(torch.equal(value, state[key]) for key, value in twin.state_dict().items())
    assert {id(p) for p in twin.parameters()}.isdisjoint({id(p) for p in network.parameters()})
    assert twin(sample_of(frames)).shape == (4, 5)


@pytest.mark.parametrize("name", WITH_STEM)
@every_input
def test_the_imagenet_stem_shrinks_the_map_four_times(name, frames):
    network = network_of(name, frames, settings={"stem": "imagenet"}, sample_shape=(2, 16, 12))
    rows = {row.name: row for row in layer_table(network, (2, 16, 12), frames)}
    width = rows["conv"].biases
    assert rows["conv"].macs == (8 * 6 * width) * (2 * 7 * 7)
    assert rows["blocks.0.conv1"].inputs == width * 4 * 3


def test_frames_are_told_apart():
    network = network_of("shd-net", FRAMES, search_first_layer=False)
    network.freeze(
        Allocation(
            layers=dict.fromkeys(network.searched, LayerBits.uniform(steps=3, spike_bits=5, weight_bits=6))
        )
    )
    network(EVENTS)
    network.eval()
    assert not torch.equal(network(EVENTS), network(EVENTS.flip(0)))
    assert not torch.equal(network.frame_logits(EVENTS)[0], network.frame_logits(EVENTS)[1])


def test_heads_that_do_not_share_the_width_are_refused():
    with pytest.raises(InvalidInputError, match="3 heads cannot share a width of 8") as caught:
        network_of("spikformer", 0, settings={"heads": 3})
    assert caught.value.pointer == "/architecture/heads"


def test_a_sew_block_without_branch_passes_its_spikes_on_unchanged():
    network = network_of("sew-resnet18", 0).eval()
    block = network.body.blocks[0]
    with torch.no_grad():
        block.norm2.weight.zero_()
        block.norm2.bias.zero_()
    spikes = torch.rand(4, 2, 6, 5).round()
    assert torch.equal(block(spikes), spikes)


def test_a_sew_block_adds_after_the_neuron():
    network = network_of("sew-resnet18", 0)
    network(IMAGES)  # the step sizes are set
    block = network.eval().body.blocks[0]
    sums = torch.rand(4, 2, 6, 5)
    branch = block(sums) - sums
    through = block.norm2(block.conv2(block.norm1(block.conv1(sums))))
    torch.testing.assert_close(branch, block.spikes(through), atol=1e-5, rtol=0)
    steps, step_sizes = 2, block.spikes.neuron.step_sizes
    levels = branch * steps / step_sizes[0]  # both steps have the same size before anything is learned
    torch.testing.assert_close(levels, levels.round(), atol=1e-3, rtol=0)
