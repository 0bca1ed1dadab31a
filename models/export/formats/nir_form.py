"""NIR of a trained network (neuroir.org): neurons and operators as nodes, bits and step sizes as metadata.

    LAYER.neuron   IF with the threshold m, the mean of V_t over the steps; a signed quantizer is a Scale by 1
    LAYER          Conv2d or Affine with the weights m a k w and the bias b, since a spike of NIR is 1, not V;
                   with m = 1 behind a signed quantizer, which passes values on
    sums           edges from both sides into what reads them, as NIR adds what meets
    subsample      Conv2d with weights of 0 and 1
    means          AvgPool2d over a window or a whole map

What NIR has no word for (several levels, steps of a layer, rounding, soft reset) is listed by `unexpressed`
and kept in the metadata, from which `nir_reader` makes the same network again.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

import nir
import numpy as np

from models.errors import ExportUnsupportedError
from models.export.formats.nir_notes import network_notes, neuron_notes, operator_notes, unexpressed
from models.export.formats.real import RealNetwork, Unexpressed
from models.export.lower_layers import LayerReals
from models.export.nodes import (
    INPUT,
    NO_LEAK,
    AddNode,
    AttentionNode,
    LayerNode,
    Node,
    PlainNode,
    PoolNode,
    SubsampleNode,
)
from models.export.shapes import windows

OUTPUT = "output"
NEURON = ".neuron"
"""What the name of a layer's neuron ends with."""
FLAT = ".flat"


class _Graph:
    """Nodes and edges; `ends` has the NIR nodes whose outputs add up to an edge of the network."""

    def __init__(self) -> None:
        self.nodes: dict[str, nir.NIRNode] = {}
        self.edges: list[tuple[str, str]] = []
        self.ends: dict[str, list[str]] = {}

    def add(self, name: str, node: nir.NIRNode, sources: Sequence[str]) -> str:
        """A node behind others."""
        self.nodes[name] = node
        self.edges += [(source, name) for source in sources]
        return name


def nir_bytes(network: RealNetwork) -> tuple[bytes, Sequence[Unexpressed]]:
    """The graph as a file, and what NIR does not express. Raises ExportUnsupportedError, naming the part."""
    graph = _Graph()
    start = nir.Input(input_type={"input": np.array(network.input.shape)})
    graph.ends[INPUT] = [graph.add(INPUT, start, [])]
    for node in network.nodes:
        graph.ends[node.name] = _ends(graph, network, node)
    last = network.nodes[-1].name
    shape = np.array(network.edges[last].shape)
    graph.add(OUTPUT, nir.Output(output_type={"output": shape}), graph.ends[last])
    made = nir.NIRGraph(nodes=graph.nodes, edges=graph.edges, metadata=network_notes(network))
    buffer = io.BytesIO()
    nir.write(buffer, made)
    return buffer.getvalue(), unexpressed(network)


def _ends(graph: _Graph, network: RealNetwork, node: Node) -> list[str]:
    """Adds a node; the NIR nodes whose sum is what it gives."""
    match node:
        case AddNode():
            return _sum(graph, node)
        case LayerNode():
            return [_layer(graph, network, node)]
        case AttentionNode():
            raise refused(f"{node.name} is attention, which NIR has no node for")
        case SubsampleNode() | PoolNode() | PlainNode():
            return [_plain(graph, network, node)]
        case _:
            assert_never(node)


def _sum(graph: _Graph, node: AddNode) -> list[str]:
    both = [*graph.ends[node.branch], *graph.ends[node.shortcut]]
    if len(set(both)) < len(both):
        raise refused(f"{node.name} adds the same value twice, and NIR has one edge between two nodes")
    return both


def _layer(graph: _Graph, network: RealNetwork, node: LayerNode) -> str:
    reals, entering = network.reals[node.name], network.edges[node.source].shape
    neuron = _neuron(node, reals, entering)
    neuron.metadata = neuron_notes(node, reals)
    end = graph.add(node.name + NEURON, neuron, graph.ends[node.source])
    if reals.levels is None:
        return end
    operator = _operator(node, reals, entering)
    operator.metadata = operator_notes(node, reals)
    return graph.add(node.name, operator, [end])


def _neuron(node: LayerNode, reals: LayerReals, shape: tuple[int, ...]) -> nir.NIRNode:
    if node.leak != NO_LEAK or node.shifted:
        raise refused(
            f"{node.name} has a leak or threshold shifts, which no neuron of NIR has from step to step"
        )
    ones = np.ones(shape, np.float32)
    if node.signed:
        return nir.Scale(scale=ones)
    return nir.IF(r=ones, v_threshold=ones * np.float32(unit_of(node, reals)))


def unit_of(node: LayerNode, reals: LayerReals) -> float:
    """m: what a spike of the node stands for."""
    return 1.0 if node.signed else float(reals.threshold_T.mean())


def _operator(node: LayerNode, reals: LayerReals, shape: tuple[int, ...]) -> nir.NIRNode:
    assert reals.levels is not None  # noqa: S101 - narrows for the type checker; callers have looked
    beside = [1] * (reals.levels.ndim - 1)
    scale_O = unit_of(node, reals) * reals.step_size_O * reals.gain_O
    weight = (reals.levels * scale_O.reshape(-1, *beside)).astype(np.float32)
    bias = reals.bias_O.astype(np.float32)
    if node.op == "linear":
        return nir.Affine(weight=weight, bias=bias)
    moves = node.geometry
    if moves.groups != 1 or len(set(node.weight_shape[2:])) > 1:
        raise refused(f"{node.name} has groups or a kernel that is not square, whose shapes NIR mistakes")
    return nir.Conv2d(
        input_shape=shape[1:],
        weight=weight,
        stride=moves.stride,
        padding=moves.padding,
        dilation=moves.dilation,
        groups=1,
        bias=bias,
    )


def _plain(graph: _Graph, network: RealNetwork, node: SubsampleNode | PoolNode | PlainNode) -> str:
    shape, sources = network.edges[node.source].shape, graph.ends[node.source]
    match node:
        case SubsampleNode():
            return graph.add(node.name, _subsample(node, shape), sources)
        case PoolNode():
            return graph.add(node.name, _pool(node, shape), sources)
        case PlainNode(op="map_mean"):
            pool = _average(shape[1:], shape[1:])
            pool.metadata = {"op": "map_mean"}
            end = graph.add(node.name, pool, sources)
            ones = (shape[0], 1, 1)
            return graph.add(node.name + FLAT, _flatten(ones), [end])
        case PlainNode(op="flatten"):
            return graph.add(node.name, _flatten(shape), sources)
        case PlainNode():
            raise refused(f"{node.name} is a ReLU, which NIR has no node for")
        case _:
            assert_never(node)


def _subsample(node: SubsampleNode, shape: tuple[int, ...]) -> nir.NIRNode:
    weight = np.eye(shape[0] + node.added, shape[0], dtype=np.float32)[:, :, None, None]
    return nir.Conv2d(
        input_shape=shape[1:],
        weight=weight,
        stride=(node.stride, node.stride),
        padding=(0, 0),
        dilation=(1, 1),
        groups=1,
        bias=np.zeros(len(weight), np.float32),
        metadata={"op": "subsample"},
    )


def _pool(node: PoolNode, shape: tuple[int, ...]) -> nir.NIRNode:
    if node.op == "max_pool":
        raise refused(f"{node.name} is a max pool, which NIR has no node for")
    inside = replace(node, ceil=False)
    beyond = any(
        windows(side, place, node) > windows(side, place, inside) for place, side in enumerate(shape[1:])
    )
    if beyond or node.padding != (0, 0):
        raise refused(
            f"{node.name} pools windows that reach beyond the map, of which NIR does not tell the mean"
        )
    return _average(node.kernel, node.stride)


def _average(kernel: Sequence[int], stride: Sequence[int]) -> nir.NIRNode:
    return nir.AvgPool2d(kernel_size=np.array(kernel), stride=np.array(stride), padding=np.array([0, 0]))


def _flatten(shape: tuple[int, ...]) -> nir.NIRNode:
    return nir.Flatten(input_type={"input": np.array(shape)}, start_dim=0, end_dim=-1)


def refused(what: str) -> ExportUnsupportedError:
    """The refusal of a part that NIR cannot hold."""
    return ExportUnsupportedError(f"{what}.", fix="Export it as integers or as ONNX.")
