"""NIR graphs of small networks: read back by `nir` into the same integers, and run by another library."""

from __future__ import annotations

import io
import json

import nir
import nirtorch
import numpy as np
import pytest
import torch
from torch import nn

from models.errors import ExportDamagedError, ExportUnsupportedError
from models.export import InputSpec, contents_of, make_export
from models.export.formats import contents_as, real_network, unexpressed_of
from models.export.formats.nir_reader import read_nir
from models.export.lower_layers import Lowered
from models.export.make import export_of_graph
from models.layers import LayerOptions
from models.nets import adapt

CASES = [
    ("conv-net", {"width": 4}, {}),
    ("resnet20", {"width": 2}, {"weight_per": "channel"}),
    ("sew-resnet18", {"width": 2}, {"frames": 3}),
    ("shd-net", {"hidden": 8}, {"signed_spikes": True}),
]


def given(frames: int = 0) -> InputSpec:
    """Samples that are floats and not scaled."""
    zeros, ones = np.zeros(2, np.float32), np.ones(2, np.float32)
    return InputSpec(shape=(2, 9, 7), frames=frames, stored="float32", limit=0, mean_C=zeros, scale_C=ones)


@pytest.mark.parametrize(("name", "settings", "options"), CASES)
def test_a_file_is_read_back_into_the_same_integers(make, *, name, settings, options):
    network, samples = make(name, settings, **options), given(options.get("frames", 0))
    contents = contents_as("nir", real_network(network, samples))
    back = read_nir(io.BytesIO(contents["network.nir"]))
    graph = Lowered(nodes=list(back.nodes), reals=dict(back.reals))
    assert contents_of(export_of_graph(graph, back.input)) == contents_of(make_export(network, samples))


def test_bits_and_step_sizes_are_metadata_of_the_nodes(make):
    network = make("conv-net", {"width": 4})
    graph = nir.read(io.BytesIO(contents_as("nir", real_network(network, given()))["network.nir"]))
    for name, layer in network.layers.items():
        spikes, weights, bits = graph.nodes[f"{name}.neuron"], graph.nodes[name], layer.bits()
        assert spikes.metadata["steps"] == bits.steps
        assert spikes.metadata["spike_bits"].tolist() == list(bits.spike_bits)
        assert weights.metadata["weight_bits"].tolist() == [bits.weight_bits]
        found = torch.from_numpy(spikes.metadata["step_sizes"])
        assert torch.equal(found, layer.neuron.step_sizes[: bits.steps].double())
    assert isinstance(graph.nodes["convs.0.neuron"], nir.Scale)  # the image is signed
    assert isinstance(graph.nodes["convs.1.neuron"], nir.IF)


class Fires(nn.Module):
    """A neuron as the metadata has it; spikes in units of one, as NIR has them."""

    def __init__(self, node: nir.NIRNode) -> None:
        super().__init__()
        self.notes = node.metadata
        self.unit = 1.0 if self.notes["signed"] else float(self.notes["step_sizes"].mean())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The mean over the steps."""
        u, total = x, torch.zeros_like(x)
        for bits, V in zip(self.notes["spike_bits"], self.notes["step_sizes"], strict=True):
            low, high = (
                (1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1) if self.notes["signed"] else (0, 2**bits - 1)
            )
            spike = V * torch.clip(torch.floor((u / V).abs() + 0.5) * u.sign(), low, high)
            total, u = total + spike, u - spike + x
        return total / len(self.notes["step_sizes"]) / self.unit


def affine(node: nir.Affine) -> nn.Module:
    """nirtorch's own forgets the bias."""
    module = nn.Linear(*reversed(node.weight.shape))
    module.weight.data, module.bias.data = torch.from_numpy(node.weight), torch.from_numpy(node.bias)
    return module


@pytest.mark.parametrize("name", ["conv-net", "resnet20"])
def test_another_library_runs_the_graph_with_neurons_of_its_metadata(make, samples, name):
    network = make(name, {"width": 4})
    graph = nir.read(io.BytesIO(contents_as("nir", real_network(network, given()))["network.nir"]))
    own = {nir.IF: Fires, nir.Scale: Fires, nir.Affine: affine, nir.Flatten: lambda _: nn.Flatten()}
    module = nirtorch.nir_to_torch(graph, own)
    with torch.inference_mode():
        found, wanted = module(samples), network(samples)
    found = found[0] if isinstance(found, tuple) else found
    torch.testing.assert_close(found.float(), wanted, atol=1e-4, rtol=0)


def test_what_nir_cannot_say_is_named(make):
    contents = contents_as("nir", real_network(make("conv-net", {"width": 4}), given()))
    said = {(one["layer"], one["what"]) for one in unexpressed_of(contents)}
    assert {("", "rounding"), ("", "reset by subtraction"), ("", "scaling of the input")} <= said
    assert {("convs.0", "a signed quantizer"), ("convs.1", "weights of 1 bits")} <= said
    assert ("convs.2", "spikes of 2, 3 bits") in said
    assert ("convs.2", "a threshold for each step") in said


@pytest.mark.parametrize(
    ("part", "word"),
    [(nn.MaxPool2d(2), "max pool"), (nn.ReLU(), "ReLU"), (nn.AvgPool2d(2, ceil_mode=True), "beyond the map")],
)
def test_what_nir_cannot_hold_is_refused_by_name(part, word):
    body = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), part, nn.Flatten(), nn.LazyLinear(5))
    body(torch.zeros(1, 2, 9, 7))
    network = adapt(body, sample_shape=(2, 9, 7), options=LayerOptions()).eval()
    with pytest.raises(ExportUnsupportedError, match=f"1 .*{word}"):
        contents_as("nir", real_network(network, given()))


@pytest.mark.parametrize(
    ("name", "settings", "options", "word"),
    [
        ("conv-net", {"width": 2}, {"leak": 0.5}, "leak"),
        ("conv-net", {"width": 2}, {"threshold_shift": True}, "threshold shifts"),
        ("spikformer", {"width": 8, "heads": 2, "depth": 1, "patch_stages": 0}, {}, "attention"),
    ],
)
def test_a_network_that_nir_cannot_hold_is_refused_by_name(make, *, name, settings, options, word):
    with pytest.raises(ExportUnsupportedError, match=word):
        contents_as("nir", real_network(make(name, settings, **options), given()))


def test_a_file_that_is_none_of_bitfront_is_refused(make):
    content = contents_as("nir", real_network(make("conv-net", {"width": 4}), given()))["network.nir"]
    graph = nir.read(io.BytesIO(content))
    graph.metadata = json.loads("{}")
    other = io.BytesIO()
    nir.write(other, graph)
    for file in (other, io.BytesIO(content[: len(content) // 2]), io.BytesIO(b"no")):
        with pytest.raises(ExportDamagedError):
            read_nir(file)
