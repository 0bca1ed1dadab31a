"""Compare an integer network with the trained network that it was made from, by layer and step.

The trained network computes in float32, whose sums are rounded: a potential beside a border between two
levels may fall on either side of it, and which one depends on the order of the sums (on threads, on the
processor). Its evaluation in float64, with the very weights that its quantizers give in float32, has 29 more
bits and stands for the real values. So both are compared with:

    float64   a level may differ only where the real potential lies within d_t of a border (`bounds`), as
              long as no level of the sample has differed before; any other difference is `unexplained`
    float32   how many levels differ is counted

and every prediction with both.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from models.export.bounds import border_deviation
from models.export.engine import IntegerNetwork
from models.export.nodes import LayerNode
from models.functional.frames import regroup
from models.functional.kernels import Neuron
from models.functional.kernels.plan import plan_of
from models.functional.kernels.reference import Step, walk
from models.layers import AdaptiveLayer, SpikingLayer, WeightlessLayer
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
    unexplained: int = 0


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
        """Whether every prediction is that of the trained network, and no level differs without a reason.

        Float32 predictions decide nothing: where they are not float64's, float32 rounded its own sums.
        """
        unexplained = any(tally.unexplained for tally in self.layers.values())
        return not self.predictions_differ_float64 and not unexplained


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
        with steps_seen(self.float32) as single, steps_seen(self.float64) as double:
            logits32, logits64 = self.float32(x), self.float64(x.double())
        logits, found = integer_spikes(self.integers, x)
        classes_B = logits.argmax(1)
        result.samples += len(y_B)
        result.correct += int((classes_B == y_B).sum())
        result.predictions_differ_float32 += int((classes_B != logits32.argmax(1)).sum())
        result.predictions_differ_float64 += int((classes_B != logits64.argmax(1)).sum())
        clean_B = torch.ones(len(y_B), dtype=torch.bool)
        for node in self.integers.export.layers:
            tally, levels = result.layers[node.name], found[node.name]
            _count(tally, levels, single[node.name])
            clean_B = self._hold(node, levels, double[node.name], clean_B)

    def _hold(
        self, node: LayerNode, found: list[torch.Tensor], real: list[Step], clean_B: torch.Tensor
    ) -> torch.Tensor:
        """Count the levels that differ from the real ones; gives the samples of which none has so far."""
        tally = self.result.layers[node.name]
        numbers, unit = self.integers.export.integers[node.name], 2.0**-self.integers.export.fraction_bits
        for number, (levels, step) in enumerate(zip(found, real, strict=True)):
            differs = levels != step.level
            count = int(differs.sum())
            tally.differ_float64 += count
            if not count:
                continue
            threshold = int(numbers.threshold_T[number])
            allowed = border_deviation(node, self.integers.bounds[node.name], number, exact=False) / threshold
            far = _from_border(step.quotient, node, number) > allowed + unit
            first = differs & clean_B.view(-1, *[1] * (differs.dim() - 1))
            tally.unexplained += int((first & far).sum())
            clean_B = clean_B & ~differs.flatten(1).any(1)
        return clean_B


def _from_border(quotient: torch.Tensor, node: LayerNode, step: int) -> torch.Tensor:
    """How far u / V lies from the nearest border between two levels."""
    if node.signed and node.spike_bits[step] == 1:
        return quotient.abs()
    return (quotient - quotient.floor() - 0.5).abs()


def _count(tally: LayerTally, found: list[torch.Tensor], single: list[Step]) -> None:
    tally.values += sum(levels.numel() for levels in found)
    tally.differ_float32 += sum(
        int((levels != step.level).sum()) for levels, step in zip(found, single, strict=True)
    )
    nonzero = [int(levels.count_nonzero()) for levels in found]
    tally.nonzero_T = [a + b for a, b in zip(tally.nonzero_T or [0] * len(nonzero), nonzero, strict=True)]


def integer_spikes(integers: IntegerNetwork, x: torch.Tensor) -> tuple[torch.Tensor, Seen]:
    """(whole logits, the levels of every layer) of a batch; those of an operand as [B, D, N]."""
    parts: dict[str, list[list[torch.Tensor]]] = {}

    def watch(node: LayerNode, _: torch.Tensor, levels_T: list[torch.Tensor]) -> None:
        parts.setdefault(node.name, []).append(levels_T)

    logits = integers.logits(x, watch)
    flat = {node.name for node in integers.export.layers if node.op == "operand"}
    return logits, {
        name: [
            torch.cat(chunks).flatten(2) if name in flat else torch.cat(chunks)
            for chunks in zip(*found, strict=True)
        ]
        for name, found in parts.items()
    }


@contextmanager
def steps_seen(network: Network) -> Iterator[Mapping[str, list[Step]]]:
    """Records the steps of every layer of a network while it runs one batch."""
    seen: dict[str, list[Step]] = {}

    def note(name: str) -> Any:
        def hook(layer: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            if isinstance(layer, SpikingLayer):
                seen[name] = list(steps_of(layer.neuron, channels_first(layer, inputs[0])))

        return hook

    handles = [layer.register_forward_pre_hook(note(name)) for name, layer in network.layers.items()]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def channels_first(layer: SpikingLayer, current: torch.Tensor) -> torch.Tensor:
    """The current of an operand, heads of tokens [..., h, N, d], as [..., D, N]; others as they are."""
    if isinstance(layer, WeightlessLayer) and layer.kind == "attention":
        return current.transpose(-2, -1).flatten(-3, -2)
    return current


def steps_of(neuron: SpikingNeuron, current: torch.Tensor) -> Iterator[Step]:
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
