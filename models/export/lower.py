"""Lower a trained network to the graph of an integer one, with its parameters still real.

Layers and norms are lowered by `lower_layers`. Modules are known by their exact type: a part that is not
known is refused by name, never guessed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from models.export.lower_attention import attention
from models.export.lower_layers import Lowered, layer, norm, pair, refused, weightless
from models.export.nodes import (
    INPUT,
    AddNode,
    PlainNode,
    PlainOp,
    PoolNode,
    PoolOp,
    SubsampleNode,
)
from models.layers import AdaptiveLayer, WeightlessLayer
from models.nets.attention import SpikingAttention
from models.nets.conv_net import ConvNet
from models.nets.frames import MapNorm, MapPool, VectorNorm
from models.nets.network import Network
from models.nets.residual import Block, PaddedShortcut, ResidualNet
from models.nets.sew_resnet import SewBlock, SewResNet
from models.nets.shd_net import ShdNet
from models.nets.spikformer import PatchEmbedding, Spikformer, TransformerBlock
from models.nets.vggsnn import VggSnn

Form = Callable[[Any, str, str, Lowered], str]
"""Adds a part of this name behind an edge to a graph; gives the edge behind the part."""
PLAIN_NAMES: Mapping[PlainOp, str] = {"map_mean": "mean", "flatten": "flat"}
"""What the node of an operation is called in a network that has no module for it."""


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
        raise refused(name, f"is a {type(part).__name__}, which has no integer form")
    return form(part, name, edge, graph)


def _in(name: str, part: str) -> str:
    return f"{name}.{part}" if name else part


def _map_pool(part: MapPool, name: str, edge: str, graph: Lowered) -> str:
    return _lower(part.pool, name, edge, graph)


def _mean_pool(part: nn.AvgPool2d, name: str, edge: str, graph: Lowered) -> str:
    padded = pair(part.padding) != (0, 0)
    if (padded and part.count_include_pad) or part.divisor_override is not None:
        raise refused(name, "divides its means by another number than what a window holds")
    return _pool(part, "mean_pool", name, edge, graph)


def _max_pool(part: nn.MaxPool2d, name: str, edge: str, graph: Lowered) -> str:
    if pair(part.dilation) != (1, 1) or part.return_indices:
        raise refused(name, "is a dilated pool, which has no integer form")
    return _pool(part, "max_pool", name, edge, graph)


def _pool(part: nn.AvgPool2d | nn.MaxPool2d, op: PoolOp, name: str, edge: str, graph: Lowered) -> str:
    node = PoolNode(
        name=name,
        op=op,
        source=edge,
        kernel=pair(part.kernel_size),
        stride=pair(part.stride),
        padding=pair(part.padding),
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
        raise refused(name, "flattens other dimensions than those of a sample")
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
    before = " ".join(f"convs.{at} norms.{at}" for at in places)
    return _around("map_mean", before, "classifier")(part, name, edge, graph)


def _around(op: PlainOp, before: str, after: str) -> Form:
    """A network of children on either side of a plain operation."""

    def form(part: nn.Module, name: str, edge: str, graph: Lowered) -> str:
        edge = _children(part, before, name, edge, graph)
        edge = graph.add(PlainNode(name=_in(name, PLAIN_NAMES[op]), op=op, source=edge))
        return _children(part, after, name, edge, graph)

    return form


def _attention(part: SpikingAttention, name: str, edge: str, graph: Lowered) -> str:
    for operand in ("query", "key", "value"):
        _children(part, f"{operand}_conv {operand}_norm {operand}", name, edge, graph)
    return _children(part, "project project_norm", name, attention(part, name, graph), graph)


def _embedding(part: PatchEmbedding, name: str, edge: str, graph: Lowered) -> str:
    shortcut = _lower(part.layers, _in(name, "layers"), edge, graph)
    along = _children(part, "place_conv place_norm", name, shortcut, graph)
    return graph.add(AddNode(name=_in(name, "sum"), branch=along, shortcut=shortcut))


def _transformer(part: TransformerBlock, name: str, edge: str, graph: Lowered) -> str:
    for branch in ("attention", "mlp"):
        along = _children(part, branch, name, edge, graph)
        edge = graph.add(AddNode(name=_in(name, f"{branch}_sum"), branch=along, shortcut=edge))
    return edge


def _residual(branch: str) -> Form:
    """A block whose branch of children is added to its shortcut."""

    def form(part: nn.Module, name: str, edge: str, graph: Lowered) -> str:
        along = _children(part, branch, name, edge, graph)
        beside = _children(part, "shortcut", name, edge, graph)
        return graph.add(AddNode(name=_in(name, "sum"), branch=along, shortcut=beside))

    return form


_FORMS: Mapping[type[nn.Module], Form] = {
    AdaptiveLayer: layer,
    WeightlessLayer: weightless,
    MapNorm: norm,
    VectorNorm: norm,
    nn.BatchNorm1d: norm,
    nn.BatchNorm2d: norm,
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
    ResidualNet: _around("map_mean", "conv norm pool blocks", "hidden classifier"),
    Block: _residual("conv1 norm1 conv2 norm2"),
    SewResNet: _around("map_mean", "conv norm spikes pool blocks", "classifier"),
    SewBlock: _residual("conv1 norm1 conv2 norm2 spikes"),
    VggSnn: _around("flatten", "features", "classifier"),
    SpikingAttention: _attention,
    PatchEmbedding: _embedding,
    TransformerBlock: _transformer,
    Spikformer: _around("map_mean", "embedding blocks", "classifier"),
    ShdNet: _around("flatten", "", "linear1 norm1 linear2 norm2 classifier"),
}
