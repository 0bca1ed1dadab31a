"""Compare an integer network with the trained network that it was made from, layer by layer and step by step.

The trained network computes in float32, whose sums are rounded: a potential beside a border between two levels may
fall on either side of it, and which side depends on the order of the sums (on threads and on the processor). Its
evaluation in float64, with the very weights that its quantizers give in float32, has 29 more bits and stands for
the real values. So both are compared with:

    float64   levels are equal, except where the real potential lies within d_t of a border (`bounds`), as long as
              no level before has differed; predictions are equal
    float32   how many levels differ is counted; predictions are compared
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from models.export.engine import IntegerNetwork
from models.export.nodes import LayerNode
from models.functional.frames import regroup
from models.functional.kernels import Neuron
from models.functional.kernels.plan import plan_of
from models.functional.kernels.reference import walk
from models.layers import AdaptiveLayer, SpikingLayer
from models.layers.neuron import SpikingNeuron
from models.nets.fold import HeldWeights
from models.nets.network import Network

Seen = Mapping[str, list[torch.Tensor]]
"""The levels of every layer, one tensor [B, ...] for each step."""


@dataclass(kw_only=True, slots=True)
class LayerTally:
    """What was counted of a layer over all samples."""

    values: int = 0
    nonzero_T: list[int] = field(default_factory=list)  # noqa: N815 - the letter is the axis
    differ_float32: int = 0
    differ_float64: int = 0


@dataclass(kw_only=True, slots=True)
class Comparison:
    """The sums over every batch that was compared."""

    samples: int = 0
    correct: int = 0
    predictions_differ_float32: int = 0
    predictions_differ_float64: int = 0
    layers: dict[str, LayerTally] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        """Whether every prediction is that of the trained network, in float32 and in float64."""
        return not self.predictions_differ_float32 and not self.predictions_differ_float64


class Comparer:
    """Runs the three side by side, a batch at a time."""

    def __init__(self, integers: IntegerNetwork, network: Network) -> None:
        self.integers = integers
        self.float32 = copy.deepcopy(network).cpu().eval()
        self.float64 = exact_twin(self.float32)
        self.result = Comparison(layers={node.name: LayerTally() for node in integers.export.layers})

    @torch.inference_mode()
    def add(self, x: torch.Tensor, y_B: torch.Tensor) -> None:
        """Compare one batch of samples, as the network takes them."""
        result = self.result
        with spikes_of(self.float32) as single, spikes_of(self.float64) as double:
            logits32, logits64 = self.float32(x), self.float64(x.double())
        logits, seen = integer_spikes(self.integers, x)
        found_B = logits.argmax(1)
        result.samples += len(y_B)
        result.correct += int((found_B == y_B).sum())
        result.predictions_differ_float32 += int((found_B != logits32.argmax(1)).sum())
        result.predictions_differ_float64 += int((found_B != logits64.argmax(1)).sum())
        for name, levels in seen.items():
            _count(result.layers[name], levels, single[name], double[name])


def _count(
    tally: LayerTally, found: list[torch.Tensor], single: list[torch.Tensor], double: list[torch.Tensor]
) -> None:
    tally.values += sum(levels.numel() for levels in found)
    tally.differ_float32 += _differing(found, single)
    tally.differ_float64 += _differing(found, double)
    nonzero = [int(levels.count_nonzero()) for levels in found]
    tally.nonzero_T = [a + b for a, b in zip(tally.nonzero_T or [0] * len(nonzero), nonzero, strict=True)]


def _differing(found: list[torch.Tensor], other: list[torch.Tensor]) -> int:
    return sum(int((a != b).sum()) for a, b in zip(found, other, strict=True))


def integer_spikes(integers: IntegerNetwork, x: torch.Tensor) -> tuple[torch.Tensor, Seen]:
    """(whole logits, the levels of every layer) of a batch."""
    parts: dict[str, list[list[torch.Tensor]]] = {}

    def watch(node: LayerNode, step: int, _: torch.Tensor, levels: torch.Tensor) -> None:
        steps = parts.setdefault(node.name, [[] for _ in range(node.steps)])
        steps[step].append(levels)

    logits = integers.logits(x, watch)
    return logits, {name: [torch.cat(chunks) for chunks in steps] for name, steps in parts.items()}


@contextmanager
def spikes_of(network: Network) -> Iterator[Seen]:
    """Records the levels of every layer of a network while it runs one batch."""
    seen: dict[str, list[torch.Tensor]] = {}

    def note(name: str) -> Any:
        def hook(layer: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            if isinstance(layer, SpikingLayer):
                seen[name] = [step.level.float() for step in steps_of(layer.neuron, inputs[0])]

        return hook

    handles = [layer.register_forward_pre_hook(note(name)) for name, layer in network.layers.items()]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def steps_of(neuron: SpikingNeuron, current: torch.Tensor) -> Iterator[Any]:
    """The steps that a neuron takes over a current, by the reference form."""
    seen = regroup(current, *neuron.steps.whole()) if neuron.temporal else current
    plan = plan_of(
        Neuron(
            step_sizes=neuron.step_sizes,
            bits=neuron.bits.real,
            steps=neuron.steps.real,
            leak=neuron.leak,
            shifts=neuron.shifts,
            signed=neuron.signed,
            framed=neuron.temporal,
        )
    )
    return walk(seen, plan)


@torch.no_grad()
def exact_twin(network: Network) -> Network:
    """A copy in float64 whose weights are the levels of the float32 quantizers times their step sizes."""
    twin = copy.deepcopy(network).double()
    for name, layer in network.layers.items():
        other = twin.layers[name]
        if isinstance(layer, AdaptiveLayer) and isinstance(other, AdaptiveLayer):
            weight = layer.quantizer(layer.operator.weight).double()
            steps = layer.quantizer.step_size.double().view(-1, *[1] * (weight.dim() - 1))
            other.operator.weight = nn.Parameter((weight / steps).round() * steps, requires_grad=False)
            other.set_submodule("quantizer", HeldWeights(layer.quantizer))
    return twin
