"""Lower layers and norms: whole weights w, and a scale k a and a bias for each output channel.

w_q = a * w (w whole, a > 0),  norm(z) = k (z - mean) + beta,  k = gamma / sqrt(variance + eps):
norm(op(s, w_q) + b) = k a op(s, w) + k (b - mean) + beta
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.errors import ExportUnsupportedError
from models.export.attention import Term
from models.export.fixed_point import fixed
from models.export.nodes import LEAK_BITS, Geometry, LayerNode, LayerOp, Node, Pair
from models.export.packing import Levels
from models.layers import AdaptiveLayer, SpikingLayer, WeightlessLayer


@dataclass(kw_only=True, slots=True)
class LayerReals:
    """The parameters of a layer: whole weights, and scales, biases, thresholds and shifts z_t as float64."""

    levels: Levels | None
    step_size_O: NDArray[np.float64]  # noqa: N815 - the letter is the axis
    gain_O: NDArray[np.float64]  # noqa: N815 - the letter is the axis
    bias_O: NDArray[np.float64]  # noqa: N815 - the letter is the axis
    threshold_T: NDArray[np.float64]  # noqa: N815 - the letter is the axis
    shift_T: NDArray[np.float64] | None = None  # noqa: N815 - the letter is the axis
    leak: float = 1.0

    @property
    def thresholds(self) -> list[Fraction]:
        """V_t, exactly."""
        return [Fraction(V) for V in self.threshold_T.tolist()]

    @property
    def shifts(self) -> list[Fraction]:
        """z_t, exactly; zeros without threshold shifts."""
        return [Fraction(z) for z in (self.threshold_T * 0 if self.shift_T is None else self.shift_T)]


@dataclass(kw_only=True, slots=True)
class Lowered:
    """A graph that grows from the input; `reals` by the names of its layers, `terms` of its attentions."""

    nodes: list[Node] = field(default_factory=list)
    reals: dict[str, LayerReals] = field(default_factory=dict)
    terms: dict[str, dict[Term, Fraction]] = field(default_factory=dict)

    def add(self, node: Node) -> str:
        """Put a node at the end; gives the name of its edge."""
        self.nodes.append(node)
        return node.name


def refused(name: str, what: str, fix: str = "") -> ExportUnsupportedError:
    return ExportUnsupportedError(
        f"{name or 'the network'} {what}.", fix=fix or "docs/export.md lists what can be exported."
    )


def layer(part: AdaptiveLayer, name: str, edge: str, graph: Lowered) -> str:
    operator = part.operator
    if isinstance(operator, nn.Conv1d):
        raise refused(name, "is a convolution of one dimension, which has no integer form")
    levels, step_sizes = _weights(part)
    bits = part.bits()
    op: LayerOp = "linear" if isinstance(operator, nn.Linear) else "conv"
    node = LayerNode(
        name=name,
        op=op,
        source=edge,
        weight_bits=bits.channel_bits or (bits.weight_bits,),
        weight_shape=tuple(levels.shape),
        geometry=Geometry() if isinstance(operator, nn.Linear) else _geometry(operator, name),
        **_neuron(part),
    )
    bias = torch.zeros(len(levels)) if operator.bias is None else operator.bias
    graph.reals[name] = LayerReals(
        levels=levels,
        step_size_O=np.broadcast_to(step_sizes, len(levels)),
        gain_O=np.ones(len(levels)),
        bias_O=bias.double().numpy(),
        **_neuron_reals(part),
    )
    return graph.add(node)


def weightless(part: WeightlessLayer, name: str, edge: str, graph: Lowered) -> str:
    op: LayerOp = "operand" if part.kind == "attention" else "spikes"
    ones = np.ones(0 if op == "operand" else 1)
    graph.reals[name] = LayerReals(
        levels=None, step_size_O=ones, gain_O=ones, bias_O=0 * ones, **_neuron_reals(part)
    )
    return graph.add(LayerNode(name=name, op=op, source=edge, **_neuron(part)))


def _neuron(part: SpikingLayer) -> dict[str, Any]:
    """The fields of a node that come from its neuron."""
    neuron, bits = part.neuron, part.bits()
    return {
        "steps": bits.steps,
        "spike_bits": bits.spike_bits,
        "signed": neuron.signed,
        "searched": part.fixed is None,
        "leak": max(1, fixed(_leak(part), LEAK_BITS)),
        "shifted": neuron.shifts is not None,
    }


def _neuron_reals(part: SpikingLayer) -> dict[str, Any]:
    """The real parameters of a neuron."""
    steps, shifts = part.bits().steps, part.neuron.shifts
    return {
        "threshold_T": part.neuron.step_sizes[:steps].double().numpy(),
        "shift_T": None if shifts is None else shifts[:steps].double().numpy(),
        "leak": _leak(part),
    }


def _leak(part: SpikingLayer) -> float:
    return float(part.neuron.leak)


def _weights(part: AdaptiveLayer) -> tuple[Levels, NDArray[np.float64]]:
    """The whole weights that the network's own quantizer gives, and the step sizes [1] or [O]."""
    step_sizes = part.quantizer.step_size.double()
    quantized = part.quantizer(part.operator.weight).double()
    beside = step_sizes.view(-1, *[1] * (quantized.dim() - 1))
    # a * level in float32 is within 2^-24 of itself, so the nearest whole number is the level.
    levels: Levels = (quantized / beside).round().to(torch.int32).numpy()
    return levels, step_sizes.numpy()


def _geometry(operator: nn.Conv2d, name: str) -> Geometry:
    if isinstance(operator.padding, str):
        raise refused(name, f"pads by {operator.padding!r}", "Give the padding as numbers.")
    return Geometry(
        stride=pair(operator.stride),
        padding=pair(operator.padding),
        dilation=pair(operator.dilation),
        groups=operator.groups,
    )


def norm(part: nn.BatchNorm1d | nn.BatchNorm2d, name: str, edge: str, graph: Lowered) -> str:
    """Fold a norm into the layer that was just added: nothing else has read what that gave."""
    last = graph.nodes[-1] if graph.nodes else None
    foldable = isinstance(last, LayerNode) and last.weight_shape and last.name == edge
    mean, variance = part.running_mean, part.running_var
    if not foldable or mean is None or variance is None:
        raise refused(name, "is a norm that follows no layer, or has no statistics")
    reals = graph.reals[edge]
    gain: NDArray[np.float64] = (variance.double() + part.eps).rsqrt().numpy()
    shift: NDArray[np.float64] = np.zeros(len(gain))
    if part.affine:
        gain, shift = gain * part.weight.double().numpy(), part.bias.double().numpy()
    reals.bias_O = (reals.bias_O - mean.double().numpy()) * gain + shift
    reals.gain_O = reals.gain_O * gain
    return edge


def pair(value: Any) -> Pair:
    first, second = (value, value) if isinstance(value, int) else value
    return int(first), int(second)
