"""Lower a trained network to the graph of an integer one, with its parameters still real.

    w_q = a * w (w whole, a > 0),  norm(z) = k (z - mean) + beta,  k = gamma / sqrt(variance + eps):
    norm(op(s, w_q) + b) = k a op(s, w) + k (b - mean) + beta

so a layer keeps its whole weights w, a scale k a and a bias for each output channel. Modules are known by
their exact type: a part that is not known is refused by name, never guessed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.errors import ExportUnsupportedError
from models.export.nodes import (
    INPUT,
    AddNode,
    Geometry,
    LayerNode,
    LayerOp,
    Node,
    Pair,
    PlainNode,
    PoolNode,
    PoolOp,
    SubsampleNode,
)
from models.export.packing import Levels
from models.layers import AdaptiveLayer, SpikingLayer, WeightlessLayer
from models.nets.conv_net import ConvNet
from models.nets.frames import MapNorm, MapPool, VectorNorm
from models.nets.network import Network
from models.nets.residual import Block, PaddedShortcut, ResidualNet
from models.nets.sew_resnet import SewBlock, SewResNet
from models.nets.shd_net import ShdNet
from models.nets.vggsnn import VggSnn

WITHOUT_LEAK = 1.0


@dataclass(kw_only=True, slots=True)
class LayerReals:
    """The parameters of a layer: whole weights, and scales, biases and thresholds as float64."""

    levels: Levels | None
    step_size_O: NDArray[np.float64]  # noqa: N815 - the letter is the axis
    gain_O: NDArray[np.float64]  # noqa: N815 - the letter is the axis
    bias_O: NDArray[np.float64]  # noqa: N815 - the letter is the axis
    threshold_T: NDArray[np.float64]  # noqa: N815 - the letter is the axis


@dataclass(kw_only=True, slots=True)
class Lowered:
    """A graph that grows from the input; `reals` by the names of its layers."""

    nodes: list[Node] = field(default_factory=list)
    reals: dict[str, LayerReals] = field(default_factory=dict)

    def add(self, node: Node) -> str:
        """Put a node at the end; gives the name of its edge."""
        self.nodes.append(node)
        return node.name


def lowered(network: Network) -> Lowered:
    """The graph of a trained network; the network itself is left alone.

    Raises ExportUnsupportedError, which names the part that cannot be expressed.
    """
    graph = Lowered()
    with torch.no_grad():
        _lower(copy.deepcopy(network).cpu().eval().body, "", INPUT, graph)
    return graph


def _lower(part: nn.Module, name: str, edge: str, graph: Lowered) -> str:
    form = _FORMS.get(type(part))
    if form is None:
        raise _refused(name, f"is a {type(part).__name__}, which has no integer form")
    return form(part, name, edge, graph)


def _refused(name: str, what: str, fix: str = "") -> ExportUnsupportedError:
    return ExportUnsupportedError(
        f"{name or 'the network'} {what}.", fix=fix or "docs/export.md lists what can be exported."
    )


def _in(name: str, part: str) -> str:
    return f"{name}.{part}" if name else part


def _layer(part: AdaptiveLayer, name: str, edge: str, graph: Lowered) -> str:
    operator = part.operator
    if isinstance(operator, nn.Conv1d):
        raise _refused(name, "is a convolution of one dimension, which has no integer form")
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
        **_neuron(part, name),
    )
    bias = torch.zeros(len(levels)) if operator.bias is None else operator.bias
    graph.reals[name] = LayerReals(
        levels=levels,
        step_size_O=np.broadcast_to(step_sizes, len(levels)),
        gain_O=np.ones(len(levels)),
        bias_O=bias.double().numpy(),
        threshold_T=_thresholds(part),
    )
    return graph.add(node)


def _weightless(part: WeightlessLayer, name: str, edge: str, graph: Lowered) -> str:
    if part.kind != "spikes":
        raise _refused(name, "is an operand of attention, which has no integer form")
    graph.reals[name] = LayerReals(
        levels=None,
        step_size_O=np.ones(1),
        gain_O=np.ones(1),
        bias_O=np.zeros(1),
        threshold_T=_thresholds(part),
    )
    return graph.add(LayerNode(name=name, op="spikes", source=edge, **_neuron(part, name)))


def _neuron(part: SpikingLayer, name: str) -> dict[str, Any]:
    """The fields of a node that come from its neuron."""
    neuron, bits = part.neuron, part.bits()
    if isinstance(neuron.leak, nn.Parameter) or neuron.leak != WITHOUT_LEAK:
        raise _refused(name, "has a leak, which has no integer form", "Train with leak 1 and learn_leak off.")
    if neuron.shifts is not None:
        raise _refused(
            name, "has threshold shifts, which have no integer form", "Train without threshold_shift."
        )
    return {
        "steps": bits.steps,
        "spike_bits": bits.spike_bits,
        "signed": neuron.signed,
        "searched": part.fixed is None,
    }


def _thresholds(part: SpikingLayer) -> NDArray[np.float64]:
    thresholds: NDArray[np.float64] = part.neuron.step_sizes[: part.bits().steps].double().numpy()
    return thresholds


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
        raise _refused(name, f"pads by {operator.padding!r}", "Give the padding as numbers.")
    return Geometry(
        stride=_pair(operator.stride),
        padding=_pair(operator.padding),
        dilation=_pair(operator.dilation),
        groups=operator.groups,
    )


def _norm(part: nn.BatchNorm1d | nn.BatchNorm2d, name: str, edge: str, graph: Lowered) -> str:
    """Fold a norm into the layer that was just added: nothing else has read what that gave."""
    last = graph.nodes[-1] if graph.nodes else None
    foldable = isinstance(last, LayerNode) and last.weight_shape and last.name == edge
    mean, variance = part.running_mean, part.running_var
    if not foldable or mean is None or variance is None:
        raise _refused(name, "is a norm that follows no layer, or has no statistics")
    reals = graph.reals[edge]
    gain: NDArray[np.float64] = (variance.double() + part.eps).rsqrt().numpy()
    shift: NDArray[np.float64] = np.zeros(len(gain))
    if part.affine:
        gain, shift = gain * part.weight.double().numpy(), part.bias.double().numpy()
    reals.bias_O = (reals.bias_O - mean.double().numpy()) * gain + shift
    reals.gain_O = reals.gain_O * gain
    return edge


def _map_pool(part: MapPool, name: str, edge: str, graph: Lowered) -> str:
    return _lower(part.pool, name, edge, graph)


def _mean_pool(part: nn.AvgPool2d, name: str, edge: str, graph: Lowered) -> str:
    padded = _pair(part.padding) != (0, 0)
    if (padded and part.count_include_pad) or part.divisor_override is not None:
        raise _refused(name, "divides its means by another number than what a window holds")
    return _pool(part, "mean_pool", name, edge, graph)


def _max_pool(part: nn.MaxPool2d, name: str, edge: str, graph: Lowered) -> str:
    if _pair(part.dilation) != (1, 1) or part.return_indices:
        raise _refused(name, "is a dilated pool, which has no integer form")
    return _pool(part, "max_pool", name, edge, graph)


def _pool(part: nn.AvgPool2d | nn.MaxPool2d, op: PoolOp, name: str, edge: str, graph: Lowered) -> str:
    node = PoolNode(
        name=name,
        op=op,
        source=edge,
        kernel=_pair(part.kernel_size),
        stride=_pair(part.stride),
        padding=_pair(part.padding),
        ceil=part.ceil_mode,
    )
    return graph.add(node)


def _same(part: nn.Module, name: str, edge: str, graph: Lowered) -> str:
    """What changes nothing in evaluation."""
    return edge


def _relu(part: nn.ReLU, name: str, edge: str, graph: Lowered) -> str:
    return graph.add(PlainNode(name=name, op="relu", source=edge))


def _flatten(part: nn.Flatten, name: str, edge: str, graph: Lowered) -> str:
    if (part.start_dim, part.end_dim) != (1, -1):
        raise _refused(name, "flattens other dimensions than those of a sample")
    return graph.add(PlainNode(name=name, op="flatten", source=edge))


def _padded_shortcut(part: PaddedShortcut, name: str, edge: str, graph: Lowered) -> str:
    return graph.add(SubsampleNode(name=name, source=edge, stride=part.stride, added=part.added))


def _chain(part: nn.Sequential, name: str, edge: str, graph: Lowered) -> str:
    for place, child in part.named_children():
        edge = _lower(child, _in(name, place), edge, graph)
    return edge


def _children(part: nn.Module, names: str, name: str, edge: str, graph: Lowered) -> str:
    for child in names.split():
        edge = _lower(part.get_submodule(child), _in(name, child), edge, graph)
    return edge


def _conv_net(part: ConvNet, name: str, edge: str, graph: Lowered) -> str:
    places = range(len(part.convs))
    edge = _children(part, " ".join(f"convs.{at} norms.{at}" for at in places), name, edge, graph)
    edge = graph.add(PlainNode(name=_in(name, "mean"), op="map_mean", source=edge))
    return _children(part, "classifier", name, edge, graph)


def _residual_net(part: ResidualNet, name: str, edge: str, graph: Lowered) -> str:
    edge = _children(part, "conv norm pool blocks", name, edge, graph)
    edge = graph.add(PlainNode(name=_in(name, "mean"), op="map_mean", source=edge))
    return _children(part, "hidden classifier", name, edge, graph)


def _block(part: Block, name: str, edge: str, graph: Lowered) -> str:
    branch = _children(part, "conv1 norm1 conv2 norm2", name, edge, graph)
    shortcut = _children(part, "shortcut", name, edge, graph)
    return graph.add(AddNode(name=_in(name, "sum"), branch=branch, shortcut=shortcut))


def _sew_resnet(part: SewResNet, name: str, edge: str, graph: Lowered) -> str:
    edge = _children(part, "conv norm spikes pool blocks", name, edge, graph)
    edge = graph.add(PlainNode(name=_in(name, "mean"), op="map_mean", source=edge))
    return _children(part, "classifier", name, edge, graph)


def _sew_block(part: SewBlock, name: str, edge: str, graph: Lowered) -> str:
    branch = _children(part, "conv1 norm1 conv2 norm2 spikes", name, edge, graph)
    shortcut = _children(part, "shortcut", name, edge, graph)
    return graph.add(AddNode(name=_in(name, "sum"), branch=branch, shortcut=shortcut))


def _vggsnn(part: VggSnn, name: str, edge: str, graph: Lowered) -> str:
    edge = _children(part, "features", name, edge, graph)
    edge = graph.add(PlainNode(name=_in(name, "flat"), op="flatten", source=edge))
    return _children(part, "classifier", name, edge, graph)


def _shd_net(part: ShdNet, name: str, edge: str, graph: Lowered) -> str:
    edge = graph.add(PlainNode(name=_in(name, "flat"), op="flatten", source=edge))
    return _children(part, "linear1 norm1 linear2 norm2 classifier", name, edge, graph)


def _pair(value: Any) -> Pair:
    first, second = (value, value) if isinstance(value, int) else value
    return int(first), int(second)


_FORMS: Mapping[type[nn.Module], Callable[[Any, str, str, Lowered], str]] = {
    AdaptiveLayer: _layer,
    WeightlessLayer: _weightless,
    MapNorm: _norm,
    VectorNorm: _norm,
    nn.BatchNorm1d: _norm,
    nn.BatchNorm2d: _norm,
    MapPool: _map_pool,
    nn.AvgPool2d: _mean_pool,
    nn.MaxPool2d: _max_pool,
    nn.Identity: _same,
    nn.Dropout: _same,
    nn.ReLU: _relu,
    nn.Flatten: _flatten,
    PaddedShortcut: _padded_shortcut,
    nn.Sequential: _chain,
    ConvNet: _conv_net,
    ResidualNet: _residual_net,
    Block: _block,
    SewResNet: _sew_resnet,
    SewBlock: _sew_block,
    VggSnn: _vggsnn,
    ShdNet: _shd_net,
}
