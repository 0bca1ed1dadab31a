"""The integer network against the network that it was made from, of every architecture."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import nn

from models.errors import ExportUnsupportedError, InvalidInputError
from models.export import IntegerNetwork, compiled_passes, contents_of, export_of, passes, write_export
from models.export.bounds import border_deviation
from models.export.compare import (
    Comparer,
    Comparison,
    LayerTally,
    channels_first,
    exact_twin,
    integer_spikes,
    steps_of,
)
from models.export.fixed_point import leaked, spike_levels
from models.functional.levels import levels_at
from models.layers import LayerOptions
from models.nets import adapt

NETS = {
    "conv-net": {"width": 4},
    "resnet18": {"width": 2},
    "resnet19": {"width": 2},
    "resnet20": {"width": 2},
    "resnet34": {"width": 2, "stem": "imagenet"},
    "sew-resnet18": {"width": 2},
    "vggsnn": {"width": 2},
    "shd-net": {"hidden": 8},
    "spikformer": {"width": 8, "heads": 2, "depth": 1},
}
KINDS = {
    "images": {},
    "events": {"frames": 3},
    "channels": {"weight_per": "channel"},
    "signed": {"signed_spikes": True},
    "leaky": {"leak": 0.8125, "threshold_shift": True},
    "leaky events": {"leak": 0.3, "threshold_shift": True, "frames": 3},
    "learnt leak": {"learn_leak": True, "leak": 0.9},
}


CASES = [(name, kind) for name in NETS for kind in ("images", "events")]
CASES += [(name, kind) for name in ("conv-net", "resnet20") for kind in ("channels", "signed")]
CASES += [
    (name, kind)
    for name in ("resnet20", "sew-resnet18", "spikformer")
    for kind in ("leaky", "leaky events", "learnt leak")
]
CASES += [("shd-net", "leaky events"), ("spikformer", "signed")]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_every_level_and_prediction_is_that_of_the_network(
    make, export_of_network, samples, events, *, reader, tmp_path, name, kind
):
    network = make(name, NETS[name], **KINDS[kind])
    framed = "frames" in KINDS[kind]
    x = events if framed else samples
    contents = contents_of(export_of_network(network))
    integers = IntegerNetwork(export_of(contents))
    comparer = Comparer(integers, network)
    comparer.add(x, torch.zeros(8, dtype=torch.int64))
    result = comparer.result
    assert result.equal
    assert set(result.layers) == set(network.layers)
    assert {layer: tally.differ_float64 for layer, tally in result.layers.items()} == dict.fromkeys(
        result.layers, 0
    )
    assert sum(tally.differ_float32 for tally in result.layers.values()) <= 2
    # The reader sees the files alone.
    write_export(contents, tmp_path)
    seen = {}
    batch = x.transpose(0, 1) if framed else x
    logits, spikes = integer_spikes(integers, x)
    assert torch.equal(integers.logits(x), logits)  # unwatched, where memory is used again
    found = reader.run(*reader.load(tmp_path), batch.numpy(), seen)
    assert np.array_equal(found, logits.numpy())
    for layer, steps in spikes.items():
        wanted = torch.stack(steps).numpy()
        assert np.array_equal(seen[layer].reshape(wanted.shape), wanted)


def note(whole, export, node, current, levels):
    """The potentials that follow from a layer's currents and levels, by layer and step."""
    numbers = export.integers[node.name]
    shifts = np.zeros(node.steps, np.int64) if numbers.shift_T is None else numbers.shift_T
    rest = torch.zeros((), dtype=torch.int64)
    for step, n in enumerate(levels):
        left = leaked(rest, node.leak)
        u = (current[step] if export.input.frames else current).long() + left - int(shifts[step])
        whole.setdefault((node.name, step), []).append(u.flatten(2) if node.op == "operand" else u)
        rest = u - n.long() * int(numbers.threshold_T[step])


BOUND_CASES = [(name, kind) for name in NETS for kind in ("images", "events")]
BOUND_CASES += [(name, kind) for name in ("resnet20", "spikformer") for kind in ("leaky", "leaky events")]


@pytest.mark.parametrize(("name", "kind"), BOUND_CASES)
def test_potentials_keep_the_stated_bounds(make, export_of_network, samples, events, *, name, kind):
    network = make(name, NETS[name], **KINDS[kind])
    export = export_of_network(network)
    integers = IntegerNetwork(export)
    bounds = integers.bounds
    x = events if "frames" in KINDS[kind] else samples
    real, whole = {}, {}
    twin = exact_twin(network)
    for layer_name, layer in twin.layers.items():
        layer.register_forward_pre_hook(
            lambda layer, inputs, name=layer_name: real.update(
                {name: list(steps_of(layer.neuron, channels_first(layer, inputs[0])))}
            )
        )
    twin(x.double())
    integers.logits(x, lambda node, current, levels: note(whole, export, node, current, levels))
    for node in export.layers:
        thresholds = twin.layers[node.name].neuron.step_sizes.tolist()
        for step, seen in enumerate(real[node.name]):
            unit = 2.0**-export.fraction_bits
            potential = seen.quotient * thresholds[step]
            apart = (torch.cat(whole[node.name, step]).double() * unit - potential).abs().max()
            exact = all((V / unit).is_integer() for V in thresholds[: node.steps])
            allowed = border_deviation(node, bounds[node.name], step, exact=exact) * unit
            assert apart <= allowed + 1e-13, (node.name, step)  # float64 itself rounds the real ones
            assert torch.cat(whole[node.name, step]).abs().max() <= bounds[node.name].potential


def test_a_network_of_ones_own_that_is_a_chain_is_exported(export_of_network, samples):
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(2, 4, (3, 2), padding=(1, 0), dilation=(2, 1)),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.Conv2d(4, 6, 3, padding=2, groups=2),
        nn.Flatten(),
        nn.LazyLinear(5),
    )
    module(samples)
    network = adapt(module, sample_shape=(2, 9, 7), options=LayerOptions())
    network(samples)
    network.eval()
    comparer = Comparer(IntegerNetwork(export_of_network(network)), network)
    comparer.add(samples, torch.zeros(8, dtype=torch.int64))
    assert comparer.result.equal
    assert not any(tally.differ_float64 for tally in comparer.result.layers.values())


def test_a_part_with_a_forward_of_its_own_is_refused_by_name(export_of_network, samples):
    class Doubled(nn.Module):
        def forward(self, x):
            return 2 * x

    module = nn.Sequential(nn.Conv2d(2, 4, 3), Doubled(), nn.Flatten(), nn.Linear(140, 5))
    network = adapt(module, sample_shape=(2, 9, 7), options=LayerOptions())
    with pytest.raises(ExportUnsupportedError, match="1 is a Doubled") as caught:
        export_of_network(network)
    assert caught.value.code == "export_unsupported"
    assert caught.value.fix


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e9])
def test_samples_that_are_no_numbers_or_too_large_are_refused(make, export_of_network, samples, value):
    integers = IntegerNetwork(export_of_network(make("conv-net", {"width": 2})))
    x = samples.clone()
    x[3, 1, 2, 2] = value
    with pytest.raises(InvalidInputError, match="no number or beyond"):
        integers.logits(x)


def test_sums_that_float32_cannot_hold_run_in_float64(make, export_of_network, samples):
    network = make("shd-net", {"hidden": 8})
    export = export_of_network(network)
    narrow = export.layers[1].name
    numbers = export.integers[narrow]
    wide = replace(numbers, levels=numbers.levels * 2**24)
    changed = replace(export, fraction_bits=8, integers={**export.integers, narrow: wide})
    changed = replace(
        changed,
        integers={**changed.integers, narrow: replace(wide, multiplier_TO=numbers.multiplier_TO >> 28)},
    )
    layer = IntegerNetwork(changed).layers[narrow]
    assert layer.operate.dtype == torch.float64
    n = torch.full((1, 8), 60.0, dtype=torch.float64)
    assert torch.equal(layer.operate(n).long(), n.long() @ torch.from_numpy(wide.levels).long().T)


@pytest.mark.parametrize("kind", ["images", "events", "signed", "leaky", "leaky events"])
def test_compiled_and_plain_passes_give_the_same(
    make, export_of_network, samples, events, monkeypatch, *, kind
):
    export = export_of_network(make("sew-resnet18", {"width": 2}, **KINDS[kind]))
    x = events if "frames" in KINDS[kind] else samples
    compiled = integer_spikes(IntegerNetwork(export), x)
    monkeypatch.setattr(compiled_passes, "compiled", lambda: None)
    plain = integer_spikes(IntegerNetwork(export), x)
    assert torch.equal(compiled[0], plain[0])
    for name, steps in compiled[1].items():
        assert all(torch.equal(a, b) for a, b in zip(steps, plain[1][name], strict=True))


@given(st.lists(st.integers(-(2**49), 2**49)), st.integers(1, 2**49), st.integers(1, 8), st.booleans())
@example([], 49, 4, False)
@example([], 2**41 + 1, 8, False)  # the largest thresholds whose levels a product finds, and the next
@example([], 2**41 - 1, 8, False)
@example([], 8_553_210_435_747, 8, False)  # which a product would find one too high
def test_compiled_levels_are_those_of_integers(others, V, bits, signed):
    """At every border between two levels and beside it, where a quotient that is rounded would go wrong."""
    levels = levels_at(bits, signed=signed)
    borders = [(2 * level + 1) * V // 2 + beside for level in range(levels.high + 2) for beside in (-1, 0, 1)]
    potentials = np.array([*(u for u in borders if u < 2**51), *others, 0])
    potentials = np.concatenate([potentials, -potentials])
    form = compiled_passes.passes_of(
        passes.TorchPasses(
            thresholds=[float(V)],
            levels=[levels],
            multiplier_TO=torch.ones(1, 1, dtype=torch.float64),
            bias_O=torch.zeros(1, dtype=torch.float64),
            framed=False,
        )
    )
    found = form.spikes(torch.from_numpy(potentials).double()[None], torch.float32)
    assert found[0].tolist() == spike_levels(potentials, V, bits, signed=signed).tolist()


def test_only_float64_and_unexplained_levels_decide_what_is_equal():
    sound = {"a": LayerTally(differ_float32=3, differ_float64=1)}
    assert Comparison(samples=9, predictions_differ_float32=1, layers=sound).equal
    assert not Comparison(samples=9, predictions_differ_float64=1, layers=sound).equal
    assert not Comparison(samples=9, layers={"a": LayerTally(unexplained=1)}).equal
