"""ONNX models of small networks, run by onnxruntime beside the networks that they were written from."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from models.errors import ExportUnsupportedError
from models.export import InputSpec
from models.export.formats import contents_as, real_network, unexpressed_of
from models.layers import LayerOptions
from models.nets import adapt

CASES = [
    ("conv-net", {"width": 4}, {}),
    ("conv-net", {"width": 4}, {"signed_spikes": True}),
    ("resnet20", {"width": 2}, {"weight_per": "channel"}),
    ("resnet34", {"width": 2, "stem": "imagenet"}, {}),  # max pools
    ("vggsnn", {"width": 2}, {"frames": 3}),  # mean pools that round up
    ("sew-resnet18", {"width": 2}, {"frames": 3}),  # spikes on shortcuts
    ("spikformer", {"width": 8, "heads": 2, "depth": 1}, {}),
    ("spikformer", {"width": 8, "heads": 2, "depth": 1}, {"frames": 3}),
    ("conv-net", {"width": 4}, {"leak": 0.7, "threshold_shift": True}),
    ("sew-resnet18", {"width": 2}, {"learn_leak": True, "leak": 0.5, "threshold_shift": True, "frames": 3}),
]


def given(frames: int = 0, shape: tuple[int, int, int] = (2, 9, 7)) -> InputSpec:
    """Samples that are floats with a scaling of their own."""
    mean, scale = np.full(shape[0], 0.25, np.float32), np.full(shape[0], 0.5, np.float32)
    return InputSpec(shape=shape, frames=frames, stored="float32", limit=0, mean_C=mean, scale_C=scale)


def run(content: bytes, samples: torch.Tensor) -> np.ndarray:
    """The logits that onnxruntime gives."""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"samples": samples.numpy()})
    return logits


@pytest.mark.parametrize(("name", "settings", "options"), CASES)
def test_onnxruntime_gives_the_logits_of_the_network(make, samples, events, *, name, settings, options):
    network = make(name, settings, **options)
    frames = options.get("frames", 0)
    x = events if frames else samples
    contents = contents_as("onnx", real_network(network, given(frames)))
    logits = run(contents["network.onnx"], (x.transpose(0, 1) if frames else x) * 0.5 + 0.25)
    with torch.inference_mode():
        wanted = network((x * 0.5 + 0.25 - 0.25) / 0.5)
    np.testing.assert_allclose(logits, wanted.numpy(), atol=1e-5)
    assert np.array_equal(logits.argmax(1), wanted.argmax(1).numpy())


def test_every_width_stands_in_the_model_and_in_the_manifest(make):
    network = make("conv-net", {"width": 4})
    contents = contents_as("onnx", real_network(network, given()))
    model = onnx.load_from_string(contents["network.onnx"])
    notes = {node.name: {e.key: e.value for e in node.metadata_props} for node in model.graph.node}
    layers = json.loads(contents["manifest.json"])["layers"]
    assert set(layers) == set(network.layers)
    for name, layer in network.layers.items():
        bits = layer.bits()
        assert (layers[name]["steps"], tuple(layers[name]["spike_bits"])) == (bits.steps, bits.spike_bits)
        for step, width in enumerate(bits.spike_bits):
            assert notes[f"{name}/step{step}/quantize"]["bitfront.spike_bits"] == str(width)
        assert json.loads(notes[f"{name}/0"]["bitfront.annotation"]) == layers[name]
    stored = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    assert stored["convs.1/levels"] == onnx.TensorProto.INT4  # one bit
    assert stored["convs.0/levels"] == onnx.TensorProto.INT8  # the first layer, eight


def test_what_onnx_cannot_say_is_named(make):
    contents = contents_as("onnx", real_network(make("conv-net", {"width": 4}), given()))
    said = {(one["layer"], one["what"]) for one in unexpressed_of(contents)}
    assert ("", "rounding half away from zero") in said
    assert ("convs.1", "weights of 1 bit") in said
    assert ("convs.2", "spikes of 2, 3 bits") in said
    assert not any(layer == "convs.0" for layer, _ in said)  # eight bits are ONNX's own


def test_what_readers_of_onnx_take_in_two_ways_is_refused():
    body = nn.Sequential(
        nn.Conv2d(2, 3, 3),
        nn.AvgPool2d(2, padding=1, ceil_mode=True, count_include_pad=False),
        nn.Flatten(),
        nn.Linear(36, 5),
    )
    network = adapt(body, sample_shape=(2, 9, 7), options=LayerOptions()).eval()
    with pytest.raises(ExportUnsupportedError, match="1 is a padded pool that rounds up"):
        contents_as("onnx", real_network(network, given()))
